"""Jobs that exist: which ones are meant, their logs and results, and how they are changed, repeated or removed.

Their states are the business of `tracking`, their submission that of `submission`.
"""
