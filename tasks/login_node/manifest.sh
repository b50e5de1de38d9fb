# What a job left behind: its job directory without what submithost itself and `--put` laid there, and the logs that
# the script put elsewhere. Variable: directory. Data: one log a line.
# Entries end in NUL: `KIND SIZE MTIME ROOT<newline>PATH`; KIND as find's %y, ROOT the directory that PATH is under.
[ -d "$directory" ] || refuse "job directory $directory is gone"
section put
cat "$directory/.submithost/put" 2>/dev/null
section files
cd "$directory" || refuse "cannot enter $directory"
find . -name .submithost -prune -o ! -type d -printf '%y %s %T@ .\n%P\0'
section logs
while IFS= read -r log; do
    [ -f "$log" ] && find "$log" -printf '%y %s %T@ /\n%p\0'
done
finish
