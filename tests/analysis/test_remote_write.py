"""A message of remote write says of each scrape what the exposition says, and of what went when it went."""

import struct
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.analysis.backfill import scrapes
from streams.analysis.remote_write import Scrapes, Series, compressed, stamp
from tests.analysis.test_backfill import BOGOR, KNOWN, LABELS, Samples, said
from tests.analysis.test_openmetrics import EVENTS, MOMENTS, told

STALE = 0x7FF0000000000002
"""The bits of the number by which Prometheus knows that a series went."""


def varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while data[at] & 0x80:
        number |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return number | data[at] << shift, at + 1


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Each field of a message of protobuf with its number: a varint, eight bytes, or what has a length."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            number, at = varint(data, at)
            yield tag >> 3, number
        else:
            size, at = (8, at) if tag & 7 == 1 else varint(data, at)
            yield tag >> 3, data[at : at + size]
            at += size


def read(message: bytes) -> tuple[Samples, list[tuple[int, frozenset[tuple[str, str]]]]]:
    """The samples of a message by moment and labels, and what went at which moment."""
    there: Samples = {}
    gone = []
    for _, series in fields(message):
        parts = list(fields(bytes(series)))
        pairs = [tuple(bytes(text).decode() for _, text in fields(bytes(label))) for of, label in parts if of == 1]
        assert pairs == sorted(pairs)
        labels = frozenset((name, text) for name, text in pairs)
        for sample in (bytes(part) for of, part in parts if of == 2):
            (_, value), (_, time) = fields(sample)
            place = int(time) // 1000, labels
            if struct.unpack("<Q", bytes(value))[0] == STALE:
                gone.append(place)
            else:
                there[place] = struct.unpack("<d", bytes(value))[0]
    return there, gone


@pytest.mark.parametrize("together", [1, 4, 100])
def test_it_says_what_the_exposition_says_however_many_scrapes_go_together(together: int) -> None:
    past, there, gone = Scrapes(LABELS), dict(Samples()), []
    for number, (moment, monitor) in enumerate(scrapes(told(), KNOWN, MOMENTS), 1):
        past.begin(moment)
        past.see(BOGOR.code, monitor.measure(BOGOR.code, moment))
        if number % together == 0 or number == len(MOMENTS):
            found, went = read(past.take())
            there |= found
            gone += went

    true = {moment: dict(said(EVENTS, moment)) for moment in MOMENTS}
    assert there == {place: value for each in true.values() for place, value in each.items()}
    assert past.samples == len(there)
    assert sorted(gone, key=repr) == sorted(
        (
            (after, labels)
            for before, after in pairwise(MOMENTS)
            for _, labels in true[before]
            if (after, labels) not in true[after]
        ),
        key=repr,
    )
    assert gone


@given(st.lists(st.none() | st.sampled_from([0.0, 1.0, 2.5]), min_size=1, max_size=30), st.integers(1, 8))
def test_a_series_that_went_is_said_once_to_have_gone(values: list[float | None], together: int) -> None:
    series, labels = (
        Series({"__name__": "psap", "city": "32.71", "queue": ""}),
        frozenset({("__name__", "psap"), ("city", "32.71")}),
    )
    there, gone = dict(Samples()), []
    for start in range(0, len(values), together):
        part = values[start : start + together]
        found, went = read(series.encode(part, [stamp(1_767_546_000 + start + n) for n in range(len(part))]))
        there |= found
        gone += went

    assert there == {(1_767_546_000 + n, labels): value for n, value in enumerate(values) if value is not None}
    assert gone == [(1_767_546_001 + n, labels) for n, (a, b) in enumerate(pairwise(values)) if a is not None and b is None]


@given(st.binary(min_size=1, max_size=70_000))
def test_snappy_holds_the_message_as_it_is(message: bytes) -> None:
    told = compressed(message)

    size, at = varint(told, 0)
    assert (size, told[at]) == (len(message), 0xFC)
    assert struct.unpack("<I", told[at + 1 : at + 5])[0] == len(message) - 1
    assert told[at + 5 :] == message
