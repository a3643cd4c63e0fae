"""A real centre on the real stack: its link drops, wakes somebody and comes back; the weather and the river are on the wall."""

import asyncio
import json
import re
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.conftest import DATA, HANG, free_port, wait_until
from tests.edge.far_ends import SipPeer
from tests.sources.test_cap import ALERT
from tests.stack.test_up import Up, home, running

__all__ = ["home"]
pytestmark = pytest.mark.stack


@pytest.fixture
def peer() -> Iterator[SipPeer]:
    """The far end of a trunk, alive."""
    one, loop = SipPeer(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(one.listen(), loop).result(HANG)
    yield one

    async def end() -> None:
        one.die()
        await asyncio.sleep(0)  # the socket closes in the next round

    asyncio.run_coroutine_threadsafe(end(), loop).result(HANG)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(HANG)
    loop.close()


class Feeds:
    """A server that plays BMKG and a keeper of river levels; it can refuse everybody."""

    def __init__(self) -> None:
        self.refuses = False
        feeds = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = feeds.documents.get(self.path)
                self.send_response(403 if feeds.refuses else 404 if body is None else 200)
                self.end_headers()
                if body is not None and not feeds.refuses:
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        now = datetime.now(UTC).replace(microsecond=0)
        times = {"sent": now, "effective": now - timedelta(minutes=5), "expires": now + timedelta(hours=3)}
        alert = ALERT
        for name, text in (times | {"severity": "Extreme", "areaDesc": "Kota Bogor"}).items():
            said = text.isoformat() if isinstance(text, datetime) else text
            alert = re.sub(rf"<{name}>[^<]*</{name}>", f"<{name}>{said}</{name}>", alert)
        elsewhere = alert.replace("Kota Bogor", "Kabupaten Bogor").replace("Extreme", "Severe").replace(".001<", ".002<")
        elsewhere = re.sub("<polygon>.*</polygon>", "", elsewhere)
        items = "".join(f"<item><link>{self.url}/id/{n}_alert.xml</link><pubDate>now</pubDate></item>" for n in (1, 2))
        self.documents = {
            "/id": f"<rss><channel>{items}</channel></rss>".encode(),
            "/id/1_alert.xml": alert.encode(),
            "/id/2_alert.xml": elsewhere.encode(),
            "/levels.json": json.dumps([{"pos": "Bendung Katulampa", "waktu": now.isoformat(), "tinggi": "165"}]).encode(),
        }
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def feeds() -> Iterator[Feeds]:
    one = Feeds()
    yield one
    one.close()


EDGE = """
spool = "spool.db"
to = "kafka"
metrics_port = {port}
[[follow]]
file = "queue_log"
[[probe]]
every_seconds = 1
timeout_seconds = 0.5
window_seconds = 5
links = {{ sip-telkom = "sip:127.0.0.1:{peer}" }}
[[poll]]
name = "bmkg"
kind = "cap"
url = "{url}/id"
every_seconds = 2
[[poll]]
name = "katulampa"
kind = "river"
url = "{url}/levels.json"
every_seconds = 2
sql = "levels.sql"
"""
LEVELS = "SELECT 'gauge.read' AS type, waktu AS time, code(pos) AS gauge, tinggi::DOUBLE AS level_centimetres FROM rows"


@pytest.fixture
def centre(home: Path, tmp_path: Path, peer: SipPeer, feeds: Feeds) -> Iterator[Up]:
    (tmp_path / "queue_log").write_bytes((DATA / "asterisk" / "queue_log").read_bytes())
    (tmp_path / "levels.sql").write_text(LEVELS)
    (tmp_path / "edge.toml").write_text(EDGE.format(port=free_port(), peer=peer.port, url=feeds.url))
    yield from running(Up(home, "--edge", str(tmp_path / "edge.toml")))


def test_a_link_that_drops_wakes_somebody_and_comes_back_under_a_warning_and_a_rising_river(
    centre: Up, peer: SipPeer, feeds: Feeds
) -> None:
    link = 'max(psap_link_up{city="32.71", link="sip-telkom"})'
    wait_until(lambda: centre.value(link) == 1, "the link is up")
    wait_until(lambda: centre.value('max(psap_link_jitter_seconds{link="sip-telkom"})') is not None, "it was measured")
    wait_until(lambda: centre.value('psap_weather_warning{city="32.71", severity="Extreme", attribution="BMKG"}') == 1, "weather")
    assert centre.value("count(psap_weather_warning)") == 1, "what is for Kabupaten Bogor is not for Kota Bogor"
    wait_until(lambda: centre.value('min(psap_gauge_siaga{gauge="katulampa"})') == 2, "the river is at Siaga 2")
    wait_until(lambda: "PAGE     PsapGaugeSiaga 32.71" in centre.pages(), "the river is paged")
    wait_until(lambda: (centre.value("sum(psap_calls_offered_total)") or 0) > 0, "calls come from the queue_log")

    peer.status = None
    feeds.refuses = True
    wait_until(lambda: centre.value(link) == 0, "the link is down")
    drop = 'max(ALERTS{alertname="PsapLinkDown",alertstate="firing",severity="wall"})'
    wait_until(lambda: centre.value(drop) == 1, "the drop is on the wall")
    wait_until(
        lambda: (centre.value('pantau112_edge_noted_total{collector="bmkg", what="silent"}') or 0) > 0, "the feed is silent"
    )
    assert centre.value('psap_weather_warning{city="32.71", severity="Extreme"}') == 1, "a silent feed takes nothing back"

    peer.status = "200 OK"
    wait_until(lambda: centre.value(link) == 1, "the link is up again")
    assert centre.on_wall(link) == 1

    centre.process.send_signal(signal.SIGINT)
    said, _ = centre.process.communicate(timeout=HANG)
    assert centre.process.returncode == 130, said
