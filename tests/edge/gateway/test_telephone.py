"""The page behind a reminder's link as a browser on a telephone shows it, without scripts: one tap, and it is noted."""

import asyncio
import contextlib
import json
import re
import shutil
import subprocess
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from streams.worker.signed_ticket import sign
from tests.conftest import HANG
from tests.edge.gateway.served import KEY, served
from tests.edge.gateway.test_acknowledge import TICKET
from tests.pictures import BROWSERS, QUIET

BROWSER = next((found for name in BROWSERS if (found := shutil.which(name))), None)
WIDTH, HEIGHT = 360, 640

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium")


class Telephone:
    """One page in a browser of a telephone's size that runs no scripts of pages."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._asked = socket, 0

    async def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._asked += 1
        await self._socket.send_json({"id": self._asked, "method": method, "params": parameters})
        return dict((await self._until(lambda said: said.get("id") == self._asked))["result"])

    async def look(self, script: str) -> Any:
        return (await self.ask("Runtime.evaluate", expression=script, returnByValue=True))["result"].get("value")

    async def loaded(self) -> None:
        await self._until(lambda said: said.get("method") == "Page.loadEventFired")

    async def _until(self, wanted: Any) -> dict[str, Any]:
        while not wanted(said := json.loads((await self._socket.receive(HANG)).data)):
            pass
        return dict(said)

    async def picture(self) -> bytes:
        return b64decode((await self.ask("Page.captureScreenshot"))["data"])


@contextlib.contextmanager
def browser(profile: Path) -> Iterator[int]:
    """A browser without a window; yields the port at which it is told what to do."""
    assert BROWSER is not None
    flags = ["headless", "no-sandbox", "disable-gpu", *QUIET, "remote-debugging-port=0", f"user-data-dir={profile}"]
    process = subprocess.Popen([BROWSER, *(f"--{flag}" for flag in flags)], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        yield next(int(found[1]) for line in process.stderr if (found := re.search(r"ws://127\.0\.0\.1:(\d+)/", line)))
    finally:
        process.kill()
        process.communicate()


@contextlib.asynccontextmanager
async def telephone(port: int) -> AsyncIterator[Telephone]:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{port}/json") as answer:
            [page] = [one for one in await answer.json(content_type=None) if one["type"] == "page"]
        async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            found = Telephone(socket)
            await found.ask("Page.enable")
            await found.ask("Emulation.setScriptExecutionDisabled", value=True)
            await found.ask("Emulation.setDeviceMetricsOverride", width=WIDTH, height=HEIGHT, deviceScaleFactor=2, mobile=True)
            yield found


def test_a_tap_on_a_telephone_is_the_acknowledgement(tmp_path: Path) -> None:
    async def tap(port: int, address: str) -> list[Any]:
        async with telephone(port) as page:
            await page.ask("Page.navigate", url=address)
            await page.loaded()
            before = await page.picture()
            place = await page.look("JSON.stringify(document.querySelector('button').getBoundingClientRect())")
            wide = await page.look("document.documentElement.scrollWidth")
            button = json.loads(place)
            where = {"x": button["x"] + button["width"] / 2, "y": button["y"] + button["height"] / 2}
            for kind in ("mousePressed", "mouseReleased"):
                await page.ask("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **where)
            await page.loaded()
            return [before, await page.picture(), button, wide, await page.look("document.querySelector('h1').textContent")]

    with served(tmp_path / "gateway") as gateway, browser(tmp_path / "profile") as port:
        before, after, button, wide, title = asyncio.run(
            tap(port, f"http://127.0.0.1:{gateway.port}/v1/tickets/{sign(TICKET, KEY)}")
        )

        # To be looked at: tests keep what they made for a while.
        (tmp_path / "before.png").write_bytes(before)
        (tmp_path / "after.png").write_bytes(after)
        assert wide <= WIDTH, "nothing has to be pushed sideways"
        assert button["bottom"] <= HEIGHT, "the button is seen without scrolling"
        assert button["height"] >= 48
        assert "Terima kasih" in title
        assert [event.type for event in gateway.log.written] == ["ticket.acknowledged"]
