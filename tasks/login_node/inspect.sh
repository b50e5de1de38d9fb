# How far a submission has come. Variables: root, key.
enter "$key"
[ ! -e "$job" ] || ours || refuse "job directory $job belongs to somebody else"
inspect
finish
