# Checksums. Variables: directory (paths are relative to it, or absolute), summing (the program). Data: `SIZE LENGTH`,
# LENGTH bytes of path; and so on. Each is answered by a line: the checksum of its first SIZE bytes.
cd "$directory" || refuse "cannot enter $directory"
section sums
while read -r size length; do
    path=$(head -c "$length" && echo .) && path=${path%.}
    case $path in /*) ;; *) path=./$path ;; esac
    sum=$(head -c "$size" "$path" 2>/dev/null | "$summing")
    printf '%s\n' "${sum%% *}"
done
finish
