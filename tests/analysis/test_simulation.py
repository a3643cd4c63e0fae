"""A simulated centre that lives now: its past and its present are one story, whenever it is stopped."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from schemas.event import Event
from schemas.topics import TOPIC_OF
from streams import centres
from streams.analysis import simulation
from streams.sources.simulate import story
from streams.worker.exposition import exposition
from streams.worker.monitor import Monitor

BOGOR = centres.load([])["32.71"]
NOW = datetime(2026, 11, 27, 16, 20, tzinfo=BOGOR.timezone)
DAYS = 1
HOUR = timedelta(hours=1)


def nothing() -> None:
    """Everything is where it should be at once."""


def waiting(until: datetime) -> Callable[..., Iterator[Event]]:
    """Life goes on to a moment, and waits for each event that lies after now; then somebody stops it."""

    def pace(events: Iterable[Event], flush: Callable[[], None]) -> Iterator[Event]:
        for event in events:
            if event.time > NOW:
                flush()
            if event.time > until:
                return
            yield event

    return pace


@pytest.fixture(scope="module")
def whole() -> list[Event]:
    """What happens from yesterday until two hours from now."""
    first = NOW - timedelta(days=DAYS)
    return [event for event in story(first, DAYS + 1, [BOGOR], 953) if event.time <= NOW + 2 * HOUR]


def told(days: int = DAYS, memory: Path | None = None, now: datetime = NOW, until: datetime = NOW + 2 * HOUR) -> list[Event]:
    return list(simulation.live([BOGOR], now, days, nothing, memory, waiting(until)))


def ids(events: Iterable[Event]) -> list[tuple[str, str]]:
    return [(event.source, event.id) for event in events]


def test_what_was_and_what_comes_are_one_story(whole: list[Event]) -> None:
    lived = told()

    assert ids(lived) == ids(whole)
    assert [event.model_copy(update={"replayed": None}) for event in lived] == whole


def test_only_what_was_before_now_is_marked_as_replayed() -> None:
    assert all((event.replayed is True) == (event.time < NOW) for event in told())


def test_every_figure_is_as_if_somebody_had_watched_from_the_beginning(whole: list[Event]) -> None:
    def said(events: list[Event]) -> list[str]:
        monitor = Monitor({BOGOR.code: BOGOR})
        for number, event in enumerate(events):
            monitor.fold_event(TOPIC_OF[event.type].name, 0, number, event, event.time.timestamp())
        return list(exposition(monitor, (NOW + 2 * HOUR).timestamp()))

    assert said(told()) == said(whole)


def test_without_days_before_it_begins_at_midnight(whole: list[Event]) -> None:
    midnight = NOW.replace(hour=0, minute=0)

    assert ids(told(days=0)) == ids(story(midnight, 1, [BOGOR], 953))[: len(told(days=0))]
    assert told(days=0)[0].time >= midnight


@pytest.mark.parametrize("stop", [NOW - 30 * HOUR, NOW - 3 * HOUR, NOW + HOUR / 7])
def test_stopped_anywhere_it_goes_on_there_and_tells_nothing_twice_that_is_not_known_by_its_id(
    whole: list[Event], tmp_path: Path, stop: datetime
) -> None:
    memory = tmp_path / "place"
    before = told(memory=memory, until=stop)
    after = told(memory=memory, now=max(NOW, stop))

    known = set(ids(before))
    twice = [event for event in after if (event.source, event.id) in known]
    assert known | set(ids(after)) == set(ids(whole))
    assert len(set(ids(after))) == len(after)
    assert all(event.time > stop - HOUR for event in twice)


def test_begun_again_tomorrow_the_tickets_of_today_are_told_to_their_ends(tmp_path: Path) -> None:
    memory, tomorrow = tmp_path / "place", NOW + 24 * HOUR
    whole = [event for event in story(NOW - timedelta(days=DAYS), DAYS + 2, [BOGOR], 953) if event.time <= tomorrow]

    before = told(memory=memory)
    after = simulation.live([BOGOR], tomorrow, DAYS, nothing, memory, waiting(tomorrow))

    assert ids(before) + ids(after) == ids(whole)


def test_what_lies_further_back_than_was_asked_for_stays_untold(tmp_path: Path) -> None:
    memory = tmp_path / "place"
    told(memory=memory)
    later = NOW + timedelta(days=30)

    events = list(islice(simulation.live([BOGOR], later, 1, nothing, memory, waiting(later)), 100))

    assert events[0].time == later.replace(hour=0, minute=0) - timedelta(days=1)


def test_a_place_is_kept_only_when_what_was_before_it_has_arrived(tmp_path: Path) -> None:
    memory, sent, arrived = tmp_path / "place", list[Event](), [0]

    def arrive() -> None:
        arrived[0] = len(sent)

    for event in islice(simulation.live([BOGOR], NOW, DAYS, arrive, memory, waiting(NOW)), 5_000):
        sent.append(event)
    place = simulation.recall(memory)

    assert place is not None
    assert [event for event in sent if event.time < place.until] == sent[: arrived[0]]
    assert sent[-1].time - place.until <= simulation.KEPT + HOUR


@pytest.mark.parametrize("text", ["", "{}", "[1, 2]", '["today", "tomorrow"]', '["2026-01-01T00:00+07:00"]'])
def test_a_file_that_keeps_no_place_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "place").write_text(text)

    assert simulation.recall(tmp_path / "place") is None
    assert simulation.recall(tmp_path / "nothing") is None
