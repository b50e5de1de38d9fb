"""What the clusters of the testbed are like: ShARC's vocabulary, mail that stays, other login nodes."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from tasks.model.errors import InvalidInput
from tasks.testbed import bed, daemons, packages, sshd
from tasks.testbed.cell import Cell

from .bench import qsub, ssh, until

pytestmark = pytest.mark.usefixtures("state")


def test_the_vocabulary_of_sharc_is_there_and_stock_stays_stock(cell: Cell) -> None:
    script = "#$ -P gpu\n#$ -pe smp 4\n#$ -l rmem=2G,gpu=1,h_rt=60,h_vmem=4G\nexit 0"
    assert ssh("sandbox", "qsub -S /bin/sh -sync y", script=script).count("has been submitted") == 1
    for name in ("openmp", "mpi"):
        qsub(cell, "exit 0", "-pe", name, "16", "-w", "e")
    queue, configuration = cell.must("qconf", "-sq", "all.q"), cell.must("qconf", "-sconf")
    for line in ("shell                 /bin/csh", "shell_start_mode      posix_compliant"):
        assert line in queue
    for line in ("max_u_jobs                   0", "qmaster_params               none", "flush_time=00:00:15"):
        assert line in configuration


def test_mail_stays_in_the_cell(cell: Cell) -> None:
    ssh("sandbox", "qsub -S /bin/sh -sync y -m e -M somebody@example.org", script="exit 0")

    until(lambda: list(cell.mail.glob("mail.*")))
    [mail] = cell.mail.glob("mail.*")
    assert "somebody@example.org" in mail.read_text()
    assert "Exit Status      = 0" in mail.read_text()


def test_a_path_with_space_quote_and_percent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "it's 100% %h here"))
    [cell] = bed.up(["sandbox"])

    assert "Your job 1" in ssh("sandbox", "qsub -S /bin/sh -sync y", script="exit 0")
    assert cell.sge_root.parent.exists()
    cell.sge_root.unlink()  # as a reboot does
    cell.sge_root.parent.rmdir()
    assert bed.up(["sandbox"]) == [cell]
    assert "Your job 2" in ssh("sandbox", "qsub -S /bin/sh -sync y", script="exit 0")
    bed.down()
    assert not cell.sge_root.parent.exists()


def test_other_login_nodes_for_the_same_cell(cell: Cell, tmp_path: Path) -> None:
    home = tmp_path / "home of mine"
    home.mkdir()
    (home / ".cshrc").write_text("echo noise\n")
    with sshd.extra_sshd(cell, "hostile", ["MaxSessions 1"], login_shell="/bin/tcsh", home=home) as door:
        assert ssh("hostile", "echo $shell; pwd; qstat", door.ssh_config) == f"noise\n/bin/tcsh\n{home}\n"
        assert door.logins() == 1
    with sshd.extra_sshd(cell, "bare", set_env=False, sftp=False) as bare:
        assert ssh("bare", "echo ${SGE_ROOT-unset}", bare.ssh_config) == "unset\n"
        sftp = ["sftp", "-b", "/dev/null", "-F", str(bare.ssh_config), "bare"]
        assert subprocess.run(sftp, capture_output=True).returncode != 0
    assert not bare.folder.exists()
    with pytest.raises(OSError):  # noqa: PT011  # refused, whatever the kernel calls it
        socket.create_connection(("127.0.0.1", bare.port))
    assert not bed.health(cell).dead


def test_daemons_can_be_stopped_and_started_one_by_one(cell: Cell) -> None:
    door = sshd.main_door(cell)
    users = [cell.directory / name for name in ("passwd", "group", "shadow")]
    before = [path.stat().st_ino for path in users]
    daemons.kill_qmaster(cell)
    assert "commlib error" in cell.run("qstat").stderr
    daemons.start_qmaster(cell)
    assert cell.run("qstat").returncode == 0
    daemons.stop_execd(cell)
    job = qsub(cell, "exit 0", "-h")  # qmaster may not send it yet: it would not do so again for five minutes
    daemons.start_execd(cell)
    cell.must("qrls", job)
    sshd.stop_sshd(door)
    assert bed.health(cell).dead == ["sshd"]
    sshd.start_sshd(door)
    until(lambda: job not in ssh("sandbox", "qstat"))
    # Whoever lives would read new ones anew, and not find its user meanwhile.
    assert [path.stat().st_ino for path in users] == before


def test_without_packages_and_without_root_the_command_that_helps_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(packages.WITNESSES["base"], "tcsh", "/nowhere/csh")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(InvalidInput, match=r"sudo apt-get install --yes --no-install-recommends tcsh$"):
        packages.ensure(print)


def test_d7_bin_sh_can_be_bash_over_there_and_goes_with_the_cluster(state: Path) -> None:
    here = Path("/bin/sh").read_bytes()
    submits = {"sandbox": "qsub -S /bin/sh -sync y -o said -j y", "sandbox-slurm": "sbatch --wait -o said"}
    for cluster in [*bed.up(["sandbox"], sh="/bin/bash"), *bed.up_slurm(sh="/bin/bash")]:
        assert "GNU bash" in ssh(cluster.name, "/bin/sh --version")
        ssh(cluster.name, submits[cluster.name], script="#!/bin/sh\n/bin/sh --version\n")
        assert "GNU bash" in (cluster.home / "said").read_text()

    assert Path("/bin/sh").read_bytes() == here
    bed.down()
    assert not [path for path in state.rglob("*") if path != state / "submithost"]
