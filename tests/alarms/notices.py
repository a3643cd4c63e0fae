"""What people are told of alerts that fire: inhibited, routed and grouped as a real Alertmanager with our configuration decides.

Time cannot be sped up in an Alertmanager. So it is told, moment by moment, what fires then, and asked what it makes of it.
That a group is told of what is new in it, and again after its repeat_interval, is what it then does with the result.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

import yaml

from streams.stack import prometheus as stack
from streams.stack.debian import Programs
from tests.conftest import HANG, free_port
from tests.dashboards.test_stack import running

CONFIG = Path(__file__).parents[2] / "dashboards" / "alertmanager.yml"
SENTINEL = "Sentinel"
"""Its page holds back its own entry on the wall: as soon as that is so, everything told before it has been taken in."""
AT_ONCE = 60.0
"""A route that waits for longer escalates what nobody acknowledged. Nobody acknowledges here, so it is not counted."""
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

Labels = frozenset[tuple[str, str]]


class Firing(NamedTuple):
    """One alert that fires from one moment until another, which is the first at which it does not, epoch seconds."""

    labels: Labels
    start: int
    end: int


class Notice(NamedTuple):
    """One message: when, of which level, to which receiver, and the alerts that were new in it; none in a reminder."""

    moment: int
    severity: str
    receiver: str
    new: frozenset[Labels]


class Route(NamedTuple):
    """Where alerts go that match: to whom, after how many seconds, and again after how many."""

    matchers: tuple[str, ...]
    receiver: str
    goes_on: bool
    wait: float
    repeat: float

    def takes(self, labels: Mapping[str, str]) -> bool:
        """Whether it is for these labels."""
        return all(_holds(matcher, labels) for matcher in self.matchers)


def routes(config: Mapping[str, Any]) -> list[Route]:
    """Those of a configuration, the last one for all the rest. Errors: AssertionError where one has routes of its own."""
    top = config["route"]
    found = []
    for one in [*top["routes"], {**top, "matchers": []}]:
        assert one is top or "routes" not in one or not one["matchers"], "a route within a route is not understood here"
        inherited = {**top, **one}
        found.append(
            Route(
                tuple(one["matchers"]),
                inherited["receiver"],
                one.get("continue", False),
                _seconds(inherited["group_wait"]),
                _seconds(inherited["repeat_interval"]),
            )
        )
    return found


def _seconds(text: str) -> float:
    return float(sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)([smhd])", text)))


def _holds(matcher: str, labels: Mapping[str, str]) -> bool:
    name, operator, text = re.fullmatch(r'(\w+)(=~|!~|!=|=)"(.*)"', matcher).groups()  # type: ignore[union-attr]
    value = labels.get(name, "")
    alike = bool(re.fullmatch(text, value)) if "~" in operator else value == text
    return alike != operator.startswith("!")


class Group(NamedTuple):
    """Alerts that a receiver hears of together; `active` are those that nothing inhibits."""

    receiver: str
    labels: Labels
    firing: frozenset[Labels]
    active: frozenset[Labels]


class Alertmanager:
    """A real one, with our inhibitions and routes and receivers that reach nobody."""

    def __init__(self, port: int) -> None:
        self._address = f"http://127.0.0.1:{port}/api/v2/alerts"
        self._told = 0

    def groups(self, on: Sequence[Labels], off: Sequence[Labels]) -> list[Group]:
        """What it makes of what fires, after these have begun and those have ended."""
        self._told += 1
        mine, before = str(self._told), str(self._told - 1)
        ended = [*(dict(one) for one in off), *(_sentinel(level, before) for level in ("page", "wall"))]
        begun = [*(dict(one) for one in on), *(_sentinel(level, mine) for level in ("wall", "page"))]
        now = datetime.now(UTC)
        past, future = now - timedelta(seconds=1), now + timedelta(days=1)
        alerts = [_alert(one, past - timedelta(hours=1), past) for one in ended] + [_alert(one, past, future) for one in begun]
        self._ask(self._address, alerts)
        asked = time.monotonic()
        while True:
            found = self._ask(f"{self._address}/groups")
            states = {
                (alert["labels"]["severity"], alert["status"]["state"])
                for group in found
                for alert in group["alerts"]
                if alert["labels"]["alertname"] == SENTINEL and alert["labels"]["city"] == mine
            }
            if states == {("wall", "suppressed"), ("page", "active")}:
                return [group for one in found if (group := _group(one)).firing]
            assert time.monotonic() - asked < HANG, "Alertmanager does not take in what it is told"

    def _ask(self, address: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(address, data, {"Content-Type": "application/json"}), timeout=HANG) as answer:
            return json.loads(answer.read() or b"null")


def _sentinel(severity: str, number: str) -> dict[str, str]:
    return {"alertname": SENTINEL, "severity": severity, "city": number}


def _alert(labels: dict[str, str], start: datetime, end: datetime) -> dict[str, object]:
    return {"labels": labels, "startsAt": start.isoformat(), "endsAt": end.isoformat()}


def _group(said: Mapping[str, Any]) -> Group:
    alerts = [alert for alert in said["alerts"] if alert["labels"]["alertname"] != SENTINEL]
    return Group(
        said["receiver"]["name"],
        frozenset(said["labels"].items()),
        frozenset(frozenset(alert["labels"].items()) for alert in alerts),
        frozenset(frozenset(alert["labels"].items()) for alert in alerts if alert["status"]["state"] != "suppressed"),
    )


@contextmanager
def alertmanager(programs: Programs, home: Path) -> Iterator[Alertmanager]:
    """One with our configuration, but that its receivers have no addresses."""
    config = yaml.safe_load(CONFIG.read_text())
    config["receivers"] = [{"name": one["name"]} for one in config["receivers"]]
    config["templates"] = []
    file, port = home / CONFIG.name, free_port()
    file.write_text(json.dumps(config))
    service = stack.alertmanager(programs, home=home, data=home / "told", port=port, config=file, here={})
    with running(service, home / "alertmanager.log"):
        yield Alertmanager(port)


@dataclass
class _Heard:
    """What a receiver heard of a group: the alerts that its last message said fire, when that was, and how often again."""

    told: frozenset[Labels] = frozenset()
    last: int = 0
    active: frozenset[Labels] = field(default_factory=frozenset)


def notices(firing: Sequence[Firing], asked: Alertmanager) -> list[Notice]:
    """Every message about these alerts, reminders too, in the order of time; those on the wall are told to nobody."""
    ways = [route for route in routes(yaml.safe_load(CONFIG.read_text())) if route.wait < AT_ONCE]
    changes: dict[int, tuple[list[Labels], list[Labels]]] = {}
    for one in firing:
        changes.setdefault(one.start, ([], []))[0].append(one.labels)
        changes.setdefault(one.end, ([], []))[1].append(one.labels)
    heard: dict[tuple[str, Labels], _Heard] = {}
    found: list[Notice] = []
    for moment, (on, off) in sorted(changes.items()):
        groups = {(group.receiver, group.labels): group for group in asked.groups(on, [one for one in off if one not in on])}
        for key in heard.keys() | groups.keys():
            group = groups.get(key)
            known = heard.setdefault(key, _Heard())
            found += _reminders(known, key[0], moment, ways)
            fires, known.active = (group.firing, group.active) if group else (frozenset[Labels](), frozenset[Labels]())
            way = _way(known.active, key[0], ways)
            if way is not None and (new := known.active - known.told):
                known.told, known.last = known.active, moment + int(way.wait)
                found.append(Notice(known.last, _severity(known.active), key[0], new))
            elif known.told - fires:
                known.told = known.active
    return sorted(found, key=lambda notice: notice.moment)


def _way(alerts: frozenset[Labels], receiver: str, ways: list[Route]) -> Route | None:
    """The route by which a receiver hears of these alerts at once."""
    for labels in alerts:
        for way in ways:
            if way.takes(dict(labels)):
                if way.receiver == receiver and way.receiver != "wall":
                    return way
                if not way.goes_on:
                    break
    return None


def _reminders(known: _Heard, receiver: str, moment: int, ways: list[Route]) -> Iterator[Notice]:
    """The messages that said the same again until now."""
    way = _way(known.active, receiver, ways)
    while way is not None and known.active and moment - known.last > way.repeat:
        known.last += int(way.repeat)
        yield Notice(known.last, _severity(known.active), receiver, frozenset())


def _severity(alerts: frozenset[Labels]) -> str:
    return min(dict(labels).get("severity", "") for labels in alerts)
