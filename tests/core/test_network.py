"""Links as last heard of: up, flapping, registered, how well they carry, and which hours they were down in."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.network import NetworkEvent
from streams import centres
from streams.core.centre import LINKS, Centre
from streams.core.names import PASSED_OVER_TOTAL, UNKNOWN_TOTAL
from streams.core.network import (
    CHANNELS_USED,
    DOWN_SINCE,
    DROPS_TOTAL,
    FLAPS,
    HEARTBEAT,
    LINK_INFO,
    LINK_UP,
    LOSS,
    MEASURED,
    MOS,
    REGISTERED,
    UNREGISTERED_SINCE,
    State,
    down_hours,
    measure,
    step,
)
from tests.builders import BOGOR, Said, at, link, link_measured, link_occupied, respelt
from tests.builders import said as spoken

SIP = "sip-telkom"
DAY = 86_400
[PACKAGED] = centres.load([]).values()


def state_of(*events: NetworkEvent, centre: Centre = BOGOR) -> State:
    state = State()
    for event in events:
        step(state, event, event.time.timestamp(), centre)
    return state


def said(state: State, seconds: float, centre: Centre = BOGOR) -> Said:
    return spoken(measure(state, at(seconds), centre))


def test_a_link_of_which_nothing_was_told_is_absent() -> None:
    assert said(State(), 0) == {}


def test_a_link_is_down_from_its_drop_until_it_is_told_to_be_up() -> None:
    state = state_of(link("up", 0), link("down", 60))
    assert (said(state, 90)[LINK_UP, SIP], said(state, 90)[DOWN_SINCE, SIP], said(state, 90)[DROPS_TOTAL, SIP]) == (0, at(60), 1)

    state = state_of(link("up", 0), link("down", 60), link("down", 70), link("up", 100))
    assert said(state, 120)[LINK_UP, SIP] == 1
    assert (DOWN_SINCE, SIP) not in said(state, 120)
    assert said(state, 120)[DROPS_TOTAL, SIP] == 1, "a drop told twice is one"


def test_news_that_is_older_than_what_is_known_changes_nothing() -> None:
    state = state_of(link("down", 100), link("up", 50))

    assert said(state, 120)[LINK_UP, SIP] == 0


def test_a_heartbeat_alone_says_that_a_link_is_up_but_does_not_raise_one_that_is_down() -> None:
    assert said(state_of(link("heartbeat", 5)), 9)[LINK_UP, SIP] == 1
    down = said(state_of(link("down", 1), link("heartbeat", 5)), 9)
    assert (down[LINK_UP, SIP], down[HEARTBEAT, SIP]) == (0, at(5))


def test_flaps_are_the_changes_of_the_last_quarter_of_an_hour() -> None:
    state = state_of(*(link("down" if n % 2 else "up", n * 60) for n in range(8)))

    assert said(state, 420)[FLAPS, SIP] == 7
    assert said(state, 900)[FLAPS, SIP] == 7, "the first was no change"
    assert said(state, 961)[FLAPS, SIP] == 6
    assert said(state, 2_000)[FLAPS, SIP] == 0


def test_a_lost_registration_is_told_with_its_beginning() -> None:
    state = state_of(link("registered", 0), link("unregistered", 30))
    assert (said(state, 40)[REGISTERED, SIP], said(state, 40)[UNREGISTERED_SINCE, SIP]) == (0, at(30))
    step(state, link("unregistered", 45), at(45), BOGOR)  # refused again
    assert said(state, 46)[UNREGISTERED_SINCE, SIP] == at(30)
    step(state, link("registered", 50), at(50), BOGOR)
    assert said(state, 60)[REGISTERED, SIP] == 1
    assert (UNREGISTERED_SINCE, SIP) not in said(state, 60)


def test_a_sample_says_nothing_after_ten_minutes_and_what_was_not_measured_is_absent() -> None:
    state = state_of(link_measured(0, loss_ratio=0.02))

    assert said(state, 600)[LOSS, SIP] == 0.02
    assert (MOS, SIP) not in said(state, 600)
    assert (LOSS, SIP) not in said(state, 601)
    assert said(state, 601)[MEASURED, SIP] == at(0)


def test_what_another_clock_puts_into_the_future_is_of_now() -> None:
    told = [link("heartbeat", 100), link("down", 100), link("unregistered", 100), link_measured(100, mos=4)]

    found = said(state_of(*told), 50)

    ages = (DOWN_SINCE, UNREGISTERED_SINCE, HEARTBEAT, MEASURED)
    assert {found[metric, SIP] for metric in ages} == {at(50)}
    assert {said(state_of(*told), 150)[metric, SIP] for metric in ages} == {at(100)}


def test_the_newest_count_of_channels_stands() -> None:
    assert said(state_of(link_occupied(60, 7), link_occupied(30, 9)), 60)[CHANNELS_USED, SIP] == 7


def test_the_links_of_the_centres_file_are_named_with_their_carrier() -> None:
    assert said(State(), 0, PACKAGED)[LINK_INFO, SIP, "telkom", "sip"] == 1


def test_a_link_of_the_file_has_its_place_and_its_name_whatever_was_invented_before() -> None:
    told = [*(link("heartbeat", n, f"PJSIP/trunk-{n:08d}") for n in range(2 * LINKS)), link("down", 999, "SIP.Telkom")]

    found = said(state_of(*told, centre=PACKAGED), 999, PACKAGED)

    assert found[LINK_UP, SIP] == 0
    assert sum(key[0] is LINK_UP for key in found) == LINKS - len(PACKAGED.links) + 1
    assert found[PASSED_OVER_TOTAL, "link"] == LINKS + len(PACKAGED.links)
    assert found[UNKNOWN_TOTAL, "link"] == LINKS - len(PACKAGED.links)


def test_a_link_that_was_invented_yesterday_makes_way_and_one_of_the_file_never_does() -> None:
    told = [link("down", 0), *(link("up", 5 + n, f"t{n}") for n in range(2 * LINKS)), link("up", DAY + 60, "new")]

    state = state_of(*told, centre=PACKAGED)

    assert {SIP, "new"} <= state.links.keys()
    assert "t0" not in state.links
    assert len(state.links) == LINKS - len(PACKAGED.links) + 1


def test_a_link_that_the_file_names_since_today_takes_the_place_of_the_stranger_silent_longest() -> None:
    state = state_of(*(link("up", n, f"t{n}") for n in range(LINKS)), centre=BOGOR)

    step(state, link("up", LINKS), at(LINKS), PACKAGED)

    assert len(state.links) == LINKS
    assert SIP in state.links
    assert "t0" not in state.links


kinds = st.sampled_from(["up", "down", "heartbeat", "registered", "unregistered"])
told_of = st.sampled_from(["sip-telkom", "uplink", "t1"])


@given(st.lists(st.builds(link, kinds, st.integers(0, 999), told_of)), st.randoms(use_true_random=False))
def test_however_a_link_is_spelt_the_figures_are_the_same(told: list[NetworkEvent], dice: random.Random) -> None:
    written = [respelt(event, dice, link=PACKAGED.names.links) for event in told]

    assert said(state_of(*written, centre=PACKAGED), 999, PACKAGED) == said(state_of(*told, centre=PACKAGED), 999, PACKAGED)


@given(st.lists(st.integers(0, 40_000), min_size=1, max_size=30, unique=True), st.integers(0, 50_000))
def test_the_hours_a_link_was_down_in_are_those_counted_second_by_second(times: list[int], now: int) -> None:
    times = [time for time in sorted(times) if time <= now]
    state = state_of(*(link("up" if n % 2 else "down", time) for n, time in enumerate(times)))
    down = {
        (int(at(0)) + second) // 3600
        for start, end in zip(times[::2], [*times[1::2], now][: len(times[::2])], strict=True)
        for second in range(start, end + 1)
    }

    assert down_hours(state, at(0), at(now)) == down


def test_a_link_that_is_down_since_years_is_down_in_the_hours_of_the_week_and_no_more_are_counted() -> None:
    state = state_of(link("down", 0))
    assert len(down_hours(state, at(0), at(3650 * DAY))) == 168

    state = state_of(link("down", 0), link("up", 3650 * DAY))
    assert len(state.links[SIP].hours) == 168
    assert down_hours(state, at(0), at(3650 * DAY)) == set(state.links[SIP].hours)
    assert down_hours(state, at(0), at(3660 * DAY)) == set(), "a week later it was up all the week"
    assert down_hours(state_of(link("down", 60)), at(0), at(30)) == set(), "not yet"


@pytest.mark.parametrize("seed", range(5))
def test_a_state_stays_small_whatever_a_link_does(seed: int) -> None:
    from pydantic import TypeAdapter

    dice = random.Random(seed)
    state = State()
    for n in range(5_000):
        step(state, link(dice.choice(["up", "down"]), n * 7), at(n * 7), BOGOR)

    assert len(TypeAdapter(State).dump_json(state)) < 20_000
