# shellcheck shell=sh
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# Checksums. Variable: directory (paths are relative to it, or absolute). Data, for each file: a line `SIZE LENGTH`, and
# LENGTH bytes of path. The answer has a line for each: the SHA-256 of its first SIZE bytes.
cd "$directory" || refuse "cannot enter $directory"
section sums
while read -r size length; do
    path=$(head -c "$length" && echo .) && path=${path%.}
    case $path in /*) ;; *) path=./$path ;; esac
    sum_of "$path" "$size" 0
done
finish
