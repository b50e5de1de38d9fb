# Look at the job directories of jobs that have ended, or remove them.
# Variables: root (of all job directories), alive (the scheduler's command that prints the IDs of this user's jobs),
# remove (1: do it; empty: look). Data: a line `KEY JOB STAMP DIRECTORY` for each; STAMP is what a look said of its
# notes, since they are to be the same still (`-`: any).
# Section `found`: for each KEY, WORD (there, gone, removed, left), WHY or its size in KiB, STAMP; each with a NUL.
# Section `notes`: the notes of those that are there.
enter .
root=${job%/.}
section now
date +%s
section alive
ids=$(eval "$alive" </dev/null)
status=$?
[ -z "$ids" ] || printf '%s\n' "$ids"
section "=$status"
[ "$status" -eq 0 ] || finish
[ -d "$root" ] || refuse "there is no $root: is its file system there?"

# Directories whose jobs have succeeded or not, which jobs that are still to start will ask (as `submit --after`).
asked_for=$(
    for after in "$root"/*/.submithost/after; do
        [ -f "$after" ] && [ ! -f "$after.met" ] && [ -n "$ids" ] || continue
        # A word too much that looks like an ID keeps a directory, no more.
        printf '%s\n' "$ids" | grep -q -w -F -f - "${after%after}receipt" 2>/dev/null && cat "$after"
    done
)

one_of() { printf '%s\n' "$2" | grep -q -x -F -e "$1"; }

stamp_of_notes() {
    find "$mine/notes" -type f -printf '%P %s %T@\n' | sort | cksum | tr ' ' -
}

objection() { # why the job directory of job $1 is to stay; empty: it may go
    if [ "$job" != "$directory" ]; then
        echo "is not in $root"
    elif one_of "$1" "$ids"; then
        echo "the scheduler still has job $1"
    elif one_of "$job" "$asked_for"; then
        echo 'a job that is still to start asks whether this one succeeded'
    else
        for each in "$job" "$mine" "$mine/about" "$mine/notes"; do
            if [ -L "$each" ] || [ ! -O "$each" ]; then
                echo "$each is a link, or not there, or somebody else's"
                return
            fi
        done
        grep -q -F -e "{\"key\": \"$key\"," "$mine/about" || echo "$mine/about is of another submission"
    fi
}

away() { # what tells whose it is goes last: removing may be interrupted
    find "$job" -mindepth 1 -maxdepth 1 ! -name .submithost -exec rm -rf {} + && rm -rf "$job"
}

answer() { printf '%s\0' "$key" "$@"; }

clean() { # JOB STAMP
    if [ "$job" = "$directory" ] && [ ! -e "$job" ] && [ ! -L "$job" ]; then
        answer gone '' -
        return
    fi
    why=$(objection "$1")
    stamp=$(stamp_of_notes 2>/dev/null)
    [ -n "$why" ] || [ "$2" = - ] || [ "$2" = "$stamp" ] || why='its job has gone on since it was looked at'
    if [ -n "$why" ]; then
        answer left "$why" -
    elif [ -z "$remove" ]; then
        size=$(du -sk "$job" 2>/dev/null)
        answer there "${size%%[!0-9]*}" "$stamp"
        looked_at=$looked_at$mine/notes$newline
    elif why=$(away 2>&1); then
        answer removed '' -
    else
        answer left "$(printf '%s\n' "$why" | head -n 1)" -
    fi
}

newline='
'
looked_at=
section found
while read -r key id stamp directory; do
    case $key in
    '' | .* | -* | */*) ;;
    *)
        enter "$key"
        clean "$id" "$stamp"
        ;;
    esac
done
section notes
printf '%s' "$looked_at" | tr '\n' '\0' | xargs -0 -r sh -c 'exec find "$@" -type f -name "[0-9]*" -exec cat {} +' find
finish
