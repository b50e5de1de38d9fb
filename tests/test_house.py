"""The house: which rooms there are, that arrows go one way, and that files and functions stay small."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import grimp
import pytest

from tests.conftest import ROOT

TASKS = ROOT / "tasks"
AT_THE_ROOT = {"__init__.py", "__main__.py", "program.py"}
ROOMS = sorted(path.parent for path in TASKS.rglob("__init__.py") if path.parent != TASKS)
FILES = sorted(TASKS.rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(TASKS))


def test_only_the_way_in_stands_outside_of_rooms() -> None:
    assert {path.name for path in TASKS.glob("*.py")} == AT_THE_ROOT


def test_no_module_reaches_itself_by_imports_those_inside_functions_included() -> None:
    graph = grimp.build_graph("tasks", cache_dir=None)
    modules = graph.modules
    assert len(modules) == len(FILES)
    circles = {
        module
        for module in modules
        for imported in graph.find_modules_directly_imported_by(module)
        if graph.find_shortest_chain(imported, module)
    }
    assert circles == set()


@pytest.mark.parametrize("room", ROOMS, ids=name_of)
def test_each_room_says_what_lives_in_it(room: Path) -> None:
    said = ast.get_docstring(ast.parse((room / "__init__.py").read_text()))
    assert said
    assert said.count("\n\n") < 4


QUIET = [
    path
    for room in ["api", "checks", "files", "jobs", "submission", "tracking"]
    for path in (TASKS / room).glob("*.py")
]


@pytest.mark.parametrize("file", QUIET, ids=name_of)
def test_below_the_verbs_nothing_is_printed(file: Path) -> None:
    names = {node.id for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Name)}
    assert not names & {"print", "sys"}


def test_no_file_and_no_function_is_long() -> None:
    long = [path for path in FILES if path.read_text().count("\n") > 250]
    functions = [
        f"{name_of(path)}: {node.name}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.body[0].lineno >= 50
    ]
    assert (long, functions) == ([], [])


def test_no_two_modules_that_share_clusters_use_the_same_key() -> None:
    used: dict[str, set[str]] = {}
    for path in (ROOT / "tests" / "clusters").glob("test_*.py"):
        for key in re.findall(r"--key[= ]([A-Za-z0-9._-]+)(?![{A-Za-z0-9._-])", path.read_text()):
            used.setdefault(key, set()).add(path.name)
    assert len(used) > 50
    assert {key: modules for key, modules in used.items() if len(modules) > 1} == {}


def test_no_function_of_the_shell_programs_hides_a_command() -> None:
    """They are joined to one program, and `cut` in one file is `cut` in all."""
    files = list(TASKS.rglob("*.sh"))
    functions = {name for path in files for name in re.findall(r"^(\w+)\(\)", path.read_text(), re.M)}
    listed = subprocess.run(
        ["dpkg", "-L", "coreutils", "findutils", "grep", "sed", "tar", "util-linux"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    commands = {Path(line).name for line in listed.splitlines() if "/bin/" in line}
    assert len(functions) > 50
    assert "cut" in commands
    assert functions & commands == set()
