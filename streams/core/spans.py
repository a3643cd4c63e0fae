"""Spans of time: sets of seconds as sorted spans that do not touch, to be joined, intersected and added up."""

from collections.abc import Iterable

Span = tuple[float, float]
"""From one moment to a later one, which is no longer part of it; epoch seconds."""


def union(spans: Iterable[Span]) -> list[Span]:
    """Spans in any order, even overlapping, as the sorted ones that cover the same time."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if end <= start:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def within(spans: Iterable[Span], since: float, until: float) -> list[Span]:
    """What of `spans` lies between two moments."""
    if since >= until:
        return []
    return [(max(start, since), min(end, until)) for start, end in spans if start < until and since < end]


def overlap(some: Iterable[Span], others: Iterable[Span]) -> float:
    """Seconds that are in both; each of them sorted and without overlaps of its own."""
    others = list(others)
    return sum(total(within(others, start, end)) for start, end in some)


def total(spans: Iterable[Span]) -> float:
    """Seconds in all of them."""
    return sum(end - start for start, end in spans)
