"""What stands where Alertmanager should, and answers otherwise: the gateway says that it does not answer, and goes on."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from streams.edge.gateway.signed_alarm import SignedAlarm, sign
from tests.builders import START
from tests.conftest import wait_until
from tests.edge.gateway.served import KEY, served


@contextmanager
def something(status: int, kind: str, body: bytes) -> Iterator[str]:
    """The address of a server that always answers this."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (200, "text/html", b"<html>"),
        (200, "application/json", b"{"),
        (200, "application/json", b"{}x"),
        (200, "application/json", b'[{"labels": {}}]'),
        (200, "application/json", b"[1]"),
        (200, "application/json", b"17"),
        (302, "text/html", b""),
        (500, "application/json", b"[]"),
    ],
)
def test_what_is_no_alertmanager_is_none_and_the_page_asks_to_come_again(
    tmp_path: Path, status: int, kind: str, body: bytes
) -> None:
    link = sign(SignedAlarm("0" * 16, "PsapLinkDown", "32.71", START + timedelta(hours=1)), KEY)
    with something(status, kind, body) as address, served(tmp_path, alertmanager=address) as gateway:
        wait_until(lambda: "pantau112_alertmanager_up 0.0" in gateway.ask("GET", "/metrics").text, "it is said")
        assert gateway.ask("GET", f"/v1/alarms/{link}").status == 503
        assert "psap_alarm_state{" not in gateway.ask("GET", "/metrics").text
