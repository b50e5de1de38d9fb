# shellcheck shell=sh
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# Read a log, once or for a while. Variables: path (empty: nothing to show yet), from (how many of its bytes are known),
# lines (send only so many of the last lines; empty: all), seconds (how long to go on; 0: once), until (a file; once it
# exists, stop, unless `regardless` is set; the last section tells whether it exists).
# Section `at` has the number of the byte with which the next section `log` begins. A log that does not exist yet is
# waited for; one that was truncated is read from the beginning.
size() { # `wc` asks for the size and does not read
    if [ -f "$path" ]; then wc -c <"$path"; else echo 0; fi
}

show() {
    end=$(($(size)))
    [ "$end" -ge "$from" ] || from=0
    section at
    printf '%s' "$from"
    section log # even if nothing is new: a sign of life, and the way to notice that nobody listens any more
    [ "$end" -eq "$from" ] || tail -c "+$((from + 1))" -- "$path" | head -c "$((end - from))"
    from=$end
}

trap 'exit 1' HUP INT TERM PIPE
[ "$seconds" -gt 0 ] || [ -z "$path" ] || [ -f "$path" ] || refuse "there is no $path"
[ ! -f "$path" ] || [ -r "$path" ] || refuse "cannot read $path"
if [ -n "$lines" ] && [ -f "$path" ]; then
    tries=5 # the log may grow between the two looks
    while [ "$tries" -gt 0 ]; do
        end=$(($(size)))
        from=$((end - $(tail -n "$lines" -- "$path" | wc -c)))
        [ "$(($(size)))" -ne "$end" ] || break
        tries=$((tries - 1))
    done
    [ "$from" -ge 0 ] || from=0
fi
show
passed=0
while [ "$passed" -lt "$seconds" ] && { [ -n "$regardless" ] || [ ! -f "$until" ]; }; do
    sleep 1
    passed=$((passed + 1))
    show
done
[ ! -f "$until" ] || section there
finish
