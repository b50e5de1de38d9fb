# What every program over there begins with: how to answer, and the login environment.
umask 077

# A section of the answer: `section NAME`, then anything on stdout and stderr. The marks go to both streams, so
# each section has its own stderr, and nothing needs a temporary file. `begin` ends the noise of the login.
section() {
    printf '\n@%s %s\n' "$nonce" "$1"
    printf '\n@%s %s\n' "$nonce" "$1" >&2
}

# Run a command line of the scheduler's in the login environment. In a subshell: nothing that the user exports
# can change a variable of ours, nor ours what the user's jobs inherit.
run() (
    unset IFS
    set +f
    eval "$login_environment"
    eval "$1"
)

# A command line as a section; its exit status closes the section.
ask() {
    section "$1"
    run "$2" </dev/null
    section "=$?"
}

# Without its last section an answer is known to be cut.
finish() {
    section end
    exit 0
}

# The answer to what cannot be done, with the reason in the words of whatever failed.
refuse() {
    section refused
    printf '%s\n' "$1"
    finish
}

section begin

# The login environment (PATH, modules, the scheduler's own variables) is what a /bin/sh that the login shell starts would export.
# csh and tcsh take `-l` only alone, so they read their line on stdin; so do shells that an rc file puts in place of the
# login shell, after what rc files themselves may read. rc files may print on both streams; on stderr goes what setup says.
# In no command line: everybody over there can read those, and `setup` may hold a secret.
if [ -z "$login_environment" ]; then
    line="${setup}exec /bin/sh -c 'unset submithost_line; echo; echo $nonce; export -p; echo $nonce'"
    login_environment=$(
        printf '\n\n\n\n%s\n' "$line" |
            case ${SHELL##*/} in
            *csh) "$SHELL" -l ;;
            *) submithost_line=$line "${SHELL:-/bin/sh}" -l -c 'eval "$submithost_line"' ;;
            esac | sed "1,/^$nonce\$/d; /^$nonce\$/,\$d"
    )
    section environment
    printf '%s' "$login_environment"
fi
