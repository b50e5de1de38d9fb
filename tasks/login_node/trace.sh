# shellcheck shell=sh
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# Before a question about single jobs: the scheduler's list.
# Variable: queue (the question about all jobs of this user).
ask queue "$queue"
