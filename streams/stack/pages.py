"""Where pages and reminders go when nobody has an account yet: a receiver on the loopback that writes them into a file."""

import json
import threading
from collections import deque
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SHOWN = 8
REMINDERS = "/reminders"
"""The path that reminders are posted to; everything else is Alertmanager's."""


class Pages:
    """The pages and reminders received, newest last; every one is also a line of `file`."""

    def __init__(self, file: Path) -> None:
        self.file = file
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
        line = f"{datetime.now().astimezone().isoformat(timespec='seconds')} {text}"
        with self.file.open("a") as file:
            file.write(line + "\n")
        self.recent.append(line)

    def serve(self, port: int) -> None:
        """Answer on the loopback from a thread, until the process ends. Raises OSError when the port is taken."""
        pages = self

        class Handler(BaseHTTPRequestHandler):
            """One notification."""

            def do_POST(self) -> None:
                try:
                    body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                    (pages.remind if self.path == REMINDERS else pages.receive)(body)
                    self.send_response(200)
                except (ValueError, KeyError, TypeError):
                    self.send_response(400)
                except OSError:  # a full disk: whoever sent it sends it again
                    self.send_response(507)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """The file is the log."""

        self.file.parent.mkdir(parents=True, exist_ok=True)
        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=server.serve_forever, name="pages", daemon=True).start()
