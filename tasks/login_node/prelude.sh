# shellcheck shell=sh
# shellcheck disable=SC2016 # for another shell, which is to expand it
# shellcheck disable=SC2089,SC2090 # it is evaluated by the login shell
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# The beginning of every program on the login node: how to answer, and the login environment. Nothing is left here of the
# environment that sshd gave (see COMMAND), except who and where the user is, so it cannot change our own tools.

# A section of the answer: `section NAME`, then anything on stdout and stderr. The marks go to both streams, so each
# section has a stderr of its own without a temporary file. `begin` ends the noise of the login. $mark is this program's
# secret, and never part of a command line or a name; $nonce is its own as well, and may be.
section() {
    printf '\n@%s %s\n' "$mark" "$1"
    printf '\n@%s %s\n' "$mark" "$1" >&2
}

# For names that others may have chosen: indented, no line of them can be a mark.
indent() { LC_ALL=C sed 's/^/ /'; }

# Run a command line as a section, closed by its exit status. In a subshell, since it may set anything.
ask() {
    section "$1"
    (
        unset IFS
        set +f
        eval "$2"
    ) </dev/null
    section "=$?"
}

# An answer without this last section was cut.
finish() {
    section end
    exit 0
}

# Give up, with the reason, if possible in the words of the command that failed.
refuse() {
    section refused
    printf '%s\n' "$1"
    finish
}

# The scheduler's commands are functions, in the text that describe.sh makes: each runs the program that the login shell
# would find. Those that ask run in the login environment without the variables that hold defaults for them; those that
# submit run as if they were typed in the login shell.

has() { # the path of a command, if it exists
    printf '%s' "$commands" | sed -n "s/^$1 //p" | grep .
}

missing() {
    echo "$1: not found in the login environment on the login node; configure 'setup' (module load ...)" >&2
    return 127
}

submits() { # DIRECTORY COMMAND: replaces its caller. Nothing is kept in variables: the user's may overwrite them
    login
    cd "$1" || exit
    shift
    typed "$@"
}

# The login environment is that of a program started by the login shell. csh and tcsh take `-l` only alone, so they get
# their command on stdin, and so do shells that an rc file starts in place of the login shell, after some empty lines for
# rc files that read stdin. rc files may print on both streams; what setup prints goes to stderr. Nothing of this is on a
# command line, which everybody on the login node can read: `setup` may hold a secret.
login_shell() (
    submithost_describing=$describing submithost_mark=$mark submithost_niceness=$niceness
    submithost_line="${setup}exec /bin/sh -c '/usr/bin/env -i PATH=\"/usr/local/bin:/usr/bin:/bin:\$PATH\" LC_ALL=C /bin/sh -c \"\$submithost_describing tell\"; exit'"
    export submithost_describing submithost_mark submithost_niceness submithost_line
    case ${SHELL##*/} in
    *csh) set -- "$SHELL" -l ;;
    *) set -- "${SHELL:-/bin/sh}" -l -c 'eval "$submithost_line"' ;;
    esac
    printf '\n\n\n\n%s\n' "$submithost_line" | (
        login
        typed "$@"
    )
)

if [ -z "$login_environment" ]; then
    section begin
    niceness=$(nice)
    eval "$(eval "$describing" && facts && as_given 0)" # as the login shell was started
    umask 077
    login_environment=$(login_shell | sed -f /dev/fd/3 3<<END
1,/^$mark\$/d
/^$mark\$/,\$d
END
    )
    section environment
    printf '%s' "$login_environment"
    [ -n "$login_environment" ] || login_environment=$(eval "$describing" && facts && describe 0) # it printed nothing: take what is here
else
    section begin
fi
umask 077
eval "$login_environment"
