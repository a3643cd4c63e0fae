"""The clock that the ministry judges by, on a time line. In Kota Bogor a fire is damkar's and bpbd may come too."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.dispatch import DispatchEvent
from streams import centres
from streams.core.lags import BOUNDS
from streams.core.proportion import wilson
from streams.core.scene import (
    BACKWARD_TOTAL,
    CATEGORY_INFO,
    CLOSED_UNREACHED_TOTAL,
    OF_CATEGORY,
    OF_CITY,
    OF_OPD,
    UNREACHED,
    Family,
)
from tests.builders import (
    Said,
    acknowledged,
    closed,
    opened,
    passed_on,
    reopened,
    sent,
    ticket_readings,
    ticket_state,
    unit_arrived,
    unit_dispatched,
)

BOGOR = centres.load([])["32.71"]
HOUR = 3600
WHOLE = "opened_to_arrived"


def readings(events: list[DispatchEvent], now: float) -> Said:
    return ticket_readings(events, now, BOGOR)


def reached(name: str, start: float, seconds: float, category: str = "kebakaran") -> list[DispatchEvent]:
    """A ticket with a unit on scene after so many seconds."""
    return [opened(name, start, category), unit_arrived(name, start + seconds)]


def percentiles(said: Said, family: Family, *labels: str) -> tuple[float, ...]:
    """n, p50 and p90 of a stage."""
    return (said.number(family.tickets, *labels), *(said.number(family.quantile, *labels, q) for q in ("0.5", "0.9")))


def test_the_bounds_hold_the_ladder_s_minutes_and_the_ministry_s() -> None:
    assert {420.0, 480.0, 900.0} <= {*BOUNDS}


def test_the_first_unit_of_any_agency_is_the_city_s_and_the_category_s_and_each_agency_has_its_own() -> None:
    """
    damkar  dispatched────────────────────────arrived
    bpbd    ──────────dispatched──────arrived
        0   100       200             500     600
    """
    told = [opened("t1", 0), unit_dispatched("t1", 100), unit_dispatched("t1", 200, "b1", "bpbd")]
    told += [unit_arrived("t1", 500, "b1", "bpbd"), unit_arrived("t1", 600)]

    # What was counted stays, so another order is as good only as long as the opening was not told.
    for order in (told, *([*units, told[0]] for units in permutations(told[1:]))):
        said = readings(order, 1000)
        assert said.histogram(OF_CITY.seconds, WHOLE).sum == 500
        assert said.histogram(OF_CATEGORY.seconds, "kebakaran", WHOLE).sum == 500
        assert percentiles(said, OF_CITY, "opened_to_dispatched") == (1, 100, 100)
        assert percentiles(said, OF_CITY, "dispatched_to_arrived") == (1, 400, 400), "from the first sent to the first there"
        assert percentiles(said, OF_CATEGORY, "kebakaran", "dispatched_to_arrived") == (1, 400, 400)
        assert percentiles(said, OF_OPD, "bpbd", "opened_to_dispatched") == (1, 200, 200)
        assert percentiles(said, OF_OPD, "bpbd", "dispatched_to_arrived") == (1, 300, 300)
        assert percentiles(said, OF_OPD, "bpbd", WHOLE) == (1, 500, 500)
        assert percentiles(said, OF_OPD, "damkar", "dispatched_to_arrived") == (1, 500, 500)
        assert percentiles(said, OF_OPD, "damkar", WHOLE) == (1, 600, 600)


def test_a_reopened_ticket_is_reached_anew() -> None:
    told = [*reached("t1", 0, 100), closed("t1", 1000), reopened("t1", 2000), unit_arrived("t1", 2300, "u2")]

    said = readings(told, 3000)
    assert percentiles(said, OF_CITY, WHOLE) == (2, 100, 300)
    assert said.histogram(OF_OPD.seconds, "damkar", WHOLE).sum == 400


def test_the_share_within_eight_and_fifteen_minutes_is_to_the_microsecond_and_has_its_interval_and_n() -> None:
    lasted = [60, 480, 480.000001, 900, 900.000001]
    told = [event for n, seconds in enumerate(lasted) for event in reached(f"t{n}", 0, seconds)]

    said = readings(told, 2000)

    for family, labels in ((OF_CITY, ()), (OF_CATEGORY, ("kebakaran",)), (OF_OPD, ("damkar",))):
        assert (said[family.share.ratio, *labels, "480"], said[family.share.ratio, *labels, "900"]) == (2 / 5, 4 / 5)
        assert (said[family.share.lower, *labels, "900"], said[family.share.upper, *labels, "900"]) == wilson(4, 5)
        assert said[family.share.tickets, *labels, "900"] == 5
        counts = dict(zip(BOUNDS, said.histogram(family.seconds, *labels, WHOLE).counts, strict=False))
        assert [counts[480], counts[900], counts[1800]] == [1, 2, 1], "as in the histogram"


def test_the_centre_s_own_limit_has_its_share_too() -> None:
    own = BOGOR.model_copy(update={"thresholds": BOGOR.thresholds.model_copy(update={"scene_seconds": 600})})

    said = ticket_readings([*reached("t1", 0, 500), *reached("t2", 0, 700)], 1000, own)

    assert [said[OF_CITY.share.ratio, limit] for limit in ("480", "600", "900")] == [0, 0.5, 1]


def test_an_open_ticket_has_missed_when_it_has_lasted_for_longer_and_is_not_known_before() -> None:
    """
    t1  opened──arrived
    t2  opened──────────────────8 min──────────────15 min─────►
        0       60              480                900
    """
    told = [*reached("t1", 0, 60), opened("t2", 0), sent("t2", 0)]

    def share(now: float) -> list[tuple[float, float]]:
        said = readings(told, now)
        return [(said.number(OF_CITY.share.ratio, limit), said.number(OF_CITY.share.tickets, limit)) for limit in ("480", "900")]

    assert share(480) == [(1, 1), (1, 1)]
    assert share(480.5) == [(0.5, 2), (1, 1)]
    assert share(900.5) == [(0.5, 2), (0.5, 2)]
    assert readings(told, 900.5)[OF_OPD.share.ratio, "damkar", "900"] == 0.5, "it is with damkar"


def test_a_ticket_that_is_closed_without_a_unit_on_scene_is_about_no_arrival_and_is_said() -> None:
    told = [*reached("t1", 0, 60), opened("t2", 0), unit_dispatched("t2", 9), closed("t2", 1000)]

    said = readings(told, 1000 + HOUR - 1)
    assert said[OF_CITY.share.tickets, "900"] == 1
    assert (said[CLOSED_UNREACHED_TOTAL, "kebakaran"], said[UNREACHED, "kebakaran"]) == (0, 0), "it may still be told"
    assert readings(told, 1000 + HOUR)[CLOSED_UNREACHED_TOTAL, "kebakaran"] == 1
    swept = readings([*told, opened("t3", 2 * HOUR)], 2 * HOUR)
    assert swept[CLOSED_UNREACHED_TOTAL, "kebakaran"] == 1
    late = readings([*told, unit_arrived("t2", 700)], 1000 + HOUR)
    assert (late[CLOSED_UNREACHED_TOTAL, "kebakaran"], late[OF_CITY.share.tickets, "900"]) == (0, 2)


def test_where_nobody_tells_of_units_on_scene_no_share_is_said() -> None:
    said = readings([opened("t1", 0), sent("t1", 0), acknowledged("t1", 9)], 3 * HOUR)

    assert not [key for key in said if key[0] in (OF_CITY.share.ratio, OF_CATEGORY.share.ratio, OF_OPD.share.ratio)]
    assert said[UNREACHED, "kebakaran"] == 1


def test_percentiles_take_open_tickets_for_as_long_as_they_have_lasted() -> None:
    """Two were reached after a minute, and three have waited for an hour: the middle one of five has, or longer."""
    told = [*reached("t1", 0, 60), *reached("t2", 0, 60), *(opened(f"o{n}", 0) for n in range(3))]

    assert percentiles(readings(told, 59), OF_CITY, WHOLE) == (2, 60, 60), "not known to be longer"
    assert percentiles(readings(told, HOUR), OF_CITY, WHOLE) == (2, HOUR, HOUR)
    assert percentiles(readings(told, HOUR), OF_CATEGORY, "kebakaran", WHOLE) == (2, HOUR, HOUR)


def test_each_stage_waits_for_its_own_end() -> None:
    """
    t1  opened──dispatched──arrived
    t2  opened──dispatched──────────────────►
    t3  opened──────────────────────────────►
        0       100         400             5000
    """
    told = [opened("t1", 0), unit_dispatched("t1", 100), unit_arrived("t1", 400)]
    told += [opened("t2", 0), unit_dispatched("t2", 100), opened("t3", 0)]

    said = readings(told, 5000)
    assert percentiles(said, OF_CITY, "opened_to_dispatched") == (2, 100, 5000)
    assert percentiles(said, OF_CITY, "dispatched_to_arrived") == (1, 300, 4900)
    assert percentiles(said, OF_OPD, "damkar", "dispatched_to_arrived") == (1, 300, 4900)
    assert percentiles(said, OF_CITY, WHOLE) == (1, 5000, 5000)
    assert percentiles(said, OF_OPD, "damkar", WHOLE) == (1, 400, 4900 + 100), "t2 is damkar's"


def test_an_open_ticket_is_charged_to_the_agency_that_has_it() -> None:
    told = [*reached("t1", 0, 60), opened("b1", 0), unit_arrived("b1", 60, "b", "bpbd")]
    told += [opened("t2", 0), sent("t2", 0), passed_on("t2", 30, "bpbd")]

    said = readings(told, HOUR)
    assert (said[OF_OPD.share.ratio, "damkar", "900"], said[OF_OPD.share.ratio, "bpbd", "900"]) == (1, 0.5)


def test_an_end_before_its_start_is_counted_apart_and_is_in_no_figure() -> None:
    """
    t1  opened at 10:05:30 by a clock with seconds; dispatched and arrived at 10:05 by a table of minutes
    """
    told = [opened("t1", 30), sent("t1", 30), unit_dispatched("t1", 0), unit_arrived("t1", 0), closed("t1", 10)]

    for order in (told, *([*others, told[0]] for others in permutations(told[1:]))):
        said = readings(order, 99)
        backward = {stage: said.get((BACKWARD_TOTAL, stage), 0) for stage in ("opened_to_dispatched", WHOLE, "opened_to_closed")}
        assert backward == {"opened_to_dispatched": 1, WHOLE: 1, "opened_to_closed": 1}
        assert (OF_CITY.seconds, WHOLE) not in said
        assert percentiles(said, OF_CITY, "dispatched_to_arrived") == (1, 0, 0), "these two are by one clock"


def test_an_answer_before_its_sending_is_backward_too() -> None:
    said = readings([opened("t1", 0), sent("t1", 10), acknowledged("t1", 8)], 99)

    assert said[BACKWARD_TOTAL, "sent_to_answered"] == 1


def test_a_lag_of_fifteen_minutes_by_clocks_with_milliseconds_is_within_fifteen_minutes() -> None:
    told = [event for n in range(1000) for event in reached(f"t{n}", n / 1000, 900)]

    said = readings(told, 2000)
    assert said[OF_CITY.share.ratio, "900"] == 1
    assert dict(zip(BOUNDS, said.histogram(OF_CITY.seconds, WHOLE).counts, strict=False))[900] == 1000


def test_a_ticket_without_a_unit_on_scene_beyond_the_centre_s_limit_is_said_by_category() -> None:
    told = [opened("t1", 0), opened("t2", 0, "kecelakaan"), unit_arrived("t2", 9), opened("t3", 0, "gangguan-keamanan")]

    said = readings(told, 900)
    assert said.by_label(UNREACHED) == {}
    said = readings(told, 900.5)
    assert said.by_label(UNREACHED) == {"gangguan-keamanan": 1, "kebakaran": 1}
    assert said[UNREACHED, "kecelakaan"] == 0
    assert said[CATEGORY_INFO, "kebakaran", "life_safety"] == 1
    assert said[CATEGORY_INFO, "gangguan-keamanan", "routine"] == 1


names = st.sampled_from(["t1", "t2", "t3"])
agencies = st.sampled_from(["damkar", "bpbd", "none"])
times = st.integers(0, 2 * HOUR)
facts: st.SearchStrategy[DispatchEvent] = st.one_of(
    st.builds(opened, names, times, st.sampled_from(["kebakaran", "banjir"])),
    st.builds(unit_dispatched, names, times, st.just("u"), agencies),
    st.builds(unit_arrived, names, times, st.just("u"), agencies),
    st.builds(closed, names, times),
    st.builds(reopened, names, times),
)


@settings(deadline=None)
@given(st.lists(facts, max_size=30), times)
def test_categories_add_up_to_the_city_and_no_lag_is_below_zero(told: list[DispatchEvent], now: int) -> None:
    state = ticket_state(told, BOGOR)
    said = ticket_readings(state, now, BOGOR)

    for stage in ("opened_to_dispatched", "dispatched_to_arrived", WHOLE):
        of_categories = [said.number(*key) for key in said if key[0] is OF_CATEGORY.tickets and key[2] == stage]
        assert sum(of_categories) == said.get((OF_CITY.tickets, stage), 0)
        counted = [said.histogram(*key).counts for key in said if key[0] is OF_CATEGORY.seconds and key[2] == stage]
        assert [sum(of_bound) for of_bound in zip(*counted, strict=True)] == (
            said.histogram(OF_CITY.seconds, stage).counts if counted else []
        )
    for key in said:
        if key[0] in (OF_CITY.seconds, OF_OPD.seconds):
            assert said.histogram(*key).sum >= 0


@pytest.mark.parametrize("family", [OF_CITY, OF_CATEGORY, OF_OPD])
def test_the_help_says_day_rounding_and_rank(family: Family) -> None:
    for words in ("by the day on which a lag ended", "rounded up to the second", "Nearest rank", "Kaplan-Meier"):
        assert words in family.quantile.help
