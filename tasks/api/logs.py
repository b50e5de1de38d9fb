"""The logs of jobs: read at once, or passed on while they are written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from ..jobs import many_logs, read_log, selection
from ..jobs.many_logs import Stream, Write
from ..jobs.read_log import JobLog
from ..model.job import Job, Selected
from ..tracking.swept import read_rows
from .chosen import ChosenJobs, More, Which

if TYPE_CHECKING:
    from typing_extensions import Unpack


class LogVerbs(ChosenJobs):
    """Methods that read what jobs have written to stdout and stderr."""

    def logs(
        self,
        job: Iterable[Which] | None = None,
        task: str | int = "",
        stderr: bool = False,
        lines: str | int = "",
        row: str | int = "",
        failed: bool = False,
        both: bool = False,
        **more: Unpack[More],
    ) -> str:
        """A job's output so far; of an array job, that of `task`, of a sweep, that of `row`. `lines`: only so many of
        the last ones.

        `both` of its streams, or those of all tasks that `failed`: each line has a label in front, `x.3 err| `.
        """
        pieces: list[bytes] = []
        selected = self.selected(job, **more)
        selected = self.of_row(selected, row) if row else selected
        if failed or both:
            found = self.streams(selected, task, failed, both, stderr)
            self.read_logs(found, lambda one, line: pieces.append(f"{one.label}| ".encode() + line), lines)
        else:
            self.log(selected, pieces.append, task, stderr, lines)
        return b"".join(pieces).decode("utf-8", "replace")

    def streams(
        self,
        job: Iterable[Which] | None = None,
        task: str | int = "",
        failed: bool = False,
        both: bool = False,
        stderr: bool = False,
        follow: bool = False,
    ) -> list[Stream]:
        """Which logs that would be, several at once."""
        selected, how = self.selected(job), {"failed": failed, "both": both, "stderr": stderr, "follow": follow}
        return many_logs.streams(self.session, selected, str(task), **how)

    def read_logs(self, streams: Sequence[Stream], write: Write, lines: str | int = "", follow: bool = False) -> None:
        """Pass on these logs, line by line; `follow`: as they are written, until all their jobs have ended."""
        many_logs.read_all(self.session, streams, write, read_log.last_lines(str(lines)), follow=follow)

    def log(
        self,
        job: Iterable[Which] | None,
        write: Callable[[bytes], None],
        task: str | int = "",
        stderr: bool = False,
        lines: str | int = "",
        follow: bool = False,
    ) -> JobLog:
        """The same, passed to `write` as it comes; `follow`: wait for the start, and go on until the job has ended."""
        return self.read_log(*self.one_log(job, task, follow), write, stderr, lines, follow)

    def read_log(
        self,
        job: Job,
        task: int,
        write: Callable[[bytes], None],
        stderr: bool = False,
        lines: str | int = "",
        follow: bool = False,
    ) -> JobLog:
        """The same, of the very job and task that `one_log` found."""
        return read_log.read(self.session, job, task, write, str(lines), stderr=stderr, follow=follow)

    def one_log(
        self, job: Iterable[Which] | None = None, task: str | int = "", follow: bool = False
    ) -> tuple[Job, int]:
        """Which job's log that would be, and of which task (0: it is no array job)."""
        return read_log.one_of(self.session, self.selected(job), str(task), follow=follow)

    def of_row(self, job: Iterable[Which] | None, row: str | int) -> list[Selected]:
        """The one task of these jobs that has this row: `alpha=0.1,seed=3`, or its number."""
        selected = self.selected(job)
        read_rows(self.session, (one for one, _ in selected))
        return [selection.of_row(selected, str(row))]

    def conclude(self, log: JobLog, write: Callable[[bytes], None]) -> None:
        """Pass the end of a job's stderr to `write` where it failed or wrote nothing else; tell how it ended."""
        read_log.conclude(self.session, log, write)
