# shellcheck shell=sh
# shellcheck disable=SC1010 # a section of that name
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# Read a submission, to repeat it. Variables: directory (its job directory), root, key (what the keys of all jobs that
# repeat it begin with).
# Sections `script`, `about` and `after` (the conditions, as `run` reads them); `put`, what lay there when it was submitted
# (`SIZE MTIME PATH`, each ending with a NUL), and `now`, what lies there now (`KIND SIZE MTIME PATH`), both indented;
# `done`, the keys of submissions that already repeat it; `rows`, the names of what a sweep has more, whose own
# directories are no inputs.
job=$directory mine=$directory/.submithost
[ -d "$mine" ] || refuse "job directory $job is gone"
guard refuse # what is in there will run again
cd "$mine" || refuse "cannot enter $job"
section script
cat script
section about
cat about
section after
cat after 2>/dev/null
section rows
swept=.submithost # nothing else is left out
[ ! -f rows ] || { swept=rows && ls -d rows scripts 2>/dev/null; }
section put
indent <put
section now
(cd .. && find . \( -name .submithost -o -path "./$swept" \) -prune -o ! -name . -printf '%y %s %T@ %P\0') | indent
section done
for other in "$root/$key".r*; do
    [ ! -f "$other/.submithost/receipt" ] || printf '%s\n' "${other##*/}"
done
finish
