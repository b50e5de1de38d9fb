"""What users type: a file for each family of verbs, and what makes a function a verb.

A verb reads its flags, has a lower room do the work, and shows what came of it. What it needs is imported where it is
used: every command line loads this room, `--list` too. Nothing below imports it.
"""
