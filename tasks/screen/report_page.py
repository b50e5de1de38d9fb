"""A report as one page of HTML that loads nothing: numbers, tables, when jobs ran, and use against request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ..model.amounts import percent, span
from ..model.job import State, iso
from ..model.report import Cause, Line, Report, Reported
from ..model.usage import Usage
from ..model.wording import size_of
from .markup import Html, tag
from .report_style import STYLE

# So many jobs, the newest, have a bar of their own; a bar is so wide in units of its own, and at least so wide.
_SHOWN, _WIDE, _LEAST = 200, 1000, 3
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_KEYS = {
    "waited": "waited",
    "succeeded": "succeeded",
    "failed": "failed",
    "running": "running",
    "other": "cancelled, gone",
}


def page(report: Report, now: int, scope: str = "") -> str:
    """The page. `now` is the time in seconds since 1970, `scope` the words for what was asked for."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("title", "Jobs: a report of submithost"),
        tag("style", Html(STYLE)),
    )
    shown = report.jobs[-_SHOWN:]
    body = tag(
        "main", _about(report, now, scope), _numbers(report.whole), *_tables(report), *_pictures(shown, report, now)
    )
    return f"<!DOCTYPE html>\n{tag('html', head, tag('body', body), lang='en')}\n"


def _about(report: Report, now: int, scope: str) -> Html:
    clusters = ", ".join(dict.fromkeys(each.job.cluster for each in report.jobs)) or "no cluster"
    times = [each.job.submitted_at for each in report.jobs if each.job.submitted_at]
    since = f", submitted from {_day(min(times))} to {_day(max(times))}" if times else ""
    many = f"{len(report.jobs)} job{'' if len(report.jobs) == 1 else 's'} on {clusters}{since}"
    made = f"{f'Selected by {scope}. ' if scope else ''}Made on {_day(now)}. Times are in UTC."
    troubles = [tag("p", trouble, class_="trouble") for trouble in report.troubles]
    return tag("header", tag("h1", "What the jobs came to"), tag("p", many), tag("p", made, class_="faint"), *troubles)


def _numbers(whole: Line) -> Html:
    done, tasks = whole.states.get(State.SUCCEEDED, 0), whole.tasks
    others = ", ".join(
        f"{many} {state}" for state, many in whole.states.items() if many and state is not State.SUCCEEDED
    )
    tiles = [
        ("jobs", whole.jobs, f"{tasks} tasks"),
        ("succeeded", f"{done} of {tasks}", others),
        ("core hours", hours(whole.core_seconds), ""),
        ("wasted", percent(whole.wasted / whole.core_seconds if whole.core_seconds else None), _wasted(whole)),
        ("waited", "-" if whole.waited is None else span(whole.waited), f"the median; at most {_most(whole)}"),
    ]
    return tag("dl", *(tag("div", tag("dt", a), tag("dd", b, tag("small", c))) for a, b, c in tiles))


def _wasted(line: Line) -> str:
    return f"{hours(line.in_vain)} h failed, {hours(line.idle)} h idle"


def _most(line: Line) -> str:
    return span(max(line.waits)) if line.waits else "-"


def _tables(report: Report) -> Iterable[Html]:
    yield tag("h2", "By cluster and project")
    columns = (
        "cluster",
        "project",
        "jobs",
        "tasks",
        "succeeded",
        "failed",
        "core hours",
        "failed h",
        "idle h",
        "waited",
    )
    yield _table(
        columns, [(cluster, project or "-", *_cells(line)) for (cluster, project), line in report.lines.items()]
    )
    yield tag("h2", "Failures by cause")
    if not report.causes:
        yield tag("p", "No job failed.", class_="faint")
        return
    rows = [
        (cause.kind, cause.jobs, cause.tasks, hours(cause.core_seconds), _example(cause)) for cause in report.causes
    ]
    yield _table(("cause", "jobs", "tasks", "core hours", "the newest"), rows)


def _cells(line: Line) -> tuple[object, ...]:
    states = line.states
    amounts = (hours(line.core_seconds), hours(line.in_vain), hours(line.idle))
    waited = "-" if line.waited is None else span(line.waited)
    return line.jobs, line.tasks, states.get(State.SUCCEEDED, 0), states.get(State.FAILED, 0), *amounts, waited


def _example(cause: Cause) -> str:
    return f"{cause.example.job.title()}{f': {cause.example.because}' if cause.example.because else ''}"


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Html:
    kinds = [
        "long" if name == "the newest" else "" if name in ("cluster", "project", "cause") else "number"
        for name in columns
    ]
    head = tag("tr", *(tag("th", name, class_=kind, scope="col") for name, kind in zip(columns, kinds, strict=True)))
    body = [tag("tr", *(tag("td", cell, class_=kind) for cell, kind in zip(row, kinds, strict=True))) for row in rows]
    wraps = {"class_": "wraps"} if "long" in kinds else {}
    return tag("div", tag("table", tag("thead", head), tag("tbody", *body), **wraps), class_="scroll")


def _pictures(shown: Sequence[Reported], report: Report, now: int) -> Iterable[Html]:
    few = f"The newest {len(shown)} of {len(report.jobs)} jobs. " if len(shown) < len(report.jobs) else ""
    spans = [(each, *_ran(each, now)) for each in shown]
    begin = min((at for each, start, _ in spans if (at := each.job.submitted_at or start)), default=now)
    end = max((stop for _, _, stop in spans if stop), default=now)
    yield tag("h2", "When they ran")
    keys = [
        tag("span", _svg(tag("rect", width=_WIDE, height=10, class_=kind)), word, class_="key")
        for kind, word in _KEYS.items()
    ]
    yield tag("p", few, *keys)
    yield tag(
        "div", tag("b"), tag("div", tag("span", _day(begin)), tag("span", _day(end)), class_="axis"), class_="job"
    )
    for each, start, stop in spans:
        yield tag("div", _name(each), _bar(each, begin, max(end, begin + 1), start, stop), class_="job")
    yield tag("h2", "Used of what was asked for")
    yield tag("p", few, "Of an array job the task that used most. A bar is full at what was asked for.", class_="faint")
    for each in shown:
        yield tag("div", _name(each), tag("div", *_meters(each), class_="meters"), class_="job")


def _name(each: Reported) -> Html:
    job = each.job
    where = f"{job.group} · " if job.group else ""
    name = tag("b", f"{job.job_id} {job.name}")
    return tag("div", name, tag("small", f"{where}{job.state}"), class_="name", title=job.title())


def _ran(each: Reported, now: int) -> tuple[int | None, int | None]:
    """From when to when, and None for what has not begun; what goes on has come as far as `now`."""
    usages = each.used.tasks.values()
    started = [usage.started_at for usage in usages if usage.started_at]
    ended = [usage.ended_at for usage in usages if usage.ended_at]
    start, end = min(started, default=each.job.outcome.started_at), max(ended, default=each.job.outcome.ended_at)
    return start, end if each.job.state.ended else now


def _bar(each: Reported, begin: int, end: int, start: int | None, stop: int | None) -> Html:
    """The time that it waited, and that it ran."""
    at = each.job.submitted_at or start or begin
    begun = start is not None
    stop = stop or start or at
    start = stop if start is None else start
    words = f"{each.job.title()}: {each.job.state}; waited {span(max(0, start - at))}, ran {span(max(0, stop - start))}"
    bars = [_rect(at, start, begin, end, "waited")] if start > at else []
    if begun:
        bars.append(_rect(start, stop, begin, end, _kind(each.job.state)))
    return _svg(tag("title", words), *bars)


def _rect(start: int, stop: int, begin: int, end: int, kind: str) -> Html:
    left, right = ((min(max(at, begin), end) - begin) / (end - begin) * _WIDE for at in (start, stop))
    left = min(left, _WIDE - _LEAST)
    return tag("rect", x=f"{left:.1f}", width=f"{max(_LEAST, right - left):.1f}", height=10, class_=kind)


def _kind(state: State) -> str:
    return str(state) if state in (State.SUCCEEDED, State.FAILED, State.RUNNING) else "other"


def _svg(*inside: Html) -> Html:
    return tag("svg", *inside, viewBox=f"0 0 {_WIDE} 10", preserveAspectRatio="none", role="img")


def _meters(each: Reported) -> Iterable[Html]:
    usages = list(each.used.tasks.values())
    yield _meter("time", _largest(usages, _of_time), "no limit known")
    yield _meter("memory", _largest(usages, _of_memory), "not known")
    yield _meter(
        "CPU",
        _largest(
            usages,
            lambda usage: (usage.cpu_efficiency, f"of {usage.cores or 1} core{'' if (usage.cores or 1) == 1 else 's'}"),
        ),
        "not known",
    )


def _of_time(usage: Usage) -> tuple[float | None, str]:
    asked, wall = usage.asked.time, usage.wall
    return (wall / asked if asked and wall is not None else None), f"of {span(asked or 0)}"


def _of_memory(usage: Usage) -> tuple[float | None, str]:
    return usage.memory_efficiency, f"of {size_of((usage.asked.memory_in_all or 0) // 1024)}"


def _largest(usages: Sequence[Usage], of: Callable[[Usage], tuple[float | None, str]]) -> tuple[float, str] | None:
    parts = [of(usage) for usage in usages]
    known = [(part, words) for part, words in parts if part is not None]
    return max(known) if known else None


def _meter(name: str, used: tuple[float, str] | None, unknown: str) -> Html:
    if used is None:
        return tag("div", f"{name} ", tag("small", unknown))
    part, words = used
    bar = tag(
        "rect",
        width=f"{min(1, part) * _WIDE:.0f}",
        height=10,
        class_="full" if part >= 1 and name != "CPU" else "running",
    )
    return tag(
        "div",
        f"{name} {percent(part)} ",
        tag("small", words),
        _svg(tag("title", f"{name}: {percent(part)} {words}"), bar),
    )


def hours(seconds: float) -> str:
    """Core hours, with as many decimals as a person wants to know."""
    value = seconds / 3600
    if 0 < value < 0.005:
        return "<0.01"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}" if value else "0"


def _day(seconds: int) -> str:
    return (iso(seconds) or "?")[:16].replace("T", " ")
