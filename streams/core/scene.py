"""The clock that the ministry judges by: from the opening of a ticket to the first unit on scene, whole and by stage."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from streams.core.centre import Centre
from streams.core.desk import Desk
from streams.core.ladder import ROUTINE
from streams.core.lags import BOUNDS
from streams.core.ledger import LATENESS
from streams.core.proportion import wilson
from streams.core.reading import Metric, Reading, Readings
from streams.core.recent import Group, Stage
from streams.core.survival import quantile, within

QUANTILES = {"0.5": 50, "0.9": 90}
"""Percentiles of each stage, by their label."""

LIMITS = (480, 900)
"""Seconds within which the first unit is to be on scene: 8 minutes in Jakarta, 15 elsewhere (Kemendagri, November 2025)."""

_OPENED = "from opening (or reopening) a ticket"
_FIRST = (
    f"opened_to_dispatched and opened_to_arrived {_OPENED} to the first unit sent out and the first on scene, "
    "dispatched_to_arrived from the one to the other"
)
_ENDED_EARLY = " One that ended before it began is left out (psap_ticket_backward_total)."
_WEEK = (
    " over today and the six local days before, by the day on which a lag ended; each rounded up to the second, above an hour to "
    "the minute. Nearest rank. Open tickets that wait for the end of the stage (but for opened_to_closed) count as at least as "
    "long as they have lasted: Kaplan-Meier, see Time to the scene in streams/core/README.md. Where too few have ended to say, "
    "the longest time known, which the percentile is not below."
)
_SHARE = (
    "Tickets of opened_to_arrived within threshold seconds / n, over today and the six local days before; n: those that ended "
    "then, and the open ones without a unit on scene that have lasted longer than threshold, missed already. Absent where none "
    "ended."
)


class Share(NamedTuple):
    """The metrics of a share within a limit: itself, its bounds, and how many it is about."""

    ratio: Metric
    lower: Metric
    upper: Metric
    tickets: Metric

    @classmethod
    def named(cls, ratio: str, about: str, tickets: str, labels: tuple[str, ...] = ()) -> Self:
        """Those of a ratio of that name and meaning; `tickets` is the name of the last."""
        by_threshold = (*labels, "threshold")
        return cls(
            Metric(ratio, "gauge", about, by_threshold),
            Metric(f"{ratio}_lower", "gauge", f"Wilson 95 % lower bound of {ratio}.", by_threshold),
            Metric(f"{ratio}_upper", "gauge", f"Wilson 95 % upper bound of {ratio}.", by_threshold),
            Metric(tickets, "gauge", f"Tickets that {ratio} is about (n).", by_threshold),
        )

    def say(self, labels: tuple[str, ...], ended: Sequence[float], still: Sequence[float], limit: float) -> Readings:
        """How many took no longer than `limit` seconds; `ended`, at least one, and `still` as in `survival`."""
        good, n = within(ended, still, limit)
        lower, upper = wilson(good, n)
        about = (*labels, f"{limit}")
        yield self.ratio, about, good / n
        yield self.lower, about, lower
        yield self.upper, about, upper
        yield self.tickets, about, n


@dataclass(frozen=True, slots=True)
class Family:
    """The metrics of one scope: all tickets of a city, those of a category, or an agency's own."""

    seconds: Metric
    quantile: Metric
    tickets: Metric
    share: Share

    @property
    def metrics(self) -> Iterator[Metric]:
        """All of them."""
        yield from (self.seconds, self.quantile, self.tickets, *self.share)


def _family(scope: str, labels: tuple[str, ...], about: str, share: str) -> Family:
    """The metrics of a scope: `about` says what its histogram is about, and `share` what else concerns its shares."""
    stage, by_stage = f"psap_{scope}_stage", (*labels, "stage")
    return Family(
        Metric(f"{stage}_seconds", "histogram", about + _ENDED_EARLY, by_stage, BOUNDS),
        Metric(f"{stage}_quantile_seconds", "gauge", f"Percentile of {stage}_seconds{_WEEK}", (*by_stage, "quantile")),
        Metric(
            f"{stage}_tickets", "gauge", f"Tickets that ended the stage in the week of {stage}_quantile_seconds (n).", by_stage
        ),
        Share.named(f"psap_{scope}_scene_ratio", _SHARE + share, f"psap_{scope}_scene_tickets", labels),
    )


OF_OPD = _family(
    "ticket",
    ("opd",),
    f"Seconds of tickets, of the agency's own first units: {_FIRST}; and opened_to_closed, of the agency that had the ticket "
    "last. A ticket with units of two agencies is in the figures of both.",
    " Open ones are the agency's that has the ticket, as long as no unit at all is on scene.",
)
OF_CATEGORY = _family("category", ("category",), f"Seconds of tickets, of the first unit of whatever agency: {_FIRST}.", "")
OF_CITY = _family("city", (), f"Seconds of tickets, of the first unit of whatever agency: {_FIRST}.", "")
BACKWARD_TOTAL = Metric(
    "psap_ticket_backward_total",
    "counter",
    "Lags whose end was told to be before their start: clocks disagree, or are told to the minute. In no histogram, percentile "
    "or share. sent_to_answered is the agency's response.",
    ("stage",),
)
UNREACHED = Metric(
    "psap_tickets_unreached",
    "gauge",
    "Open tickets for which no unit was on scene since they were opened or reopened, longer ago than psap_centre_threshold "
    "scene_seconds.",
    ("category",),
)
CLOSED_UNREACHED_TOTAL = Metric(
    "psap_tickets_closed_unreached_total",
    "counter",
    "Tickets for which nobody told of a unit on scene up to an hour after they were closed: they are about no arrival, and in "
    "none of its figures.",
    ("category",),
)
CATEGORY_INFO = Metric(
    "psap_category_info",
    "gauge",
    "1 for each category that was told, with its ladder in the centre's file.",
    ("category", "ladder"),
)
METRICS = (
    *OF_OPD.metrics,
    *OF_CATEGORY.metrics,
    *OF_CITY.metrics,
    BACKWARD_TOTAL,
    UNREACHED,
    CLOSED_UNREACHED_TOTAL,
    CATEGORY_INFO,
)

_NOTHING: Sequence[int] = ()


def measure(desk: Desk, now: float, centre: Centre) -> Readings:
    """Say what is true at `now`."""
    week = desk.lags.recent.week(now, centre.timezone)
    waits = _waits(desk, now, centre)
    overdue, put_away = Counter[str](), Counter[str]()
    for ticket in desk.tickets.values():
        if ticket.first.arrived is None and ticket.began is not None:
            category = desk.category(ticket, centre)
            overdue[category] += ticket.closed is None and now - ticket.began > centre.thresholds.scene_seconds
            put_away[category] += ticket.closed is not None and now - ticket.closed >= LATENESS
    thresholds = limits(centre)

    def of(family: Family, labels: tuple[str, ...], stage: Stage, group: Group) -> Iterable[Reading]:
        if group in waits:
            return _of(family, (*labels, stage), week.lags.get(group, _NOTHING), sorted(waits[group]), thresholds)
        # Of most nobody waits, and from one scrape to the next nothing ends.
        if group not in week.said:
            week.said[group] = [*_of(family, (*labels, stage), week.lags.get(group, _NOTHING), _NOTHING, thresholds)]
        said: list[Reading] = week.said[group]
        return said

    for stage, seconds in sorted(desk.lags.city.items()):
        yield OF_CITY.seconds, (stage,), seconds
        yield from of(OF_CITY, (), stage, ("city", 0, stage))
    for number, (category, totals) in enumerate(desk.categories.items()):
        for stage, seconds in sorted(totals.stages.items()):
            yield OF_CATEGORY.seconds, (category, stage), seconds
            yield from of(OF_CATEGORY, (category,), stage, ("category", number, stage))
    for number, (opd, agency) in enumerate(desk.agencies.items()):
        for stage, seconds in sorted(agency.stages.items()):
            yield OF_OPD.seconds, (opd, stage), seconds
            yield from of(OF_OPD, (opd,), stage, ("opd", number, stage))
    for backward, lags in sorted(desk.lags.backward.items()):
        yield BACKWARD_TOTAL, (backward,), lags
    for category, totals in desk.categories.items():
        ladder = next((part.ladder for part in centre.categories if part.code == category), ROUTINE)
        yield CATEGORY_INFO, (category, ladder), 1
        yield UNREACHED, (category,), overdue[category]
        yield CLOSED_UNREACHED_TOTAL, (category,), totals.unreached + put_away[category]


def _of(
    family: Family, labels: tuple[str, ...], ended: Sequence[int], still: Sequence[float], thresholds: Sequence[float]
) -> Readings:
    """What is said of a stage, the last of the labels."""
    yield family.tickets, labels, len(ended)
    if not ended:
        return
    for label, percent in QUANTILES.items():
        yield family.quantile, (*labels, label), quantile(ended, still, percent)
    if labels[-1] == "opened_to_arrived":
        for limit in thresholds:
            yield from family.share.say(labels[:-1], ended, still, limit)


def limits(centre: Centre) -> list[float]:
    """The seconds within which shares are said, ascending."""
    return sorted({*LIMITS, centre.thresholds.scene_seconds})


def _waits(desk: Desk, now: float, centre: Centre) -> dict[Group, list[float]]:
    """How long open tickets without a unit on scene have lasted in the stage that they are in, by whose figures count them."""
    waits = defaultdict[Group, list[float]](list)
    categories = {category: number for number, category in enumerate(desk.categories)}
    agencies = {opd: number for number, opd in enumerate(desk.agencies)}
    for ticket in desk.tickets.values():
        first, began = ticket.first, ticket.began
        if began is None or ticket.closed is not None or first.arrived is not None:
            continue
        since: list[tuple[Stage, float, str | None]] = [("opened_to_arrived", began, ticket.opd)]
        if first.dispatched is None:
            since.append(("opened_to_dispatched", began, ticket.opd))
        else:
            since.append(("dispatched_to_arrived", first.dispatched, ticket.by))
        category = categories.get(desk.category(ticket, centre))
        for stage, start, opd in since:
            lasted = now - start
            waits["city", 0, stage].append(lasted)
            if category is not None:
                waits["category", category, stage].append(lasted)
            agency = agencies.get(desk.label(opd, centre))
            if agency is not None:
                waits["opd", agency, stage].append(lasted)
    return waits
