# The submissions that there are. Variable: root (of all job directories).
# Section `found`: for each KEY, what submithost was told of it, and the answer of the scheduler, each with a NUL at its end.
enter .
root=${job%/.}
section root
printf '%s\n' "$root"
section found
for about in "$root"/*/.submithost/about; do
    mine=${about%/about}
    job=${mine%/.submithost}
    ours && [ -f "$about" ] && [ -O "$about" ] || continue
    printf '%s\0' "${job##*/}"
    cat "$about"
    printf '\0'
    cat "$mine/receipt" 2>/dev/null
    printf '\0'
done
finish
