# shellcheck shell=sh
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# Remove the directory of a key under which nothing was submitted, and never will be. Variables: root, key.
enter "$key"
if ours && [ ! -e "$mine/receipt" ] && [ ! -L "$mine/claim" ]; then
    rm -rf -- "$job"
fi
finish
