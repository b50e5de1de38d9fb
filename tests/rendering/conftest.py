"""Every test has its own home."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home with a directory for the user's own templates, which is returned, and a place to work."""
    here = tmp_path / "here"
    own = tmp_path / "config/submithost/job_templates"
    here.mkdir()
    own.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(here)
    return own
