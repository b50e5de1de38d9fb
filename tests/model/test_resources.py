"""What users write for time, memory, arrays and counts, in units of our own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.errors import InvalidInput
from tasks.model.resources import Resources, TaskRange, parse_count, parse_memory, parse_resources, parse_time


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("24:00", 24 * 3600),
        ("1:30", 5400),
        ("1:00:00", 3600),
        ("08:00:00", 8 * 3600),
        ("96:00:00", 96 * 3600),
        ("2-00:00:00", 2 * 86400),
        (" 0:00:36 ", 36),
        ("1h", 3600),
        ("90m", 5400),
        ("1h30m", 5400),
        ("2d", 2 * 86400),
        ("1d12h", 36 * 3600),
        ("45s", 45),
        ("1w", 7 * 86400),
        ("1w2d", 9 * 86400),
    ],
)
def test_b5_a_time_is_seconds_or_hours_and_minutes_or_in_words(text: str, seconds: int) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "1x", "1m1h", "h", "1h 30m", "1.5h", "1:60", "1:00:60", "-1", "1.5", "1:2:3:4", "1-2", "٣", "9" * 5000]
)
def test_what_is_no_time_is_refused_on_one_line(text: str) -> None:
    with pytest.raises(InvalidInput, match="is neither seconds nor") as refused:
        parse_time(text)
    assert "\n" not in str(refused.value)


@given(days=st.integers(0, 99), hours=st.integers(0, 99), minutes=st.integers(0, 59), seconds=st.integers(0, 59))
def test_every_written_time_comes_back(days: int, hours: int, minutes: int, seconds: int) -> None:
    assert (
        parse_time(f"{days}-{hours:02}:{minutes:02}:{seconds:02}")
        == days * 86400 + hours * 3600 + minutes * 60 + seconds
    )


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("4G", 4 * 1024**3),
        ("4GB", 4 * 1024**3),
        ("500M", 500 * 1024**2),
        ("1.5G", 1610612736),
        ("2g", 2 * 10**9),
        ("1024", 1024),
    ],
)
def test_memory_counts_in_1024s_and_in_lower_case_in_1000s(text: str, amount: int) -> None:
    assert parse_memory(text) == amount


def test_memory_is_exact_where_a_float_would_not_be() -> None:
    assert parse_memory("9007199254740993") == 9007199254740993


@pytest.mark.parametrize("text", ["", "0", "0G", "G", "-1G", "4X", "4 G x", "1e9", "inf", "nan", "9" * 5000])
def test_what_is_no_memory_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not an amount like 4G"):
        parse_memory(text)


@pytest.mark.parametrize(
    ("text", "tasks"),
    [("1-10", [*range(1, 11)]), ("2-9:3", [2, 5, 8]), ("7", [7]), ("1-75000:25000", [1, 25001, 50001])],
)
def test_an_array_is_the_tasks_that_the_scheduler_will_run(text: str, tasks: list[int]) -> None:
    assert list(TaskRange.parse(text).numbers()) == tasks
    assert len(TaskRange.parse(text)) == len(tasks)


def test_several_ranges_are_all_their_tasks() -> None:
    tasks = TaskRange.parse("7,1-5:2,3")
    assert list(tasks.numbers()) == [1, 3, 5, 7]
    assert TaskRange.parse(str(tasks)) == tasks
    assert [str(part) for part in tasks.parts()] == ["7-7:1", "1-5:2", "3-3:1"]


def test_d10_how_many_tasks_run_at_once_is_a_flag_of_its_own() -> None:
    for text in ("1-10%2", "1-10:2%2"):
        with pytest.raises(InvalidInput, match=f"--array {text[:-2]} --at-once 2"):
            TaskRange.parse(text)


@pytest.mark.parametrize("text", ["", "3-1", "1-3:0", "1,,3", "1-", "a", "1-3:1:1", "-3", "9" * 5000, "1-" + "9" * 30])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="array"):
        TaskRange.parse(text)


@given(first=st.integers(1, 10**6), more=st.integers(0, 10**6), step=st.integers(1, 10**6))
def test_a_range_says_what_it_was_read_from(first: int, more: int, step: int) -> None:
    read = TaskRange.parse(f"{first}-{first + more}:{step}")
    assert TaskRange.parse(str(read)) == read
    assert read.numbers()[0] == first
    assert read.numbers()[-1] <= first + more


@given(text=st.text() | st.from_regex(r"[0-9:.\-kMG]*", fullmatch=True))
def test_no_text_makes_a_parser_do_anything_but_refuse(text: str) -> None:
    for parse in (parse_time, parse_memory, TaskRange.parse, lambda it: parse_count(it, "cores")):
        said = ""
        try:
            parse(text)
        except InvalidInput as error:
            said = str(error)
        assert said == "" or said.isprintable()


@pytest.mark.parametrize("text", ["0", "", "two", "1.5", "-1", "9" * 5000])
def test_a_count_is_named_when_it_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"^cores '"):
        parse_count(text, "cores")


def test_what_was_said_wins_and_the_rest_comes_from_the_defaults() -> None:
    asked = parse_resources(cores="8", array="1-10")
    defaults = parse_resources(cores="4", time="1:00:00", memory="")
    assert asked.over(defaults) == Resources(cores=8, time=3600, array=TaskRange(1, 10))


@pytest.mark.parametrize("text", ["x", "bn", "nn", "be a", "B"])
def test_mail_on_names_its_letters_when_it_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"made of b \(begin\)"):
        parse_resources(mail_on=text)


@pytest.mark.parametrize(
    "wish", [{"time": "0"}, {"time": "00:00"}, {"queue": "main --hold"}, {"project": "p\t-h"}, {"mail": "me@here -h"}]
)
def test_what_would_be_no_limit_or_another_option_is_refused(wish: dict[str, str]) -> None:
    (name,) = wish
    with pytest.raises(InvalidInput, match=name):
        parse_resources(**wish)
