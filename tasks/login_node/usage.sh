# shellcheck shell=sh
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# What jobs have noted of what they used, and what their flags asked for, before a question to the scheduler.
# Data: one job directory a line.
set -f
IFS='
'
directories=$(cat)
section noted
for directory in $directories; do
    [ -d "$directory/.submithost/notes" ] && printf '%s\0' "$directory/.submithost/notes"
done | xargs -0 -r sh -c 'exec find "$@" -type f -name "[0-9]*" -exec grep -ahE "^(start|end|used) " {} +' sh
section asked
for directory in $directories; do
    [ -f "$directory/.submithost/about" ] || continue
    printf '%s ' "${directory##*/}"
    sed -n 's/.*"resources": \({[^{}]*}\).*/\1/p' "$directory/.submithost/about" | head -c 4096 | grep . || echo
done
unset IFS
set +f
