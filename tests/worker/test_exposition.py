"""The exposition text: golden for a simulated day, and read back by Prometheus' own parser."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from schemas.event import Event
from schemas.topics import TOPIC_OF
from streams import centres
from streams.core.histogram import Histogram
from streams.core.reading import Reading
from streams.sources import simulate
from streams.worker.exposition import exposition
from streams.worker.monitor import METRICS, Monitor

GOLDEN = Path(__file__).with_name("golden") / "metrics.txt"
START = datetime.fromisoformat("2026-01-05T00:00+07:00")
NOON = START + timedelta(hours=12)


def folded(until: datetime) -> Monitor:
    """A simulated day of Kota Bogor up to a moment."""
    monitor = Monitor(centres.load([]))
    events: list[Event] = [event for event in simulate.events(112, START, monitor.centres["32.71"]) if event.time <= until]
    for offset, event in enumerate(events):
        assert monitor.fold_event(TOPIC_OF[event.type].name, 0, offset, event, until.timestamp()) == "folded"
    return monitor


def golden() -> str:
    """What a simulated Kota Bogor says at noon."""
    return "".join(exposition(folded(NOON), NOON.timestamp()))


def test_a_simulated_noon_in_bogor_is_measured_as_recorded() -> None:
    """After a wanted change: `make docs`, and read the difference."""
    assert golden() == GOLDEN.read_text()


def test_prometheus_own_parser_reads_every_sample_back() -> None:
    monitor = folded(NOON)
    families = {family.name: family for family in text_string_to_metric_families("".join(exposition(monitor, NOON.timestamp())))}
    kinds = {metric.name: metric.kind for metric in METRICS}

    for metric, values, value in monitor.measure("32.71", NOON.timestamp()):
        family = families[metric.name.removesuffix("_total") if metric.kind == "counter" else metric.name]
        assert family.type == kinds[metric.name]
        labels = dict(zip(("city", *metric.labels), ("32.71", *values), strict=True))
        found = {s.name: s.value for s in family.samples if {k: v for k, v in s.labels.items() if k != "le"} == labels}
        if isinstance(value, Histogram):
            assert found[f"{metric.name}_sum"] == value.sum
            assert found[f"{metric.name}_count"] == sum(value.counts)
        else:
            assert found[metric.name] == value


def test_every_family_of_the_catalogue_can_be_said_and_nothing_else_is() -> None:
    said = {line.split()[2] for line in golden().splitlines() if line.startswith("# TYPE")}

    assert said <= {metric.name for metric in METRICS}
    assert {"psap_calls_offered_total", "psap_operators", "psap_answer_ratio", "psap_city_info"} <= said


def test_a_name_with_quotes_and_backslashes_survives() -> None:
    centre = centres.load([])["32.71"].model_copy(update={"name": 'Kota "Hujan" \\ Bogor'})
    text = "".join(exposition(Monitor({"32.71": centre}), NOON.timestamp()))

    info = next(f for f in text_string_to_metric_families(text) if f.name == "psap_city_info")
    assert info.samples[0].labels["name"] == 'Kota "Hujan" \\ Bogor'


def test_exported_timestamps_move_with_the_clock_and_nothing_else_does() -> None:
    plain, moved = golden().splitlines(), "".join(exposition(folded(NOON), NOON.timestamp(), shift=1000)).splitlines()

    for before, after in zip(plain, moved, strict=True):
        if "_timestamp_seconds{" in before:
            assert float(after.rsplit(" ", 1)[1]) == float(before.rsplit(" ", 1)[1]) + 1000
        else:
            assert after == before


@pytest.mark.parametrize("odd", [ZeroDivisionError("Budi"), None])
def test_a_centre_that_cannot_be_measured_is_left_out_with_all_its_series_and_the_others_are_served(
    monkeypatch: pytest.MonkeyPatch, odd: Exception | None
) -> None:
    """Whether its nouns raise, or say something that is no number in the midst of all they say."""
    plain = centres.load([])["32.71"]
    known = {code: plain.model_copy(update={"code": code}) for code in ("32.1", "32.71", "32.8")}
    monitor, real = Monitor(known), Monitor.measure
    expected = "".join(exposition(monitor, NOON.timestamp(), cities=["32.1", "32.8"]))

    def measure(self: Monitor, city: str, now: float) -> list[Reading]:
        readings = real(self, city, now)
        if city != "32.71":
            return readings
        if odd:
            raise odd
        last = next(metric for metric in METRICS if metric.name.endswith("_timestamp_seconds"))
        return [*readings, (last, tuple("x" for _ in last.labels), None)]  # type: ignore[list-item]

    monkeypatch.setattr(Monitor, "measure", measure)
    left_out: list[tuple[str, type[Exception]]] = []
    said = "".join(exposition(monitor, NOON.timestamp(), 1.0, on_fault=lambda city, error: left_out.append((city, type(error)))))

    assert said == expected
    assert left_out == [("32.71", type(odd) if odd else TypeError)]


if __name__ == "__main__":
    GOLDEN.write_text(golden())
