"""Every fault of the campaign."""

from __future__ import annotations

from typing import Any

from . import clocks, crowding, cutting, filling, killing, shaking, waiting
from .fault import Fault

FAULTS: tuple[Fault[Any], ...] = (
    *cutting.FAULTS,
    *killing.FAULTS,
    *filling.FAULTS,
    *crowding.FAULTS,
    *clocks.FAULTS,
    *shaking.FAULTS,
    *waiting.FAULTS,
)
