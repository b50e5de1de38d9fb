# shellcheck shell=sh
# shellcheck disable=SC2034 # used by what follows it in the program
# shellcheck disable=SC2016 # for another shell, which is to expand it
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# The row of a sweep, and what follows from it. Line N of the file `rows` is that of task N: `ROW START SIZE`, and the values as words NAME='VALUE',
# as model/rows.py writes it; START and SIZE are where in the file `scripts` the row's own script is, if it has one.
submithost_newline='
'

submithost_no_row() { # WHY
    echo "submithost: row ${submithost_row:-of task $submithost_task}: $1: job $submithost_job leaves" >&2
    submithost_note_end 1 "its row could not be prepared: $1"
    exit 1
}

submithost_lay_script() { # START SIZE
    mkdir -p "${submithost_script%/*}" &&
        tail -c "+$(($1 + 1))" "$submithost_mine/scripts" | head -c "$2" >"$submithost_script.$$" &&
        [ "$(wc -c <"$submithost_script.$$")" -eq "$2" ] &&
        chmod 700 "$submithost_script.$$" && mv -f "$submithost_script.$$" "$submithost_script"
}

submithost_values=$(sed -n "${submithost_task#0}{p;q;}" "$submithost_mine/rows" 2>/dev/null) # of what is no array job, line 1
submithost_row=${submithost_values%% *} submithost_values=${submithost_values#* }
submithost_start=${submithost_values%% *} submithost_values=${submithost_values#* }
submithost_size=${submithost_values%% *} submithost_values=${submithost_values#* }
[ -n "$submithost_size" ] || submithost_no_row 'it is not there'
if [ "$submithost_size" -gt 0 ]; then
    submithost_script=$submithost_mine/tasks/$((submithost_task / 1000))/$submithost_task
    submithost_switched=$submithost_script.switched
    submithost_lay_script "$submithost_start" "$submithost_size" 2>/dev/null ||
        submithost_no_row 'no space for its script'
fi

# Where a task of a sweep runs: in a directory of its own, where the files of --put are links, so that the results of one
# do not overwrite those of another. Where script or flags say where to run, it runs there.
submithost_enter_row() {
    [ "$submithost_task" != 0 ] && [ . -ef "${submithost_mine%/*}" ] || return 0
    submithost_before=${OLDPWD-unset}
    { mkdir -p "rows/$submithost_row" && cd "rows/$submithost_row"; } 2>/dev/null ||
        submithost_no_row "cannot make its directory rows/$submithost_row"
    if [ "$submithost_before" = unset ]; then unset OLDPWD; else OLDPWD=$submithost_before; fi
    sed -z 's/^[^ ]* [^ ]* //; /\//d' "$submithost_mine/put" | xargs -0 -r sh -c '
        for name do
            [ ! -e "../../$name" ] || [ -e "$name" ] || ln -s "../../$name" .
        done' sh
}
