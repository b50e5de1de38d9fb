# shellcheck shell=sh
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# Receive files. Data: for each a line `WORD MODE MTIME SIZE LINES`, its name on LINES lines, and SIZE bytes. WORD is
#   file       MTIME is `-` for now
#   directory
#   link       the bytes are its target
#   copy       the bytes are the path of the original, on the login node
#   tar        an archive to be unpacked into the directory NAME
#   big        see `big` of put.sh
#   sums       without a name: checksums of the files since the last ones, as `sha256sum -c` reads them
#   place      without a name: see `place` of put.sh
#   done       without a name: the end
# A process costs the login node more than the bytes of a small file, so most files take one.
newline='
'

receive() { # DIRECTORY
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
    broken_off
}

broken_off() {
    echo 'the connection was cut' >&2
    return 1
}

lay_down() { # PATH: take the file that was announced
    case $word:$name in
    big:*) ;; # makes its directories itself
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

check() { # DIRECTORY: after writing, since a full quota may truncate a file without an error (L11)
    failed=$(cd "$1" && head -c "$size" | sha256sum -c --quiet 2>/dev/null) || {
        printf '%s\n' "$failed" | sed 's/: FAILED.*/ did not arrive whole: is the disk or the quota full?/' >&2
        return 1
    }
}
