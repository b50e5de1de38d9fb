from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .sshd import Home, Sshd


@pytest.fixture(autouse=True)
def _nobodys_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own home and agent are out of reach."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Callable[..., Sshd]]:
    """Make sshds; they are gone after the test."""
    started: list[Sshd] = []

    def start(*settings: str, **more: tuple[str, ...]) -> Sshd:
        started.append(Sshd(tmp_path / f"sshd{len(started)}", *settings, **more))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def sshd(servers: Callable[..., Sshd]) -> Sshd:
    return servers()
