# shellcheck shell=sh
# shellcheck disable=SC2016 # for another shell, which is to expand it
# shellcheck disable=SC2094 # a function and a file of one name
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# shellcheck disable=SC2174 # those above are directories of ours as well, or were there
# Submit once: receive the files, take the lock, lay the files, ask the scheduler, keep its answer beside the script.
# docs/exactly-once.md has the states that this goes through, and why nothing in here can touch what is another's.
# Variables: root, key, submit (the command line), submitter (its command), insert (the number of the script's first line
# that is neither blank nor a comment), shebang (1: its first line is one), job_name (file name of what is submitted),
# bare (1: submit the script as it is), patience (seconds until a silent scheduler is left alone).
# From the scheduler: reads, where it reads less of a script's text (stdin) than all of it, hand_over, which prints the line
# that begins `run`, survey, which asks what `prepare` wants to know while the files come in, prepare, which may change
# `submit` and the defaults, places, which tells the working directory and the paths of logs, as far as they are known and
# not our default, accepted, which knows an accepting answer (files of stdout and stderr), and details, which tells TASKS
# (`-`: no array job) and NAME of the job where the answer does not, and fails where it cannot. They run in the attempt's
# own directory, with what becomes the job directory in `draft` and what becomes its .submithost in `$drafted`. Data: the
# files, as `receive` reads them.

case $(command -v reads) in reads) ;; *) reads() { cat; } ;; esac

assemble() { # the file that is submitted: what the scheduler reads of the script, where it reads it, and the line to `run`
    # No pipes: whoever dies in the middle of one is not missed.
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

there() { # whether this is a directory, or will be one as soon as the draft is laid
    [ -d "$1" ] || case $1 in "$job"/*) [ -d "draft/${1#"$job"/}" ] ;; *) false ;; esac
}

look_at_places() { # A directory for logs below the job directory is made, as by hand; of others that are not there it is told.
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

sweep() { # remove other attempts of those who have died, or are out of sight and silent for ten minutes; when there is a job, `all`
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

stop() { # tell how far this submission has come, by whomever
    cd /
    inspect
    finish
}

give_up() { # before the scheduler was asked. Where the attempt is not ours any more, somebody else goes on
    cd /
    if drop "$at" || [ -d "$at" ]; then refuse "$1"; fi
    stop
}

unless_job() { # before the scheduler is asked: somebody may have found a job of an earlier attempt meanwhile
    ! job_known || {
        drop "$at"
        stop
    }
}

# By its name, size and time, so nothing that the user has put there; each by one rename, as in `lay`. The lists that the
# version before this one made, which left $mine/job, tell of everything that was there.
recall() { # take away what an attempt that made no job had laid
    [ -s "$mine/put" ] && [ ! -d "$mine/job" ] || return 0
    (
        cd "$job" || exit
        laid=$at/laid LC_ALL=C
        export laid LC_ALL
        find . -name .submithost -prune -o ! -name . -printf '%s %T@ %P\0' | sort -z - "$mine/put" | uniq -zd |
            names | xargs -0r sh -c 'find "$@" -maxdepth 0 ! -type d -exec mv -f --backup=numbered -t "$laid" {} +' sh
        names <"$mine/put" | sort -zr | # what is in a directory before the directory
            xargs -0r sh -c 'find "$@" -maxdepth 0 -type d -empty -exec mv --backup=numbered -t "$laid" {} \;' sh
    ) 2>/dev/null
}

names() { # of a list like `put`
    sed -z 's|^[^ ]* [^ ]* |./|'
}

lay() ( # everything in directory $1 into $2, each by one rename; a directory that is there already gets what is in ours
    from=$1 to=$2
    set --
    for each in "$from"/* "$from"/.[!.]* "$from"/..?*; do
        [ -e "$each" ] || [ -L "$each" ] || continue # what cannot be looked at is found to be left
        there=$to/${each##*/}
        if [ -d "$each" ] && [ ! -L "$each" ] && [ -d "$there" ] && [ ! -L "$there" ]; then
            lay "$each" "$there" && { [ "$there" = "$mine" ] || chmod --reference="$each" "$there"; } || exit
        else
            set -- "$@" "$each"
        fi
        [ "$#" -lt 1000 ] || { mv -f -t "$to" -- "$@" && set --; } || exit # a command line has a bound
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
# What this attempt is called: the program's own number, so that no two runs of it share anything.
token=${nonce%????????????????}
own=attempt.$token/holder.$token
at=$mine/$own
drafted=draft/.submithost
# With their mode at once: in a directory with a default ACL the umask does not count.
problem=$(mkdir -p -m 700 "$job" "$mine" "$mine/notes" "$at/$drafted" "$at/job" "$at/laid" 2>&1) || {
    drop "$at"
    ! taken || stop
    refuse "$problem"
}
[ -n "$guarded" ] || guard give_up
# In here from now on, wherever it is moved: what a relative name says is never another's.
cd "$at" 2>/dev/null || give_up "cannot enter $at"
this_host
live() { # PID: a sign of life, which names the process that lives; and what it is submitting since when
    echo "$host $1 $asked_at" 2>/dev/null >process && [ -s process ]
}
asked_at=
live $$ || give_up "$job: no space for the lock"
sweep silent

has "$submitter" >/dev/null || give_up "$(missing "$submitter" 2>&1)"
[ -n "$bare" ] || survey </dev/null >survey 2>/dev/null &
surveying=$!
file=attempt/asked.$token/job/$job_name # where it will be then
problem=$({ receive draft && assemble >"job/$job_name"; } 2>&1) || give_up "$job: $problem"
(cd draft && find . -name .submithost -prune -o ! -name . -printf '%s %T@ %P\0') >"$drafted/put" ||
    give_up "$job: cannot list what was sent"
wait "$surveying"
[ -n "$bare" ] || prepare || give_up "$job: cannot write what the job begins with"
warnings=$(look_at_places)
[ ! -f "$drafted/defaults" ] || # which are known now
    problem=$(assemble 2>&1 >"job/$job_name") || give_up "$job: $problem"
submit=${submit%%".submithost/job/$job_name"*}.submithost/$file${submit#*".submithost/job/$job_name"}

# The lock: of all who come so far one can rename a directory to this name, while it is not there or empty.
live $$ || give_up "$job: no space for the lock"
lock() {
    problem=$(mv -T "$mine/attempt.$token" "$attempt" 2>&1)
}
lock || { ! taken && lock; } || { # whoever had it may have given it up since
    taken || give_up "$job: $problem"
    drop "$at"
    stop
}
# What is at this path is moved, or asked for, only as long as the lock is ours: whoever releases it renames it.
own=attempt/holder.$token
at=$mine/$own
unless_job # found meanwhile, of an earlier attempt
recall
for each in "$mine"/*; do # what an attempt that made no job has laid, perhaps of another text, and this one has not
    case ${each##*/} in
    receipt* | queues*) ;;
    *) [ ! -f "$each" ] || [ -e "$drafted/${each##*/}" ] || mv -f -t "$at" -- "$each" 2>/dev/null ;;
    esac
done
# First the list of what is laid.
problem=$({ lay "$at/$drafted" "$mine" && lay "$at/draft" "$job" && find "$at/draft" ! -type d; } 2>&1) &&
    [ -z "$problem" ] || give_up "$job: ${problem:-cannot look into $at}"
asked_at=$(date +%s)
live $$ || give_up "$job: no space for the lock"
section warnings # if nobody hears them any more, this ends here, where it is known that there is no job
printf '%s\n' "$warnings"
unless_job
problem=$(mv -T "$at" "$attempt/asked.$token" 2>&1) || give_up "$job: $problem"
at=$attempt/asked.$token

section submitted_at
echo "$asked_at"
trap 'silent=yes' USR1 # before anybody sends it
silent=
(
    trap '' HUP PIPE # the answer is to be kept even when nobody is left to hear it
    job_known && exit # so nobody is asked
    (cd "$job" && eval "$submit") </dev/null >out 2>err &
    asking=$!
    echo "$asking" >pid
    # One that waits for the job's end says nothing until then: its mark in the queue tells that it is submitted. As
    # long as it lives the attempt does, also for those who cannot see its process.
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
