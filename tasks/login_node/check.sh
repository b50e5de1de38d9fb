# shellcheck shell=sh
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# Can the directory of all job directories be written, and how much space is there? Variable: root. Nothing is left
# behind: if the directory does not exist yet, the nearest one above it is tried.
enter .
there=$root
while [ ! -d "$there" ] && [ -n "$there" ]; do there=${there%/*}; done
there=${there:-/}
section directory
printf '%s\n%s\n' "$root" "$there"
section written
# L11: with a full quota the file is created, but stays empty.
written=$there/.submithost-check.$$
trap 'rm -f "$written"' EXIT
trap 'exit 1' HUP TERM PIPE
problem=$({ head -c 65536 /dev/zero >"$written"; } 2>&1)
stat -c %s "$written" 2>/dev/null || echo 0
printf '%s\n' "$problem" >&2
rm -f "$written"
section space
df -P "$there" 2>/dev/null
section quota
if command -v quota >/dev/null; then timeout 10 quota -w; fi 2>/dev/null </dev/null
section now
date +%s
finish
