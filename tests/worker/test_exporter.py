"""The page that Prometheus reads: what it says, when it says nothing, and what it answers to a wrong question."""

import socket
from collections.abc import Iterator
from threading import Event
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest

from schemas.topics import CALLS, PARTITIONS
from streams import centres
from streams.clock import Clock
from streams.log.topics import partition_of
from streams.worker.exporter import Exporter
from streams.worker.exposition import exposition
from streams.worker.monitor import Monitor
from streams.worker.pipeline import Pipeline
from tests.builders import START, offered
from tests.conftest import HANG

NOW = START.timestamp() + 60
HOME = partition_of("32.71", PARTITIONS)


def page(clock: Clock = Clock(), *, recovering: bool = False, owned: int = HOME) -> Exporter:  # noqa: B008 (frozen)
    """The exporter of a worker that owns one partition, with one call waiting for a minute."""
    monitor = Monitor(centres.load([]), PARTITIONS)
    assert monitor.fold_event(CALLS.name, HOME, 0, offered("c1", 0), NOW) == "folded"
    pipeline = Pipeline(recovering=recovering, owned=frozenset({(CALLS.name, owned)}))
    return Exporter(monitor, pipeline, clock, lambda: NOW)


def test_a_worker_says_the_numbers_of_the_partitions_it_owns() -> None:
    assert 'psap_calls_waiting{city="32.71",queue="112"} 1' in "".join(page().domain())
    assert list(page(owned=HOME + 1).domain()) == []


def test_while_states_come_back_no_number_is_said_but_the_pipeline_speaks() -> None:
    said = b"".join(page(recovering=True).metrics()).decode()

    assert "psap_" not in said
    assert "pantau112_recovering 1.0" in said


def test_played_faster_than_life_an_age_is_still_the_age_in_the_stream() -> None:
    """The wall says NOW, the stream says one minute past START: time() - x must be 60."""
    clock = Clock(START.timestamp(), NOW - 1, 60)
    line = next(
        x for x in "".join(page(clock).domain()).splitlines() if x.startswith("psap_oldest_waiting_call_timestamp_seconds{")
    )

    assert NOW - float(line.rsplit(" ", 1)[1]) == pytest.approx(60)


def test_the_page_of_another_moment_is_what_measure_says_of_it() -> None:
    exporter = page()
    address = f"http://127.0.0.1:{exporter.serve('127.0.0.1', 0)}"
    moment = START.isoformat()

    with urlopen(f"{address}/metrics?at={quote(moment)}") as answer:
        said = answer.read().decode()

    assert said.startswith("".join(exposition(exporter._monitor, START.timestamp(), 0.0)))


def test_a_centre_that_is_left_out_is_counted_at_every_scrape_and_logged_once_without_what_it_read(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def measure(*_: object) -> list[object]:
        raise ZeroDivisionError("Budi 0812")

    monkeypatch.setattr(Monitor, "measure", measure)
    exporter = page()
    said = [b"".join(exporter.metrics()).decode() for _ in range(3)][-1]

    assert "psap_" not in said
    assert 'pantau112_left_out_total{city="32.71",what="scrape"} 3.0' in said
    assert 'pantau112_partitions_owned{topic="112.calls.v1"} 1.0' in said
    assert caplog.text.count("ZeroDivisionError at test_exporter.py:") == 1
    assert "Budi" not in caplog.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/metrics?at=noon", 400),
        ("/metrics?at=0001-01-01T00:00:00", 400),
        ("/metrics?at=9999-12-31T23:59:59Z", 400),
        ("/elsewhere", 404),
    ],
)
def test_a_wrong_question_gets_an_answer_that_helps(path: str, status: int) -> None:
    address = f"http://127.0.0.1:{page().serve('127.0.0.1', 0)}"

    with pytest.raises(HTTPError) as refused:
        urlopen(address + path)

    with refused.value as error:
        assert error.code == status
        assert (b"at: give " if status == 400 else b"/metrics") in error.read()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_a_name_that_was_made_to_lead_here_reads_no_figures(host: str) -> None:
    there = f"[{host}]" if ":" in host else host
    asked = Request(f"http://{there}:{page().serve(host, 0)}/metrics", headers={"Host": "rebound.example"})
    with pytest.raises(HTTPError) as refused:
        urlopen(asked)
    with refused.value as error:
        assert error.code == 403


def test_a_worker_is_ready_when_its_states_are_back() -> None:
    with urlopen(f"http://127.0.0.1:{page().serve('127.0.0.1', 0)}/ready") as answer:
        assert answer.status == 200
    with pytest.raises(HTTPError) as refused:
        urlopen(f"http://127.0.0.1:{page(recovering=True).serve('127.0.0.1', 0)}/ready")
    with refused.value as error:
        assert error.code == 503


def test_whoever_hangs_up_before_the_answer_leaves_nothing_in_the_log(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    gone, answering = Event(), Event()
    exporter = page()

    def slow(_: object) -> Iterator[bytes]:
        answering.set()
        assert gone.wait(HANG)
        yield b"#" * 10_000_000

    monkeypatch.setattr(exporter, "metrics", slow)
    port = exporter.serve("127.0.0.1", 0)
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        assert answering.wait(HANG)
    gone.set()
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=HANG) as answer:  # comes after it
        assert answer.status == 200

    assert capfd.readouterr().err == ""
