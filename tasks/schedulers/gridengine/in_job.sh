# shellcheck shell=sh
# shellcheck disable=SC2034 # used by what follows it in the program
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# In the job: who it is, and what would have run the script (sge_conf(5), shell_start_mode; queue_conf(5), shell).
# Without -S the stock shell is csh, whatever the script's first line says (G7): there the first line wins.
submithost_identify() {
    submithost_job=$JOB_ID submithost_claim=$JOB_ID submithost_task=${SGE_TASK_ID:-0}
    if [ "$submithost_task" = undefined ]; then
        submithost_task=0
    elif [ "$submithost_task" != 0 ]; then # as -terse has it: whoever finds the claim knows the whole array
        submithost_claim=$JOB_ID.$SGE_TASK_FIRST-$SGE_TASK_LAST:$SGE_TASK_STEPSIZE
    fi
    submithost_out=$SGE_STDOUT_PATH submithost_err=$SGE_STDERR_PATH
}
submithost_config() { sed -n "s/^$1=//p" "$SGE_JOB_SPOOL_DIR/config" 2>/dev/null; }
submithost_shell() {
    submithost_outer=$(submithost_config shell_path)
    submithost_shell=$(cat "$submithost_mine/shell" 2>/dev/null)
    if [ "$(submithost_config shell_start_mode)" = unix_behavior ]; then
        submithost_mode=obey
    elif [ -n "$submithost_shell" ]; then
        submithost_mode=given
    else
        submithost_mode=default submithost_shell=${submithost_outer:-/bin/sh}
    fi
}
submithost_as_login() { # whether it would have been started as a login shell
    [ "$submithost_mode" != obey ] || return
    if [ -f "$submithost_mine/login_shells" ]; then
        case ,$(tr -d ' ' <"$submithost_mine/login_shells"), in
        *",${submithost_shell##*/},"*) return 0 ;;
        esac
        return 1
    fi
    # A csh has been one already when it read the submitted file, and would say again that it has no terminal.
    case $submithost_outer in *csh) return 1 ;; esac
    [ "$(submithost_config use_login_shell)" = 1 ]
}
submithost_unstartable=100 # which leaves the job in error state, as a missing interpreter does
submithost_environment() { # as it would have been
    rm -f "${submithost_mine%/*}/.sge_request" # of this job alone: a qsub of the body's would read it
    # There stdin is the rest of the submitted file, which is no input of the body's.
    [ "$(submithost_config shell_start_mode)" != script_from_stdin ] || exec </dev/null
    JOB_SCRIPT=$submithost_script # what $0 is, and what a script that submits itself again means
    [ "$submithost_outer" = /usr/bin/env ] || return
    case $submithost_mode:${submithost_shell##*/} in
    given:* | *:sh | *:bash | *:dash | *:ksh* | *:zsh | *:csh | *:tcsh) SHELL=$submithost_shell ;;
    *) SHELL=/bin/sh ;; # which, unlike an interpreter, is of use to programs that start "the user's shell"
    esac
}
