"""How many calls an outage cost is what would have come: within its interval, of hours like it, and never of what was cut too."""

import csv
import gzip
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.analysis.lost_calls import Arrivals, Cost, LostCalls, NotKnown, costs
from streams.analysis.rows.calls import Journey
from streams.analysis.rows.network import Outage
from streams.analysis.tables import Tables
from streams.core.centre import Centre
from streams.sources import simulate
from tests.builders import BOGOR, START, at, changed
from tests.sources import anonymous_bank

HOUR, DAY, WEEK = 3600, 86_400, 604_800
CUTS, TOGETHER = 200, 20

Span = tuple[float, float]


def bank(*names: str) -> list[float]:
    """When the calls of the bank's months came, epoch seconds."""
    times, zone = [], anonymous_bank.CENTRE.timezone
    for name in names:
        with gzip.open(anonymous_bank.data(name), "rt") as table:
            for row in csv.DictReader(table, delimiter="\t"):
                if row["outcome"] != "PHANTOM":
                    hour, minute, second = map(int, row["vru_entry"].split(":"))
                    month, day = int(row["date"][2:4]), int(row["date"][4:])
                    times.append(datetime(1999, month, day, hour, minute, second, tzinfo=zone).timestamp())
    return sorted(times)


def without(times: Sequence[float], cuts: Iterable[Span]) -> list[float]:
    left = list(times)
    for start, until in sorted(cuts, reverse=True):
        del left[bisect_left(left, start) : bisect_left(left, until)]
    return left


def evenly(days: int, per_hour: int = 20, weekend: int = 20) -> list[float]:
    """So many calls in every hour of some days from START, a Monday."""
    return [
        at(HOUR * (hour + (call + 0.5) / n))
        for hour in range(days * 24)
        for n in [per_hour if hour // 24 % 7 < 6 else weekend]
        for call in range(n)
    ]


def asked(times: Sequence[float], start: float, until: float, *others: Span, centre: Centre = BOGOR) -> LostCalls | NotKnown:
    """What a cut from `start` to `until`, seconds after START, took of some calls; in others nothing came either."""
    cuts = [(at(one), at(other)) for one, other in ((start, until), *others)]
    return Arrivals(without(times, cuts), cuts, centre).lost(at(start), at(until))


def known(found: LostCalls | NotKnown) -> LostCalls:
    assert isinstance(found, LostCalls)
    return found


def tried(times: Sequence[float], centre: Centre, blind: Span | None = None) -> tuple[float, float]:
    """The share of `CUTS` random cuts of 30 minutes to 6 hours of which the interval has what was removed, and its mean width
    over the mean of that. `blind` was never seen.
    """
    dice, covered, width, removed = Random(112), 0, 0, 0
    for _ in range(CUTS // TOGETHER):
        cuts: list[Span] = []
        while len(cuts) < TOGETHER:
            length = dice.uniform(HOUR / 2, 6 * HOUR)
            start = dice.uniform(times[0], times[-1] - length)
            near = sorted([*cuts, (start, start + length), *([blind] if blind else [])])
            if all(one[1] < other[0] for one, other in pairwise(near)):
                cuts.append((start, start + length))
        arrivals = Arrivals(without(times, cuts), cuts, centre)
        for start, until in cuts:
            truth, found = bisect_left(times, until) - bisect_left(times, start), known(arrivals.lost(start, until))
            covered += found.lower <= truth <= found.upper
            width += found.upper - found.lower
            removed += truth
    return covered / CUTS, width / removed


def test_of_200_cuts_of_the_bank_s_real_weeks_the_interval_has_what_was_removed() -> None:
    zone = anonymous_bank.CENTRE.timezone
    blind = datetime(1999, 1, 11, tzinfo=zone).timestamp(), datetime(1999, 1, 13, tzinfo=zone).timestamp()

    covered, width = tried(bank("january1999.tsv.gz", "february1999.tsv.gz"), anonymous_bank.CENTRE, blind)

    assert covered >= 0.9
    assert width < 0.9, "it is no wider than it must be"


def test_of_200_cuts_of_simulated_weeks_the_interval_has_what_was_removed() -> None:
    centre = changed(BOGOR, links=(), gauges=())
    events = simulate.events(112, START, centre, days=35, calls_per_day=150)

    covered, width = tried([event.time.timestamp() for event in events if event.type == "call.offered"], centre)

    assert covered >= 0.9
    assert width < 1.8, "evenings with an incident bring several times the usual calls"


def test_of_an_even_stream_the_part_of_the_hours_is_lost() -> None:
    found = known(asked(evenly(35), 20 * DAY + 0.5 * HOUR, 20 * DAY + 3 * HOUR))

    assert (found.came, found.basis) == (0, "hour_of_week")
    assert found.lost == found.expected == pytest.approx(50, rel=0.02)
    assert found.lower < 50 < found.upper


def test_what_came_nevertheless_was_not_lost() -> None:
    times, span = evenly(35), (at(20 * DAY), at(20 * DAY + 2 * HOUR))
    left = [time for number, time in enumerate(times) if not span[0] <= time < span[1] or number % 4 == 0]

    found = known(Arrivals(left, [span], BOGOR).lost(*span))

    assert found.came == 10
    assert found.lost == pytest.approx(30, rel=0.03)
    assert known(Arrivals(times, [span], BOGOR).lost(*span)).lower == 0


def test_weeks_after_say_what_those_before_could_not() -> None:
    assert isinstance(asked(evenly(3), 2 * DAY, 2 * DAY + HOUR), NotKnown)
    assert known(asked(evenly(30), 2 * DAY, 2 * DAY + HOUR)).lost == pytest.approx(20, rel=0.05)


def test_before_enough_other_days_were_seen_nobody_knows() -> None:
    found = asked(evenly(12), 10 * DAY, 10 * DAY + HOUR)

    assert found == NotKnown(0, "too_few_days")


def test_of_a_link_that_never_told_a_call_nobody_knows() -> None:
    assert Arrivals([], [(at(0), at(HOUR))], BOGOR).lost(at(0), at(HOUR)) == NotKnown(0, "no_calls")


def test_other_outages_at_that_time_teach_nothing() -> None:
    others = [(day * DAY, day * DAY + 3 * HOUR) for day in range(6, 28, 7) if day != 20]

    assert known(asked(evenly(35), 20 * DAY, 20 * DAY + 3 * HOUR, *others)).lost == pytest.approx(60, rel=0.02)


def test_who_calls_again_after_an_outage_makes_it_no_worse() -> None:
    span = 20 * DAY, 20 * DAY + 2 * HOUR
    again = [at(span[1] + 10 * number) for number in range(200)]

    assert known(asked(sorted([*evenly(35), *again]), *span)).lost == pytest.approx(40, rel=0.02)


def test_a_busy_day_would_have_gone_on_for_a_while() -> None:
    more = [at(20 * DAY - 8 * HOUR + 180 * number) for number in range(160)]

    times = sorted([*evenly(35), *more])

    hour, day = (known(asked(times, 20 * DAY, 20 * DAY + length)).lost for length in (HOUR, DAY))

    assert hour > 28
    assert day < 0.9 * 24 * hour


def test_two_days_in_the_rain_are_judged_by_the_days_around_them() -> None:
    found = known(asked(evenly(42), 20 * DAY + HOUR, 22 * DAY + HOUR))

    assert found.lost == pytest.approx(960, rel=0.02)
    assert found.lower > 800


def test_a_silence_of_which_nobody_told_teaches_nothing() -> None:
    times = without(evenly(35), [(at(27 * DAY), at(28 * DAY))])

    found = known(asked(times, 20 * DAY, 20 * DAY + 2 * HOUR))

    assert found.lower > 20
    assert found == known(asked(times, 20 * DAY, 20 * DAY + 2 * HOUR, (27 * DAY, 28 * DAY)))


def test_a_call_with_a_clock_years_ago_teaches_nothing() -> None:
    old = datetime(2001, 1, 1, tzinfo=BOGOR.timezone).timestamp()

    found = known(asked([old, *evenly(35)], 20 * DAY, 20 * DAY + 2 * HOUR))

    assert found.lost == pytest.approx(40, rel=0.02)


def test_an_outage_that_was_over_at_once_cost_nothing() -> None:
    assert known(asked(evenly(35), 20 * DAY, 20 * DAY)).upper == 0


def test_on_a_holiday_as_many_are_lost_as_on_a_sunday() -> None:
    span = 23 * DAY, 23 * DAY + 3 * HOUR
    holiday = changed(BOGOR).model_copy(update={"holidays": frozenset({(START + timedelta(days=23)).date()})})
    times = evenly(42, weekend=5)

    assert known(asked(times, *span)).lost > 50
    assert known(asked(times, *span, centre=holiday)).lost < 25


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 21 * 24 * 60), st.integers(0, 3 * 24 * 60), st.integers(0, 12))
def test_no_outage_costs_less_than_nothing(start: int, minutes: int, per_hour: int) -> None:
    found = asked(evenly(20, per_hour), start * 60, (start + minutes) * 60)

    if isinstance(found, LostCalls):
        assert 0 <= found.lower <= found.upper
        assert 0 <= found.lost == max(0, found.expected - found.came)


def told(*outages: Outage, until: float = 30 * DAY) -> list[Cost]:
    """What outages cost a centre with two links, of which sip-xl carries every fourth call."""
    calls = [time for time in evenly(30, 8, 8) if time < at(until)]
    links = ["sip-xl" if number % 4 == 0 else "sip-telkom" for number in range(len(calls))]
    dead = [(each.link, each.began, at(until) if each.ended is None else each.ended) for each in outages]
    rows = [
        Journey(city="32.71", journey=f"{number}", arrived=time, link=link)
        for number, (time, link) in enumerate(zip(calls, links, strict=True))
        if not any(link == name and began <= time < ended for name, began, ended in dead)
    ]
    tests = [
        Journey(city="32.71", journey=f"t{hour}", arrived=at(HOUR * hour + 1), link="sip-telkom", is_test=True)
        for hour in range(30 * 24)
    ]
    for row in (*rows, *tests):
        row.read_clock(row.arrived, BOGOR)
    for outage in outages:
        outage.read_clock(outage.began, BOGOR)
    with Tables() as tables:
        tables.write("32.71", [*rows, *tests, *outages])
        return [*costs(tables.connection, BOGOR, at(until))]


def test_an_outage_of_one_link_costs_its_share_while_the_others_carry() -> None:
    telkom = Outage(
        city="32.71", link="sip-telkom", kind="down", began=at(20 * DAY), ended=at(20 * DAY + 4 * HOUR), carrier="telkom"
    )
    xl = Outage(city="32.71", link="sip-xl", kind="down", began=at(25 * DAY), ended=at(25 * DAY + 4 * HOUR), carrier="xl")

    first, second = told(telkom, xl)

    assert (first.outage.carrier, first.share) == ("telkom", 0.75)
    assert known(first.lost).came == 0, "tests of the line are no calls"
    assert known(first.lost).lost == pytest.approx(24, rel=0.03)
    assert second.outage.link == "sip-xl"
    assert second.share == pytest.approx(0.25, abs=0.01)
    assert known(second.lost).lost == pytest.approx(8, rel=0.1)


def test_an_outage_that_goes_on_costs_what_was_to_come_until_now() -> None:
    [cost] = told(Outage(city="32.71", link="sip-telkom", kind="down", began=at(29 * DAY)), until=29 * DAY + 2 * HOUR)

    assert known(cost.lost).lost == pytest.approx(12, rel=0.05)


def test_of_a_line_that_calls_are_never_told_of_the_cost_is_not_known() -> None:
    [cost] = told(Outage(city="32.71", link="uplink", kind="down", began=at(20 * DAY), ended=at(20 * DAY + HOUR)))

    assert (cost.share, cost.lost) == (0, NotKnown(0, "no_calls"))
