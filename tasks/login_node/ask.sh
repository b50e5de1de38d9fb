# shellcheck shell=sh
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# Ask the scheduler something. Variable: command.
section now
date +%s
# A slow question (gigabytes of accounting) gives signs of life, and ends with its channel, or after 20 minutes.
(
    trap '' PIPE
    passed=0
    while [ "$passed" -lt 1200 ] && sleep 5 >/dev/null 2>&1 && kill -0 $$ && echo >&2; do
        passed=$((passed + 5))
    done
    kill -s TERM 0
) </dev/null &
alive=$!
ask answer "$command"
kill "$alive"
finish
