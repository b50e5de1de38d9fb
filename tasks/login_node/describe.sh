# The environment of a process, told as a text that makes it that of another: functions of /bin/sh, after given.sh, for
# prelude.sh.
# From the session: submits and asks (the schedulers' commands that are run as typed, and those that only ask), places
# (names of variables that say where a scheduler is) and ambient (of those that hold defaults for its commands), fixed
# (what is set for asking), and short_cut (sh that may set `at`, the program behind $command, and `wrapping`: what the
# wrapper that it passes by does, as sh). Names are extended regular expressions.

block=/proc/$PPID/environ
# What changes words, order or form of what programs print.
locale='LC_[A-Z]*|LANG|LANGUAGE|NLSPATH|TZ|TZDIR|POSIXLY_CORRECT|COLUMNS|LINES|GREP_[A-Z]*|[A-Z_]*BLOCK_?SIZE'

names() { # of those variables that are a $1 and no $2
    sed -z -n -E "/^($2)=/d; s/^($1)=.*/\1/p" "$block" | tr '\0' ' '
}

limits() { # -u is how many processes there may be, but where there is no -u it is -p
    processes=u
    (ulimit -S -u) >/dev/null 2>&1 || processes=p
    for limit in c d f l m n s t v "$processes"; do
        soft=$(ulimit -S "-$limit" 2>/dev/null) && echo "ulimit -S -$limit $soft 2>/dev/null"
    done
}

commands() { # a shell function for each command, and in `commands` the path of each that there is
    path=$(value PATH) found='' sets=
    for command in $submits $asks; do
        at=$(PATH=$path && command -v "$command")
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
        at=$(quoted "$at")
        case " $submits " in
        *" $command "*)
            [ -z "$wrapping" ] || at="/bin/sh -c $(quoted "$wrapping; exec \"\$0\" \"\$@\"") $at"
            echo "$command() { submits \"\$PWD\" $at \"\$@\"; }"
            ;;
        *) echo "$command() (login; asked; ${wrapping:+$wrapping; }exec $at \"\$@\")" ;;
        esac
    done
    echo "$sets"
    echo "commands=$(quoted "$found")"
}

describe() { # $1: how many levels of shells the process hides, since it is one's `exec`
    echo "login() { unset HOME USER LOGNAME SHELL PATH LC_ALL PWD OLDPWD $(echo "$places" | tr '|' ' ')"
    variables '[A-Za-z_][A-Za-z0-9_]*' "$readonly|SHLVL|_" 'export '
    level=$(value SHLVL)
    [ -z "$level" ] || echo "export SHLVL=$((level + $1))"
    echo '} 2>/dev/null'
    echo "asked() { unset _ $(names "$locale|$ambient" "$places"); export $fixed; }"
    variables "$places" '' 'export '
    echo 'typed() {'
    echo "umask $(umask)"
    limits
    kept
    nicer=$(($(nice) - ${niceness:-$(value submithost_niceness)}))
    [ "$nicer" -le 0 ] || echo "set -- $(command -v nice) -n $nicer \"\$@\""
    echo 'exec "$@"'
    echo '}'
}

tell() { # the login environment, between two marks, by a program that the login shell has become
    mark=$(value submithost_mark)
    case $(value SHELL) in *csh) level=0 ;; *) level=1 ;; esac # csh keeps its level
    printf '\n%s\n' "$mark"
    describe "$level"
    commands
    printf '%s\n' "$mark"
}
