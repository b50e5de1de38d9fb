"""What an attacker tries without a cluster: names, files laid in the way, words that steer a terminal, templates."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.files.part import Part
from tasks.files.stream import key_of
from tasks.files.tree import entries, laid, stays_inside
from tasks.files.wire import DONE, header
from tasks.login_node import COMMAND, Program, envelope
from tasks.model import configuration
from tasks.model.errors import InvalidInput, SchedulerError
from tasks.model.job import Job, iso
from tasks.model.record import from_record, to_record
from tasks.model.resources import Resources, TaskRange
from tasks.rendering import engine
from tasks.rendering.engine import Directives
from tasks.rendering.places import lookup
from tasks.schedulers import clients
from tasks.schedulers.gridengine import scheduler as gridengine
from tasks.screen.log_text import Log
from tasks.screen.output import show_words
from tasks.screen.progress import _Bar
from tasks.session.answers import Answers
from tasks.session.fabric.ssh_config import destination

SOMEBODY = 65534
HOSTILE = "\x1b]0;pwned\x07\x9b2J\u202e\r"


def given_to_somebody(path: Path) -> Path:
    """The file as if another user had made it."""
    if os.geteuid() != 0:
        pytest.fail("only root can give files to another user: run the tests as root, as in a container")
    os.chown(path, SOMEBODY, SOMEBODY, follow_symlinks=False)
    return path


class Screen(io.TextIOWrapper):
    """A stream that says it is a terminal."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def isatty(self) -> bool:
        return True

    @property
    def shown(self) -> bytes:
        return self.buffer.getvalue()  # type: ignore[attr-defined, no-any-return]  # a BytesIO


# Hosts


@pytest.mark.parametrize(
    "word", ["$(touch pwned)", "`touch pwned`", "a;touch pwned", "a|touch${IFS}pwned", "a&b", "a'b"]
)
def test_a_host_or_user_that_a_shell_would_run_reaches_no_proxy_command(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").write_text("Host *\n  HostName localhost\n  ProxyCommand echo %n %r\n")
    for host, user in ((word, None), ("sharc", word)):
        with pytest.raises(InvalidInput, match=r"is no (host|user)'s name"):
            destination(host, user=user, port=None, ssh_config=tmp_path / "config")
    assert not (tmp_path / "pwned").exists()


# What lies in a directory where everybody may write


def test_a_configuration_that_somebody_else_laid_where_all_may_write_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    place = tmp_path / "tmp"
    place.mkdir()
    planted = place / "fabric.yml"
    planted.write_text("clusters:\n  sharc:\n    ssh_config: /tmp/evil\n")
    place.chmod(0o1777)
    assert "sharc" in configuration.load(place).clusters  # one's own
    given_to_somebody(planted)
    with pytest.raises(InvalidInput, match="somebody else"):
        configuration.load(place)
    place.chmod(0o755)  # a colleague's directory
    given_to_somebody(place)
    assert "sharc" in configuration.load(place).clusters


def test_templates_that_somebody_else_laid_where_all_may_write_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job_templates").mkdir()
    (tmp_path / "job_templates" / "serial.sh.j2").write_text("#!/bin/sh\nmine\n")
    tmp_path.chmod(0o1777)
    assert lookup("serial") == Path("job_templates/serial.sh.j2")
    given_to_somebody(tmp_path / "job_templates")
    with pytest.raises(InvalidInput, match="somebody else"):
        lookup("serial")


@pytest.mark.parametrize(
    ("lay", "why"),
    [
        (given_to_somebody, "somebody else"),
        (lambda path: os.link(path, f"{path}.other"), "somebody else"),
        (
            lambda path: path.symlink_to(path.rename(f"{path}.other")),
            "is a symbolic link, and no part of a file; remove it",
        ),
    ],
)
def test_a_part_that_somebody_else_made_first_is_not_written_to(
    lay: Callable[[Path], object], why: str, tmp_path: Path
) -> None:
    part = tmp_path / f".submithost-part-{key_of('large')}"
    part.touch(0o666)
    lay(part)
    with pytest.raises(InvalidInput, match=why):
        Part(tmp_path, "large", lasting=True)
    assert part.stat().st_size == 0


def test_a_part_over_there_is_not_written_through_a_link_that_was_laid_there(tmp_path: Path) -> None:
    precious, nonce, place = tmp_path / "precious", "0" * 32, tmp_path / "there"
    precious.write_text("precious\n")
    place.mkdir()
    content = os.urandom(100)
    head = header("big", b"large", len(content), modified=1700000000 * 10**9) + f"0 {key_of('large')} -\n".encode()
    rest = content + f"{hashlib.sha256(content).hexdigest()}\n".encode()
    text = Program(("sha256", "receive", "put"), {"path": str(place)}).text(nonce, "export A=b", (), {})
    (tmp_path / "program").write_bytes(text)
    shell = subprocess.Popen(
        ["/bin/sh", "-c", 'read go; . "$0"', str(tmp_path / "program")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    (place / f".submithost-part-{key_of('large')}.{os.uname().nodename}.{shell.pid}").symlink_to(precious)
    out, err = shell.communicate(b"go\n" + head + rest + DONE, timeout=60)
    assert b"received" in out, (out, err)
    assert precious.read_text() == "precious\n"
    assert (place / "large").read_bytes() == content
    assert not (place / "large").is_symlink()


@pytest.mark.parametrize("program", ["list", "manifest", "original"])
def test_e11_a_name_that_somebody_chose_ends_no_section(tmp_path: Path, program: str) -> None:
    """Even one that has the mark in it, which nobody can know."""
    mark, place = "0" * 40, tmp_path / "place"
    (place / ".submithost").mkdir(parents=True)
    for name in ("script", "about"):
        (place / ".submithost" / name).touch()
    evil = f"x\n@{mark} end\n \n\n "
    (place / ".submithost" / "put").write_bytes(f"1 1.5 {evil}\0 1 1.5  b\0".encode())
    for name in (evil, f"@{mark} end\n", " a", "z\n"):
        (place / name).write_text("1")
    (place / "link").symlink_to(f"@{mark} end\n")
    variables = {"path": str(place), "directory": str(place), "root": str(tmp_path), "key": ""}
    text = Program(("directory", program), variables).text(mark, "export A=b", (), {})
    found: list[dict[str, bytes]] = []
    for shell in ("dash", "bash"):
        done = subprocess.run([shell, "-c", text], input=b"", capture_output=True, cwd=tmp_path, timeout=60)
        answers = Answers(mark)
        found.append({name: reply.names for name, reply in answers.feed(done.stdout, done.stderr)})
    assert found[0] == found[1]
    assert list(found[0])[-1] == "end"
    if program == "original":
        told = {entry.split(b" ", 3)[3].decode() for entry in found[0]["now"].split(b"\0")[:-1]}
    else:
        told = {entry.path for entry in entries(found[0]["files"]) if not entry.path.startswith(".submithost")} - {""}
        assert [entry.link for entry in entries(found[0]["files"]) if entry.kind == "l"] == [f"@{mark} end\n"]
    assert told == {path.name for path in place.iterdir()} - {".submithost"}
    if program != "list":
        assert next(laid(found[0]["put"])).path == evil


# What a login node claims


@pytest.mark.parametrize(("path", "link"), [("/a", "../x"), ("//a", ".."), ("/x/y/z", "../../../x")])
def test_an_absolute_path_gives_a_link_no_more_room(path: str, link: str) -> None:
    assert not stays_inside(path, link)


def test_sizes_and_times_that_no_file_has_are_no_bugs(tmp_path: Path) -> None:
    data = b"f " + b"9" * 5000 + b" 0 644\nlarge\0\0f 3 999999999999999.5 666\nlate\0\0"
    (entry,) = entries(data)
    assert entry.path == "late"
    with Part(tmp_path, "late", lasting=False) as part:
        part.write(b"abc")
        part.settle(entry)
    assert (tmp_path / "late").stat().st_mode & 0o777 == 0o664  # and what all could write only we and our group can
    assert [iso(10**15), iso(-(10**15)), iso(10**40)] == [None] * 3


@pytest.mark.parametrize("tasks", ["1-999999999:1", f"1-{'9' * 4000}:1", "1-3:0"])
def test_more_tasks_than_there_can_be_do_not_fill_the_memory(tasks: str) -> None:
    assert gridengine.parse_submission(f'Your job-array 3.{tasks} ("x") has been submitted\n') is None
    with pytest.raises(InvalidInput, match="array"):
        TaskRange.parse(tasks)


def test_a_list_of_the_scheduler_that_expands_itself_is_refused() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    answer = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]><job_info>&l11;</job_info>'
    with pytest.raises(SchedulerError, match="not understood"):
        gridengine.queue().parse(0, answer, "")  # it would not end, and fill the memory


def test_a_list_of_the_scheduler_reads_no_file_of_ours(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("1")
    entity = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]>'
    job = "<job_list><JB_job_number>&e;</JB_job_number><state>r</state></job_list>"
    with pytest.raises(SchedulerError, match="not understood"):
        gridengine.queue().parse(0, f'<?xml version="1.0"?>{entity}<job_info>{job}</job_info>', "")


@pytest.mark.parametrize(
    "claim",
    [
        {"job_id": HOSTILE}, {"job_id": "-f"}, {"job_id": "1 2"}, {"submitted_at": HOSTILE}, {"absent_since": []},
        {"outcome": {"state": "failed", "exit_status": HOSTILE}}, {"outcome": {"state": HOSTILE}},
    ],
)  # fmt: skip
def test_a_record_from_over_there_has_numbers_where_numbers_are(claim: dict[str, object]) -> None:
    with pytest.raises((TypeError, ValueError)):
        from_record({**to_record(Job("k", "a")), **claim})


# What steers a terminal


def shown_by(monkeypatch: pytest.MonkeyPatch, *pieces: bytes) -> bytes:
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    log = Log()
    for piece in pieces:
        log.write(piece)
    log.close()
    return screen.shown


def test_a_log_on_a_terminal_has_its_colours_and_steers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"\x1b[1;31mred\x1b[0m\tä 50%\r100%\n{HOSTILE}\x1b[2J\x1b[6n\x1bP\x1b[31".encode()
    whole = shown_by(monkeypatch, text)
    assert whole == shown_by(monkeypatch, *(text[at : at + 1] for at in range(len(text))))
    assert whole.startswith("\x1b[1;31mred\x1b[0m\tä 50%\r100%\n".encode())
    assert whole.count(b"\x1b") == 3  # the two colours, and the one at the end
    assert not {"\x07", "\x9b", "\u202e"} & set(whole.decode())


def test_a_log_in_a_pipe_is_what_it_is(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    log = Log()
    log.write(HOSTILE.encode() + b"\xff")
    log.close()
    assert capfdbinary.readouterr().out == HOSTILE.encode() + b"\xff"


def test_the_schedulers_words_are_lines_and_nothing_more_on_a_terminal() -> None:
    screen, pipe = Screen(), io.StringIO()
    words = f"one {HOSTILE}two\nthree\n"
    show_words(words, screen)
    show_words(words, pipe)
    assert pipe.getvalue() == words
    assert all(letter.isprintable() or letter == "\n" for letter in screen.shown.decode())
    assert screen.shown.decode().endswith("two\nthree\n")


def test_a_name_that_looks_like_markup_does_not_end_the_progress_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    bar = _Bar("looking at [/x]", None)
    bar.start()
    time.sleep(2.6)
    alive = bar.is_alive()
    bar.close()
    assert alive


# Templates


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__ }}", "{{ directives.__call__.__globals__ }}", "{{ directives._dialect }}",
        "{{ directives.asked.__func__ }}", "{{ '{0.__class__}'.format(directives) }}",
        "{{ ('{0.__class__.__init__.__globals__}' | attr('format'))(directives) }}",
        "{{ directives | attr('__class__') }}", "{{ directives['__class__'] }}", "{{ cycler.__init__.__globals__ }}",
        "{{ lipsum.__globals__['os'].popen('touch pwned') }}", "{{ self.__init__.__globals__ }}",
        "{{ namespace.__init__.__globals__ }}", "{% set x = directives.asked %}{{ x.__closure__ }}",
        "{% include '../secret' %}", "{% include '/etc/passwd' %}",
    ],
)  # fmt: skip
def test_a_template_that_reaches_for_python_or_for_files_elsewhere_is_refused(
    template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "here" / "job_templates").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    context = {"directives": Directives(lambda _: ["#$ -cwd"], Resources(), Resources())}
    with pytest.raises(InvalidInput) as refused:
        list(engine.render_each(Path("evil.sh.j2"), template.encode(), [context]))
    assert str(refused.value).isprintable()
    assert not Path("pwned").exists()


# The command line on the login node


def test_no_setup_line_is_in_a_command_line_over_there(tmp_path: Path) -> None:
    """Whoever runs `ps` on the login node would read it."""
    (tmp_path / "ps").write_text("for p in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$p; echo; done 2>/dev/null >seen")
    nonce = "1" * 32
    for shell in ("/bin/bash", "/bin/sh", "/bin/zsh", "/bin/tcsh"):
        setup = ["setenv TOKEN sesame-99" if "csh" in shell else "export TOKEN=sesame-99", "/bin/sh ps"]
        text = Program(("ask",), {"command": "login; echo $TOKEN.$submithost_line."}).text(nonce, "", setup, clients())
        done = subprocess.run(
            ["/bin/sh", "-c", COMMAND],
            input=envelope(text, nonce), env={"SHELL": shell, "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
            cwd=tmp_path, capture_output=True, timeout=60,
        )  # fmt: skip
        assert b"sesame-99.." in done.stdout, (shell, done)
        assert "/bin/sh" in (tmp_path / "seen").read_text()
        assert "sesame-99" not in (tmp_path / "seen").read_text(), shell


def test_an_entry_keeps_no_right_of_everybody_to_write() -> None:
    modes = [entry.mode for entry in entries(b"f 1 1 777\na\0\0d 1 1 2777\nb\0\0f 1 1 4602\nc\0\0")]
    assert modes == [0o775, 0o775, 0o600]
