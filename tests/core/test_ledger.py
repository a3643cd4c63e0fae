"""Each event counts once, whatever is delivered again; and nobody can fill the memory."""

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.ledger import IDS, LATENESS, SOURCES, Ledger

T = 1_732_496_400.0


def remembered(ledger: Ledger) -> int:
    return sum(len(source.ids) + len(source.before) for source in ledger.sources.values())


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


def test_one_that_goes_on_inventing_sources_is_crowded_out_and_the_known_ones_are_not() -> None:
    ledger = Ledger()
    outcomes = [ledger.admit(n, f"source-{n}", "1", T) for n in range(SOURCES + 10)]

    assert outcomes == ["folded"] * SOURCES + ["crowded"] * 10
    assert ledger.admit(99, "source-0", "2", T) == "folded"


def test_a_quiet_hour_forgets_the_ids_before_it() -> None:
    ledger = Ledger()
    for n in range(500):
        ledger.admit(n, "a", str(n), T + n)
    ledger.admit(500, "a", "after", T + 3 * LATENESS)

    assert remembered(ledger) == 1


def test_a_flood_is_folded_and_its_memory_bounded() -> None:
    """30,000 events in an hour, more than are remembered: the oldest go, the newest are kept."""
    ledger = Ledger()
    outcomes = {ledger.admit(n, "a", str(n), T + n * 0.12) for n in range(30_000)}

    assert outcomes == {"folded"}
    assert IDS < remembered(ledger) <= 2 * IDS
    assert ledger.admit(30_000, "a", "29999", T + 29_999 * 0.12) == "duplicate"


def test_a_flood_within_one_minute_is_bounded_too() -> None:
    ledger = Ledger()
    for n in range(3 * IDS):
        ledger.admit(n, "a", str(n), T)

    assert remembered(ledger) <= 2 * IDS


events = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 30), st.integers(-2 * LATENESS, 2 * LATENESS)), max_size=80)


@settings(deadline=None)
@given(events)
def test_in_any_stream_an_event_is_folded_once_unless_it_is_late(told: list[tuple[str, int, int]]) -> None:
    ledger = Ledger()
    newest: dict[str, float] = {}
    folded = set()
    for offset, (source, n, seconds) in enumerate([*told, *told]):
        time, event = T + seconds, f"{n}:{seconds}"  # one event has one time
        newest[source] = max(time, newest.get(source, time))
        late, known = time < newest[source] - LATENESS, (source, event) in folded

        assert ledger.admit(offset, source, event, time) == ("late" if late else "duplicate" if known else "folded")
        folded.add((source, event))
