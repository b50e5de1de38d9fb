# shellcheck shell=sh
not_asked_with 'l|qs|pe|U|g|j|help' 'leave jobs out'
list() { qstat -xml "$@"; }
[ -z "$(defaults q)" ] || list() { qstat -q '*' -xml "$@"; }
