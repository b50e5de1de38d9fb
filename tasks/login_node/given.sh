# shellcheck shell=sh
# shellcheck disable=SC2034 # used by what follows it in the program
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# The environment that a process was started with ($block: its file in /proc), as text for /bin/sh. Its own shell has
# dropped some of it, and acted on some.

# Variables that bash makes read-only.
readonly='SHELLOPTS|BASHOPTS|UID|EUID|PPID'

facts() { # set given_path, given_shell, given_shlvl, given_mark, given_niceness, and given_kept if there is anything for
    # `kept`: all at once, to save processes
    given_path='' given_shell='' given_shlvl='' given_mark='' given_niceness='' given_kept=''
    eval "$(sed -z -n -E "
        s/^(BASH_FUNC_|($readonly)=).*/given_kept=yes/p
        /^(PATH|SHELL|SHLVL|submithost_mark|submithost_niceness)=/!d
        s/'/'\\\\''/g
        s/^(submithost_)?([A-Za-z]*)=(.*)/given_\\L\\2\\E='\\3'/p" "$block" | tr '\0' '\n')"
}

variables() { # those whose names match $1 and not $2, with their values, each after the text $3
    sed -z -n -E "/^($1)=/!d; /^(submithost_[a-z]*|$2)=/d; s/'/'\\\\''/g; s/=/='/; s/^/$3/; s/\$/'/p" "$block" |
        tr '\0' '\n'
}

quote() { # set `word` to $1, quoted as one word
    word="'" rest=$1
    while [ "$rest" != "${rest#*\'}" ]; do
        word="$word${rest%%\'*}'\\''"
        rest=${rest#*\'}
    done
    word="$word$rest'"
}

# Only bash can export functions. It gets their text in a variable, which it unsets again. It reads no startup files
# (-p), and its warnings about a missing locale are dropped.
functions() {
    text=$(sed -z -n -E 's/^BASH_FUNC_([^=]+)(%%|\(\))=(\(\) \{.*)$/function \1 \3\nexport -f -- \1/p' "$block" | tr '\0' '\n')
    [ -n "$text" ] || return
    bash=$given_shell
    case $bash in */bash) [ -x "$bash" ] ;; *) false ;; esac || bash=$(command -v bash) || return
    quote "$text"
    echo "submithost_functions=$word"
    echo 'export submithost_functions'
    echo "set -- $bash -p -c 'eval \"\$submithost_functions\"; unset submithost_functions; exec \"\$@\" 2>&3 3>&-' bash \"\$@\""
    echo "set -- /bin/sh -c 'exec \"\$@\" 3>&2 2>/dev/null' sh \"\$@\""
}

# Put what hands on functions, and the variables that bash makes read-only, before the command "$@".
kept() {
    [ -n "$given_kept" ] || return
    words=$(variables "$readonly" '' | tr '\n' ' ')
    [ -z "$words" ] || echo "set -- /usr/bin/env $words \"\$@\""
    functions
}
