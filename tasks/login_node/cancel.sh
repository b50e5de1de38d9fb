# Note in the job directories that their jobs were cancelled from here, then do it.
# Variable: command. Data: lines `TASK DIRECTORY` (task 0: the whole job).
while read -r task directory; do
    : >"$directory/.submithost/cancelled.$task"
done
ask answer "$command"
finish
