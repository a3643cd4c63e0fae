"""A simulated week to which is done what no simulator does: calls that nobody ends, tests, blocks, cut lines, decisions."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from tests.independent.history import EPOCH, HOUR, MINUTE, SECOND, moment

Event = dict[str, Any]
DAY = 24 * HOUR


def struck(lines: Iterable[bytes]) -> list[bytes]:
    """The events of a week, changed and with others among them; ascending."""
    told = [json.loads(line) for line in lines]
    calls: defaultdict[tuple[str, str], list[Event]] = defaultdict(list)
    others = []
    for event in told:
        if event["type"].startswith("call."):
            calls[event["source"], event["data"]["call"]].append(event)
        else:
            others.append(event)
    start, end = moment(told[0]["time"]), moment(told[-1]["time"])
    # A queue that no file names is so in all legs of a journey, or its legs would contradict each other.
    legs = {event["data"].get("journey") for event in told if event["data"].get("journey") != event["data"].get("call")}
    for number, ((_, name), call) in enumerate(calls.items()):
        if number % 53 == 7 and name not in legs and all("journey" not in event["data"] for event in call):
            for event in call:
                if "queue" in event["data"]:
                    event["data"]["queue"] = "loket-9"
    events = [event for number, call in enumerate(calls.values()) for event in _call(number, call)]
    events = _restarted(events, start + 3 * DAY + 19 * HOUR + 30 * MINUTE)
    events += [event for number, other in enumerate(others) for event in _other(number, other)]
    events += [*_decisions(events), *_links(start), *_seats(start)]
    dated = sorted(events, key=lambda event: moment(event["time"]))
    return [json.dumps(event).encode() for event in dated if moment(event["time"]) <= end]


def _call(number: int, call: list[Event]) -> Iterator[Event]:
    """The events of one call, of some of which something else is told, or nothing."""
    kinds = [event["type"] for event in call]
    is_plain = len(kinds) == len(set(kinds)) and "call.transferred" not in kinds and "call.overflowed" not in kinds
    for event in call:
        match event["type"]:
            case "call.ended" if is_plain and number % 97 == 0:
                continue
            case "call.abandoned" if is_plain and number % 9 == 1:
                continue
            case "call.abandoned" if is_plain and number % 9 == 2:
                yield _like(event, 0, "call.network_dropped", call=event["data"]["call"])
                continue
            case "call.ended" if is_plain and number % 41 == 3:
                yield _like(event, 0, "call.network_dropped", call=event["data"]["call"])
                continue
            case "call.abandoned" if is_plain and number % 9 == 4 and "call.queued" not in kinds:
                yield _like(event, 0, "call.blocked", call=event["data"]["call"])
                continue
            case "call.classified" if number % 29 == 5:
                yield event
                yield _like(event, 20 * MINUTE, "call.classified", **event["data"] | {"class": "test"})
                continue
            case "call.classified" if number % 31 == 6:
                yield event
                yield _like(event, MINUTE, "call.classified", **event["data"] | {"class": "normal"})
                continue
        yield event


def _restarted(events: list[Event], at: int) -> list[Event]:
    """The same calls, but one exchange begins anew at a moment and forgets those before it."""
    first: dict[tuple[str, str], int] = {}
    for event in events:
        first.setdefault((event["source"], event["data"]["call"]), moment(event["time"]))
    source = "/32.71/simulation"
    kept = [
        event
        for event in events
        if event["source"] != source
        or moment(event["time"]) < at
        or first[source, event["data"].get("journey", event["data"]["call"])] >= at
        or event["type"] == "call.classified"
    ]
    near = next(event for event in kept if event["source"] == source)
    return [*kept, _like(near, at - moment(near["time"]), "exchange.restarted")]


def _other(number: int, event: Event) -> Iterator[Event]:
    """An event that is of no call, and what follows from it."""
    data = event["data"]
    match event["type"]:
        case "operator.wrap_up_ended" if number % 5 == 0:
            return
        case "operator.wrap_up_started" if number % 3 == 0:
            yield _like(event, 0, event["type"], **data, seconds=12.5)
            return
        case "operator.resumed" if number % 4 == 0:
            return
        case "ticket.opened" if number % 7 == 0:
            yield _like(event, 0, event["type"], **data | {"category": "Hewan_Lepas"})
            return
        case "ticket.sent" if number % 2 == 0:
            yield event
            beside = {"ticket": data["ticket"], "opd": data["opd"], "rung": "7m", "since": event["time"]}
            yield _like(event, 7 * MINUTE, "ticket.reminder_due", **beside, due=_written(moment(event["time"]) + 7 * MINUTE))
            if number % 4 == 0:
                yield _like(event, 8 * MINUTE, "ticket.reminder_accepted", **beside)
            return
        case "weather.warned":
            yield event
            yield _like(event, 45 * MINUTE, "weather.cancelled", warning=data["warning"])
            again = data | {"warning": f"{data['warning']}-2", "severity": "Severe", "onset": event["time"]}
            yield _like(event, MINUTE, event["type"], **again | {"expires": _written(moment(event["time"]) + 30 * HOUR)})
            return
        case "gauge.read":
            if number % 11 < 4:
                yield _like(
                    event, SECOND, event["type"], **data | {"level_centimetres": data["level_centimetres"] + number % 190}
                )
            if number % 400 > 200:
                return
        case "survey.answered":
            left_open = {item: score for item, score in data["scores"].items() if (number + len(item) + score) % 5}
            yield _like(event, 0, event["type"], scores=left_open or data["scores"])
            yield _like(event, 1, event["type"], scores={f"u{item}": 1 + (number + item) % 4 for item in range(1, 10)})
            return
    yield event


def _decisions(events: list[Event]) -> Iterator[Event]:
    """What a person decides about callers with pranks, and whom the centre calls back."""
    callers = {
        (event["source"], event["data"]["call"]): event["data"]["caller"]
        for event in events
        if event["type"] == "call.offered" and "caller" in event["data"]
    }
    pranks: Counter[str] = Counter()
    for number, event in enumerate(sorted(events, key=lambda event: moment(event["time"]))):
        caller = callers.get((event["source"], event["data"].get("call", "")), "")
        if not caller:
            continue
        if event["type"] == "call.abandoned" and number % 3 == 0:
            yield _like(event, 10 * MINUTE, "caller.contacted", caller=caller)
        if event["type"] != "call.classified" or event["data"]["class"] != "prank":
            continue
        pranks[caller] += 1
        if pranks[caller] % 3 == 0:
            role = {"caller": caller, "by": "supervisor-1"}
            if number % 3 == 0:
                yield _like(event, HOUR, "caller.block_declined", **role, stage="24h")
            elif number % 3 == 1:
                ends = _written(moment(event["time"]) + 25 * HOUR)
                yield _like(event, HOUR, "caller.block_approved", **role, stage="24h", expires=ends)
                if number % 2:
                    yield _like(event, 3 * HOUR, "caller.block_lifted", **role)


def _links(start: int) -> Iterator[Event]:
    """A link that flaps for a while every day, and one that loses its registration again and again."""
    for day in range(7):
        at = start + day * DAY + 10 * HOUR
        for turn in range(8):
            yield _new("probe-2", at + turn * 130 * SECOND, f"link.{'up' if turn % 2 else 'down'}", link="sip-indosat")
        for turn in range(3):
            yield _new("probe-2", at + turn * HOUR, "link.unregistered", link="sip-telkom")
        yield _new("probe-2", at + 5 * HOUR, "link.registered", link="sip-telkom")


def _seats(start: int) -> Iterator[Event]:
    """A seat that nobody named, which is there for an hour a day, and pauses in one of its queues and in both."""
    for day in range(7):
        at = start + day * DAY + 11 * HOUR
        seat = {"seat": "cadangan"}
        yield _new("pbx-2", at, "operator.logged_in", **seat, queue="112")
        yield _new("pbx-2", at + MINUTE, "operator.logged_in", **seat, queue="rujukan")
        yield _new("pbx-2", at + 10 * MINUTE, "operator.paused", **seat, queue="112", reason="Shalat")
        yield _new("pbx-2", at + 20 * MINUTE, "operator.paused", **seat, queue="rujukan", reason="bosan")
        yield _new("pbx-2", at + 30 * MINUTE, "operator.resumed", **seat, queue="112")
        yield _new("pbx-2", at + 40 * MINUTE, "operator.paused", **seat)
        yield _new("pbx-2", at + 50 * MINUTE, "operator.logged_out", **seat, queue="112")
        yield _new("pbx-2", at + HOUR, "operator.logged_out", **seat)


def _like(event: Event, after: int, kind: str, /, **data: Any) -> Event:
    """Another event of the same source so long after."""
    time = moment(event["time"]) + after
    return event | {"id": f"{event['id']}-{kind}-{after}", "type": kind, "time": _written(time), "data": data}


def _new(system: str, time: int, kind: str, /, **data: Any) -> Event:
    """An event of a system that the week did not have."""
    beside = {"specversion": "1.0", "source": f"/32.71/{system}", "subject": "32.71", "time": _written(time)}
    return beside | {"id": f"{kind}-{time}", "type": kind, "data": data}


def _written(time: int) -> str:
    return (EPOCH + timedelta(microseconds=time)).isoformat()
