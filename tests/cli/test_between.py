"""From when until when a verb looks at events, however a person says it."""

from datetime import datetime
from typing import get_args

import pytest
import typer

from streams import centres
from streams.analysis import period
from streams.analysis.period import Word
from streams.cli.terminal import Last, between
from tests.builders import BOGOR, changed

NOON = datetime.fromisoformat("2026-10-03T12:00+07:00")


def test_by_two_moments_by_one_or_by_none_it_is_as_it_was_said() -> None:
    assert between(NOON, None, None, None, [BOGOR]) == (NOON, None)
    assert between(None, NOON, None, None, [BOGOR]) == (None, NOON)
    assert between(None, None, None, None, [BOGOR]) == (None, None)


def test_by_name_it_is_the_whole_of_it_on_the_centre_s_clocks() -> None:
    start, until = between(None, None, None, "2026-10-03", [changed(BOGOR, timezone="Asia/Jayapura")])
    assert (start, until) == tuple(map(datetime.fromisoformat, ("2026-10-03T00:00+09:00", "2026-10-04T00:00+09:00")))


def test_the_last_one_is_over_now() -> None:
    start, until = between(None, None, "month", None, [BOGOR])
    assert start
    assert until
    assert start < until <= datetime.now(until.tzinfo)
    assert (start.day, until.day) == (1, 1)


def test_the_words_are_those_of_a_period() -> None:
    literal, _ = get_args(get_args(Last)[0])
    assert get_args(literal) == period.WORDS


@pytest.mark.parametrize(
    ("start", "until", "last", "within", "why"),
    [
        (NOON, None, "month", None, "say one of these"),
        (None, NOON, None, "2026-10", "say one of these"),
        (None, None, "day", "2026-10", "say one of these"),
        (NOON, NOON, None, None, "nothing lies between them"),
        (None, None, None, "2026-13", "there is no month"),
        (None, None, "shift", None, "names no shifts"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    start: datetime | None, until: datetime | None, last: Word | None, within: str | None, why: str
) -> None:
    with pytest.raises(typer.BadParameter, match=why):
        between(start, until, last, within, [BOGOR])


def test_centres_whose_days_begin_at_different_times_have_no_day_together() -> None:
    jayapura = changed(BOGOR, timezone="Asia/Jayapura")
    with pytest.raises(typer.BadParameter, match="the days of these centres begin at different times"):
        between(None, None, None, "2026-10-03", [BOGOR, jayapura])
    with pytest.raises(typer.BadParameter, match="the shifts of these centres"):
        between(None, None, "shift", None, [BOGOR, *centres.load([]).values()])
    assert between(NOON, None, None, None, [BOGOR, jayapura]) == (NOON, None)
