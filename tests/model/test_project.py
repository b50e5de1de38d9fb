"""Which `fabric.yml` and `job_templates` count: those beside the fabfile, wherever the user stands.

The twin is Fabric: where its own `fabric.yml` counts, ours does.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tasks.model import project
from tasks.model.errors import InvalidInput
from tests.conftest import Person, move_in, submithost
from tests.test_security import given_to_somebody

SETTINGS = "clusters:\n  sharc: {host: login.sharc.example}\nmark: here\n"
TEMPLATE = "{%# Mine.\nx: anything\n#%}\n#!/bin/sh\necho mine {{ x }}\n"
FABFILE = """\
from fabric import task
from tasks import namespace

ns = namespace()

@task
def mark(c):
    print(c.config.get("mark", "nowhere"))

ns.add_task(mark)
"""
PACKAGE = {"fabfile/__init__.py": "from .inner import ns\n", "fabfile/inner.py": FABFILE}


@pytest.fixture
def somebody(tmp_path: Path) -> Person:
    """A person whose directory `work` has a project, and a directory two below it, as yet without a fabfile."""
    person = move_in(tmp_path / "home")
    (person.work / "fabfile.py").unlink()
    (person.work / "sub" / "deep").mkdir(parents=True)
    lay(person.work, {"fabric.yml": SETTINGS, "job_templates/mine.sh.j2": TEMPLATE})
    return person


def lay(directory: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)


def fab(person: Person, at: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `fab WORDS` in that directory."""
    return Person(person.home, at, person.environment).fab(*words)


@pytest.mark.parametrize(
    ("files", "at", "words"),
    [
        ({"fabfile.py": FABFILE}, ".", []),
        ({"fabfile.py": FABFILE}, "sub/deep", []),
        ({"fabfile.py": FABFILE}, "/", ["-r", "WORK"]),
        ({"fabfile.py": FABFILE}, "..", ["-r", "work/sub"]),
        ({"fabfile.py": FABFILE}, "sub/deep", ["-r", "../.."]),
        ({"other.py": FABFILE}, "sub", ["-c", "other"]),
        ({"sub/fabfile.py": FABFILE}, "sub/deep", []),
        ({"fabfile.py": FABFILE, "sub/fabric.yml": "clusters: {iceberg: }\n"}, "sub", []),
        ({"fabfile.py": "from inner import ns\n", "inner.py": FABFILE}, "sub", []),
        (PACKAGE, "sub/deep", []),
        (PACKAGE, "..", ["-r", "work"]),
        ({"sub/fabfile.py": "->../elsewhere.py", "elsewhere.py": FABFILE}, "sub", []),
        ({"sub/fabfile.py": "->../elsewhere.py", "elsewhere.py": FABFILE, "sub/fabric.yml": SETTINGS}, "sub/deep", []),
    ],
)
def test_d6_ours_counts_where_fabrics_own_settings_do(
    somebody: Person, files: dict[str, str], at: str, words: list[str]
) -> None:
    for name, text in files.items():
        if text.startswith("->"):
            (somebody.work / name).symlink_to(text[2:])
        else:
            lay(somebody.work, {name: text})
    there = somebody.work / at
    words = [word.replace("WORK", str(somebody.work)) for word in words]
    by_fabric = fab(somebody, there, *words, "mark").stdout
    assert by_fabric in ("here\n", "nowhere\n")
    listed = fab(somebody, there, *words, "--list", "--list-depth=1").stdout
    assert ("login.sharc.example" in listed) == (by_fabric == "here\n")
    assert "iceberg" not in listed
    assert ("sharc" in fab(somebody, there, *words, "clusters").stdout) == (by_fabric == "here\n")


def test_d6_templates_of_the_project_and_files_of_where_one_stands(somebody: Person) -> None:
    deep = somebody.work / "sub" / "deep"
    lay(somebody.work, {"fabfile.py": FABFILE, "x.sh": "#!/bin/sh\necho wrong\n"})
    lay(deep, {"x.sh": "#!/bin/sh\necho right\n", "vars.yml": "x: from here\n"})
    for run in (lambda *words: fab(somebody, deep, *words), lambda *words: submithost(_at(somebody, deep), *words)):
        assert run("sharc.render", "--script=x.sh").stdout.endswith("echo right\n")
        assert run("render", "--script=mine", "--vars=vars.yml").stdout == "#!/bin/sh\necho mine from here\n"
        assert "Mine." in run("templates").stdout
    lay(deep, {"job_templates/mine.sh.j2": "nearer"})
    assert fab(somebody, deep, "render", "--script=mine").stdout == "nearer"


@pytest.mark.parametrize("above", [".", "..", "../.."])
def test_d6_without_a_fabfile_the_nearest_settings_upwards_count(somebody: Person, above: str) -> None:
    deep = somebody.work / "sub" / "deep"
    if above == ".":
        lay(somebody.work / "sub", {"fabric.yml": "clusters: {iceberg: }\n"})
    lay(deep / above, {"fabric.yml": SETTINGS})
    assert submithost(_at(somebody, deep), "clusters").stdout == "sharc\tlogin.sharc.example\t-\t-\n"
    assert "login.sharc.example" in submithost(_at(somebody, deep), "--list", "--list-depth=1").stdout


def test_d6_a_fabfile_ends_the_search_as_for_fab(somebody: Person) -> None:
    lay(somebody.work, {"sub/fabfile.py": FABFILE})
    deep = somebody.work / "sub" / "deep"
    assert submithost(_at(somebody, deep), "clusters").stdout == fab(somebody, deep, "clusters").stdout == ""


def test_d6_all_clusters_at_once_are_those_of_the_project(somebody: Person) -> None:
    lay(somebody.work, {"fabfile.py": FABFILE, "fabric.yml": "clusters: {gone: {host: 127.0.0.1, port: '1'}}\n"})
    done = fab(somebody, somebody.work / "sub", "all.queues")
    assert done.returncode == 4
    assert "gone (127.0.0.1:1) cannot be reached" in done.stderr


def test_d6_errors_name_the_file_as_it_is_reached_from_here(somebody: Person) -> None:
    lay(somebody.work, {"fabfile.py": FABFILE, "fabric.yml": "clusters: {a.b: }\n"})
    said = fab(somebody, somebody.work / "sub", "--list").stderr
    assert said.startswith("../fabric.yml: cluster 'a.b': ")


def test_d6_clusters_in_a_file_that_fabric_names_too_late_are_not_left_out_in_silence(somebody: Person) -> None:
    lay(
        somebody.work, {"fabfile.py": FABFILE, "late.yml": "mark: late\nclusters: {late: }\n", "own.yml": "mark: own\n"}
    )
    assert somebody.fab("-f", "own.yml", "mark", "clusters").stdout.startswith("own\nsharc")
    done = somebody.fab("-f", "late.yml", "clusters")
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr
        == "clusters: late.yml: its clusters come too late by -f: put them into fabric.yml beside the fabfile\n"
    )


def test_d6_a_directory_that_was_removed_is_no_error(somebody: Person) -> None:
    words = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
    command = ["sh", "-c", words, "-", sys.executable, "-m", "tasks", "clusters"]
    done = subprocess.run(command, cwd=somebody.work, env=somebody.environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.parametrize("name", ["fabric.yml", "job_templates"])
@pytest.mark.parametrize("planted", ["itself", "a link", "open to all"])
def test_d6_nothing_of_others_counts_from_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, planted: str
) -> None:
    """As E7 of a link: it is looked at itself, and then what it leads to."""
    deep = tmp_path / "sub" / "deep"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    lay(tmp_path, {"fabric.yml": SETTINGS, "elsewhere": SETTINGS, "job_templates/x.sh.j2": ""})
    project.open_project()
    assert project.current.path(name) == Path("../..", name)
    laid = tmp_path / name
    if planted == "a link":
        laid.rename(tmp_path / "moved")
        laid.symlink_to("moved")
    if planted == "open to all":
        laid.chmod(0o777)
    else:
        given_to_somebody(laid)
    with pytest.raises(InvalidInput, match=r"somebody else|written by others"):
        project.current.path(name)
    monkeypatch.chdir(tmp_path)  # where a colleague's directory was chosen, what is in there counts as before
    project.open_project()
    if planted != "open to all":
        given_to_somebody(tmp_path)
        assert project.current.path(name) == Path(name)
        tmp_path.chmod(0o1777)
        with pytest.raises(InvalidInput, match="somebody else"):
            project.current.path(name)


def _at(person: Person, work: Path) -> Person:
    return Person(person.home, work, person.environment)
