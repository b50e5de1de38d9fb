"""Private clusters on this machine: Grid Engine cells, each with its own sshd, their files in one place."""
