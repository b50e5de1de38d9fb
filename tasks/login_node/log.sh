# A log. Variables: path, lines (how many of the last ones; empty: all), end (the note of the job's end; empty: do not
# follow). A log that is not there yet is waited for when it is followed.
section log
[ -z "$lines" ] || from="-n $lines"
if [ -z "$end" ]; then
    [ -f "$path" ] || refuse "there is no $path"
    # ${from} is two words or none
    tail ${from:--n +1} -- "$path"
    finish
fi
tail ${from:--n +1} -F -- "$path" 2>/dev/null &
follower=$!
trap 'kill "$follower" 2>/dev/null' EXIT
trap 'exit 1' HUP INT TERM PIPE
passed=0
while [ ! -f "$end" ]; do
    sleep 1
    passed=$((passed + 1))
    # A sign of life, and a way to learn that nobody listens any more.
    [ $((passed % 20)) -ne 0 ] || section log
done
sleep 1 # what was written before the end is read by now
finish
