"""Seats: how long somebody was there, spoke, wrapped up and paused, beside what the shifts provide for.

A shift over midnight is of two days. So these are not the rows that began in a time, but what of them lies in it.
"""

# ruff: noqa: S608 (the SQL is put together of our own words)

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Annotated, NamedTuple

from streams.analysis.report.scope import ALL, Scope, Span
from streams.analysis.report.subject import Ratio, Real, Row, Seconds, Subject
from streams.analysis.report.words import Words
from streams.core import spans
from streams.core.centre import Centre
from streams.core.operators import ENOUGH_SECONDS, State
from streams.core.shifts import scheduled_seconds

TOGETHER = 10_000
"""So many times of seats come out of their tables at once."""


@dataclass(slots=True, kw_only=True)
class Seat(Row):
    """What a seat did, or all seats of a centre."""

    seat: Annotated[str, Words("Kursi", "Seat"), Words("Kodenya; * untuk semua kursi.", "Its code; * for all seats.")]
    known_seconds: Annotated[
        Seconds,
        Words("Lama diketahui", "Known for"),
        Words(
            "Bagian periode sejak kursi pertama diberitakan, sampai data berakhir: hanya itu yang dihitung.",
            "Of the time, since anything was first told of seats, until the events ended: only that is counted.",
        ),
    ]
    calls: Annotated[int, Words("Percakapan", "Calls"), Words("Percakapan yang dimulai.", "Conversations that it began.")]
    logged_in_seconds: Annotated[
        Seconds | None,
        Words("Masuk", "Logged in"),
        Words(
            "Lama masuk, atau dalam percakapan; kosong bila tidak pernah diberitakan siapa masuk.",
            "Seconds logged in or in a call (psap_operator_logged_in_seconds); empty where no log-in is ever told.",
        ),
    ]
    talk_seconds: Annotated[
        Seconds,
        Words("Bicara", "Talk"),
        Words(
            "Dalam percakapan yang akhirnya diberitakan.", "In conversations of which the end was told; two at once count once."
        ),
    ]
    wrap_up_seconds: Annotated[
        Seconds,
        Words("Penyelesaian", "Wrap-up"),
        Words(
            "Sesudah percakapan, menurut kursi atau berkas pusat layanan, dan tidak dalam percakapan berikutnya.",
            "After calls, as told or by the centre's file, and not in the next conversation.",
        ),
    ]
    paused_seconds: Annotated[
        Seconds, Words("Jeda", "Paused"), Words("Semua alasan; lihat jeda.", "For all reasons: see pauses.")
    ]
    occupancy: Annotated[
        Ratio | None,
        Words("Okupansi", "Occupancy"),
        Words(
            "(Bicara + penyelesaian) / masuk; kosong di bawah 600 detik.",
            "(Talk + wrap-up) / logged in (psap_operator_occupancy_ratio); empty below 600 s.",
        ),
    ]
    scheduled_seconds: Annotated[
        Seconds | None,
        Words("Dijadwalkan", "Scheduled"),
        Words(
            "Detik-kursi menurut jadwal berkas pusat layanan.", "Seat-seconds that the shifts of the centre's file provide for."
        ),
    ]
    adherence: Annotated[
        Real | None,
        Words("Kepatuhan jadwal", "Adherence"),
        Words(
            "Masuk / dijadwalkan; di atas 1 bila lebih banyak yang hadir.",
            "Logged in / scheduled (psap_operator_adherence_ratio); above 1 when more were there.",
        ),
    ]


@dataclass(slots=True, kw_only=True)
class Pause(Row):
    """How long a seat, or all seats of a centre, paused for one reason."""

    seat: Annotated[str, Words("Kursi", "Seat"), Words("Kodenya; * untuk semua kursi.", "Its code; * for all seats.")]
    reason: Annotated[
        str,
        Words("Alasan", "Reason"),
        Words("Seperti di psap_operator_pause_seconds_total.", "As in psap_operator_pause_seconds_total."),
    ]
    pauses: Annotated[int, Words("Jeda", "Pauses"), Words("Yang berlangsung dalam periode.", "That went on in the time.")]
    seconds: Annotated[Seconds, Words("Lama", "Seconds"), Words("Dalam periode.", "In the time.")]
    longest: Annotated[Seconds, Words("Terlama", "Longest"), Words("Dalam periode.", "In the time.")]


class Told(NamedTuple):
    """A time of a seat, epoch seconds: there, call, pause or wrap_up."""

    city: str
    seat: str
    kind: str
    began: float
    until: float


@dataclass(slots=True)
class Times:
    """All that a seat did, as sorted spans that do not touch."""

    there: Sequence[spans.Span]
    talk: Sequence[spans.Span]
    busy: Sequence[spans.Span]
    """Talk and wrap-up, also beyond the log-out."""
    paused: Sequence[spans.Span]
    answered: Sequence[float]
    """When its conversations began."""


@dataclass(slots=True)
class Sums:
    """What a seat did in a time, or all seats; seconds."""

    calls: int = 0
    logged_in: float = 0.0
    talk: float = 0.0
    busy: float = 0.0
    paused: float = 0.0

    def add(self, other: "Sums") -> None:
        """So much more."""
        self.calls += other.calls
        self.logged_in += other.logged_in
        self.talk += other.talk
        self.busy += other.busy
        self.paused += other.paused


def _within(times: Sequence[spans.Span], since: float, until: float) -> list[spans.Span]:
    """What of a seat's times lies between two moments: of so many, only those are looked at."""
    first, last = bisect_right(times, since, key=itemgetter(1)), bisect_left(times, until, key=itemgetter(0))
    return spans.within(times[first:last], since, until)


def _sums(times: Times, since: float, until: float, *, is_told: bool) -> Sums:
    there, busy = (_within(each, since, until) for each in (times.there, times.busy))
    working = spans.total(busy)
    if is_told:
        # Nobody wraps up who is not there: what is in both is what both have less what either has.
        working += spans.total(there) - spans.total(spans.union([*there, *busy]))
    return Sums(
        calls=bisect_left(times.answered, until) - bisect_left(times.answered, since),
        logged_in=spans.total(there),
        talk=spans.total(_within(times.talk, since, until)),
        busy=working,
        paused=spans.total(_within(times.paused, since, until)),
    )


def seats(scope: Scope) -> Iterator[Seat]:
    """Each seat in each span, all seats of each centre, and those of all centres together where there are several."""
    found = defaultdict[tuple[str, str], list[Seat]](list)
    for row in _seats(scope):
        yield row
        if row.seat == ALL:
            found[row.span, row.period].append(row)
    if len(scope.periods) > 1:
        for _, rows in sorted(found.items()):
            yield _together(rows)


def _together(centres: Sequence[Seat]) -> Seat:
    """The rows of whole centres, of one span, as one. Each ratio is of those centres that have it."""
    there = [row for row in centres if row.logged_in_seconds is not None]
    logged_in = sum(row.logged_in_seconds or 0.0 for row in there)
    planned = [row for row in centres if row.scheduled_seconds is not None]
    kept = [row for row in planned if row.adherence is not None]
    adhered = sum(row.logged_in_seconds or 0.0 for row in kept)
    return replace(
        centres[0],
        city=ALL,
        known_seconds=sum(row.known_seconds for row in centres),
        calls=sum(row.calls for row in centres),
        logged_in_seconds=logged_in if there else None,
        talk_seconds=sum(row.talk_seconds for row in centres),
        wrap_up_seconds=sum(row.wrap_up_seconds for row in centres),
        paused_seconds=sum(row.paused_seconds for row in centres),
        occupancy=(
            sum(row.talk_seconds + row.wrap_up_seconds for row in there) / logged_in if logged_in >= ENOUGH_SECONDS else None
        ),
        scheduled_seconds=sum(row.scheduled_seconds or 0.0 for row in planned) if planned else None,
        adherence=adhered / sum(row.scheduled_seconds or 0.0 for row in kept) if kept else None,
    )


def _seats(scope: Scope) -> Iterator[Seat]:
    states, at = scope.states("operators", State), defaultdict[str, list[Span]](list)
    for span in scope.spans():
        at[span.city].append(span)
    for city, told in groupby(_told(scope, states), key=attrgetter("city")):
        if city in scope.periods:
            yield from _city(scope, scope.centres[city], _logged(states[city], scope.moment), at[city], told)


def _city(scope: Scope, centre: Centre, logged: set[str], at: Iterable[Span], told: Iterable[Told]) -> Iterator[Seat]:
    heard = scope.hindsight.heard[centre.code]
    since = heard.nouns["operators"] if logged else heard.first
    is_told = bool(logged) or any(seat.static for seat in centre.seats)
    known = [(span, *scope.known(span, since), Sums()) for span in at]
    for name, times in groupby(told, key=attrgetter("seat")):
        if _is_unpaired(name, logged, centre):
            continue
        seat = _times(times, centre.wrap_up_seconds)
        for span, start, until, sums in known:
            own = _sums(seat, start, until, is_told=is_told)
            sums.add(own)
            if own.logged_in or own.calls:
                yield _row(span, name, until - start, own, is_told=is_told)
    for span, start, until, sums in known:
        if start == until:
            continue
        row = _row(span, ALL, until - start, sums, is_told=is_told)
        if centre.shifts:
            scheduled = row.scheduled_seconds = scheduled_seconds(centre.shifts, start, until, centre.timezone)
            row.adherence = sums.logged_in / scheduled if is_told and scheduled else None
        yield row


def _logged(state: State, moment: float) -> set[str]:
    """The seats of which a log-in or log-out was told."""
    return {name for name, seat in state.seats.items() if seat.timeline.replay(moment).standing.told}


def _is_unpaired(name: str, logged: set[str], centre: Centre) -> bool:
    """Whether it must be a seat that logs in under another kind of name: psap_seats_unpaired."""
    known = name in logged or name in centre.names.seats.known
    return not known and "/" not in name and any("/" in other for other in logged)


def _told(scope: Scope, states: Mapping[str, State]) -> Iterator[Told]:
    """What is told of seats, those of each one together and as they began; who always is there is there all the time."""
    always = [
        f"('{city}', '{seat.code}', 'there', {scope.hindsight.heard[city].first}, {scope.moment})"
        for city in scope.periods
        for seat in scope.centres[city].seats
        if seat.static and seat.code not in _logged(states[city], scope.moment)
    ]
    found = scope.connection.cursor().execute(
        "FROM (FROM shifts SELECT city, seat, 'there' AS kind, epoch_us(logged_in) / 1e6 AS began, "
        "epoch_us(until) / 1e6 AS until "
        "UNION ALL FROM visits SELECT city, seat, 'call', epoch_us(left_queue) / 1e6, "
        "epoch_us(greatest(left_queue, coalesce(ended, left_queue))) / 1e6 WHERE outcome = 'answered' AND seat IS NOT NULL "
        "UNION ALL FROM not_ready SELECT city, seat, kind, epoch_us(began) / 1e6, epoch_us(until) / 1e6"
        f"{' UNION ALL VALUES ' if always else ''}{', '.join(always)}) ORDER BY city, seat, began, until, kind"
    )
    while some := found.fetchmany(TOGETHER):
        yield from map(Told._make, some)


def _times(told: Iterable[Told], wrap_up_seconds: float) -> Times:
    found = defaultdict[str, list[spans.Span]](list)
    for _, _, kind, began, until in told:
        found[kind].append((began, until))
    # As the core has it: whoever talks is there, and after each call that is over the file's seconds are wrap-up.
    wraps = [(end, end + wrap_up_seconds) for start, end in found["call"] if end > start] if wrap_up_seconds else []
    return Times(
        there=spans.union([*found["there"], *found["call"]]),
        talk=spans.union(found["call"]),
        busy=spans.union([*found["call"], *found["wrap_up"], *wraps]),
        paused=spans.union(found["pause"]),
        answered=[began for began, _ in found["call"]],
    )


def _row(span: Span, seat: str, known: float, sums: Sums, *, is_told: bool) -> Seat:
    return Seat(
        city=span.city,
        span=span.span,
        period=span.period,
        seat=seat,
        known_seconds=known,
        calls=sums.calls,
        logged_in_seconds=float(sums.logged_in) if is_told else None,
        talk_seconds=float(sums.talk),
        wrap_up_seconds=float(sums.busy - sums.talk),
        paused_seconds=float(sums.paused),
        occupancy=sums.busy / sums.logged_in if is_told and sums.logged_in >= ENOUGH_SECONDS else None,
        scheduled_seconds=None,
        adherence=None,
    )


def pauses(scope: Scope) -> Iterator[Pause]:
    """Each reason of each seat in each span, that of all seats, and that of all centres together where there are several."""
    together = ", (span, period, reason)" if len(scope.periods) > 1 else ""
    for told in scope.ask(
        "FROM (FROM not_ready AS row JOIN spans AS time ON row.city = time.city AND row.began < time.until "
        "AND row.until > time.began SELECT row.city, time.span, time.period, row.seat, row.reason, "
        "(epoch_us(least(row.until, time.until)) - epoch_us(greatest(row.began, time.began))) / 1e6 AS lasted "
        "WHERE kind = 'pause') "
        f"SELECT coalesce(city, '{ALL}') AS city, span, period, coalesce(seat, '{ALL}') AS seat, reason, count(*) AS pauses, "
        "sum(lasted) AS seconds, max(lasted) AS longest "
        f"GROUP BY GROUPING SETS ((city, span, period, seat, reason), (city, span, period, reason){together}) "
        "ORDER BY city, span, period, seat, reason"
    ):
        yield Pause(**told)


SEATS = Subject(
    "seats",
    Words("Kursi", "Seats"),
    Words(
        "Dipotong pada batas periode: dari dinas malam hanya bagian yang ada di dalamnya.",
        "Cut to the time: of a night shift only the part that lies in it.",
    ),
    Seat,
    seats,
)
PAUSES = Subject(
    "pauses",
    Words("Jeda", "Pauses"),
    Words(
        "Jeda kursi menurut alasan, dipotong pada batas periode.",
        "Why and for how long seats paused, cut to the time.",
    ),
    Pause,
    pauses,
)
