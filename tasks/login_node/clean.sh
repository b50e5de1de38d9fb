# shellcheck shell=sh
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# Look at the job directories of jobs that have ended, or remove them.
# Variables: root (of all job directories), alive (the scheduler's command that prints the IDs of this user's jobs),
# remove (1: remove; empty: look). Data: a line `KEY JOB STAMP DIRECTORY` for each. STAMP is that of an earlier look: the
# notes must not have changed since (`-`: they may).
# Section `found`: for each KEY, WORD (there, gone, removed, left), WHY or its size in KiB, STAMP; each with a NUL.
# Section `notes`: the notes of those that are there.
# There may be tens of thousands: a few processes look at a thousand at a time.
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
newline='
'

receipts() { # of the jobs that have yet to check whether others have succeeded
    for after in "$root"/*/.submithost/after; do
        [ ! -f "$after" ] || [ -f "$after.met" ] || printf '%s\0' "${after%after}receipt"
    done
}

# The directories of jobs whose success a job that has not started yet will check (`submit --after`).
asked_for=$(
    [ -n "$ids" ] || exit
    {
        printf '%s\n\n' "$ids"
        receipts | xargs -0 -r grep -a -s -H -Z -D skip '' | tr '\0\001' '\001 '
    } | awk '
        $0 == "" { listed = 1; next }
        !listed { alive[$0]; next }
        { # A stray word that looks like an ID only keeps a directory.
            at = index($0, "\001")
            for (n = split(substr($0, at + 1), words, /[^A-Za-z0-9_]+/); n; n--)
                if (words[n] in alive) { print substr($0, 1, at - 8) "after"; next }
        }' | tr '\n' '\0' | xargs -0 -r cat
)

paths() { # these parts of each job directory of the batch, each ending with a NUL
    for line in $batch; do
        for part; do printf '%s\0' "$root/${line%% *}$part"; done
    done
}

facts() { # about the job directories of the batch, one a line
    paths '' /.submithost /.submithost/about /.submithost/notes |
        xargs -0 sh -c 'exec find "$@" -maxdepth 0 -printf "is %y %U %p\n"' find
    paths /.submithost/notes | xargs -0 sh -c 'exec find "$@" -type f -printf "note %s %T@ %p\n"' find
    paths /.submithost/about | xargs -0 grep -a -s -H -D skip -o -m 1 '^{"key": "[^"]*",' | sed 's/^/about /'
    [ -n "$remove" ] || paths '' | xargs -0 du -sk | sed 's/^/size /;s/	/ /'
} 2>/dev/null

judge() { # A line for each job of the batch: KEY, WORD (there, gone, left), STAMP, and WHY it is left or its size
    {
        printf '%s\n' "$ids" | sed 's/^/alive /'
        printf '%s\n' "$asked_for" | sed 's/^/asked /'
        printf '%s' "$batch" | sed 's/^/wanted /'
        facts
    } | root=$root LC_ALL=C awk -v me="$(id -u)" '
        function after(words,    at) { # the rest of the line after so many words
            for (at = 1; words; words--) at += index(substr($0, at), " ")
            return substr($0, at)
        }
        function below(path) { return substr(path, length(root) + 2) }
        function key_of(path) { path = below(path); sub("/.*", "", path); return path }
        BEGIN { root = ENVIRON["root"] }
        $1 == "alive" { alive[$2] }
        $1 == "asked" { asked[after(1)] }
        $1 == "wanted" { keys[++many] = $2; id[many] = $3; seen[many] = $4; place[many] = after(4) }
        $1 == "is" { there[below(after(3))]; if ($2 != "l" && $3 == me) ours[below(after(3))] }
        $1 == "note" {
            key = key_of(after(3))
            notes[key]++
            bytes[key] += $2
            if ($3 "" > latest[key] "") latest[key] = $3
        }
        $1 == "about" {
            key = key_of(after(1))
            about[key] = substr(after(1), length(root "/" key "/.submithost/about:") + 1)
        }
        $1 == "size" { size[below(after(2))] = $2 }
        function objection(n,    key, parts, part) { # why a job directory has to stay; empty: it may go
            key = keys[n]
            if (place[n] != root "/" key) return "is not in " root
            if (id[n] in alive) return "the scheduler still has job " id[n]
            if (place[n] in asked) return "a job that is still to start asks whether this one succeeded"
            split(",/.submithost,/.submithost/about,/.submithost/notes", parts, ",")
            for (part = 1; part <= 4; part++)
                if (!(key parts[part] in ours))
                    return place[n] parts[part] " is a link, or not there, or somebody else'"'"'s"
            if (about[key] != "{\"key\": \"" key "\",") return place[n] "/.submithost/about is of another submission"
        }
        END {
            for (n = 1; n <= many; n++) {
                key = keys[n]
                stamp = sprintf("%d-%.0f-%s", notes[key], bytes[key], latest[key])
                why = objection(n)
                if (why == "" && seen[n] != "-" && seen[n] != stamp)
                    why = "its job has gone on since it was looked at"
                if (place[n] == root "/" key && !(key in there)) print key, "gone", "-", ""
                else if (why != "") print key, "left", "-", why
                else print key, "there", stamp, size[key]
            }
        }'
}

leaving() { for key in $going; do printf '%s\0' "$root/$key"; done; }

away() { # Remove what tells whose directory it is last, and only if all else is gone: removal may be interrupted.
    leaving | xargs -0 -r sh -c 'exec find "$@" -mindepth 1 -maxdepth 1 ! -name .submithost -exec rm -rf {} +' find
    stay=$(leaving | xargs -0 -r sh -c 'exec find "$@" -mindepth 1 -maxdepth 1 ! -name .submithost -printf "%H\n"' find)
    for key in $going; do
        case $newline$stay$newline in
        *"$newline$root/$key$newline"*) ;;
        *) printf '%s\0' "$root/$key" ;;
        esac
    done | xargs -0 -r rm -rf
} 2>&1

answer() { # KEY WORD STAMP WHY
    printf '%s\0' "$1" "$2" "$4" "$3"
}

clean() { # the batch
    verdicts=$(judge)
    going=
    for line in $verdicts; do
        rest=${line#* }
        if [ "${rest%% *}" = there ]; then going=$going${line%% *}$newline; fi
    done
    [ -z "$remove" ] || problems=$(away)
    for line in $verdicts; do
        key=${line%% *} rest=${line#* }
        word=${rest%% *} rest=${rest#* }
        if [ "$word" = there ] && [ -n "$remove" ]; then
            word=removed rest='- '
            [ ! -e "$root/$key" ] || {
                why=$(printf '%s\n' "$problems" | grep -F -m 1 -e "$root/$key/")
                word=left rest="- ${why:-cannot be removed}"
            }
        fi
        answer "$key" "$word" "${rest%% *}" "${rest#* }"
    done
    [ -n "$remove" ] || looked_at=$looked_at$going
}

looked_at='' batch='' many=0
wanted=$(cat)
section found
set -f
IFS=$newline
for line in $wanted; do
    case ${line%% *} in
    '' | .* | -* | */*) continue ;;
    esac
    batch=$batch$line$newline many=$((many + 1))
    if [ "$many" -eq 1000 ]; then
        clean
        batch='' many=0
    fi
done
[ -z "$batch" ] || clean
section notes
for key in $looked_at; do printf '%s\0' "$root/$key/.submithost/notes"; done |
    xargs -0 -r sh -c 'exec find "$@" -type f -name "[0-9]*" -exec cat {} +' find |
    grep -a -e '^start ' -e '^end '
finish
