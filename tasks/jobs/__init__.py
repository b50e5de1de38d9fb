"""Jobs that exist: which ones are meant, their logs and results, and what changes, repeats or removes them.

How they are is the business of `tracking`, how they came to be that of `submission`.
"""
