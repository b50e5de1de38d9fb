"""What tests share: a testbed for the whole run, and a person with a home of their own for each test."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, settings

from tasks.testbed import bed, register
from tasks.testbed.cell import Cell
from tasks.testbed.slurm import SlurmCluster

ROOT = Path(__file__).parent.parent
# What hypothesis takes for examples depends on the modules that are loaded (their constants are among them) and, by
# itself, on chance and the clock. In the suite all of that is fixed; `make fuzz` goes on at random, and for long.
for _module in pkgutil.walk_packages([str(ROOT / "tasks")], "tasks."):
    if _module.name != "tasks.__main__":
        importlib.import_module(_module.name)
_TIMELESS = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], print_blob=True
)
settings.register_profile("suite", _TIMELESS, max_examples=300, derandomize=True, database=None)
settings.register_profile("fuzz", _TIMELESS, max_examples=int(os.environ.get("FUZZ", "5000")))
settings.load_profile("suite")
# In the background of a script it is ignored, and so by all that is started from there: nobody could type Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True)
class Person:
    """Somebody at a workstation: a home, a working directory with a fabfile, and the command line."""

    home: Path
    work: Path
    environment: dict[str, str] = field(repr=False)

    def fab(self, *words: str, timeout: float = 120, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `fab WORDS`, without a terminal."""
        return subprocess.run(
            [sys.executable, "-m", "fabric", *words],
            cwd=self.work, env={**self.environment, **environment}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, errors="surrogateescape", timeout=timeout,
        )  # fmt: skip

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Begin `fab WORDS` and return at once."""
        return subprocess.Popen(
            [sys.executable, "-m", "fabric", *words],
            cwd=self.work, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def script(self, name: str, text: str) -> str:
        """Write a file into the working directory; returns its name."""
        (self.work / name).write_text(text)
        return name

    def submit(self, script: str, *words: str, cluster: str = "sandbox") -> str:
        """Submit, and return the job ID."""
        done = self.fab("-H", cluster, "submit", f"--script={script}", *words)
        assert done.returncode == 0, done.stderr
        return self.jobs("--job", "last", cluster=cluster)[0]["job_id"]  # type: ignore[no-any-return]  # JSON is anything

    def jobs(self, *words: str, cluster: str = "sandbox") -> list[dict[str, Any]]:
        """What `status --json` says."""
        return json_lines(self.fab("-H", cluster, "status", "--json", *words).stdout)

    def wait(self, *words: str, cluster: str = "sandbox") -> dict[str, Any]:
        """Wait for one job, and return what `--json` says of it."""
        (job,) = json_lines(self.fab("-H", cluster, "wait", "--json", "--timeout=100", *words).stdout)
        return job


def program(path: Path, text: str) -> Path:
    """Lay a program there, in a directory that is made when it is missing: one to be found before the real one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def until_there(path: Path) -> str:
    """A line of a script that waits for this file: what is to happen meanwhile may take its time."""
    return f"until [ -e '{path}' ]; do sleep 0.2; done"


def submithost(person: Person, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run `submithost WORDS`."""
    return subprocess.run(
        [sys.executable, "-m", "tasks", *words],
        cwd=person.work, env={**person.environment, **more}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def json_lines(text: str) -> list[dict[str, Any]]:
    """The objects, one a line."""
    return [json.loads(line) for line in text.splitlines()]


def plain_environment(home: Path) -> dict[str, str]:
    """The environment of somebody who just logged in: nothing of whoever runs the tests."""
    return {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "error",
    }


def move_in(home: Path, fabric_yml: str = "") -> Person:
    """A person with this home, who has configured this."""
    home.mkdir(parents=True, exist_ok=True)
    work = home / "work"
    work.mkdir()
    (work / "fabfile.py").write_text("from tasks import namespace\n\nns = namespace()\n")
    if fabric_yml:
        (home / ".fabric.yml").write_text(fabric_yml)
    return Person(home, work, plain_environment(home))


def configured(names: Iterable[str]) -> str:
    """The file `~/.fabric.yml` that knows these clusters of the testbed."""
    registered = yaml.safe_load(register.registration().read_text())["clusters"]
    return yaml.safe_dump({"clusters": {name: registered[name] for name in names}}, sort_keys=False)


@pytest.fixture(scope="session")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Cell]]:
    """The clusters `sandbox` and `sandbox2`, for the whole run and away from anybody's own testbed."""
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))
    try:
        yield {cell.name: cell for cell in bed.up(slots=32)}
    finally:
        bed.down()
        os.environ.pop("XDG_STATE_HOME")
        if before is not None:
            os.environ["XDG_STATE_HOME"] = before


@pytest.fixture(scope="session")
def bash_cell(cells: dict[str, Cell]) -> Cell:
    """A cluster on which /bin/sh is bash, as on Red Hat's systems, beside the others."""
    del cells
    (cell,) = bed.up(["sandbox-bash"], slots=32, sh="/bin/bash")
    assert isinstance(cell, Cell)
    return cell


@pytest.fixture(scope="session")
def slurm(cells: dict[str, Cell]) -> SlurmCluster:
    """The cluster `sandbox-slurm`, beside the others; it is taken down with them."""
    del cells
    (cluster,) = bed.up_slurm(["sandbox-slurm"], slots=32)
    assert isinstance(cluster, SlurmCluster)
    return cluster


@pytest.fixture
def person(cells: dict[str, Cell], tmp_path: Path) -> Person:
    """Somebody who has the two clusters configured, and no other that happens to be up."""
    return move_in(tmp_path / "home", configured(cells))


@pytest.fixture
def commuter(cells: dict[str, Cell], slurm: SlurmCluster, tmp_path: Path) -> Person:
    """Somebody who has the two clusters configured, and the one of the other scheduler."""
    return move_in(tmp_path / "home", configured([*cells, slurm.name]))


# They take minutes, each on one worker: at the end the others would wait for it.
LONGEST = ("test_stress.py", "test_slurm.py", "test_logins_dead.py", "test_scripts.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The modules that take longest first."""
    order = {name: at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.name, len(order)))
