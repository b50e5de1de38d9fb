"""A dialect that shows what was asked for, and one step from a template to its job script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import pytest

from tasks import rendering
from tasks.model.errors import InvalidInput
from tasks.model.resources import Resources
from tasks.schedulers import scheduler
from tasks.schedulers.dialect import Dialect

ROOT = Path(__file__).parent.parent.parent
GRID_ENGINE = Dialect(scheduler("gridengine"), {"memory": "rmem"})
NOTHING = Resources()


class Plain:
    """A dialect whose directives are the resources themselves, so that a test sees what was asked for."""

    name = "plain"
    variables: Mapping[str, str] = {"task_id": "$TASK", "job_id": "$JOB", "cores": "$CORES", "requeue": "again"}

    def directives(self, resources: Resources) -> list[str]:
        asked = [(field.name, getattr(resources, field.name)) for field in fields(resources)]
        return [f"#ask {name}={value}" for name, value in asked if value is not None]


def rendered(text: str | bytes, resources: Resources = NOTHING, **variables: object) -> str:
    Path("job.sh.j2").write_bytes(text if isinstance(text, bytes) else text.encode())
    script = rendering.render("job.sh.j2", variables, resources, Plain())
    return script.text.decode("utf-8", "surrogateescape")


def refusal(text: str | bytes, **variables: object) -> str:
    with pytest.raises(InvalidInput) as refused:
        rendered(text, NOTHING, **variables)
    assert str(refused.value).isprintable()
    return str(refused.value)
