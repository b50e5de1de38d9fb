# What a process was given as its environment ($block: its file in /proc), as text for /bin/sh. Its own shell has
# dropped some of it, and obeyed some.

# bash lets nobody set these.
readonly='SHELLOPTS|BASHOPTS|UID|EUID|PPID'

value() { # of one variable
    sed -z -n "s/^$1=//p" "$block" | tr -d '\0'
}

variables() { # each whose name is a $1 and no $2, with its value, after $3
    sed -z -n -E "/^($1)=/!d; /^(submithost_[a-z]*|$2)=/d; s/'/'\\\\''/g; s/=/='/; s/^/$3/; s/\$/'/p" "$block" |
        tr '\0' '\n'
}

quoted() { # $1 as one word
    rest=$1
    printf "'"
    while [ "$rest" != "${rest#*\'}" ]; do
        printf "%s'\\\\''" "${rest%%\'*}"
        rest=${rest#*\'}
    done
    printf "%s'" "$rest"
}

# bash alone can export functions. It gets their text in a variable that it takes away again, reads no file of its own
# (-p), and what it says of a missing locale is not heard.
functions() {
    text=$(sed -z -n -E 's/^BASH_FUNC_([^=]+)(%%|\(\))=(\(\) \{.*)$/function \1 \3\nexport -f -- \1/p' "$block" | tr '\0' '\n')
    [ -n "$text" ] || return
    bash=$(value SHELL)
    case $bash in */bash) [ -x "$bash" ] ;; *) false ;; esac || bash=$(command -v bash) || return
    echo "submithost_functions=$(quoted "$text")"
    echo 'export submithost_functions'
    echo "set -- $bash -p -c 'eval \"\$submithost_functions\"; unset submithost_functions; exec \"\$@\" 2>&3 3>&-' bash \"\$@\""
    echo "set -- /bin/sh -c 'exec \"\$@\" 3>&2 2>/dev/null' sh \"\$@\""
}

# What bash keeps to itself, and functions: before the command that they are for, which is "$@".
kept() {
    words=$(variables "$readonly" '' | tr '\n' ' ')
    [ -z "$words" ] || echo "set -- /usr/bin/env $words \"\$@\""
    functions
}
