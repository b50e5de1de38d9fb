# shellcheck shell=sh
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# What submit.sh asks of a scheduler, as it is where that has nothing of its own. Variables: accepting (an extended
# regular expression of the line that accepts), mine.
accepted() { grep -q -E -e "$accepting" "$1"; } # the file with the submit command's stdout
details() { :; }                                # the answer says it all
hand_over() { echo "exec /bin/sh '$mine/run'"; }
survey() { :; }
prepare() { :; }
places() { :; }
