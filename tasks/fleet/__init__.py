"""Many clusters at once: a process for each cluster, and their output as one. Verbs are handed in, not imported."""
