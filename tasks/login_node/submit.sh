# Submit once: take the lock, receive the files, ask the scheduler, keep its answer beside the script.
# Variables: root, key, token (of this process over here), submit (the command line), submitter (its command), insert
# (the number of the script's first line that is neither blank nor a comment), shebang (1: its first line is one),
# job_name (file name of what is submitted), bare (1: submit the script as it is), patience (seconds until a silent
# scheduler is left alone).
# From the scheduler: hand_over, which prints the line that begins `run`, survey, which asks what `prepare` wants to know
# while the files come in, prepare, which may change `submit` and the defaults, places, which tells the working directory
# and the paths of logs, as far as they are known and not our default, accepted, which knows an accepting answer (files
# of stdout and stderr), and details, which tells TASKS (`-`: no array job) and NAME of the
# job where the answer does not, and fails where it cannot. Data: the files, as `take` reads them.

assemble() { # the file that is submitted: the script, its text where the scheduler reads it, but handing over to `run`
    if [ -n "$bare" ]; then
        cat "$mine/script"
        return
    fi
    echo '#!/bin/sh' &&
        { [ ! -f "$mine/defaults" ] || cat "$mine/defaults"; } &&
        if [ -f "$mine/header" ]; then cat "$mine/header"; else
            head -n "$((insert - 1))" "$mine/script" | tail -n "+$((1 + shebang))"
        fi &&
        hand_over &&
        tail -n "+$insert" "$mine/script"
}

look_at_places() { # A directory for logs below the job directory is made, as by hand; of others that are not there it is told.
    places | {
        IFS= read -r workplace || exit
        case $workplace in /*) ;; *) workplace=$job/$workplace ;; esac
        [ -d "$workplace" ] || echo "the job is to run in $workplace, which is no directory on the login node"
        while IFS= read -r log; do
            case $log in
            /*/*) logs=${log%/*} ;;
            */*) logs=$workplace/${log%/*} ;;
            *) continue ;;
            esac
            [ ! -d "$logs" ] || continue
            case $logs/ in
            *[%\$]*) echo "the job's log goes into $logs, which has to be there when it starts" && continue ;;
            */../*) ;;
            "$job"/* | "$(pwd -P)"/*) mkdir -p "$logs" 2>/dev/null && continue ;;
            esac
            echo "the job's log goes into $logs, which is no directory on the login node"
        done
    }
}

enter "$key"
case $job in
*[\'\"\!\\\`\$]* | *'
'*) refuse "job directory $job: quotes, '!', '\$' and newlines cannot be in its path; choose another 'directory'" ;;
esac
# With their mode at once: in a directory with a default ACL the umask does not count.
problem=$(mkdir -p -m 700 "$job" "$mine" "$mine/notes" "$mine/job" 2>&1) || refuse "$problem"
guard

if [ -f "$mine/receipt" ] || ! mkdir "$attempt" 2>/dev/null; then
    [ -d "$attempt" ] || [ -f "$mine/receipt" ] || refuse "$(mkdir "$attempt" 2>&1)"
    inspect
    finish
fi
holder=$attempt/holder.$token
into=$job
beat=$holder
give_up() { # before the scheduler was asked: as if nothing had been
    rm -rf "$attempt"
    refuse "$1"
}

echo "$(uname -n) $$" 2>/dev/null >"$holder" && [ -s "$holder" ] || give_up "$job: no space for the lock"

has "$submitter" >/dev/null || give_up "$(missing "$submitter" 2>&1)"
[ -n "$bare" ] || survey </dev/null >"$attempt/survey" 2>/dev/null &
surveying=$!
# Never the file of an earlier attempt: the job that it may have become makes the user's own script of that.
file=job/$job_name again=1
while [ -e "$mine/$file" ]; do
    again=$((again + 1))
    file=job/@$again/$job_name # no job is called that
done
problem=$({ mkdir -p "$mine/${file%/*}" && take && assemble >"$mine/$file"; } 2>&1) || give_up "$job: $problem"
(cd "$job" && find . -name .submithost -prune -o ! -name . -printf '%s %T@ %P\0') >"$mine/put"
cd "$job" || give_up "$job is gone"
wait "$surveying"
[ -n "$bare" ] || prepare
warnings=$(look_at_places)
[ ! -f "$mine/defaults" ] || # which are known now
    problem=$(assemble 2>&1 >"$mine/$file") || give_up "$job: $problem"
submit=${submit%%".submithost/job/$job_name"*}.submithost/$file${submit#*".submithost/job/$job_name"}

# Only one who still holds the lock passes here: somebody else may have found us dead.
mv "$holder" "$attempt/asked" 2>/dev/null || {
    inspect
    finish
}
touch -c "$attempt/asked"
section warnings
printf '%s\n' "$warnings"
section submitted_at
date +%s
(
    trap '' HUP PIPE # the answer is to be kept even when nobody is left to hear it
    (eval "$submit") </dev/null >"$attempt/out" 2>"$attempt/err" &
    echo $! >"$attempt/pid"
    wait $!
    status=$?
    printf '%s\n' "$status" >"$attempt/status.new" && mv "$attempt/status.new" "$attempt/status"
    # An ID means submitted, whatever the exit status (G16).
    if accepted "$attempt/out" "$attempt/err" && [ -s "$attempt/status" ] && told=$(details "$attempt/out"); then
        when=$(stat -c %Y "$attempt/asked")
        { printf '%s\n' "$when $told" && cat "$attempt/out"; } >"$mine/receipt.new" &&
            cp "$attempt/err" "$mine/receipt.err" && mv "$mine/receipt.new" "$mine/receipt"
    fi
) >/dev/null 2>&1 &
asking=$!
echo "$(uname -n) $asking" >"$attempt/asked.new" && mv "$attempt/asked.new" "$attempt/asked"
# One that waits for the job's end says nothing until then: its mark in the queue tells that it is submitted.
trap : USR1
(sleep "$patience" && kill -USR1 $$) </dev/null >/dev/null 2>&1 &
wait "$asking"
kill $! 2>/dev/null
inspect
finish
