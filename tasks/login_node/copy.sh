# Lay inputs of an earlier submission beside a new one. Variables: root, key (of the new one), from (the earlier job
# directory). Data: `LENGTH`, LENGTH bytes of path; and so on.
enter "$key"
problem=$(mkdir -p -m 700 "$job" 2>&1) || refuse "$problem"
guard
cd "$from" || refuse "cannot enter $from"
while read -r length; do
    path=$(head -c "$length" && echo .) && path=${path%.}
    if [ -d "./$path" ] && [ ! -L "./$path" ]; then
        problem=$({ mkdir -p "$job/$path" && chmod "$(stat -c %a "./$path")" "$job/$path"; } 2>&1) || refuse "$problem"
        continue
    fi
    problem=$({ case $path in */*) mkdir -p "$job/${path%/*}" ;; esac && cp -pP "./$path" "$job/$path"; } 2>&1) ||
        refuse "$problem"
done
finish
