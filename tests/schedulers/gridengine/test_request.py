"""What qsub is asked for, and what is refused before it is asked."""

from __future__ import annotations

import pytest

from tasks.model.errors import InvalidInput
from tasks.model.resources import Resources, parse_resources
from tasks.schedulers.gridengine import scheduler as gridengine
from tasks.schedulers.values import Submission

NAMES = {"memory": "rmem", "gpus": "gpu"}


@pytest.mark.parametrize("name", ["9digit.sh", "sp ace.sh", "a/b", "a:b", "naïve", "(1)", ""])
def test_g3_g4_a_name_that_qsub_refuses_is_made_legal_and_stays_so(name: str) -> None:
    legal = gridengine.legal_name(name)
    assert legal != name
    assert gridengine.legal_name(legal) == legal
    with pytest.raises(InvalidInput, match=legal.replace("(", "\\(")):
        gridengine.check(b"", Resources(name=name or "/"))


def test_g8_windows_line_ends_are_refused_before_contact() -> None:
    for script in (b"#!/bin/bash\r\necho\r\n", b"#!/bin/bash\n#$ -cwd\r\n"):
        with pytest.raises(InvalidInput, match="dos2unix"):
            gridengine.check(script, Resources())
    assert gridengine.check(b"#!/bin/sh\nprintf 'a\r\n'\n", Resources()) == []


def test_a_program_instead_of_a_script_is_refused_before_contact() -> None:
    with pytest.raises(InvalidInput, match="NUL"):
        gridengine.check(b"\x7fELF\0", Resources())


def test_g14_directives_ask_in_the_words_of_the_site() -> None:
    asked = parse_resources(
        name="n", time="1:30:00", memory="4G", cores="4", gpus="1", array="1-9:2", at_once="3",
        queue="q", project="gpu", mail="a@b", mail_on="ea",
    )  # fmt: skip
    assert gridengine.directives(asked, NAMES) == [
        "#$ -N n", "#$ -l h_rt=01:30:00", "#$ -l rmem=4G", "#$ -l gpu=1", "#$ -pe smp 4", "#$ -t 1-9:2", "#$ -tc 3",
        "#$ -q q", "#$ -P gpu", "#$ -M a@b", "#$ -m ea",
    ]  # fmt: skip
    assert gridengine.directives(Resources(memory=1536 * 1024**2)) == ["#$ -l h_vmem=1536M"]


def test_the_clusters_mail_yields_to_a_script_that_has_its_own() -> None:
    default = Resources(mail="me@here", mail_on="e", time=60)
    flags = Submission("k", "x", Resources())
    without = gridengine.defaults(default, ["-P p"], NAMES, b"#!/bin/sh\n", flags)[".sge_request"]
    assert without == "-cwd\n-P p\n-l h_rt=00:01:00\n-M me@here\n-m e\n"
    assert "me@here" not in gridengine.defaults(default, [], NAMES, b"#$ -m a -M you@there\n", flags)[".sge_request"]


def test_hostile_arguments_are_single_words_of_the_command_line() -> None:
    import shlex

    arguments = ("$(touch pwned) \"x\" 'y'", "", "a\nb")
    command = gridengine.submit_variables(
        Submission("k", ".submithost/job/x", Resources(), ("-l", "a=b c"), arguments, True, "/a b"), NAMES
    )["submit"]
    words = shlex.split(command)
    assert words[:3] == ["qsub", "-ac", "submithost=k"]
    assert words[3:10] == ["-b", "n", "-h", "-wd", "/a b", "-l", "a=b c"]
    assert words[10:] == [".submithost/job/x", arguments[0], "", "a b"]
