"""What a state can say: metrics, and readings of them at one moment."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from streams.core.histogram import BOUNDS, Histogram


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """One metric family. `labels` come after `city`, which every domain series has; `bounds` are those of a histogram."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = BOUNDS


Reading = tuple[Metric, tuple[str, ...], float | Histogram]
"""A metric, the values of its labels (without `city`), and what it says now."""

Readings = Iterator[Reading]
