# shellcheck shell=sh
# shellcheck disable=SC2034 # used by what comes before it in the program
# shellcheck disable=SC2046 # IDs are digits
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# Why jobs wait. Before it come `list`, and the rows of this user's jobs in $rows.
continued='| {20}' # messages of the scheduler, a line for each
pending() { # IDS: those among them that only wait for their turn
    printf '%s\n' "$rows" | states_of | awk -v ids=" $* " '
        $2 ~ /q/ && $2 !~ /[hE]/ && index(ids, " " $1 " ") && !seen[$1]++ { print $1 }'
}
states_of() { # out of XML: lines `ID STATE`
    sed -n -e 's/^ *<JB_job_number>\([^<]*\)<.*/\1/p' -e 's/^ *<state>\([^<]*\)<.*/\1/p' | paste -d ' ' - -
}
check() { # ID: could it run if the cluster were empty (v), and as it is (p)?
    for how in v p; do
        printf 'check %s %s\n' "$how" "$1"
        said=$(qalter -w "$how" "$1" 2>&1 </dev/null)
        printf '%s\n' "$said"
        # What could run keeps this as its own -w. It counts when somebody alters the job.
        case $said in *"verification: found"*) qalter -w n "$1" </dev/null >/dev/null 2>&1 ;; esac
    done
}
places() { # IDS: where they are in the line of everybody's jobs that are not held, and how many these are
    all=$(list -s p -u '*') || return
    printf '%s\n' "$all" | states_of | awk -v ids=" $* " '
        $2 !~ /[hE]/ && !seen[$1]++ { n++; if (index(ids, " " $1 " ")) print "place", $1, n }
        END { print "waiting", n + 0 }'
}
limits() { # of what was said: the rules and the numbers behind the names of limits
    printf '%s\n' "$1" | sed -n 's/.* in rule "\([^"/]*\)\/.*/\1/p' | sort -u | while IFS= read -r name; do
        qconf -srqs "$name" </dev/null 2>/dev/null | sed -n "s|^ *limit  *|rule $name |p"
    done
    case $1 in *"user limitations"*) qconf -ssconf </dev/null | sed -n 's/^maxujobs  */most /p' ;; esac
}
slots() { # of what was said: the most slots that one host has in each parallel environment that lacks some
    printf '%s\n' "$1" | sed -n 's/.*cannot run in PE "\([^"]*\)".*/\1/p' | sort -u | while IFS= read -r name; do
        qstat -f -q '*' -pe "$name" -u "$(id -un)" </dev/null 2>/dev/null |
            awk -v name="$name" 'split($3, n, "/") == 3 && n[3] + 0 > most { most = n[3] + 0 }
            END { if (most) print "slots", most, name }'
    done
}
waiting() { # IDS; `described` prints what `qstat -j` says of them
    said_of_all=$(described) || return
    printf '%s\n' "$said_of_all"
    set -- $(pending "$@")
    [ $# -gt 0 ] || return 0
    checked=$(for id in "$@"; do check "$id"; done)
    printf '%s\n' "$checked"
    limits "$said_of_all$checked"
    slots "$checked"
    places "$@"
}
