# shellcheck shell=sh
# shellcheck disable=SC2016 # for another shell, which is to expand it
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# Which interpreter the user's script is for, and how the scheduler would have started it: "$@" becomes that command.
submithost_shell
submithost_option=
IFS= read -r submithost_line <"$submithost_script"
case $submithost_mode:$submithost_line in
obey:'#!'* | default:'#!'*)
    # As the kernel reads it: one interpreter, and whatever follows as one argument.
    submithost_line=${submithost_line#'#!'}
    submithost_line=${submithost_line#"${submithost_line%%[! 	]*}"}
    submithost_line=${submithost_line%"${submithost_line##*[! 	]}"}
    submithost_shell=${submithost_line%%[ 	]*}
    submithost_option=${submithost_line#"$submithost_shell"}
    submithost_option=${submithost_option#"${submithost_option%%[! 	]*}"}
    case $submithost_shell in */*) ;; *) submithost_shell=./$submithost_shell ;; esac # it does not look into PATH
    ;;
obey:*) submithost_shell=/bin/sh ;;
esac

# Where a first line counts instead of the queue's shell, that of `env bash` is bash: a login shell, where bash is one.
case $submithost_mode:${submithost_shell##*/}:$submithost_option in
default:env:*[!A-Za-z0-9./' '-]*) ;;
default:env:*)
    submithost_line=${submithost_option#-S }
    submithost_named=${submithost_line%% *}
    case ${submithost_named##*/} in
    sh | bash | dash | ksh | zsh | csh | tcsh)
        submithost_option=${submithost_line#"$submithost_named"}
        submithost_option=${submithost_option# }
        submithost_shell=$(PATH=$submithost_path && command -v "$submithost_named") ||
            submithost_shell=$submithost_named
        ;;
    esac
    ;;
esac

# Without an interpreter nothing can start: the job ends as it would have by hand.
case $submithost_shell in
*/*)
    submithost_why=
    [ -x "$submithost_shell" ] && [ ! -d "$submithost_shell" ] ||
        submithost_why='Permission denied' submithost_status=13 # EACCES
    [ -e "$submithost_shell" ] || submithost_why='No such file or directory' submithost_status=2 # ENOENT
    if [ -n "$submithost_why" ]; then
        submithost_why="cannot run interpreter $submithost_shell: $submithost_why"
        echo "submithost: job $submithost_job $submithost_why" >&2
        submithost_note_end "${submithost_unstartable:-$submithost_status}" "$submithost_why"
        exit "${submithost_unstartable:-$submithost_status}"
    fi
    ;;
esac

# Profiles are not to run with the options of the script's first line, so its first command switches them on: in the file
# `switched`, since all that a profile defines has to be there too.
submithost_switch() {
    submithost_first=$(grep -a -n -v -m 1 '^[[:blank:]]*\(#.*\)\{0,1\}$' "$submithost_script") || return
    submithost_first=${submithost_first%%:*}
    {
        head -n "$((submithost_first - 1))" "$submithost_script" &&
            printf 'set %s; ' "$submithost_set" &&
            tail -n "+$submithost_first" "$submithost_script"
    } >"$submithost_switched.$submithost_task.$$" &&
        mv -f "$submithost_switched.$submithost_task.$$" "$submithost_switched"
} 2>/dev/null

eval "set -- $(cat "$submithost_mine/args")"
set -- "$submithost_script" "$@"
submithost_login=no
! submithost_as_login || submithost_login=yes
case $submithost_login:${submithost_shell##*/} in
yes:sh | yes:bash | yes:dash | yes:ksh | yes:zsh)
    case $submithost_option in
    --posix) submithost_set='-o posix' ;; # which reads no profiles
    --verbose) submithost_set=-v ;;
    --?* | -*[!abefhkmnuvxBCEHPT]* | [!-]* | '' | -) submithost_set= ;;
    *) submithost_set=$submithost_option ;;
    esac
    if [ -n "$submithost_set" ] && submithost_switch; then
        shift
        set -- -l "$submithost_switched" "$@"
    else
        case $submithost_option in
        --?*) set -- "$submithost_option" -l "$@" ;; # bash takes its long options first
        *) set -- -l ${submithost_option:+"$submithost_option"} "$@" ;;
        esac
    fi
    set -- "$submithost_shell" "$@"
    ;;
yes:*csh) # takes -l only alone; a first dash in its name says the same
    set -- "$submithost_shell" ${submithost_option:+"$submithost_option"} "$@"
    [ ! -x /bin/bash ] || set -- /bin/bash -c 'exec -a "-${0##*/}" "$0" "$@"' "$@"
    ;;
*) set -- "$submithost_shell" ${submithost_option:+"$submithost_option"} "$@" ;;
esac
