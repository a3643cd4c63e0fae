"""What the monitor says at any moment is what the catalogue's definitions say, computed again without it."""

import ast
import gzip
import sys
import tomllib
from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime
from math import isclose, ulp
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from schemas.event import Event
from schemas.topics import TOPIC_OF, decode_recording, encode
from streams import centres
from streams.cli import app
from streams.core.histogram import Histogram
from streams.sources import asterisk, simulate
from streams.worker.monitor import Monitor
from tests.conftest import DATA
from tests.independent import (
    burst,
    callers,
    calls,
    dispatch,
    environment,
    forecast,
    load,
    losses,
    mishaps,
    names,
    network,
    operators,
    response,
    sources,
    staffing,
    survey,
)
from tests.independent.history import SECOND, Buckets, Figures, History, moment, read
from tests.sources import anonymous_bank

HERE = Path(__file__).parent
MOMENTS = 40
BUNCHED = 20
"""So many calls after another in the shortest time are the densest."""
START = datetime.fromisoformat("2026-01-05T00:00:00+07:00")
FAR = 2e9
"""Later than all that is told, epoch seconds."""
TICK = 2 * ulp(FAR)
"""Half a microsecond: how far two doubles of one moment can be apart."""


class DataSet(NamedTuple):
    """Events of one centre in the order of their time, as the monitor reads them and as the catalogue's reader does."""

    lines: list[bytes]
    centre: str

    def events(self) -> list[Event]:
        """As the monitor reads them."""
        return [event for event in map(decode_recording, self.lines) if isinstance(event, Event)]

    def history(self) -> History:
        """As the catalogue's reader does."""
        return read(self.lines, tomllib.loads(self.centre))


@pytest.fixture(scope="module")
def january() -> DataSet:
    """The calls of January 1999, as the exchange of a bank logged them."""
    centre = anonymous_bank.CENTRE
    with gzip.open(anonymous_bank.data("january1999.queue_log.gz")) as lines:
        events = [*asterisk.events(lines, centre, "/32.71/asterisk", on_bad=lambda number, reason: None)]
    file = f'code = "{centre.code}"\nname = "{centre.name}"\ntimezone = "{centre.timezone.key}"'
    return DataSet([encode(event) for event in events], file)


@pytest.fixture(scope="module")
def san_francisco(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """A week of San Francisco's fire department."""
    folder = tmp_path_factory.mktemp("sf_fire")
    centre, told = folder / "centre.toml", folder / "week.jsonl"
    centre.write_text('code = "99.01"\nname = "San Francisco"\ntimezone = "America/Los_Angeles"')
    table = DATA / "sf_fire" / "week1.csv.gz"
    arguments = ["ingest", "table", str(table), "--sql", "sf_fire", "--centre", str(centre), "--to", str(told)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return DataSet(told.read_bytes().splitlines(), centre.read_text())


@pytest.fixture(scope="module")
def simulated() -> DataSet:
    """A simulated week of Kota Bogor, with all that its file names."""
    [centre] = centres.load([]).values()
    events = simulate.events(112, START, centre, days=7)
    return DataSet([encode(event) for event in events], centres.PACKAGED.read_text())


@pytest.fixture(scope="module")
def struck(simulated: DataSet) -> DataSet:
    """The same week, in which calls are lost track of, cut off, blocked or tests, lines flap, and people decide."""
    return DataSet(mishaps.struck(simulated.lines), simulated.centre)


def test_january_s_calls_are_counted_as_the_catalogue_says(january: DataSet, tmp_path: Path) -> None:
    assert_every_figure_is_equal(january, tmp_path)


def test_a_real_week_of_dispatch_is_counted_as_the_catalogue_says(san_francisco: DataSet, tmp_path: Path) -> None:
    assert_every_figure_is_equal(san_francisco, tmp_path)


def test_a_simulated_week_of_everything_is_counted_as_the_catalogue_says(simulated: DataSet, tmp_path: Path) -> None:
    assert_every_figure_is_equal(simulated, tmp_path)


def test_a_week_of_mishaps_is_counted_as_the_catalogue_says(struck: DataSet, tmp_path: Path) -> None:
    assert_every_figure_is_equal(struck, tmp_path)


def test_whoever_computes_again_has_nothing_of_the_monitor() -> None:
    modules = [path for path in sorted(HERE.glob("*.py")) if not path.name.startswith("test_")]
    imported = {name for path in modules for name in _imports(path)}
    assert len(modules) > 8
    assert {name.partition(".")[0] for name in imported} <= {*sys.stdlib_module_names, "holidays", "tests"}
    assert all(name.startswith("tests.independent") for name in imported if name.startswith("tests"))


def assert_every_figure_is_equal(told: DataSet, folder: Path) -> None:
    """At each of the moments the monitor and the catalogue's reader say the same figures with the same values."""
    file = folder / "centre.toml"
    file.write_text(told.centre)
    [centre] = centres.load([file]).values()
    again = recomputed(told.history())
    monitor, events = Monitor({centre.code: centre}), told.events()
    times = [moment(event.time.isoformat()) for event in events]
    done, apart = 0, []
    for now in moments(times, [event.type for event in events]):
        until = bisect_right(times, now)
        for offset, event in enumerate(events[done:until], done):
            assert monitor.fold_event(TOPIC_OF[event.type].name, 0, offset, event, FAR) in {"folded", "duplicate"}
        done = until
        said = {(metric.name, *labels): value for metric, labels, value in monitor.measure(centre.code, now / SECOND)}
        apart += differences(said, again(now), now)
    assert not apart, "\n".join([f"{len(apart)} figures differ", *apart[:30]])


def recomputed(history: History) -> Callable[[int], Figures]:
    """What says all figures of a moment."""
    stories = calls.Stories(history)
    seated, strangers, arrivals = operators.Seated(stories), names.Strangers(history), forecast.Arrivals(stories)

    def figures(now: int) -> Figures:
        found = operators.figures(seated, now) | names.figures(strangers, now) | forecast.figures(arrivals, stories, now)
        found |= load.figures(stories, seated, arrivals, now) | losses.figures(stories, arrivals.unseen, now)
        found |= burst.figures(arrivals, stories, now)
        found |= staffing.required(found) | staffing.scheduled(stories, now)
        for noun in (calls, callers, response):
            found |= noun.figures(stories, now)
        for noun in (dispatch, network, environment, survey, sources):
            found |= noun.figures(history, now)
        return found

    return figures


def moments(times: Sequence[int], kinds: Sequence[str]) -> list[int]:
    """Moments between the first event and the last, in microseconds: any, those of an event, just after one, whole seconds; and
    some when calls came most densely.
    """
    dice = Random(112)
    found = []
    by_kind: dict[str, list[int]] = {}
    for time, kind in zip(times, kinds, strict=True):
        by_kind.setdefault(kind, []).append(time)
    of_kinds = [*by_kind.values()]
    for number in range(MOMENTS):
        match number % 4:
            case 0:
                found.append(dice.randrange(times[0], times[-1]))
            case 1:
                found.append(dice.choice(dice.choice(of_kinds)))
            case 2:
                found.append(dice.choice(dice.choice(of_kinds)) + 1)
            case _:
                found.append(dice.randrange(times[0], times[-1]) // SECOND * SECOND)
    calls = by_kind.get("call.offered", [])
    densest = min(zip(calls, calls[BUNCHED:], strict=False), key=lambda pair: pair[1] - pair[0], default=None)
    if densest is not None:
        found += [densest[1] + later for later in (0, 1, 200 * SECOND, 400 * SECOND)]
    return sorted(found)


def differences(said: dict[tuple[str, ...], float | Histogram], again: Figures, now: int) -> list[str]:
    """What the monitor says and the catalogue's reader says otherwise, or the other way round; a line each."""
    apart = [key for key in sorted(said.keys() | again.keys()) if not is_equal(key[0], said.get(key), again.get(key))]
    return [f"{now / SECOND:.6f} {' '.join(key)}: said {said.get(key)}, computed {again.get(key)}" for key in apart]


def is_equal(name: str, said: float | Histogram | None, computed: float | Buckets | None) -> bool:
    """Whether two figures are the same: counts exactly, others to 1e-9 of them; but moments, and what is made of seconds, to what
    these are good for, being moments since 1970 as doubles and their differences.
    """
    match said, computed:
        case Histogram(), Buckets():
            resolution = sum(computed.counts) * TICK
            return said.counts == computed.counts and isclose(said.sum, computed.sum, rel_tol=1e-9, abs_tol=resolution)
        case int() | float(), int() | float() if name.endswith("_timestamp_seconds"):
            return abs(said - computed) <= TICK
        case int() | float(), int() | float():
            resolution = 10 * TICK if name.endswith(("_seconds", "_seconds_total")) else TICK / 10
            return isclose(said, computed, rel_tol=1e-9, abs_tol=resolution)
        case _:
            return False


def _imports(path: Path) -> set[str]:
    nodes = [*ast.walk(ast.parse(path.read_text()))]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return names | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
