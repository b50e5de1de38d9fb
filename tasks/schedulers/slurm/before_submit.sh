# shellcheck shell=sh
# shellcheck disable=SC1091 # it is written at the login node
# shellcheck disable=SC2154 # set before it in the program: by the session, by prelude.sh, or by what its head names
# sbatch says neither which tasks an array job has (S2) nor what it is called.
accepted() { # S1: with --parsable the last line is ID or ID;CLUSTER
    grep -q -E '^Submitted batch job [0-9]+' "$1" || tail -n 1 "$1" | grep -q -E '^[0-9]+(;.*)?$'
}
details() {
    id=$(sed -n -E 's/^(Submitted batch job )?([0-9]+)($| .*|;.*)/\2/p' "$1" | tail -n 1)
    # Tasks that have started are on a line of their own.
    found=$(scontrol show job "$id" 2>/dev/null </dev/null | grep '^JobId=') || return 1
    found=$(printf '%s\n' "$found" | sed 's/ ArrayTaskId=4294967294 / /')
    tasks=$(printf '%s\n' "$found" | sed -n -E 's/^.* ArrayTaskId=([0-9,:-]+).*/\1/p' | paste -s -d , -)
    printf '%s\n' "${tasks:--} $(printf '%s\n' "$found" | sed -n 's/^.* JobName=//p; q')"
}
# In the process that slurmd starts, which knows what environment that was given: a dash drops functions.
hand_over() { echo "submithost_mine='$mine' submithost_file='$file'; . '$mine/run'"; }
in_login() { # the login environment, and what `defaults` below says in it; nothing of ours but the arguments is left
    login
    unset IFS
    PATH=/usr/local/bin:/usr/bin:/bin:$PATH
    cd "$1" && . ./said
}
prepare() ( # The defaults, as `defaults` below writes them, become lines for sbatch.
    in_login "$drafted" || return
    name=${job_name_flag:-${SBATCH_JOB_NAME-$job_name}}
    log=%x # Slurm puts the name there, whatever is in it, and no file can be called `a/b`
    if case $name in */*) true ;; *) [ "$(printf %s "$name" | wc -c)" -gt 200 ] ;; esac; then
        log=$(printf %s "$name" | LC_ALL=C tr -c 'A-Za-z0-9_.+=-' _ | cut -c 1-200)
    fi
    while IFS='|' read -r unless line; do
        for variable in $unless; do # what the environment says, sbatch takes for less than what a line says
            eval "[ -z \"\${$variable+set}\" ]" || continue 2
        done
        printf '%s\n' "$line" || return
    done <defaults >defaults.new &&
        sed "s/^\(#SBATCH --[a-z]*=\)%x\(\.[oe]%\)/\1$log\2/" defaults.new >defaults && rm defaults.new
)
places() ( # the working directory, and where logs go
    in_login "$drafted" || return
    printf '%s\n' "${chdir:-.}"
    for log in "${output_flag:-${SBATCH_OUTPUT:-$output}}" "${error_flag:-${SBATCH_ERROR:-$error}}"; do
        case $log in *%u*) log=${log%%%u*}$(id -un)${log#*%u} ;; esac
        printf '%s\n' "$log"
    done
)
