"""A template to begin with."""

from __future__ import annotations

import re
from pathlib import Path

from ..model.errors import InvalidInput
from ..model.wording import one_line
from .places import SUFFIX, places

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}", re.ASCII)
_BEGINNING = """\
{%# What it is for, in one line.
input: the file to work on; the first comment tells of each variable
#%}
#!/bin/bash
{{ directives(time="1:00:00", memory="2G") }}
set -euo pipefail

echo "Job {{ job_id }} works on" {{ input | quote }}
wc {{ options | default("-l") }} {{ input | quote }} >result.txt
"""


def create(name: str) -> Path:
    """Write `./job_templates/NAME.sh.j2`, never over a file that exists. Raises InvalidInput."""
    name = name.removesuffix(SUFFIX).removesuffix(".sh")
    if not _NAME.fullmatch(name):
        raise InvalidInput(f"template name '{one_line(name)}': letters, digits and _.+- only, the first no sign")
    path = places()[0] / f"{name}.sh{SUFFIX}"
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(_BEGINNING)
    except FileExistsError:
        at = path if path.exists() or path.is_symlink() else path.parent
        raise InvalidInput(f"{at} exists already, and is left as it is") from None
    except OSError as error:
        raise InvalidInput(f"{path}: cannot be written: {error.strerror}") from None
    return path
