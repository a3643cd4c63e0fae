"""What was put aside is counted once, shown without anything personal, and sent again so that it counts once."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from schemas.calls import CallOffered
from schemas.event import Event
from schemas.topics import CALLS, DEAD_LETTERS, EVENT_TYPES, OPERATORS, SENT_AGAIN, Reason, decode, encode
from streams.cli import app
from streams.log import dead_letters, reader
from streams.log import kafka as log
from streams.log.dead_letters import TODO, Letter, Sending, again, came_back, counted, letters, moved, parse_origin, shown
from streams.log.kafka import Log
from streams.log.reader import Reader, Record
from streams.settings import Settings
from tests.builders import START, offered, pseudonym_of
from tests.conftest import RealKafka
from tests.hostile import PERSON, PHONE

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"
FAST = timedelta(minutes=57)
NOW = START.timestamp()


def headers(offset: int, reason: str, times: int = 0, topic: str = CALLS.name) -> list[tuple[str, bytes]]:
    """As the worker writes them."""
    said = {"topic": f"x.{topic}", "partition": 3, "offset": offset, "timestamp": int(NOW * 1000) - 5}
    found = [(f"dlq_original_{name}", str(value).encode()) for name, value in said.items()]
    found += [("dlq_reason", reason.encode()), ("dlq_detail", b"field data.queue: missing")]
    return [*found, (SENT_AGAIN, b"%d" % times)] if times else found


def record(offset: int, value: bytes | None, reason: str = "in_the_future", times: int = 0, after: float = 0.0) -> Record:
    """What the log reads: a letter about the record at this offset, put aside so long after NOW."""
    item = decode(value)
    return Record(DEAD_LETTERS.name, 0, 7, NOW + after, b"32.71", value, item, NOW, headers(offset, reason, times))


def read(*records: Record) -> list[Letter]:
    return list(letters(records, "x."))


def test_a_letter_that_a_crash_has_put_aside_twice_is_one_letter() -> None:
    found = read(record(4, b"{", "not_json"), record(5, b"{", "not_json", after=9), record(4, b"{", "not_json", after=60))

    assert [str(letter.origin) for letter in found] == ["112.calls.v1/3/4", "112.calls.v1/3/5"]
    assert found[0].written == NOW - 0.005
    ((kind, count),) = counted(found).items()
    assert kind == (CALLS.name, "not_json", "32.71")
    assert (count.letters, count.first, count.last) == (2, NOW, NOW + 9)


def test_what_another_program_has_put_there_is_named_by_its_own_place_and_says_nothing_of_its_own() -> None:
    foreign = Record(DEAD_LETTERS.name, 2, 9, NOW, PERSON.encode(), b"?", decode(b"?"), NOW, [("dlq_reason", PERSON.encode())])
    [letter] = read(foreign)

    assert str(letter.origin) == f"{DEAD_LETTERS.name}/2/9"
    assert (letter.reason, letter.centre) == ("unknown", "")
    assert PERSON not in letter.detail


def test_every_reason_has_something_that_helps() -> None:
    assert set(TODO) == set(Reason.__args__)  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", ["112.calls.v1/3/4", "x/0/0"])
def test_an_origin_is_read_as_it_is_written(text: str) -> None:
    assert str(parse_origin(text)) == text


@pytest.mark.parametrize("text", ["", "112.calls.v1/3", "112.calls.v1/-1/3", "a b/1/2"])
def test_what_is_no_origin_is_none(text: str) -> None:
    assert parse_origin(text) is None


# What may be shown


def test_codes_times_numbers_and_words_of_the_schema_are_shown() -> None:
    told = json.loads((EXAMPLES / "link.measured.json").read_text())
    said = dict(shown(json.dumps(told).encode()))

    assert said["type"] == "link.measured"
    assert said["subject"] == told["subject"]
    assert said["time"] == told["time"]
    assert said["data.link"] == told["data"]["link"]
    assert said["data.mos"] == str(told["data"]["mos"])


@pytest.mark.parametrize("kind", sorted(EVENT_TYPES))
@pytest.mark.parametrize("mark", [PERSON, PHONE, f"+{PHONE}", "0812-3456-7890", {"name": PERSON}, [PHONE], int(PHONE)])
def test_no_name_and_no_number_of_anybody_is_shown_whatever_field_it_is_in(kind: str, mark: Any) -> None:
    told = json.loads((EXAMPLES / f"{kind}.json").read_text())
    places = [told, told["data"]]
    for place in places:
        for field in [*place, "caller_name", PERSON]:
            if field == "data":
                continue
            before, place[field] = place.get(field), mark
            said = "\n".join(f"{name} {text}" for name, text in shown(json.dumps(told).encode()))
            for secret in (*PERSON.split(), PHONE[1:], "0812-3456-7890"):
                assert secret not in said, field
            place[field] = before


def test_a_caller_is_not_shown_even_as_a_pseudonym() -> None:
    said = dict(shown(encode(offered("c1", 0, caller="a child"))))
    assert said["data.caller"] == "a caller"
    assert pseudonym_of("a child") not in str(said)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, {"bytes": "none"}),
        (b"\xff\xfe" + PERSON.encode(), {"content": "no JSON"}),
        (f'"{PERSON}"'.encode(), {"content": "JSON, but no object"}),
        (b"[" * 100_000, {"content": "no JSON"}),
        (f'{{"type": "{PERSON}", "data": {{"{PERSON}": 1}}}}'.encode(), {"type": "a type that this version does not know"}),
        (b'{"type": ["call.offered"], "data": 3}', {"type": "a type that this version does not know"}),
        (b'{"type": "call.offered", "data": {"a": 1, "b": 2}}', {"data.*": "2 more, which the schema does not know"}),
        (b'{"type": "call.offered", "data": {}}', {"data.call": "missing", "time": "missing"}),
        (b'{"type": "call.offered", "data": null}', {"data": "no object"}),
    ],
)
def test_what_cannot_be_read_is_described_and_not_quoted(value: bytes | None, said: dict[str, str]) -> None:
    found = dict(shown(value))
    assert said.items() <= found.items()
    assert PERSON not in str(found)


# Sending again


def sendable(*found: Letter, by: timedelta = timedelta(), insist: bool = False) -> tuple[list[tuple[Event, int]], Sending]:
    sending = Sending()
    return list(again(found, by, came_back(found), sending, insist=insist)), sending


@pytest.mark.parametrize("kind", sorted(EVENT_TYPES))
def test_all_times_of_an_event_are_moved_and_nothing_else(kind: str) -> None:
    told = json.loads((EXAMPLES / f"{kind}.json").read_text())
    event = moved(json.dumps(told | {"note": PERSON}).encode(), -FAST)
    assert isinstance(event, Event)
    back = moved(encode(event), FAST)
    assert isinstance(back, Event)

    assert encode(back) == encode(decode(json.dumps(told).encode()))  # type: ignore[arg-type]
    before, after = json.loads(encode(back)), json.loads(encode(event))
    for old, new in ((before, after), (before["data"], after["data"])):
        for name, value in old.items():
            if isinstance(value, str) and value[10:11] == "T":
                assert datetime.fromisoformat(value) - datetime.fromisoformat(new[name]) == FAST
            elif name != "data":
                assert new[name] == value


def test_a_shift_beyond_the_calendar_is_refused() -> None:
    assert not isinstance(moved(encode(offered("c1", 0)), timedelta(days=4_000_000)), Event)


def test_what_is_sent_however_often_and_however_shifted_keeps_its_name_so_that_it_counts_once() -> None:
    letter = read(record(4, encode(offered("c1", 0))))
    ids = {event.id for by in (timedelta(), FAST, -FAST) for event, _ in sendable(*letter, by=by)[0]}
    assert ids == {offered("c1", 0).id}


def test_the_same_event_in_two_letters_is_sent_once_and_what_cannot_be_read_is_left_with_its_reason() -> None:
    event = encode(offered("c1", 0))
    found = read(record(4, event), record(5, event), record(6, b"{", "not_json"), record(7, None, "empty"))
    events, sending = sendable(*found)

    assert [times for _, times in events] == [1]
    assert sending.left == {"the same event as another letter": 1, "cannot be read (not_json)": 1, "cannot be read (empty)": 1}


def test_what_came_back_is_not_sent_again_and_again_unless_somebody_insists() -> None:
    event = encode(offered("c1", 0))
    found = read(record(4, event, "not_folded"), record(9, event, "not_folded", times=1))

    events, sending = sendable(*found)
    assert events == []
    assert sending.left["came back when it was sent again (not_folded)"] == 1
    events, _ = sendable(*found, insist=True)
    assert [times for _, times in events] == [2]


class Shelf:
    """A log in memory, as the verbs use it."""

    def __init__(self, *records: Record) -> None:
        self.records, self.sent = records, list[tuple[Event, list[tuple[str, bytes]]]]()

    def __call__(self, _: Settings) -> "Shelf":
        return self

    def __enter__(self) -> "Shelf":
        return self

    def __exit__(self, *_: object) -> None: ...

    def letters(self, watch: object = None) -> Iterator[Record]:
        yield from self.records

    def send(self, event: Event, headers: list[tuple[str, bytes]]) -> None:
        self.sent.append((event, headers))

    def flush(self) -> None: ...


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setenv("PANTAU112_TOPIC_PREFIX", "x.")
    event = encode(offered("c1", 57 * 60))
    mark = f'{{"type": "call.offered", "data": {{"queue": "{PERSON}", "phone": "{PHONE}"}}}}'.encode()
    made = Shelf(record(4, event), record(5, mark, "invalid_data", after=60), record(6, b"{", "not_json", after=61))
    monkeypatch.setattr(log, "Log", made)
    monkeypatch.setattr(reader, "Reader", made)
    return made


def run(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["dead-letters", *words])
    assert done.exit_code == code, done.output
    assert PERSON not in done.output
    assert PHONE not in done.output
    return done.stdout


@pytest.mark.usefixtures("shelf")
def test_list_says_every_letter_and_then_how_many_there_are_of_each_kind() -> None:
    rows, counts = run("list").split("\n\n")
    assert [row.split("\t")[0] for row in rows.splitlines()[1:]] == [f"112.calls.v1/3/{n}" for n in (4, 5, 6)]
    assert {tuple(row.split("\t")[:4]) for row in counts.splitlines()[1:]} == {
        ("1", CALLS.name, reason, "32.71") for reason in ("in_the_future", "invalid_data", "not_json")
    }
    assert len(run("list", "--reason", "not_json").split("\n\n")[0].splitlines()) == 2


@pytest.mark.usefixtures("shelf")
def test_show_says_why_what_helps_and_what_may_be_shown() -> None:
    said = run("show", "112.calls.v1/3/5")
    assert "reason\tinvalid_data" in said
    assert f"do\t{TODO['invalid_data']}" in said
    assert "data.queue\tnot what the schema asks for" in said
    assert "data.*\t1 more, which the schema does not know" in said
    run("show", "112.calls.v1/3/99", code=1)


def test_send_moves_the_clock_and_says_what_it_left(shelf: Shelf) -> None:
    said = run("send", "--all", "--shift", "-57m")
    [(event, header)] = shelf.sent
    assert isinstance(event, CallOffered)
    assert event.time == START
    assert header == [(SENT_AGAIN, b"1")]
    assert "1\tcall.offered\tsent" in said
    assert "1\t\tleft: cannot be read (not_json)" in said


def test_send_sends_only_what_was_named_and_nothing_on_a_dry_run(shelf: Shelf) -> None:
    assert "would be sent" in run("send", "112.calls.v1/3/4", "--dry-run")
    assert shelf.sent == []
    run("send", "--reason", "not_json", code=1)
    assert shelf.sent == []
    run("send", "112.calls.v1/3/4")
    assert len(shelf.sent) == 1


@pytest.mark.parametrize(
    "words",
    [("send",), ("send", "--all", "--shift", "soon"), ("send", "--reason", "because"), ("show", "1"), ("list", "--reason", "")],
)
@pytest.mark.usefixtures("shelf")
def test_a_wish_that_is_not_clear_is_wrong_usage(words: tuple[str, ...]) -> None:
    run(*words, code=2)


@pytest.mark.stack
def test_on_a_real_broker_letters_are_read_by_when_they_were_put_aside_and_sent_with_the_right_key(kafka: RealKafka) -> None:
    from kafka import KafkaProducer

    settings = Settings(bootstrap=kafka.bootstrap, topic_prefix="letters.", app_id="letters")
    event, begin = offered("c1", 0), datetime.now(UTC)
    with Log(settings) as opened:
        opened.create_topics(3)
        producer = KafkaProducer(bootstrap_servers=kafka.bootstrap)
        for offset, value in enumerate([encode(event), b"{", encode(event)]):
            producer.send(
                "letters." + DEAD_LETTERS.name, value, b"wrong", headers=headers(offset, "not_json", topic=OPERATORS.name)
            )
        producer.close()
        found = list(dead_letters.letters(Reader(settings).letters(begin), "letters."))
        assert sorted(letter.origin.offset for letter in found) == [0, 1, 2]
        assert list(Reader(settings).letters(datetime.now(UTC) + timedelta(hours=1))) == []
        for again_, times in again(found, timedelta(), {}, Sending(), insist=False):
            opened.send(again_, [(SENT_AGAIN, b"%d" % times)])
        opened.flush()
        [sent] = Reader(settings).read([CALLS.name])
    assert sent.item == event
    assert sent.key == b"32.71"
    assert (SENT_AGAIN, b"1") in sent.headers
