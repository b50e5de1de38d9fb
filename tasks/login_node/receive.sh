# shellcheck shell=sh
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# Files as they come in. Data: `WORD MODE MTIME SIZE LINES`, so many lines of name, SIZE bytes; and so on. WORD is
#   file       MTIME is `-` for now
#   directory
#   link       the bytes are where it leads
#   copy       the bytes are the path, on the login node, of what is to be copied
#   tar        an archive of all that goes below the directory NAME
#   big        whatever is in between is up to `big` of put.sh
#   sums       no name; checksums, as `sha256sum -c` reads them, of the files since the last ones
#   place      no name; what came since the last one goes into its place, by `place` of put.sh
#   done       no name; the end
# Each process costs a login node more than the bytes of a small file, so there is one for each where it can be.
newline='
'

receive() { # INTO: the directory for them
    while read -r word mode mtime size lines; do
        case $word in
        done) return 0 ;;
        place) place || return ;;
        sums) check "$1" || return ;;
        *)
            IFS= read -r name
            while [ "$lines" -gt 1 ] && IFS= read -r line; do
                name=$name$newline$line lines=$((lines - 1))
            done
            lay_down "$1/$name" || return
            ;;
        esac
    done
    cut
}

cut() {
    echo 'the connection was cut' >&2
    return 1
}

lay_down() { # PATH: what is to come of the file that was announced
    case $word:$name in
    big:*) ;; # it goes its own way
    */*) [ -d "${1%/*}" ] || mkdir -p "${1%/*}" || return ;;
    esac
    case $word in
    file)
        head -c "$size" >"$1" || return
        [ "$mode" = 600 ] || chmod "$mode" "$1" || return
        [ "$mtime" = - ] || touch -d "@$mtime" "$1"
        ;;
    directory) { [ -d "$1" ] || mkdir "$1"; } && chmod "$mode" "$1" ;;
    link) link=$(head -c "$size" && echo .) && ln -sfn -- "${link%.}" "$1" ;;
    copy) from=$(head -c "$size" && echo .) && copy "${from%.}" "$1" ;;
    tar) head -c "$size" | tar -xpof - -C "$1" ;;
    big) big ;;
    esac
}

copy() { # FROM TO
    if [ -d "$1" ] && [ ! -L "$1" ]; then
        { [ -d "$2" ] || mkdir "$2"; } && chmod --reference="$1" "$2"
    else
        cp -pP -- "$1" "$2"
    fi
}

check() { # INTO: after writing, since a full quota may cut a file without a word (L11)
    failed=$(cd "$1" && head -c "$size" | sha256sum -c --quiet 2>/dev/null) || {
        printf '%s\n' "$failed" | sed 's/: FAILED.*/ did not arrive whole: is the disk or the quota full?/' >&2
        return 1
    }
}
