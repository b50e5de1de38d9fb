# shellcheck shell=sh
# shellcheck disable=SC2016 # for another shell, which is to expand it
# shellcheck disable=SC2089,SC2090 # it is evaluated by the login shell
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# What every program on the login node begins with: how to answer, and the login environment. Of the environment that the
# program itself comes with nothing is left by now but where home is (COMMAND), so no tool of ours is changed by it.

# A section of the answer: `section NAME`, then anything on stdout and stderr. The marks go to both streams, so
# each section has its own stderr, and nothing needs a temporary file. `begin` ends the noise of the login. $mark is this
# program's secret: it goes into no command line and no name, as $nonce may, which is its own too.
section() {
    printf '\n@%s %s\n' "$mark" "$1"
    printf '\n@%s %s\n' "$mark" "$1" >&2
}

# What others may have named: whatever is in a name, no line of it can be a mark.
indent() { LC_ALL=C sed 's/^/ /'; }

# A command line as a section; its exit status closes the section. In a subshell, since it may set anything.
ask() {
    section "$1"
    (
        unset IFS
        set +f
        eval "$2"
    ) </dev/null
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

# The scheduler's commands are functions, of the text that describe.sh makes: they find each where the login shell finds
# it. Those that ask run in the login environment without any defaults for them in it; those that submit run as if they
# were typed in the login shell.

has() { # the path of a command, if it is there
    printf '%s' "$commands" | sed -n "s/^$1 //p" | grep .
}

missing() {
    echo "$1: not found in the login environment on the login node; configure 'setup' (module load ...)" >&2
    return 127
}

submits() { # DIRECTORY COMMAND: what calls this ends with it. Nothing is in a variable that the user's may overwrite
    login
    cd "$1" || exit
    shift
    typed "$@"
}

# The login environment is what a program gets that the login shell starts. csh and tcsh take `-l` only alone, so they
# read their line on stdin; so do shells that an rc file puts in place of the login shell, after what rc files themselves
# may read. rc files may print on both streams; on stderr goes what setup says. Nothing of it is in a command line:
# everybody on the login node can read those, and `setup` may hold a secret.
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
    eval "$(eval "$describing" && facts && as_given 0)" # what the login shell is started with
    umask 077
    login_environment=$(login_shell | sed -f /dev/fd/3 3<<END
1,/^$mark\$/d
/^$mark\$/,\$d
END
    )
    section environment
    printf '%s' "$login_environment"
    [ -n "$login_environment" ] || login_environment=$(eval "$describing" && facts && describe 0) # it said nothing: what is here
else
    section begin
fi
umask 077
eval "$login_environment"
