# Send files. Variable: directory. Data: `SIZE LENGTH`, LENGTH bytes of path (relative to the directory, or absolute);
# and so on. Each is answered by its SHA-256 and exactly SIZE bytes: a log that grows meanwhile is sent as far as asked.
cd "$directory" || refuse "cannot enter $directory"
section files
while read -r size length; do
    path=$(head -c "$length" && echo .) && path=${path%.}
    case $path in /*) ;; *) path=./$path ;; esac
    if hash=$(head -c "$size" "$path" 2>/dev/null | sha256sum) && [ "$(stat -c %s "$path")" -ge "$size" ]; then
        printf '%s\n' "${hash%% *}"
        head -c "$size" "$path"
    else
        echo gone
    fi
done
finish
