# Send files. Variables: directory (paths are relative to it, or absolute), summing (the program for checksums).
# Data, and what it is answered with in sections of that name:
#   many LENGTH     LENGTH bytes, paths with a NUL at each end, and the same again: `sums`, as `$summing` prints them, then
#                   `bytes`, the files one after the other
#   piece OFFSET BYTES LENGTH   LENGTH bytes of path: `bytes`, so many of them (a log that grows meanwhile is sent as far as
#                   asked), then `sums`, their checksum
cd "$directory" || refuse "cannot enter $directory"
piece() {
    tail -c "+$(($1 + 1))" "$path" 2>/dev/null | head -c "$2"
}
while read -r word one two three; do
    if [ "$word" = many ]; then
        section sums
        head -c "$one" | LC_ALL=C xargs -0 "$summing" -- 2>/dev/null
        section bytes
        head -c "$one" | xargs -0 cat -- 2>/dev/null
    else
        path=$(head -c "$three" && echo .) && path=${path%.}
        section bytes
        piece "$one" "$two"
        section sums
        piece "$one" "$two" | "$summing"
    fi
done
finish
