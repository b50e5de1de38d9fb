"""What a template says about itself: its purpose, and its variables, with their defaults or required."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from jinja2 import meta, nodes

from ..model.errors import InvalidInput, closest, nearest
from ..model.wording import one_line
from . import engine
from .places import SUFFIX, lookup, own, read, template_name, templates
from .variables import BUILT_IN

_COMMENT = re.compile(r"\s*\{%#[-+]?(.*?)[-+]?#%\}", re.S)
_ABOUT = re.compile(r"^\s*(\w+):\s+(.+?)\s*$", re.M)


@dataclass(frozen=True)
class Variable:
    """A variable of a template. `default` is None when it is required, or when it is not a plain value."""

    name: str
    required: bool
    default: str | None = None
    about: str = ""

    def __str__(self) -> str:
        default = "" if self.default is None else f"={self.default}"
        return one_line(self.name if self.required else f"[{self.name}{default}]")


@dataclass(frozen=True)
class TemplateInfo:
    """`purpose` is the first line of the comment at a template's beginning; `problem` is why it cannot be used."""

    name: str
    path: Path
    purpose: str = ""
    variables: tuple[Variable, ...] = ()
    problem: str | None = None

    def as_json(self) -> dict[str, object]:
        """What `templates --json` prints of it."""
        return {**asdict(self), "path": str(self.path)}

    def line(self) -> str:
        """It on one line: name, purpose, and its variables, those that can be left out in brackets."""
        if self.problem:
            return f"{self.name:<10} cannot be used: {self.problem}"
        words = [str(variable) for variable in self.variables]
        return f"{self.name:<10} {self.purpose}" + (f"  ({', '.join(words)})" if words else "")


def available() -> list[TemplateInfo]:
    """All templates of the three places by name."""
    found = []
    for name, path in templates().items():
        try:
            found.append(describe(own(path)))
        except InvalidInput as error:
            found.append(TemplateInfo(name, path, problem=str(error)))
    return found


def describe(path: Path) -> TemplateInfo:
    """A template's purpose and variables, those of what it includes among them. Raises InvalidInput."""
    comment = _COMMENT.match(read(path).decode("utf-8", "replace"))
    text = comment[1].strip() if comment else ""
    about = dict(_ABOUT.findall(text))
    uses: dict[str, _Use] = {}
    _collect(path, uses, set())
    variables = [
        Variable(name, use.required, use.default, one_line(about.get(name, "")))
        for name, use in uses.items()
        if name not in BUILT_IN
    ]
    variables.sort(key=lambda variable: (not variable.required, variable.name))
    return TemplateInfo(template_name(path), path, one_line(text.split("\n")[0].strip()), tuple(variables))


def unused(path: Path, names: Iterable[str]) -> list[str]:
    """A warning for each of `names` that the template at `path` does not look at. Raises InvalidInput."""
    if path.suffix != SUFFIX:
        return [f"variable '{one_line(name)}' is not used: {one_line(path)} does not end in {SUFFIX}" for name in names]
    uses: dict[str, _Use] = {}
    if not _collect(path, uses, set()):
        return []
    return [
        f"variable '{one_line(name)}' is not used by {one_line(path)}{nearest(name, set(uses) - set(names))}"
        for name in names
        if name not in uses
    ]


def misspelt(path: Path, undefined: str, given: Iterable[str]) -> str:
    """What is said of a variable that is not set, where one was given that the template does not use, or where the
    template itself seems to mean one that there always is; else an empty text.
    """
    uses: dict[str, _Use] = {}
    _collect(path, uses, set())
    if near := closest(undefined, set(given) - set(uses)):
        what = (
            f"template variable '{undefined}' is not set, and '{one_line(near)}' is, which this template does not use"
        )
        return f"{what}; did you mean --set {undefined}=...?"
    if meant := nearest(undefined, BUILT_IN):
        return f"template variable '{undefined}' is not set{meant}"
    return ""


@dataclass(frozen=True)
class _Use:
    required: bool
    default: str | None


def _collect(path: Path, uses: dict[str, _Use], seen: set[Path]) -> bool:
    """Add a template's variables to `uses`; False when it includes what only rendering can tell."""
    seen.add(path)
    tree = engine.parse(path, read(path))
    complete = True
    for name in sorted(meta.find_undeclared_variables(tree)):
        if name not in uses or not uses[name].required:
            uses[name] = _use(tree, name)
    for node in tree.find_all((nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport)):
        wanted = getattr(node, "template", None)
        found = lookup(str(wanted.value), any_file=True) if isinstance(wanted, nodes.Const) else None
        complete = complete and found is not None
        if found and found not in seen and isinstance(node, (nodes.Include, nodes.Extends)):
            complete = _collect(found, uses, seen) and complete
    return complete


def _use(tree: nodes.Template, name: str) -> _Use:
    """It can be left out if the template asks whether it is defined, or has a default wherever it is used."""
    mentions = [node for node in tree.find_all(nodes.Name) if node.name == name]
    filters = [
        node
        for node in tree.find_all(nodes.Filter)
        if node.name in ("default", "d") and isinstance(node.node, nodes.Name) and node.node.name == name
    ]
    asked = any(
        isinstance(test.node, nodes.Name) and test.node.name == name and test.name in ("defined", "undefined")
        for test in tree.find_all(nodes.Test)
    )
    assigned = any(node.ctx == "store" for node in mentions)  # {% set x = x | default(1) %}
    required = not asked and not (filters and (assigned or len(filters) == len(mentions)))
    values = [_constant(node.args[0]) if node.args else "" for node in filters]
    return _Use(required, values[0] if values and not required else None)


def _constant(node: nodes.Expr) -> str | None:
    return str(node.value) if isinstance(node, nodes.Const) else None
