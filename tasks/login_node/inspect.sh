# shellcheck shell=sh
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# How far a submission has come. Variables: root, key, and when a submit follows, submitter (the scheduler's command).
enter "$key"
[ ! -e "$job" ] || guard distrust
[ -z "${submitter-}" ] || has "$submitter" >/dev/null || distrust "$(missing "$submitter" 2>&1)"
inspect
finish
