# The job: note the start, run the user's script with the interpreter that the scheduler would have used, note the end.
# submithost_given: text of given.sh, about the environment of this process.
# From the scheduler: submithost_identify (sets submithost_job, submithost_claim, submithost_task, submithost_out,
# submithost_err and, where it is told, submithost_restarts: how often it was requeued), submithost_shell (sets
# submithost_mode and submithost_shell), submithost_as_login (whether that shell is a login one), submithost_environment
# (mends what tells of the submitted file), and submithost_forward (signals that the body is to have from here; empty: it
# gets its own). Every name of ours is long, since the job's environment is the user's and must reach the body as it is.
submithost_mine=${submithost_mine:-${0%/*}}
submithost_path=${PATH-unset}
PATH=/usr/local/bin:/usr/bin:/bin${PATH:+:$PATH}
case ${BASH_VERSION-} in
?*) # as /bin/sh it has taken options and functions from the environment, which are meant for the body
    set +efuvx
    unset -f $(/usr/bin/env sed -z -n -E 's/^BASH_FUNC_([A-Za-z_][A-Za-z0-9_]*)(%%|\(\))=.*/\1/p' "/proc/$$/environ" | /usr/bin/env tr '\0' ' ')
    shopt -u failglob nullglob
    ;;
esac

submithost_note() { # NAME TEXT: a note is there whole or not at all, and a full disk does not stop a job
    {
        mkdir -p "$submithost_notes" &&
            printf '%s\n' "$2" >"$submithost_notes/.$1.$$" &&
            mv -f "$submithost_notes/.$1.$$" "$submithost_notes/$1"
    } 2>/dev/null
}

submithost_identify
submithost_key=${submithost_mine%/*}
submithost_key=${submithost_key##*/}
submithost_notes=$submithost_mine/notes/$((submithost_task / 1000))

# The claim: the first job of this key does its work, any other one leaves. A link that names the job is made by one
# operation that only one can do, on every file system. A repeated request may fail though it was we who made it, so
# read it; one that cannot be read has nobody else behind it.
if ! ln -s "$submithost_claim" "$submithost_mine/claim" 2>/dev/null; then
    submithost_other=$(readlink "$submithost_mine/claim")
    if [ -n "$submithost_other" ] && [ "$submithost_other" != "$submithost_claim" ]; then
        echo "submithost: job ${submithost_other%%.*} already does this work; job $submithost_job leaves" >&2
        exit 0
    fi
fi

# The first run of a job comes once, and so does each requeue, which is one restart more. A scheduler that was killed may
# have forgotten a run, and begins it again: then its work is not done twice, if it came to an end of its own.
if [ -n "${submithost_restarts-}" ]; then
    submithost_run="$submithost_key $submithost_job $submithost_task [0-9]*"
    submithost_status=$(sed -n "s/^end $submithost_run \([0-9]*\).*/\1/p" \
        "$submithost_notes/$submithost_task.end" 2>/dev/null)
    submithost_before=$(sed -n "s/^start $submithost_run [^ ]* \([0-9]*\)$/\1/p" \
        "$submithost_notes/$submithost_task.start" 2>/dev/null)
    if [ "${submithost_status:-128}" -lt 128 ] && [ "${submithost_before:-0}" -ge "$submithost_restarts" ]; then
        echo "submithost: job $submithost_job has run already, which its scheduler forgot; it is not run again" >&2
        exit "$submithost_status"
    fi
fi

submithost_note "$submithost_task.start" "start $submithost_key $submithost_job $submithost_task $(date +%s) \
$(uname -n)${submithost_restarts:+ $submithost_restarts}
out $submithost_out
err $submithost_err"
rm -f "$submithost_notes/$submithost_task.end" # a requeued job has not ended

# The jobs before this one have ended, or it would not have started; whether they succeeded their notes tell. The file
# `after` has two lines for each: `FIRST LAST STEP JOB`, and its job directory. Says which one did not.
submithost_unmet() (
    [ -f "$submithost_mine/after" ] && [ ! -f "$submithost_mine/after.met" ] || exit 0
    patience=15 # a note may come late to this node, and a job that was killed has none
    while read -r task last step job && IFS= read -r directory; do
        while [ "$task" -le "$last" ]; do
            notes=$directory/.submithost/notes/$((task / 1000))
            noted='' status=''
            while ! { read -r word word noted word word status word <"$notes/$task.end"; } 2>/dev/null; do
                [ "$patience" -gt 0 ] || break
                patience=$((patience - 1))
                sleep 1
                ls "$notes" >/dev/null 2>&1 # a network's file system looks again
            done
            if [ "$noted:$status" != "$job:0" ]; then
                [ "$task" = 0 ] || job=$job.$task
                if [ "$noted" = "${job%.*}" ]; then
                    echo "job $job did not succeed"
                else
                    echo "job $job left no note that it succeeded"
                fi
                exit 1
            fi
            task=$((task + step))
        done
    done <"$submithost_mine/after"
    true 2>/dev/null >"$submithost_mine/after.met" # for the other tasks of an array job
    exit 0 # also when there is no space to say so
)
if ! submithost_why=$(submithost_unmet); then
    echo "submithost: $submithost_why: job $submithost_job leaves without running its script" >&2
    submithost_note "$submithost_task.end" "end $submithost_key $submithost_job $submithost_task $(date +%s) 96 $submithost_why"
    exit 96
fi

submithost_shell
IFS= read -r submithost_line <"$submithost_mine/script"
case $submithost_mode:$submithost_line in
obey:'#!'* | default:'#!'*)
    # As the kernel reads it: one interpreter, and whatever follows as one argument.
    submithost_line=${submithost_line#'#!'}
    submithost_line=${submithost_line#"${submithost_line%%[! 	]*}"}
    submithost_line=${submithost_line%"${submithost_line##*[! 	]}"}
    submithost_shell=${submithost_line%%[ 	]*}
    submithost_line=${submithost_line#"$submithost_shell"}
    submithost_line=${submithost_line#"${submithost_line%%[! 	]*}"}
    ;;
obey:*) submithost_shell=/bin/sh submithost_line= ;;
*) submithost_line= ;;
esac

eval "set -- $(cat "$submithost_mine/args")"
set -- "$submithost_mine/script" "$@"
[ -z "$submithost_line" ] || set -- "$submithost_line" "$@"
submithost_login=no
! submithost_as_login || submithost_login=yes
case $submithost_login:${submithost_shell##*/} in
yes:sh | yes:bash | yes:dash | yes:ksh | yes:zsh) set -- "$submithost_shell" -l "$@" ;;
yes:*csh) # takes -l only alone; a first dash in its name says the same
    if [ -x /bin/bash ]; then
        set -- /bin/bash -c 'exec -a "-${0##*/}" "$0" "$@"' "$submithost_shell" "$@"
    else
        set -- "$submithost_shell" "$@"
    fi
    ;;
*) set -- "$submithost_shell" "$@" ;;
esac

submithost_environment
eval "$(submithost_given)" # before the body's command comes what hands these on
# Caught, and by doing nothing: untrapped we would die and note nothing, ignored the body would inherit that.
trap : USR1 USR2 XCPU TERM INT HUP
if [ "$submithost_path" = unset ]; then unset PATH; else PATH=$submithost_path; fi
# The shell's own word on a killed child stays off the user's stderr, so that is redirected in the child alone. What ends by signal N gives 128 + N, as does
# `exit 128+N`; sh cannot tell them apart, and both are noted and returned as that number.
exec 9>&2 2>/dev/null
if [ -z "${submithost_forward-}" ]; then
    (exec "$@" 2>&9 9>&-)
    submithost_status=$?
else # signals that reach this shell alone; in a process group of its own the body ignores none of them
    set -m
    (exec "$@" 2>&9 9>&-) &
    submithost_body=$!
    set +m
    for submithost_signal in $submithost_forward; do
        trap "kill -s $submithost_signal $submithost_body" "$submithost_signal"
    done
    while :; do
        wait "$submithost_body"
        submithost_status=$?
        # A signal ends the waiting, not the body; a body that has ended and was waited for is no process any more.
        kill -0 "$submithost_body" || break
    done
fi
PATH=/usr/local/bin:/usr/bin:/bin
submithost_note "$submithost_task.end" "end $submithost_key $submithost_job $submithost_task $(date +%s) $submithost_status"
exit "$submithost_status"
