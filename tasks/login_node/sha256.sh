# shellcheck shell=sh
# Checksums of stdin. openssl is up to four times as fast, and is used where it works.
case $(openssl dgst -sha256 -r </dev/null 2>/dev/null) in
e3b0c44298fc1c14*) sha256() { openssl dgst -sha256 -r; } ;;
*) sha256() { sha256sum; } ;;
esac

piece() { # FILE SIZE OFFSET: so many bytes of a file
    dd if="$1" bs=128k iflag=skip_bytes,count_bytes skip="$3" count="$2" 2>/dev/null
}

sum_of() { # FILE SIZE OFFSET: the checksum of these bytes
    # A whole file is read by the program that sums it, in half the time, unless it grows meanwhile.
    if [ "$3" = 0 ] && has "$1" "$2" && sum=$(sha256 <"$1") && has "$1" "$2"; then :; else
        sum=$(piece "$@" | sha256)
    fi && printf '%s\n' "${sum%% *}"
}

has() { # whether the file $1 has $2 bytes
    [ "$(stat -L -c %s -- "$1" 2>/dev/null)" = "$2" ]
}
