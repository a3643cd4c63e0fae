"""Marked people go in by every inlet there is, and come out nowhere: as no event, in no file, state, figure, answer or log."""

import asyncio
import inspect
import json
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import pytest
import typer
from pydantic import TypeAdapter
from typer.testing import CliRunner

import streams.cli
from schemas.event import Event
from schemas.topics import TOPIC_OF, TOPICS, decode, encode
from streams.core.nouns import NOUNS
from streams.edge import gateway as gateway_room
from streams.edge import pace
from streams.edge.ami import AmiCollector, AmiConfig
from streams.edge.config import Kinds
from streams.edge.follow import FollowConfig
from streams.edge.inbox import Keeper, SpoolInbox
from streams.edge.poll import PollConfig
from streams.edge.probe import ProbeConfig
from streams.edge.spool import Spool
from streams.sources.door import Door
from streams.sources.pseudonym import keyed
from tests.builders import BOGOR
from tests.conftest import HANG
from tests.edge.fake_exchange import SECRET, USER, Conversation, booted, exchange
from tests.edge.gateway.served import served
from tests.edge.test_poll import serving
from tests.hostile import PERSON, PHONE
from tests.sources.recording_a import CENTRE
from tests.sources.test_ami import GIVES_UP, SEAT_GONE, TALKS
from tests.sources.test_cap import ALERT
from tests.test_privacy import ADDRESS, BESIDE, EXAMPLES

KEY = "a8c1f03e5b7d29460f6b3a9ce1d27485"
NUMBER = PHONE.lstrip("0")
SPELT = (PHONE, f"+62{NUMBER}", f"62-{NUMBER[:3]}-{NUMBER[3:]}", f"0{NUMBER[:3]} {NUMBER[3:7]} {NUMBER[7:]}")
"""One number as four people write it."""

Out = list[str]
Inlet = Callable[[Path, pytest.MonkeyPatch], Out]
INLETS: dict[str, Inlet] = {}
"""By name, what puts marked data in, and returns all that was said to somebody; files are found where it wrote them."""


def inlet(*names: str) -> Callable[[Inlet], Inlet]:
    def note(function: Inlet) -> Inlet:
        INLETS.update(dict.fromkeys(names, function))
        return function

    return note


def marks(text: str) -> list[str]:
    """Where somebody marked is in a text, however the number is spelt."""
    plain = re.sub(r"(?<=[0-9])[ .()+-]+(?=[0-9])", "", text)
    return re.findall(rf".{{0,60}}(?:{NUMBER}|rahasia|\bsiti\b).{{0,60}}", plain, re.IGNORECASE)


def inlets() -> set[str]:
    """Every inlet that the code has."""
    verbs = {name for name, reads in commands(streams.cli.app) if name.startswith("ingest ") or {"EVENTS", "SOURCE", "A"} & reads}
    folder = Path(str(gateway_room.__file__)).parent
    routes = {f"gateway {path}" for file in folder.glob("*.py") for path in re.findall(r'web\.post\("([^"]+)"', file.read_text())}
    kinds = {f"edge {kind}" for kind in Kinds.model_fields} - {"edge poll"}
    polls = {f"edge poll {kind}" for kind in get_args(PollConfig.model_fields["kind"].annotation)}
    decided = {"callers decide" for name, reads in commands(streams.cli.app) if "CALLER" in reads or name == "callers erase"}
    return verbs | decided | routes | kinds | polls | {f"topic {topic.name}" for topic in TOPICS}


def commands(app: typer.Typer, group: str = "") -> Iterator[tuple[str, set[str]]]:
    """Every verb, and what its arguments are called."""
    for command in app.registered_commands:
        assert command.callback is not None
        said = inspect.signature(command.callback, eval_str=True).parameters.values()
        reads = {str(part.annotation.__metadata__[0].metavar) for part in said if get_origin(part.annotation) is Annotated}
        name = command.name or command.callback.__name__.rstrip("_")
        yield f"{group}{name}", reads
    for sub in app.registered_groups:
        assert sub.typer_instance is not None
        yield from commands(sub.typer_instance, f"{group}{sub.name} ")


UNMARKED = {
    "ingest simulate": "reads nothing",
    "replay record": "reads topics alone, which lie behind every door",
    "replay serve": "does not end, and says of the same events what measure does",
    "up": "has --history read and written by the verb backfill, and --feed read by replay serve",
}


# --- what comes out


def figures(events: Sequence[Event]) -> str:
    """The states of these events, and what they say."""
    text = ""
    for noun, module in NOUNS.items():
        state = module.State()
        ours = [event for event in events if TOPIC_OF[event.type].noun == noun]
        for event in ours:
            module.step(state, event, event.time.timestamp(), BOGOR)
        text += TypeAdapter(module.State).dump_json(state).decode()
        if noun == "calls" and ours:
            text += repr(list(module.measure(state, ours[-1].time.timestamp() + 1, BOGOR)))
    return text


def door(tmp_path: Path, centre: Any = BOGOR) -> Door:
    file = tmp_path / "in" / "key"
    return Door(keyed(file.read_bytes()) if file.exists() else None, [centre])


def run(*arguments: str | Path, given: str | None = None) -> Out:
    """What a verb says to whoever ran it."""
    result = CliRunner().invoke(streams.cli.app, list(map(str, arguments)), input=given)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        assert type(result.exception).__name__ != "TypeError", result.exception
    return [result.output, "" if result.exception is None else f"pantau112: {result.exception}"]


# --- files


def queue_log(tmp_path: Path) -> Path:
    """What an exchange writes of people, where it should and where it should not."""
    lines = []
    for n, number in enumerate(SPELT):
        at, call = 1_732_500_000 + 100 * n, f"17325000{n:02d}.1"
        lines += [
            f"{at}|{call}|112|NONE|ENTERQUEUE|{ADDRESS}|{number}|1",
            f"{at + 1}|{call}|112|{PERSON}|RINGNOANSWER|1000",
            f"{at + 5}|{call}|112|{PERSON}|CONNECT|5|{call}|4",
            f"{at + 30}|{call}|112|{PERSON}|CALLSTATUS|{PERSON} {ADDRESS}",
            f"{at + 40}|{call}|112|{PERSON}|BLINDTRANSFER|{number}|default|5|30|1",
            f"{at + 41}|{call}|112|{PERSON}|ATTENDEDTRANSFER|LINK|{number}|{PERSON}|5|30|1",
            f"{at + 42}|{call}|112|{PERSON}|COMPLETEAGENT|5|30|1",
            f"{at + 43}|NONE|112|{PERSON}|PAUSE|{PERSON} sakit di {ADDRESS}",
            f"{at + 44}|NONE|{PERSON}|SIP/{number}|ADDMEMBER|PAUSED",
            f"{at + 45}|{number}|{number}|{number}|ENTERQUEUE||{number}|1",
            # None of these can be read.
            f"{number}|{call}|112|{PERSON}|CONNECT|x",
            f"{at}|{call}|112|{PERSON}",
            f"{at}|{call}|112|{PERSON}|{PERSON}|{number}",
            f"{PERSON}, {ADDRESS}, {number}",
            f"{at}|{call}||{PERSON}|ENTERQUEUE||{number}",
        ]
    file = tmp_path / "in" / "queue_log"
    file.write_text("\n".join(lines) + "\n")
    return file


def events_file(tmp_path: Path) -> Path:
    """Events with people beside their facts, and lines that are none."""
    told = [json.loads(path.read_text()) for path in sorted(EXAMPLES.glob("*.json"))]
    lines = [json.dumps(BESIDE | event | {"data": BESIDE | event["data"]}) for event in told]
    lines += [json.dumps(event | {"data": event["data"] | {name: PERSON}}) for event in told for name in event["data"]]
    lines += [json.dumps(event | {name: f"{PERSON} {PHONE}"}) for event in told[:3] for name in event]
    lines += [f'{{"name": "{PERSON}", {PHONE}', json.dumps([PERSON]), json.dumps(PHONE)]
    file = tmp_path / "in" / "events.jsonl"
    file.write_text("\n".join(lines) + "\n")
    return file


@inlet("ingest asterisk")
def _(tmp_path: Path, _: pytest.MonkeyPatch) -> Out:
    return run("ingest", "asterisk", queue_log(tmp_path), "--to", tmp_path / "out" / "events.jsonl")


def ami_text() -> str:
    people = f"CallerIDName: {PERSON}\r\nConnectedLineName: {PERSON}\r\nAccountCode: {ADDRESS}\r\nVariable: NAMA={PERSON}\r\n"
    text = (TALKS + GIVES_UP + SEAT_GONE).replace("Siti Aminah", PERSON).replace("\r\n\r\n", f"\r\n{people}\r\n")
    text = re.sub(r"CallerIDNum: \d+", f"CallerIDNum: {PHONE}", text)
    pause = f"Event: QueueMemberPause\r\nTimestamp: 1795720030.0\r\nQueue: {PERSON}\r\nMemberName: {PERSON}\r\n"
    pause += f"Interface: SIP/{PHONE}\r\nPaused: 1\r\nPausedReason: {PERSON} {ADDRESS}\r\n\r\n"
    broken = f"Event: {PERSON}\r\n{PHONE}\r\n\r\nEvent: QueueCallerJoin\r\nTimestamp: {PHONE}x\r\nUniqueid: {PERSON}\r\n\r\n"
    return text + pause + broken


@inlet("ingest ami")
def _(tmp_path: Path, _: pytest.MonkeyPatch) -> Out:
    (tmp_path / "in" / "ami.txt").write_bytes(ami_text().encode())
    return run("ingest", "ami", tmp_path / "in" / "ami.txt", "--to", tmp_path / "out" / "events.jsonl")


TABLE = """SELECT 'call.offered' AS type, masuk AS time, nomor AS call, '112' AS queue, telepon AS caller FROM calls
UNION ALL BY NAME SELECT 'call.answered' AS type, masuk AS time, nomor AS call, petugas AS seat FROM calls
UNION ALL BY NAME SELECT 'call.classified' AS type, masuk AS time, nomor AS call, catatan AS class FROM calls
UNION ALL BY NAME SELECT 'operator.paused' AS type, masuk AS time, petugas AS seat, catatan AS reason FROM calls"""


@inlet("ingest table")
def _(tmp_path: Path, _: pytest.MonkeyPatch) -> Out:
    rows = [f"2026-01-05 08:00:{n:02d},P-{n},{number},{PERSON},{PERSON} {ADDRESS}" for n, number in enumerate(SPELT)]
    rows += [f"{PERSON},{PHONE},{PHONE},{PHONE},{ADDRESS}", f"2026-01-05 08:01:00,{PERSON},{PERSON},,", f'"{PERSON},{PHONE}']
    table, sql = tmp_path / "in" / "calls.csv", tmp_path / "in" / "calls.sql"
    table.write_text("masuk,nomor,telepon,petugas,catatan\n" + "\n".join(rows) + "\n")
    queries = [
        TABLE,
        # What a database says of a cell that it cannot read quotes it.
        *(
            f"SELECT 'call.offered' AS type, masuk AS time, {wrong} AS call, '112' AS queue FROM calls"
            for wrong in (
                "CAST(petugas AS INTEGER)",
                "CAST(telepon AS DATE)",
                "strptime(catatan, '%Y')",
                "error(petugas)",
                "telepon::INET",
            )
        ),
        "SELECT petugas AS type, masuk AS time FROM calls",
        "SELECT 'call.answered' AS type, masuk AS time, petugas AS call, petugas AS source, telepon AS id FROM calls",
        "SELECT 'ticket.opened' AS type, masuk AS time, petugas AS ticket, catatan AS category, petugas AS opd FROM calls",
        "SELECT 'link.up' AS type, masuk AS time, petugas AS link FROM calls",
    ]
    said = []
    for n, query in enumerate(queries):
        sql.write_text(query)
        said += run("ingest", "table", table, "--sql", sql, "--to", tmp_path / "out" / f"{n}.jsonl")
    as_json = tmp_path / "in" / "calls.json"
    as_json.write_text(
        json.dumps([{"masuk": "2026-01-05 08:00:00", "nomor": "P-1", "telepon": PHONE, "petugas": PERSON, "catatan": ADDRESS}])
    )
    sql.write_text(TABLE)
    return said + run("ingest", "table", as_json, "--sql", sql, "--to", tmp_path / "out" / "json.jsonl")


def cap_alerts() -> list[str]:
    people = ("headline", "description", "contact", "senderName", "event", "areaDesc")
    alert = ALERT
    for name in people:
        alert = re.sub(rf"<{name}>[^<]*</{name}>", f"<{name}>{PERSON} {ADDRESS} {PHONE}</{name}>", alert)
    broken = [
        ALERT.replace(f"<{name}>", f"<{name}>{PERSON}{PHONE}")
        for name in ("sent", "severity", "expires", "identifier", "polygon")
    ]
    return [alert, *broken, alert[:700], f"<alert>{PERSON}", f"{PERSON} {PHONE}"]


@inlet("ingest cap")
def _(tmp_path: Path, _: pytest.MonkeyPatch) -> Out:
    said = []
    for n, alert in enumerate(cap_alerts()):
        (tmp_path / "in" / f"{n}.xml").write_text(alert)
        said += run("ingest", "cap", tmp_path / "in" / f"{n}.xml", "--to", tmp_path / "out" / f"{n}.jsonl")
    return said


# --- what stands at a centre


def collect(tmp_path: Path, collector: Any, enough: Callable[[Spool], bool]) -> None:
    """Let a collector fill a spool on the disk."""

    async def run() -> None:
        spool = Spool(tmp_path / "out" / "spool.db", 10**7)
        keeper = Keeper(spool, door(tmp_path))
        inbox = SpoolInbox(keeper, collector.name, collector.rereads)
        task = asyncio.create_task(collector.run(inbox))
        try:
            async with asyncio.timeout(HANG):
                while not task.done() and not await keeper.do(enough, spool):  # noqa: ASYNC110, a spool tells nobody
                    await asyncio.sleep(0.01)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            batch = await keeper.do(spool.next, 10_000, 10**8)
            (tmp_path / "out" / "events.jsonl").write_bytes(b"\n".join(one.event for one in batch))
            keeper.close()

    asyncio.run(run())


@inlet("edge follow")
def _(tmp_path: Path, _: pytest.MonkeyPatch) -> Out:
    collector = FollowConfig(file=queue_log(tmp_path)).collector(BOGOR, door(tmp_path))
    collect(tmp_path, collector, lambda spool: spool.length > 8)
    return []


@inlet("edge ami")
def _(tmp_path: Path, _: pytest.MonkeyPatch) -> Out:
    secret = tmp_path / "in" / "secret"
    secret.write_text(SECRET)

    async def script(talk: Conversation) -> None:
        await talk.let_in()
        talk.say(booted() + booted())
        await talk.lists()
        talk.say(ami_text())
        talk.say(f"Response: Error\r\nMessage: {PERSON} {PHONE}\r\n\r\n")
        await talk.hang_on()

    async def run() -> None:
        async with exchange(script) as (port, _):
            collector = AmiCollector(AmiConfig(port=port, user=USER, secret_file=secret), CENTRE, door(tmp_path, CENTRE))
            await asyncio.to_thread(collect, tmp_path, collector, lambda spool: spool.length > 2)

    asyncio.run(run())
    return []


@inlet("edge probe")
def _(tmp_path: Path, _: pytest.MonkeyPatch) -> Out:
    class Chatty(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, address: Any) -> None:
            self.transport.sendto(
                f'SIP/2.0 200 {PERSON}\r\nContact: "{PERSON}" <sip:{PHONE}@x>\r\n\r\n{ADDRESS}'.encode(), address
            )
            self.transport.sendto(f"{PERSON} {PHONE}".encode(), address)

    async def run() -> None:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Chatty, ("127.0.0.1", 0))
        port = transport.get_extra_info("sockname")[1]
        config = ProbeConfig(links={CENTRE.links[0].code: f"sip:127.0.0.1:{port}"}, every_seconds=0.02, timeout_seconds=0.02)
        await asyncio.to_thread(collect, tmp_path, config.collector(CENTRE, door(tmp_path)), lambda spool: spool.length > 0)
        transport.close()

    asyncio.run(run())
    return []


def polled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, documents: dict[str, str], **said: Any) -> Out:
    class AtOnce(pace.Pace):
        async def wait(self) -> None:
            await asyncio.sleep(0)

    monkeypatch.setattr(pace, "of", lambda host: AtOnce())

    async def run() -> None:
        async with serving() as server:
            server.documents |= {path: text.replace("HOST", server.url).encode() for path, text in documents.items()}
            config = PollConfig.model_validate(
                {"name": "feed", "kind": kind, "url": f"{server.url}/list", "every_seconds": 0.05, **said}
            )
            poll: Any = config.collector(BOGOR, door(tmp_path))
            poll._pause = 0.001
            await asyncio.to_thread(collect, tmp_path, poll, lambda spool: server.paths().count("/list") > 2)

    asyncio.run(run())
    return []


@inlet("edge poll cap")
def _(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Out:
    alerts = cap_alerts()
    items = "".join(
        f"<item><title>{PERSON}</title><link>HOST/{n}</link><pubDate>{PERSON}</pubDate></item>" for n in range(len(alerts))
    )
    documents = {"/list": f'<rss version="2.0"><channel><title>{ADDRESS}</title>{items}</channel></rss>'}
    return polled(tmp_path, monkeypatch, "cap", documents | {f"/{n}": alert for n, alert in enumerate(alerts)})


@inlet("edge poll river")
def _(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Out:
    sql = tmp_path / "in" / "levels.sql"
    sql.write_text("SELECT 'gauge.read' AS type, waktu AS time, pos AS gauge, tinggi AS level_centimetres FROM rows")
    rows = [
        {"waktu": "2026-01-05T08:00:00+07:00", "pos": "katulampa", "tinggi": 80, "penjaga": PERSON, "telepon": PHONE},
        {"waktu": "2026-01-05T08:10:00+07:00", "pos": "katulampa", "tinggi": f"{PERSON} {PHONE}", "penjaga": PERSON},
        {"waktu": PERSON, "pos": PERSON, "tinggi": 80},
    ]
    return polled(tmp_path, monkeypatch, "river", {"/list": json.dumps(rows)}, sql=sql)


# --- the gateway


def posted(path: str, bodies: Sequence[tuple[str, bytes]], tmp_path: Path) -> Out:
    """What a gateway answers and measures when it is sent this, and what it wrote."""
    sql = tmp_path / "in" / "vendor.sql"
    sql.write_text(TABLE.replace("FROM calls", "FROM rows"))
    hooks = tmp_path / "in" / "hooks.toml"
    hooks.write_text('[hooks.vendor]\nsql = "vendor.sql"\ncentre = "32.71"\n')
    said = []
    with served(tmp_path / "in", hooks=hooks) as gateway:
        for kind, body in bodies:
            for where in (path, f"{path}?name={PERSON.replace(' ', '+')}&tel={PHONE}"):
                answer = gateway.ask(
                    "POST", where, body, Authorization=f"Bearer {gateway.token}", Content_Type=kind, X_Name=PERSON, From=PHONE
                )
                said.append(f"{answer.status} {answer.headers} {answer.text}")
        said.append(gateway.ask("POST", f"/v1/{PHONE}/{PERSON.replace(' ', '%20')}", b"").text)
        said.append(gateway.ask("GET", "/metrics").text)
        (tmp_path / "out" / "events.jsonl").write_bytes(b"\n".join(map(encode, gateway.log.written)))
    return said


@inlet("gateway /v1/events")
def _(tmp_path: Path, _: pytest.MonkeyPatch) -> Out:
    lines = [line.encode() for line in events_file(tmp_path).read_text().splitlines()]
    one, batch = "application/cloudevents+json", "application/cloudevents-batch+json"
    bodies = [(one, lines[0]), (one, lines[-1]), (batch, b"[" + b",".join(lines[:-3]) + b"]"), (batch, b"[" + b",".join(lines))]
    return posted("/v1/events", [*bodies, (PERSON, lines[0]), ("text/plain", PERSON.encode())], tmp_path)


@inlet("gateway /v1/hooks/{name}")
def _(tmp_path: Path, _: pytest.MonkeyPatch) -> Out:
    rows = [
        {
            "masuk": f"2026-01-05 08:00:0{n}",
            "nomor": f"P-{n}",
            "telepon": number,
            "petugas": PERSON,
            "catatan": f"{PERSON} {ADDRESS}",
        }
        for n, number in enumerate(SPELT)
    ]
    wrong = [{"masuk": PERSON, "nomor": PHONE, "telepon": PERSON, "petugas": PHONE, "catatan": ADDRESS}, {PERSON: PHONE}]
    bodies = [json.dumps(body).encode() for body in (rows, rows[0], wrong, PERSON)] + [f'{{"nama": {PERSON}'.encode()]
    return posted("/v1/hooks/vendor", [("application/json", body) for body in bodies], tmp_path)


@inlet("gateway /v1/tickets/{signed}", "gateway /v1/alarms/{signed}")
def _(tmp_path: Path, _: pytest.MonkeyPatch) -> Out:
    form = f"by={PERSON}&note={ADDRESS}&phone={PHONE}".replace(" ", "+").encode()
    bodies = [("application/x-www-form-urlencoded", form), ("text/plain", PERSON.encode())]
    signed = f"{PHONE}.{PERSON.replace(' ', '%20')}"
    return [text for page in ("tickets", "alarms") for text in posted(f"/v1/{page}/{signed}", bodies, tmp_path)]


# --- what is read again, and topics


@inlet(*(f"topic {topic.name}" for topic in TOPICS))
def _(tmp_path: Path, _: pytest.MonkeyPatch) -> Out:
    """As a worker decodes and folds records, whoever wrote them; `tests/test_privacy.py` walks one that runs."""
    items = [decode(line) for line in events_file(tmp_path).read_bytes().splitlines()]
    return [
        figures([item for item in items if isinstance(item, Event)]),
        repr([item for item in items if not isinstance(item, Event)]),
    ]


def reading(*verb: str) -> Inlet:
    """A verb that reads a file of events, and one of an exchange."""

    def read(tmp_path: Path, _: pytest.MonkeyPatch) -> Out:
        files = (events_file(tmp_path), queue_log(tmp_path))
        return [text for file in files for text in run(*(part.format(file, tmp_path / "out" / file.name) for part in verb))]

    return read


for reads in ("measure", "staffing", "callers list", "callers key", "replay stats"):
    inlet(reads)(reading(*reads.split(), "{0}"))
inlet("replay diff")(reading("replay", "diff", "{0}", "{0}"))
inlet("replay cat")(reading("replay", "cat", "--json", "{0}"))
inlet("replay play")(reading("replay", "play", "{0}", "--full", "--to", "{1}"))
inlet("export")(reading("export", "{0}", "--format", "csv", "--to", "{1}"))
inlet("report")(reading("report", "{0}", "--to", "{1}"))
inlet("whatif")(reading("whatif", "{0}", "--runs", "10"))
inlet("backfill")(reading("backfill", "{0}", "--step", "5m", "--to", "{1}.om"))


@inlet("callers decide")
def _(tmp_path: Path, _: pytest.MonkeyPatch) -> Out:
    """What people type who decide about callers."""
    to, said = ["--to", str(tmp_path / "out" / "events.jsonl")], []
    for who in (PHONE, PERSON, "ab" * 16):
        for verb in (["approve", who, "--stage", "24h"], ["decline", who, "--stage", "24h"], ["lift", who], ["contacted", who]):
            for by in (PERSON, "supervisor-1"):
                said += run("callers", *verb, "--by", by, *to)
    for given in (*SPELT, PERSON):
        said += run("callers", "erase", "--by", "dpo-1", *to, given=f"{given}\n")
    return said


# --- all of them


def test_every_inlet_of_the_code_is_walked() -> None:
    assert inlets() == INLETS.keys() | UNMARKED.keys()


@pytest.mark.parametrize("key", [KEY, ""])
@pytest.mark.parametrize("name", sorted(INLETS))
def test_nobody_marked_comes_out_of_what_goes_in_by(
    name: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "asyncio")
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    if key:
        (tmp_path / "in" / "key").write_text(key)
        monkeypatch.setenv("PANTAU112_CALLER_KEY_FILE", str(tmp_path / "in" / "key"))

    said = INLETS[name](tmp_path, monkeypatch)

    files = [path.read_bytes() for path in sorted((tmp_path / "out").rglob("*")) if path.is_file()]
    events = [event for data in files for line in data.splitlines() if isinstance(event := decode(line), Event)]
    assert "".join(said) or any(files), "something has to come out"
    for text in (*said, *(data.decode("utf-8", "replace") for data in files), caplog.text, figures(events)):
        assert not (found := marks(text)), found[:3]
