"""How many days are behind a simulated centre, and what its process is told of them."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from streams import centres
from streams.analysis.simulation import Place, keep
from streams.stack.history import History
from streams.stack.up import Monitoring, Ports

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
        ("one.toml", "with space.toml"),
    )

    assert History.read(history.command()[3:]) == history
    assert History.read(history._replace(centres=()).command()[3:]).centres == ()
