"""A real Alertmanager with the project's own routes, that a test tells alerts as Prometheus does, kills, and starts again."""

import contextlib
import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import yaml

from streams.edge.gateway.silences import Matcher
from streams.stack.debian import Programs
from streams.stack.prometheus import alertmanager
from tests.conftest import HANG, free_port, wait_until

DASHBOARDS = Path(__file__).parents[1] / "dashboards"
QUICK = {
    "group_wait: 10m\n      group_interval: 1m": "group_wait: 8s\n      group_interval: 1s",
    "group_wait: 5s": "group_wait: 1s",
    "group_interval: 15s": "group_interval: 1s",
}
"""What takes ten minutes takes eight seconds here."""
Json = dict[str, Any]


class Paging:
    """It runs on a free port, and keeps in `home` what it writes down."""

    def __init__(self, programs: Programs, home: Path, here: Mapping[str, str], config: Path | None = None) -> None:
        self.home, self.port = home, free_port()
        self._service = alertmanager(
            programs,
            home=home,
            data=home / "kept",
            port=self.port,
            config=config or DASHBOARDS / "alertmanager.yml",
            here=here,
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.home / "alertmanager.log").read_text()

    @contextlib.contextmanager
    def running(self) -> Iterator["Paging"]:
        """Until the block ends."""
        self.start()
        try:
            yield self
        finally:
            self.kill()

    def start(self) -> None:
        """On what it wrote down; returns when it answers."""
        with (self.home / "alertmanager.log").open("ab") as log:
            self._process = process = subprocess.Popen(self._service.command, stdout=log, stderr=log)
        wait_until(lambda: self._answers() or process.poll() is not None, "Alertmanager is ready")
        assert process.poll() is None, self.log

    def kill(self) -> None:
        """SIGKILL; returns when it is dead."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(HANG)

    def raise_alert(self, name: str, /, *, since: datetime | None = None, until: datetime | None = None, **labels: str) -> Json:
        """Tell that an alert of ours in Kota Bogor fires since then; as Prometheus does it, it ends by itself after four minutes.

        Returns its labels. With the same `since` it is the same alert, and with `until` in the past it is over.
        """
        rule = rule_of(name)
        labels = {"alertname": name, **rule["labels"], "city": "32.71", "name": "Kota Bogor", "province": "Jawa Barat", **labels}
        now = datetime.now(UTC)
        alert = {
            "labels": {key: text for key, text in labels.items() if text},
            "annotations": {key: text.replace("{{ $labels.name }}", "Kota Bogor") for key, text in rule["annotations"].items()},
            "startsAt": (since or now).isoformat(),
            "endsAt": (until or now + timedelta(minutes=4)).isoformat(),
        }
        self._post("/api/v2/alerts", [alert])
        return dict(alert["labels"])

    def silence(self, labels: Mapping[str, str], by: str, seconds: float) -> None:
        """As somebody would on Alertmanager's own page."""
        self.silence_by([Matcher(name, text, False, True) for name, text in labels.items()], by, timedelta(seconds=seconds))

    def silence_by(self, matchers: Iterable[Matcher], by: str, lasting: timedelta, begins: timedelta = timedelta(0)) -> None:
        """The same by any matchers, from so long from now on."""
        start = datetime.now(UTC) + begins
        said = [{"name": one.name, "value": one.value, "isRegex": one.is_regex, "isEqual": one.is_equal} for one in matchers]
        times = {"startsAt": start.isoformat(), "endsAt": (start + lasting).isoformat()}
        self._post("/api/v2/silences", times | {"matchers": said, "createdBy": by, "comment": "by hand"})

    def alerts(self, name: str) -> list[Json]:
        """What it holds of a name."""
        return [alert for alert in self.get("/api/v2/alerts") if alert["labels"].get("alertname") == name]

    def get(self, path: str) -> Any:
        with urlopen(self.address + path, timeout=HANG) as answer:
            return json.load(answer)

    def _post(self, path: str, body: object) -> None:
        request = Request(self.address + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urlopen(request, timeout=HANG):
            pass

    def _answers(self) -> bool:
        try:
            with urlopen(self.address + "/-/ready", timeout=HANG):
                return True
        except OSError:
            return False


def rule_of(name: str) -> Json:
    """Our rule of this name; the one that is a page, where there are several."""
    files = [yaml.safe_load(file.read_text()) for file in (DASHBOARDS / "rules").glob("*.yml")]
    rules = [rule for file in files for group in file["groups"] for rule in group["rules"] if rule.get("alert") == name]
    return dict(min(rules, key=lambda rule: str(rule["labels"]["severity"])))
