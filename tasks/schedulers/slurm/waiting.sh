# shellcheck shell=sh
# Why jobs wait: what there is, and where jobs are in the line of their partition.
places() { # IDS: lines `place|ID|N|OF`; of all users' jobs those count that wait for room alone
    squeue -h -t PD -S P,-p -o '%P|%r|%F' | awk -F '|' -v ids=" $* " '
        $2 ~ /^(Resources|Priority|None)$/ && !seen[$1, $3]++ { n[$1]++
            if (index(ids, " " $3 " ")) { many++; id[many] = $3; at[many] = n[$1]; part[many] = $1 } }
        END { for (i = 1; i <= many; i++) print "place|" id[i] "|" at[i] "|" n[part[i]] }'
}
limits() { # WHAT SCONTROL SAID: lines `limit|NAMES...` and below `limit|VALUES...`, where a limit of the accounting counts
    case $1 in
    *Reason=Assoc* | *Reason=QOS* | *Reason=Max*PerAccount*)
        sacctmgr -P show qos format=Name,GrpJobs,GrpTRES,MaxJobsPU,MaxTRESPU,MaxJobsPA,MaxTRESPA | sed 's/^/limit|/'
        accounts=$(printf '%s\n' "$1" | sed -n 's/.* Account=\([^ ]*\) .*/\1/p' | sort -u | paste -s -d , -)
        sacctmgr -P show assoc where "account=$accounts" format=Account,User,GrpJobs,GrpTRES,MaxJobs,MaxTRES |
            awk -F '|' -v me="$(id -un)" 'NR == 1 || $2 == "" || $2 == me { print "limit|" $0 }'
        ;;
    esac 2>/dev/null </dev/null
}
waiting() { # IDS; `described` prints what scontrol says of them
    said_of_all=$(described | grep ' JobState=PENDING ') || return 0
    printf '%s\n' "$said_of_all"
    sinfo -e -h -o 'has|%R|%a|%D|%c|%m|%l|%T|%E'
    limits "$said_of_all"
    places "$@"
}
