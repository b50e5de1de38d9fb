"""What `pip install` gives: the tree as the package `submithost`, and a program that works from any directory."""

from __future__ import annotations

import getpass
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tasks.testbed.accounts import other_user
from tasks.testbed.cell import Cell
from tasks.testbed.sshd import main_door
from tests.conftest import ROOT, Person, plain_environment


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: a build leaves things behind."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("tasks", "job_templates"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    words = ["wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(tree), str(tree)]
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *words], check=True)
    (built,) = tree.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment with nothing but the wheel in it; what that depends on is lent from ours."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, symlinks=True)
    words = ["install", "--quiet", "--no-deps", "--no-index", "--no-compile", str(wheel)]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(home / "bin" / "python")]
    subprocess.run([*pip, *words], check=True)
    (site,) = home.glob("lib/python*/site-packages")
    assert {path.name for path in site.iterdir() if not path.name.startswith("submithost")} == set()
    # A path in here is put behind all others, and no .pth file on the login node is read, such as one for the tree.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home / "bin"


class Elsewhere:
    """Somebody with an empty directory and the installed program."""

    def __init__(self, programs: Path, home: Path, environment: dict[str, str]) -> None:
        self.work = home / "empty"
        self.work.mkdir(parents=True)
        path = f"{programs}:{environment['PATH']}"
        self.environment = {**environment, "HOME": str(home), "PATH": path, "TMPDIR": str(home)}
        del self.environment["PYTHONPATH"]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, cwd=self.work, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=120,
        )  # fmt: skip

    def must(self, *words: str) -> str:
        done = self.run(*words)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout


@pytest.fixture
def elsewhere(programs: Path, tmp_path: Path) -> Elsewhere:
    return Elsewhere(programs, tmp_path / "somebody", plain_environment(tmp_path))


def test_the_wheel_is_the_tree_and_installs_nothing_else(wheel: Path) -> None:
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    tasks = {path.relative_to(ROOT / "tasks") for path in (ROOT / "tasks").rglob("*") if path.is_file()}
    ours = {f"submithost/{path}" for path in tasks if "__pycache__" not in path.parts}
    templates = {f"submithost/job_templates/{path.name}" for path in (ROOT / "job_templates").iterdir()}
    assert len(templates) > 3
    assert inside == ours | templates


def test_it_works_from_an_empty_directory(elsewhere: Elsewhere, programs: Path) -> None:
    version = elsewhere.must("submithost", "--version").splitlines()
    assert re.fullmatch(r"submithost \d+\.\d+\.\d+", version[0])
    assert version[1].startswith("fabric ")
    assert "hello" in elsewhere.must("submithost", "templates")
    assert elsewhere.must("submithost", "render", "--script=hello").startswith("#!/bin/bash\n#$ ")
    assert elsewhere.must("python", "-m", "submithost", "--version").splitlines() == version
    assert "submithost -H CLUSTER" in elsewhere.run("submithost", "status").stderr
    assert list(elsewhere.work.iterdir()) == []


def test_it_is_the_package_submithost_and_no_package_tasks(elsewhere: Elsewhere, programs: Path) -> None:
    where = "import submithost; print(submithost.__file__)"
    assert elsewhere.must("python", "-P", "-c", where).startswith(f"{programs.parent}/lib/")
    assert "No module named 'tasks'" in elsewhere.run("python", "-c", "import tasks").stderr


def test_somebody_elses_fabfile_has_the_tasks_beside_its_own(elsewhere: Elsewhere) -> None:
    own = "@task\ndef greet(c):\n    '''Say hello.'''\n    print('hello')\n\nns = namespace()\nns.add_task(greet)\n"
    imports = "from fabric import task\nfrom submithost import namespace\n\n"
    (elsewhere.work / "fabfile.py").write_text(imports + own)
    assert elsewhere.must("python", "-m", "fabric", "greet") == "hello\n"
    assert "#!/bin/bash" in elsewhere.must("python", "-m", "fabric", "render", "--script=hello")


def test_bash_completes_tasks_clusters_and_flags(elsewhere: Elsewhere) -> None:
    (elsewhere.work / "fabric.yml").write_text("clusters:\n  sharc:\n")
    script = elsewhere.must("submithost", "--print-completion-script", "bash")
    tab = 'COMP_WORDS=(submithost "$@"); _complete_submithost submithost "${!#}"; printf "%s\\n" "${COMPREPLY[@]}"'

    def typed(*words: str) -> list[str]:
        return elsewhere.must("bash", "-c", f"{script}\n{tab}", "bash", *words).split()

    assert typed("sub") == ["submit"]
    assert "sharc.submit" in typed("-H", "sharc", "sharc.")
    assert typed("submit", "--scr") == ["--script"]


# --- on a cluster


def test_with_nothing_but_an_ssh_alias_a_job_is_submitted_waited_for_and_fetched(
    cells: dict[str, Cell], programs: Path, tmp_path: Path
) -> None:
    somebody = Elsewhere(programs, tmp_path / "new", plain_environment(tmp_path))
    door = main_door(cells["sandbox"])
    ssh = somebody.work.parent / ".ssh"
    ssh.mkdir(mode=0o700)
    shutil.copy(door.client_key, ssh / "id_ed25519")
    shutil.copy(door.known_hosts, ssh / "known_hosts")
    alias = f"Host hpc\n  HostName 127.0.0.1\n  Port {door.port}\n  User {getpass.getuser()}\n"
    (ssh / "config").write_text(alias)
    # ssh looks for ~/.ssh where the password database says that a home is.
    somebody.environment.update(other_user(ssh, somebody.work.parent))
    (somebody.work / "job.sh").write_text("#!/bin/bash\n#$ -N first\necho done > result.txt\n")
    done = somebody.run("submithost", "-H", "hpc", "submit", "--script=job.sh", "wait", "fetch")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Your job ")
    assert "hpc: found gridengine; remembered" in done.stderr
    (result,) = somebody.work.glob("first-*/result.txt")
    assert result.read_text() == "done\n"


def test_the_clusters_of_fabric_yml_are_those_of_the_directory_and_of_the_home(
    cells: object, programs: Path, person: Person, tmp_path: Path
) -> None:
    somebody = Elsewhere(programs, tmp_path / "new", {**person.environment})
    configured = (person.home / ".fabric.yml").read_text()
    (somebody.work.parent / ".fabric.yml").write_text(configured)
    (somebody.work / "fabric.yml").write_text("clusters:\n  sandbox:\n    resources: {memory: 3G}\n")
    script = somebody.must("submithost", "sandbox.render", "--script=hello")
    assert re.search("^#[$] .*rmem=3G$", script, re.M), (
        script
    )  # the name is from the one file, the value from the other
    (somebody.work / "job.sh").write_text("#!/bin/sh\n")
    submitted = somebody.run("submithost", "sandbox.submit", "--script=job.sh", "wait", "--timeout=100")
    assert submitted.returncode == 0, submitted.stderr
