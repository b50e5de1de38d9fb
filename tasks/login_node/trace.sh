# Before a question about single jobs: the scheduler's list.
# Variable: queue (the question about all jobs of this user).
ask queue "$queue"
