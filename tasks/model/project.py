"""The project: the directory whose `fabric.yml` and `job_templates` are used, anywhere below it.

Under `fab` it is the directory of the fabfile, found here, in a directory above, or by `-r DIR` and `-c NAME`. Under
`submithost` it is the nearest directory, from here upwards, that has a `fabric.yml` or a fabfile.
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
    """`directory` is as short as it can be written; `searched`: it was not found by the fabfile of this program."""

    directory: Path = Path()
    searched: bool = False

    def path(self, name: str | Path) -> Path:
        """The path of a name in the project; an absolute path is kept.

        Raises InvalidInput when somebody else could change what is there, FileNotFoundError when nothing is.
        """
        return self.own(self.directory / name)

    def own(self, path: Path) -> Path:
        """The same, for a file that is obeyed, as it is to be opened. Raises as `path` does."""
        path = as_reached(path)
        refuse_foreign(path, self._chosen())
        return path

    def refuse_planted(self, path: Path) -> None:
        """Raises InvalidInput for a file that the user named, if somebody else planted it where all may write."""
        refuse_planted(path, self._chosen())

    def _chosen(self) -> list[Path]:
        """The directories that the user chose to be in; their owners are trusted."""
        return [Path(), Path(os.path.expanduser("~")), *([] if self.searched else [self.directory])]


current = Project()
"""The project of this command line."""


_opened = False


def open_project() -> None:
    """Find the project of this command line."""
    global current, _opened
    _opened = True
    current = Project()
    with contextlib.suppress(FileNotFoundError):  # where we stand has been removed
        fabfile = _fabfile()
        current = Project(_short(fabfile)) if fabfile else Project(_short(_upwards()), searched=True)


def ensure_open() -> None:
    """Find the project, unless it is known: for programs, which have no command line."""
    if not _opened:
        open_project()


def _fabfile() -> Path | None:
    """The directory of the fabfile that Invoke is loading; if it is a package, the directory that contains it.

    It may import us by way of other modules: it is the outermost module that is being imported.
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
    """The path, relative if that is shorter."""
    absolute = os.path.abspath(directory)
    return Path(min(os.path.relpath(absolute), absolute, key=len))
