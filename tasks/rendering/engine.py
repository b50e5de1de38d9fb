"""Jinja2 as it is set up here: strict, sandboxed, careful with bash and with bytes; a mistake is one line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from types import TracebackType

import jinja2
from jinja2.filters import FILTERS
from jinja2.lexer import Lexer
from jinja2.sandbox import SandboxedEnvironment
from jinja2.tests import TESTS

from ..model.errors import InvalidInput, nearest
from ..model.resources import Resources, parse_resources
from ..model.wording import one_line
from .compiled import Compiled
from .places import lookup, read, templates

Hint = Callable[[str], str]
_RESOURCES = tuple(field.name for field in fields(Resources))
_RAW = "; text with '{{' or '{%' in it goes between {% raw %} and {% endraw %}"
_TAGS = (
    "for",
    "if",
    "elif",
    "else",
    "set",
    "block",
    "extends",
    "include",
    "import",
    "macro",
    "call",
    "filter",
    "with",
)
# Whitespace to Jinja's lexer and no line end: stands in for carriage returns, which it would turn into "\n".
_STAND_INS = "\x1f\x1e\x1d\x1c\x0b\x0c\x85\u2028\u2029\u2000\u2001\u2002\u2003\u2004\u2005\u2006"


class Directives:
    """`{{ directives }}` in a template: the directive lines; called, with the template's own wishes below."""

    def __init__(self, dialect: Callable[[Resources], list[str]], resources: Resources, defaults: Resources) -> None:
        self._dialect = dialect
        self._resources = resources
        self._defaults = defaults

    def __str__(self) -> str:
        return self()

    def __call__(self, **own: object) -> str:
        """The lines. `own` are resources by name, as users write them; raises InvalidInput."""
        lines = self._dialect(self.asked(**own))
        for line in lines:
            if not line.isprintable():  # a line break would make the rest a command of the script
                raise InvalidInput(f"no directive can hold a line break or control character: {one_line(line)}")
        return "\n".join(lines)

    def asked(self, **own: object) -> Resources:
        """What flags, template and cluster ask for, in this order. Raises InvalidInput."""
        for name in own:
            if name not in _RESOURCES:
                known = nearest(name, _RESOURCES) or f"; known are {', '.join(_RESOURCES)}"
                raise InvalidInput(f"directives has no '{name}'{known}")
        texts = {name: None if value is None else str(value) for name, value in own.items()}
        wishes = parse_resources(**texts)
        if wishes.mpi and self._resources.cores:  # which are those of one node, and would win on the login node
            raise InvalidInput("--cores are those of one node, and this is for several; a variable says how many")
        return self._resources.over(wishes).over(self._defaults)


def render_each(
    path: Path, data: bytes, contexts: Iterable[Mapping[str, object]], hint: Hint = lambda _: ""
) -> Iterator[bytes]:
    """The text of template `path`, whose bytes are `data`, in each of the contexts, which have the same names.

    Raises InvalidInput with file and line number.
    """
    loader = _Loader(path, data)
    made = environment(loader, {}, hint)
    for context in contexts:
        made.globals.update(context)
        if made.cache is not None:
            made.cache.clear()  # what was imported keeps what it was made of
        try:
            text = made.get_template(str(path)).render()
            if text.lstrip("\ufeff \t\r\n").startswith("#!"):  # a comment above it must not cost the job its shell
                text = text.lstrip("\ufeff \t\r\n")
            done = text.encode("utf-8", "surrogateescape")
        except Exception as error:  # whatever a template can do to Python is the template's mistake
            raise _explained(error, path, loader.files) from None
        yield done


def parse(path: Path, data: bytes) -> jinja2.nodes.Template:
    """The syntax tree of a template. Raises InvalidInput with file and line number."""
    try:
        return environment(_Loader(path, data), {}).parse(_decoded(path, data), str(path), str(path))
    except Exception as error:
        raise _explained(error, path, {str(path)}) from None


def environment(
    loader: jinja2.BaseLoader, known: Mapping[str, object], hint: Hint = lambda _: ""
) -> jinja2.Environment:
    """Jinja2's environment; the variables `known` are in whatever a template includes or imports, too.

    `hint` says of an undefined variable what may be wrong with it.
    """

    class Undefined(jinja2.StrictUndefined):
        @property
        def _undefined_message(self) -> str:
            name = self._undefined_name
            if self._undefined_hint or not isinstance(name, str):
                return super()._undefined_message
            if self._undefined_obj is jinja2.utils.missing:
                return hint(name) or f"template variable '{name}' is not set; give it with --set {name}=..."
            members = self._undefined_obj if isinstance(self._undefined_obj, dict) else ()
            return super()._undefined_message + nearest(name, members)

    made = _Environment(
        loader=loader,
        undefined=Undefined,
        # F17: bash has `${#array[@]}`, `${##}` and `${*}`. What begins with `{%` is Jinja's already.
        comment_start_string="{%#",
        comment_end_string="#%}",
        keep_trailing_newline=True,
        bytecode_cache=Compiled(),
        autoescape=False,
    )
    made.filters["quote"] = _quote
    made.globals.update(known)
    return made


def _quote(value: object) -> str:
    """`value` as one word for the shell; of a list, each item as one."""
    return shlex.join(map(str, value)) if isinstance(value, (list, tuple)) else shlex.quote(str(value))


class _Lexer(Lexer):
    """Leaves carriage returns alone: what to do about Windows line ends is not for a template engine."""

    def tokeniter(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> Iterator[tuple[int, str, str]]:
        stand_in = next((char for char in _STAND_INS if char not in source), _STAND_INS[0])
        for line, token, text in super().tokeniter(source.replace("\r", stand_in), name, filename, state):
            yield line, token, text.replace(stand_in, "\r") if "\r" in source else text

    def _normalize_newlines(self, value: str) -> str:
        return value


class _Environment(SandboxedEnvironment):
    @property
    def lexer(self) -> Lexer:
        return _Lexer(self)


class _Loader(jinja2.BaseLoader):
    """The template itself by its path; what it includes or imports by name, from the same places as any."""

    def __init__(self, path: Path, data: bytes) -> None:
        self._main = str(path)
        self._data = data
        self.files = {self._main}

    def get_source(self, environment: jinja2.Environment, template: str) -> tuple[str, str, None]:  # noqa: ARG002  # Jinja's signature
        if template == self._main:
            return _decoded(Path(template), self._data), template, None
        path = lookup(template, any_file=True)
        if path is None:
            raise jinja2.TemplateNotFound(template)
        self.files.add(str(path))
        return _decoded(path, read(path)), str(path), None


def _decoded(path: Path, data: bytes) -> str:
    """The text; bytes that are not UTF-8 come back as they are. Raises InvalidInput for `{# ... #}`."""
    text = data.decode("utf-8", "surrogateescape")
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip("\ufeff \t").startswith("{#"):  # no shell script begins like this
            raise InvalidInput(f"{one_line(path)}:{number}: comments are {{%# ... #%}} here; '{{#' belongs to bash")
        if line.strip() and not line.startswith("#"):
            break
    return text


def _explained(error: Exception, path: Path, files: set[str]) -> InvalidInput:
    """What went wrong in a template, and where, in one line."""
    where = one_line(path)
    if isinstance(error, jinja2.TemplateSyntaxError):
        message = (error.message or "not understood").rstrip(".") + _meant(error.message or "")
        return InvalidInput(f"{one_line(error.filename or path)}:{error.lineno}: {one_line(message, 300)}")
    if place := _place(error.__traceback__, files):
        where = f"{one_line(place[0])}:{place[1]}"
    if isinstance(error, jinja2.TemplateNotFound):  # before TemplateError, whose kind it is
        message = f"no template '{error.name}'{nearest(str(error.name), templates())}"
    elif isinstance(error, (InvalidInput, jinja2.TemplateError)):
        message = str(error)
        if not place and isinstance(error, InvalidInput):
            return error  # it says itself where
    elif isinstance(error, SyntaxError):  # of the Python that the template became; its line number means nothing
        message = f"not understood: {error.msg}"
    else:
        message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return InvalidInput(f"{where}: {one_line(message, 300)}")


def _meant(message: str) -> str:
    """What may have been meant by the filter, test or tag that Jinja does not know."""
    if match := re.match(r"No (filter|test) named '(.+?)'", message):
        known = FILTERS if match[1] == "filter" else TESTS
        return nearest(match[2], [*known, "quote"])
    if match := re.match(r"Encountered unknown tag '(.+?)'", message):
        return nearest(match[1], _TAGS) or _RAW
    return _RAW


def _place(traceback: TracebackType | None, files: set[str]) -> tuple[str, int] | None:
    """The innermost template and line of a traceback, which Jinja has rewritten in terms of templates."""
    found = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename in files:
            found = traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
        traceback = traceback.tb_next
    return found
