# Ask the scheduler something. Variable: command.
section now
date +%s
ask answer "$command"
finish
