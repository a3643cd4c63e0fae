"""Whatever a destination answers, every event arrives or is named, in its order, and nothing is given up."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from aiohttp import web
from tenacity import AsyncRetrying, RetryCallState

from schemas.event import Event
from schemas.topics import encode
from streams.edge import forward, inbox
from streams.edge.forward import AwayError, Forwarder, Gateway, read_token
from streams.edge.inbox import Keeper, SpoolInbox
from streams.edge.spool import Spool
from streams.settings import Settings
from streams.sources.door import Door
from tests.builders import offered
from tests.conftest import HANG
from tests.edge.gateway.served import Memory, served

TOKEN = "glsa-of-the-test"
NOW = 1_732_500_000.0

Answer = Callable[[list[str]], Awaitable[web.Response]]


class Taker:
    """A gateway that takes events as its script says: one answer a request, then takes all."""

    def __init__(self, *script: Answer) -> None:
        self.taken: list[str] = []
        self.sizes: list[int] = []
        self._script = list(script)

    async def answer(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert request.content_type == "application/cloudevents-batch+json"
        ids = [event["id"] for event in await request.json()]
        self.sizes.append(len(ids))
        if self._script:
            response = await self._script.pop(0)(ids)
            if response.status != 422:
                return response
            refused = {one["index"] for one in json.loads(response.body or b"")["refused"]}  # type: ignore[arg-type]
            self.taken += [one for index, one in enumerate(ids) if index not in refused]
            return response
        self.taken += ids
        return web.json_response({"accepted": len(ids)}, status=202)


def says(status: int, **headers: str) -> Answer:
    async def answer(_: list[str]) -> web.Response:
        return web.Response(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return answer


def refuses(*indexes: int) -> Answer:
    async def answer(ids: list[str]) -> web.Response:
        refused = [{"index": index, "field": "data.seat", "reason": "missing"} for index in indexes]
        return web.json_response({"accepted": len(ids) - len(refused), "refused": refused}, status=422)

    return answer


async def speaks_of_others(_: list[str]) -> web.Response:
    return web.json_response({"refused": [{"index": 800}]}, status=400)


async def hangs(_: list[str]) -> web.Response:
    await asyncio.sleep(60)
    return web.Response(status=202)


async def hangs_up(_: list[str]) -> web.Response:
    raise ConnectionResetError


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(forward, "LONGEST_RETRY_AFTER_SECONDS", 0.01)


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    keeper = Keeper(Spool(tmp_path / "spool.db", 10**7), Door())
    yield keeper
    keeper.close()


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    return path


def events(count: int) -> list[Event]:
    return [offered(f"c{n}", n) for n in range(count)]


def ids(count: int) -> list[str]:
    return [event.id for event in events(count)]


def forwarded(keeper: Keeper, token: Path, taker: Taker, count: int) -> Forwarder:
    """What became of so many events, once none waits."""

    async def run() -> Forwarder:
        app = web.Application()
        app.router.add_post("/v1/events", taker.answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        gateway = Gateway(f"http://127.0.0.1:{runner.addresses[0][1]}/", token, wall=lambda: NOW)
        one = Forwarder(keeper, gateway, pause=0.001)
        await SpoolInbox(keeper, "log", rereads=True).put(events(count))
        running = asyncio.create_task(one.run())
        try:
            async with asyncio.timeout(60):
                while keeper.spool.length:
                    await keeper.wait_for_room()
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            await gateway.close()
            await runner.cleanup()
        return one

    return asyncio.run(run())


def test_what_is_taken_was_sent_once_in_order_in_batches(keeper: Keeper, token: Path) -> None:
    taker = Taker()
    one = forwarded(keeper, token, taker, 1_200)

    assert (taker.taken, taker.sizes) == (ids(1_200), [500, 500, 200])
    assert (keeper.spool.sent["log"], one.answers, one.is_away) == (1_200, {"taken": 3}, False)


@pytest.mark.parametrize(
    "script",
    [
        [says(503)] * 5,
        [says(500), says(502), says(504)],
        [says(429, Retry_After="0")] * 3,
        [says(503, Retry_After="Mon, 25 Nov 2024 02:00:00 GMT")],
        [says(401), says(403)],
        [says(404), says(302, Location="http://127.0.0.1:1/"), says(200), says(400)],
        [hangs_up] * 3,
        [hangs] * 2,
        [speaks_of_others],
    ],
    ids=lambda script: script[0].__name__,
)
def test_whatever_may_pass_is_tried_again_until_it_has_passed(
    keeper: Keeper, token: Path, script: list[Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    if hangs in script:
        monkeypatch.setattr(forward, "ANSWER_SECONDS", 0.05)
    taker = Taker(*script)
    one = forwarded(keeper, token, taker, 20)

    assert taker.taken == ids(20)
    assert one.answers.total() == len(script) + 1
    assert keeper.spool.set_aside.total() == 0


def test_what_a_gateway_refuses_is_set_aside_and_the_others_were_taken(keeper: Keeper, token: Path) -> None:
    taker = Taker(refuses(0, 3), refuses())
    one = forwarded(keeper, token, taker, 5)

    assert taker.taken == [each for index, each in enumerate(ids(5)) if index not in (0, 3)]
    assert (keeper.spool.set_aside["log"], keeper.spool.sent["log"]) == (2, 3)
    assert one.answers == {"refused": 1}


def test_a_batch_that_is_too_large_comes_in_smaller_ones(keeper: Keeper, token: Path) -> None:
    class Small(Taker):
        async def answer(self, request: web.Request) -> web.Response:
            if (request.content_length or 0) > 9_000:
                return web.Response(status=413)
            return await super().answer(request)

    taker = Small()
    forwarded(keeper, token, taker, 400)

    assert taker.taken == ids(400)
    assert len(taker.sizes) < 60, "it does not stay at the smallest size"


def test_one_event_that_is_too_large_alone_holds_nothing_up(keeper: Keeper, token: Path) -> None:
    class Small(Taker):
        async def answer(self, request: web.Request) -> web.Response:
            if b'"c7"' in await request.read():
                return web.Response(status=413)
            return await super().answer(request)

    taker = Small()
    forwarded(keeper, token, taker, 50)

    assert taker.taken == [each for n, each in enumerate(ids(50)) if n != 7]
    assert keeper.spool.set_aside["log"] == 1


def test_a_token_is_read_anew_once_it_was_put_there(keeper: Keeper, token: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token.write_text("")
    said = []

    def mend(path: Path) -> str:
        said.append(path)
        if len(said) == 3:
            token.write_text(TOKEN)
        return read_token(path)

    monkeypatch.setattr(forward, "read_token", mend)
    one = forwarded(keeper, token, Taker(), 3)

    assert one.answers == {"no_token": 2, "taken": 1}


@pytest.mark.parametrize("content", [b"", b"two words", b"\xff\xfe", b"token\x00"])
def test_a_file_that_holds_no_token_is_named_and_never_quoted(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)

    with pytest.raises(ValueError, match=r"token: (holds no token; put there what `pantau112 .*` printed|is empty; put .*)$"):
        read_token(path)


def test_what_retry_after_asks_for_is_heeded_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forward, "LONGEST_RETRY_AFTER_SECONDS", 3600.0)
    seconds = [forward._seconds(text, NOW) for text in ("7", "99999999", "Mon, 25 Nov 2024 02:00:10 GMT", "soon", "", "-3")]

    assert seconds == [7.0, 3600.0, 10.0, None, None, None]


def test_a_pause_is_as_long_as_the_destination_asks_for_and_grows_to_a_bound_otherwise(keeper: Keeper, token: Path) -> None:
    one = Forwarder(keeper, Gateway("http://127.0.0.1:1", token), pause=0.5)

    def pause(attempt: int, retry_after: float | None) -> float:
        state = RetryCallState(AsyncRetrying(), None, (), {})
        error = AwayError("away", "503", retry_after)
        state.set_exception((AwayError, error, None))
        state.attempt_number = attempt
        return one._pause(state)

    assert pause(1, 77.0) == 77.0
    assert 0.5 <= pause(1, None) <= 1.0
    assert pause(3, None) > pause(1, None)
    assert pause(500, None) == pause(5_000, None) == 60.0


def test_what_is_no_event_of_kafka_is_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    kafka = forward.Kafka(Settings())
    written: list[Event] = []
    monkeypatch.setattr(kafka._log, "write", written.extend)
    good = events(2)
    refused = asyncio.run(kafka.send([encode(good[0]), b"{}", encode(good[1])]))

    assert (written, list(refused)) == (good, [1])


def test_it_empties_itself_into_a_real_gateway_that_is_away_at_first(keeper: Keeper, token: Path, tmp_path: Path) -> None:
    told = [*events(700), offered("elsewhere", 1).model_copy(update={"subject": "32.76", "source": "/32.76/asterisk"})]

    async def run(gateway: Gateway, log: Memory) -> None:
        one = Forwarder(keeper, gateway, pause=0.001)
        await SpoolInbox(keeper, "log", rereads=True).put(told)
        running = asyncio.create_task(one.run())
        try:
            async with asyncio.timeout(HANG):
                while keeper.spool.length:
                    log.is_up |= one.answers["503"] > 0
                    await keeper.wait_for_room()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await gateway.close()

    with served(tmp_path) as real:
        real.log.is_up = False
        token.write_text(real.token)
        asyncio.run(run(Gateway(f"http://127.0.0.1:{real.port}", token), real.log))

        assert list(dict.fromkeys(event.id for event in real.log.written)) == ids(700)
    assert keeper.spool.set_aside["log"] == 1
