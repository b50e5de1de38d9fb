"""`connect` in a process of its own: with the terminal on stdin as its controlling one, or with none at all.

    child.py NAME SSH_CONFIG [IDENTITY ...]

Prints `in`, or the error's class, exit status and text, on one line.
"""

import fcntl
import os
import signal
import sys
import termios
from pathlib import Path

from tasks.model.cluster import Cluster
from tasks.model.errors import SubmithostError
from tasks.screen.screen import Screen
from tasks.session.fabric.connection import connect

# Started in the background, a shell's children ignore it; somebody at a terminal does not.
signal.signal(signal.SIGINT, signal.default_int_handler)
if os.isatty(0):
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
name, config, *identities = sys.argv[1:]
try:
    cluster = Cluster(name=name, host=name, ssh_config=Path(config))
    connect(cluster, [Path(path) for path in identities], say=Screen().say).close()
except SubmithostError as error:
    print(type(error).__name__, error.exit_status, error)
else:
    print("in")
