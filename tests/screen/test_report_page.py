"""A report as a page: strict markup that loads nothing, in which what comes from outside is text."""

from __future__ import annotations

import re
from xml.etree import ElementTree as Xml

import pytest

from tasks.model.job import State
from tasks.model.report import Report
from tasks.screen.markup import tag
from tasks.screen.report_page import page
from tests.screen.reports import HOSTILE, NOW, REPORT, one


def parsed(report: Report) -> Xml.Element:
    """The page, by a parser that forgives nothing."""
    return Xml.fromstring(page(report, NOW, "--group <b>"))


def test_the_page_is_strict_markup_and_loads_nothing() -> None:
    root = parsed(REPORT)
    elements = list(root.iter())
    assert {each.tag for each in elements} <= {
        "html", "head", "meta", "title", "style", "body", "main", "header", "h1", "h2", "p", "dl", "div", "dt", "dd",
        "small", "b", "span", "table", "thead", "tbody", "tr", "th", "td", "svg", "rect",
    }  # fmt: skip
    attributes = {name: value for each in elements for name, value in each.attrib.items()}
    assert not {"src", "href", "style"} & set(attributes)
    assert not [name for name in attributes if name.startswith("on") or ":" in name]
    style = root.findtext("head/style") or ""
    assert not re.search(r"url\(|@import|http", style)
    policy = [each.get("content") for each in root.iter("meta") if each.get("http-equiv")]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_what_comes_from_outside_is_text() -> None:
    shown = " ".join(parsed(REPORT).itertext())
    assert '<script src="http://evil.example/x.js">alert("1")</script> \\x1b[31m & \\udc80' in shown
    assert "could not ask: <b>no</b> route to host" in shown
    assert "Selected by --group <b>." in shown
    assert "<script" not in page(REPORT, NOW)
    assert str(tag("p", HOSTILE, class_='a"b')).startswith('<p class="a&quot;b">&lt;script src=&quot;http://')


def test_each_job_has_its_bars_which_stay_inside_the_picture() -> None:
    root = parsed(REPORT)
    jobs = [each for each in root.iter("div") if each.get("class") == "job"]
    names = [each.findtext("div/b") or "" for each in jobs[1:]]
    assert len(names) == 2 * len(REPORT.jobs)
    assert names[0] == "1 sim-1"
    bars = [each for each in root.iter("rect") if each.get("x")]
    assert {each.get("class") for each in bars} == {"waited", "succeeded", "failed", "running", "other"}
    assert all(float(each.get("x", 0)) + float(each.get("width", 0)) <= 1000.1 for each in bars)
    assert sum(each.get("class") == "full" for each in root.iter("rect")) == 2  # time and memory of one task


@pytest.mark.parametrize("jobs", [[], [one(60, State.PENDING)]])
def test_a_page_about_nothing_much_is_whole_as_well(jobs: list[object]) -> None:
    shown = " ".join(parsed(Report(jobs)).itertext())  # type: ignore[arg-type]  # a list of these
    assert "No job failed." in shown
    assert f"{len(jobs)} job" in shown


def test_of_many_jobs_the_newest_are_drawn() -> None:
    many = Report([one(number, State.SUCCEEDED) for number in range(1, 301)])
    shown = " ".join(parsed(many).itertext())
    assert "The newest 200 of 300 jobs." in shown
    assert ("100 sim-100" in shown, "101 sim-101" in shown) == (False, True)
