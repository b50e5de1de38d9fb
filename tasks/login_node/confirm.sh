# A submission that lost its answer was found: keep what the scheduler would have said. Variables: root, key, receipt,
# details (TASKS, `-` for no array job, and the job's name).
enter "$key"
if [ ! -f "$mine/receipt" ]; then
    problem=$({
        when=$(stat -c %Y "$attempt/asked" 2>/dev/null || date +%s)
        printf '%s\n%s\n' "$when $details" "$receipt"
    } 2>&1 >"$mine/receipt.new" && true >"$mine/receipt.err" && mv "$mine/receipt.new" "$mine/receipt" 2>&1) || refuse "$problem"
fi
# A submit command that waits for the job's end has nobody left to tell. Numbers of processes are used again: it names
# the key.
if [ "$(alive "$attempt/asked")" = yes ] && read -r pid <"$attempt/pid"; then
    grep -qsF "$key" "/proc/$pid/cmdline" && kill -9 "$pid" 2>/dev/null
fi
inspect
finish
