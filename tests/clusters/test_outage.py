"""The network goes away, and comes back: what was begun is done. What is sent goes away: it ends at once."""

from __future__ import annotations

import os
import re
import shutil
import time
from contextlib import ExitStack
from pathlib import Path

from tasks.testbed.cell import Cell
from tasks.testbed.sshd import Door, extra_sshd, main_door
from tests.clusters.bench import marks, until
from tests.conftest import Person, move_in, until_there
from tests.proxy import Proxy, ssh_config_through

# Seconds: longer than the few tries that are made in any case.
AWAY = 10
BIG = 24 << 20
VERBS = {
    "put": "put --source=big --target=put",
    "get": "get --source=big --target=got",
    "fetch": "fetch --job=made --to=got",
    "wait": "wait --job=long",
    "logs": "logs --job=long --follow",
    "submit": "submit --script=slow --hold --key=outage-held",
}


def somebody(home: Path, door: Door, proxy: Proxy) -> Person:
    config = ssh_config_through(proxy, door, home.with_suffix(".config"))
    person = move_in(home, f"clusters:\n  hpc:\n    host: {door.name}\n    ssh_config: '{config}'\n")
    (person.work / "big").write_bytes(bytes(range(256)) * (BIG // 256))
    return person


def go_away(proxy: Proxy, seconds: float) -> None:
    """No connection is left, and none is made, until it comes back."""
    proxy.refusing = True
    proxy.drop_all()
    time.sleep(seconds)
    proxy.refusing = False


def test_house3_work_goes_on_when_the_network_is_back(cells: dict[str, Cell], tmp_path: Path) -> None:
    """While all are in the login shell, which takes its time, and once more while files are on their way."""
    there, go = tmp_path / "there", tmp_path / "go"
    there.mkdir()
    slowly = f"if [ -e ~/slow ]; then echo >>~/inside; {until_there(tmp_path / 'on')}; fi\n"
    for name in (".profile", ".bash_profile", ".zprofile"):
        (there / name).write_text(slowly)
    with extra_sshd(cells["sandbox"], "network", home=there) as door, Proxy(door.port) as proxy:
        first = somebody(tmp_path / "first", door, proxy)
        shutil.copy2(first.work / "big", there)
        first.script("made", f"#!/bin/sh\ncp '{there}/big' result\n")
        first.script("slow", f"#!/bin/sh\necho begun\n{until_there(go)}\necho done\n")
        words = "submit --script=slow --key=long submit --script=made --key=made --wait"
        assert first.fab("-H", "hpc", *words.split()).returncode == 0
        (there / "slow").touch()
        running = {}
        for verb, line in VERBS.items():
            person = somebody(tmp_path / verb, door, proxy)
            person.script("slow", "#!/bin/sh\n")
            shutil.copytree(first.home / ".local", person.home / ".local")
            running[verb] = person, person.start("-H", "hpc", *line.split())
        until(lambda: (there / "inside").exists() and (there / "inside").stat().st_size == len(VERBS), 30)
        (tmp_path / "on").touch()
        proxy.delay = 0.3
        go_away(proxy, AWAY)
        before = dict(proxy.amount)
        until(lambda: all(proxy.amount[way] > before[way] + (2 << 20) for way in ("up", "down")))
        begun = {verb for verb, (_, process) in running.items() if process.poll() is None}
        proxy.delay = 0.0
        go_away(proxy, 2)
        go.touch()
        said = {verb: process.communicate(timeout=200) for verb, (_, process) in running.items()}
    ended = {verb: process.returncode for verb, (_, process) in running.items()}
    assert ended == dict.fromkeys(VERBS, 0), said
    assert {"put", "get", "fetch", "wait", "logs"} <= begun
    assert said["logs"][0] == "begun\ndone\n"
    big = (first.work / "big").read_bytes()
    for path in (there / "put/big", running["get"][0].work / "got/big", running["fetch"][0].work / "got/result"):
        assert path.read_bytes() == big
    assert marks(cells["sandbox"], "outage-held") == 1


def test_house5_an_input_that_vanishes_or_shrinks_while_it_is_sent_ends_it_at_once(
    cells: dict[str, Cell], tmp_path: Path
) -> None:
    """In one line that names it, and not after minutes of silence, tried four times."""
    lines = ("put --source=inputs", "submit --script=x --put=inputs --hold")
    with ExitStack() as stack:
        running = {}
        for line in lines:
            for what in ("vanished", "became shorter"):
                proxy = stack.enter_context(Proxy(main_door(cells["sandbox"]).port, delay=0.3))
                home = tmp_path / f"{what} {line[:3]}"
                person = somebody(home, main_door(cells["sandbox"]), proxy)
                person.script("x", "#!/bin/sh\n")
                inputs = person.work / "inputs"
                inputs.mkdir()
                for name in ("first", "second"):
                    shutil.copy2(person.work / "big", inputs / name)
                running[line, what] = proxy, inputs, person.start("-H", "hpc", *line.split())
        for (_, what), (proxy, inputs, _) in running.items():
            until(lambda proxy=proxy: proxy.amount["up"] > 1 << 20)
            (inputs / "second").unlink() if what == "vanished" else os.truncate(inputs / "first", 10)
        for (line, what), (_, _, process) in running.items():
            out, err = process.communicate(timeout=100)
            said = "cannot read .*second: No such file or directory" if what == "vanished" else "first (became|was)"
            *_, last = err.splitlines()
            assert (process.returncode, out) == (2, ""), f"{line} ({what}): {err}"
            assert re.search(said, last), f"{line} ({what}): {err}"
            assert "again in" not in err
