"""Elements of a page, strict enough for a parser of XML: what is not markup already is text, whatever is in it."""

from __future__ import annotations

from html import escape

from ..model.wording import one_line

_EMPTY = ("meta", "rect", "line")
_LONGEST = 500


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def tag(name: str, /, *inside: object, **attributes: object) -> Html:
    """An element. In the names of attributes `_` is `-`, and one at the end is left out (`class_`)."""
    given = "".join(f' {key.rstrip("_").replace("_", "-")}="{text(value)}"' for key, value in attributes.items())
    if name in _EMPTY:
        return Html(f"<{name}{given}/>")
    return Html(f"<{name}{given}>{''.join(map(text, inside))}</{name}>")


def text(value: object) -> Html:
    """A value as markup: letters with a meaning are escaped, and those that no page may have are shown as escapes."""
    return value if isinstance(value, Html) else Html(escape(one_line(value, _LONGEST)))
