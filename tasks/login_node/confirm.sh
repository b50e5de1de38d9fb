# shellcheck shell=sh
# shellcheck disable=SC2034 # used by what follows it in the program
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# The job of a lost answer was found: write the receipt that is missing. Variables: root, key, receipt,
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
# A submit command that waits for the job's end has nobody left to tell. Process numbers are reused, so make sure that
# its command line names the key.
if [ "$phase" = asked ] && [ "$(alive "$sign")" = yes ] && read -r pid <"$said/pid"; then
    grep -qsF "$key" "/proc/$pid/cmdline" && kill -9 "$pid" 2>/dev/null
fi
inspect
finish
