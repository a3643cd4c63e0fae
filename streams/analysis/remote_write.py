"""Scrapes of the past as Prometheus' remote write takes them (version 0.1.0): what went is marked stale, as a scrape marks it.

A message is `WriteRequest{repeated TimeSeries{repeated Label{name, value}, repeated Sample{double value, int64 timestamp}}}` in
protobuf, compressed by snappy, which here means as it is: https://prometheus.io/docs/specs/prw/remote_write_spec/.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from struct import Struct, pack
from typing import Any

from streams.core.histogram import Histogram
from streams.core.reading import Metric, Reading

HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
_SAMPLE = b"\x12\x10\x09"
"""A sample of a series (2), 16 bytes long, as it is from 1971 to 2109; its value comes first (1)."""
_STALE = pack("<Q", 0x7FF0_0000_0000_0002)
"""The one NaN that means that the series is no longer there: https://pkg.go.dev/github.com/prometheus/prometheus/model/value."""

Labels = Mapping[str, str]
Told = float | tuple[float, ...]
"""What a reading says: a number, or a histogram's counts and their sum."""


class Series:
    """One series over time; remembers whether it was there last."""

    def __init__(self, labels: Labels) -> None:
        """All labels, `__name__` too; an empty one is none."""
        named = [(name, text) for name, text in sorted(labels.items()) if text]
        self._labels = b"".join(
            _field(b"\x0a", _field(b"\x0a", name.encode()) + _field(b"\x12", text.encode())) for name, text in named
        )
        self._is_there = False

    def encode(self, values: Sequence[float | None], stamps: Sequence[bytes]) -> bytes:
        """The series in a message; where there is no value it is not there."""
        first = values[0]
        if first is not None and values.count(first) == len(values):  # as nearly always
            self._is_there = True
            head = _SAMPLE + pack("<d", first)
            samples = head + head.join(stamps)
        elif None not in values:
            self._is_there = True
            told: list[Any] = [_SAMPLE] * (3 * len(values))
            told[1::3], told[2::3] = values, stamps
            samples = _together(len(values)).pack(*told)
        else:
            samples = b"".join(self._samples(values, stamps))
        return _field(b"\x0a", self._labels + samples) if samples else b""

    def _samples(self, values: Sequence[float | None], stamps: Sequence[bytes]) -> Iterable[bytes]:
        for value, stamp in zip(values, stamps, strict=True):
            if value is not None or self._is_there:
                yield _SAMPLE + (_STALE if value is None else pack("<d", value)) + stamp
            self._is_there = value is not None


@lru_cache(maxsize=4096)
def _together(samples: int) -> Struct:
    """So many samples of one series, none of which says that it went."""
    return Struct("<" + "3sd7s" * samples)


class Scrapes:
    """Some scrapes of all centres, until they are taken as one message."""

    def __init__(self, labels: Labels) -> None:
        """`labels` are those that a scrape gives every series."""
        self._labels = labels
        self._stamps: list[bytes] = []
        self._columns: dict[tuple[Metric, str, tuple[str, ...]], list[Told | None]] = {}
        self._series: dict[tuple[Metric, str, tuple[str, ...]], list[Series]] = {}
        self.samples = 0
        """How many of them were taken."""

    @property
    def weight(self) -> int:
        """How many readings there are, not taken yet."""
        return len(self._stamps) * len(self._columns)

    def begin(self, moment: int) -> None:
        """What is seen next is of this scrape, epoch seconds."""
        self._stamps.append(stamp(moment))

    def see(self, city: str, readings: Iterable[Reading]) -> None:
        """What is said of one centre in this scrape."""
        before, columns = len(self._stamps) - 1, self._columns
        for metric, labels, value in readings:
            key = metric, city, labels
            column = columns.get(key)
            if column is None:
                column = columns[key] = []
                self._series[key] = [Series(one) for one in self._named(metric, city, labels)]
            if len(column) < before:
                column += [None] * (before - len(column))
            column.append((*value.counts, value.sum) if isinstance(value, Histogram) else value)

    def take(self) -> bytes:
        """All that was seen since the last time, as a message."""
        parts, stamps = [], self._stamps
        for key, column in self._columns.items():
            column.extend([None] * (len(stamps) - len(column)))
            for series, values in zip(self._series[key], _lines(column, len(self._series[key])), strict=True):
                parts.append(series.encode(values, stamps))
                self.samples += len(stamps) - values.count(None)
            column.clear()
        stamps.clear()
        return b"".join(parts)

    def _named(self, metric: Metric, city: str, labels: tuple[str, ...]) -> Iterable[Labels]:
        """The labels of each line that a reading has in the exposition."""
        own = {**self._labels, "city": city, **dict(zip(metric.labels, labels, strict=True))}
        if metric.kind != "histogram":
            return [{"__name__": metric.name, **own}]
        bounds = [*map(repr, metric.bounds), "+Inf"]
        buckets = [{"__name__": f"{metric.name}_bucket", **own, "le": bound} for bound in bounds]
        return [*buckets, *({"__name__": metric.name + end, **own} for end in ("_count", "_sum"))]


def _lines(column: list[Told | None], width: int) -> Iterable[Sequence[float | None]]:
    """The values of each line of a reading: of a histogram buckets that add up, their count and the sum."""
    if width == 1:
        return [column]  # type: ignore[list-item]
    gone: tuple[float | None, ...] = (None,) * width
    rows: list[tuple[float | None, ...]] = []
    before: Told | None = None
    for told in column:
        if told is None or isinstance(told, tuple):
            if not rows or told != before:
                before, row = told, gone
                if told is not None:
                    buckets = list(accumulate(told[:-1]))
                    row = (*buckets, buckets[-1], told[-1])
            rows.append(row)
    return zip(*rows, strict=True)


def stamp(moment: int) -> bytes:
    """A sample's time (2)."""
    return b"\x10" + _varint(moment * 1000)


def compressed(message: bytes) -> bytes:
    """A message as snappy has it, in one literal: https://github.com/google/snappy/blob/main/format_description.txt."""
    return _varint(len(message)) + b"\xfc" + pack("<I", len(message) - 1) + message


def _field(tag: bytes, body: bytes) -> bytes:
    return tag + _varint(len(body)) + body


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)
