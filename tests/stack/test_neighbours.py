"""What a web page in the operator's browser, another user of the machine and a slow client can do to what `up` runs: nothing."""

import json
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from streams import centres
from streams.api import Api
from streams.stack.debian import Programs
from streams.stack.feed import Feed
from streams.stack.pages import Pages
from streams.stack.prometheus import alertmanager, prometheus
from streams.stack.up import Monitoring, Ports
from streams.stack.web_password import ensure_password, local, web_config, web_password_file
from tests.conftest import HANG, free_port, wait_until
from tests.dashboards.test_stack import DASHBOARDS, running

SOMEBODY = [
    {},
    {"Authorization": "Basic cGFudGF1MTEyOnBhbnRhdTExMg=="},
    {"Authorization": "Bearer 0"},
    {"Origin": "http://127.0.0.1:11206", "Referer": "http://127.0.0.1:11206/"},
]
"""Headers of who does not know the password."""


def test_the_password_is_long_made_once_and_its_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    password = ensure_password(tmp_path)

    assert ensure_password(tmp_path) == password
    assert len(password) >= 32
    assert password not in web_config(tmp_path).read_text()
    for file in (web_password_file(tmp_path), web_config(tmp_path)):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_password_is_in_no_text_about_who_has_it() -> None:
    assert "secret" not in repr(Api("http://127.0.0.1:1", "secret"))


def test_what_somebody_else_put_into_the_folder_it_is_started_in_is_not_run(tmp_path: Path) -> None:
    for name in ("streams", "schemas", "asyncio"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('somebody else')")
    monitoring = Monitoring(tmp_path / "home", Ports.from_base(11_300), [], centres.load([]))
    monitoring.home.mkdir()

    feed = Feed(tmp_path / "home" / "feed", monitoring.ports, [], "topic:all", datetime.now(UTC), 1)
    for service in (monitoring._worker(), monitoring._gateway(), monitoring._feeder(), feed._player(tmp_path / "clock")):
        assert service.env is not None
        command = [*service.command[: service.command.index("streams.cli") + 1], "--version"]
        run = subprocess.run(command, cwd=tmp_path, env={**service.env}, capture_output=True, text=True, check=False)
        assert (run.returncode, run.stderr) == (0, "")


class Stack(NamedTuple):
    """A Prometheus and an Alertmanager as `up` starts them, and the pages that they send."""

    prometheus: Api
    alertmanager: Api
    pages: Pages


@pytest.fixture(scope="module")
def stack(programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    home = tmp_path_factory.mktemp("neighbours")
    ports = free_port(3)
    pages, password = Pages(home / "log" / "pages.log"), ensure_password(home)
    pages.serve(ports)
    (home / "prometheus" / "targets").mkdir(parents=True)
    paging = alertmanager(
        programs,
        home=home,
        data=home / "am",
        port=ports + 1,
        config=DASHBOARDS / "alertmanager.yml",
        here={"pages:9113": f"pantau112:{pages.password}@127.0.0.1:{ports}"},
        password=password,
    )
    watching = prometheus(
        programs,
        home=home,
        data=home / "tsdb",
        port=ports + 2,
        config=DASHBOARDS / "prometheus.yml",
        rules=sorted((DASHBOARDS / "rules").glob("*.yml")),
        here={
            "alertmanager:9093": f"127.0.0.1:{ports + 1}",
            "interval: 5s": "interval: 1s",
            **{f"names: [{name}]": f"names: [{name}.invalid]" for name in ("worker", "gateway", "edge")},
        },
        password=password,
    )
    with running(paging, home / "alertmanager.log"), running(watching, home / "prometheus.log"):
        yield Stack(local(home, ports + 2), local(home, ports + 1), pages)


def everything(until: datetime) -> dict[str, Any]:
    """A silence over every alert."""
    matchers = [{"name": "alertname", "value": ".+", "isRegex": True, "isEqual": True}]
    times = {"startsAt": datetime.now(UTC).isoformat(), "endsAt": until.isoformat()}
    return times | {"matchers": matchers, "createdBy": "x", "comment": "x"}


def status(api: Api, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> int:
    request = Request(api.address + path, body, headers, method=method)
    try:
        with urlopen(request, timeout=HANG) as answer:
            assert "Access-Control-Allow-Origin" not in answer.headers
            return int(answer.status)
    except HTTPError as refused:
        with refused:
            return refused.code


@pytest.mark.stack
@pytest.mark.parametrize("headers", SOMEBODY, ids=["plain", "guessed", "bearer", "our own page's address"])
@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-www-form-urlencoded"])
def test_nobody_silences_or_tells_an_alert_or_reads_without_the_password(
    stack: Stack, headers: dict[str, str], kind: str
) -> None:
    said = headers | {"Content-Type": kind}
    silence = json.dumps(everything(datetime.now(UTC) + timedelta(days=300))).encode()
    alert = json.dumps([{"labels": {"alertname": "Fake", "severity": "page"}, "annotations": {"summary": "fake"}}]).encode()
    for method, path, body in [
        ("POST", "/api/v2/silences", silence),
        ("POST", "/api/v2/alerts", alert),
        ("POST", "/-/reload", b""),
        ("GET", "/api/v2/alerts", None),
        ("GET", "/api/v2/status", None),
        ("GET", "/metrics", None),
        ("OPTIONS", "/api/v2/silences", None),
        ("DELETE", "/api/v2/silence/00000000-0000-0000-0000-000000000000", None),
    ]:
        assert status(stack.alertmanager, method, path, said, body) == 401, path
    for method, path, body in [
        ("POST", "/-/reload", b""),
        ("POST", "/-/quit", b""),
        ("POST", "/api/v1/admin/tsdb/delete_series?match[]=up", b""),
        ("POST", "/api/v1/write", b""),
        ("GET", "/api/v1/query?query=up", None),
        ("GET", "/api/v1/status/config", None),
        ("GET", "/federate?match[]=up", None),
        ("OPTIONS", "/api/v1/query", None),
    ]:
        assert status(stack.prometheus, method, path, said, body) == 401, path
    assert stack.alertmanager.ask("/api/v2/silences") == []
    assert not any("Fake" in page for page in stack.pages.recent)


@pytest.mark.stack
def test_who_knows_the_password_is_answered_and_prometheus_reaches_alertmanager_by_it(stack: Stack) -> None:
    def up() -> bool:
        found = stack.prometheus.ask("/api/v1/query", {"query": 'up{job="alertmanager"}'})["data"]["result"]
        return bool(found) and found[0]["value"][1] == "1"

    wait_until(up, "Prometheus scrapes Alertmanager")
    wait_until(lambda: bool(stack.alertmanager.ask("/api/v2/alerts")), "what fires reaches it")
    trial = {"alertname": "MonitorBlind", "severity": "page", "city": "32.71"}  # the one that nothing holds back
    stack.alertmanager.tell("/api/v2/alerts", [{"labels": trial, "annotations": {"summary": "by \x1b[31mhand"}}])
    wait_until(lambda: any("hand" in page for page in stack.pages.recent), "the page is written down")
    assert all(page.isprintable() for page in stack.pages.recent)


@pytest.mark.stack
def test_a_browser_that_knows_the_password_lets_no_page_of_another_site_read_by_it(stack: Stack) -> None:
    assert (
        status(stack.prometheus, "GET", "/api/v1/query?query=up", stack.prometheus.headers | {"Origin": "http://a.example"})
        == 200
    )


@pytest.mark.stack
def test_a_wrong_password_is_said_so_by_who_asks(stack: Stack) -> None:
    wrong = replace(stack.alertmanager, password="0" * 64)
    assert wrong.look("/-/ready")[0] == 401
    with pytest.raises(HTTPError, match="401"):
        wrong.ask("/api/v2/alerts")
