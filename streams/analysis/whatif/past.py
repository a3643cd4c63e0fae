"""What was: the calls of a range as they came and ended, and the seats that were there."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import inf
from typing import Literal, NamedTuple

import duckdb

from streams.core.centre import Centre
from streams.core.patience import FEWEST

WARM_UP = 7_200.0
"""Calls of so many seconds before the range are simulated too, so that it does not begin with an empty centre."""

BREAK = 600.0
"""A seat of which no log-in is told is there between two conversations, unless callers waited for longer and it took none."""

ALIKE = 0.1
"""Time-outs are one time-out if eight in ten of them differ by no more than this share of it."""

AWAY = 3_600.0
"""So long without a conversation, and it was not there, whether callers waited or not."""

Fate = Literal["waited", "gone", "announcement", "turned_away", "dropped"]
"""What becomes of a caller: he waits until he is answered or loses patience; or he is gone whatever the centre does: at once, or
in the announcement; or he is turned away or dropped by the network if he still waits then.
"""

_FATES: dict[str, Fate] = {
    "announcement": "announcement",
    "blocked": "gone",
    "overflowed": "turned_away",
    "network_dropped": "dropped",
}


class Stay(NamedTuple):
    """A time that a seat was there, epoch seconds, and for how many seconds of it the seat was paused."""

    start: float
    until: float
    paused: float = 0.0


@dataclass(slots=True)
class Call:
    """A call as it was. Moments are epoch seconds."""

    at: float
    queue: str
    date: str
    hour: int
    """By the centre's clock."""
    announcement: float
    """Seconds from the arrival until it came into a queue."""
    fate: Fate
    answered: bool
    wait: float | None
    """Seconds from its arrival to the answer or the end of the waiting, as far as it is known."""
    queued: float | None
    """The same from the first queue on."""
    talk: float | None
    """Seconds that its seat talked; None if no end was told."""
    seat: str | None
    nuisance: bool | None
    """Whether it was a prank or silent; None where nobody said."""
    counts: bool
    """Whether it is of the range, or came shortly before."""

    @property
    def talks_from(self) -> float | None:
        """When the seat answered."""
        return self.at + self.wait if self.answered and self.wait is not None else None


@dataclass(frozen=True, slots=True)
class Past:
    """Calls in the order in which they came into a queue, and the seats' stays."""

    calls: Sequence[Call]
    stays: Sequence[Stay]
    logged_in: bool
    """Whether the stays were told by log-ins; else they are learned from who talked when."""
    wrap_up: float | None
    """Mean seconds of wrap-up after a call, where any was told."""
    unanswerable: int
    """Calls left out, because it is not known when they waited."""
    time_out: float = inf
    """Seconds after which callers had to queue again; infinite where that is not the same for nearly all who had to."""

    @property
    def counted(self) -> list[Call]:
        """Those of the range."""
        return [call for call in self.calls if call.counts]

    @property
    def unseated(self) -> float:
        """Share of the time in conversations in which more seats talked than were there."""
        edges = [edge for stay in self.stays for edge in ((stay.start, 1), (stay.until, -1))]
        total = beyond = 0.0
        for call in self.calls:
            if call.talks_from is not None and call.talk is not None:
                edges += [(call.talks_from, -1), (call.talks_from + call.talk, 1)]
                total += call.talk
        free, before = 0, 0.0
        for moment, step in sorted(edges):
            beyond += max(0, -free) * (moment - before)
            free, before = free + step, moment
        return beyond / total if total else 0.0


def read(tables: duckdb.DuckDBPyConnection, centre: Centre, start: datetime | None, until: datetime | None) -> Past:
    """What was at one centre from `start` to `until` (exclusive; None is no limit), of the tables of a fold."""
    since, end = (None if each is None else each.timestamp() for each in (start, until))
    span = [centre.code, None if since is None else since - WARM_UP, end]
    rows = tables.execute(
        "SELECT epoch(arrived), coalesce(queue, ''), date::VARCHAR, hour, epoch(entered_queue), outcome, wait_seconds, "
        "queue_seconds, talk_seconds, seat, call_class FROM journeys WHERE city = ? AND NOT is_test AND outcome IS NOT NULL "
        "AND outcome <> 'joined' AND ($2 IS NULL OR epoch(arrived) >= $2) AND ($3 IS NULL OR epoch(arrived) < $3) "
        "ORDER BY arrived, journey".replace("= ?", "= $1"),
        span,
    ).fetchall()
    calls = []
    for at, queue, date, hour, entered, outcome, wait, queued, talk, seat, class_ in rows:
        if wait is None and outcome in ("answered", "network_dropped", "overflowed"):
            continue
        fate: Fate = "gone" if outcome in ("abandoned", "short_abandoned") and not queued else _FATES.get(outcome, "waited")
        calls.append(
            Call(
                at=at, queue=queue, date=date, hour=hour, announcement=0.0 if entered is None else max(0.0, entered - at),
                fate=fate, answered=outcome == "answered", wait=wait, queued=queued, talk=talk, seat=seat,
                nuisance=None if class_ is None else class_ in ("prank", "ghost"), counts=since is None or at >= since,
            )
        )  # fmt: skip
    calls.sort(key=lambda call: call.at + call.announcement)
    _only_one_at_a_time(calls)
    stays = [
        Stay(*row)
        for row in tables.execute(
            "SELECT epoch(logged_in), epoch(until), paused_seconds FROM shifts WHERE city = $1 "
            "AND ($2 IS NULL OR epoch(until) > $2) AND ($3 IS NULL OR epoch(logged_in) < $3) ORDER BY ALL",
            span,
        ).fetchall()
    ]
    [(wrapped, n)] = tables.execute(
        "SELECT sum(wrap_up_seconds), sum(calls) FROM shifts WHERE city = ? AND wrap_up_seconds > 0", [centre.code]
    ).fetchall()
    [(early, time_out, late, again)] = tables.execute(
        "SELECT quantile_cont(wait_seconds, 0.1), median(wait_seconds), quantile_cont(wait_seconds, 0.9), count(wait_seconds) "
        "FROM visits WHERE city = $1 AND outcome = 'overflowed' AND ($2 IS NULL OR epoch(entered) >= $2) "
        "AND ($3 IS NULL OR epoch(entered) < $3)",
        span,
    ).fetchall()
    is_one = again >= FEWEST and time_out > 0 and late - early <= ALIKE * time_out
    return Past(
        calls=calls,
        stays=stays or seen(calls),
        logged_in=bool(stays),
        wrap_up=wrapped / n if n else None,
        unanswerable=len(rows) - len(calls),
        time_out=time_out if is_one else inf,
    )


def _only_one_at_a_time(calls: Sequence[Call]) -> None:
    """A conversation that goes on when its seat begins another held the seat until then: an end that was told late."""
    for talks in _by_seat(calls).values():
        for (_, one), (began, _) in pairwise(talks):
            assert one.talks_from is not None
            assert one.talk is not None
            one.talk = min(one.talk, began - one.talks_from)


def _by_seat(calls: Sequence[Call]) -> dict[str, list[tuple[float, Call]]]:
    """The conversations of each seat that have an end, with when they began, in that order."""
    found = defaultdict(list)
    for call in calls:
        if call.talks_from is not None and call.talk is not None and call.seat is not None:
            found[call.seat].append((call.talks_from, call))
    for talks in found.values():
        talks.sort(key=lambda each: each[0])
    return found


def turnarounds(calls: Sequence[Call]) -> list[float]:
    """Seconds from a seat's conversation to its next, where the next caller waited already when the first went: wrapping up."""
    found = []
    for talks in _by_seat(calls).values():
        for (began, one), (after, other) in pairwise(talks):
            free = began + (one.talk or 0.0)
            if other.at + other.announcement <= free and after - free <= BREAK:
                found.append(after - free)
    return sorted(found)


def seen(calls: Sequence[Call]) -> list[Stay]:
    """The stays of seats that nobody logged in, from their conversations.

    A seat is there while it talks, and between two conversations. But where callers waited for more than `BREAK` seconds after
    one of them and it took none, it was away until the last of them was gone; and after `AWAY` seconds without a caller too. A
    conversation at no seat that is named is a stay of its own.
    """
    starts, ends = _someone_waits(calls)
    found = [
        Stay(call.talks_from, call.talks_from + call.talk)
        for call in calls
        if call.seat is None and call.talks_from is not None and call.talk
    ]
    for talks in _by_seat(calls).values():
        since: float | None = None
        there = 0.0
        for began, call in talks:
            if since is None:
                since = began
            elif began - there > BREAK:
                before = bisect_left(starts, began) - 1
                last = min(ends[before], began) if before >= 0 else there
                away = last - there > BREAK
                back = max(there, last)
                if away or began - back > AWAY:
                    found.append(Stay(since, there))
                    since = back if began - back <= AWAY else began
            there = max(there, began + (call.talk or 0.0))
        if since is not None:
            found.append(Stay(since, there))
    return sorted(found)


def _someone_waits(calls: Sequence[Call]) -> tuple[list[float], list[float]]:
    """The times in which at least one caller waited, by their beginnings and ends."""
    edges = []
    for call in calls:
        if call.queued:
            enters = call.at + call.announcement
            edges += [(enters, -1), (enters + call.queued, 1)]
    starts: list[float] = []
    ends: list[float] = []
    waiting = 0
    for moment, step in sorted(edges):
        if waiting == 0:
            starts.append(moment)
        waiting -= step
        if waiting == 0:
            ends.append(moment)
    return starts, ends
