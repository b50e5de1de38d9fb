# shellcheck shell=sh
# shellcheck disable=SC2016 # for another shell, which is to expand it
# shellcheck disable=SC2034 # used by what follows it in the program
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# G44: Debian's commands are links to a wrapper that takes ten times as long as the programs behind it, for SGE_ARCH,
# which nobody asks for, and which the file that it reads finds out once more; its other two settings are taken from it.
debian=/usr/share/gridengine/gridengine-wrapper
if [ "$at" -ef "$debian" ] && [ -x "/usr/lib/gridengine/$command" ]; then
    : "${debian_sets=$(
        [ "$(tail -n 1 "$debian")" = 'exec /usr/lib/gridengine/${PROG} "$@"' ] || exit
        eval "$(variables 'SGE_[A-Z]*' '' 'export ')"
        asks_arch='/^SGE_ARCH=`"$SGE_ROOT\/util\/arch"`$/d'
        reads_file='s|^ *\. "${CONFIG_PATH}"$|eval "$(sed "$asks_arch" "$CONFIG_PATH")"|'
        eval "$(sed "/^DEFAULT_SGE_ARCH=/d; /^PROG=/d; \$d; $reads_file" "$debian")" >/dev/null 2>&1
        quote "$SGE_ROOT" && root=$word
        quote "$SGE_CELL" && printf 'export SGE_ROOT=%s SGE_CELL=%s' "$root" "$word"
    )}"
    wrapping=$debian_sets
    [ -z "$wrapping" ] || at=/usr/lib/gridengine/$command
fi
