"""Trees of files here and on the cluster: listed, compared, sent and brought, each file verified.

Nothing in here knows what a job is.
"""
