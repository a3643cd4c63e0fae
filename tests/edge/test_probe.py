"""Probes of links: a peer that answers, drops, dies, and one that nobody can reach from here."""

import asyncio
import socket
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from pydantic import ValidationError

from schemas.event import Event
from schemas.network import LinkMeasured
from streams.centres import PACKAGED
from streams.core import network
from streams.core.centre import CentreError, Link, parse
from streams.core.network import DOWN_SINCE, HEARTBEAT, JITTER, LINK_UP, LOSS
from streams.edge.probe import Answer, Probe, ProbeConfig, Watch, far_end
from streams.sources.door import Door
from tests.builders import BOGOR as BARE
from tests.builders import said
from tests.conftest import free_port
from tests.edge.far_ends import KeptInbox, SipPeer, in_a_loop, running, until

BOGOR = parse(PACKAGED.read_text())
START = datetime(2026, 1, 5, 8, tzinfo=UTC)
LINK = "sip-telkom"
ANSWERED = Answer(0.02, counts_packets=True)


def told(story: str, seconds: float = 0.02, per_window: int = 1_000) -> list[Event]:
    """What a link says of itself that is asked once a second: `+` is an answer, `-` none; down after three, up after two."""
    watch = Watch(LINK, "/32.71/probe", "32.71", down_after=3, up_after=2, per_window=per_window)
    events = []
    for second, sign in enumerate(story):
        answer = Answer(seconds, counts_packets=True) if sign == "+" else None
        events += watch.take(START + timedelta(seconds=second), answer)
    return events


def changes(story: str) -> list[tuple[str, int]]:
    """The changes of such a link, each with the second that it is said of."""
    return [
        (event.type.removeprefix("link."), int((event.time - START).total_seconds()))
        for event in told(story)
        if event.type in {"link.up", "link.down"}
    ]


@pytest.mark.parametrize(
    ("story", "said_of_it"),
    [
        ("+", [("up", 0)]),
        ("--", []),
        ("---", [("down", 0)]),
        ("--+", [("up", 2)]),
        ("++--++--+", [("up", 0)]),
        ("++---", [("up", 0), ("down", 2)]),
        ("++-+--", [("up", 0)]),
        ("++------", [("up", 0), ("down", 2)]),
        ("+---+-+-", [("up", 0), ("down", 1)]),
        ("+---+-++", [("up", 0), ("down", 1), ("up", 6)]),
        ("---++", [("down", 0), ("up", 3)]),
    ],
)
def test_a_link_goes_down_after_three_in_a_row_since_the_first_of_them_and_up_after_two(
    story: str, said_of_it: list[tuple[str, int]]
) -> None:
    assert changes(story) == said_of_it


def test_a_window_has_a_heartbeat_and_a_sample_at_the_time_of_its_last_answer() -> None:
    watch = Watch(LINK, "/32.71/probe", "32.71", down_after=9, up_after=1, per_window=5)
    trips = [0.100, 0.140, None, 0.120, None]
    events = [
        event
        for second, trip in enumerate(trips)
        for event in watch.take(START + timedelta(seconds=second), None if trip is None else Answer(trip, True))
    ]

    assert [event.type for event in events] == ["link.up", "link.measured", "link.heartbeat"]
    sample = events[1]
    assert isinstance(sample, LinkMeasured)
    assert sample.data.loss_ratio == pytest.approx(2 / 5)
    assert sample.data.delay_seconds == pytest.approx(0.120 / 2)
    assert sample.data.jitter_seconds == pytest.approx((0.040 + 0.020) / 2)
    assert {event.time for event in events[1:]} == {START + timedelta(seconds=3)}


def test_a_window_without_an_answer_has_neither() -> None:
    assert [event.type for event in told("+--" + "---" * 3, per_window=3)] == [
        "link.up",
        "link.measured",
        "link.heartbeat",
        "link.down",
    ]


def test_over_tcp_no_loss_is_told_and_of_a_web_server_no_sample() -> None:
    for answer, types in (
        (Answer(0.02), ["link.up", "link.measured", "link.heartbeat"]),
        (Answer(), ["link.up", "link.heartbeat"]),
    ):
        events = Watch(LINK, "/32.71/probe", "32.71", 3, 2, per_window=1).take(START, answer)
        assert [event.type for event in events] == types
        assert all(event.data.loss_ratio is None for event in events if isinstance(event, LinkMeasured))


def test_what_is_told_folds_to_a_link_that_is_down_since_it_answered_no_more() -> None:
    state = network.State()
    events = told("+++++---", per_window=5)
    for event in events:
        network.step(state, event, event.time.timestamp(), BOGOR)  # type: ignore[arg-type]

    found = said(network.measure(state, (START + timedelta(seconds=10)).timestamp(), BOGOR))
    assert found[LINK_UP, LINK] == 0
    assert found[DOWN_SINCE, LINK] == (START + timedelta(seconds=5)).timestamp()
    assert found[HEARTBEAT, LINK] == (START + timedelta(seconds=4)).timestamp()
    assert (found[LOSS, LINK], found[JITTER, LINK]) == (0, 0)
    assert len({(event.source, event.id) for event in events}) == len(events)


def probe(address: str, **said_else: float) -> Probe:
    """A probe of one link that asks again at once."""
    settings = {"every_seconds": 0.01, "timeout_seconds": 0.3, "window_seconds": 0.05, "down_after": 2, "up_after": 2} | said_else
    return Probe(ProbeConfig.model_validate({"links": {LINK: address}, **settings}), BOGOR)


@in_a_loop
async def test_a_sip_peer_answers_drops_answers_and_dies() -> None:
    peer, inbox = SipPeer(), KeptInbox()
    await peer.listen()
    async with running(probe(f"sip:127.0.0.1:{peer.port}"), inbox):
        await until(lambda: any(event.type == "link.measured" for event in inbox.events))
        assert inbox.types == ["link.up"]

        peer.status = None
        await until(lambda: inbox.types == ["link.up", "link.down"])
        peer.status = "200 OK"
        await until(lambda: inbox.types[2:] == ["link.up"])
        peer.die()
        await until(lambda: inbox.types[3:] == ["link.down"])
        await peer.listen(peer.port)
        await until(lambda: inbox.types[4:] == ["link.up"])
        peer.die()

    request = peer.asked[0].decode()
    assert request.startswith(f"OPTIONS sip:127.0.0.1:{peer.port} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:")
    assert request.endswith("Content-Length: 0\r\n\r\n")
    assert len({line for asked in peer.asked for line in asked.decode().split("\r\n") if line.startswith("Call-ID")}) == len(
        peer.asked
    )


@in_a_loop
async def test_a_sip_peer_is_asked_by_tcp_where_the_address_says_so() -> None:
    peer, inbox = SipPeer(), KeptInbox()
    await peer.listen_tcp()
    async with running(probe(f"sip:127.0.0.1:{peer.port};transport=tcp"), inbox):
        await until(lambda: inbox.types == ["link.up"])
        peer.status = None
        await until(lambda: inbox.types == ["link.up", "link.down"])
        peer.die()
    assert b"Via: SIP/2.0/TCP 127.0.0.1:" in peer.asked[0]


@pytest.mark.parametrize(
    ("status", "change"),
    [("200 OK", "link.up"), ("404 Not Found", "link.up"), ("405 Method Not Allowed", "link.up"), ("486 Busy Here", "link.up"),
     ("500 Server Internal Error", "link.up"), ("503 Service Unavailable", "link.down")],
)  # fmt: skip
@in_a_loop
async def test_any_answer_says_that_a_peer_is_there_but_one_that_is_unavailable_takes_no_call(status: str, change: str) -> None:
    peer, inbox = SipPeer(), KeptInbox()
    peer.status = status
    await peer.listen()
    async with running(probe(f"sip:127.0.0.1:{peer.port}"), inbox):
        await until(lambda: bool(inbox.types))
    peer.die()
    assert inbox.types[0] == change


@in_a_loop
async def test_a_tcp_port_is_up_while_somebody_listens() -> None:
    inbox = KeptInbox()
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with running(probe(f"tcp:127.0.0.1:{port}"), inbox):
        await until(lambda: any(event.type == "link.measured" for event in inbox.events))
        server.close()
        await server.wait_closed()
        await until(lambda: inbox.types == ["link.up", "link.down"])


@in_a_loop
async def test_a_web_server_is_up_unless_it_fails() -> None:
    inbox, status = KeptInbox(), [404]

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status[0])

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    async with running(probe(f"http://127.0.0.1:{port}/"), inbox):
        await until(lambda: any(event.type == "link.heartbeat" for event in inbox.events))
        status[0] = 502
        await until(lambda: inbox.types == ["link.up", "link.down"])
    await runner.cleanup()


@in_a_loop
async def test_a_ping_is_answered_where_the_system_allows_it() -> None:
    inbox, one = KeptInbox(), probe("ping:127.0.0.1")
    async with running(one, inbox):
        await until(lambda: inbox.types == ["link.up"] or one.counted["unsent"] > 0)
    assert "link.down" not in inbox.types


@pytest.mark.parametrize("address", ["sip:no-such-name.invalid", "http://no-such-name.invalid/"])
@in_a_loop
async def test_a_question_that_cannot_leave_this_machine_says_nothing_of_the_link(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    inbox, one = KeptInbox(), probe(address)
    async with running(one, inbox):
        await until(lambda: one.counted["unsent"] >= 5)
    assert inbox.events == []
    assert len([record for record in caplog.records if "nothing is known of sip-telkom" in record.getMessage()]) == 1


@in_a_loop
async def test_without_a_route_nothing_is_out_of_order_but_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(101, "Network is unreachable")

    inbox, one = KeptInbox(), probe("sip:192.0.2.1")
    monkeypatch.setattr(socket.socket, "connect", refuse)
    async with running(one, inbox):
        await until(lambda: one.counted["unsent"] >= 3)
    assert inbox.events == []


@in_a_loop
async def test_every_link_of_the_centres_file_that_says_how_is_asked_for_itself() -> None:
    peer, inbox = SipPeer(), KeptInbox()
    await peer.listen()
    nobody = free_port()
    links = (
        Link(code="sip-telkom", carrier="telkom", probe=f"sip:127.0.0.1:{peer.port}"),
        Link(code="sip-xl", carrier="xl", probe=f"tcp:127.0.0.1:{nobody}"),
        Link(code="pstn", carrier="telkom", kind="pstn"),
    )
    config = ProbeConfig(every_seconds=0.01, timeout_seconds=0.3)
    async with running(config.collector(BOGOR.model_copy(update={"links": links}), Door()), inbox):
        await until(lambda: len(inbox.types) == 2)
    peer.die()

    found = {event.data.link: event.type for event in inbox.events if event.type in {"link.up", "link.down"}}  # type: ignore[attr-defined]
    assert found == {"sip-telkom": "link.up", "sip-xl": "link.down"}


@pytest.mark.parametrize(
    "address", ["", "sbc.example.id", "sip:", "sip:host:99999", "tcp:host", "ping:host:7", "ping:host;transport=tcp", "ftp://host/",
                "sip:host;transport=tls", "https://user:pass@host/"],
)  # fmt: skip
def test_an_address_that_cannot_be_asked_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(ValueError, match=r"must be sip:HOST|tcp wants a port"):
        far_end(address)
    with pytest.raises(ValidationError):
        ProbeConfig(links={LINK: address})


def test_links_that_the_centre_does_not_have_and_a_centre_without_any_address_are_refused_with_what_to_do() -> None:
    with pytest.raises(CentreError, match="has no link sip-nowhere; add it"):
        ProbeConfig(links={"sip-nowhere": "tcp:127.0.0.1:1"}).collector(BARE, Door())
    with pytest.raises(CentreError, match="no link to ask: give one"):
        ProbeConfig().collector(BOGOR, Door())
    with pytest.raises(CentreError, match=r"line 4: links\.probe"):
        parse('code="32.71"\nname="x"\ntimezone="Asia/Jakarta"\nlinks = [{code="a", carrier="b", probe=7}]')
