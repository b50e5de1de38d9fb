# How far a submission has come. Variables: root, key.
enter "$key"
[ ! -e "$job" ] || guard distrust
inspect
finish
