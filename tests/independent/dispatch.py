"""Dispatch: the story of every ticket; with whom it was at a moment, which rung it had passed, how long its stages took."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from holidays import country_holidays

from tests.independent import scene
from tests.independent.history import EPOCH, MINUTE, Figures, History, Told, buckets, moment, seconds

LADDERS = {
    "life_safety": {"clock": "always", "rungs": [("7m", 7), ("15m", 15), ("24h", 1440)]},
    "routine": {"clock": "working_days", "rungs": [("24h", 1440), ("48h", 2880), ("72h", 4320)]},
}
RESTS = ("weekends", "holidays", "joint_leave")
HOLIDAYS = country_holidays("ID", categories="public")
JOINT_LEAVE = country_holidays("ID", categories="government")


@dataclass(slots=True)
class Leg:
    """One agency's turn at a ticket."""

    opd: str
    since: int
    answered: int | None = None


@dataclass(slots=True)
class Way:
    """When the first unit was sent out and when the first was on scene, since a ticket was opened or reopened."""

    dispatched: int | None = None
    arrived: int | None = None


@dataclass(slots=True)
class Ticket:
    """One ticket at a moment."""

    category: str
    began: int
    """When it was opened or, later, reopened."""
    call: str | None = None
    district: str | None = None
    closed: int | None = None
    first: Way = field(default_factory=Way)
    own: dict[str, Way] = field(default_factory=dict)
    """The same of each agency's own units."""
    by: str | None = None
    reached: int | None = None
    """When a unit first was on scene before it was ever reopened."""
    reopened: bool = False
    legs: list[Leg] = field(default_factory=list)
    units: dict[str, str] = field(default_factory=dict)
    reminders: dict[str, int] = field(default_factory=dict)
    """When the monitor said of a rung that it was passed, of those that nobody has accepted."""

    @property
    def opd(self) -> str | None:
        """Who has it."""
        return self.legs[-1].opd if self.legs else self.by


class Desk:
    """All tickets at a moment, and what was counted up to it."""

    def __init__(self, history: History, now: int) -> None:
        self._history = history
        self.tickets: dict[str, Ticket] = {}
        self.opds: set[str] = set()
        self.counts: Counter[tuple[str, ...]] = Counter()
        self.responses: defaultdict[str, list[int]] = defaultdict(list)
        self.stages: defaultdict[tuple[str, ...], list[tuple[int, int]]] = defaultdict(list)
        """By `ticket` and agency, `category` and category, or `city`, and by stage, from when to when each took."""
        for event in history.of("ticket"):
            if event.time > now:
                break
            self._tell(event)

    def _tell(self, event: Told) -> None:
        now, kinds = event.time, {"opd": "opds", "to": "opds", "category": "categories"}
        data = {name: self._history.label(kinds[name], said) if name in kinds else said for name, said in event.data.items()}
        self.opds |= {data[name] for name in ("opd", "to") if name in data}
        if event.type == "ticket.opened":
            self.tickets[data["ticket"]] = Ticket(data["category"], now, data.get("call"), data.get("district"))
            self.counts["psap_tickets_opened_total", data["category"]] += 1
            return
        ticket = self.tickets[data["ticket"]]
        match event.type.removeprefix("ticket."):
            case "sent":
                ticket.legs.append(Leg(data["opd"], now))
            case "acknowledged":
                self._answer(ticket, data["opd"], now)
            case "unit_dispatched":
                self._answer(ticket, data["opd"], now)
                ticket.units[data["unit"]] = data["opd"]
                if ticket.first.dispatched is None:
                    ticket.by = data["opd"]
                for way, scopes in self._ways(ticket, data["opd"]):
                    if way.dispatched is None:
                        way.dispatched = now
                        self._took(scopes, "opened_to_dispatched", ticket.began, now)
            case "unit_arrived":
                self._answer(ticket, data["opd"], now)
                ticket.units[data["unit"]] = data["opd"]
                for way, scopes in self._ways(ticket, data["opd"]):
                    if way.arrived is None:
                        way.arrived = now
                        self._took(scopes, "opened_to_arrived", ticket.began, now)
                        if way.dispatched is not None:
                            self._took(scopes, "dispatched_to_arrived", way.dispatched, now)
                if ticket.reached is None and not ticket.reopened:
                    ticket.reached = now
            case "unit_available":
                ticket.units.pop(data["unit"], None)
            case "passed_on":
                ticket.legs.append(Leg(data["to"], now))
                ticket.reminders = {}
                self.counts["psap_tickets_passed_on_total", data["opd"]] += 1
            case "closed" if ticket.closed is None:
                ticket.closed, ticket.units = now, {}
                self.counts["psap_tickets_closed_total", ticket.opd or "none"] += 1
                self._took([("ticket", ticket.opd or "none")], "opened_to_closed", ticket.began, now)
            case "reopened":
                ticket.began, ticket.closed, ticket.first, ticket.own, ticket.reopened = now, None, Way(), {}, True
                self.counts["psap_tickets_reopened_total", ticket.opd or "none"] += 1
                if ticket.opd is not None:
                    ticket.legs.append(Leg(ticket.opd, now))
                ticket.units, ticket.by, ticket.reminders = {}, None, {}
            case "reminder_due" if self._is_of_now(ticket, data):
                ticket.reminders[data["rung"]] = now
            case "reminder_accepted" if ticket.reminders.pop(data["rung"], None) is not None:
                self.counts["psap_ticket_reminders_total", data["opd"], data["rung"]] += 1

    def _ways(self, ticket: Ticket, opd: str) -> list[tuple[Way, list[tuple[str, ...]]]]:
        """The ways of a ticket that a unit of an agency is on, and whose figures each is in."""
        own = ticket.own.setdefault(opd, Way())
        return [(ticket.first, [("city",), ("category", ticket.category)]), (own, [("ticket", opd)])]

    def _took(self, scopes: list[tuple[str, ...]], stage: str, start: int, end: int) -> None:
        for scope in scopes:
            self.stages[(*scope, stage)].append((start, end))

    def _is_of_now(self, ticket: Ticket, data: dict[str, Any]) -> bool:
        """Whether a reminder is of the last sending, and of a rung of its ladder."""
        if not ticket.legs or moment(data["since"]) != ticket.legs[-1].since:
            return False
        rungs = _ladder(ticket.category, ticket.legs[-1].opd, self._history.centre)["rungs"]
        return any(name == data["rung"] for name, _ in rungs)

    def _answer(self, ticket: Ticket, opd: str, now: int) -> None:
        for leg in ticket.legs:
            if leg.opd == opd and leg.answered is None:
                leg.answered = now
                self.responses[opd].append(now - leg.since)


def figures(history: History, now: int) -> Figures:
    """What was true of tickets at `now`."""
    found: Figures = {}
    if not any(event.time <= now for event in history.of("ticket")[:1]):
        return found
    desk, centre = Desk(history, now), history.centre
    still = [ticket for ticket in desk.tickets.values() if ticket.closed is None]
    places: Counter[tuple[str, str]] = Counter({("none", "unsent"): 0})
    places.update({(opd, rung): 0 for opd in desk.opds for rung in ("in_time", "answered")})
    waiting: defaultdict[str, list[int]] = defaultdict(list)
    pending: defaultdict[str, list[int]] = defaultdict(list)
    units: defaultdict[str, set[str]] = defaultdict(set)
    for ticket in still:
        places[ticket.opd or "none", _rung(ticket, now, centre)] += 1
        for unit, opd in ticket.units.items():
            units[opd].add(unit)
        if ticket.legs and ticket.legs[-1].answered is None:
            waiting[ticket.legs[-1].opd].append(ticket.legs[-1].since)
            pending[ticket.legs[-1].opd] += ticket.reminders.values()
    for place, n in places.items():
        found["psap_tickets_open", *place] = n
    found["psap_tickets_lost_total",] = found["psap_tickets_unmatched_total",] = 0
    found["psap_tickets_awaiting_dispatch",] = sum(
        ticket.first.dispatched is None and ticket.first.arrived is None for ticket in still
    )
    for opd in desk.opds:
        for name in ("closed", "reopened", "passed_on"):
            found[f"psap_tickets_{name}_total", opd] = 0
        found["psap_units_busy", opd] = len(units[opd])
        found["psap_ticket_reminders_pending", opd] = len(pending[opd])
        found["psap_ticket_response_seconds", opd] = buckets(desk.responses[opd], scene.BOUNDS)
        if waiting[opd]:
            found["psap_oldest_unanswered_ticket_timestamp_seconds", opd] = seconds(min(waiting[opd]))
        if pending[opd]:
            found["psap_oldest_pending_reminder_timestamp_seconds", opd] = seconds(min(pending[opd]))
    found |= desk.counts
    return found | scene.figures(history, desk, now)


def _rung(ticket: Ticket, now: int, centre: dict[str, Any]) -> str:
    if not ticket.legs or ticket.legs[-1].answered is not None:
        return "unsent" if ticket.opd is None else "answered"
    leg = ticket.legs[-1]
    ladder = _ladder(ticket.category, leg.opd, centre)
    passed = [
        name
        for name, minutes in ladder["rungs"]
        if _counted(ladder["clock"], leg.opd, leg.since, now, centre) >= minutes * MINUTE
    ]
    return passed[-1] if passed else "in_time"


def _ladder(category: str, opd: str, centre: dict[str, Any]) -> dict[str, Any]:
    """The agency's own ladder, else the category's, else the one for routine."""
    own = [each.get("ladder") for each in centre.get("opds", ()) if each["code"] == opd]
    usual = [each.get("ladder") for each in centre.get("categories", ()) if each["code"] == category]
    name = next((name for name in (*own, *usual) if name), "routine")
    written = centre.get("ladders", {}).get(name)
    if written is None:
        return LADDERS[name]
    rungs = [(rung["name"], rung["minutes"]) for rung in written["rungs"]]
    return {"clock": written.get("clock", "always"), "rungs": rungs}


def _counted(clock: str, opd: str, since: int, now: int, centre: dict[str, Any]) -> int:
    """How much time a ladder's clock has counted between two moments."""
    if clock == "always":
        return now - since
    return sum(max(0, min(end, now) - max(start, since)) for start, end in _working(clock, opd, since, now, centre))


def _working(clock: str, opd: str, since: int, now: int, centre: dict[str, Any]) -> Iterator[tuple[int, int]]:
    """The stretches of days on which an agency works."""
    own = next((each for each in centre.get("opds", ()) if isinstance(each, dict) and each["code"] == opd), {})
    rests_on = own.get("rests_on", RESTS)
    zone, office = History(centre).zone, centre.get("office", {})
    day, last = ((EPOCH + timedelta(microseconds=each)).astimezone(zone).date() for each in (since, now))
    while day <= last:
        is_weekend = day.isoweekday() not in office.get("days", (1, 2, 3, 4, 5))
        rests = {"weekends": is_weekend, "holidays": day in HOLIDAYS, "joint_leave": day in JOINT_LEAVE}
        if not any(rests[kind] for kind in rests_on):
            if clock == "working_days":
                yield _local(day, time.min, centre), _local(day + timedelta(days=1), time.min, centre)
            else:
                start, end = (
                    time.fromisoformat(office.get(name, usual)) for name, usual in (("from", "07:30"), ("until", "16:00"))
                )
                yield _local(day, start, centre), _local(day, end, centre)
        day += timedelta(days=1)


def _local(day: date, clock: time, centre: dict[str, Any]) -> int:
    return (datetime.combine(day, clock, History(centre).zone) - EPOCH) // timedelta(microseconds=1)
