"""Many jobs in one command: groups, globs, states and times; and nothing is changed before it was shown."""

from __future__ import annotations

from tests.clusters.bench import until
from tests.clusters.hostile import at_terminal
from tests.clusters.test_recovery import ledger_of
from tests.conftest import Person, json_lines
from tests.session.fabric.person import talk

HERE = ("-H", "sandbox")
SUBMITS = [
    *("submit", "--script=x", "--name=sim-1", "--group=sim", "--arg=0"),
    *("submit", "--script=x", "--name=sim-2", "--group=sim.b", "--arg=7", "--array=1-2"),
    *("submit", "--script=x", "--name=later", "--group=held", "--hold"),
    *("submit", "--script=x", "--name=lone", "--hold"),
]


def names(text: str) -> list[str]:
    return sorted(job["name"] for job in json_lines(text))


def test_jobs_are_selected_by_group_glob_state_and_time_and_their_groups_outlive_the_ledger(commuter: Person) -> None:
    commuter.script("x", "#!/bin/sh\nexit $1\n")
    done = commuter.fab(*HERE, *SUBMITS)
    assert done.returncode == 0, done.stderr
    assert commuter.fab("-H", "sandbox-slurm", *SUBMITS[:5]).returncode == 0

    # Nobody has looked since: for a state the cluster is asked.
    until(
        lambda: names(commuter.fab(*HERE, "status", "--state=failed,succeeded", "--json").stdout) == ["sim-1", "sim-2"]
    )
    waited = commuter.fab(*HERE, "wait", "--group=sim*", "--json")
    assert (waited.returncode, names(waited.stdout)) == (3, ["sim-1", "sim-2"])
    assert {job["name"]: job["group"] for job in json_lines(waited.stdout)} == {"sim-1": "sim", "sim-2": "sim.b"}

    shown = {
        ("status", "--job=sim-[12]", "--job=lone*", "--state=failed,held"): ["lone", "sim-2"],
        ("status", "--group=sim", "--group=held", "--since=1h"): ["later", "sim-1"],
        ("status", "--group=held", "--since=2100-01-01"): [],
        ("jobs", "--group=s*", "--state=failed"): ["sim-2"],
        ("explain", "--job=sim-*", "--state=failed"): ["sim-2"],
    }
    assert {words: names(commuter.fab(*HERE, *words, "--json").stdout) for words in shown} == shown
    every = json_lines(commuter.fab("all.status", "--group=sim", "--json").stdout)
    assert sorted((job["cluster"], job["name"]) for job in every) == [("sandbox", "sim-1"), ("sandbox-slurm", "sim-1")]
    refused = commuter.fab("all.wait", "--group=smi")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "no group 'smi' was submitted from here to any of sandbox, sandbox2, sandbox-slurm" in refused.stderr

    ledger_of(commuter).path.unlink()
    adopted = json_lines(commuter.fab(*HERE, "adopt", "--json").stdout)
    ours = {job["name"]: job["group"] for job in adopted}
    assert ours.items() >= {"sim-1": "sim", "sim-2": "sim.b", "later": "held", "lone": None}.items()


def test_what_is_selected_and_not_named_is_shown_before_it_is_changed(person: Person) -> None:
    person.script("x", "#!/bin/sh\nexit $1\n")
    person.fab(*HERE, *SUBMITS)

    def held() -> list[str]:
        return names(person.fab(*HERE, "status", "--state=held", "--json").stdout)

    refused = person.fab(*HERE, "cancel", "--job=l*")
    *shown, last = refused.stderr.splitlines()
    assert [line.split('"')[1] for line in shown] == ["later", "lone"]
    assert (refused.returncode, refused.stdout) == (2, "")
    assert last == "cancel: sandbox: these 2 jobs are selected, not named: --yes to cancel them all"
    tried = person.fab(*HERE, "cancel", "--job=l*", "--dry-run")
    assert (tried.returncode, tried.stdout.count("qdel"), tried.stderr.splitlines()) == (0, 1, shown)
    out, err, _ = talk(*at_terminal(person, *HERE, "cancel", "--all"), ("cancel these 2 jobs? [y/N] ", "n"), limit=40)
    assert (out, "no job was changed" in err) == ("", True)
    assert held() == ["later", "lone"]
    assert person.fab(*HERE, "cancel", "--group=held", "--yes").returncode == 0
    assert held() == ["lone"]
    # Nothing is left that could be meant, and so nothing else is: not the last job either.
    again = person.fab(*HERE, "cancel", "--group=held", "--yes")
    assert (again.returncode, again.stdout) == (0, "")
    assert again.stderr == "sandbox: no job matches --group held\n"
    assert held() == ["lone"]
    repeated = person.fab(*HERE, "resubmit", "--group=sim.b", "--failed", "--yes", "wait", "--json")
    assert [job["group"] for job in json_lines(repeated.stdout.partition("\n")[2])] == ["sim.b"]
