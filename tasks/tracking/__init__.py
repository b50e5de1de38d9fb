"""How jobs are: one watch over all jobs of a cluster, from their notes, the queue and the accounting to their states.

It changes no job, and knows nothing of how one was submitted.
"""
