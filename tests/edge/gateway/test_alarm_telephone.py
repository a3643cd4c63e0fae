"""The page behind the link of a page as a telephone shows it, without scripts: a code, one tap, and somebody has it."""

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.dashboards.test_rules import ALERTS
from tests.edge.gateway.test_alarms import Woken, woken
from tests.edge.gateway.test_telephone import BROWSER, HEIGHT, WIDTH, Telephone, browser, telephone

__all__ = ["woken"]
pytestmark = [pytest.mark.stack, pytest.mark.skipif(BROWSER is None, reason="no Chromium")]


async def where(page: Telephone, element: str) -> dict[str, Any]:
    found = await page.look(f"JSON.stringify(document.querySelector('{element}').getBoundingClientRect())")
    return dict(json.loads(found))


async def tap(page: Telephone, element: str) -> None:
    box = await where(page, element)
    place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    for kind in ("mousePressed", "mouseReleased"):
        await page.ask("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)


def test_a_code_and_a_tap_on_a_telephone_and_somebody_has_it(woken: Woken, tmp_path: Path) -> None:
    async def go(port: int, address: str) -> tuple[bytes, bytes, dict[str, Any], int, str]:
        async with telephone(port) as page:
            await page.ask("Page.navigate", url=address)
            await page.loaded()
            before = await page.picture()
            button, wide = await where(page, "button"), await page.look("document.documentElement.scrollWidth")
            await tap(page, "label:nth-of-type(3)")
            await tap(page, "input[name=by]")
            await page.ask("Input.insertText", text="noc1")
            await tap(page, "button")
            await page.loaded()
            return before, await page.picture(), button, wide, await page.look("document.querySelector('main').textContent")

    pages = [rule for rule in ALERTS if rule["labels"]["severity"] == "page" and rule["alert"].startswith("Psap")]
    longest = max(pages, key=lambda rule: len(rule["annotations"]["summary_id"] + rule["annotations"]["todo_id"]))
    link = woken.link(longest["alert"])
    with browser(tmp_path / "profile") as port:
        before, after, button, wide, said = asyncio.run(go(port, f"http://127.0.0.1:{woken.gateway.port}{link}"))

    # To be looked at: tests keep what they made for a while.
    (tmp_path / "before.png").write_bytes(before)
    (tmp_path / "after.png").write_bytes(after)
    assert wide <= WIDTH, "nothing has to be pushed sideways"
    assert button["bottom"] <= HEIGHT, "the button is seen without scrolling"
    assert button["height"] >= 48
    assert "NOC1 menangani sampai" in said
    [silence] = woken.paging.get("/api/v2/silences")
    assert silence["createdBy"] == "NOC1"
    lasting = datetime.fromisoformat(silence["endsAt"]) - datetime.fromisoformat(silence["startsAt"])
    assert round(lasting.total_seconds() / 60) == 120
