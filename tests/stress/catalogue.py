"""Every fault of the campaign."""

from __future__ import annotations

from typing import Any

from . import cutting, killing
from .fault import Fault

FAULTS: tuple[Fault[Any], ...] = (*cutting.FAULTS, *killing.FAULTS)
