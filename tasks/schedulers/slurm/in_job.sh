# shellcheck shell=sh
# shellcheck disable=SC2034 # used by what follows it in the program
# shellcheck disable=SC2125 # the question mark is text
# shellcheck disable=SC2153 # slurmd sets it
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# The first line of the script is always obeyed. What --signal=B: sends, it sends to `run` alone, which passes it on.
submithost_identify() {
    submithost_job=${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID} submithost_task=${SLURM_ARRAY_TASK_ID:-0}
    submithost_claim=$submithost_job submithost_restarts=${SLURM_RESTART_COUNT:-0}
    if [ -n "${SLURM_ARRAY_TASK_ID-}" ]; then
        submithost_claim=$submithost_job.? # a step is told of 1-5:2,2,9 too
        [ $((SLURM_ARRAY_TASK_MAX - SLURM_ARRAY_TASK_MIN + 1)) -ne "$SLURM_ARRAY_TASK_COUNT" ] ||
            submithost_claim=$submithost_job.$SLURM_ARRAY_TASK_MIN-$SLURM_ARRAY_TASK_MAX
    fi
    submithost_out=$(readlink "/proc/$$/fd/1") submithost_err=$(readlink "/proc/$$/fd/2")
}
submithost_environment() {
    # Where the job runs elsewhere, sbatch hands on where it was typed; a shell has mended that on the way.
    [ . -ef "$SLURM_SUBMIT_DIR" ] || PWD=$SLURM_SUBMIT_DIR
    # An --open-mode of our own would be that of the body's srun too.
    [ -n "${SBATCH_OPEN_MODE-}" ] || [ ! -f "$submithost_mine/open_mode" ] || unset SLURM_OPEN_MODE
}
submithost_peak() { # the job's own control group tells it; any other one, which has more in it than the job, does not
    while IFS=: read -r submithost_line submithost_line submithost_group; do
        case $submithost_group/ in */job_"$SLURM_JOB_ID"/*) ;; *) continue ;; esac
        submithost_group=${submithost_group%%/job_"$SLURM_JOB_ID"*}/job_$SLURM_JOB_ID
        case $submithost_line in
        '') cat "/sys/fs/cgroup$submithost_group/memory.peak" ;;
        memory) cat "/sys/fs/cgroup/memory$submithost_group/memory.max_usage_in_bytes" ;;
        esac
    done </proc/self/cgroup
}
submithost_alone=yes
