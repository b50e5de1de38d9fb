"""`python -m submithost`; in the tree, `python -m tasks`."""

from .program import main

main()
