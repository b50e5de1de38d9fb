# shellcheck shell=sh
# shellcheck disable=SC2013 # patterns are words, to be expanded
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# List the logs of a job that was submitted by hand: in the directory where it ran, not below it (it may be a home).
# Variable: directory. Data: one pattern of find(1) a line. Entries are those of `list.sh`.
cd "$directory" || refuse "cannot enter $directory, where the job ran"
set -f
IFS='
'
set --
for pattern in $(cat); do
    set -- "$@" -o -name "$pattern"
done
unset IFS
section files
[ "$#" -eq 0 ] || shift
find -L . -maxdepth 1 -type f \( "$@" \) -printf '%y %s %T@ %m\n%P\0\0'
finish
