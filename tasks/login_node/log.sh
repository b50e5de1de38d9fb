# shellcheck shell=sh
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# A log from one byte on, once or for a while. Variables: path (empty: nothing to show yet), from (how many bytes of it
# are known already), lines (how many of the last ones instead; empty: all), seconds (how long to go on; 0: once), until
# (a file that ends that as soon as it is there, unless `regardless` is set; the last section tells whether it is there).
# A section `at` has the number of the byte with which the section `log` after it begins. A log that is not there yet is
# waited for, and one that was cut short begins again.
size() { # `wc` asks for the size and does not read
    if [ -f "$path" ]; then wc -c <"$path"; else echo 0; fi
}

show() {
    end=$(($(size)))
    [ "$end" -ge "$from" ] || from=0
    section at
    printf '%s' "$from"
    section log # even without anything new: a sign of life, and a way to learn that nobody listens any more
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
