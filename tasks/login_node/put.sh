# Take files in. Variable: path (the directory for them, absolute). Data, lines:
#   tar BYTES                    a tar archive; its members are laid aside
#   file MODE MTIME SIZE LENGTH  LENGTH bytes of name, SIZE bytes: laid aside, where there is no tar
#   directory MODE LENGTH        LENGTH bytes of name: the same
#   link LENGTH TARGET           LENGTH bytes of name, TARGET bytes of where it leads: the same
#   place BYTES                  checksums as `sha256sum -c` reads them, and a line `sure`: what was laid aside is verified
#                                and put in place
#   big MODE MTIME SIZE OFFSET KEY LENGTH PART   LENGTH bytes of name, PART bytes of the name of an earlier part (0: none)
#                                of which OFFSET bytes are good, the bytes after those, and a line: the checksum of all
#   done
# A file comes whole or not at all into its place. What has come of a big one is kept when the connection is cut.

take() { # the next $1 bytes of data, which may end in newlines
    taken=$(head -c "$1" && echo .) && taken=${taken%.}
}

cut() {
    echo 'the connection was cut' >&2
    return 1
}

lay_aside() { # $word and its operands
    case $word in
    tar) head -c "$1" | tar -xpof - -C "$aside" ;;
    directory)
        take "$2"
        mkdir -p "$aside/$taken" && chmod "$1" "$aside/$taken"
        ;;
    link)
        take "$1"
        name=$taken
        take "$2"
        case $name in */*) mkdir -p "$aside/${name%/*}" ;; esac && ln -s -- "$taken" "$aside/$name"
        ;;
    file)
        take "$4"
        case $taken in */*) mkdir -p "$aside/${taken%/*}" ;; esac &&
            head -c "$3" >"$aside/$taken" && touch -d "@$2" "$aside/$taken" && chmod "$1" "$aside/$taken"
        ;;
    esac
}

place() { # Directories that are not there yet go with all that is in them, so there are few processes for many files.
    take "$1"
    read -r word && [ "$word" = sure ] || cut || return
    cd "$aside" || return
    if [ "$1" -gt 0 ]; then
        said=$(printf %s "$taken" | LC_ALL=C sha256sum -c --quiet 2>&1) || {
            echo "did not arrive whole: $said" >&2
            return 1
        }
    fi
    into=$path find . -type d -exec /bin/sh -c '
        for directory do
            [ -d "$directory" ] || continue # gone with the one above it
            there=$into/${directory#./}
            if [ "$directory" = . ]; then there=$into; fi
            if [ -d "$there" ]; then
                find "$directory" -maxdepth 1 ! -type d -print0 | xargs -0 -r mv -f -t "$there" -- || exit
            else
                mv -T -- "$directory" "$there" || exit
            fi
        done' sh {} + && cd "$path" && rm -rf "$aside" && mkdir "$aside"
}

writes() { # whether a part has a writer: one on this host that lives, on another host one that was at work lately
    writer=${1##*.} host=${1#*-part-*.} host=${host%.*}
    if [ "$host" = "$(uname -n)" ]; then kill -0 "$writer" 2>/dev/null; else [ "$(find "$1" -mmin -2)" ]; fi
}

writes_on() { # whether it still does so after a while; one that has all $2 bytes is summing them, and then is done
    waited=0
    while [ "$waited" -lt 3 ] || has "$1" "$2"; do
        [ -e "$1" ] && writes "$1" || return
        waited=$((waited + 1))
        sleep 1
    done
    [ -e "$1" ]
}

big() { # MODE MTIME SIZE OFFSET KEY LENGTH PART
    mode=$1 mtime=$2 size=$3 offset=$4 key=$5 length=$6 old=$7
    take "$length"
    name=$path/$taken
    take "$old"
    old=${taken:+${name%/*}/$taken}
    mkdir -p "${name%/*}" || return
    part=${name%/*}/.submithost-part-$key.$(uname -n).$$
    # Names that can be foreseen: where others write, none of theirs is written to, and nothing through their links.
    rm -f "$part" && (set -C && : >"$part") || return
    if [ -z "$old" ]; then
        :
    elif [ -e "$old" ] && { [ ! -O "$old" ] || [ -L "$old" ]; }; then
        echo "$old belongs to somebody else" >&2
        return 1
    elif writes_on "$old" "$size"; then
        head -c "$offset" "$old" >"$part"
    elif [ -e "$old" ]; then
        mv -f "$old" "$part" && truncate -s "$offset" "$part"
    else # its writer has put it into its place meanwhile
        head -c "$offset" "$name" >"$part"
    fi || return
    if ! problem=$(dd bs=256k iflag=fullblock,count_bytes count="$((size - offset))" status=none 2>&1 >>"$part"); then
        rm -f "$part" # a full disk is to be as full as before
        echo "$problem" >&2
        return 1
    fi
    read -r sum || cut || return
    # After writing, since a full quota may cut a file without a word (L11).
    [ "$(sum_of "$part" "$size" 0)" = "$sum" ] || {
        rm -f "$part"
        echo "$name did not arrive whole: is the disk or the quota full?" >&2
        return 1
    }
    touch -c -d "@$mtime" "$part" && chmod "$mode" "$part" && mv -f -T -- "$part" "$name" || return
    for part in "${name%/*}/.submithost-part-$key".*; do
        [ ! -e "$part" ] || writes "$part" || rm -f "$part"
    done
}

all() {
    while read -r word rest; do
        set -f
        # shellcheck disable=SC2086 # operands are numbers and hexadecimal digits
        set -- $rest
        set +f
        case $word in
        place) place "$@" ;;
        big) big "$@" ;;
        done) return 0 ;;
        *) lay_aside "$@" ;;
        esac || return
    done
    cut
}

problem=$(mkdir -p "$path" 2>&1) || refuse "$problem"
aside=$path/.submithost-aside.$(uname -n).$$
trap 'rm -rf "$aside"' EXIT
trap 'exit 1' HUP TERM PIPE # else nobody cleans up
trap '' XFSZ # a limit is to be an error that says so
problem=$(mkdir "$aside" 2>&1 && all 2>&1) || refuse "$path: $(printf '%s\n' "$problem" | head -n 2)"
section received
finish
