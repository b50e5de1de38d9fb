# shellcheck shell=sh
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# Send files. Variable: directory (paths are relative to it, or absolute). Data, and the sections it is answered with:
#   many LENGTH     LENGTH bytes, paths with a NUL at each end, and the same again: `sums`, as sha256sum prints them, then
#                   `bytes`, the files one after the other
#   piece OFFSET BYTES LENGTH   LENGTH bytes of path: `bytes`, so many of them (a log that grows meanwhile is sent as far
#                   as asked), then `sums`, their checksum
cd "$directory" || refuse "cannot enter $directory"
while read -r word one two three; do
    if [ "$word" = many ]; then
        section sums
        head -c "$one" | LC_ALL=C xargs -0 sha256sum -- 2>/dev/null
        section bytes
        head -c "$one" | xargs -0 cat -- 2>/dev/null
    else
        path=$(head -c "$three" && echo .) && path=${path%.}
        # The checksum is made at the same time, and waits in the pipe.
        sum_of "$path" "$two" "$one" | {
            section bytes
            piece "$path" "$two" "$one"
            section sums
            cat
        }
    fi
done
finish
