"""Trees of files here and on the cluster: listed alike, compared, sent and brought, each file verified.

Nothing in here knows what a job is.
"""
