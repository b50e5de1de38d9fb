"""Whose words are obeyed here: another user tries to change what is read, and where they can, it is refused."""

from __future__ import annotations

import errno
import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tasks.model import configuration, ownership, project
from tasks.model.errors import InvalidInput
from tasks.model.ownership import maps_nobody, refuse_foreign
from tasks.rendering.places import find, read
from tasks.session.fabric.ssh_config import destination
from tasks.submission.job_file import read_job_file
from tests.attacker import ATTACKER, EVIL, MAPS, PLACES, Lay, as_attacker, changed_by_attacker, common_ground
from tests.conftest import Person, move_in, submithost

OWN, THEIRS = "clusters: {own: }\n", f"clusters: {{{EVIL}: }}\n"
JOB = json.dumps({"key": "own", "cluster": "own"})


@dataclass(frozen=True)
class Reading:
    """Something that is read: its path, a text that it can have, and how it is read.

    `above`: how many levels above it one stands, if that matters.
    """

    path: str
    text: str
    read: Callable[[Path], str]
    above: int = 0

    def laid(self, top: Path, lay: Lay) -> Path:
        """Its path in such a place: where one stands is no name, which somebody could give to something else."""
        top.mkdir()
        path = lay(top, self.path, self.text)
        stand = self.stand(path)
        return stand.resolve() / path.relative_to(stand) if self.above else path

    def stand(self, path: Path) -> Path:
        """Where one stands who reads it."""
        return path.parents[self.above - 1] if self.above else Path("/")

    def seen(self, path: Path) -> Path:
        """The path as it is for somebody who stands there already, wherever that directory is moved to."""
        stand = self.stand(path)
        return Path(f"/proc/self/fd/{os.open(stand, os.O_PATH)}") / path.relative_to(stand) if self.above else path


def _of_the_directory(path: Path) -> str:
    return ",".join(configuration.load(path.parent).clusters)


def _of_the_working_directory(_: Path) -> str:
    return ",".join(configuration.load().clusters)


def _ssh_config(path: Path) -> str:
    return destination("x", user=None, port=None, ssh_config=path).hostname


def _of_the_home(path: Path) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(path.parent))
        return ",".join(configuration.load(Path("/")).clusters)


def _template(_: Path) -> str:
    return read(find("mine")).decode()


def _own_template(path: Path) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(path.parent.parent.parent))
        return read(find("mine")).decode()


def _in_the_way(path: Path) -> str:
    """A file that is called as a template is."""
    return read(find("hello")).decode()


READINGS = {
    "fabric.yml": Reading("work/fabric.yml", OWN, _of_the_directory),
    "that where one stands": Reading("work/fabric.yml", OWN, _of_the_working_directory, above=1),
    "that where one stands, by its whole path": Reading("work/fabric.yml", OWN, _of_the_directory, above=1),
    "an ssh_config": Reading("work/config", "Hostname own", _ssh_config),
    "~/.fabric.yml": Reading("work/.fabric.yml", OWN, _of_the_home),
    "a template": Reading("work/job_templates/mine.sh.j2", "own", _template, above=2),
    "one of the user's own": Reading("submithost/job_templates/mine.sh.j2", "own", _own_template),
    "a file in place of a template": Reading("work/hello", "own", _in_the_way, above=1),
    "a job file": Reading("work/x.job", JOB, lambda path: read_job_file(path).key),
}


@pytest.mark.parametrize("what", READINGS)
def test_e7_what_another_user_manages_to_change_is_refused_and_nothing_else(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no list of what is to be expected: the attempt tells."""
    reading = READINGS[what]
    monkeypatch.setattr(project, "current", project.Project())
    monkeypatch.setenv("HOME", "/")
    with common_ground() as ground:
        laid = [[reading.laid(ground / f"{at}{n}", lay) for at, lay in enumerate(PLACES.values())] for n in "ab"]
        changed = changed_by_attacker(laid[0], seen=[reading.seen(path) for path in laid[0]])
        told = []
        for path in laid[1]:
            monkeypatch.chdir(reading.stand(path))
            try:
                told.append(reading.read(path))
            except InvalidInput as error:
                told.append(f"refused: {error}")
    wrong = [
        f"{kind}: {'can' if can else 'cannot'} be changed, and: {said}"
        for kind, can, said in zip(PLACES, changed, told, strict=True)
        if said.startswith("refused") is not can or not (can or "own" in said)
    ]
    assert not wrong, "\n".join(wrong)
    assert 8 < sum(changed) < len(PLACES) - 8  # else nobody tried, or nobody read


def test_e7_what_lies_below_a_directory_of_somebody_elses_is_used_from_where_the_message_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(project, "current", project.Project())
    with common_ground() as ground:
        path = PLACES["a directory of one's own below theirs"](ground, "work/x.job", JOB)
        with pytest.raises(InvalidInput, match=r"theirs belongs to somebody else; .*cd to ") as refused:
            read_job_file(path)
        monkeypatch.chdir(str(refused.value).rpartition(" ")[2])
        assert read_job_file(path).key == read_job_file(Path("x.job")).key == "own"
        monkeypatch.chdir("/")


LISTS = {
    "none": [],
    "of POSIX": ["system.posix_acl_access"],
    "of NFSv4": ["user.x", "system.nfs4_acl"],
    "unknown": None,
}


@pytest.mark.parametrize("lists", LISTS)
def test_e7_a_group_is_ones_own_where_no_list_can_let_others_write(
    lists: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File systems with such lists cannot be mounted everywhere: what they answer is given."""

    def attributes(_: str) -> list[str]:
        if LISTS[lists] is None:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        return LISTS[lists] or []

    (tmp_path / "x").touch()
    (tmp_path / "x").chmod(0o664)
    monkeypatch.setattr(os, "listxattr", attributes)
    if lists == "none":
        refuse_foreign(tmp_path / "x")
    else:
        with pytest.raises(InvalidInput, match="may be written by its group"):
            refuse_foreign(tmp_path / "x")


@pytest.mark.parametrize(
    ("mounted", "why"),
    [
        ("ext4 /dev/sda1 rw", "chmod o-w"),
        ("9p C:\\134 rw,aname=drvfs;path=C:\\;uid=0;gid=0;symlinkroot=/mnt/,access=client", None),
        ("9p C:\\134 rw,aname=drvfs;path=C:\\;uid=1000;gid=1000;symlinkroot=/mnt/,access=client", "keep it on another"),
        ("vfat /dev/sdb1 rw,uid=0,fmask=0000", "keep it on another"),
    ],
)
def test_e7_what_modes_say_depends_on_the_file_system(
    mounted: str, why: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such drives cannot be mounted everywhere: what /proc says of one is given, as WSL has it."""
    (tmp_path / "x").touch()
    (tmp_path / "x").chmod(0o777)
    device = tmp_path.stat().st_dev
    others = f"22 1 0:0 / /proc rw - proc proc rw\n98 75 {os.major(device)}:{os.minor(device)} / /mnt rw shared:1"
    monkeypatch.setattr(ownership, "_mounts", lambda: f"{others} - {mounted}\n")
    if why is None:
        refuse_foreign(tmp_path / "x")
    else:
        with pytest.raises(InvalidInput, match=why):
            refuse_foreign(tmp_path / "x")


@pytest.mark.parametrize("uid_map", MAPS)
def test_e7_nobody_is_whom_no_line_of_the_map_of_users_has(uid_map: str) -> None:
    assert maps_nobody(uid_map) is MAPS[uid_map]


# What is planted in a directory like /tmp, and a command line that would obey it.
PLANTED: dict[str, tuple[Callable[[], object], list[str]]] = {
    "fabric.yml": (lambda: os.symlink("theirs/evil.yml", "fabric.yml"), ["-H", EVIL, "status", "--job=1"]),
    "job_templates": (lambda: os.symlink("theirs/job_templates", "job_templates"), ["render", "--script=mine"]),
    "hello": (lambda: os.symlink("theirs/evil.sh", "hello"), ["render", "--script=hello"]),
    "x.job": (lambda: os.symlink("theirs/x.job", "x.job"), ["status", "--job=x.job"]),
    "y.job": (
        lambda: os.symlink("theirs/x.job", "y.job"),
        ["-H", EVIL, "submit", "--script=/dev/null", "--job-file=y.job"],
    ),
    "config": (
        lambda: os.symlink("theirs/config", "config"),
        ["-S", "config", "-H", EVIL, "submit", "--script=/dev/null"],
    ),
    "vars.yml": (lambda: os.symlink("theirs/vars.yml", "vars.yml"), ["render", "--script=hello", "--vars=vars.yml"]),
}


def _prepare_theirs() -> None:
    Path("theirs/job_templates").mkdir(parents=True)
    for name, text in {
        "evil.yml": f"clusters: {{{EVIL}: {{host: localhost, ssh_config: config}}}}\n",
        "config": f"Host *\n  ProxyCommand touch {os.getcwd()}/ran\n",
        "job_templates/mine.sh.j2": EVIL,
        "evil.sh": EVIL,
        "x.job": json.dumps({"key": EVIL, "cluster": EVIL, "job_id": "666"}),
        "vars.yml": "x: 1\n",
    }.items():
        Path("theirs", name).write_text(text)


@pytest.mark.parametrize("what", PLANTED)
def test_e7_what_another_user_plants_in_a_directory_like_tmp_runs_nothing_and_is_named(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant, words = PLANTED[what]
    somebody = move_in(tmp_path / "home")
    with common_ground() as ground:
        ground.chmod(0o1777)
        monkeypatch.chdir(ground)
        as_attacker(lambda: (_prepare_theirs(), plant()))
        assert os.path.lexists(what)
        done = submithost(Person(somebody.home, ground, somebody.environment), *words)
        assert not (ground / "ran").exists()
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{what} is not used: it belongs to somebody else" in done.stderr
    assert done.stderr.count("\n") == 1


def test_e7_what_a_colleague_keeps_where_they_alone_write_is_the_users_own_choice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script is submitted by hand whoever wrote it; and root works in other users' checkouts, as containers do."""
    somebody = move_in(tmp_path / "home")
    with common_ground() as ground:
        monkeypatch.chdir(ground)
        ground.chmod(0o777)
        as_attacker(_prepare_theirs)
        ground.chmod(0o755)
        os.symlink("evil.yml", ground / "theirs" / "fabric.yml")
        os.lchown(ground / "theirs" / "fabric.yml", ATTACKER, ATTACKER)
        away = Person(somebody.home, somebody.work, somebody.environment)
        there = Person(somebody.home, ground / "theirs", somebody.environment)
        by_hand = subprocess.run(["cat", ground / "theirs/evil.sh"], capture_output=True, text=True, check=True)
        for person, script in ((away, f"{ground}/theirs/evil.sh"), (there, "evil.sh")):
            assert submithost(person, "render", f"--script={script}").stdout == by_hand.stdout
        done = submithost(away, "render", "--script=hello", f"--vars={ground}/theirs/vars.yml")
        assert "variable 'x' is not used" in done.stderr
        assert submithost(there, "clusters").stdout.startswith(EVIL)
        assert submithost(there, "render", "--script=mine").stdout == EVIL


def test_e7_a_ledger_that_another_user_began_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a container's home is /tmp."""
    somebody = move_in(tmp_path / "home")
    with common_ground() as ground:
        ground.chmod(0o1777)
        monkeypatch.chdir(ground)
        as_attacker(lambda: (Path(".local").mkdir(), Path(".local").chmod(0o777)))
        done = submithost(Person(ground, somebody.work, {**somebody.environment, "HOME": str(ground)}), "jobs")
    assert done.returncode == 2
    assert "belongs to somebody else, in a directory where all may write" in done.stderr


def test_e7_where_others_could_replace_it_no_job_file_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    somebody = move_in(tmp_path / "home")
    with common_ground() as ground:
        ground.chmod(0o777)
        done = submithost(
            Person(somebody.home, ground, somebody.environment),
            "-H", "sharc", "submit", "--script=hello", "--job-file=x.job",
        )  # fmt: skip
    assert done.returncode == 2
    assert "may be written by others" in done.stderr
