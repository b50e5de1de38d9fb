# Take files in. Variable: path (the directory for them, absolute). Data: the files, as `receive` reads them.
problem=$(mkdir -p "$path" 2>&1) || refuse "$problem"
into=$path
incoming=$path/.submithost-incoming.$$
beat=
trap 'rm -f "$incoming"' EXIT
if problem=$(receive 2>&1); then
    section received
else
    refuse "$path: $problem"
fi
finish
