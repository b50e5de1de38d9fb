# shellcheck shell=sh
# shellcheck disable=SC2016 # for another shell, which is to expand it
# shellcheck disable=SC2094 # a function and a file of one name
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# shellcheck disable=SC2174 # those above are directories of ours as well, or were there
# Submit once: receive the files, take the lock, lay the files, ask the scheduler, keep its answer beside the script.
# docs/exactly-once.md explains the states that this goes through, and why it never touches what belongs to another.
# Variables: root, key, submit (the command line), submitter (its command), insert (the number of the script's first line
# that is neither blank nor a comment), shebang (1: its first line is one), job_name (file name of what is submitted),
# bare (1: submit the script as it is), patience (seconds until a silent scheduler is left alone).
# From the scheduler, functions:
#   reads      print what it reads of a script's text (stdin), if that is not all of it
#   hand_over  print the line that starts `run`
#   survey     ask what `prepare` needs to know, while the files come in
#   prepare    change `submit` and the defaults where that is needed
#   places     print the working directory and the paths of logs, as far as they are known and not our default
#   accepted   OUT ERR: whether this answer accepts the job
#   details    OUT: print TASKS (`-`: no array job) and NAME of the job if the answer lacks them; fail if they are unknown
# They run in the attempt's own directory; `draft` becomes the job directory, `$drafted` its .submithost. Data: the files,
# as `receive` reads them.

case $(command -v reads) in reads) ;; *) reads() { cat; } ;; esac

assemble() { # print the file that is submitted: what the scheduler reads of the script, and the line that starts `run`
    # No pipes: they hide the failure of all but the last command.
    if [ -n "$bare" ]; then
        cat "$drafted/script"
        return
    fi
    echo '#!/bin/sh' &&
        { [ ! -f "$drafted/defaults" ] || cat "$drafted/defaults"; } &&
        if [ -f "$drafted/header" ]; then cat "$drafted/header"; else
            head -n "$((insert - 1))" "$drafted/script" >top && tail -n "+$((1 + shebang))" top >comments && reads <comments
        fi &&
        hand_over &&
        tail -n "+$insert" "$drafted/script" >rest && reads <rest
}

there() { # whether $1 is a directory, or will be one once the draft is in place
    [ -d "$1" ] || case $1 in "$job"/*) [ -d "draft/${1#"$job"/}" ] ;; *) false ;; esac
}

look_at_places() { # make directories for logs below the job directory; warn of others that do not exist
    places | {
        IFS= read -r workplace || exit
        case $workplace in */"$own/draft") workplace=$job ;; /*) ;; *) workplace=$job/$workplace ;; esac
        there "$workplace" || echo "the job is to run in $workplace, which is no directory on the login node"
        while IFS= read -r log; do
            case $log in
            /*/*) logs=${log%/*} ;;
            */*) logs=$workplace/${log%/*} ;;
            *) continue ;;
            esac
            ! there "$logs" || continue
            case $logs/ in
            *[%\$]*) echo "the job's log goes into $logs, which has to be there when it starts" && continue ;;
            */../*) ;;
            "$job"/*) mkdir -p "draft/${logs#"$job"/}" 2>/dev/null && continue ;;
            esac
            echo "the job's log goes into $logs, which is no directory on the login node"
        done
    }
}

sweep() { # remove the attempts of the dead, and those on other hosts that were silent for ten minutes; `all`: every other one
    for each in "$mine"/attempt.*/holder.*; do
        [ -d "$each" ] && [ "$each" != "$at" ] || continue
        [ "$1" = all ] || case $(alive "$each/process") in
        yes) continue ;;
        unknown) still=$(quiet "$each") && [ "${still:-0}" -gt 600 ] || continue ;;
        esac
        drop "$each"
    done
    discard
}

stop() { # end, and tell how far this submission has come, whoever made the progress
    cd /
    inspect
    finish
}

give_up() { # REASON: before the scheduler was asked. If we have lost the attempt, somebody else goes on with it
    cd /
    if drop "$at" || [ -d "$at" ]; then refuse "$1"; fi
    stop
}

unless_job() { # stop if there is a job: somebody may have found that of an earlier attempt meanwhile
    ! job_known || {
        drop "$at"
        stop
    }
}

# Files count by name, size and time, so none that the user has changed is touched; each is moved by one rename, as in
# `lay`. Lists of the version before this one (which left $mine/job) cannot be used: they have everything that was there.
recall() { # take away the files of an attempt that made no job
    [ -s "$mine/put" ] && [ ! -d "$mine/job" ] || return 0
    (
        cd "$job" || exit
        laid=$at/laid LC_ALL=C
        export laid LC_ALL
        find . -name .submithost -prune -o ! -name . -printf '%s %T@ %P\0' | sort -z - "$mine/put" | uniq -zd |
            names | xargs -0r sh -c 'find "$@" -maxdepth 0 ! -type d -exec mv -f --backup=numbered -t "$laid" {} +' sh
        names <"$mine/put" | sort -zr | # what is in a directory comes before it
            xargs -0r sh -c 'find "$@" -maxdepth 0 -type d -empty -exec mv --backup=numbered -t "$laid" {} \;' sh
    ) 2>/dev/null
}

names() { # the names in a list like `put`
    sed -z 's|^[^ ]* [^ ]* |./|'
}

lay() ( # FROM TO: move everything, each by one rename; if a directory exists already, move what is in ours
    from=$1 to=$2
    set --
    for each in "$from"/* "$from"/.[!.]* "$from"/..?*; do
        [ -e "$each" ] || [ -L "$each" ] || continue # what cannot be looked at is noticed later, since it is left
        there=$to/${each##*/}
        if [ -d "$each" ] && [ ! -L "$each" ] && [ -d "$there" ] && [ ! -L "$there" ]; then
            lay "$each" "$there" && { [ "$there" = "$mine" ] || chmod --reference="$each" "$there"; } || exit
        else
            set -- "$@" "$each"
        fi
        [ "$#" -lt 1000 ] || { mv -f -t "$to" -- "$@" && set --; } || exit # the length of a command line is limited
    done
    [ "$#" -eq 0 ] || mv -f -t "$to" -- "$@"
)

enter "$key"
case $job in
*[\'\"\!\\\`\$]* | *'
'*) refuse "job directory $job: quotes, '!', '\$' and newlines cannot be in its path; choose another 'directory'" ;;
esac
guarded=
if [ -e "$job" ] || [ -L "$job" ]; then
    guard distrust && guarded=yes
    ! taken || stop
fi
# The name of this attempt: from the program's nonce, so that no two runs share anything.
token=${nonce%????????????????}
own=attempt.$token/holder.$token
at=$mine/$own
drafted=draft/.submithost
# With their mode from the start: in a directory with a default ACL the umask does not count.
problem=$(mkdir -p -m 700 "$job" "$mine" "$mine/notes" "$at/$drafted" "$at/job" "$at/laid" 2>&1) || {
    drop "$at"
    ! taken || stop
    refuse "$problem"
}
[ -n "$guarded" ] || guard give_up
# Stay in here, wherever it is moved: then a relative name never leads to another's files.
cd "$at" 2>/dev/null || give_up "cannot enter $at"
this_host
live() { # PID: write a sign of life: the process, and since when it has been asking the scheduler
    echo "$host $1 $asked_at" 2>/dev/null >process && [ -s process ]
}
asked_at=
live $$ || give_up "$job: no space for the lock"
sweep silent

has "$submitter" >/dev/null || give_up "$(missing "$submitter" 2>&1)"
[ -n "$bare" ] || survey </dev/null >survey 2>/dev/null &
surveying=$!
file=attempt/asked.$token/job/$job_name # its path once the lock is ours
problem=$({ receive draft && assemble >"job/$job_name"; } 2>&1) || give_up "$job: $problem"
(cd draft && find . -name .submithost -prune -o ! -name . -printf '%s %T@ %P\0') >"$drafted/put" ||
    give_up "$job: cannot list what was sent"
wait "$surveying"
[ -n "$bare" ] || prepare || give_up "$job: cannot write what the job begins with"
warnings=$(look_at_places)
[ ! -f "$drafted/defaults" ] || # with the defaults, which are known now
    problem=$(assemble 2>&1 >"job/$job_name") || give_up "$job: $problem"
submit=${submit%%".submithost/job/$job_name"*}.submithost/$file${submit#*".submithost/job/$job_name"}

# The lock: only one can rename a directory to this name, as long as nothing or an empty directory has it.
live $$ || give_up "$job: no space for the lock"
lock() {
    problem=$(mv -T "$mine/attempt.$token" "$attempt" 2>&1)
}
lock || { ! taken && lock; } || { # its holder may have given it up since
    taken || give_up "$job: $problem"
    drop "$at"
    stop
}
# From here on files are moved, and the scheduler is asked, at this path: whoever takes the lock from us renames it.
own=attempt/holder.$token
at=$mine/$own
unless_job # that of an earlier attempt, found meanwhile
recall
for each in "$mine"/*; do # files of an earlier attempt without a job, perhaps of another text, that this one lacks
    case ${each##*/} in
    receipt* | queues*) ;;
    *) [ ! -f "$each" ] || [ -e "$drafted/${each##*/}" ] || mv -f -t "$at" -- "$each" 2>/dev/null ;;
    esac
done
# The list of the files goes first.
problem=$({ lay "$at/$drafted" "$mine" && lay "$at/draft" "$job" && find "$at/draft" ! -type d; } 2>&1) &&
    [ -z "$problem" ] || give_up "$job: ${problem:-cannot look into $at}"
asked_at=$(date +%s)
live $$ || give_up "$job: no space for the lock"
section warnings # if nobody listens any more, this ends here, where it is certain that there is no job
printf '%s\n' "$warnings"
unless_job
problem=$(mv -T "$at" "$attempt/asked.$token" 2>&1) || give_up "$job: $problem"
at=$attempt/asked.$token

section submitted_at
echo "$asked_at"
trap 'silent=yes' USR1 # before anything can send it
silent=
(
    trap '' HUP PIPE # keep the answer even if nobody is left to hear it
    job_known && exit # without asking
    (cd "$job" && eval "$submit") </dev/null >out 2>err &
    asking=$!
    echo "$asking" >pid
    # A submit command that waits for the job's end is silent until then: the job is found by its mark. As long as the
    # command lives, the attempt shows signs of life, for those who cannot see its process.
    (
        sleep "$patience"
        kill -USR1 $$
        while kill -0 "$asking"; do
            touch -c process
            sleep 10
        done
    ) </dev/null >/dev/null 2>&1 &
    wait "$asking"
    echo "$?" >status
    kill $!
    # An ID means submitted, whatever the exit status (G16).
    if [ -s status ] && accepted out err && told=$(details out); then
        set -- "$at/receipt"
        [ ! -s err ] || { cp err receipt.err && set -- "$at/receipt.err" "$@"; }
        { printf '%s\n' "$asked_at $told" && cat out; } >receipt && mv -f -t "$mine" -- "$@"
    fi
) >/dev/null 2>&1 &
asking=$!
live "$asking"
sweep all
[ -n "$silent" ] || wait "$asking"
stop
