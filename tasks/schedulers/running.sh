# shellcheck shell=sh
# shellcheck disable=SC2034 # used by what follows it in the program
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# What run.sh asks of a scheduler, as it is where that has nothing of its own: jobs without tasks, logs that are open, and
# scripts of which the first line counts. Variable: submithost_job, the job's ID.
submithost_identify() {
    submithost_claim=$submithost_job submithost_task=0
    submithost_out=$(readlink "/proc/$$/fd/1") submithost_err=$(readlink "/proc/$$/fd/2")
}
submithost_shell() { submithost_mode=obey submithost_shell=; }
submithost_as_login() { return 1; }
submithost_environment() { :; }
submithost_peak() { :; } # the most bytes of memory that the job has had, if that can be told without a program
