# shellcheck shell=sh
# shellcheck disable=SC2034 # used by what follows it in the program
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# A submission that lost its answer was found: keep what the scheduler would have said. Variables: root, key, receipt,
# details (TASKS, `-` for no array job, and the job's name).
enter "$key"
[ -d "$mine" ] || refuse "job directory $job is gone"
find_phase
if [ "$phase" != job ]; then
    when=
    if [ "$phase" = asked ] && read -r word asking when <"$sign"; then
        when=${when:-$(stat -c %Y "$sign")}
    fi
    new=$mine/receipt.$nonce # others may find it at the same time
    problem=$({
        printf '%s\n%s\n' "${when:-$(date +%s)} $details" "$receipt"
    } 2>&1 >"$new" && mv "$new" "$mine/receipt" 2>&1) || {
        rm -f "$new"
        refuse "$problem"
    }
fi
# A submit command that waits for the job's end has nobody left to tell. Numbers of processes are used again: it names
# the key.
if [ "$phase" = asked ] && [ "$(alive "$sign")" = yes ] && read -r pid <"$said/pid"; then
    grep -qsF "$key" "/proc/$pid/cmdline" && kill -9 "$pid" 2>/dev/null
fi
inspect
finish
