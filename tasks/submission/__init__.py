"""From a request to a job ID, exactly once: prepare, attempt, find out what became of an attempt.

docs/exactly-once.md explains it.
"""
