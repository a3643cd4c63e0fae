"""Every kind of page that there can be, and what share of them silences mute: of one centre's, or of the monitor's own.

A silence is judged by what it would mute, whenever it comes, and not by how it is written: `alertname=~".+"`, `severity="page"`
and `city="32.71"` are the same to the people of Kota Bogor.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from streams.core.centre import Centre
from streams.edge.gateway.silences import Labels, Matcher, Silence

JAKARTA = ZoneInfo("Asia/Jakarta")
WATCHDOG = {"alertname": "Watchdog", "severity": "none"}
"""Whoever waits for it must go on hearing it: muted, it counts as all."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What silences with the same matchers mute: these kinds of pages (by number) of these centres (by code), these of the
    monitor's own, and whether the watchdog.
    """

    kinds: frozenset[int]
    centres: frozenset[str]
    own: frozenset[int]
    watchdog: bool


class PageKinds:
    """The kinds of pages of the rules in a folder, at these centres.

    A kind is a rule's name with the labels that the rule gives. What else an alert has, such as a link, is taken to be absent:
    who silences one link mutes no kind.
    """

    def __init__(self, rules: Path, centres: Iterable[Centre]) -> None:
        files = [yaml.safe_load(file.read_text()) for file in sorted(rules.glob("*.yml"))]
        alerts = [rule for file in files for group in file["groups"] for rule in group["rules"] if "alert" in rule]
        pages = [rule for rule in alerts if rule["labels"]["severity"] == "page"]
        self.of_centres = _kinds(rule for rule in pages if _is_of_a_centre(rule))
        self.own = _kinds(rule for rule in pages if not _is_of_a_centre(rule))
        self._centres: dict[str, Labels] = {}
        self.known: dict[str, set[str]] = {"city": set(), "name": set(), "province": set()}
        """The values that labels of alerts can have, as far as rules and centres' files say."""
        for labels in (*_kinds(alerts), WATCHDOG):
            for label, value in labels.items():
                self.known.setdefault(label, set()).add(value)
        zones = set()
        for centre in centres:
            zones.add(centre.timezone)
            self._centres[centre.code] = {"city": centre.code, "name": centre.name, "province": centre.province}
            things = {"link": centre.links, "gauge": centre.gauges, "opd": centre.opds, "queue": centre.queues}
            for label, value in self._centres[centre.code].items():
                self.known[label].add(value)
            for label, named in things.items():
                self.known.setdefault(label, set()).update(one.code for one in named)
        self.zone = zones.pop() if len(zones) == 1 else JAKARTA
        """The centres' zone; Jakarta's where they have several."""
        self._reach = lru_cache(maxsize=4096)(self._judged)
        self._shares = lru_cache(maxsize=4096)(self._shared)

    def share(self, silences: Collection[Silence], common: Labels) -> float:
        """How much silences mute together: the largest share of the kinds of one centre's pages, or of the monitor's own; all
        where they mute the watchdog. `common` are labels that every alert has, if Prometheus gives such.
        """
        given = tuple(sorted(common.items()))
        return self._shares(frozenset(self._reach(silence.matchers, given) for silence in silences))

    def _judged(self, matchers: Sequence[Matcher], common: tuple[tuple[str, str], ...]) -> Reach:
        where = [matcher for matcher in matchers if matcher.name in ("city", "name", "province")]
        what = [matcher for matcher in matchers if matcher not in where]
        every = dict(common)
        is_own = _match(where, every)
        return Reach(
            frozenset(n for n, kind in enumerate(self.of_centres) if _match(what, {**every, **kind})),
            frozenset(code for code, centre in self._centres.items() if _match(where, {**every, **centre})),
            frozenset(n for n, kind in enumerate(self.own) if is_own and _match(what, {**every, **kind})),
            is_own and _match(what, {**every, **WATCHDOG}),
        )

    def _shared(self, reaches: frozenset[Reach]) -> float:
        if any(reach.watchdog for reach in reaches):
            return 1.0
        own = len(frozenset[int]().union(*(reach.own for reach in reaches))) / len(self.own)
        where = [reach for reach in reaches if reach.kinds and reach.centres]
        muted = (frozenset[int]().union(*(reach.kinds for reach in where if code in reach.centres)) for code in self._centres)
        return max(own, max(map(len, muted), default=0) / len(self.of_centres))


def _is_of_a_centre(rule: Mapping[str, Any]) -> bool:
    return "$labels.name" in rule["annotations"]["summary"]


def _kinds(rules: Iterable[Mapping[str, Any]]) -> list[Labels]:
    found = [{"alertname": rule["alert"], **rule["labels"]} for rule in rules]
    return [kind for n, kind in enumerate(found) if kind not in found[:n]]


def _match(matchers: Iterable[Matcher], labels: Labels) -> bool:
    return all(matcher.matches(labels.get(matcher.name, "")) for matcher in matchers)
