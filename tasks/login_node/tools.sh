# shellcheck shell=sh
# Which tools of the login node cannot do what these programs need beyond POSIX: a line of section `tools` for each.
try() { # WHAT EXPECTED COMMAND: what the command has to print
    what=$1 expected=$2
    shift 2
    [ "$("$@" </dev/null 2>/dev/null)" = "$expected" ] || printf '%s\n' "$what"
}
reads_no_further() { printf abcd | { head -c 2 >/dev/null && cat; }; }
part() { printf abcd | dd bs=128k iflag=skip_bytes,count_bytes skip=1 count=2; }
checks() { sha256sum /dev/null | sha256sum -c --quiet && echo good; }
sets_times() { touch -c -d @0.5 "/.submithost-$$" && echo good; } # it does not exist, and is not created
moves() { # only an error about its options counts
    said=$(mv -T "/.submithost-$$" "/.submithost-$$-too" 2>&1)
    case $said in *ption* | *sage* | *'not found'*) ;; *) echo good ;; esac
}
without_words() { xargs -0 -r echo && echo good; }
section tools
try 'stat -c' / stat -c %n /
try 'find -printf' / find / -prune -printf %p
try 'find -mmin' / find / -prune ! -mmin -0
try 'xargs -0 -r' good without_words
try 'mv -T' good moves
try 'touch -d @SECONDS' good sets_times
try 'sha256sum -c' good checks
try 'dd iflag=skip_bytes,count_bytes' bc part
try 'head -c, which reads no further' cd reads_no_further
finish
