"""The verbs for jobs: each takes any number of them, as `--job` does; the handle of one job has the same verbs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..jobs import cancel, explain, resubmit, results, selection
from ..jobs import collect as collecting
from ..jobs.explain import Explanation
from ..jobs.report import report
from ..jobs.resubmit import Repeat
from ..jobs.results import Fetched
from ..jobs.status import status
from ..jobs.usage import usage
from ..model.errors import SubmithostError
from ..model.job import Job
from ..model.report import Report
from ..model.resources import parse_time
from ..model.usage import JobUsage
from ..submission.submit import Heard, ignore
from ..tracking.last_words import complain
from ..tracking.watch import Told, Watch
from .again import Again, asked
from .chosen import Handle, More, Which
from .logs import LogVerbs

if TYPE_CHECKING:
    from typing_extensions import Unpack


class JobHandle(Handle):
    """One job, and what can be done to it. Methods that ask the cluster bring `job` up to date."""

    def __init__(self, verbs: JobVerbs, job: Job, tasks: tuple[int, ...] = ()) -> None:
        super().__init__(job, tasks)
        self._verbs = verbs

    def status(self) -> Job:
        """Ask for its state."""
        (self.job,) = self._verbs.status([self])
        return self.job

    def wait(self, timeout: str | float = "", give_up: bool = False) -> Job:
        """Wait for its end; return how it ended. Raises JobFailed, StillRunning at the timeout.

        `give_up`: raise JobFailed when it can never start.
        """
        try:
            (self.job,) = self._verbs.wait([self], timeout, give_up)
        except SubmithostError as error:
            if error.known:
                (self.job,) = error.known
            raise
        return self.job

    def explain(self) -> list[Explanation]:
        """Why it waits or failed, and what to do; of an array job one for each kind of reason."""
        return self._verbs.explain([self])

    def fetch(self, to: str = "", only: Sequence[str] = (), force: bool = False) -> Fetched:
        """Bring what it left behind into the directory `to`; empty: `./NAME-JOBID`."""
        (fetched,) = self._verbs.fetch([self], to, only, force)
        return fetched

    def logs(self, task: str | int = "", stderr: bool = False, lines: str | int = "") -> str:
        """Its output so far."""
        return self._verbs.logs([self], task, stderr, lines)

    def usage(self) -> JobUsage:
        """What it used, so far or until its end, and what to ask for next time."""
        (used,) = self._verbs.usage([self])
        return used

    def cancel(self) -> str:
        """Cancel it; return the scheduler's words."""
        return self._verbs.cancel([self])

    def hold(self) -> str:
        """Hold it, before it starts; return the scheduler's words."""
        return self._verbs.hold([self])

    def release(self) -> str:
        """Release it; return the scheduler's words."""
        return self._verbs.release([self])

    def resubmit(self, failed: bool | str = False, put: Sequence[str] = (), **more: Unpack[Again]) -> list[JobHandle]:
        """Submit it again, or with `failed` only what did not succeed; `more` is what it asks for instead."""
        return self._verbs.resubmit([self], failed, put, **more)


class JobVerbs(LogVerbs):
    """What can be done to the jobs of one cluster. Each raises what ChosenJobs raises."""

    def job(self, job: Which = "last") -> JobHandle:
        """The handle of an earlier job."""
        ((found, tasks),) = self.selected([job])
        return JobHandle(self, found, tasks)

    def status(self, job: Iterable[Which] | None = None, **more: Unpack[More]) -> list[Job]:
        """The state of jobs, by one question; `all`: of every job that is not known to have ended."""
        all = more.get("all", False)
        return status(self.session, self.selected(job, live=all, **more), all=all)

    def wait(
        self,
        job: Iterable[Which] | None = None,
        timeout: str | float = "",
        give_up: bool = False,
        told: Told = ignore,
        **more: Unpack[More],
    ) -> list[Job]:
        """Wait until jobs have ended; return them as they ended. `told` is called with the jobs after each look.

        `give_up`: raise JobFailed as soon as those that are left can never start, or not before somebody acts.

        Raises JobFailed unless all succeeded, StillRunning at the timeout (seconds, or as `--timeout`): what is known
        of the jobs is in the error's `known`.
        """
        limit = parse_time(str(timeout)) if timeout != "" else None
        self.session.endurance = 0.0
        watch = Watch(self.session, self.known(job, live=more.get("all", False), **more))
        try:
            watch.wait(limit, told, give_up=give_up)
            complain(self.session, watch.shown(), fetched=False)
        except SubmithostError as error:
            error.known = watch.shown()
            raise
        return watch.shown()

    def explain(self, job: Iterable[Which] | None = None, **more: Unpack[More]) -> list[Explanation]:
        """Why jobs wait, are in error state or failed, and what to do; nothing is changed."""
        return explain.explain(self.session, self.selected(job, **more))

    def fetch(
        self,
        job: Iterable[Which] | None = None,
        to: str = "",
        only: Sequence[str] = (),
        force: bool = False,
        told: Callable[[Fetched], None] = ignore,
        table: str = "",
        collect: str = "",
        **more: Unpack[More],
    ) -> list[Fetched]:
        """Bring what jobs left behind, only changed files; several jobs get directories of their own.

        `told` is called with the files of each job as soon as they are here. Raises InvalidInput, at the end, when
        files here are newer: `force` overwrites them. `table` is a file for what the method `table` makes of the
        results, with `collect`.
        """
        selection.check_target(to)
        collecting.check_flags(table, collect)
        selected = self.known(job, **more)
        watch = Watch(self.session, selected)
        found = results.fetch(
            watch, selected, Path(to) if to else None, only, force=force, here=self._here, owners=self._owned()
        )
        done = []
        for fetched in found:
            told(fetched)
            done.append(fetched)
        if table:
            collecting.write(self.table(done, collect), Path(table))
        return done

    def table(self, fetched: Iterable[Fetched], collect: str = "") -> list[dict[str, str]]:
        """A line for each row of sweeps that were fetched: row, its values, those in its file `collect`, state."""
        return collecting.table_of(fetched, collect, self.session.listener)

    def usage(self, job: Iterable[Which] | None = None, **more: Unpack[More]) -> list[JobUsage]:
        """What jobs asked for and what they used, by one question for all."""
        return usage(self.session, self.known(job, **more))

    def report(self, job: Iterable[Which] | None = None, **more: Unpack[More]) -> Report:
        """What jobs came to: outcomes, core hours, what was wasted, and why some failed.

        What cannot be asked is told in its `troubles`, and raises nothing.
        """
        return report(self.session, self.selected(job, **more))

    def cancel(self, job: Iterable[Which] | None = None, dry_run: bool = False, **more: Unpack[More]) -> str:
        """Cancel jobs, or tasks of them; return the scheduler's words, or with `dry_run` what it would be asked."""
        return cancel.cancel(self.session, self.selected(job, live=True, **more), dry_run=dry_run)

    def hold(self, job: Iterable[Which] | None = None, dry_run: bool = False, **more: Unpack[More]) -> str:
        """Hold jobs that have not started; return the scheduler's words."""
        return cancel.hold(self.session, self.selected(job, live=True, **more), dry_run=dry_run)

    def release(self, job: Iterable[Which] | None = None, dry_run: bool = False, **more: Unpack[More]) -> str:
        """Release jobs that are held; return the scheduler's words."""
        return cancel.release(self.session, self.selected(job, live=True, **more), dry_run=dry_run)

    def resubmit(
        self,
        job: Iterable[Which] | None = None,
        failed: bool | str = False,
        put: Sequence[str] = (),
        job_file: str = "",
        heard: Heard = ignore,
        **more: Unpack[Again],
    ) -> list[JobHandle]:
        """Submit jobs again, or with `failed` only what did not succeed; return the new jobs.

        `failed` may name causes: "memory,time". `put` are files for the new jobs instead of the earlier ones;
        `job_file` means what stands for the one job from then on; `heard` is given what the scheduler said of each.
        What they ask for instead of what the earlier ones did is among `more`.
        """
        again, selecting = asked(failed, put, more)
        new: list[JobHandle] = []
        for found, tasks in self.known(job, **selecting):
            repeats = resubmit.repeats(self.session, found, tasks, again)
            of_it = [resubmit.submit_again(self.session, repeat, heard) for repeat in repeats]
            if of_it and job_file:
                resubmit.means_now(self.session, job_file, found, of_it)
            new += [JobHandle(self, one) for one in of_it]
        return new

    def repeats(
        self,
        job: Iterable[Which] | None = None,
        failed: bool | str = False,
        put: Sequence[str] = (),
        **more: Unpack[Again],
    ) -> Iterator[Repeat]:
        """What `resubmit` would submit; nothing is sent."""
        again, selecting = asked(failed, put, more)
        for found, tasks in self.known(job, **selecting):
            yield from resubmit.repeats(self.session, found, tasks, again)
