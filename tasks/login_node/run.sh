# shellcheck shell=sh
# shellcheck disable=SC2034 # used by what follows it in the program
# shellcheck disable=SC2046 # names of functions, to be split
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# shellcheck disable=SC3044 # asked of bash alone
# The job: note the start, run the user's script with the interpreter that the scheduler would have used, note the end.
# submithost_given: text of given.sh, about the environment of this process.
# From the scheduler: submithost_identify (sets submithost_job, submithost_claim, submithost_task, submithost_out,
# submithost_err and, where it is told, submithost_restarts: how often it was requeued), submithost_shell (sets
# submithost_mode and submithost_shell), submithost_as_login (whether that shell is a login one), submithost_environment
# (mends what tells of the submitted file), and where they differ from others: submithost_alone=yes (its signals may come
# to this process alone, not to its process group) and submithost_unstartable (the exit status with which a job ends
# whose interpreter is not there). submithost_file or $1 is the submitted file, below this directory.
# Every name of ours is long, since the job's environment is the user's and must reach the body as it is.
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

submithost_note_end() { # STATUS REASON USED: the last on a line of its own
    submithost_note "$submithost_task.end" \
        "end $submithost_key $submithost_job $submithost_task $(date +%s) $1${2:+ $2}${3:+
$3}"
}

submithost_identify
submithost_key=${submithost_mine%/*}
submithost_key=${submithost_key##*/}
submithost_notes=$submithost_mine/notes/$((submithost_task / 1000))
# Those of a sweep (run_row.sh) are others.
submithost_script=$submithost_mine/script submithost_switched=$submithost_mine/switched submithost_row=

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
    submithost_ended=$(sed -n "s/^end $submithost_run //p" "$submithost_notes/$submithost_task.end" 2>/dev/null)
    submithost_status=${submithost_ended%% *}
    submithost_before=$(sed -n "s/^start $submithost_run [^ ]* \([0-9]*\)$/\1/p" \
        "$submithost_notes/$submithost_task.start" 2>/dev/null)
    if [ "${submithost_status:-128}" -lt 128 ] && [ "${submithost_before:-0}" -ge "$submithost_restarts" ]; then
        echo "submithost: job $submithost_job has run already, which its scheduler forgot; it is not run again" >&2
        submithost_note_end "$submithost_ended" # of this run: who saw the job wait meanwhile takes the other for no end
        exit "$submithost_status"
    fi
fi

# The file that the scheduler names as this job's is the user's own script from here on: a body that submits itself again
# by that name makes a job of its own, which has no claim and no notes, as by hand.
submithost_file=$submithost_mine/${submithost_file-${1-}}
if [ -f "$submithost_file" ] && [ ! -L "$submithost_file" ]; then
    ln -s "$submithost_mine/script" "$submithost_file.$submithost_task.$$" &&
        mv -f "$submithost_file.$submithost_task.$$" "$submithost_file"
fi 2>/dev/null

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
    submithost_note_end 96 "$submithost_why"
    exit 96
fi
