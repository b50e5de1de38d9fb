# shellcheck shell=sh
# shellcheck disable=SC2064 # it names the signal of this turn
# shellcheck disable=SC2086 # a command with its options, to be split
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# shellcheck disable=SC3028 # it is empty where the shell does not set it
# shellcheck disable=SC3045 # ulimit -c: dash and bash have it
# Run the body as the process that the scheduler would have started, and end as it ended.
submithost_environment
if [ -n "$submithost_row" ]; then
    submithost_enter_row
    eval "set -- /usr/bin/env SUBMITHOST_ROW=$submithost_row $submithost_values \"\$@\"" # as `rows` quotes them
fi
eval "$(submithost_given)" # before the body's command comes what hands these on
exec 8<&0 9>&2 2>/dev/null # what this shell says of a killed child is not for the user's stderr

# The asynchronous child of a shell ignores INT and QUIT. bash can undo that, by `trap -`; for others env(1) does. But
# bash counts itself as one more level of shells.
submithost_env=$(command -v env) submithost_reset=
if [ -z "${BASH_VERSION-}" ]; then
    ! env --default-signal true || submithost_reset="$submithost_env --default-signal=INT,QUIT"
elif [ "${SHLVL:-1}" -gt 1 ]; then
    set -- "$submithost_env" "SHLVL=$((SHLVL - 1))" "$@"
else
    set -- "$submithost_env" -u SHLVL "$@"
fi
# The leader of its process group, as by hand, where not the group gets the signals; of a session too, since no program
# makes groups alone.
submithost_setsid=
[ "${submithost_alone-}" != yes ] || submithost_setsid=$(command -v setsid)

# Signals are noted, and do nothing: untrapped this shell would die and note nothing, ignored the body would inherit that.
# By number, which every shell knows: all that end or stop a process, but for KILL, STOP, and those of a fault.
submithost_signal=0
while [ "$submithost_signal" -lt 64 ]; do
    submithost_signal=$((submithost_signal + 1))
    case $submithost_signal in 4 | 5 | 7 | 8 | 9 | 11 | 17 | 18 | 19 | 28 | 32 | 33) continue ;; esac
    trap "submithost_got=\"\$submithost_got $submithost_signal\"" "$submithost_signal"
done
# 128 + N is what `exit` said, or that signal N killed the body: `jobs` knows. In a file, since a subshell has no jobs; and
# bash forgets with `wait`, so there the end of a child has it asked at once.
submithost_how=$submithost_notes/.$submithost_task.how.$$ submithost_body=
submithost_times=$submithost_notes/.$submithost_task.times.$$ # this shell's children, and theirs; a subshell has others
{ times; } >"$submithost_times"
[ -z "${BASH_VERSION-}" ] ||
    trap '[ -e "$submithost_how" ] || kill -0 "${submithost_body:=$!}" || jobs -l >"$submithost_how"' CHLD
(
    trap - INT QUIT
    if [ "$submithost_path" = unset ]; then unset PATH; else PATH=$submithost_path; fi
    exec $submithost_setsid $submithost_reset "$@" <&8 2>&9 8<&- 9>&-
) &
submithost_body=$!
exec 8<&- 9>&-
LC_ALL=C # for the words of `jobs`

# Some signals come to this process alone, some to its group, some to all processes of the step. The body is to have each
# once, as if it were this process, so two children that do nothing tell by their fate which it was: one of this group,
# and one that only a signal to the whole step reaches.
submithost_canary() {
    (
        trap - INT QUIT
        exec "$@" $submithost_reset sleep 99999999
    ) </dev/null >/dev/null &
}
submithost_canaries() {
    submithost_canary && submithost_near=$! submithost_far=$!
    [ -z "$submithost_setsid" ] || submithost_canary "$submithost_setsid" && submithost_far=$!
}
submithost_untouched() { # whether this one is neither dead nor stopped
    read -r submithost_line <"/proc/$1/stat" || return
    case ${submithost_line##*) } in [SRD]*) ;; *) return 1 ;; esac
}
submithost_pass_on() {
    sleep 0.2 || sleep 1 # until all have it
    submithost_to=$submithost_body
    submithost_untouched "$submithost_near" || submithost_to=-$submithost_body
    submithost_untouched "$submithost_far" || submithost_to=
    for submithost_signal in ${submithost_to:+$submithost_got}; do
        kill "-$submithost_signal" "$submithost_to"
    done
    case $submithost_to in "$submithost_body") return ;; esac
    kill -9 "$submithost_near" "$submithost_far"
    submithost_canaries
}
[ "${submithost_alone-}" != yes ] || submithost_canaries

submithost_cpu() { # the CPU time of children, user's and system's, before the body and after it, out of `times` twice
    while read -r submithost_line && read -r submithost_line; do printf '%s ' "$submithost_line"; done
}

# A signal ends the waiting, not the body; a body that has ended and was waited for is no process any more.
while :; do
    submithost_got=
    wait "$submithost_body"
    submithost_status=$?
    kill -0 "$submithost_body" || break
    [ "${submithost_alone-}" != yes ] || [ -z "$submithost_got" ] || submithost_pass_on
done
if [ -n "${BASH_VERSION-}" ]; then # its status may have been that of a signal
    trap - CHLD
    wait "$submithost_body"
    submithost_status=$?
fi
submithost_killed=no
if [ "$submithost_status" -gt 128 ]; then
    [ -e "$submithost_how" ] || jobs -l >"$submithost_how"
    while IFS= read -r submithost_line; do
        case $submithost_line in
        *" $submithost_body Done"* | *" $submithost_body Exit "*) ;;
        *" $submithost_body "*) submithost_killed=yes ;;
        esac
    done <"$submithost_how"
fi
rm -f "$submithost_how"
[ "${submithost_alone-}" != yes ] || kill -9 "$submithost_near" "$submithost_far"

{ times; } >>"$submithost_times"
submithost_used=$(submithost_cpu <"$submithost_times")
rm -f "$submithost_times"
submithost_note_end "$submithost_status" '' "used $submithost_used $(submithost_peak)"
if [ "$submithost_killed" = yes ]; then # so that the scheduler says so too
    ulimit -c 0 # the core is the body's
    trap - "$((submithost_status - 128))"
    kill "-$((submithost_status - 128))" $$
fi
exit "$submithost_status"
