# What is under a path. Variable: path (`~/` is the home directory; relative: below it).
# Section `place`: what the path is, and where. Section `files`: entries `KIND SIZE MTIME MODE<newline>PATH`, each with a
# NUL at its end.
case $path in
'~') path=$HOME ;;
'~/'*) path=$HOME/${path#'~/'} ;;
/*) ;;
*) path=$HOME/$path ;;
esac
section place
if [ -d "$path" ]; then
    printf 'directory\n%s' "$path"
    section files
    cd "$path" || refuse "cannot enter $path"
    find . -mindepth 1 -printf '%y %s %T@ %m\n%P\0'
elif [ -e "$path" ]; then
    printf 'file\n%s' "$path"
    section files
    find -L "$path" -maxdepth 0 -printf '%y %s %T@ %m\n\0'
else
    printf 'nothing\n%s' "$path"
fi
finish
