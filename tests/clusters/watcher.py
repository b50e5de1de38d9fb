"""Another user with `ps`: note every command line of this machine, as fast as it goes, until stdin ends.

Prints a JSON list of the command lines, and one of the marks that programs of ours have in their environment, which
nobody else can read.
"""

from __future__ import annotations

import json
import os
import re
import select
import sys


def main() -> None:
    """Watch, and tell."""
    lines: set[bytes] = set()
    marks: set[str] = set()
    print("ready", flush=True)
    while not select.select([0], [], [], 0)[0]:
        for process in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{process}/cmdline", "rb") as file:
                    line = file.read()
                lines.add(line)
                if b"submithost_line" in line:
                    with open(f"/proc/{process}/environ", "rb") as file:
                        marks.update(re.findall(r"\bsubmithost_mark=(\w+)", file.read().decode("latin-1")))
            except OSError:  # it has ended, or is somebody else's
                continue
    json.dump([sorted(line.decode("latin-1") for line in lines), sorted(marks)], sys.stdout)


if __name__ == "__main__":
    main()
