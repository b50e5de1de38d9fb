"""What each scheduler says: how it is asked, and what its answers mean. Nothing in here runs anything.

A scheduler is a file or a folder in here with a line `scheduler = ...`, an instance of `seam.Scheduler`; adding one is
adding that. No other file names a scheduler. What passes through the seam is in `values`.
"""

from .registry import assumed, by_rank, clients, known, scheduler

__all__ = ["assumed", "by_rank", "clients", "known", "scheduler"]
