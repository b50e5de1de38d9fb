# The job directory: where it is, and how far its submission has come.
# Variables: root (of all job directories; `~/` is the home directory over there), key.

case $root in
'~') root=$HOME ;;
'~/'*) root=$HOME/${root#'~/'} ;;
/*) ;;
*) root=$HOME/$root ;;
esac

enter() { # a key: sets job, mine (what in there is submithost's own), attempt
    job=$root/$1
    mine=$job/.submithost
    attempt=$mine/attempt
}

ours() { # whether the job directory is nobody else's, however it came here: what is written in there would be read, or run
    [ -O "$job" ] && [ ! -L "$job" ] && { [ ! -e "$mine" ] || { [ -O "$mine" ] && [ ! -L "$mine" ]; }; }
}

exposed() { # the directories at and above $root, its links followed, in which anybody could put another one in its place
    real=$(cd "$root" && pwd -P) || return
    set -- /
    while [ -n "${real#/}" ]; do
        set -- "$@" "$real"
        real=${real%/*}
    done
    # Sticky ones are safe from all but their owner; a network's file system may show root as 65534.
    find "$@" -maxdepth 0 -perm -0002 ! \( -perm -1000 \( -uid 0 -o -uid 65534 \) \) | while IFS= read -r exposed; do
        [ -k "$exposed" ] && [ -O "$exposed" ] || printf '%s\n' "$exposed"
    done
}

age() { # seconds since a file was changed, by the clock of its own file system (L10); empty when it is gone
    changed=$(stat -c %Y "$1" 2>/dev/null) || return
    true 2>/dev/null >"$mine/.now" # not `:`, with which a full disk would end the whole shell
    now=$(stat -c %Y "$mine/.now" 2>/dev/null || date +%s)
    rm -f "$mine/.now"
    echo $((now - changed))
}

alive() { # whether the process that a file names (HOST PID) lives; `unknown` for another host's
    read -r host pid 2>/dev/null <"$1" || { echo unknown && return; }
    if [ "$host" != "$(uname -n)" ]; then
        echo unknown
    elif kill -0 "$pid" 2>/dev/null; then
        echo yes
    else
        echo no
    fi
}

# Sections `directory`, `digest` (of the text that was submitted), and `receipt`, or `claim`, `attempt` (PHASE AGE ALIVE
# TOKEN), `answer` so far: each of these there if what it tells of is there.
inspect() {
    section directory
    printf '%s\n' "$job"
    if IFS= read -r digest 2>/dev/null <"$mine/digest"; then
        section digest
        printf '%s\n' "$digest"
    fi
    if [ -f "$mine/receipt" ]; then
        section receipt
        cat "$mine/receipt"
        [ ! -s "$mine/receipt.err" ] || cat "$mine/receipt.err" >&2
        return
    fi
    if claim=$(readlink "$mine/claim"); then
        section claim
        printf '%s\n' "$claim"
    fi
    if [ -f "$attempt/asked" ]; then
        section attempt
        echo asked "$(age "$attempt/asked")" "$(alive "$attempt/asked")"
        # Without its status it is not over, or it could not be kept; what it accepted it has accepted.
        section answer
        cat "$attempt/out" 2>/dev/null
        cat "$attempt/err" >&2 2>/dev/null
        [ ! -f "$attempt/status" ] || section "=$(cat "$attempt/status")"
    elif [ -d "$attempt" ]; then
        section attempt
        for holder in "$attempt"/holder.*; do
            echo putting "$(age "$holder")" "$(alive "$holder")" "${holder##*/holder.}"
        done
    fi
}
