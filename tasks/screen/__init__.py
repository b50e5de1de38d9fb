"""What a person sees and types: tables, progress, prompts, and streams that may be closed or full.

It decides nothing: what is shown is given to it.
"""
