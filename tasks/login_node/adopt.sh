# shellcheck shell=sh
# shellcheck disable=SC3067 # test -O: dash and bash have it
# List all submissions. Variable: root (of all job directories).
# Section `found`: for each KEY, what submithost was told of it, and the answer of the scheduler, each with a NUL at its
# end. There may be tens of thousands: one pass reads them all.
enter .
root=${job%/.}
section root
printf '%s\n' "$root"
section found
for about in "$root"/*/.submithost/about; do
    mine=${about%/about}
    job=${mine%/.submithost}
    ours && [ -f "$about" ] && [ -O "$about" ] && printf '%s\0' "$about" "$mine/receipt"
done | xargs -0 -r grep -a -s -H -Z -D skip '' | tr '\0\001' '\001 ' | LC_ALL=C awk '
    { # FILE<\001>LINE: those of one file come together, and a receipt after what it is of
        at = index($0, "\001")
        line = substr($0, at + 1)
        file = substr($0, 1, at - 1)
        if (file == last) {
            printf "\n%s", line
            next
        }
        last = file
        if (file ~ /\/about$/) {
            if (open) printf open == "about" ? "\001\001" : "\n\001"
            sub("/.submithost/about$", "", file)
            sub(".*/", "", file)
            printf "%s\001%s", file, line
            open = "about"
        } else {
            printf "\001%s", line
            open = "receipt"
        }
    }
    END { if (open) printf open == "about" ? "\001\001" : "\n\001" }' | tr '\001' '\0'
finish
