"""Handle time is what the core computes seats from, with exact ranks beside it."""

import pytest

from schemas.calls import CallEvent
from schemas.event import Event
from streams.analysis.report.handle import Handle
from tests.analysis.report.builders import reported
from tests.analysis.report.simulated import rows, simulated
from tests.builders import answered, changed, classified, ended, logged_in, offered, wrap_up_ended, wrap_up_started
from tests.trial import KOTA_BOGOR


def spoken(call: str, start: float, seconds: float) -> list[CallEvent]:
    return [offered(call, start), answered(call, start + 5, "seat-1"), ended(call, start + 5 + seconds)]


def test_handle_time_is_conversations_and_wrap_ups_by_calls() -> None:
    talks = [*spoken("c1", 0, 100), *spoken("c2", 600, 200), *spoken("c3", 1_200, 600), *spoken("t", 2_400, 300)]
    events: list[Event] = [logged_in("seat-1", 0), *talks, classified("t", 2_800, "test")]
    events += [wrap_up_started("seat-1", 105), wrap_up_ended("seat-1", 135), wrap_up_started("seat-1", 805, 60)]

    figures = {row.part: row for row in rows(reported(events, "handle"), Handle)}

    talk, wrap_up, handle = (figures[part] for part in ("talk", "wrap_up", "handle"))
    assert (talk.n, talk.mean, talk.p50, talk.p90, talk.p95) == (3, 300, 200, 600, 600)
    assert (wrap_up.n, wrap_up.mean, wrap_up.seconds) == (2, 45, 90)
    assert (handle.n, handle.mean, handle.p50) == (3, 330, None)
    assert handle.erlangs == pytest.approx(990 / 2_800)


def test_where_no_wrap_up_is_told_the_centre_s_file_says_how_long_one_takes() -> None:
    centre = changed(KOTA_BOGOR, wrap_up_seconds=20)
    told: list[Event] = [logged_in("seat-1", 0), *spoken("c1", 0, 100), *spoken("c2", 7_200, 100)]
    told += [wrap_up_started("seat-1", 7_305), wrap_up_ended("seat-1", 7_355)]

    figures = {row.part: row for row in rows(reported(told, "handle", centres=[centre]), Handle)}

    assert figures["handle"].mean == (100 + 100 + 50 + 20) / 2


def test_the_load_of_simulated_days_is_that_of_their_parts() -> None:
    found = simulated()

    [whole] = [row for row in rows(found, Handle) if row.part == "handle"]
    parts = [row for row in rows(found, Handle, "part") if row.part == "handle"]
    assert whole.seconds == pytest.approx(sum(row.seconds for row in parts))
    assert whole.n == sum(row.n for row in parts) > 300
    assert whole.erlangs is not None
    assert min(row.erlangs or 0 for row in parts) < whole.erlangs < max(row.erlangs or 0 for row in parts)
