"""Whose words count on the login node: another user tries to change what is read there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tasks.login_node import quoted, source
from tests.attacker import PLACES, changed_by_attacker, common_ground


def told(shell: str, paths: list[Path]) -> list[str]:
    """What gives somebody else a say in each of these, in the words of the program over there."""
    program = (
        f'root=/\n{source("directory.sh")}\nfor each in {quoted(map(str, paths))}; do echo $(exposed "$each"); done'
    )
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
