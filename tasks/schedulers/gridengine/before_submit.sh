# shellcheck shell=sh
# shellcheck disable=SC2016 # for another shell, which is to expand it
# shellcheck disable=SC2018,SC2019 # the words are qmaster's, in ASCII
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# shellcheck disable=SC3065 # test -k: dash and bash have it
# shellcheck disable=SC3067 # test -O: dash and bash have it
# Before qsub, on the login node: which shell `-S` asks for, if anything does; qsub itself tells. `run` finds it in the file
# `shell`. Where a first line `#!` is obeyed instead (G7), and where `-S` is not a shell, which could not hand over to
# `run`, another program reads the submitted file: env(1), which Grid Engine does not start as a login shell, so that
# profiles are read once, by the shell that the file `login_shells` says so of. Where all queues obey `#!`, none has to.
accepted() { # G1, G2: the file with qsub's stdout has a line that accepts; with -terse that is the last one
    ! grep -q 'could not be scheduled; try again later' "$2" || return # -now y on a full cell: the job is gone again
    grep -q -E '^Your job(-array)? [0-9.:-]+ \(".*"\) has been submitted$' "$1" ||
        tail -n 1 "$1" | grep -q -E '^[0-9]+(\.[0-9]+-[0-9]+:[0-9]+)?$'
}
details() { # the answer says it all
    # What is of this job alone, a qsub in its body would read. `run` removes it before; a bare job has none.
    [ -z "$bare" ] || rm -f "$job/.sge_request"
}
hand_over() { echo "exec /bin/sh '$mine/run' '$file'"; } # in sh as in csh
survey() { # how queues start scripts, and what are login shells; asked once an hour, since it takes as long as qsub
    known=$root/.queues
    [ -O "$root" ] && [ ! -k "$root" ] || known=$mine/queues # where others write, they could answer
    cluster="$SGE_ROOT $SGE_CELL $SGE_QMASTER_PORT" # a home directory may be that of several
    if [ -z "$(find "$known" -mmin -60)" ] || ! grep -q -x -F -e "$cluster" "$known"; then
        qconf -sq "*" -sconf >"$known.$$" || return
        # After `#global:` comes a shell_start_mode that only new queues begin with.
        sed -n '/^#/,$!{/^shell_start_mode /p}; /^login_shells /p' "$known.$$" >"$known.$$.new"
        printf '%s\n' "$cluster" >>"$known.$$.new"
        mv "$known.$$.new" "$known"
        rm "$known.$$"
    fi
    cat "$known"
}
requests() { # the files of defaults that qsub reads, sge_request(5)
    cat "$HOME/.sge_request" "$SGE_ROOT/${SGE_CELL:-default}/common/sge_request" draft/.sge_request 2>/dev/null
}
verified() { # what qsub -verify says of $1, its defaults' files read and all; asked once
    [ -f verified ] || (
        cd draft && eval "${verify%".submithost/job/$job_name"}../job/$job_name"
    ) </dev/null >verified 2>/dev/null
    sed -n "s/^$1: *//p" verified
}
mentions() { # whether anything that qsub reads may have this option (a regular expression)
    {
        printf '%s\n' "$submit"
        requests
        sed -n 's/^#\$//p' "$drafted/script"
    } | grep -q -E -e "(^|[[:space:]])-($1)" -e '-@'
}
reads() { # The rest is no business of those who can read what qmaster spools. -C gives directives another beginning.
    if mentions 'C[[:space:]]'; then cat; else sed -n '/^#\$/p'; fi
}
places() { # the working directory, and where logs go
    mentions '(o|e|wd)[[:space:]]' || return
    directory=$(verified cwd)
    printf '%s\n' "${directory:-$HOME}"
    for stream in stdout $([ "$(verified merge)" = y ] || echo stderr); do
        path=$(verified "${stream}_path_list") # HOST:NONE:PATH, and more of them
        path=${path%%,*}
        path=${path#*:*:}
        known '$HOME' "$HOME"
        known '$USER' "$(id -un)"
        known '$JOB_NAME' "$(verified job_name)"
        [ -z "$path" ] || printf '%s\n' "$path"
    done
}
known() { case $path in *"$1"*) path=${path%%"$1"*}$2${path#*"$1"} ;; esac }
surveyed() { sed -n "s/^$1 *//p" survey; }
prepare() {
    asked=
    if case $submit in *-S* | *-@*) true ;; *) false ;; esac ||
        requests | cat - "$drafted/script" | grep -q -e '-S' -e '-@'; then
        asked=$(verified shell_list)
        asked=${asked%%,*}
        asked=${asked##*:}
        printf '%s' "$asked" >"$drafted/shell" || return
    fi
    case $shebang:${asked##*/} in
    0:) return ;;
    ?:sh | ?:bash | ?:dash | ?:ksh* | ?:zsh | ?:csh | ?:tcsh) return ;;
    esac
    case $(surveyed shell_start_mode | tr A-Z a-z) in
    '' | *script_from_stdin*) submit=$submit_by_sh ;;
    *posix_compliant*)
        submit=$submit_by_env
        surveyed login_shells >"$drafted/login_shells"
        ;;
    esac
}
