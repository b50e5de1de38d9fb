# How far a submission has come. Variables: root, key.
enter "$key"
section directory
printf '%s\n' "$job"
inspect
finish
