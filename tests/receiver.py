"""The admins' group as a test sees it: an HTTP receiver that counts by key, and fails at times."""

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any, Self


class Receiver:
    """Takes JSON by POST. In a share of cases `failing` it answers 503, or takes a message and hangs up without an answer."""

    def __init__(self, failing: float = 0.0, seed: int = 112) -> None:
        self.failing = failing
        self.taken: Counter[str] = Counter()
        """How often each key was taken; a receiver that knows keys acts on the first."""
        self.messages: dict[str, dict[str, Any]] = {}
        self.paths: list[str] = []
        self.refused = 0
        self._dice = Random(seed)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                key = self.headers.get("Idempotency-Key", "")
                luck = receiver._dice.random()
                if luck < receiver.failing / 2:
                    receiver.refused += 1
                    self.send_response(503)
                    self.end_headers()
                    return
                receiver.paths.append(self.path)
                receiver.messages.setdefault(key, body)
                receiver.taken[key] += 1
                if luck < receiver.failing:
                    self.close_connection = True  # the connection ends without an answer
                    return
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Handler
