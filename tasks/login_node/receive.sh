# Files as they come in. The caller sets `into` (the directory), `incoming` (a temporary file on the same file system),
# and `beat` (a file to touch as a sign of life; may be empty).
receive() { # `file MODE MTIME SIZE SHA256 LENGTH` (MTIME `-`: now), LENGTH bytes of name, SIZE bytes; ..., `done`
    while read -r word mode mtime size hash length; do
        [ "$word" = file ] || break
        name=$(head -c "$length" && echo .) && name=${name%.}
        case $name in */*) mkdir -p "$into/${name%/*}" || return ;; esac
        head -c "$size" >"$incoming" || return
        # L11: a full quota makes files short without an error at the right moment, so look at what has arrived.
        if [ "$(sha256sum <"$incoming")" != "$hash  -" ]; then
            echo "$name did not arrive whole ($(stat -c %s "$incoming") of $size bytes)" >&2
            return 1
        fi
        [ "$mtime" = - ] || touch -d "@$mtime" "$incoming" || return
        chmod "$mode" "$incoming" && mv -f "$incoming" "$into/$name" || return
        [ -z "$beat" ] || touch -c "$beat"
    done
    [ "$word" = done ] || { echo 'the connection was cut' >&2 && return 1; }
}
