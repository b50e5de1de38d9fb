# Checksums of stdin. openssl's are up to four times as fast; it is used where it is there and works.
case $(openssl dgst -sha256 -r </dev/null 2>/dev/null) in
e3b0c44298fc1c14*) sha256() { openssl dgst -sha256 -r; } ;;
*) sha256() { sha256sum; } ;;
esac

piece() { # $2 bytes of the file $1 after $3
    dd if="$1" bs=128k iflag=skip_bytes,count_bytes skip="$3" count="$2" 2>/dev/null
}

sum_of() { # the same, only their checksum; what comes after them may be written meanwhile
    sum=$(piece "$@" | sha256) && printf '%s\n' "${sum%% *}"
}
