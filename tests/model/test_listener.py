from __future__ import annotations

import logging

import pytest

from tasks.model.listener import Listener, Quiet
from tasks.screen.screen import Screen


def tell(listener: Listener) -> None:
    """Everything that there is to be told."""
    listener.say("cluster: a line\nof two")
    with listener.slow("nothing is slow here"), listener.transfer("sending", 7) as add:
        add(7)


def test_a_program_is_told_by_its_log_alone(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.INFO, "submithost"):
        tell(Quiet())
    assert caplog.record_tuples == [("submithost", logging.INFO, "cluster: a line\nof two")]
    assert capfd.readouterr() == ("", "")


def test_a_person_is_told_on_stderr_in_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    tell(Screen())
    assert capsys.readouterr() == ("", "cluster: a line\\nof two\n")
