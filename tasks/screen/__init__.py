"""What a person sees and types: tables, progress, prompts, and streams that may be closed or full.

This room decides nothing: it shows what it is given.
"""
