"""Whose words count on the login node: another user tries to change what is read there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tasks.login_node import quoted, source
from tests.attacker import MAPS, PLACES, changed_by_attacker, common_ground

_UID_MAP = "/proc/self/uid_map"


def told(shell: str, paths: list[Path], more: str = "", uid_map: str = _UID_MAP) -> list[str]:
    """What gives somebody else a say in each of these, in the words of the program on the login node.

    `more` are lines that come before, and `uid_map` the path that is read instead of the system's.
    """
    directory = source("directory.sh").replace(_UID_MAP, uid_map)
    program = f'root=/\n{directory}\n{more}\nfor each in {quoted(map(str, paths))}; do echo $(exposed "$each"); done'
    done = subprocess.run([shell, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert not done.stderr
    return done.stdout.split("\n")[:-1]


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_e8_where_another_user_manages_to_change_the_program_it_is_refused(shell: str) -> None:
    """There is no list of what is to be expected: the attempt tells."""
    with common_ground() as ground:
        laid = [[lay(ground / f"{at}{n}", "jobs/run", "run") for at, lay in enumerate(PLACES.values())] for n in "ab"]
        changed = changed_by_attacker(laid[0])
        said = told(shell, laid[1])
    wrong = [
        f"{kind}: {'can' if can else 'cannot'} be changed, and: {why}"
        for kind, can, why in zip(PLACES, changed, said, strict=True)
        if bool(why) is not can
    ]
    assert not wrong, "\n".join(wrong)
    assert 8 < sum(changed) < len(PLACES) - 8  # else nobody tried, or nobody looked


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_e8_a_way_that_cannot_be_looked_at_is_called_that(shell: str, tmp_path: Path) -> None:
    (said,) = told(shell, [tmp_path / "missing"])
    assert said == "part of the way to it cannot be looked at"


@pytest.mark.parametrize(("file_system", "exposed"), [("ext2/ext3", False), ("nfs", True)])
def test_e8_a_group_is_nobodys_own_where_lists_are_not_shown(file_system: str, exposed: bool, tmp_path: Path) -> None:
    """No NFS can be mounted everywhere: what `stat` says of one is given."""
    tmp_path.chmod(0o770)
    named = f'stat() {{ if [ "$1" = -f ]; then echo {file_system}; else command stat "$@"; fi; }}'
    (said,) = told("dash", [tmp_path], named)
    assert ("its group may write" in said) is exposed


@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize("uid_map", MAPS)
def test_e8_nobody_is_whom_no_line_of_the_map_of_users_has(shell: str, uid_map: str) -> None:
    with common_ground() as ground:
        (ground / "map").write_text(uid_map)
        (ground / "theirs").mkdir()
        os.chown(ground / "theirs", 65534, 65534)
        (said,) = told(shell, [ground / "theirs"], uid_map=str(ground / "map"))
    assert bool(said) is MAPS[uid_map]
