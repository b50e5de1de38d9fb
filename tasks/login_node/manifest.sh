# shellcheck shell=sh
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# List what a job left behind: its job directory without the files of submithost and of `--put`, and the logs that the
# script put elsewhere. Variable: directory. Data: one log a line.
# Entries are those of `list.sh`: in section `files` below the directory, in section `logs` absolute. All are indented.
[ -d "$directory" ] || refuse "job directory $directory is gone"
section put
indent 2>/dev/null <"$directory/.submithost/put"
section files
cd "$directory" || refuse "cannot enter $directory"
find . -name .submithost -prune -o ! -type d -printf '%y %s %T@ %m\n%P\0%l\0' | indent
section logs
while IFS= read -r log; do
    [ -f "$log" ] && find -L "$log" -maxdepth 0 -printf '%y %s %T@ %m\n%p\0\0'
done | indent
finish
