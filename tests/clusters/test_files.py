"""put and get: files and directories, changed ones only, whole or not at all, and gone on with after a break."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tasks.files.send import BIG
from tasks.testbed.cell import Cell
from tasks.testbed.sshd import Door, extra_sshd, main_door
from tests.conftest import Person, move_in, program
from tests.proxy import Direction, Proxy, ssh_config_through

NAMES = (
    "plain", "sp ace (1)'\"", "new\nline", "$(touch pwned)", "deep er/and/deeper", os.fsdecode(b"not-utf8-\xff"),
    "-rf", "--help", "back\\slash", "re\rturn\r", "*", "\\n", " ", "l" * 120, os.fsdecode(b"\xff" * 200),
)  # fmt: skip
LARGE = 40 << 20


def tree(person: Person) -> Path:
    top = person.work / "my data"
    for name in NAMES:
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {len(name)}\n" * 100)
    (top / "program").write_text("#!/bin/sh\n")
    (top / "program").chmod(0o755)
    (top / "empty").touch()
    (top / "empty directory").mkdir(mode=0o750)
    return top


def contents(top: Path) -> dict[str, tuple[int, int, bytes]]:
    """Of each file its mode, its modification time in ns, and what is in it."""
    return {
        str(path.relative_to(top)): (path.stat().st_mode & 0o7777, path.stat().st_mtime_ns, path.read_bytes())
        for path in top.rglob("*")
        if path.is_file()
    }


def leftovers(top: Path) -> list[str]:
    return [str(path) for path in top.rglob(".submithost-*")]


@pytest.fixture
def there(cells: dict[str, Cell], tmp_path: Path) -> Path:
    """A directory on the login node for one test."""
    place = cells["sandbox"].home / tmp_path.name
    place.mkdir()
    return place


def person_at(home: Path, door: Door, config: Path | None = None) -> Person:
    return move_in(
        home, f"clusters:\n  {door.name}:\n    ssh_config: {config or door.ssh_config}\n    scheduler: gridengine\n"
    )


def where(program: str) -> str:
    """The file of a program that every login node has in the same place."""
    found = shutil.which(program, path="/usr/bin:/bin")
    assert found
    return os.path.realpath(found)


@pytest.fixture
def no_tar(cells: dict[str, Cell]) -> Iterator[Door]:
    """A login node without tar and openssl."""
    programs = {where("tar"): "/dev/null", where("openssl"): "/dev/null"}
    with extra_sshd(cells["sandbox"], "notar", programs=programs) as door:
        looking = "exec /bin/sh -c '! command -v tar && ! command -v openssl'"
        look = ["ssh", "-F", str(door.ssh_config), door.name, looking]
        assert subprocess.run(look, stdin=subprocess.DEVNULL).returncode == 0
        yield door


def test_a_directory_goes_there_and_comes_back_as_it_was(person: Person, there: Path) -> None:
    top = tree(person)
    target = there / "put here"
    first = person.fab("-H", "sandbox", "put", "--source=my data", f"--target=~/{there.name}/put here")
    assert first.returncode == 0, first.stderr
    assert contents(target / "my data") == contents(top)
    assert (target / "my data" / "program").stat().st_mode & 0o777 == 0o755
    assert (target / "my data" / "empty directory").stat().st_mode & 0o777 == 0o750
    assert sorted(path.name for path in target.iterdir()) == ["my data"]

    put = ("-H", "sandbox", "put", "--source=my data", f"--target={there.name}/put here")
    assert "nothing to send: all" in person.fab(*put).stderr
    (top / "plain").write_text("changed\n")
    dry = person.fab(*put, "--dry-run")
    assert dry.stdout == "my data/plain\n"
    assert (target / "my data" / "plain").read_text() != "changed\n"
    assert "1 file (8 bytes)" in person.fab(*put).stderr
    assert (target / "my data" / "plain").read_text() == "changed\n"

    get = ("-H", "sandbox", "get", f"--source={there.name}/put here/my data", "--target=back")
    dry = person.fab(*get, "--dry-run")
    assert len(dry.stdout.encode(errors="surrogateescape").split(b"back/")) == len(NAMES) + 3
    assert not (person.work / "back").exists()
    back = person.fab(*get)
    assert back.returncode == 0, back.stderr
    assert contents(person.work / "back" / "my data") == contents(top)
    assert (person.work / "back" / "my data" / "empty directory").stat().st_mode & 0o777 == 0o750
    assert person.fab(*get).stderr.startswith("sandbox: nothing to bring: all")


def test_without_tar_and_openssl_it_is_the_same(no_tar: Door, there: Path, tmp_path: Path) -> None:
    person = person_at(tmp_path / "somebody", no_tar)
    top = tree(person)
    (top / "link").symlink_to("plain")
    (top / "large").write_bytes(os.urandom(9 << 20))
    put = ("-H", "notar", "put", "--source=my data", f"--target={there}")
    done = person.fab(*put)
    assert done.returncode == 0, done.stderr
    assert contents(there / "my data") == contents(top)
    assert (there / "my data" / "link").readlink() == Path("plain")
    assert (there / "my data" / "empty directory").stat().st_mode & 0o777 == 0o750
    assert "nothing to send: all" in person.fab(*put).stderr
    back = person.fab("-H", "notar", "get", f"--source={there}/my data", "--target=back")
    assert back.returncode == 0, back.stderr
    assert contents(person.work / "back" / "my data") == contents(top)
    assert not leftovers(there)


def test_one_file_and_a_newer_local_one_is_kept(person: Person, there: Path) -> None:
    (there / "one.txt").write_text("there\n")
    get = ("-H", "sandbox", "get", f"--source={there}/one.txt")
    assert person.fab(*get).returncode == 0
    here = person.work / "one.txt"
    assert here.read_text() == "there\n"
    here.write_text("mine\n")
    kept = person.fab(*get)
    assert (kept.returncode, here.read_text()) == (2, "mine\n")
    assert person.fab("-H", "sandbox", "put", "--source=one.txt", f"--target={there}").returncode == 0
    assert (there / "one.txt").read_text() == "mine\n"


def test_what_is_not_there_or_not_allowed_is_one_line(person: Person, there: Path) -> None:
    person.script("x", "x\n")
    (there / "x").mkdir()
    for words, status in (
        (["get", "--source=nothing here"], 2),
        (["get"], 2),
        (["put"], 2),
        (["put", "--source=nothing here"], 2),
        (["put", "--source=x", f"--target={there}"], 2),  # a directory of that name is there
        (["put", "--source=x", "--target=/proc/no"], 5),
    ):
        done = person.fab("-H", "sandbox", *words)
        assert (done.returncode, len(done.stderr.splitlines())) == (status, 1), done.stderr


def test_links_that_stay_inside_are_kept_and_the_others_followed_or_left_out_by_name(
    person: Person, there: Path
) -> None:
    top = person.work / "linked"
    (top / "sub").mkdir(parents=True)
    (top / "file").write_text("text\n")
    (person.work / "elsewhere").mkdir()
    (person.work / "elsewhere" / "data").write_text("data\n")
    for name, to in (
        ("link", "file"), ("sub/up", "../file"), ("later", "not/yet"), ("out", "../elsewhere/data"),
        ("directory", "../elsewhere"), ("nowhere", "/does/not/exist"), ("sneaky", "sub/../../elsewhere/data"),
    ):  # fmt: skip
        (top / name).symlink_to(to)
    os.mkfifo(top / "pipe")
    put = person.fab("-H", "sandbox", "put", "--source=linked", f"--target={there}")
    assert put.returncode == 0, put.stderr
    linked = there / "linked"
    links = {str(path.relative_to(linked)): str(path.readlink()) for path in linked.rglob("*") if path.is_symlink()}
    assert links == {"link": "file", "sub/up": "../file", "later": "not/yet"}
    assert (linked / "out").read_text() == (linked / "sneaky").read_text() == "data\n"
    assert sorted(path.name for path in linked.iterdir()) == ["file", "later", "link", "out", "sneaky", "sub"]
    for words in ("linked/out leads out of linked: followed", "linked/directory is a link to a directory elsewhere",
                  "linked/nowhere is a link to nothing: left out", "linked/pipe is no file"):  # fmt: skip
        assert words in put.stderr
    assert "nothing to send: all" in person.fab("-H", "sandbox", "put", "--source=linked", f"--target={there}").stderr

    (linked / "bad").symlink_to("/etc/passwd")
    (linked / "worse").symlink_to("sub/../..")
    back = person.fab("-H", "sandbox", "get", f"--source={linked}", "--target=back")
    assert back.returncode == 0, back.stderr
    came = person.work / "back" / "linked"
    links = {str(path.relative_to(came)): str(path.readlink()) for path in came.rglob("*") if path.is_symlink()}
    assert links == {"link": "file", "sub/up": "../file", "later": "not/yet"}
    assert "bad is left there: a link to /etc/passwd" in back.stderr
    assert "worse is left there" in back.stderr
    again = person.fab("-H", "sandbox", "get", f"--source={linked}", "--target=back")
    assert "sandbox: nothing to bring: all" in again.stderr


def test_a_link_here_is_not_written_through(person: Person, there: Path) -> None:
    (there / "data" / "sub").mkdir(parents=True)
    (there / "data" / "sub" / "file").write_text("text\n")
    (person.work / "outside").mkdir()
    (person.work / "data").mkdir()
    (person.work / "data" / "sub").symlink_to("../outside")
    done = person.fab("-H", "sandbox", "get", f"--source={there}/data")
    assert (done.returncode, "symbolic link" in done.stderr) == (2, True)
    assert list((person.work / "outside").iterdir()) == []


def test_setuid_bits_are_not_carried(person: Person, there: Path) -> None:
    (person.work / "tool").write_text("x\n")
    (person.work / "tool").chmod(0o4755)
    assert person.fab("-H", "sandbox", "put", "--source=tool", f"--target={there}").returncode == 0
    assert (there / "tool").stat().st_mode & 0o7777 == 0o755
    (there / "tool").chmod(0o6511)
    assert person.fab("-H", "sandbox", "get", f"--source={there}/tool", "--target=back").returncode == 0
    assert (person.work / "back" / "tool").stat().st_mode & 0o7777 == 0o511


# --- breaks


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@contextlib.contextmanager
def half_way(
    verb: str, cells: dict[str, Cell], there: Path, tmp_path: Path
) -> Iterator[tuple[Proxy, subprocess.Popen[str], Direction]]:
    """A large file of which half has gone through a proxy; whole in the end, and nothing else is left."""
    door = main_door(cells["sandbox"])
    with Proxy(door.port, delay=0.005) as proxy:
        person = person_at(tmp_path / "somebody", door, ssh_config_through(proxy, door, tmp_path / "config"))
        source = there if verb == "get" else person.work
        (source / "large").write_bytes(os.urandom(LARGE))
        running = person.start("-H", "sandbox", verb, *words(verb, there))
        way: Direction = "up" if verb == "put" else "down"
        wait_for(lambda: proxy.amount[way] > LARGE // 2)
        yield proxy, running, way
    assert contents(there)["large"] == contents(person.work)["large"]
    assert not leftovers(there) + leftovers(person.work)


@pytest.mark.parametrize("verb", ["put", "get"])
def test_a_broken_connection_is_gone_on_with_where_it_stopped(
    verb: str, cells: dict[str, Cell], there: Path, tmp_path: Path
) -> None:
    with half_way(verb, cells, there, tmp_path) as (proxy, running, way):
        proxy.drop_all()
        _, said = running.communicate(timeout=120)
        assert running.returncode == 0, said
        assert "going on with" in said
        assert proxy.amount[way] < LARGE * 1.4


@pytest.mark.parametrize("verb", ["put", "get"])
def test_a_network_that_is_away_for_a_while_is_waited_for(
    verb: str, cells: dict[str, Cell], there: Path, tmp_path: Path
) -> None:
    with half_way(verb, cells, there, tmp_path) as (proxy, running, _):
        before, proxy.refusing = proxy.connections, True
        proxy.drop_all()
        wait_for(lambda: proxy.connections > before + 5 or running.poll() is not None)
        proxy.refusing = False
        _, said = running.communicate(timeout=120)
        assert running.returncode == 0, said


def test_many_large_files_come_through_few_open_files(person: Person, there: Path) -> None:
    for number in range(30):
        with (there / f"large-{number}").open("wb") as file:
            file.truncate(BIG)
    words = [sys.executable, "-m", "fabric", "-H", "sandbox", "get", f"--source={there}", f"--target={person.work}"]
    few = subprocess.run(
        ["sh", "-c", 'ulimit -n 40; exec "$@"', "few", *words],
        cwd=person.work, env=person.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert few.returncode == 0, few.stderr
    assert len([path for path in person.work.rglob("large-*") if path.stat().st_size == BIG]) == 30


@pytest.mark.parametrize("fault", ["gone", "shorter"])
@pytest.mark.parametrize("verb", ["put", "submit"])
def test_a_file_that_changes_while_it_is_sent_is_one_line_at_once(
    verb: str, fault: str, cells: dict[str, Cell], there: Path, tmp_path: Path
) -> None:
    door = main_door(cells["sandbox"])
    with Proxy(door.port, delay=0.02) as proxy:
        person = person_at(tmp_path / "somebody", door, ssh_config_through(proxy, door, tmp_path / "config"))
        data = person.work / "data"
        data.mkdir()
        files = [data / "one", data / "two"]
        for path in files:
            with path.open("wb") as file:
                file.truncate(8 * LARGE)
        flags = ["put", f"--source={data}", f"--target={there}/data"]
        if verb == "submit":
            flags = ["submit", f"--script={person.script('x.sh', 'true')}", f"--put={data}"]
        running = person.start("-H", "sandbox", *flags)
        wait_for(lambda: proxy.amount["up"] > 1 << 20)
        for path in files:  # the one that is being sent is open, the other one not yet
            path.unlink() if fault == "gone" else os.truncate(path, BIG)
        out, said = running.communicate(timeout=100)  # a login node that waits for more is given up after 120
        assert running.returncode == 2, out + said
        assert "data/" in said
        assert "Traceback" not in said, said
        assert "trying again" not in said
    assert "Your job" not in out


def test_a_connection_that_breaks_while_the_file_is_summed_sends_it_once(
    cells: dict[str, Cell], there: Path, tmp_path: Path
) -> None:
    """The first sum takes until the file is being sent again: its earlier part is all there, and its writer lives."""
    programs = tmp_path / "programs"
    slow = f"while [ ! -e {programs}/go ]; do sleep 0.1; done"
    first = f"[ $(readlink /proc/self/fd/0) = /dev/null ] || ! mkdir {programs}/asked 2>/dev/null || {slow}"
    stand_in = program(programs / "stand-in", f'#!/bin/sh\n{first}\nexec {programs}/openssl "$@"\n')
    shutil.copy2(where("openssl"), programs / "openssl")
    slow_node = extra_sshd(cells["sandbox"], "slow", programs={where("openssl"): str(stand_in)})
    with contextlib.ExitStack() as at_last, slow_node as door, Proxy(door.port) as proxy:
        at_last.callback((programs / "go").touch)
        person = person_at(tmp_path / "somebody", door, ssh_config_through(proxy, door, tmp_path / "config"))
        (person.work / "large").write_bytes(os.urandom(LARGE))
        running = person.start("-H", "slow", "put", *words("put", there))
        wait_for((programs / "asked").exists)
        proxy.drop_all()
        wait_for(lambda: len(list(there.glob(".submithost-part-*"))) > 1)
        (programs / "go").touch()
        _, said = running.communicate(timeout=120)
        assert running.returncode == 0, said
        assert "going on with" in said
        assert proxy.amount["up"] < LARGE * 1.2
    assert contents(there)["large"] == contents(person.work)["large"]
    assert not leftovers(there)


@pytest.mark.parametrize("verb", ["put", "get"])
def test_after_ctrl_c_the_next_command_goes_on(verb: str, cells: dict[str, Cell], there: Path, tmp_path: Path) -> None:
    door = main_door(cells["sandbox"])
    with Proxy(door.port, delay=0.005) as proxy:
        person = person_at(tmp_path / "somebody", door, ssh_config_through(proxy, door, tmp_path / "config"))
        source = there if verb == "get" else person.work
        (source / "large").write_bytes(os.urandom(LARGE))
        way = "up" if verb == "put" else "down"
        running = person.start("-H", "sandbox", verb, *words(verb, there))
        wait_for(lambda: proxy.amount[way] > LARGE // 2)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
        assert running.returncode != 0
        assert "Traceback" not in said
        assert len(leftovers(there) + leftovers(person.work)) == 1
        time.sleep(1)  # whoever wrote it has seen the end
        before = proxy.amount[way]
        done = person.fab("-H", "sandbox", verb, *words(verb, there))
        assert done.returncode == 0, done.stderr
        assert proxy.amount[way] - before < LARGE * 0.8
    assert contents(there)["large"] == contents(person.work)["large"]
    assert not leftovers(there) + leftovers(person.work)


def words(verb: str, there: Path) -> list[str]:
    return ["--source=large", f"--target={there}"] if verb == "put" else [f"--source={there}/large"]


def test_what_came_partly_and_is_of_another_file_is_not_gone_on_with(
    cells: dict[str, Cell], there: Path, tmp_path: Path
) -> None:
    door = main_door(cells["sandbox"])
    with Proxy(door.port, delay=0.005) as proxy:
        person = person_at(tmp_path / "somebody", door, ssh_config_through(proxy, door, tmp_path / "config"))
        large = person.work / "large"
        large.write_bytes(os.urandom(LARGE))
        running = person.start("-H", "sandbox", "put", *words("put", there))
        wait_for(lambda: proxy.amount["up"] > LARGE // 2)
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)
        assert leftovers(there)
        large.write_bytes(os.urandom(LARGE))
        assert person.fab("-H", "sandbox", "put", *words("put", there)).returncode == 0
    assert (there / "large").read_bytes() == large.read_bytes()


def test_many_small_files_are_not_sent_again_after_a_break(cells: dict[str, Cell], there: Path, tmp_path: Path) -> None:
    door = main_door(cells["sandbox"])
    with Proxy(door.port, delay=0.005) as proxy:
        person = person_at(tmp_path / "somebody", door, ssh_config_through(proxy, door, tmp_path / "config"))
        top = person.work / "many"
        top.mkdir()
        for number in range(400):
            (top / str(number)).write_bytes(os.urandom(100_000))
        running = person.start("-H", "sandbox", "put", "--source=many", f"--target={there}")
        wait_for(lambda: proxy.amount["up"] > LARGE // 2)
        proxy.drop_all()
        _, said = running.communicate(timeout=120)
        assert running.returncode == 0, said
        assert proxy.amount["up"] < LARGE * 1.7
    assert contents(there / "many") == contents(top)
    assert not leftovers(there)


def test_a_terminal_sees_rate_and_time_left_of_what_takes_long(
    cells: dict[str, Cell], there: Path, tmp_path: Path
) -> None:
    door = main_door(cells["sandbox"])
    with Proxy(door.port, delay=0.1) as proxy:  # 2 MB under way at a time, so some 10 MB/s
        person = person_at(tmp_path / "somebody", door, ssh_config_through(proxy, door, tmp_path / "config"))
        (person.work / "large").write_bytes(os.urandom(LARGE))
        ours, theirs = os.openpty()
        command = [sys.executable, "-m", "fabric", "-H", "sandbox", "put", *words("put", there)]
        running = subprocess.Popen(
            command, cwd=person.work, env={**person.environment, "TERM": "xterm", "COLUMNS": "100"},
            stdin=subprocess.DEVNULL, stderr=theirs,
        )  # fmt: skip
        os.close(theirs)
        shown = b""
        with os.fdopen(ours, "rb", buffering=0) as terminal, contextlib.suppress(OSError):  # closed at the other end
            while piece := terminal.read(4096):
                shown += piece
        assert running.wait(timeout=60) == 0, shown
    plain = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", shown)
    assert re.search(rb"sending to sandbox .*/41.9 MB [0-9.]+ MB/s 0:00:0", plain), plain


# --- no room


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MB, which takes root to mount."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(disk)], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("size", [2 << 20, LARGE])
@pytest.mark.parametrize("verb", ["put", "get"])
def test_a_full_disk_is_one_line_and_what_was_there_stays(
    verb: str, size: int, person: Person, there: Path, small_disk: Path
) -> None:
    source, target = (person.work, small_disk) if verb == "put" else (there, small_disk)
    (source / "data").mkdir()
    for number in range(20 if size < LARGE else 1):
        (source / "data" / str(number)).write_bytes(os.urandom(size))
    (target / "data").mkdir()
    (target / "data" / "0").write_text("as it was\n")
    os.utime(target / "data" / "0", (1, 1))
    done = person.fab("-H", "sandbox", verb, f"--source={source}/data", f"--target={target}")
    assert (done.returncode, len(done.stderr.splitlines())) == (5 if verb == "put" else 2, 1), done.stderr
    assert "No space left on device" in done.stderr
    assert not leftovers(target)
    for path in (target / "data").iterdir():
        whole = (source / "data" / path.name).read_bytes()
        assert path.read_bytes() in (whole, b"as it was\n")


def test_a_limit_on_file_size_is_one_line(cells: dict[str, Cell], there: Path, tmp_path: Path) -> None:
    home = tmp_path / "limited"
    home.mkdir()
    (home / ".bashrc").write_text("ulimit -f 10000\n")
    with extra_sshd(cells["sandbox"], "limited", login_shell="/bin/bash", home=home) as door:
        person = person_at(tmp_path / "somebody", door)
        (person.work / "large").write_bytes(os.urandom(LARGE))
        done = person.fab("-H", "limited", "put", "--source=large", f"--target={there}")
    assert (done.returncode, len(done.stderr.splitlines())) == (5, 1), done.stderr
    assert "File too large" in done.stderr
    assert list(there.iterdir()) == []


def test_fetch_keeps_modes_and_links_of_results(person: Person) -> None:
    person.script("made.sh", "#!/bin/sh\necho x >tool; chmod 750 tool; ln -s tool link; ln -s /etc/passwd out\n")
    person.submit("made.sh")
    assert person.wait()["state"] == "succeeded"
    done = person.fab("-H", "sandbox", "fetch", "--to=results")
    assert done.returncode == 0, done.stderr
    results = person.work / "results"
    assert (results / "tool").stat().st_mode & 0o7777 == 0o750
    assert (results / "link").readlink() == Path("tool")
    assert not os.path.lexists(results / "out")
    assert "out is left there: a link to /etc/passwd" in done.stderr
