# shellcheck shell=sh
# shellcheck disable=SC2088 # a tilde that is text: it is taken off
# List a path. Variables: path (`~/` is the home directory; relative: below it), key (that of a file's parts; empty: for
# `get`). For `get` a link stands for its target. For `put` a link to a directory does so only if nobody else could have
# made or changed it; this needs `exposed` of directory.sh.
# Section `place`: what the path is, and where. Section `tools`: `tar`, if there is one.
# Section `files`: entries `KIND SIZE MTIME MODE<newline>PATH<NUL>LINK<NUL>`, indented; parts of a single file are among
# them.
case $path in
'~') path=$HOME ;;
'~/'*) path=$HOME/${path#'~/'} ;;
/*) ;;
*) path=$HOME/$path ;;
esac
section tools
! command -v tar >/dev/null || echo tar
section place
if [ -n "$key" ] && [ -L "$path" ] && [ -d "$path" ]; then
    if why=$(exposed "$path") && [ -z "$why" ] && cd -P "$path"; then
        path=$PWD
    else
        printf 'link\n%s' "$path"
        section files
        finish
    fi
fi
if [ -d "$path" ]; then
    printf 'directory\n%s' "$path"
    section files
    cd "$path" || refuse "cannot enter $path"
    find . -printf '%y %s %T@ %m\n%P\0%l\0' | indent
    finish
fi
if [ -e "$path" ]; then
    printf 'file\n%s' "$path"
    section files
    find -L "$path" -maxdepth 0 -printf '%y %s %T@ %m\n\0\0'
else
    printf 'nothing\n%s' "$path"
    section files
fi
[ -z "$key" ] ||
    find "${path%/*}/" -maxdepth 1 -name ".submithost-part-$key.*" -printf '%y %s %T@ %m\n%f\0\0' 2>/dev/null
finish
