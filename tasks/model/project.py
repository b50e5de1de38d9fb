"""The project: the directory whose `fabric.yml` and `job_templates` count, wherever below it one stands.

Under `fab` it is that of the fabfile, however it was found: here, in a directory above, or by `-r DIR` and `-c NAME`.
Without one (`submithost`), it is the nearest directory that has a `fabric.yml` or a fabfile, from here upwards.
"""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from .ownership import as_reached, refuse_foreign, refuse_planted

_MARKS = ("fabric.yml", "fabfile.py", "fabfile/__init__.py")


@dataclass(frozen=True)
class Project:
    """Its directory, as short as it can be said from here; `searched`: no fabfile of this program led there."""

    directory: Path = Path()
    searched: bool = False

    def path(self, name: str | Path) -> Path:
        """What has this name in the project; an absolute path stays one.

        Raises InvalidInput when somebody else has a say in it, FileNotFoundError when there is nothing.
        """
        return self.own(self.directory / name)

    def own(self, path: Path) -> Path:
        """The same path, as it is to be opened, for what is obeyed in it. Raises as `path` does."""
        path = as_reached(path)
        refuse_foreign(path, self._chosen())
        return path

    def refuse_planted(self, path: Path) -> None:
        """Raises InvalidInput for a file that the user named, when somebody else laid it where all may write."""
        refuse_planted(path, self._chosen())

    def _chosen(self) -> list[Path]:
        """Where the user went: what the owners of these directories keep in them counts."""
        return [Path(), Path(os.path.expanduser("~")), *([] if self.searched else [self.directory])]


current = Project()
"""That of this command line."""


_opened = False


def open_project() -> None:
    """Find the project, and make it that of this command line."""
    global current, _opened
    _opened = True
    current = Project()
    with contextlib.suppress(FileNotFoundError):  # where we stand has been removed
        fabfile = _fabfile()
        current = Project(_short(fabfile)) if fabfile else Project(_short(_upwards()), searched=True)


def ensure_open() -> None:
    """Find the project unless that was done: for a program, which has no command line."""
    if not _opened:
        open_project()


def _fabfile() -> Path | None:
    """The directory of the fabfile that Invoke is loading; of one that is a package, the directory that has it.

    It may have called us by way of other modules: it is the outermost of those that are just being imported.
    """
    module, frame = None, sys._getframe()
    while frame.f_back and frame.f_globals.get("__name__") != "invoke.loader":
        if frame.f_code.co_name == "<module>":
            module = frame.f_globals
        frame = frame.f_back
    spec = module and module.get("__spec__")
    if not frame.f_back or not spec or not spec.origin:
        return None
    above = Path(spec.origin).parent
    return above.parent if spec.parent else above  # as Invoke looks for Fabric's own settings


def _upwards() -> Path:
    here = Path.cwd()
    return next((each for each in (here, *here.parents) if any(os.path.lexists(each / mark) for mark in _MARKS)), here)


def _short(directory: Path) -> Path:
    """Relative to here where that is shorter."""
    absolute = os.path.abspath(directory)
    return Path(min(os.path.relpath(absolute), absolute, key=len))
