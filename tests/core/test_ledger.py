"""Each event counts once, whatever is delivered again; and nobody can fill the memory."""

from itertools import accumulate
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from streams.core.ledger import GONE, IDS, LATENESS, SOURCES, STRANDS, Ledger

T = 1_732_496_400.0
HOUR = 3600


def remembered(ledger: Ledger) -> int:
    kept = sum(strand.kept for source in ledger.sources.values() for strand in source.strands)
    assert ledger.kept == kept
    return kept


def test_an_event_sent_again_at_another_offset_is_a_duplicate() -> None:
    ledger = Ledger()

    assert ledger.admit(0, "a", "1", T) == "folded"
    assert ledger.admit(1, "a", "1", T) == "duplicate"
    assert ledger.admit(2, "a", "2", T) == "folded"


def test_a_record_read_again_from_the_log_is_replayed() -> None:
    ledger = Ledger()
    ledger.admit(7, "a", "1", T)

    assert ledger.admit(7, "a", "1", T) == "replayed"
    assert ledger.admit(3, "a", "never seen", T) == "replayed"
    assert ledger.offset == 7


def test_every_event_moves_the_offset_also_one_that_is_not_folded() -> None:
    ledger = Ledger()
    ledger.admit(0, "a", "1", T)
    ledger.admit(1, "a", "1", T)
    ledger.admit(2, "a", "2", T - LATENESS - 1)

    assert ledger.offset == 2


def test_the_same_id_of_two_sources_is_two_events() -> None:
    ledger = Ledger()

    assert ledger.admit(0, "a", "1", T) == "folded"
    assert ledger.admit(1, "b", "1", T) == "folded"


def test_an_event_is_late_when_it_is_more_than_an_hour_older_than_the_newest_of_its_source() -> None:
    """
    source a   ×      ├──────── 1 h ────────┤ newest
    """
    ledger = Ledger()
    ledger.admit(0, "a", "newest", T)

    assert ledger.admit(1, "a", "just in time", T - LATENESS) == "folded"
    assert ledger.admit(2, "a", "too late", T - LATENESS - 0.001) == "late"
    assert ledger.admit(3, "b", "of another clock", T - 5 * LATENESS) == "folded"


def test_a_duplicate_is_known_as_long_as_it_is_not_late() -> None:
    ledger = Ledger()
    ledger.admit(0, "a", "1", T)
    ledger.admit(1, "a", "2", T + LATENESS)

    assert ledger.admit(2, "a", "1", T) == "duplicate"
    ledger.admit(3, "a", "3", T + LATENESS + 1)
    assert ledger.admit(4, "a", "1", T) == "late"


def test_a_steady_stream_remembers_at_most_two_hours() -> None:
    ledger = Ledger()
    for n in range(10 * 60):
        ledger.admit(n, "a", str(n), T + n * 60)

    assert 60 <= remembered(ledger) <= 122


def test_long_foreign_ids_are_told_apart() -> None:
    ledger = Ledger()
    first, second = "x" * 127 + "1", "x" * 127 + "2"

    assert ledger.admit(0, "a", first, T) == "folded"
    assert ledger.admit(1, "a", second, T) == "folded"
    assert ledger.admit(2, "a", first, T) == "duplicate"


def test_a_source_that_has_been_silent_for_an_hour_gives_its_place_to_a_new_one() -> None:
    ledger = Ledger()
    for n in range(SOURCES):
        ledger.admit(n, f"pod-{n}", "1", T)

    assert ledger.admit(98, "pod-new", "1", T + 2 * HOUR) == "folded"
    assert list(ledger.sources) == ["pod-new"]
    assert ledger.admit(99, "pod-3", "2", T + 2 * HOUR) == "folded"


def test_of_sources_that_come_and_go_nothing_counts_twice_and_nothing_new_is_lost() -> None:
    """Ten times as many as there are places for, one event each, all of them told again and each with one more."""
    ledger = Ledger()
    names = [f"pod-{n}" for n in range(10 * SOURCES)]
    first = [ledger.admit(n, name, "1", T + n) for n, name in enumerate(names)]
    again = [ledger.admit(1_000 + n, name, "1", T + n) for n, name in enumerate(names)]
    news = [ledger.admit(2_000 + n, name, "2", T + 1_000 + n) for n, name in enumerate(names)]

    assert set(first) == {"folded"}
    assert set(again) <= {"duplicate", "late"}
    assert set(news) == {"folded"}
    assert (len(ledger.sources), len(ledger.gone)) == (SOURCES, GONE)


def test_what_came_late_stays_counted_when_its_source_goes_and_comes() -> None:
    ledger = Ledger()
    ledger.admit(0, "pod", "1", T)
    ledger.admit(1, "pod", "old", T - 2 * HOUR)
    for n in range(SOURCES):
        ledger.admit(2 + n, f"other-{n}", "1", T + 9 * HOUR)

    assert ledger.gone["pod"].late == 1
    assert ledger.admit(99, "pod", "old", T - 2 * HOUR) == "late"
    assert ledger.sources["pod"].late == 2


def test_the_monitors_own_source_is_never_crowded_out() -> None:
    ledger = Ledger()
    ledger.admit(0, "/32.71/pantau112", "reminder", T)
    for n in range(3 * SOURCES):
        ledger.admit(1 + n, f"/32.71/pod-{n}", "1", T + 24 * HOUR + n)

    assert ledger.admit(999, "/32.71/pantau112", "reminder", T) == "duplicate"


def test_a_backlog_behind_the_first_live_event_is_folded_whole_and_a_file_sent_again_is_not() -> None:
    """
    sent      before the cut ─►                          1  live
              ┊  cut of two days     2 ──── backlog ───►
    time  ────┴──────────────────────────────────────────┴───►
    """
    ledger = Ledger()
    before = [(f"b{n}", T + 60 * n) for n in range(60)]
    backlog = [(f"c{n}", T + 60 * n) for n in range(60, 48 * 60)]
    live = [(f"d{n}", T + 60 * n) for n in range(48 * 60, 49 * 60)]
    sent = [*before, live[0], *backlog, *live[1:]]

    assert {ledger.admit(n, "a", *event) for n, event in enumerate(sent)} == {"folded"}
    assert {ledger.admit(10_000 + n, "a", *event) for n, event in enumerate(sent)} == {"duplicate", "late"}
    assert ledger.sources["a"].late == 48 * 60 - 61, "all but the last hour on each side of the leap"


def test_live_events_that_go_on_while_a_backlog_comes_do_not_make_it_late() -> None:
    ledger = Ledger()
    ledger.admit(0, "a", "before", T)
    outcomes = set()
    for n in range(1, 2_000):
        outcomes.add(ledger.admit(2 * n, "a", f"live-{n}", T + 50 * HOUR + 5 * n))
        outcomes.add(ledger.admit(2 * n + 1, "a", f"backlog-{n}", T + 90 * n))

    assert outcomes == {"folded"}


def test_of_a_source_that_was_never_heard_before_what_is_older_than_an_hour_is_late_and_counted() -> None:
    """Whether it was folded before, under another name or by an earlier monitor, nobody can know."""
    ledger = Ledger()
    ledger.admit(0, "a", "live", T)

    assert [ledger.admit(1 + n, "a", str(n), T - 48 * HOUR + n) for n in range(60)] == ["late"] * 60
    assert ledger.sources["a"].late == 60


def test_a_quiet_hour_forgets_no_more_than_strands_allow() -> None:
    ledger = Ledger()
    for n in range(3 * STRANDS):
        ledger.admit(n, "a", str(n), T + n * 3 * HOUR)

    assert remembered(ledger) == STRANDS


def test_a_flood_is_folded_and_its_memory_bounded() -> None:
    """30,000 events in an hour, more than are remembered: the oldest go, the newest are kept, and what is forgotten is late."""
    ledger = Ledger()
    outcomes = {ledger.admit(n, "a", str(n), T + n * 0.12) for n in range(30_000)}

    assert outcomes == {"folded"}
    assert remembered(ledger) <= IDS
    assert ledger.admit(30_000, "a", "29999", T + 29_999 * 0.12) == "duplicate"
    assert ledger.admit(30_001, "a", "1", T + 0.12) == "late"


def test_a_flood_within_one_second_is_bounded_too() -> None:
    ledger = Ledger()
    for n in range(3 * IDS):
        ledger.admit(n, "a", str(n), T)

    assert remembered(ledger) <= IDS


def test_a_flood_from_one_source_costs_others_nothing() -> None:
    ledger = Ledger()
    for n in range(100):
        ledger.admit(n, "quiet", str(n), T + n)
    for n in range(3 * IDS):
        ledger.admit(100 + n, "flood", str(n), T + n * 0.01)

    assert {ledger.admit(10**6 + n, "quiet", str(n), T + n) for n in range(100)} == {"duplicate"}


def test_a_ledger_with_every_bound_reached_and_the_worst_text_takes_less_than_half_a_megabyte() -> None:
    ledger, offset = Ledger(), 10**15
    names = [f"/32.71/{n:03d}".ljust(128, "x") for n in range(GONE + SOURCES)]
    told = [(name, 0) for name in names] + [(name, leap) for leap in range(1, STRANDS) for name in names[-SOURCES:]]
    for name, leap in told:
        for k in range(IDS // SOURCES // STRANDS + 1):
            offset += 1
            ledger.admit(offset, name, f"{leap:02d}{k:04d}".ljust(20, '"'), T + leap * 3 * HOUR + k / 7)

    size = len(TypeAdapter(Ledger).dump_json(ledger))

    print(f"\n{remembered(ledger):,} ids of {len(ledger.sources)} sources: {size:,} bytes")
    assert len(ledger.gone) == GONE
    assert remembered(ledger) > 0.9 * IDS
    assert size < 500_000


events = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 30), st.integers(-20 * LATENESS, 20 * LATENESS)), max_size=80)


@settings(deadline=None)
@given(events, st.integers(1, 3))
def test_in_any_stream_no_event_is_folded_twice_and_what_is_told_again_is_not_news(
    told: list[tuple[str, int, int]], hours: int
) -> None:
    ledger = Ledger()
    folded = set()
    for turn in range(2):
        for offset, (source, n, seconds) in enumerate(told):
            time, event = T + seconds / hours, f"{n}:{seconds}"  # one event has one time
            outcome = ledger.admit(turn * len(told) + offset, source, event, time)
            assert (outcome == "duplicate") <= ((source, event) in folded)
            if outcome == "folded":
                assert (source, event) not in folded
                assert turn == 0
                folded.add((source, event))
    remembered(ledger)


@settings(deadline=None)
@given(st.lists(st.integers(-LATENESS, LATENESS // 2), max_size=40))
def test_an_event_that_is_less_than_an_hour_older_than_the_newest_is_never_late(steps: list[int]) -> None:
    ledger, newest = Ledger(), T
    for offset, seconds in enumerate(steps):
        time = newest + seconds
        newest = max(newest, time)
        assert ledger.admit(offset, "a", str(offset), time) == "folded"


@settings(deadline=None)
@given(
    st.integers(2, 400),
    st.lists(st.integers(1, 3 * HOUR), min_size=1, max_size=30),
    st.lists(st.integers(0, 600), max_size=30),
    st.randoms(use_true_random=False),
)
def test_any_backlog_in_order_is_folded_whole_whenever_live_events_come_between(
    cut: int, gaps: list[int], lives: list[int], dice: Random
) -> None:
    ledger = Ledger()
    ledger.admit(0, "a", "before", T)
    end = T + cut * HOUR
    backlog = [("backlog", time) for time in accumulate(gaps, initial=T + 1) if time < end]
    live = [("live", time) for time in accumulate(lives, initial=end)]
    sent = []
    while backlog or live:
        side = backlog if backlog and (not live or dice.random() < 0.5) else live
        sent.append(side.pop(0))
    outcomes = [ledger.admit(1 + n, "a", f"{kind}{time}{n}", time) for n, (kind, time) in enumerate(sent)]

    leaps = sum(gap > LATENESS for gap in gaps)
    if leaps < STRANDS - 2:
        assert set(outcomes) == {"folded"}
