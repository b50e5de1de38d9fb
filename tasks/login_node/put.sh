# shellcheck shell=sh
# shellcheck disable=SC2015 # refused whichever of the two fails
# shellcheck disable=SC2016 # for another shell, which is to expand it
# shellcheck disable=SC2030 # the function has its own, in a subshell on purpose
# shellcheck disable=SC2031 # the same: nothing of that is to be kept
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# shellcheck disable=SC3067 # test -O: dash and bash have it
# Take files into a directory. Variable: path (that directory, absolute). Data: as `receive` reads it. What came since the
# last `place` was laid aside and has been verified; `place` moves it into its place. A `big` file goes to a part of its
# own beside its place. After its name comes a line `OFFSET KEY PART`, then the bytes after the first OFFSET, which are
# those of PART (`-`: there is none), an earlier part, and a line: the checksum of all.
# A file comes into its place whole or not at all. What has come of a big one is kept when the connection is cut.
# Where the directory is shared, others may lay links into it, at any moment: none is followed below it. What is in hand
# is known by its descriptor, 8 for the directory aside and 9 for a big file, whatever its name means by now.

# Go into a directory (absolute, links in its path resolved), by no link that is there meanwhile. A text, since shells that
# find starts need it too.
enter='
enter() {
    cd -P "$1/" || return
    [ "${PWD%/}" = "$1" ] && return
    echo "$1 is a link to $PWD, and none is followed below the target" >&2
    return 1
}'
eval "$enter"

place() { # Directories that are not there yet go with all that is in them, so there are few processes for many files.
    into=$into aside=/proc/self/fd/8 find . -type d -exec /bin/sh -c "$enter"'
        for directory do
            there=$into/${directory#./}
            [ ! -L "$there" ] || { echo "$there is a link, and none is followed below the target" >&2 && exit 1; }
        done
        for directory do
            [ -d "$aside/$directory" ] || continue # gone with the one above it
            there=$into/${directory#./}
            if [ "$directory" = . ]; then there=$into; fi
            if [ -d "$there/" ]; then
                enter "$there" || exit
                find "$aside/$directory" -maxdepth 1 ! -type d -print0 | xargs -0 -r mv -f -t . -- || exit
            else
                enter "${there%/*}" && mv -T -- "$aside/$directory" "./${there##*/}" || exit
            fi
        done' sh {} + && find . -mindepth 1 -delete
}

reach() { # go into the directory of $1, below the target; it is made if it is not there
    enter "$into" || return
    rest=$1
    while [ "$rest" != "${rest#*/}" ]; do
        step=${PWD%/}/${rest%%/*} rest=${rest#*/}
        [ -d "$step" ] || mkdir "$step" || return
        enter "$step" || return
    done
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

big() ( # the file that was announced; a shell of its own, since it goes elsewhere
    read -r offset key old || cut || return
    case $old in -) old='' ;; *) old=./$old ;; esac
    reach "$name" || return
    place=${PWD%/}/${name##*/}
    name=./${name##*/}
    part=./.submithost-part-$key.$(uname -n).$$
    # Names that can be foreseen: where others write, none of theirs is written to, and nothing through their links.
    rm -f "$part" && (set -C && : >"$part") && exec 9<>"$part" && is_part || return
    if [ -z "$old" ]; then
        :
    elif [ -e "$old" ] && { [ ! -O "$old" ] || [ -L "$old" ]; }; then
        echo "${place%/*}/${old#./} belongs to somebody else" >&2
        return 1
    elif writes_on "$old" "$size"; then
        head -c "$offset" "$old" >&9
    elif [ -e "$old" ]; then
        mv -f "$old" "$part" && exec 9<>"$part" && is_part && truncate -s "$offset" /proc/self/fd/9
    else # its writer has put it into its place meanwhile
        head -c "$offset" "$name" >&9
    fi || return
    if ! problem=$(dd bs=256k iflag=fullblock,count_bytes count="$((size - offset))" status=none 2>&1 >>/proc/self/fd/9); then
        rm -f "$part" # a full disk is to be as full as before
        echo "$problem" >&2
        return 1
    fi
    read -r sum || cut || return
    # After writing, since a full quota may cut a file without a word (L11).
    [ "$(sum_of /proc/self/fd/9 "$size" 0)" = "$sum" ] || {
        rm -f "$part"
        echo "$place did not arrive whole: is the disk or the quota full?" >&2
        return 1
    }
    touch -c -d "@$mtime" /proc/self/fd/9 && chmod "$mode" /proc/self/fd/9 && mv -f -T -- "$part" "$name" || return
    for part in "./.submithost-part-$key".*; do
        [ ! -e "$part" ] || writes "$part" || rm -f "$part"
    done
)

is_part() { # whether what was opened is the part, and no file that somebody has meanwhile laid a link to
    [ -O /proc/self/fd/9 ] && [ "$(readlink /proc/self/fd/9)" = "${PWD%/}/${part#./}" ] && return
    echo "$PWD/$part is somebody else's" >&2
    return 1
}

problem=$(mkdir -p "$path" 2>&1) || refuse "$problem"
cd -P "$path" 2>/dev/null || refuse "cannot enter $path"
into=${PWD%/} # the target itself is the user's word, links and all
aside=$into/.submithost-aside.$(uname -n).$$
trap 'rm -rf "$aside"' EXIT
trap 'exit 1' HUP TERM PIPE # else nobody cleans up
trap '' XFSZ # a limit is to be an error that says so
problem=$(mkdir "$aside" 2>&1) || refuse "$path: $problem"
enter "$aside" 2>/dev/null && [ -O . ] && exec 8<. || refuse "$aside is somebody else's by now"
problem=$(receive . 2>&1) || refuse "$path: $(printf '%s\n' "$problem" | head -n 2)"
section received
finish
