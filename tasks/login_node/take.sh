# Files as they come in, with one process each: a submission has few, and each process costs a login node more than its bytes.
# The caller sets `into` (the directory) and `beat` (a file that gets a line for each, as a sign of life).
take() { # `file MODE MTIME SIZE LINES`, so many lines of name, SIZE bytes; ...; `sums SIZE`, checksums as sha256sum -c reads
    # them. MTIME is `-` for now. The bytes of a `link` are where it leads; a `directory` has none.
    while read -r word mode mtime size lines; do
        [ "$word" != sums ] && [ -n "$word" ] || break
        IFS= read -r name
        while [ "$lines" -gt 1 ] && IFS= read -r line; do
            name=$name$newline$line lines=$((lines - 1))
        done
        case $name in */*) [ -d "$into/${name%/*}" ] || mkdir -p "$into/${name%/*}" || return ;; esac
        case $word in
        file)
            head -c "$size" >"$into/$name" || return
            [ "$mode" = 600 ] || chmod "$mode" "$into/$name" || return
            [ "$mtime" = - ] || touch -d "@$mtime" "$into/$name" || return
            ;;
        directory) { [ -d "$into/$name" ] || mkdir "$into/$name"; } && chmod "$mode" "$into/$name" || return ;;
        link) link=$(head -c "$size" && echo .) && ln -sfn -- "${link%.}" "$into/$name" || return ;;
        esac
        echo >>"$beat"
    done
    [ "$word" = sums ] || { echo 'the connection was cut' >&2 && return 1; }
    # L11: a full quota makes files short without an error at the right moment, so look at what has arrived.
    (cd "$into" && head -c "$mode" | sha256sum -c --quiet) 2>/dev/null >"${beat%/*}/sums" || {
        sed 's/: FAILED.*/ did not arrive whole: is the disk or the quota full?/' "${beat%/*}/sums" >&2
        return 1
    }
}
newline='
'
