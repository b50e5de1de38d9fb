"""Whether the way to a cluster works: step by step, each with its cure, and a test job that runs through it."""
