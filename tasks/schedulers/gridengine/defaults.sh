# shellcheck shell=sh
# sge_qstat(5): qstat's options may be in files. Ours win over -s and -u there (as tried); `-q '*'` wins over -q, but
# leaves out what no queue can run, so only then. With others that leave jobs out qstat is not asked at all; nor is
# `qstat -j`, where it would answer in XML.
defaults() { # OPTIONS: the lines that have one of these
    grep -s -E "^[^#]*(^|[[:space:]])-($1)([[:space:]]|\$)" \
        "$SGE_ROOT/${SGE_CELL:-default}/common/sge_qstat" "$HOME/.sge_qstat" /dev/null
}
not_asked_with() { # OPTIONS WHAT: end where defaults have one of these, with which qstat would do that
    found=$(defaults "$1")
    [ -z "$found" ] || {
        printf 'qstat would %s because of a default, %s\n' "$2" "$found" >&2
        exit 1
    }
}
