# shellcheck shell=sh
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# Remove an attempt that is known to have made no job, to make room for the next. Variables: root, key, held (its name).
enter "$key"
if drop "$attempt/$held"; then
    for each in "$attempt"/*; do # what an attempt of the version before this one had in there
        [ -d "$each" ] || drop "$each"
    done
fi
inspect
finish
