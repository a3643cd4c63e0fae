"""Prometheus and Alertmanager, asked over HTTP: where they are, and the password that they want."""

import json
import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, HTTPSHandler, ProxyHandler, Request, build_opener

USER = "pantau112"
"""Who asks."""


class _Straight(HTTPRedirectHandler):
    """What is asked with a password is asked nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass(frozen=True)
class Api:
    """One Prometheus or Alertmanager: its address (http or https, with its path and without a slash at the end), and the password
    of `USER` there. `ca`, as PEM, signed its certificate where no public one did.
    """

    address: str
    password: str | None = field(default=None, repr=False)
    ca: Path | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What a request has to bear."""
        if self.password is None:
            return {}
        return {"Authorization": f"Basic {b64encode(f'{USER}:{self.password}'.encode()).decode()}"}

    @cached_property
    def tls(self) -> ssl.SSLContext | None:
        """Who is believed over https; None for those that this machine believes. Raises `OSError`."""
        return None if self.ca is None else ssl.create_default_context(cafile=str(self.ca))

    def ask(self, path: str, question: Mapping[str, object] | None = None, patience: float = 2.0) -> Any:
        """The JSON that is there, within some seconds. Raises `OSError` (also when refused), `HTTPException`, `ValueError`."""
        said = "" if question is None else f"?{urlencode(question, doseq=True)}"
        with self._open(Request(self.address + path + said, headers=self.headers), patience) as answer:  # noqa: S310 (http, https)
            return json.load(answer)

    def tell(self, path: str, body: object, patience: float = 2.0) -> None:
        """Send JSON there. Raises `OSError` (also where it is refused) and `HTTPException`."""
        self.send(path, json.dumps(body).encode(), {"Content-Type": "application/json"}, patience)

    def send(self, path: str, body: bytes, kind: Mapping[str, str], patience: float = 2.0) -> None:
        """Send bytes there, with the headers that say what they are. Raises `OSError` and `HTTPException`."""
        request = Request(self.address + path, body, self.headers | dict(kind))  # noqa: S310 (http, https)
        with self._open(request, patience):
            pass

    def look(self, path: str, patience: float = 3.0) -> tuple[int, str]:
        """The status, and the page, whatever it is. Raises `OSError` and `HTTPException`."""
        try:
            with self._open(Request(self.address + path, headers=self.headers), patience) as answer:  # noqa: S310 (http, https)
                return answer.status, answer.read().decode("utf-8", "replace")
        except HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode("utf-8", "replace")

    def _open(self, request: Request, patience: float) -> Any:
        return build_opener(ProxyHandler({}), HTTPSHandler(context=self.tls), _Straight).open(request, timeout=patience)
