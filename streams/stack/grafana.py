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
MARKS = 1000
"""Most marks of one name that are looked through."""
SHA = "pantau112-"
"""Begins the tag with a pushed board's fingerprint: it tells a board as we once wrote it from one that somebody changed."""
NAMED = f"the folder {FOLDER['uid']}"
NO_RIGHT = "the token may not do this: give its service account the role Editor"

REFUSED = 403
LATER = "if it has that role, somebody else made the folder just now, and Grafana lets you in some minutes later: push again then"

Kind = Literal["replay", "incident", "deploy"]
Change = Literal["created", "updated", "overwritten", "unchanged", "provisioned"]
"""What becomes of a board or a mark. One that is `overwritten` was not as we had written it: somebody had changed it there.
One that is `provisioned` comes from a file of the Grafana server, and cannot be pushed."""


class GrafanaError(Exception):
    """Grafana did not do what it was asked to; says what to do, never the token. `status` is what it answered, if it did."""

    def __init__(self, says: str, status: int | None = None) -> None:
        super().__init__(says)
        self.status = status


class Pushed(NamedTuple):
    """What became (or would become) of one board."""

    uid: str
    title: str
    change: Change


class Rights(NamedTuple):
    """What a token may do, whatever its role is called."""

    folders: bool
    boards: bool
    marks: bool


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
        """Write every board that is not there as it is; says of each what became of it, or would.

        Raises `GrafanaError`; a dry run too, where the token could not write.
        """
        try:
            self._open_folder(dry_run)
            for board in wanted:
                there = self._get(f"/dashboards/uid/{board['uid']}")
                change = _change(board, there)
                if change in ("updated", "overwritten") and not there["meta"].get("canSave", True):
                    raise _refused(f"board {board['uid']}")
                if change not in ("unchanged", "provisioned") and not dry_run:
                    mark = SHA + fingerprint(board)
                    body = {
                        "dashboard": {**board, "id": None, "tags": [*board["tags"], mark]},
                        "folderUid": FOLDER["uid"],
                        "overwrite": True,
                        "message": f"pantau112 boards push, {mark}",
                    }
                    self._say("POST", "/dashboards/db", f"board {board['uid']}", body)
                yield Pushed(board["uid"], board["title"], change)
        except GrafanaError as refused:
            raise GrafanaError(f"{refused}; {LATER}", REFUSED) if refused.status == REFUSED else refused from None

    def annotate(self, kind: Kind, name: str, start: datetime, end: datetime | None) -> Change:
        """Mark a span of time on all boards, from `start` on, up to `end` once that is known. The same again changes nothing.

        Raises `GrafanaError`.
        """
        # No tag has a colon: Grafana splits one there, and finds every mark of a kind for one.
        tags = ["112", kind, f"{kind}-{name}"]
        times = {"time": _milliseconds(start)} | ({} if end is None else {"timeEnd": _milliseconds(end)})
        found = self._get("/annotations?" + urlencode([("tags", tag) for tag in tags] + [("limit", str(MARKS))]))
        mark = next((mark for mark in found or () if sorted(mark["tags"]) == sorted(tags)), None)
        if mark is None:
            self._say("POST", "/annotations", "the mark", {**times, "tags": tags, "text": f"{kind} {name}"})
            return "created"
        # Also where nothing is to be changed: only so a token that may not write is refused, and not told that all is well.
        self._say("PATCH", f"/annotations/{mark['id']}", "the mark", times)
        return "unchanged" if all(mark.get(key) == value for key, value in times.items()) else "updated"

    def health(self) -> str:
        """Grafana's version. Raises `GrafanaError` when it is not well, or takes not our token."""
        version = (self._get("/health") or {}).get("version", "unknown")
        self._say("GET", "/search?limit=1", "a search")
        return str(version)

    def rights(self) -> Rights | None:
        """What the token may do; None where this Grafana does not say. Raises `GrafanaError`."""
        may = self._get("/access-control/user/permissions")
        if may is None:
            return None
        return Rights("folders:create" in may, "dashboards:write" in may, "annotations:create" in may)

    def has_folder(self) -> bool:
        """Whether our folder is there, as far as the token sees. Raises `GrafanaError`, also where it may not write into it."""
        try:
            folder = self._get(f"/folders/{FOLDER['uid']}")
        except GrafanaError as refused:
            if refused.status != REFUSED:
                raise
            return False  # an Editor is refused what is not there; only asking to make it shows who may
        if folder is not None and not folder.get("canSave", True):
            raise _refused(NAMED)
        return folder is not None

    def _open_folder(self, dry_run: bool) -> None:
        if self.has_folder():
            return
        if dry_run:
            rights = self.rights()
            if rights is not None and not rights.folders:
                raise _refused(NAMED)
            return
        try:
            self._say("POST", "/folders", NAMED, FOLDER)
        except GrafanaError as refused:
            if refused.status not in (409, 412):  # there, and not seen yet by this token: the boards show whether it may write
                raise

    def _get(self, path: str) -> Any:
        """What is there; None when nothing is."""
        return self._say("GET", path, path.partition("?")[0], missing=None)

    def _say(self, method: str, path: str, what: str, body: Any = None, **missing: None) -> Any:
        try:
            return getattr(self._api, method)(path, json=body) if body is not None else getattr(self._api, method)(path)
        except GrafanaClientError as refused:
            if refused.status_code == 404 and missing:
                return None
            raise GrafanaError(f"{what}: {_advice(refused)}", refused.status_code) from None
        except GrafanaException as failed:
            said = f"{what}: Grafana answered {failed.status_code}; look at its log and try again"
            raise GrafanaError(said, failed.status_code) from None
        except requests.exceptions.SSLError:
            raise GrafanaError(f"{self._where}: its certificate is signed by nobody known: set PANTAU112_GRAFANA_CA") from None
        except (requests.exceptions.RequestException, ValueError) as error:
            raise GrafanaError(
                f"{self._where} does not answer as Grafana does ({type(error).__name__}): check the address"
            ) from None


def fingerprint(board: Mapping[str, Any]) -> str:
    """What a board says, as 16 digits: the same for one that Grafana has stored, which numbers it and its versions."""
    own = {key: value for key, value in board.items() if key not in ("id", "version")}
    own["tags"] = [tag for tag in board.get("tags", ()) if not tag.startswith(SHA)]
    return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()[:16]


def _change(wanted: Mapping[str, Any], there: Mapping[str, Any] | None) -> Change:
    """What a push has to do about a board, given what Grafana answers for it."""
    if there is None:
        return "created"
    meta, board = there["meta"], there["dashboard"]
    if meta.get("provisioned"):
        return "provisioned"
    if meta.get("folderUid", FOLDER["uid"]) != FOLDER["uid"]:
        return "overwritten"
    now, ours = fingerprint(board), fingerprint(wanted)
    if SHA + now in board.get("tags", ()):
        return "unchanged" if now == ours else "updated"
    return "updated" if now == ours else "overwritten"


def _refused(what: str) -> GrafanaError:
    return GrafanaError(f"{what}: {NO_RIGHT}", REFUSED)


def _advice(refused: GrafanaClientError) -> str:
    said = refused.response.get("message", "") if isinstance(refused.response, dict) else ""
    match refused.status_code:
        case 401:
            return "the token is not known to Grafana: make a new one (Administration, Service accounts)"
        case 403:
            return NO_RIGHT
        case 400 if "provisioned" in said:
            return "it comes from a file on the Grafana server and cannot be pushed: update the file, or remove it there first"
        case 404:
            return "not found: does the address end where Grafana begins?"
        case 412:
            return "somebody else changed it meanwhile: push again"
        case status:
            return f"Grafana refused it ({status}): {said}"


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
