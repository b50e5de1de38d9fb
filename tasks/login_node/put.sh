# shellcheck shell=sh
# shellcheck disable=SC2015 # refused whichever of the two fails
# shellcheck disable=SC2016 # for another shell, which is to expand it
# shellcheck disable=SC2030 # the function has its own, in a subshell on purpose
# shellcheck disable=SC2031 # the same: nothing of that is to be kept
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# shellcheck disable=SC3067 # test -O: dash and bash have it
# Receive files into a directory. Variable: path (that directory, absolute). Data: as `receive` reads it. Files are laid
# aside and verified, and `place` moves them into place. A `big` file is written to a part beside its place: after its name
# come a line `OFFSET KEY PART` (PART is an earlier part, whose first OFFSET bytes are good; `-`: none), the bytes from
# OFFSET on, and a line with the checksum of the whole file.
# A file is put into its place whole or not at all. The part of a big one is kept when the connection is cut.
# In a shared directory others may plant links at any moment: below it none is followed. Whatever happens to their names,
# descriptor 8 stays the directory where files are laid aside, and 9 the big file.

# Go into a directory (absolute, links in its path resolved), but not by a link that was planted meanwhile. Kept as text,
# since the shells that `find` starts need it, too.
enter='
enter() {
    cd -P "$1/" || return
    [ "${PWD%/}" = "$1" ] && return
    echo "$1 is a link to $PWD, and none is followed below the target" >&2
    return 1
}'
eval "$enter"

place() { # New directories are moved with everything in them, so many files need few processes.
    into=$into aside=/proc/self/fd/8 find . -type d -exec /bin/sh -c "$enter"'
        for directory do
            there=$into/${directory#./}
            [ ! -L "$there" ] || { echo "$there is a link, and none is followed below the target" >&2 && exit 1; }
        done
        for directory do
            [ -d "$aside/$directory" ] || continue # moved with the one above it
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

reach() { # go into the directory of $1, below the target; make what is missing
    enter "$into" || return
    rest=$1
    while [ "$rest" != "${rest#*/}" ]; do
        step=${PWD%/}/${rest%%/*} rest=${rest#*/}
        [ -d "$step" ] || mkdir "$step" || return
        enter "$step" || return
    done
}

writes() { # whether somebody is writing a part: a live process on this host, or on another host one that wrote lately
    writer=${1##*.} host=${1#*-part-*.} host=${host%.*}
    if [ "$host" = "$(uname -n)" ]; then kill -0 "$writer" 2>/dev/null; else [ "$(find "$1" -mmin -2)" ]; fi
}

writes_on() { # whether it still does after a while; a part with all $2 bytes is being verified, and then is done
    waited=0
    while [ "$waited" -lt 3 ] || has "$1" "$2"; do
        [ -e "$1" ] && writes "$1" || return
        waited=$((waited + 1))
        sleep 1
    done
    [ -e "$1" ]
}

big() ( # take the file that was announced; in a subshell, since it changes directory
    read -r offset key old || broken_off || return
    case $old in -) old='' ;; *) old=./$old ;; esac
    reach "$name" || return
    place=${PWD%/}/${name##*/}
    name=./${name##*/}
    part=./.submithost-part-$key.$(uname -n).$$
    # The name can be guessed: in a shared directory, write neither to a file of others nor through their links.
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
    else # its writer has moved it into place meanwhile
        head -c "$offset" "$name" >&9
    fi || return
    if ! problem=$(dd bs=256k iflag=fullblock,count_bytes count="$((size - offset))" status=none 2>&1 >>/proc/self/fd/9); then
        rm -f "$part" # leave a full disk as full as it was
        echo "$problem" >&2
        return 1
    fi
    read -r sum || broken_off || return
    # Checked after writing: a full quota may truncate a file without an error (L11).
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

is_part() { # whether descriptor 9 is the part, not the target of a link that somebody planted meanwhile
    [ -O /proc/self/fd/9 ] && [ "$(readlink /proc/self/fd/9)" = "${PWD%/}/${part#./}" ] && return
    echo "$PWD/$part is somebody else's" >&2
    return 1
}

problem=$(mkdir -p "$path" 2>&1) || refuse "$problem"
cd -P "$path" 2>/dev/null || refuse "cannot enter $path"
into=${PWD%/} # the target itself may have links: the user named it
aside=$into/.submithost-aside.$(uname -n).$$
trap 'rm -rf "$aside"' EXIT
trap 'exit 1' HUP TERM PIPE # so that the trap above cleans up
trap '' XFSZ # so that a limit on file sizes is an error with a message
problem=$(mkdir "$aside" 2>&1) || refuse "$path: $problem"
enter "$aside" 2>/dev/null && [ -O . ] && exec 8<. || refuse "$aside is somebody else's by now"
problem=$(receive . 2>&1) || refuse "$path: $(printf '%s\n' "$problem" | head -n 2)"
section received
finish
