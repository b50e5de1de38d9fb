"""The way to a login node as people's ssh_config and known_hosts have it, for whole lines."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tasks.testbed.cell import Cell
from tasks.testbed.sshd import Door, extra_sshd
from tests.clusters.hostile import at, goes_well, refused
from tests.session.fabric.sshd import keygen, public


@pytest.fixture
def door(cells: dict[str, Cell]) -> Iterator[Door]:
    with extra_sshd(cells["sandbox"], "way") as door:
        yield door


def test_an_ssh_config_with_include_and_match(door: Door, tmp_path: Path) -> None:
    (tmp_path / "included").write_text(f"Match originalhost {door.name} exec true\n{_lines(door)}")
    config = tmp_path / "config"
    config.write_text(f"Include {tmp_path}/inc*\nHost {door.name}\n  Port 1\n  User nobody\n")
    goes_well(at(door, tmp_path, ssh_config=config))
    assert door.logins() == 1


def _lines(door: Door) -> str:
    return "".join(line for line in door.host_block().splitlines(keepends=True) if not line.startswith("Host "))


def test_a_jump_host_that_is_an_sshd_of_its_own(door: Door, cells: dict[str, Cell], tmp_path: Path) -> None:
    with extra_sshd(cells["sandbox2"], "gateway") as jump:
        config = tmp_path / "config"
        config.write_text(f"{jump.host_block()}{door.host_block()}    ProxyJump gateway\n")
        goes_well(at(door, tmp_path, ssh_config=config))
        assert (jump.logins(), door.logins()) == (1, 1)
        # Its key is checked too, and before it is told whither.
        jump.known_hosts.write_text(door.known_hosts.read_text())
        assert "hpc's jump host gateway" in refused_line(door, tmp_path, config)
        assert (jump.logins(), door.logins()) == (1, 1)


def refused_line(door: Door, tmp_path: Path, config: Path) -> str:
    (tmp_path / "another").mkdir()
    return refused(at(door, tmp_path / "another", ssh_config=config))


def test_a_user_known_hosts_file_of_ones_own(door: Door, tmp_path: Path) -> None:
    elsewhere = door.known_hosts.rename(tmp_path / "my hosts")
    assert "is not known" in refused(at(door, tmp_path))
    assert door.logins() == 0
    config = tmp_path / "config"
    config.write_text(f'Host {door.name}\n    UserKnownHostsFile /dev/null "{elsewhere}"\n{door.host_block()}')
    (tmp_path / "another").mkdir()
    goes_well(at(door, tmp_path / "another", ssh_config=config))


def test_hashed_lines_in_known_hosts(door: Door, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", door.known_hosts], check=True, capture_output=True)
    assert "127.0.0.1" not in door.known_hosts.read_text()
    goes_well(at(door, tmp_path))


def _revoke_all(door: Door, _: Path) -> None:
    keys = [" ".join(line.split()[1:3]) for line in door.known_hosts.read_text().splitlines()]
    door.known_hosts.write_text(door.known_hosts.read_text() + "".join(f"@revoked * {key}\n" for key in keys))


def _authority_alone(door: Door, tmp_path: Path) -> None:
    door.known_hosts.write_text(f"@cert-authority * {public(keygen(tmp_path / 'ca'))}\n")


def _changed(door: Door, tmp_path: Path) -> None:
    door.known_hosts.write_text(f"[127.0.0.1]:{door.port} {public(keygen(tmp_path / 'other'))}\n")


@pytest.mark.parametrize(
    ("prepare", "said"),
    [(_revoke_all, "revoked"), (_authority_alone, "certificate authority alone"), (_changed, "another host key")],
)
def test_a_key_that_known_hosts_does_not_vouch_for(
    door: Door, tmp_path: Path, prepare: Callable[[Door, Path], None], said: str
) -> None:
    prepare(door, tmp_path)
    line = refused(at(door, tmp_path))
    assert said in line
    assert str(door.known_hosts) in line
    assert door.logins() == 0


def test_revoked_and_authority_lines_about_others_in_known_hosts(door: Door, tmp_path: Path) -> None:
    others = "".join(
        f"{marker} * {public(keygen(tmp_path / marker.strip('@')))}\n" for marker in ("@revoked", "@cert-authority")
    )
    door.known_hosts.write_text(f"{others}not a line\n{door.known_hosts.read_text()}")
    goes_well(at(door, tmp_path))
