# shellcheck shell=sh
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# An attempt that is known to have made no job makes room for the next one. Variables: root, key, held (its name).
enter "$key"
if drop "$attempt/$held"; then
    for each in "$attempt"/*; do # what else one of the version before had in there
        [ -d "$each" ] || drop "$each"
    done
fi
inspect
finish
