# shellcheck shell=sh
# shellcheck disable=SC2016 # for another shell, which is to expand it
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# Look at job directories and ask the scheduler, once or for a while.
# Variables: queue (the scheduler's question about all jobs of this user; empty: do not ask), seconds (how long to go on
# looking; 0: once), first (seconds until the first question to the scheduler), every (seconds between two), logs (1: send
# the paths of logs, too, which are most of the text of notes). Data: one job directory a line.
set -f
IFS='
'
directories=$(cat)

# grep reads many small files four times as fast as cat, which allocates memory for each.
lines='^(start|end) '
[ -z "$logs" ] || lines=

noted() { # the start and end notes in these directories; with an argument, those newer than that file
    # A note is moved into its directory, which is then as new: most directories of a large array need no second look.
    for directory in $directories; do
        [ -d "$directory/.submithost/notes" ] && printf '%s\0' "$directory/.submithost/notes"
    done | xargs -0 -r sh -c '
        newer=$0
        exec find "$@" -mindepth 1 -type d ${newer:+-newer "$newer"} -print0' "$1" | xargs -0 -r sh -c '
        newer=$0 lines=$1
        shift
        exec find "$@" -maxdepth 1 -type f ${newer:+-newer "$newer"} -name "[0-9]*" -exec grep -ahE "$lines" {} +
        ' "$1" "$lines"
}

watched=
for directory in $directories; do
    [ -d "$directory/.submithost" ] && watched=$directory/.submithost/.watch.$$ && break
done
trap 'rm -f "$watched" "$watched.new"' EXIT
trap 'exit 1' HUP INT TERM PIPE

mark() { # FILE: note the time by the file system's clock, two seconds early, since writing a note takes a moment
    [ -n "$watched" ] && true >"$1" && touch -d "@$(($(stat -c %Y "$1") - 2))" "$1"
} 2>/dev/null

ask_queue() {
    section now
    date +%s
    [ -z "$queue" ] || ask queue "$queue"
}

mark "$watched"
section missing
for directory in $directories; do
    [ -d "$directory/.submithost" ] || printf '%s\n' "$directory"
done
[ "$first" -gt 0 ] || ask_queue
# After the queue: a job that left it meanwhile has noted its end by now.
section notes
noted ''
section looked

passed=0
while [ "$passed" -lt "$seconds" ]; do
    sleep 1
    passed=$((passed + 1))
    if [ "$passed" -ge "$first" ]; then
        ask_queue
        first=$((passed + every))
    fi
    if [ -f "$watched" ] && mark "$watched.new"; then
        new=$(noted "$watched")
        mv "$watched.new" "$watched"
    else # no space for a mark: read all notes
        new=$(noted '')
    fi
    if [ -n "$new" ]; then
        section notes
        printf '%s\n' "$new"
    fi
    section looked
done
finish
