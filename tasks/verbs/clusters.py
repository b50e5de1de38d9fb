"""The verbs for clusters: which are configured, whether one can be reached and used, and how busy it is."""

from __future__ import annotations

from invoke.context import Context

from .verb import verb


@verb(help={"json": "one JSON object per cluster and line on stdout"})
def clusters(c: Context, json: bool = False) -> None:  # noqa: ARG001  # every task takes a context
    """List the configured clusters, without a connection.

    Example: fab clusters
    """
    import json as json_

    from ..model import configuration
    from ..model.wording import fab
    from ..screen import output

    found = configuration.load().clusters.values()
    if not found:
        output.say(f"none is configured, and none needs to be: {fab()} -H ALIAS submit ... takes any SSH alias")
    rows = [{"cluster": o.name, "host": o.host, "user": o.user, "scheduler": o.scheduler} for o in found]
    if json:
        for row in rows:
            print(json_.dumps(row))
    elif rows:
        output.show_rows(list(rows[0]), [[value or "-" for value in row.values()] for row in rows])


@verb(
    at_once=True,
    help={
        "submit": "submit a job as well, wait for its end, and remove its directory again",
        "timeout": "with --submit: not longer than this (default: 5 minutes); then the job is cancelled",
        "json": "one JSON object per step and line on stdout",
    },
)
def check(c: Context, submit: bool = False, timeout: str = "", json: bool = False) -> None:
    """Test the whole way to a cluster.

    Step by step, each with its time and, where it fails, the cure. The exit status is that of the step that failed.

    Example: fab -H sharc check --submit
    """
    from .host import host_of
    from .showing import show_step

    host = host_of(c)
    host.check(submit, timeout, lambda step: show_step(host.name, step, as_json=json))


@verb(at_once=True, help={"json": "one JSON object per queue and line on stdout, and one for the cluster"})
def queues(c: Context, json: bool = False) -> None:
    """Show how busy a cluster is.

    Slots of each queue that are used, free and down, and how many jobs wait.

    Example: fab -H sharc queues
    """
    import json as json_

    from ..model.wording import one_line
    from ..screen import output
    from ..screen.tables import QUEUE_COLUMNS
    from .host import host_of

    host = host_of(c)
    load = host.queues()
    # What the rows of several queues add up to says nothing: a node may be in more than one.
    rows: list[tuple[str | int | None, ...]] = [
        (host.name, queue.name, queue.used, queue.free, queue.down, queue.waiting) for queue in load.queues
    ]
    rows.append((host.name, None, None, None, None, load.waiting))
    if json:
        for row in rows:
            print(json_.dumps(dict(zip(QUEUE_COLUMNS, row, strict=True))))
    else:
        rows[-1] = (host.name, "(all)", None, None, None, load.waiting)
        output.show_rows(QUEUE_COLUMNS, [["-" if cell is None else one_line(cell) for cell in row] for row in rows])
