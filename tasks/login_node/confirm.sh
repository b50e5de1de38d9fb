# A submission that lost its answer was found: keep what qsub would have said. Variables: root, key, receipt.
enter "$key"
if [ ! -f "$mine/receipt" ]; then
    problem=$({
        { stat -c %Y "$attempt/asked" || date +%s; } 2>/dev/null
        printf '%s\n' "$receipt"
    } 2>&1 >"$mine/receipt.new" && : >"$mine/receipt.err" && mv "$mine/receipt.new" "$mine/receipt" 2>&1) || refuse "$problem"
fi
# A qsub that waits for the job's end (-sync y) has nobody left to tell.
if [ "$(alive "$attempt/asked")" = yes ]; then
    read -r pid <"$attempt/pid" && kill -9 "$pid" 2>/dev/null
fi
inspect
finish
