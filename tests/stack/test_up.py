"""One thread through the whole system: calls in, a page on the receiver out, nothing left behind."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from schemas.topics import encode
from streams import centres
from streams.analysis.measure import measure
from streams.api import Api
from streams.sources import read
from streams.stack import local_doctor
from streams.stack.debian import Programs
from streams.stack.up import Ports
from streams.stack.web_password import local
from tests.builders import START, answered, ended, offered
from tests.conftest import DATA, HANG, LOCAL, free_port, strays, wait_until
from tests.live import recent

pytestmark = pytest.mark.stack

CALLERS = 14
ONE_DAY = "from streams.cli import main; from streams.stack import up; up.DAYS = 1; main()"
"""The command, with fewer days behind a simulated centre."""
ABOUT_ITSELF = {"MonitorBlind", "LagSeconds", "LagRecords", "DeadLetters", "PsapEventsLate", "PsapSourceClockWrong"}
"""Alerts of a monitor that takes what was long ago for what is now."""


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    """A quiet hour, then 14 callers within a minute who wait for ten, while the only seat keeps answering others."""
    quiet = [(offered(f"q{n}", n * 60), answered(f"q{n}", n * 60 + 3), ended(f"q{n}", n * 60 + 50)) for n in range(60)]
    crowd = [offered(f"c{n}", 3600 + n * 4) for n in range(CALLERS)]
    relief = [answered(f"c{n}", 4300 + n) for n in range(CALLERS)]
    others = [(offered(f"o{n}", n * 20), answered(f"o{n}", n * 20 + 1), ended(f"o{n}", n * 20 + 21)) for n in range(180, 215)]
    events = sorted([*(event for call in (*quiet, *others) for event in call), *crowd, *relief], key=lambda event: event.time)
    file = tmp_path / "feed.jsonl"
    file.write_bytes(b"".join(encode(event) + b"\n" for event in events))
    return file


class Up:
    """A running `pantau112 up`."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.home, self.ports = home, free_port(8)
        self.process = subprocess.Popen(
            [sys.executable, "-c", ONE_DAY, "up", "--home", str(home), "--ports", str(self.ports), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        )

    def value(self, query: str) -> float | None:
        """What Prometheus says; None when it says nothing (yet)."""
        return self._asked(local(self.home, self.ports + 3), query)

    def number(self, query: str) -> float:
        """What it says, where it has to say something."""
        found = self.value(query)
        assert found is not None, query
        return found

    def on_wall(self, query: str) -> float | None:
        """The same through the wall's server."""
        return self._asked(Api(f"http://127.0.0.1:{self.ports + 6}"), query)

    @staticmethod
    def _asked(api: Api, query: str) -> float | None:
        try:
            found = api.ask("/api/v1/query", {"query": query}, HANG)["data"]["result"]
        except OSError:
            return None
        return float(found[0]["value"][1]) if found else None

    def pages(self) -> str:
        """What has reached the receiver."""
        file = self.home / "log" / "pages.log"
        return file.read_text() if file.exists() else ""

    def leftovers(self) -> list[str]:
        """Command lines of processes that still have to do with this run: they name its folder, or are in it."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                place = os.readlink(process / "cwd")
            except OSError:
                continue
            if str(self.home) in line + place and process.name != str(os.getpid()):
                found.append(line)
        return found


@pytest.fixture
def home(tmp_path: Path, kafka_jars: list[Path], programs: Programs) -> Path:
    """A folder of its own, with what was fetched for the project before."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "kafka").symlink_to(LOCAL / "kafka")
    if (LOCAL / "debian").exists():
        (home / "debian").symlink_to(LOCAL / "debian")
    return home


@pytest.fixture
def up(home: Path, feed: Path) -> Iterator[Up]:
    """The boards on which a recording is played."""
    start = START + timedelta(seconds=3000)
    up = Up(home, "--feed", str(feed), "--from", start.isoformat(), "--speed", "30")
    up.home = home / "feed"
    yield from running(up)


def running(up: Up) -> Iterator[Up]:
    """It, until the test is over."""
    yield up
    for name in ("edge", "feed", "gateway", "history", "simulator", "worker"):
        log = up.home / "log" / f"{name}.log"
        assert strays(log.read_text() if log.exists() else "") == []
    up.process.send_signal(signal.SIGKILL)
    print(*up.process.communicate())  # seen when a test failed
    wait_until(lambda: not up.leftovers(), "everything ended")


def test_a_crowd_of_callers_reaches_prometheus_and_the_wall_and_ctrl_c_leaves_nothing(up: Up) -> None:
    wait_until(
        lambda: up.value('max_over_time(psap_calls_waiting{queue="112"}[5m])') in {CALLERS, CALLERS + 1}, "the crowd waits"
    )
    for alert in ("PsapQueueSpike", "PsapCallerWaiting"):
        fires = f'max_over_time(ALERTS{{alertname="{alert}",alertstate="firing",severity="wall"}}[5m])'
        wait_until(lambda fires=fires: up.value(fires) == 1, f"{alert} is on the wall")  # type: ignore[misc]
    wait_until(lambda: up.value('sum(psap_calls_ended_total{outcome="answered"})') == 60 + 35 + CALLERS, "all are answered")

    assert up.on_wall('sum(psap_calls_ended_total{outcome="answered"})') == 60 + 35 + CALLERS

    up.process.send_signal(signal.SIGINT)
    said, _ = up.process.communicate(timeout=HANG)

    assert up.process.returncode == 130, said
    assert f"papan / boards: http://127.0.0.1:{up.ports + 6}/" in said
    assert up.leftovers() == []


def test_an_event_that_is_sent_with_the_token_of_this_machine_is_counted(simulated: Up) -> None:
    up = simulated
    wait_until(lambda: up.value('up{job="gateway"}') == 1, "Prometheus sees the gateway")
    token = (up.home / "gateway" / "token").read_text().strip()
    kind = {"Authorization": f"Bearer {token}", "Content-Type": "application/cloudevents+json"}
    asked = Request(f"http://127.0.0.1:{up.ports + 7}/v1/events", encode(*recent([offered("by-http", 0, "113")])), kind)

    with urlopen(asked, timeout=HANG) as answer:
        assert answer.status == 202
    wait_until(
        lambda: up.value('sum(psap_calls_offered_total{queue="113"} or psap_calls_offered_total{queue="other"})') == 1,
        "it is counted",
    )
    assert up.value("pantau112_gateway_events_accepted_total") is not None
    assert (up.home, Ports.from_base(up.ports)) in local_doctor.running(), "the doctor finds it"

    up.process.send_signal(signal.SIGINT)
    said, _ = up.process.communicate(timeout=HANG)
    assert f"gateway http://127.0.0.1:{up.ports + 7}/v1/events   token {up.home}/gateway/token" in said


def test_a_page_bears_a_link_by_which_somebody_takes_it_and_the_boards_can_say_who(simulated: Up) -> None:
    up = simulated
    wait_until(lambda: up.value('pantau112_alertmanager_up{job="gateway"} == 1') == 1, "the gateway sees Alertmanager")
    wait_until(lambda: up.value('up{job="alertmanager"}') == 1, "and so does Prometheus")
    notes = {"summary_id": "Percobaan", "summary": "A trial"}
    trial = [{"labels": {"alertname": "Trial", "severity": "page", "city": "32.71"}, "annotations": notes}]
    local(up.home, up.ports + 4).tell("/api/v2/alerts", trial)
    wait_until(lambda: "Percobaan" in up.pages(), "the page arrives")
    [line] = [line for line in up.pages().splitlines() if "Percobaan" in line]
    link = line.split(" / ")[-1]
    assert link.startswith(f"http://127.0.0.1:{up.ports + 7}/v1/alarms/")

    with urlopen(link, b"by=noc1&minutes=30", timeout=HANG) as answer:
        assert "NOC1" in answer.read().decode()
    taken = 'psap_alarm_state{alertname="Trial",severity="page",city="32.71",state="acknowledged",by="NOC1"}'
    wait_until(lambda: up.value(taken) == 1, "Prometheus knows who has it")


def test_killed_with_9_the_command_leaves_nothing_behind(simulated: Up) -> None:
    up = simulated
    wait_until(lambda: up.value("pantau112_build_info") == 1, "everything runs")

    up.process.kill()

    wait_until(lambda: not up.leftovers(), "everything ended")


@pytest.fixture
def centre(home: Path, tmp_path: Path) -> Iterator[Up]:
    """The monitor of a real centre, which has a queue_log, of which a part was rotated away."""
    lines = (DATA / "asterisk" / "queue_log").read_bytes().splitlines(keepends=True)
    (tmp_path / "queue_log.1").write_bytes(b"".join(lines[:60]))
    (tmp_path / "queue_log").write_bytes(b"".join(lines[60:120]))
    config = tmp_path / "edge.toml"
    text = f'spool = "spool.db"\nto = "kafka"\nmetrics_port = {free_port()}\n[[follow]]\nfile = "queue_log"\n'
    config.write_text(text)
    (home / "live").mkdir()
    yield from running(Up(home, "--edge", str(config)))


def test_a_real_centre_is_collected_and_nothing_simulated_in_a_folder_of_its_own(centre: Up, tmp_path: Path) -> None:
    whole = DATA / "asterisk" / "queue_log"
    sent = "sum(pantau112_edge_events_sent_total)"
    wait_until(lambda: (centre.value(sent) or 0) > 100, "what was there is sent")
    with (tmp_path / "queue_log").open("ab") as log:
        log.writelines(whole.read_bytes().splitlines(keepends=True)[120:])
    known = centres.load([])
    page = measure(read(whole, next(iter(known.values()))), known, time.time()).text
    visits = sum(map(float, re.findall(r"^psap_calls_offered_total{.*} (\S+)$", page, re.M)))
    wait_until(lambda: centre.value("sum(psap_calls_offered_total)") == visits, "every call is counted, and no other")

    assert centre.value('up{job="edge"}') == 1
    centre.process.send_signal(signal.SIGINT)
    said, _ = centre.process.communicate(timeout=HANG)
    assert "tanpa simulasi / a real centre, nothing is simulated" in said
    assert (centre.home / "edge" / "kafka").is_dir()
    assert list((centre.home / "live").iterdir()) == []
    assert not (centre.home / "log" / "simulator.log").exists()


@pytest.fixture
def simulated(home: Path) -> Iterator[Up]:
    """The monitor of a simulated centre, at its very first start."""
    yield from running(Up(home))


def test_a_simulated_centre_has_days_behind_it_and_goes_on_where_it_was_stopped(simulated: Up) -> None:
    home, recorded = simulated.home, "count(city:psap_journeys_missed:ratio_rate1h offset 12h)"
    wait_until(lambda: simulated.value("psap_journeys_offered_total") is not None, "it is scraped")
    offered = simulated.number("psap_journeys_offered_total")
    wait_until(lambda: simulated.value("psap_journeys_offered_total offset 12h") is not None, "history is in Prometheus")
    wait_until(lambda: simulated.value(recorded) is not None, "and what is recorded of it")
    wait_until(lambda: not (home / "live" / "history").exists(), "and its texts are gone")

    assert offered > simulated.number('psap_calls_today{outcome="offered"}') + 500, "the day before is in the state"
    assert simulated.number("count_over_time(psap_journeys_offered_total[23h:2m])") >= 23 * 30, "there is no hole"
    assert simulated.number("count(count_over_time(psap_journeys_offered_total[23h]))") == 1, "past and present are one series"
    assert simulated.number("resets(psap_journeys_offered_total[23h])") == 0
    assert simulated.number("sum(psap_late_events_total)") == 0
    assert not ABOUT_ITSELF & set(re.findall(r"(?:PAGE|ticket) +(\w+)", simulated.pages()))

    simulated.process.send_signal(signal.SIGINT)
    simulated.process.communicate(timeout=HANG)
    place = (home / "live" / "simulation.json").read_text()

    with contextlib.contextmanager(running)(Up(home)) as again:
        wait_until(lambda: (home / "live" / "simulation.json").read_text() != place, "it goes on")
        wait_until(lambda: (again.value("psap_journeys_offered_total") or 0) >= offered, "nothing is forgotten")
        assert again.number("sum(psap_late_events_total)") == 0
        assert again.number("sum(pantau112_dead_letters_total) or vector(0)") == 0
        assert not ABOUT_ITSELF & set(re.findall(r"(?:PAGE|ticket) +(\w+)", again.pages()))
        assert not (home / "live" / "history").exists()
