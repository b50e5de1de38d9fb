# shellcheck shell=sh
# shellcheck disable=SC1007 # an empty value, on purpose
# shellcheck disable=SC2034 # used by what follows it in the program
# shellcheck disable=SC2088 # a tilde that is text: it is taken off
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# shellcheck disable=SC3067 # test -O: dash and bash have it
# The job directory: where it is, and how far its submission has come.
# Variables: root (of all job directories; `~/` is the home directory on the login node), key.

case $root in
'~') root=$HOME ;;
'~/'*) root=$HOME/${root#'~/'} ;;
/*) ;;
*) root=$HOME/$root ;;
esac

enter() { # a key: sets job, mine (what in there is submithost's own), attempt
    job=$root/$1
    mine=$job/.submithost
    attempt=$mine/attempt
}

ours() { # whether the job directory is nobody else's, however it came here: what is written in there would be read, or run
    [ -O "$job" ] && [ ! -L "$job" ] && { [ ! -e "$mine" ] || { [ -O "$mine" ] && [ ! -L "$mine" ]; }; }
}

guard() { # call $1 with the reason where the job directory is not ours, or somebody else could put another in its place
    ours || "$1" "job directory $job belongs to somebody else; choose another 'directory'"
    exposed=$(exposed "$job")
    [ -z "$exposed" ] || "$1" "job directory $job could be replaced, since $exposed; change that, or choose another 'directory'"
}

distrust() { # where anybody has begun to submit there may be a job by now, so that is no refusal but section `unsafe`
    set -- "$1" "$mine"/attempt*
    [ -e "$2" ] || [ -e "$mine/receipt" ] || [ -L "$mine/claim" ] || refuse "$1"
    section unsafe
    printf '%s\n' "$1"
    finish
}

way() { # each directory, link and file that the system passes on its way to $1, one a line
    rest=$1/ here= links=0
    echo /
    while [ -n "$rest" ]; do
        name=${rest%%/*} rest=${rest#*/}
        case $name in
        '' | .) ;;
        ..) here=${here%/*} ;; # of a directory: links before it have been followed
        *)
            printf '%s\n' "$here/$name"
            if [ -L "$here/$name" ] && [ "$links" -lt 40 ]; then
                target=$(readlink "$here/$name") links=$((links + 1)) rest=$target/$rest
                case $target in /*) here= ;; esac
            else
                here=$here/$name
            fi
            ;;
        esac
    done
}

# Each has to be ours or root's, and nobody else may write to it; in a sticky directory all may, but nobody renames what
# belongs to another. Links count by their owners.
exposed() ( # what gives somebody else a say in what is at $1 (absolute), in words; nothing: nobody else has one
    set -f
    IFS='
'
    me=$(id -u)
    # shellcheck disable=SC2046 # one a line
    set -- $(way "$1")
    # What cannot be looked at could be anybody's.
    { stat -c '%u|%U|%G|%A|%n' -- "$@" 2>/dev/null || echo '?'; } |
        while IFS='|' read -r uid user group mode place; do
            foreign=
            case $uid:$mode in
            '?:') echo 'part of the way to it cannot be looked at' && break ;;
            0:* | "$me":*) ;;
            65534:d*) is_roots "$place" || foreign=yes ;;
            *) foreign=yes ;;
            esac
            case $foreign:$mode in
            :l* | :d*[tT]) ;;
            *:[!l]???????w*) echo "all may write to $place (chmod o-w)" && break ;;
            yes:*) echo "$place belongs to somebody else" && break ;;
            *:?????w*)
                is_private "$user" "$group" "$place" || { echo "its group may write to $place (chmod g-w)" && break; }
                ;;
            esac
        done
)

is_private() { # whether a group is that of its owner alone, as where umask is 002, and no list lets others write
    [ "$1" = "$2" ] && case $(getent group "$2") in *: | *:"$1") ;; *) false ;; esac &&
        case $(ls -ld "$3") in ??????????[!+]*) ;; *) false ;; esac &&
        case $(stat -f -c %T "$3") in nfs*) false ;; esac # which may have lists that `ls` does not show
}

is_roots() { # a directory of `nobody`, as whom a network's file system may show root, or a container those outside
    case $(stat -f -c %T "$1") in nfs | lustre | gpfs) return ;; esac
    while IFS=' ' read -r first there count; do
        [ "$first" -gt 65534 ] || [ "$((first + count))" -le 65534 ] || return 1
    done </proc/self/uid_map
} 2>/dev/null

age() { # seconds since a time, by the clock of the job directory's own file system (L10); empty when there is none
    [ -n "$1" ] || return
    true 2>/dev/null >"$mine/.now.$nonce" # not `:`, with which a full disk would end the whole shell
    now=$(stat -c %Y "$mine/.now.$nonce" 2>/dev/null || date +%s)
    rm -f "$mine/.now.$nonce"
    echo $((now - ${1%%.*}))
}

quiet() { # seconds since anything in this directory was written: a file that is still coming in shows that, too
    age "$(find "$1" -printf '%C@\n' 2>/dev/null | sort -n | tail -n 1)"
}

this_host() { # sets host: what `uname -n` says, but without a process
    read -r host 2>/dev/null </proc/sys/kernel/hostname || host=$(uname -n)
}

alive() { # whether the process that a file names (HOST PID ...) lives; `unknown` for another host's
    read -r there pid word 2>/dev/null <"$1" || { echo unknown && return; }
    this_host
    if [ "$there" != "$host" ]; then
        echo unknown
    elif kill -0 "$pid" 2>/dev/null; then
        echo yes
    else
        echo no
    fi
}

taken() { # whether there is a job, or somebody has the lock, so that nobody else is to begin
    set -- "$attempt"/*
    job_known || [ -e "$1" ]
}

job_known() { # whether there is a job, as far as the job directory tells
    [ -f "$mine/receipt" ] || [ -L "$mine/claim" ]
}

drop() { # an attempt: fails when it is not there any more. One rename takes it from its holder, and from nobody else
    mv -T "$1" "$mine/dropped.$nonce.${1##*/}" 2>/dev/null
    set -- "$?" "${1%/*}"
    discard
    rmdir "$2" 2>/dev/null # unless somebody has the lock by now
    return "$1"
}

discard() { # what was dropped, by whomever; what cannot be removed now is removed some other time
    for each in "$mine"/dropped.*; do
        [ ! -e "$each" ] || rm -rf "$each" || { chmod -R u+rwX "$each" && rm -rf "$each"; }
    done 2>/dev/null
}

# An attempt's name tells its phase, and only gets later ones: it is looked for in their order, so that none is missed
# that moves on meanwhile. The version before this one had the files of its attempt in `attempt` itself: as `holder.TOKEN`
# it had the lock while it was still receiving (`taking`), as `asked` it has asked.
find_phase() { # sets phase, and of what has the lock: at, sign (the file that names its process), said (where its answer is)
    phase=
    for each in "$mine"/attempt.*/holder.*; do
        [ ! -d "$each" ] || phase=putting
    done
    for each in "$attempt"/* "$attempt"/holder.*; do
        [ ! -f "$each" ] || phase=taking at=$each sign=$each
    done
    for each in "$attempt"/*; do
        [ ! -d "$each" ] || phase=laying at=$each sign=$each/process
    done
    [ ! -f "$attempt/asked" ] || phase=asked at=$attempt/asked sign=$attempt/asked said=$attempt
    for each in "$attempt"/asked.*; do
        [ ! -d "$each" ] || phase=asked at=$each sign=$each/process said=$each
    done
    [ ! -f "$mine/receipt" ] || phase=job
}

# Sections `directory`, `digest` (of the text that was submitted), and `receipt`, or `claim`, `attempt` (PHASE AGE ALIVE
# NAME), `answer` so far: each of these there if what it tells of is there.
inspect() {
    section directory
    printf '%s\n' "$job"
    find_phase
    if IFS= read -r digest 2>/dev/null <"$mine/digest"; then # after that: of a text that nobody replaces by now
        section digest
        printf '%s\n' "$digest"
    fi
    if [ "$phase" = job ]; then
        section receipt
        cat "$mine/receipt"
        [ ! -s "$mine/receipt.err" ] || cat "$mine/receipt.err" >&2
        return
    fi
    if claim=$(readlink "$mine/claim"); then
        section claim
        printf '%s\n' "$claim"
    fi
    case $phase in
    putting) # perhaps by several
        section attempt
        for each in "$mine"/attempt.*/holder.*; do
            echo putting "$(quiet "$each")" "$(alive "$each/process")" "${each##*/}"
        done
        ;;
    ?*)
        section attempt
        silence=$(age "$(stat -c %Y "$sign" 2>/dev/null || stat -c %Y "$at" 2>/dev/null)") # since its last sign of life
        echo "$phase" "$silence" "$(alive "$sign")" "${at##*/}"
        ;;
    esac
    if [ "$phase" = asked ]; then
        # Without its status it is not over, or it could not be kept; what it accepted it has accepted.
        section answer
        cat "$said/out" 2>/dev/null
        cat "$said/err" >&2 2>/dev/null
        [ ! -s "$said/status" ] || section "=$(cat "$said/status")"
    fi
}
