"""The call book keeps whole pseudonyms in few bytes, and forgets in order."""

from pydantic import TypeAdapter

from schemas.calls import Class
from streams.core import callers, calls
from streams.core.callbook import CALLS, index, pseudonym, shortened
from streams.core.callers import CONTACTED, EARLY
from tests.builders import BOGOR, abandoned, answered, classified, contacted, fold, offered, pseudonym_of

HOUR, DAY = 3_600, 86_400


def test_the_book_keeps_a_pseudonym_whole() -> None:
    for name in ("0" * 32, "f" * 32, pseudonym_of("ani")):
        assert pseudonym(shortened(name)) == name


def test_an_item_of_a_column_is_not_found_across_two_others() -> None:
    assert index("abcabcbca", "bca") == 2
    assert index("abcabc", "bca") == -1
    assert index("abcabc", "abc") == 0
    assert index("", "abc") == -1


def test_calls_without_a_caller_stay_for_two_hours_at_most() -> None:
    state = fold([offered(f"c{n}", n * HOUR / 4) for n in range(40)])

    assert sum(len(hour.ends) for hour in state.callers.book.nameless.values()) == state.callers.book.kept == 8


def busy(days: int, calls_per_day: int, prank_share: float) -> list[int]:
    """The bytes that callers take after each day, when one call in five comes from somebody who called before."""
    blob = TypeAdapter(callers.Callers)
    state, sizes = calls.State(), []
    for n in range(days * calls_per_day):
        start, name = n * DAY / calls_per_day, f"1732496400.{n:06d}"
        caller = f"caller-{n // 5 * 4 + n % 4}"
        class_: Class = "prank" if n % 100 < 100 * prank_share else "information"
        for event in (offered(name, start, caller=caller), answered(name, start + 5), classified(name, start + 90, class_)):
            calls.step(state, event, event.time.timestamp(), BOGOR)
        if (n + 1) % calls_per_day == 0:
            sizes.append(len(blob.dump_json(state.callers)))
    return sizes


def test_the_callers_of_kota_bogor_take_less_than_thirty_kilobytes() -> None:
    """953 calls a day, four in ten of them pranks as at Purworejo, most of their callers new."""
    sizes = busy(4, 953, 0.4)
    print(f"\n953 calls/d: {sizes[-1]:,} bytes")

    assert 15_000 < sizes[-1] < 30_000
    assert sizes[3] < sizes[2] * 1.02


def test_a_flood_tears_out_the_oldest_hours_and_nothing_else() -> None:
    state = fold([offered(f"c{n}", n * 2, caller=f"caller-{n}") for n in range(3 * CALLS)])

    assert CALLS - 2 * HOUR / 2 < state.callers.book.kept <= CALLS
    assert state.callers.book.find(f"c{3 * CALLS - 1}") is not None
    assert state.callers.book.find("c0") is None


def test_of_too_many_who_were_called_back_the_newest_are_remembered() -> None:
    state = fold([contacted(f"caller-{n}", n) for n in range(CONTACTED + 10)])

    assert len(state.callers.contacted) == CONTACTED
    assert shortened(pseudonym_of("caller-9")) not in state.callers.contacted


def test_calls_of_which_only_the_end_is_told_cannot_fill_the_memory() -> None:
    state = fold([abandoned(f"c{n}", n / 100) for n in range(2 * EARLY)])
    assert len(state.callers.early) == EARLY

    state = fold([abandoned("late", 3 * HOUR)], state=state)
    assert list(state.callers.early) == ["late"]
