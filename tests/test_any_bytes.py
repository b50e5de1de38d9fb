"""Whatever bytes come back from a cluster, or stand in a file: they are understood, or refused by an error of ours.

Beside these, each parser's own tests have one like them: configuration, variables and templates, known_hosts, ssh -G,
hosts, resources, and each of the scheduler's answers.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.login_node import Reply, Sections
from tasks.model.errors import InvalidInput, NotSubmitted, SchedulerError
from tasks.model.job import Job, Outcome, State, iso
from tasks.model.key import check_key, new_key
from tasks.model.ledger import Ledger
from tasks.model.listener import Quiet
from tasks.model.notes import Notes
from tasks.model.record import to_record
from tasks.model.resources import Resources, TaskRange
from tasks.model.settling import Known, settle
from tasks.model.wording import number
from tasks.rendering.variables import check_names
from tasks.schedulers.gridengine import scheduler as gridengine
from tasks.schedulers.values import Submission
from tasks.session import Answer
from tasks.session.answers import Answers
from tasks.session.fabric import keys, known_hosts
from tasks.submission.adopt import _found
from tasks.submission.inspection import Inspection
from tasks.submission.job_file import read_job_file
from tasks.tracking.matching import records_of, states_of

NONCE = "0123456789abcdef0123456789abcdef"
# Bytes, and what looks like the real thing and is not.
DIGITS = st.sampled_from(["²", "٣", "-5", "--1", "9" * 5000, "1e3", "0x1", "", " 7", "12"])
LINES = st.lists(DIGITS | st.sampled_from(["start", "end", "k", "asked", "putting", "yes", "no"]), max_size=9)
TEXTS = st.text(max_size=80) | LINES.map(" ".join)
BYTES = st.binary(max_size=120) | TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass"))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
JOB = Job("k", "sandbox", "name", job_id="12", outcome=Outcome(State.PENDING), array=TaskRange(1, 3))
RECORD: dict[str, Any] = json.loads(json.dumps(to_record(JOB) | {"tasks": {"1": {"state": "failed"}}}))


@st.composite
def damaged(draw: st.DrawFn, record: dict[str, Any]) -> object:
    """A record with anything in some of its places, and some of them gone."""
    names = st.sampled_from(sorted(record))
    changed = record | draw(st.dictionaries(names, PLAIN, max_size=3))
    return {name: value for name, value in changed.items() if name not in draw(st.sets(names, max_size=1))}


def refusal(read: Callable[[], object]) -> str:
    """What it is refused with; empty when it is not."""
    try:
        read()
    except InvalidInput as error:
        return str(error)
    return ""


@given(DIGITS | st.text())
def test_a_number_is_one_or_none(text: str) -> None:
    found = number(text)
    assert found is None or str(found) == text.lstrip("0") or found == 0


# --- answers


@given(st.lists(BYTES | st.sampled_from(["begin", "x", "=3", "=", "=²", "=x", "end"]).map(
    lambda name: f"\n@{NONCE} {name}\n".encode()
), max_size=8), st.integers(1, 50))  # fmt: skip
def test_no_answer_stops_the_reading(pieces: list[bytes], size: int) -> None:
    stream, answers, sections = b"".join(pieces), Answers(NONCE), Sections(NONCE)
    for at in range(0, len(stream), size):
        for _, reply in answers.feed(stream[at : at + size], stream[at : at + size]):
            assert isinstance(reply.text, str)
        list(sections.feed(stream[at : at + size]))


@given(st.dictionaries(
    st.sampled_from(["directory", "receipt", "claim", "attempt", "answer", "refused"]), st.builds(Reply, BYTES, BYTES)
))  # fmt: skip
def test_no_job_directory_stops_the_looking(sections: dict[str, Reply]) -> None:
    try:
        progress = Inspection.of(Answer(sections))
    except NotSubmitted:
        assert "refused" in sections
        return
    assert progress.receipt is ("receipt" in sections)
    gridengine.parse_submission(progress.out)
    gridengine.parse_submission(progress.claim)


@given(st.integers(-1, 255), TEXTS, TEXTS)
def test_no_answer_of_the_scheduler_raises_anything_but_an_error_of_ours(status: int, out: str, err: str) -> None:
    block = f"me\n====\njob_number: {out}\nowner: me\ncontext: submithost={err}\njob-array tasks: {out}\n"
    for text in (out, block, f"{block}jobnumber {out}\ntaskid {out}\nqsub_time {out}\nowner me\n"):
        for question in (
            gridengine.queue(), gridengine.marks(["1"]), gridengine.by_hand("1"), gridengine.reasons(["1"]),
            gridengine.trace([], []), gridengine.cancel([]), gridengine.hold([]),
        ):  # fmt: skip
            with contextlib.suppress(SchedulerError):
                question.parse(status, text, err)


class Elsewhere:
    """As much of a session as adopting reads."""

    name = "sandbox"
    scheduler = gridengine
    listener = Quiet()


@given(st.lists(BYTES | damaged(RECORD).map(lambda record: json.dumps(record).encode()), max_size=7))
def test_no_job_directories_stop_the_adopting_of_the_others(fields: list[bytes]) -> None:
    good = [b"k", json.dumps(RECORD).encode(), b'7\nYour job 12 ("name") has been submitted\n']
    whole = [field.replace(b"\0", b"") for field in fields[: len(fields) // 3 * 3]]
    out = b"".join(field + b"\0" for field in [*whole, *good])
    found = list(_found(Elsewhere(), Answer({"root": Reply(b"/r\n"), "found": Reply(out)})))
    assert (found[-1].key, found[-1].job_id, found[-1].directory) == ("k", "12", "/r/k")
    for job in found:
        json.dumps(job.as_json())


# --- what is alive has not ended

ROW = "<job_list><JB_job_number>{}</JB_job_number><state>{}</state><tasks>{}</tasks></job_list>"
STATES = st.sampled_from(["qw", "hqw", "r", "t", "Rr", "Eqw", "dr", "S", "x", "²"])
RANGES = st.sampled_from(["", "1-3:1", "1,2,3", "1-3:²", "1-x", "1-999999999999", "2,1-3", "2,1-x", "1-999999999:1"])
NOTES = st.lists(
    st.text(max_size=80)
    | st.sampled_from([
        "start k 12 1 10 node", "end k 12 1 20 0",
        "end k 13 1 20 0", "end q 12 1 20 0", "end k 12 1 20 99", "end k 12 1 20", "out /o",
        "end k 12 1 20 ", "end k 12 1 x 0", "end k 12 ² 20 0", "start k 12 1 999999999999999 n",
        "end k 12 1 5\u20280", "out /a\u2028end k 12 1 20 0", "out /a\x0cend k 12 1 20 0", "err \x85end k 12 1 9 0",
    ])
).map("\n".join)  # fmt: skip
ACCOUNTING = st.sampled_from(["", "=", "jobnumber 12\nfailed 0\nexit_status 0", "jobnumber 12\nfailed ²\n"]) | TEXTS


@given(state=STATES, tasks=RANGES, noted=NOTES, accounted=ACCOUNTING, noise=st.text(max_size=20), clock=st.integers(0))
@example(state="qw", tasks="", noted="", accounted="", noise="<?xml", clock=0)
def test_a_job_in_the_queue_has_not_ended_whatever_else_is_said(
    state: str, tasks: str, noted: str, accounted: str, noise: str, clock: int
) -> None:
    rows = "".join((ROW.format(812, "r", ""), ROW.format(12, state, tasks), ROW.format(2, "qw", "")))
    queue = states_of(gridengine.queue().parse(0, f"{noise}<?xml?><job_info>{rows}</job_info>".replace(
        "<?xml?>", "<?xml version='1.0'?>"), ""), [JOB])["k"]  # fmt: skip
    notes = Notes()
    notes.read(noted)
    try:
        records = records_of(JOB, gridengine.trace([], []).parse(0, f"me\n{accounted}", "").records)
    except SchedulerError:
        records = None
    known = Known(clock, notes.notes.get("k", {}), queue, records)
    job = settle(settle(JOB, known), known)
    assert not job.state.ended
    assert job.absent_since is None
    assert not [task for task in job.tasks.values() if task.state.ended]
    json.dumps(job.as_json())
    unasked = settle(JOB, Known(clock, notes.notes.get("k", {})))
    assert not unasked.state.ended


@given(st.integers())
def test_every_number_is_a_time_or_none(seconds: int) -> None:
    assert (iso(seconds) is None) == (not 0 <= seconds < 1 << 37)


# --- files


@given(BYTES | damaged(RECORD).map(lambda record: json.dumps(record).encode()) | st.just(b"[" * 20_000))
def test_a_job_file_is_read_or_refused_on_one_line(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.job"
    path.write_bytes(data)
    assert refusal(lambda: json.dumps(read_job_file(path).as_json())).isprintable()


@given(TEXTS | damaged(RECORD).map(json.dumps) | st.just("[" * 20_000))
def test_a_record_in_the_ledger_is_read_or_refused(tmp_path: Path, record: str) -> None:
    import sqlite3

    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.path.unlink(missing_ok=True)
    ledger.begin(JOB)
    connection = sqlite3.connect(ledger.path)
    with contextlib.suppress(UnicodeEncodeError), connection:
        connection.execute("UPDATE jobs SET record = ?", (record,))
    connection.close()
    with contextlib.suppress(InvalidInput):
        json.dumps([job.as_json() for job in ledger.jobs()])


@given(PLAIN | damaged(json.loads(json.dumps(Submission("k", "x", Resources()).record()))))
def test_a_submission_is_read_or_refused(record: Any) -> None:
    with contextlib.suppress(KeyError, TypeError, ValueError):
        Submission.of(record)


@given(BYTES | BYTES.map(lambda data: b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + data))
def test_a_key_file_is_read_or_refused_and_known_hosts_knows_nobody(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(data)
    path.chmod(0o600)
    with contextlib.suppress(ValueError, OSError):
        keys.read(path)
    assert list(keys.certificates([path])) == []
    known_hosts.status_of(known_hosts.read([path]), ["h"], b"key")


# --- names


@given(st.text(max_size=60))
def test_every_name_becomes_a_legal_one_and_a_key(name: str) -> None:
    legal = gridengine.legal_name(name)
    assert gridengine.legal_name(legal) == legal
    gridengine.check(b"true\n", Resources(name=legal))
    assert check_key(new_key(name))


@given(st.text(max_size=20) | st.from_regex(r"[\w.-]{1,9}\Z"))
def test_a_key_is_one_path_component_or_refused(key: str) -> None:
    said = refusal(lambda: check_key(key))
    assert said.isprintable()
    if not said:
        assert Path("/jobs", key).parent == Path("/jobs")
        assert key.isascii()
        assert Path(key).name == key


@given(st.lists(st.text(max_size=12)))
def test_names_of_variables_are_usable_or_refused_on_one_line(names: list[str]) -> None:
    assert refusal(lambda: check_names(names, ())).isprintable()


@pytest.mark.parametrize("damage", ["", "²", "9" * 5000])
def test_a_wrong_clock_over_there_is_no_bug(damage: str) -> None:
    notes = Notes()
    notes.read(f"start k 12 1 {damage} node\nend k 12 1 {damage} 0\n")
    assert notes.notes.get("k", {}).get(1) is None or notes.notes["k"][1].exit_status is None
