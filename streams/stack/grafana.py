"""A shared Grafana: our boards in it, and marks on them. The only file that names grafana-api.

Its high-level calls are left aside: a partial update wipes what it does not name, and numeric ids are gone in Grafana 13.
Paths are given as Grafana's HTTP API documents them.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import urlencode, urlsplit

import requests
from grafana_api.grafana_api import GrafanaClientError, GrafanaException
from grafana_api.grafana_face import GrafanaFace
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

BOARDS = Path(__file__).parents[2] / "dashboards" / "grafana" / "boards"
FOLDER = {"uid": "pantau112", "title": "pantau112"}
TIMEOUT_SECONDS = 10.0
TRIES = 3
SHA = "pantau112-"
"""Begins the tag that carries a pushed board's hash. Grafana adds to what it stores: only a mark of our own tells whether a board
is the one that was pushed."""

Kind = Literal["replay", "incident", "deploy"]
Change = Literal["created", "updated", "unchanged"]


class GrafanaError(Exception):
    """Grafana did not do what it was asked to; says what to do. Never holds the token."""


class Pushed(NamedTuple):
    """What became (or would become) of one board."""

    uid: str
    title: str
    change: Change


def boards() -> list[dict[str, Any]]:
    """The committed boards, both languages."""
    return [json.loads(path.read_text()) for path in sorted(BOARDS.rglob("*.json"))]


class Grafana:
    """One Grafana at a base address, as somebody with a service account's token."""

    def __init__(self, url: str, token: str, ca: Path | None = None) -> None:
        parts = urlsplit(url)
        prefix = parts.path.strip("/")
        self._where = f"{parts.scheme}://{parts.netloc}"
        self._api = GrafanaFace(
            auth=token,
            host=parts.hostname,
            port=parts.port,
            protocol=parts.scheme,
            url_path_prefix=f"{prefix}/" if prefix else "",
            verify=True if ca is None else str(ca),
            timeout=TIMEOUT_SECONDS,
        ).api
        # Reading again and writing the same again change nothing; so all methods are tried again.
        again = Retry(
            TRIES, backoff_factor=0.2, status_forcelist=(429, 502, 503, 504), allowed_methods=None, raise_on_status=False
        )
        for scheme in ("http://", "https://"):
            self._api.s.mount(scheme, HTTPAdapter(max_retries=again))

    def push(self, wanted: Iterable[Mapping[str, Any]], *, dry_run: bool = False) -> Iterator[Pushed]:
        """Write every board that is not there as it is; says of each what became of it. Raises `GrafanaError`."""
        if not dry_run and self._get(f"/folders/{FOLDER['uid']}") is None:
            self._say("POST", "/folders", "the folder pantau112", FOLDER)
        for board in wanted:
            mark = SHA + hashlib.sha256(json.dumps(board, sort_keys=True).encode()).hexdigest()[:16]
            there = self._get(f"/dashboards/uid/{board['uid']}")
            change: Change = "created" if there is None else "updated"
            if there is not None and mark in there["dashboard"].get("tags", ()):
                change = "unchanged"
            elif not dry_run:
                marked = {**board, "id": None, "tags": [*board["tags"], mark]}
                body = {
                    "dashboard": marked,
                    "folderUid": FOLDER["uid"],
                    "overwrite": True,
                    "message": f"pantau112 boards push, {mark}",
                }
                self._say("POST", "/dashboards/db", f"board {board['uid']}", body)
            yield Pushed(board["uid"], board["title"], change)

    def annotate(self, kind: Kind, name: str, start: datetime, end: datetime | None) -> Change:
        """Mark a span of time on all boards, from `start` on, up to `end` once that is known. The same again changes nothing.

        Raises `GrafanaError`.
        """
        tags = ["112", kind, f"{kind}:{name}"]
        times = {"time": _milliseconds(start)} | ({} if end is None else {"timeEnd": _milliseconds(end)})
        found = self._get("/annotations?" + urlencode([("tags", tag) for tag in tags] + [("limit", "1")]))
        if not found:
            self._say("POST", "/annotations", "the mark", {**times, "tags": tags, "text": f"{kind} {name}"})
            return "created"
        [mark] = found
        if all(mark.get(key) == value for key, value in times.items()):
            return "unchanged"
        self._say("PATCH", f"/annotations/{mark['id']}", "the mark", times)
        return "updated"

    def health(self) -> str:
        """Grafana's version. Raises `GrafanaError` when it is not well, or takes not our token."""
        version = (self._get("/health") or {}).get("version", "unknown")
        self._say("GET", "/search?limit=1", "a search")
        return str(version)

    def _get(self, path: str) -> Any:
        """What is there; None when nothing is."""
        return self._say("GET", path, path.partition("?")[0], missing=None)

    def _say(self, method: str, path: str, what: str, body: Any = None, **missing: None) -> Any:
        try:
            return getattr(self._api, method)(path, json=body) if body is not None else getattr(self._api, method)(path)
        except GrafanaClientError as refused:
            if refused.status_code == 404 and missing:
                return None
            raise GrafanaError(f"{what}: {self._advice(refused)}") from None
        except GrafanaException as failed:
            raise GrafanaError(f"{what}: Grafana answered {failed.status_code}; look at its log and try again") from None
        except requests.exceptions.SSLError:
            raise GrafanaError(f"{self._where}: its certificate is signed by nobody known: set PANTAU112_GRAFANA_CA") from None
        except (requests.exceptions.RequestException, ValueError) as error:
            raise GrafanaError(
                f"{self._where} does not answer as Grafana does ({type(error).__name__}): check the address"
            ) from None

    @staticmethod
    def _advice(refused: GrafanaClientError) -> str:
        said = refused.response.get("message", "") if isinstance(refused.response, dict) else ""
        match refused.status_code:
            case 401:
                return "the token is not known to Grafana: make a new one (Administration, Service accounts)"
            case 403:
                return "the token may not do this: give its service account the role Editor"
            case 400 if "provisioned" in said:
                return (
                    "it comes from a file on the Grafana server and cannot be pushed: update the file, or remove it there first"
                )
            case 404:
                return "not found: does the address end where Grafana begins?"
            case 412:
                return "somebody else changed it meanwhile: push again"
            case status:
                return f"Grafana refused it ({status}): {said}"


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
