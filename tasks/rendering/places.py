"""Where templates are found: `./job_templates`, the project's, the user's own, and the ones that are shipped."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from ..model import project
from ..model.errors import InvalidInput, nearest
from ..model.reading import read_input
from ..model.wording import one_line

SUFFIX = ".j2"
"""A file that ends in this is rendered."""

_LARGEST_FILE = 256 * 1024**2


def places() -> tuple[Path, ...]:
    """The directories that hold templates, in the order in which they win. Not all of them need exist.

    Raises InvalidInput when somebody else could change the one in the working directory, or in the project.
    """
    import platformdirs

    here = [Path("job_templates")]
    for each in dict.fromkeys((project.Project(), project.current)):
        with contextlib.suppress(FileNotFoundError):
            here.append(each.path("job_templates"))
    return *dict.fromkeys(here), platformdirs.user_config_path("submithost") / "job_templates", _shipped()


def _shipped() -> Path:
    package = Path(__file__).parent.parent
    installed = package / "job_templates"  # in the tree they are beside `tasks`
    return installed if installed.is_dir() else package.parent / "job_templates"


def find(script: str) -> Path:
    """What `--script` means: the file of that name, else the template (`NAME`, in a file `NAME.sh.j2`).

    Raises InvalidInput, one line with the nearest name that exists.
    """
    if not script:
        raise InvalidInput("no script is named; --script takes a file or a template's name")
    path = Path(os.path.expanduser(script))
    try:
        exists = path.exists()  # whatever can be read: `--script=<(make-script)` is a pipe
    except OSError as error:
        raise InvalidInput(f"{one_line(script)}: cannot be read: {error.strerror}") from None
    if exists and not path.is_dir():
        return _file_meant(path, script)
    if template := lookup(script):
        return template
    if exists:
        raise InvalidInput(f"'{one_line(script)}' is a directory; --script takes a file or a template's name")
    known = [*templates(), *(file.name for file in _listdir(path.parent) if file.is_file())]
    raise InvalidInput(f"no file and no template '{one_line(script)}'{nearest(path.name, known) or _listed()}")


def _file_meant(path: Path, script: str) -> Path:
    """The same path: by hand anybody's script can be submitted. Raises InvalidInput where a template may be meant, and
    somebody else have laid this in its way.
    """
    try:
        return project.current.own(path)
    except InvalidInput as error:
        if os.sep not in script and lookup(script):
            said = f"{error}, and a template has this name too: --script=./{one_line(script)} means the file"
            raise InvalidInput(said) from None
        return path


def lookup(name: str, any_file: bool = False) -> Path | None:
    """The template of that name in the first place that has it; with `any_file`, any file there counts.

    Raises InvalidInput when somebody else could change it.
    """
    parts = Path(name).parts
    if not parts or Path(name).is_absolute() or ".." in parts or "\0" in name:
        return None
    names = [name] if any_file or name.endswith(SUFFIX) else []
    for place in places():
        for candidate in (*names, f"{name}.sh{SUFFIX}", f"{name}{SUFFIX}"):
            try:
                if (place / candidate).is_file():
                    return own(place / candidate)
            except OSError:  # the name is too long for a file
                return None
    return None


def own(template: Path) -> Path:
    """The same path. Raises InvalidInput when somebody else could change it; shipped templates are as safe as we."""
    return template if template.parent == _shipped() else project.current.own(template)


def templates() -> dict[str, Path]:
    """All templates by name, the first place winning."""
    found: dict[str, Path] = {}
    for place in places():
        for path in sorted(_listdir(place)):
            if path.suffix == SUFFIX and path.is_file():
                found.setdefault(template_name(path), path)
    return dict(sorted(found.items()))


def template_name(path: Path) -> str:
    """`serial` for `.../serial.sh.j2`."""
    return path.name.removesuffix(SUFFIX).removesuffix(".sh")


def read(path: Path) -> bytes:
    """The bytes of a script or template. Raises InvalidInput."""
    return read_input(path, _LARGEST_FILE, one_line(path), "no job script")


def _listed() -> str:
    return "; templates are " + ", ".join(one_line(name) for name in templates())


def _listdir(directory: Path) -> Iterable[Path]:
    try:
        return list(directory.iterdir())
    except (OSError, ValueError):
        return []
