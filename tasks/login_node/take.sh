# shellcheck shell=sh
# Files as they come in, with one process each: a submission has few, and each process costs a login node more than its
# bytes.
take() { # INTO: `file MODE MTIME SIZE LINES`, so many lines of name, SIZE bytes; ...; `sums SIZE`, checksums as sha256sum -c
    # reads them. MTIME is `-` for now. The bytes of a `link` are where it leads, those of a `copy` the path on the login node of what
    # is to be copied; a `directory` has none.
    while read -r word mode mtime size lines; do
        [ "$word" != sums ] && [ -n "$word" ] || break
        IFS= read -r name
        while [ "$lines" -gt 1 ] && IFS= read -r line; do
            name=$name$newline$line lines=$((lines - 1))
        done
        case $name in */*) [ -d "$1/${name%/*}" ] || mkdir -p "$1/${name%/*}" || return ;; esac
        case $word in
        file)
            head -c "$size" >"$1/$name" || return
            [ "$mode" = 600 ] || chmod "$mode" "$1/$name" || return
            [ "$mtime" = - ] || touch -d "@$mtime" "$1/$name" || return
            ;;
        directory) { [ -d "$1/$name" ] || mkdir "$1/$name"; } && chmod "$mode" "$1/$name" || return ;;
        link) link=$(head -c "$size" && echo .) && ln -sfn -- "${link%.}" "$1/$name" || return ;;
        copy) from=$(head -c "$size" && echo .) && copy "${from%.}" "$1/$name" || return ;;
        esac
    done
    [ "$word" = sums ] || { echo 'the connection was cut' >&2 && return 1; }
    # L11: a full quota makes files short without an error at the right moment, so look at what has arrived.
    (cd "$1" && head -c "$mode" | sha256sum -c --quiet) 2>/dev/null >sums || {
        sed 's/: FAILED.*/ did not arrive whole: is the disk or the quota full?/' sums >&2
        return 1
    }
}
copy() { # FROM TO
    if [ -d "$1" ] && [ ! -L "$1" ]; then
        { [ -d "$2" ] || mkdir "$2"; } && chmod --reference="$1" "$2"
    else
        cp -pP -- "$1" "$2"
    fi
}
newline='
'
