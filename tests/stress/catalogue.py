"""Every fault of the campaign."""

from __future__ import annotations

from typing import Any

from . import accounting, ambient, clocks, crowding, cutting, filling, killing, requeueing, shaking, sharing, waiting
from .fault import Fault

FAULTS: tuple[Fault[Any], ...] = (
    *cutting.FAULTS,
    *killing.FAULTS,
    *filling.FAULTS,
    *crowding.FAULTS,
    *clocks.FAULTS,
    *shaking.FAULTS,
    *waiting.FAULTS,
    *requeueing.FAULTS,
    *sharing.FAULTS,
    *ambient.FAULTS,
    *accounting.FAULTS,
)
