# How far a submission has come. Variables: root, key.
enter "$key"
section directory
printf '%s\n' "$job"
[ ! -e "$job" ] || ours || refuse "job directory $job belongs to somebody else"
inspect
finish
