# shellcheck shell=sh
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# The last lines of what failed tasks wrote on stderr. Variables: notes (the notes of their starts, one path a line),
# lines and bytes (so much of each at most).
# Of each a section `last N`, with the path in its first line; N counts the notes from 0.
number=0
while IFS= read -r note <&3; do
    path=$(sed -n 's/^err //p' "$note" 2>/dev/null)
    if [ -n "$path" ] && [ -f "$path" ] && [ -r "$path" ]; then
        section "last $number"
        printf '%s\n' "$path"
        tail -n "$lines" -- "$path" | tail -c "$bytes"
    fi
    number=$((number + 1))
done 3<<END
$notes
END
