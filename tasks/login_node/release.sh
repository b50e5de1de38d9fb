# An attempt that is known to have made no job makes room for the next one. Variables: root, key, held (its name).
enter "$key"
drop "$attempt/$held"
inspect
finish
