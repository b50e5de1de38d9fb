"""Making a cell, and starting and stopping its sge_qmaster and sge_execd."""

from __future__ import annotations

import getpass
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from ..model.errors import InvalidInput, SchedulerError
from . import files, services
from .cell import Cell
from .cluster import write


def make(cell: Cell) -> None:
    """Write the cell's files and bring its daemons up for the first time. Raises SchedulerError."""
    _lay_out(cell)
    _fill_spool(cell)
    start_qmaster(cell)
    scheduler = files.replaced(
        cell.must("qconf", "-ssconf"), schedule_interval="0:0:1", flush_submit_sec=1, flush_finish_sec=1
    )
    _give(cell, "-Msconf", scheduler)
    _give(cell, "-Ahgrp", files.HOST_GROUP.format(host=files.HOST))
    _give(cell, "-Aq", files.QUEUE.format(slots=cell.slots, tmpdir=cell.sge_root / "tmp"))
    start_execd(cell)


def set_slots(cell: Cell) -> None:
    """Give the running cell as many slots, and memory for them, as it now says."""
    cell.must("qconf", "-mattr", "queue", "slots", str(cell.slots), "all.q")
    cell.must("qconf", "-mattr", "exechost", "complex_values", _capacity(cell), files.HOST)


def start_qmaster(cell: Cell) -> None:
    """Start sge_qmaster unless it lives, and return when it answers. Raises SchedulerError.

    An sge_execd that lives is restarted too: by itself it finds a new qmaster after half a minute, and the ends of
    jobs may never get through. Jobs run on meanwhile.
    """
    lives = services.lives(cell, "sge_qmaster")
    if not lives:
        _start(cell, "sge_qmaster")
    if not services.comes_up(cell, "sge_qmaster", lambda: qmaster_answers(cell)):
        raise SchedulerError(f"{cell.name}: sge_qmaster does not answer: see {cell.spool / 'messages'}")
    if not lives and execd_lives(cell):
        stop_execd(cell)
        start_execd(cell)


def start_execd(cell: Cell) -> None:
    """Start sge_execd unless it lives, and return when its queue takes jobs. Raises SchedulerError."""
    if not services.lives(cell, "sge_execd"):
        _start(cell, "sge_execd")
    if not services.comes_up(cell, "sge_execd", lambda: execd_answers(cell)):
        where = cell.spool.parent / files.HOST / "messages"
        raise SchedulerError(f"{cell.name}: sge_execd does not report: see {where}")


def start_all(cell: Cell) -> None:
    """Start whatever of the cell does not live, or does not answer. Raises SchedulerError."""
    if not qmaster_answers(cell):
        kill_qmaster(cell)
    start_qmaster(cell)
    start_execd(cell)


def alive(cell: Cell) -> dict[str, bool]:
    """What lives."""
    return {"qmaster": qmaster_answers(cell), "execd": execd_lives(cell)}


def used_and_free(cell: Cell) -> tuple[int, int] | None:
    """Slots, from `all.q@localhost BIP 0/2/16 0.08 lx-amd64` (reserved/used/all); None when qmaster does not say."""
    found = re.search(rf"^all\.q@{files.HOST}\s+\S+\s+\d+/(\d+)/(\d+)", cell.run("qstat", "-f").stdout, re.M)
    return (int(found[1]), int(found[2]) - int(found[1])) if found else None


def stop_qmaster(cell: Cell) -> None:
    """End sge_qmaster in good order, which takes it 8 s; jobs run on. Raises SchedulerError when it stays."""
    services.stop(cell, "sge_qmaster", signal.SIGTERM)


def kill_qmaster(cell: Cell) -> None:
    """Kill sge_qmaster: at once, and what it had not yet written is lost (job number, accounting)."""
    services.stop(cell, "sge_qmaster", signal.SIGKILL)


def stop_execd(cell: Cell) -> None:
    """End sge_execd alone; its jobs run on under their shepherds. Raises SchedulerError when it stays.

    It does not take its leave of qmaster, which goes on to send it jobs: one that it was not there to take is `t` for
    five minutes, until qmaster sends it once more.
    """
    services.stop(cell, "sge_execd", signal.SIGTERM)


def kill_execd(cell: Cell) -> None:
    """Kill sge_execd alone; its jobs run on under their shepherds."""
    services.stop(cell, "sge_execd", signal.SIGKILL)


def qmaster_answers(cell: Cell, timeout: float = 15) -> bool:
    """Whether sge_qmaster lives and answers."""
    if not services.lives(cell, "sge_qmaster"):
        return False
    try:
        return cell.run("qconf", "-sh", timeout=timeout).returncode == 0
    except SchedulerError:
        return False


def execd_answers(cell: Cell) -> bool:
    """Whether sge_execd lives, takes jobs, and qmaster has heard of it: its host has load values."""
    if not services.lives(cell, "sge_execd"):
        return False
    port = cell.settings()["SGE_EXECD_PORT"]
    try:
        # The load values may be those of one that was here before.
        if cell.run("qping", "-info", files.HOST, port, "execd", "1").returncode != 0:
            return False
        done = cell.run("qconf", "-se", files.HOST)
    except SchedulerError:
        return False
    return done.returncode == 0 and "load_values           NONE" not in done.stdout


def execd_lives(cell: Cell) -> bool:
    """Whether there is an sge_execd, known to qmaster or not."""
    return services.lives(cell, "sge_execd")


def _lay_out(cell: Cell) -> None:
    root = cell.sge_root
    for folder in ("bin", "lib", "utilbin"):
        (root / folder).mkdir()
        (root / folder / _architecture()).symlink_to(files.BINARIES)
    (root / "util").symlink_to(files.STOCK / "util")
    for path in (cell.common, cell.spool, root / "tmp"):
        path.mkdir(parents=True)
    settings = {"user": getpass.getuser(), "common": cell.common, "spool": cell.spool}
    write(cell.common / "bootstrap", files.BOOTSTRAP.format(**settings), 0o644)
    write(cell.common / "act_qmaster", f"{files.HOST}\n", 0o644)
    # Without the aliases: "access denied (client IP resolved to host name ...)".
    names = " ".join([files.HOST, *_names_of_this_machine()])
    write(cell.common / "host_aliases", f"{names}\n", 0o644)
    write(cell.directory / "hosts", f"127.0.0.1 {names}\n", 0o644)
    cell.make_mailer()


def _fill_spool(cell: Cell) -> None:
    """Write qmaster's database before it starts: faster than asking a running one for each object."""
    cell.must("spoolinit", "classic", "libspoolc", f"{cell.common};{cell.spool}", "init")
    with tempfile.TemporaryDirectory(dir=cell.directory) as name:
        # Grid Engine changes directory before it opens these, and is silent about what it does not find.
        new = cell.sge_root / Path(name).name
        stock = (files.STOCK / "default-configuration").read_text()
        reporting = "accounting=true reporting=false flush_time=00:00:15 joblog=false sharelog=00:00:00"
        write(new / "configuration", files.replaced(
            stock,
            execd_spool_dir=cell.spool.parent,
            mailer=cell.mailer,
            min_uid=0, min_gid=0,
            gid_range=cell.gid_range,
            reporting_params=f"{reporting} accounting_flush_time={cell.accounting_flush}",
        ))  # fmt: skip
        shutil.copytree(files.STOCK / "util" / "resources" / "centry", new / "complexes")
        host = files.EXECUTION_HOST.format(host=files.HOST, capacity=_capacity(cell))
        for folder, objects in {
            "complexes": files.COMPLEXES,
            "adminhosts": {files.HOST: f"hostname {files.HOST}\n"},
            "submithosts": {files.HOST: f"hostname {files.HOST}\n"},
            "exechosts": {files.HOST: host},
            "pes": files.PARALLEL_ENVIRONMENTS,
            "projects": {"gpu": files.PROJECT},
        }.items():
            (new / folder).mkdir(exist_ok=True)
            for name, text in objects.items():
                (new / folder / name).write_text(text)
            cell.must("spooldefaults", folder, str(new / folder))
        cell.must("spooldefaults", "configuration", str(new / "configuration"))
        cell.must("spooldefaults", "usersets", str(files.STOCK / "util" / "resources" / "usersets"))
        cell.must("spooldefaults", "managers", getpass.getuser())


def _capacity(cell: Cell) -> str:
    """4 GB a slot, as ShARC's nodes had, and four GPUs."""
    return f"rmem={max(64, 4 * cell.slots)}G,gpu=4"


def _give(cell: Cell, option: str, text: str) -> None:
    with tempfile.NamedTemporaryFile("w", dir=cell.directory) as file:
        file.write(text)
        file.flush()
        cell.must("qconf", option, file.name)


def _start(cell: Cell, program: str) -> None:
    services.start(
        cell,
        cell.program(program),
        # Grid Engine can only listen on every address, and believes whoever's address resolves to a name that it
        # knows: so for its daemons no address but 127.0.0.1 has a name.
        NSS_WRAPPER_HOSTS=str(cell.directory / "hosts"),
        # Turned daemon by itself it would close what libnss-wrapper has open.
        SGE_ND="1",
    )


def _architecture() -> str:
    done = subprocess.run([str(files.STOCK / "util" / "arch")], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _names_of_this_machine() -> list[str]:
    own = socket.gethostname()
    try:
        answers = [socket.gethostbyname_ex(own), socket.gethostbyaddr("127.0.0.1")]
    except OSError:
        raise InvalidInput(
            f"this machine's name '{own}' does not resolve, and Grid Engine needs that: "
            f"add a line '127.0.1.1 {own}' to /etc/hosts"
        ) from None
    names = [own, *(name for first, others, _ in answers for name in (first, *others))]
    return [name for name in dict.fromkeys(names) if name != files.HOST]
