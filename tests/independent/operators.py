"""Operators: what every seat did, from its first event to a moment."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from heapq import merge
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from tests.independent.calls import NEVER, Stories, Talk
from tests.independent.history import EPOCH, HOUR, MINUTE, SECOND, Figures, History, Told, seconds

STATES = ("available", "ringing", "talking", "wrap_up", "paused", "off")
RINGING, WRAP_UP, ENOUGH = MINUTE, 600 * SECOND, 600 * SECOND
Span = tuple[int, int]


@dataclass(slots=True)
class Seat:
    """One seat at a moment, and what it did before."""

    told: bool = False
    first: int = NEVER
    heard: int = 0
    queues: set[str] = field(default_factory=set)
    since: int = 0
    there: list[Span] = field(default_factory=list)
    pauses: dict[str, tuple[int, str]] = field(default_factory=dict)
    paused: str = ""
    paused_since: int = 0
    pause_from: int = 0
    pause_seconds: Counter[str] = field(default_factory=Counter)
    wraps: list[Span] = field(default_factory=list)
    wraps_up_until: int = 0
    rang: int = 0
    rang_out: int = 0
    ring_no_answers: int = 0

    def join(self, queue: str, now: int) -> None:
        """It is there; "" stands for an unnamed queue."""
        if not self.queues:
            self.since = now
        if queue or not self.queues:
            self.queues.add(queue)

    def leave(self, queue: str, now: int) -> None:
        """It left one queue or all; with the last one it is gone, and neither paused nor wrapping up."""
        was_there = bool(self.queues)
        self.queues -= {queue, ""} if queue else set(self.queues)
        self.pauses[queue] = now, ""
        if was_there and not self.queues:
            self.there.append((self.since, now))
            self.pauses.clear()
            self.stop_wrapping(now)
        self.weigh_pause(now)

    def pause(self, queue: str, reason: str, now: int) -> None:
        """It paused in one queue or in all, or resumed, where there is no reason."""
        if not queue:
            self.pauses.clear()
        self.pauses[queue] = now, reason
        self.weigh_pause(now)

    def weigh_pause(self, now: int) -> None:
        """Whoever is paused in every queue is paused."""
        overall = self.pauses.get("", (0, ""))
        said = [self.pauses.get(queue, overall) for queue in self.queues]
        paused = max(said)[1] if said and all(reason for _, reason in said) else ""
        if paused != self.paused:
            if self.paused:
                self.pause_seconds[self.paused] += now - self.pause_from
            else:
                self.paused_since = now
            self.pause_from = now
        self.paused = paused

    def stop_wrapping(self, now: int) -> None:
        """What it does after a call is over, if it was not before."""
        if self.wraps and self.wraps[-1][1] > now:
            self.wraps[-1] = self.wraps[-1][0], now
        self.wraps_up_until = min(self.wraps_up_until, now)


class Seated:
    """What the seats told, and the stories of calls, which say who spoke."""

    def __init__(self, stories: Stories) -> None:
        self.stories = stories
        self.told = [_labelled(event, stories.history) for event in stories.history.of("operator")]


def _labelled(event: Told, history: History) -> Told:
    """The event, in which the reason of a pause is that of the centre's file."""
    if event.type != "operator.paused":
        return event
    reason = event.data.get("reason")
    label = "unspecified" if reason is None else history.label("reasons", reason)
    return Told(event.time, event.source, event.type, event.data | {"reason": label})


def figures(seated: Seated, now: int) -> Figures:
    """What was true of seats at `now`."""
    found: Figures = {}
    stories, centre = seated.stories, seated.stories.history.centre
    codes = stories.history.named("seats")
    static = {code for code, part in codes.items() if part.get("static")}
    told = [event for event in seated.told if event.time <= now]
    talks = [talk for talk in stories.talks if talk.seat and (talk.ended <= now or talk.goes_on(now))]
    lately = [talk for talk in talks if min(talk.ended, now) > now - HOUR]
    seats = _seats(told, lately, static, now)
    reasons = {event.data["reason"] for event in told if event.type == "operator.paused"}
    _say_pauses(found, seats, reasons)
    for name in {event.data["seat"] for event in told}:
        found["psap_operator_ring_no_answer_total", name] = seats[name].ring_no_answers
    by_seat: defaultdict[str, list[Talk]] = defaultdict(list)
    for talk in lately:
        by_seat[talk.seat].append(talk)
    doing = {name: _doing(seat, by_seat[name], now, centre) for name, seat in seats.items()}
    interfaces = any("/" in name and seat.told for name, seat in seats.items())
    strangers = {name for name in seats if interfaces and "/" not in name and not seats[name].told and name not in codes}
    silent = {name for name, seat in seats.items() if not seat.told and name not in codes and seat.heard <= now - 24 * HOUR}
    shown = {name: seat for name, seat in seats.items() if name not in strangers | silent}
    if not any(seat.told or doing[name] != "off" for name, seat in shown.items()):
        return found
    states = Counter(doing[name] for name in shown)
    states["off"] += len(codes.keys() - shown.keys())
    for state in STATES:
        found["psap_operators", state] = states[state]
    found["psap_seats_unpaired",] = len(strangers - silent)
    paused = {name: seat for name, seat in shown.items() if doing[name] == "paused"}
    for reason in reasons:
        found["psap_operators_paused", reason] = sum(seat.paused == reason for seat in paused.values())
    for name, seat in paused.items():
        found["psap_operator_paused_timestamp_seconds", name, seat.paused] = seconds(seat.paused_since)
    if any(seat.told for seat in shown.values()):
        found["psap_seats_staffed",] = sum(doing[name] != "off" for name in shown)
        _say_hour(found, shown, by_seat, now, centre)
    return found


def _seats(told: list[Told], talks: list[Talk], static: set[str], now: int) -> dict[str, Seat]:
    """Every seat at `now`, by what it told itself and by the calls of the last hour."""
    seats = {name: Seat(told=True, queues={""}, first=0) for name in static}
    answers = [Told(talk.began, "", "", {"seat": talk.seat}) for talk in sorted(talks, key=attrgetter("began"))]
    for event in merge(told, answers, key=attrgetter("time")):
        seat = seats.setdefault(event.data["seat"], Seat())
        seat.heard = event.time
        if event.type:
            seat.first = min(seat.first, event.time)
            _tell(seat, event, event.time)
        else:
            seat.join("", event.time)
    for seat in seats.values():
        if seat.queues:
            seat.there.append((seat.since, now))
        if seat.paused:
            seat.pause_seconds[seat.paused] += now - seat.pause_from
    for talk in talks:
        seats[talk.seat].heard = now
    return seats


def _tell(seat: Seat, event: Told, at: int) -> None:
    data, queue = event.data, event.data.get("queue", "")
    match event.type.removeprefix("operator."):
        case "logged_in":
            seat.told = True
            seat.join(queue, at)
            seat.weigh_pause(at)
        case "logged_out":
            seat.told = True
            seat.leave(queue, at)
        case "paused":
            seat.join(queue, at)
            seat.pause(queue, data["reason"], at)
        case "resumed":
            seat.join(queue, at)
            seat.pause(queue, "", at)
        case "ringing":
            seat.join(queue, at)
            seat.rang = at
        case "ring_no_answer" if data.get("ring_seconds") != 0:
            if at - seat.rang_out >= SECOND:
                seat.ring_no_answers += 1
            seat.rang_out = at
        case "wrap_up_started":
            seat.join(queue, at)
            seat.stop_wrapping(at)
            seat.wraps_up_until = at + (round(data["seconds"] * SECOND) if data.get("seconds") else WRAP_UP)
            seat.wraps.append((at, seat.wraps_up_until))
        case "wrap_up_ended":
            seat.stop_wrapping(at)


def _doing(seat: Seat, talks: list[Talk], now: int, centre: dict[str, Any]) -> str:
    if any(talk.goes_on(now) for talk in talks):
        return "talking"
    if not seat.queues:
        return "off"
    if seat.rang_out < seat.rang and now < seat.rang + RINGING and not any(talk.began >= seat.rang for talk in talks):
        return "ringing"
    after = round(centre.get("wrap_up_seconds", 0) * SECOND)
    if now < max([seat.wraps_up_until, *(talk.ended + after for talk in talks)]):
        return "wrap_up"
    return "paused" if seat.paused else "available"


def _say_pauses(found: Figures, seats: dict[str, Seat], reasons: set[str]) -> None:
    for reason in reasons:
        found["psap_operator_pause_seconds_total", reason] = seconds(sum(seat.pause_seconds[reason] for seat in seats.values()))


def _say_hour(found: Figures, seats: dict[str, Seat], talks: dict[str, list[Talk]], now: int, centre: dict[str, Any]) -> None:
    since, after = now - HOUR, round(centre.get("wrap_up_seconds", 0) * SECOND)
    logged_in = busy = 0
    for name, seat in seats.items():
        spoken = [(talk.began, min(talk.ended, now)) for talk in talks[name]]
        wraps = [
            *(wrap for wrap in seat.wraps if wrap[1] > since),
            *((talk.ended, talk.ended + after) for talk in talks[name] if talk.ended <= now),
        ]
        there = _union([*(span for span in seat.there if span[1] > since), *spoken])
        logged_in += _overlap(there, [(since, now)])
        busy += _overlap([(max(start, since), min(end, now)) for start, end in there], _union([*spoken, *wraps]))
    found["psap_operator_logged_in_seconds",] = seconds(logged_in)
    if logged_in >= ENOUGH:
        found["psap_operator_occupancy_ratio",] = busy / logged_in
    known = min(seat.first for seat in seats.values() if seat.told)
    scheduled = _scheduled(centre, since, now)
    if scheduled and known <= since:
        found["psap_operator_adherence_ratio",] = logged_in / scheduled


def _union(spans: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end in sorted(span for span in spans if span[1] > span[0]):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _overlap(some: Iterable[Span], others: Iterable[Span]) -> int:
    """How long both were, of spans that do not overlap among themselves."""
    beside = [*others]
    return sum(max(0, min(end, stop) - max(start, begin)) for start, end in some for begin, stop in beside)


def _scheduled(centre: dict[str, Any], since: int, until: int) -> int:
    """Seat-microseconds for which the shifts provide between two moments."""
    zone, total = ZoneInfo(centre["timezone"]), 0
    first = (EPOCH + timedelta(microseconds=since)).astimezone(zone).date() - timedelta(days=1)
    for day in (first + timedelta(days=number) for number in range(4)):
        for shift in centre.get("shifts", ()):
            start, end = time.fromisoformat(shift["from"]), time.fromisoformat(shift["until"])
            last = day + timedelta(days=end <= start)
            span = datetime.combine(day, start, zone), datetime.combine(last, end, zone)
            begin, stop = ((moment - EPOCH) // timedelta(microseconds=1) for moment in span)
            total += shift["seats"] * max(0, min(stop, until) - max(begin, since))
    return total
