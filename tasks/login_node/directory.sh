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

enter() { # KEY: set job, mine (the part of it that is submithost's own), attempt
    job=$root/$1
    mine=$job/.submithost
    attempt=$mine/attempt
}

ours() { # whether the job directory is this user's: what is in it will be read, or run
    [ -O "$job" ] && [ ! -L "$job" ] && { [ ! -e "$mine" ] || { [ -O "$mine" ] && [ ! -L "$mine" ]; }; }
}

guard() { # call $1 with the reason if the job directory is not ours, or if somebody else could replace it
    ours || "$1" "job directory $job belongs to somebody else; choose another 'directory'"
    exposed=$(exposed "$job")
    [ -z "$exposed" ] || "$1" "job directory $job could be replaced, since $exposed; change that, or choose another 'directory'"
}

distrust() { # REASON: refuse, unless a submission was begun: there may be a job by now, so then it is section `unsafe`
    set -- "$1" "$mine"/attempt*
    [ -e "$2" ] || [ -e "$mine/receipt" ] || [ -L "$mine/claim" ] || refuse "$1"
    section unsafe
    printf '%s\n' "$1"
    finish
}

way() { # each directory, link and file on the way to $1, one a line
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

# Each has to belong to us or to root, and nobody else may write to it. In a sticky directory everybody may write, but
# nobody can rename what belongs to another. Links count by their owners.
exposed() ( # how somebody else could change or replace what is at $1 (absolute), in words; nothing: nobody could
    set -f
    IFS='
'
    me=$(id -u)
    # shellcheck disable=SC2046 # one a line
    set -- $(way "$1")
    # What cannot be inspected could be anybody's.
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

is_private() { # whether a group has its owner as its only member (as with umask 002), and no access list lets others write
    [ "$1" = "$2" ] && case $(getent group "$2") in *: | *:"$1") ;; *) false ;; esac &&
        case $(ls -ld "$3") in ??????????[!+]*) ;; *) false ;; esac &&
        case $(stat -f -c %T "$3") in nfs*) false ;; esac # may have access lists that `ls` does not show
}

is_roots() { # whether `nobody` stands for root here: in a network file system, or for users outside of a container
    case $(stat -f -c %T "$1") in nfs | lustre | gpfs) return ;; esac
    while IFS=' ' read -r first there count; do
        [ "$first" -gt 65534 ] || [ "$((first + count))" -le 65534 ] || return 1
    done </proc/self/uid_map
} 2>/dev/null

age() { # seconds since the time $1, by the clock of the job directory's file system (L10); empty if $1 is
    [ -n "$1" ] || return
    true 2>/dev/null >"$mine/.now.$nonce" # not `:`: on a full disk that would end the whole shell
    now=$(stat -c %Y "$mine/.now.$nonce" 2>/dev/null || date +%s)
    rm -f "$mine/.now.$nonce"
    echo $((now - ${1%%.*}))
}

quiet() { # seconds since anything in this directory was written, files that are still coming in among them
    age "$(find "$1" -printf '%C@\n' 2>/dev/null | sort -n | tail -n 1)"
}

this_host() { # set host to what `uname -n` says, without a process
    read -r host 2>/dev/null </proc/sys/kernel/hostname || host=$(uname -n)
}

alive() { # FILE: whether the process that it names (HOST PID ...) lives; `unknown` for one on another host
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

taken() { # whether nobody else may begin: there is a job, or somebody has the lock
    set -- "$attempt"/*
    job_known || [ -e "$1" ]
}

job_known() { # whether the job directory says that there is a job
    [ -f "$mine/receipt" ] || [ -L "$mine/claim" ]
}

drop() { # ATTEMPT: remove it; fails if it is gone. One rename takes it from its holder, and from nobody else
    mv -T "$1" "$mine/dropped.$nonce.${1##*/}" 2>/dev/null
    set -- "$?" "${1%/*}"
    discard
    rmdir "$2" 2>/dev/null # unless somebody has the lock by now
    return "$1"
}

discard() { # remove what anybody dropped; what cannot be removed now is left for another time
    for each in "$mine"/dropped.*; do
        [ ! -e "$each" ] || rm -rf "$each" || { chmod -R u+rwX "$each" && rm -rf "$each"; }
    done 2>/dev/null
}

# An attempt's name tells its phase, and is only ever changed to that of a later one. Phases are tried in their order, so
# that an attempt which moves on meanwhile is not missed. The version before this one kept the files of its attempt in
# `attempt` itself: with `holder.TOKEN` it had the lock and was receiving (`taking`), with `asked` it has asked.
find_phase() { # set phase, and for what has the lock: at, sign (the file that names its process), said (where its answer is)
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

# Sections `directory`, `digest` (of the text that was submitted), and `receipt`, or else `claim`, `attempt` (PHASE AGE
# ALIVE NAME) and `answer` (so far), as far as they exist.
inspect() {
    section directory
    printf '%s\n' "$job"
    find_phase
    if IFS= read -r digest 2>/dev/null <"$mine/digest"; then # read after the phase, when nobody replaces the text any more
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
    putting) # there may be several
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
        # Without a status it is not over, or the status could not be written; if it accepted, there is a job all the same.
        section answer
        cat "$said/out" 2>/dev/null
        cat "$said/err" >&2 2>/dev/null
        [ ! -s "$said/status" ] || section "=$(cat "$said/status")"
    fi
}
