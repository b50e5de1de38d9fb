"""Submitting from a program: each parameter is the flag of that name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..submission import request, sweep, verify
from ..submission.prepare import Prepared
from ..submission.submit import Heard, ignore
from .chosen import Which
from .jobs import JobHandle, JobVerbs


class SubmitVerbs(JobVerbs):
    """Methods that make jobs on one cluster."""

    def submit(
        self,
        script: str,
        *,
        set: Sequence[str] | Mapping[str, object] = (),
        vars: str = "",
        arg: Sequence[str] = (),
        name: str = "",
        time: str | int = "",
        memory: str = "",
        cores: str | int = "",
        gpus: str | int = "",
        array: str = "",
        at_once: str | int = "",
        after: Iterable[Which] = (),
        mail: str = "",
        mail_on: str = "",
        queue: str = "",
        project: str = "",
        option: Sequence[str] = (),
        put: Sequence[str] = (),
        workdir: str = "",
        hold: bool = False,
        key: str | None = None,
        group: str = "",
        job_file: str | None = None,
        bare: bool = False,
        heard: Heard = ignore,
    ) -> JobHandle:
        """Submit a job script or template, exactly once, whatever breaks; return the job's handle.

        Parameters are the flags of `submit`. The same `key` or `job_file` again continues that submission. `heard` is
        given the job and what the scheduler said. Raises NotSubmitted when the scheduler refused, JobFailed when a job
        in `after` did not succeed.
        """
        flags = {name: value for name, value in locals().items() if name not in ("self", "heard")}
        return JobHandle(self, request.submit(self.session, self._request(flags), heard))

    def sweep(
        self,
        script: str,
        over: str | Path = "",
        grid: Sequence[str] = (),
        separate: bool = False,
        heard: Heard = ignore,
        **flags: Any,
    ) -> list[JobHandle]:
        """Submit a task for each row of the file `over` and each combination of `grid`; return the jobs' handles.

        It is one array job, or several where the cluster takes none that large, or with `separate` a job for each row.
        `flags` and `heard` are those of `submit`. Raises as `submit`.
        """
        swept = {"script": script, "over": str(over), "grid": tuple(grid), "separate": separate}
        jobs = sweep.submit(self.session, self._request({**flags, **swept}), heard)
        return [JobHandle(self, job) for job in jobs]

    def verify(self, script: str, **flags: Any) -> str:
        """What the scheduler says of this submission: that it takes it and could run it; nothing is submitted.

        `flags` are those of `submit`. Raises NotSubmitted when it refuses.
        """
        return verify.verify(self.session, self._request({"script": script, **flags}))

    def steps(self, script: str, **flags: Any) -> Prepared:
        """What `submit` or `sweep` with these flags would send first, and how; nothing is sent."""
        asked = self._request({"script": script, **flags})
        return sweep.steps(self.session, asked) if asked.swept else request.steps(self.session, asked)

    def _request(self, flags: dict[str, Any]) -> request.Request:
        """The request for these flags: numbers become texts, and jobs are looked up."""
        read: dict[str, Any] = {"after": self.selected(flags["after"]) if flags.get("after") else ()}
        read |= {name: str(flags[name]) for name in ("time", "cores", "gpus", "at_once") if name in flags}
        return request.Request(**{**flags, **read})
