"""Grid Engine, as qsub(1), qstat(1), qacct(1) and accounting(5) describe it."""
