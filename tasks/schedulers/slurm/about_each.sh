# shellcheck shell=sh
about_each() { # IDS: what the controller knows of each. One that it does not know it reports as an error
    for id in "$@"; do
        said=$(scontrol -o show job "$id" 2>&1) || case $said in
        *"Invalid job id"*) continue ;;
        *) printf '%s\n' "$said" >&2; exit 1 ;;
        esac
        printf '%s\n' "$said"
    done
}
