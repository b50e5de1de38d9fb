# shellcheck shell=sh
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# G25: jobs that it does not know are an error to qstat, and so is a qmaster that does not answer: its words tell.
not_asked_with xml 'answer in XML'
about() {
    said=$(qstat -j "$1" 2>&1) || case $said in
    *"do not exist"*) ;;
    *) printf '%s\n' "$said" >&2; exit 1 ;;
    esac
    printf '%s\n' "$said" | grep -E "^(=|($facts|error reason +[0-9]+):${continued-})"
}
