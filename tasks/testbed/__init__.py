"""Private clusters on this machine: Grid Engine cells, each with its own sshd, all files in one state directory."""
