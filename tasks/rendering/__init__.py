"""Templates to job scripts. Only this room imports Jinja2, and only when a template is read.

    places       where templates are found, and which file a script's name means
    variables    what `--set` and `--vars` give to a template
    engine       Jinja2 as it is set up here; every mistake in a template becomes one line
    description  a template's purpose and variables, read from its text
    creation     a template to begin with

A template sees `{{ directives }}` (the lines for what is asked for; `{{ directives(cores=4) }}` has the
template's own defaults below that; `directives.asked(time="1:00:00").time` are the seconds that come of it),
`{{ scheduler }}`, the scheduler's expressions for `{{ task_id }}`, `{{ job_id }}` and `{{ cores }}`, its command
`{{ requeue }}` that ends a job so that it runs again, the filter `quote`, and the user's variables. Comments are
`{%# ... #%}`; text for bash that has `{{` or `{%` in it goes between `{% raw %}` and `{% endraw %}`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..model.errors import InvalidInput
from ..model.resources import Resources
from .places import SUFFIX, find, places, read
from .variables import check_names, read_variables

_NOTHING = Resources()

if TYPE_CHECKING:
    from .description import TemplateInfo as TemplateInfo

__all__ = [
    "JobScript",
    "TemplateInfo",
    "Wording",
    "available",
    "called",
    "create",
    "describe",
    "find",
    "places",
    "read_variables",
    "render",
    "render_rows",
    "unused",
]


class Wording(Protocol):
    """What rendering needs to know of a scheduler."""

    @property
    def name(self) -> str:
        """The scheduler's."""

    @property
    def variables(self) -> Mapping[str, str]:
        """What the shell in a job writes for `task_id`, `job_id`, `cores` and `requeue` (ends the job to run again)."""

    def directives(self, resources: Resources) -> list[str]:
        """The directive lines that ask for `resources`."""


@dataclass(frozen=True)
class JobScript:
    """A job script. `name` is its default file name; `rendered`: it came from a template."""

    text: bytes
    name: str
    source: Path
    rendered: bool


def called(script: str) -> str:
    """The file name of what is submitted for `--script`: a template's without its last suffix. Raises InvalidInput."""
    path = find(script)
    return path.stem if path.suffix == SUFFIX else path.name


def render(
    script: str,
    variables: Mapping[str, object],
    resources: Resources,
    dialect: Wording,
    defaults: Resources = _NOTHING,
    seed: str | None = None,
) -> JobScript:
    """The job script for a file or a template's name; a file that does not end in `.j2` as it is.

    In a template's directives `resources` (the flags) win over the template's own, and these over `defaults`
    (the cluster's). `seed` decides what a template draws at random (None: chance does). Raises InvalidInput, with file
    and line number for every mistake in a template.
    """
    (made,) = render_rows(script, variables, ({},), ("",), resources, dialect, defaults, seed)
    return made


def render_rows(
    script: str,
    variables: Mapping[str, object],
    rows: Sequence[Mapping[str, str]],
    places: Sequence[str],
    resources: Resources,
    dialect: Wording,
    defaults: Resources = _NOTHING,
    seed: str | None = None,
) -> list[JobScript]:
    """The same for each row of variables over `variables`; what is no template is one script for all of them.

    `places` are where the rows were given, for messages.
    """
    path = find(script)
    data = read(path)
    if path.suffix != SUFFIX:
        return [JobScript(data, path.name, path, rendered=False)]
    from . import engine

    check_names({**variables, **rows[0]}, dialect.variables)
    directives = engine.Directives(dialect.directives, resources, defaults)
    known = {**variables, **dialect.variables, "scheduler": dialect.name, "directives": directives}

    def hint(undefined: str) -> str:
        from . import description

        return description.misspelt(path, undefined, {**variables, **rows[0]})

    made: list[JobScript] = []

    def contexts() -> Iterator[dict[str, object]]:
        for number, row in enumerate(rows, 1):
            random.seed(seed if seed is None or number == 1 else f"{seed} {number}")
            yield {**known, **row}

    before = random.getstate()  # Jinja2's `random` and `lipsum` use this one
    try:
        for text in engine.render_each(path, data, contexts(), hint):
            made.append(JobScript(text, path.stem, path, rendered=True))
    except InvalidInput as error:
        place = places[len(made)]
        raise InvalidInput(f"{place}: {error}" if place else str(error)) from None
    finally:
        random.setstate(before)
    return made


def unused(script: str, names: Mapping[str, object]) -> list[str]:
    """For each given variable that the template never looks at, a warning of one line. Raises InvalidInput.

    A template with a default does not notice a mistyped name.
    """
    if not names:
        return []
    from . import description

    return description.unused(find(script), names)


def describe(path: Path) -> TemplateInfo:
    """Purpose and variables of a template. Raises InvalidInput."""
    from . import description

    return description.describe(path)


def available() -> list[TemplateInfo]:
    """All templates by name, of the three places; the first place wins. A broken one says so in `problem`."""
    from . import description

    return description.available()


def create(name: str) -> Path:
    """Write `./job_templates/NAME.sh.j2` to begin with, and return its path. Raises InvalidInput, where it exists."""
    from . import creation

    return creation.create(name)
