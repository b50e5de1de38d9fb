# shellcheck shell=sh
# shellcheck disable=SC2046 # numbers and words without blanks in them, to be split
# shellcheck disable=SC2086 # lists of names, to be split
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# shellcheck disable=SC3045 # ulimit -S: dash and bash have it
# Describe the environment of a process as sh text that gives it to another: functions, after given.sh, for prelude.sh.
# From the session: submits and asks (the scheduler's commands that run as if typed, and those that only ask), places
# (variables that say where the scheduler is), ambient (variables with defaults for its commands), fixed (what is set for
# asking), and short_cut (sh that may set `at`, the program behind $command, and `wrapping`: in sh, what the wrapper that
# is bypassed does). Names of variables are extended regular expressions.

block=/proc/$PPID/environ
# Variables that change the words, order or form of what programs print.
locale='LC_[A-Z]*|LANG|LANGUAGE|NLSPATH|TZ|TZDIR|POSIXLY_CORRECT|COLUMNS|LINES|GREP_[A-Z]*|[A-Z_]*BLOCK_?SIZE'

names() { # the variables whose names match $1 and not $2
    sed -z -n -E "/^($2)=/d; s/^($1)=.*/\1/p" "$block" | tr '\0' ' '
}

limits() { # the number of processes is -u, or -p in a shell without -u
    processes=u
    (ulimit -S -u) >/dev/null 2>&1 || processes=p
    set -- $(for limit in s n "$processes" v c f d t l m; do ulimit -S "-$limit"; done 2>/dev/null)
    for limit in s n "$processes" v c f d t l m; do
        [ "$#" -gt 0 ] || break # a shell that does not know one of them exits
        echo "ulimit -S -$limit $1 2>/dev/null"
        shift
    done
}

commands() { # a shell function for each command, and in `commands` the paths of those that exist
    found='' sets=
    set -- $submits $asks
    while IFS= read -r at <&3; do
        command=$1
        shift
        case $at in
        /*) ;;
        *)
            echo "$command() { missing $command; }"
            continue
            ;;
        esac
        found="$found$command $at
"
        wrapping=
        eval "$short_cut"
        [ -z "$wrapping" ] || sets=$wrapping
        quote "$at"
        at=$word
        case " $submits " in
        *" $command "*)
            if [ -n "$wrapping" ]; then
                quote "$wrapping; exec \"\$0\" \"\$@\""
                at="/bin/sh -c $word $at"
            fi
            echo "$command() { submits \"\$PWD\" $at \"\$@\"; }"
            ;;
        *) echo "$command() (login; asked; ${wrapping:+$wrapping; }exec $at \"\$@\")" ;;
        esac
    done 3<<END
$(PATH=$given_path && for command in $submits $asks; do command -v "$command" || echo; done)
END
    echo "$sets"
    quote "$found"
    echo "commands=$word"
}

as_given() { # what the process was given; $1: how many shells its `exec`s have replaced; after `facts`
    IFS='|'
    echo "login() { unset HOME USER LOGNAME SHELL PATH LC_ALL PWD OLDPWD" $places
    unset IFS
    variables '[A-Za-z_][A-Za-z0-9_]*' "$readonly|SHLVL|_" 'export '
    [ -z "$given_shlvl" ] || echo "export SHLVL=$((given_shlvl + $1))"
    echo '} 2>/dev/null'
    echo 'typed() {'
    echo "umask $(umask)"
    limits
    kept
    nicer=$(($(nice) - ${niceness:-$given_niceness}))
    [ "$nicer" -le 0 ] || echo "set -- $(command -v nice) -n $nicer \"\$@\""
    echo 'exec "$@"'
    echo '}'
}

describe() { # all of it: as_given, and the functions for asking; after `facts`
    as_given "$1"
    echo "asked() { unset _ $(names "$locale|$ambient" "$places"); export $fixed; }"
    commands
}

tell() { # the login environment, between two marks; run in place of the login shell
    facts
    case $given_shell in *csh) level=0 ;; *) level=1 ;; esac # csh does not count its own level
    printf '\n%s\n' "$given_mark"
    describe "$level"
    printf '%s\n' "$given_mark"
}
