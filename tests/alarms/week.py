"""A recording folded, scraped, evaluated and told: what fired, every message about it, and what the budget says."""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from schemas.event import Event
from streams.stack import debian
from tests.alarms.blocks import Blocks
from tests.alarms.firing import Episode, Rule, prometheus, rules
from tests.alarms.notices import Firing, Labels, Notice, alertmanager, notices
from tests.alarms.recordings import Budget, Recording
from tests.alarms.scrapes import STEP, Wanted, moments, scrape, scraped
from tests.alarms.storm import Planted
from tests.conftest import LOCAL

HOUR = 3600
LATE = 600
"""Seconds after the end of a trouble within which a page still counts as its own."""


class Found(NamedTuple):
    """What a rule did; `is_told` says whether the recording told of what it is about at all."""

    rule: Rule
    is_told: bool
    episodes: list[Episode]


class Paged(NamedTuple):
    """A planted trouble and its first page, if there was one: which alert, when, and how long after it could be known."""

    planted: Planted
    alert: str = ""
    moment: float = 0
    minutes: float | None = None


@dataclass
class Week:
    """What came of a recording."""

    recording: Recording
    events: Sequence[Event]
    scrapes: int
    found: list[Found]
    notices: list[Notice]
    context: dict[Episode, list[float | None]] = field(default_factory=dict)

    def pages(self) -> list[Notice]:
        """The messages with something new that call somebody."""
        return [notice for notice in self.notices if notice.severity == "page" and notice.new]

    def tickets(self) -> list[Notice]:
        """The messages with something new for office hours."""
        return [notice for notice in self.notices if notice.severity == "ticket" and notice.new]

    def worst(self, since: float, until: float) -> int:
        """Pages in the hour that had most of them."""
        told = sorted(notice.moment for notice in self.pages() if since <= notice.moment < until)
        return max((sum(first <= moment < first + HOUR for moment in told) for first in told), default=0)

    @property
    def paged(self) -> list[Paged]:
        """Every planted trouble with its first page."""
        return [self._first(planted) for planted in self.recording.planted(self.events)]

    def _first(self, planted: Planted) -> Paged:
        """Its first page; or one told before, of the same thing, that still fires when it begins: somebody is on it."""
        for notice in self.pages():
            for labels in notice.new:
                known = dict(labels)
                about = known.get("link") or known.get("opd") or known.get("gauge") or ""
                is_its_own = (known["alertname"], about) in planted.pages and notice.moment < planted.ended + LATE
                if is_its_own and self._end(labels, notice.moment) >= planted.began:
                    minutes = max(0.0, (notice.moment - planted.knowable) / 60)
                    return Paged(planted, known["alertname"], notice.moment, minutes)
        return Paged(planted)

    def _end(self, labels: Labels, moment: float) -> float:
        """Until when an alert goes on that fires at a moment."""
        own = (episode for one in self.found for episode in one.episodes if episode.whole == labels)
        return next(episode.end for episode in own if episode.start <= moment <= episode.end + STEP)

    def measures(self, budget: Budget) -> list[tuple[str, float, float, int]]:
        """Of each part of a budget: what it is, what was found, the most that it may be, and how many decimals to tell."""
        first, last = self.recording.since(self.events), self.events[-1].time.timestamp()
        found: list[tuple[str, float, float, int]] = []
        if budget.pages is not None:
            found.append(("pages", len(self.pages()), budget.pages, 0))
        if budget.tickets is not None:
            found.append(("tickets", len(self.tickets()), budget.tickets, 0))
        if budget.worst_hour is not None:
            found.append(("pages in the worst hour", self.worst(first, last), budget.worst_hour, 0))
            flapping = [one.planted for one in self.paged if one.planted.trouble.kind == "flapping"]
            found += [(f"pages for the flapping of {one.trouble.about}", self._about(one), 1, 0) for one in flapping]
        if budget.minutes is not None:
            late = [float("inf") if one.minutes is None else one.minutes for one in self.paged]
            found.append(("minutes from knowable to the page, the longest", max(late), budget.minutes, 1))
        return found

    def _about(self, planted: Planted) -> int:
        """The pages about a planted trouble's link while it lasts."""
        about = ("link", planted.trouble.about)
        return sum(
            planted.began <= notice.moment < planted.ended + LATE and any(about in labels for labels in notice.new)
            for notice in self.pages()
        )


def fold(recording: Recording, context: Sequence[str] = ()) -> Week:
    """Fold a recording and ask real programs; of `context`, what each expression said when a page or ticket began to fire."""
    every, events = rules(), recording.events()
    with tempfile.TemporaryDirectory(prefix="alarms-") as folder:
        home = Path(folder)
        programs = debian.ensure(LOCAL / "debian", os.environ["PATH"])
        blocks = Blocks(programs.promtool, home)
        evaluated = moments(events, recording.since(events) if recording.taught_days else None)
        looked = scraped(events, evaluated, recording.lookback)
        told = scrape(recording.centre, events, looked, Wanted([*(rule.expr for rule in every), *context]), blocks)
        with prometheus(programs, home, blocks.data) as asked:
            found = [Found(rule, bool(rule.metrics & told), asked.fired(rule, evaluated)) for rule in every]
            known = {
                episode: [asked.at(expr, episode.start) for expr in context]
                for rule, _, episodes in found
                for episode in episodes
                if context and rule.severity != "wall"
            }
        firing = [Firing(episode.whole, episode.start, episode.end + STEP) for one in found for episode in one.episodes]
        with alertmanager(programs, home) as telling:
            return Week(recording, events, len(looked), found, notices(firing, telling), known)
