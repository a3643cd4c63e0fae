"""How many days are behind a simulated centre, and what its process is told of them."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from streams import centres
from streams.analysis.measure import fold
from streams.analysis.simulation import Place, keep
from streams.core.calls import OLDEST_JOURNEY
from streams.sources import Line
from streams.stack.history import History, _Then
from streams.stack.up import Monitoring, Ports
from tests.builders import at, offered

KNOWN = centres.load([])
NATION = centres.load([centres.NATION])
TODAY = datetime.now(KNOWN["32.71"].timezone).replace(hour=0, minute=0, second=0, microsecond=0)


def since(home: Path, codes: list[str]) -> str:
    """What it says of its days."""
    return Monitoring(home, Ports.from_base(11_300), [], {code: NATION[code] for code in codes}).shown.partition("   ")[0]


def said(days: int) -> str:
    return f"simulasi sejak / simulated since {TODAY - timedelta(days=days):%Y-%m-%d}"


@pytest.mark.parametrize(("several", "days"), [(1, 14), (2, 14), (4, 7), (28, 1), (29, 0), (514, 0)])
def test_of_several_centres_there_are_fewer_days_so_that_one_machine_can_tell_them(
    tmp_path: Path, several: int, days: int
) -> None:
    codes = sorted(NATION, key=lambda code: NATION[code].timezone != KNOWN["32.71"].timezone)

    assert since(tmp_path, codes[:several]) == said(days)


def test_what_was_simulated_before_it_had_days_behind_it_has_none(tmp_path: Path) -> None:
    (tmp_path / "live" / "kafka").mkdir(parents=True)

    assert since(tmp_path, ["32.71"]) == said(0)


def test_begun_once_it_stays_begun(tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    keep(tmp_path / "live" / "simulation.json", Place(TODAY - timedelta(days=20), TODAY))

    assert since(tmp_path, ["32.71"]) == said(20)


def test_the_process_is_told_everything_by_its_command() -> None:
    history = History(
        Path("a b"),
        Path("data"),
        Path("prometheus"),
        "127.0.0.1:9112",
        1795773885.25,
        "topic:112.calls.v1",
        "2026-11-20T19:00:00+07:00@1795773885.5x60",
        ("one.toml", "with space.toml"),
    )

    assert History.read(history.command()[3:]) == history
    assert History.read(history._replace(centres=()).command()[3:]).centres == ()


def test_ages_of_a_past_that_is_told_as_of_another_time_stay_what_they_were() -> None:
    monitor, moment, _ = fold([Line(1, offered("waits", 0))], KNOWN, at(60), at(60))
    assert moment is not None
    then = _Then(monitor, moment, moment + 1000)

    told, was = then.measure("32.71", moment + 1000), monitor.measure("32.71", moment)

    assert (OLDEST_JOURNEY, (), at(0) + 1000) in told
    assert (OLDEST_JOURNEY, (), at(0)) in was
    changed = {old[0].name for old, new in zip(was, told, strict=True) if old != new}
    assert changed == {metric.name for metric, _, _ in was if metric.name.endswith("_timestamp_seconds")}
