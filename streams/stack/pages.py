"""Where pages and reminders go when nobody has an account yet: a receiver on the loopback that writes them into a file."""

import hmac
import json
import secrets
from base64 import b64encode
from collections import deque
from datetime import datetime
from pathlib import Path

from aiohttp import web

from streams.api import USER
from streams.core.printable import printable
from streams.serving import Limits, ServerThread, neighbourly

SHOWN = 8
REMINDERS = "/reminders"
"""The path that reminders are posted to; everything else is Alertmanager's."""
LARGEST = 2**20
"""Bytes of a notification: some hundred alerts."""


class Pages:
    """The pages and reminders received, newest last; every one is also a line of `file`.

    Only who knows the `password` of `USER` can tell it something; it lasts as long as this process.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.password = secrets.token_hex(32)
        self.recent: deque[str] = deque(maxlen=SHOWN)
        self._reminded: set[str] = set()

    def receive(self, body: bytes) -> None:
        """Take one Alertmanager webhook (payload version 4). Raises ValueError or KeyError for anything else."""
        said = json.loads(body)
        second = said.get("receiver") == "second"
        for alert in said["alerts"]:
            labels, notes = alert["labels"], alert["annotations"]
            state = "SECOND" if second else "PAGE" if labels.get("severity", "page") == "page" else "ticket"
            told = [notes.get(key, "") for key in ("summary_id", "summary", "acknowledge_url")]
            if alert["status"] != "firing":
                state, told[2] = "resolved", ""
            self._write(f"{state:8} {labels.get('alertname', '')} {labels.get('city', '')} {' / '.join(filter(None, told))}")

    def remind(self, body: bytes) -> None:
        """Take one reminder of an unanswered ticket; one sent again is not written again. Raises ValueError or KeyError."""
        said = json.loads(body)
        if said["id"] not in self._reminded:
            self._write(f"REMINDER {said['opd']} {said['city']} {said['text'].replace(chr(10), ' / ')}")
            self._reminded.add(said["id"])

    def _write(self, text: str) -> None:
        line = f"{datetime.now().astimezone().isoformat(timespec='seconds')} {printable(text)}"
        with self.file.open("a") as file:
            file.write(line + "\n")
        self.recent.append(line)

    def serve(self, port: int) -> None:
        """Answer on the loopback from a thread, until the process ends. Raises OSError when the port is taken."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        app = web.Application(middlewares=[neighbourly()], client_max_size=LARGEST)
        app.add_routes([web.post("/{path:.*}", self._take)])
        ServerThread("pages", app, Limits(connections=64, seconds=10.0)).listen("127.0.0.1", port)

    async def _take(self, request: web.Request) -> web.Response:
        """One notification."""
        told = "Basic " + b64encode(f"{USER}:{self.password}".encode()).decode()
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(errors="replace"), told.encode()):
            return web.Response(status=401)
        if request.content_type != "application/json":
            return web.Response(status=415)
        try:
            (self.remind if request.path == REMINDERS else self.receive)(await request.read())
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return web.Response(status=400)
        except OSError:  # a full disk: whoever sent it sends it again
            return web.Response(status=507)
        return web.Response()
