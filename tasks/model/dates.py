"""The dates that schedulers print, in whichever of their forms. Pure."""

from __future__ import annotations

import calendar
import re
import time

# As in ISO 8601, as of ctime(3), and as in the United States; some add milliseconds, or a zone.
_FORMS = ("%Y-%m-%dT%H:%M:%S", "%a %b %d %H:%M:%S %Y", "%m/%d/%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S")
_FRACTION = re.compile(r"(:\d\d)\.\d{1,9}(?=$|[ +Z-])", re.ASCII)
_ZONE = re.compile(r"(.*:\d\d) ?(?:Z|([+-])(\d\d):?(\d\d))", re.ASCII)


def seconds_of(text: str) -> int | None:
    """Seconds since 1970; without a zone of its own it is UTC. None for what is no date, as `-/-` and `Unknown`."""
    text, offset = _FRACTION.sub(r"\1", text.strip()), 0
    if zone := _ZONE.fullmatch(text):
        text = zone[1]
        offset = (int(zone[3]) * 60 + int(zone[4])) * (-60 if zone[2] == "-" else 60) if zone[2] else 0
    for form in _FORMS:
        try:
            return calendar.timegm(time.strptime(text, form)) - offset
        except (ValueError, OverflowError):
            continue
    return None
