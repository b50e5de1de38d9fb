"""The report over clusters of both schedulers, and one that cannot be reached; and its page."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from tasks.model.job import Job, Outcome, State
from tests.clusters.bench import until
from tests.clusters.test_recovery import ledger_of
from tests.conftest import Person, json_lines

SUBMITS = [
    *("submit", "--script=x", "--name=good", "--group=told", "--arg=0", "--time=600"),
    *("submit", "--script=x", "--name=rows", "--group=told", "--arg=7", "--array=1-2"),
]


def test_a_report_is_about_all_clusters_and_says_which_could_not_be_asked(commuter: Person) -> None:
    commuter.script("x", "#!/bin/sh\nsleep 1\nexit $1\n")
    for cluster in ("sandbox", "sandbox-slurm"):
        done = commuter.fab("-H", cluster, *SUBMITS, "wait")
        assert done.returncode == 3, done.stderr
    (commuter.work / "fabric.yml").write_text("clusters:\n  dead: {host: 127.0.0.1, port: 1}\n")
    lost = Job("lost", "dead", "lost", job_id="7", group="told", outcome=Outcome(State.FAILED, 1, 1000, 4600))
    ledger_of(commuter).update(lost)

    def accounted() -> bool:
        (line,) = json_lines(commuter.fab("-H", "sandbox", "report", "--group=told", "--json").stdout)
        return line["jobs_without_accounting"] == 0  # type: ignore[no-any-return]  # JSON is anything

    until(accounted)  # G26: it lags
    done = commuter.fab("report", "--group=told", "--json", "--html=page.html")
    assert done.returncode == 0, done.stderr
    of = {line["cluster"]: line for line in json_lines(done.stdout)}
    assert set(of) == {"sandbox", "sandbox-slurm", "dead"}
    for cluster in ("sandbox", "sandbox-slurm"):
        line = of[cluster]
        assert (line["jobs"], line["outcomes"], line["failures"]) == (2, {"succeeded": 1, "failed": 2}, {"exit": 2})
        assert line["core_hours"] >= line["failed_core_hours"] > 0
        assert line["jobs_without_accounting"] == 0
    assert (of["dead"]["failed_core_hours"], of["dead"]["failures"]) == (1, {"unknown": 1})
    assert "dead: reported as known here before: dead (127.0.0.1:1) cannot be reached" in done.stderr
    shown = " ".join(Xml.fromstring((commuter.work / "page.html").read_text()).itertext())
    assert all(
        text in shown for text in ("5 jobs on ", "good", "rows", "exit status 7", "cannot be reached", "of 10:00")
    )
    assert "page.html: a page about 5 jobs" in done.stderr

    table = [line.split("\t") for line in commuter.fab("-H", "sandbox", "report", "--state=failed").stdout.splitlines()]
    assert table[0][:7] == ["sandbox", "-", "1", "2", "0", "2", "0"]
    assert table[1][:3] == ["exit", "1", "2"]
    nowhere = commuter.fab("report", "--group=told", "--html=no/page.html")
    assert nowhere.returncode == 2
    assert "--html no/page.html: cannot be written: No such file or directory" in nowhere.stderr
