"""The boards as they were: a moment of a town's own log, going on from there, and nobody is told."""

import os
import re
import signal
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

import pytest

from schemas.topics import SNAPSHOT_INDEX, TOPICS
from streams.analysis.measure import measure
from streams.analysis.replay import open_source
from streams.log.kafka import Log
from streams.log.reader import Reader
from streams.stack.up import Ports
from streams.stack.web_password import local
from tests.conftest import HANG, RealKafka, wait_until
from tests.live import START, Group, domain, week
from tests.stack.test_up import Up, home, running

pytestmark = pytest.mark.stack

__all__ = ["home"]

MOMENT = START + timedelta(days=2, hours=14, minutes=30)


@pytest.fixture(scope="module")
def town(kafka: RealKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    """A town's log of three days, and the snapshots that its worker left there."""
    group = Group(kafka.bootstrap, "town", "town.", ["32.71"], tmp_path_factory.mktemp("town"))
    with Log(group.settings) as log:
        for event in sorted(week(days=3), key=lambda event: event.time):
            log.send(event)
        log.flush()
    worker = group.start()
    wait_until(lambda: group.is_whole, "the worker has folded it")
    wait_until(lambda: len(list(Reader(group.settings).kept(SNAPSHOT_INDEX.name))) >= len(TOPICS), "days are kept")
    assert worker.leave() == 0
    yield group
    group.kill()


@pytest.fixture
def feed(request: pytest.FixtureRequest, town: Group, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Up]:
    """Its boards, begun at a moment of the last day, at a speed."""
    for name, said in {
        "BOOTSTRAP": town.settings.bootstrap,
        "TOPIC_PREFIX": town.settings.topic_prefix,
        "ALERTMANAGER_URL": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(f"PANTAU112_{name}", said)
    [file] = town.files
    up = Up(home, "--feed", "topic:all", "--from", MOMENT.isoformat(), "--speed", request.param, "--centre", str(file))
    up.home = home / "feed"
    yield from running(up)


def measured(town: Group, at: datetime) -> str:
    """What is measured of the whole log."""
    lines = open_source("topic:all", next(iter(town.centres.values())), town.settings)
    return measure(lines, town.centres, at.timestamp(), at.timestamp()).text


@pytest.mark.parametrize("feed", ["0.1"], indirect=True)  # time hardly goes on
def test_at_a_past_moment_of_the_log_the_boards_say_what_is_measured_of_it_and_nobody_is_told(feed: Up, town: Group) -> None:
    wait_until(lambda: feed.on_wall("psap_journeys_offered_total") is not None, "the boards are there")

    ports = Ports.from_base(feed.ports)
    with urlopen(f"http://127.0.0.1:{ports.worker}/metrics?at={MOMENT.isoformat()}", timeout=HANG) as answer:
        page = answer.read().decode()
    lines = open_source("topic:all", next(iter(town.centres.values())), town.settings)
    whole = measure(lines, town.centres, MOMENT.timestamp(), MOMENT.timestamp())
    assert domain(page) == domain(whole.text)
    assert 0 < whole.outcomes["after"] < whole.outcomes["folded"]
    assert "from the snapshot" in (log := (feed.home / "log" / "feed.log").read_text()) or "snapshots of" in log

    wait_until(lambda: feed.value("psap_journeys_offered_total offset 1h") is not None, "charts have what was before")
    wait_until(lambda: feed.value("count(city:psap_journeys_missed:ratio_rate1h offset 1h)") == 1, "and what is recorded of it")
    hours = [measured(town, MOMENT - timedelta(hours=hours)) for hours in (1, 0)]
    least, most = (float(re.findall(r"^psap_journeys_offered_total{.*} (\S+)$", text, re.M)[0]) for text in hours)
    assert least <= feed.number("psap_journeys_offered_total offset 1h") <= most
    assert not (feed.home / "history").exists()

    today = feed.number('psap_calls_today{outcome="offered"}')
    assert f'psap_calls_today{{city="32.71",outcome="offered"}} {today:g}' in whole.text
    told = local(feed.home, ports.prometheus).ask("/api/v1/alertmanagers", {}, HANG)["data"]
    assert told == {"activeAlertmanagers": [], "droppedAlertmanagers": []}

    feed.process.send_signal(signal.SIGINT)
    said, _ = feed.process.communicate(timeout=HANG)
    assert feed.process.returncode == 130, said
    assert "nobody is told of its alerts" in said
    assert feed.leftovers() == []
    assert not os.path.exists(feed.home / "log" / "pages.log")


@pytest.mark.parametrize("feed", ["3600"], indirect=True)
def test_it_goes_on_to_the_end_of_the_log(feed: Up, town: Group) -> None:
    whole = measure(open_source("topic:all", next(iter(town.centres.values())), town.settings), town.centres, MOMENT.timestamp())

    def is_all_counted() -> bool:
        counted = feed.on_wall("psap_journeys_offered_total")
        return counted is not None and f'psap_journeys_offered_total{{city="32.71"}} {counted:g}\n' in whole.text

    wait_until(is_all_counted, "all that came is counted")
