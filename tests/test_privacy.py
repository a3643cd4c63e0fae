"""Nothing personal: numbers, names and addresses that a source puts beside its facts go no further than the record itself."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter

from schemas.event import Event
from schemas.topics import EVENT_TYPES, TOPIC_OF, TOPICS, Refusal, decode, encode
from streams.core import calls
from streams.worker import advisor, reminder
from streams.worker.exposition import exposition
from tests.builders import START, classified, fold, offered, readings, spoken
from tests.dashboards.names import RULES, exported
from tests.hostile import PERSON, PHONE
from tests.receiver import Receiver
from tests.worker.test_advisor import World, fire

ADDRESS = "Jalan Rahasia 7"
MARKS = (PHONE, ADDRESS, *PERSON.split())
BESIDE = {"name": PERSON, "phone": PHONE, "address": ADDRESS, "note": f"{PERSON}, {ADDRESS}, {PHONE}", "who": {"names": [PERSON]}}
"""What a careless source sends along. Unknown fields are passed over, so nothing of it may be seen again."""

EXAMPLES = Path(__file__).parents[1] / "schemas" / "examples"


def marked(event: Event) -> bytes:
    """The event as a careless source would write it."""
    told: dict[str, Any] = json.loads(encode(event))
    return json.dumps({**BESIDE, **told, "data": {**BESIDE, **told["data"]}}).encode()


def clean(text: str) -> bool:
    return not any(mark.lower() in text.lower() for mark in MARKS)


@pytest.mark.parametrize("kind", sorted(EVENT_TYPES))
def test_what_a_source_adds_to_an_event_is_not_part_of_it(kind: str) -> None:
    told = json.loads((EXAMPLES / f"{kind}.json").read_text())
    event = decode(json.dumps({**BESIDE, **told, "data": {**BESIDE, **told["data"]}}).encode())

    assert isinstance(event, Event)
    assert clean(encode(event).decode() + repr(event))


@pytest.mark.parametrize("kind", sorted(EVENT_TYPES))
def test_a_name_or_an_address_is_refused_in_every_field_and_not_repeated(kind: str) -> None:
    told = json.loads((EXAMPLES / f"{kind}.json").read_text())
    for field in told["data"].keys() - {"class"}:  # a centre's own words: readers make codes of them, and a fold keeps none
        for mark in (PERSON, ADDRESS, f"+{PHONE}"):
            refused = decode(json.dumps({**told, "data": {**told["data"], field: mark}}).encode())
            assert isinstance(refused, Refusal), field
            assert clean(refused.detail)


def test_nothing_of_a_class_that_is_no_word_for_one_stays() -> None:
    events = [offered("c1", 0), *(classified("c1", n, mark) for n, mark in enumerate((PERSON, ADDRESS, f"+{PHONE}")))]
    state = fold(events)

    assert clean(TypeAdapter(calls.State).dump_json(state).decode() + repr(readings(state, 9)))


def test_a_callers_number_is_refused_where_a_pseudonym_belongs() -> None:
    told = json.loads((EXAMPLES / "call.offered.json").read_text())
    refused = decode(json.dumps({**told, "data": {**told["data"], "caller": PHONE}}).encode())

    assert isinstance(refused, Refusal)
    assert clean(refused.detail)


def test_states_metrics_reminders_advice_and_logs_of_marked_events_of_every_noun_hold_nothing_of_the_marks(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(reminder, "LONGEST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(advisor, "LOOK_SECONDS", 0.01)
    caplog.set_level(logging.DEBUG)
    pranks = [event for hour in range(3) for event in spoken(f"p{hour}", 60.0 * hour, "a child", "prank")]
    with Receiver() as receiver:
        world = World(receiver.url)
        for kind in sorted(EVENT_TYPES):
            if not kind.startswith(("ticket.reminder", "caller.")):
                told = json.loads((EXAMPLES / f"{kind}.json").read_text()) | {"time": START.isoformat(), "id": f"example-{kind}"}
                world.hear(json.dumps({**BESIDE, **told, "data": {**BESIDE, **told["data"]}}).encode())
        for event in (*pranks, *fire(), offered("waits", 200)):
            world.hear(marked(event))
        world.now = 7 * 60 + 1
        world.look(lambda: world.said("ticket.reminder_accepted") and world.said("caller.block_recommended"))
        sent = json.dumps(receiver.messages)

    page = "".join(exposition(world.monitor, world.wall()))
    nouns = {topic.noun for topic in TOPICS if world.log[topic.name]}
    states = b"".join(blob for topic in TOPICS for _, blob in world.monitor.dirty(topic.name, 0)).decode()
    advice = "".join(repr(event) for kind in ("ticket.reminder_due", "caller.block_recommended") for event in world.said(kind))
    assert nouns == {topic.noun for topic in TOPIC_OF.values()}
    assert len(states) > 1000
    assert "t1" in sent
    for text in (page, states, sent, advice, caplog.text):
        assert clean(text)


def test_an_alert_can_only_say_what_is_a_label() -> None:
    """So that what the metrics do not hold no page, e-mail or message holds."""
    labels = set().union(*exported().values()) | {"alertname", "severity"}
    for file in RULES:
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                for text in rule.get("annotations", {}).values():
                    for part in str(text).split("$labels.")[1:]:
                        name = part.split(" ")[0].split("}")[0]
                        assert name in labels, f"{rule['alert']}: {name}"
    assert not labels & {"caller", "call", "ticket", "number", "phone", "operator"}
