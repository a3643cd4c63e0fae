"""The call book keeps whole pseudonyms in few bytes, and forgets in order."""

import pytest
from pydantic import TypeAdapter

from schemas.calls import Class
from streams.core import callbook, callers, calls
from streams.core.callbook import BYTES, LONGEST_LINE, index, letters, pseudonym, shortened
from streams.core.callers import CONTACTED, EARLY
from streams.core.funnel import OPEN_CALLS
from tests.builders import BOGOR, abandoned, answered, classified, contacted, fold, key_of, offered, pseudonym_of

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

    assert sum(len(lines) for lines in state.funnel.book.nameless.values()) == 8


def busy(days: int, calls_per_day: int, prank_share: float) -> list[int]:
    """The bytes that callers take after each day, when one call in five comes from somebody who called before."""
    blob, book = TypeAdapter(callers.Callers), TypeAdapter(callbook.Book)
    state, sizes = calls.State(), []
    for n in range(days * calls_per_day):
        start, name = n * DAY / calls_per_day, f"1732496400.{n:06d}"
        caller = f"caller-{n // 5 * 4 + n % 4}"
        class_: Class = "prank" if n % 100 < 100 * prank_share else "information"
        for event in (offered(name, start, caller=caller), answered(name, start + 5), classified(name, start + 90, class_)):
            calls.step(state, event, event.time.timestamp(), BOGOR)
        if (n + 1) % calls_per_day == 0:
            sizes.append(len(blob.dump_json(state.callers)) + len(book.dump_json(state.funnel.book)))
    return sizes


def test_the_callers_of_kota_bogor_take_less_than_thirty_kilobytes() -> None:
    """953 calls a day, four in ten of them pranks as at Purworejo, most of their callers new."""
    sizes = busy(4, 953, 0.4)
    print(f"\n953 calls/d: {sizes[-1]:,} bytes")

    assert 15_000 < sizes[-1] < 30_000
    assert sizes[3] < sizes[2] * 1.02


def test_a_flood_tears_out_the_oldest_lines_and_nothing_else() -> None:
    number = BYTES // 20
    state = fold([offered(f"c{n}", n, caller=f"caller-{n}") for n in range(number)])
    book = state.funnel.book

    lines = sum(len(hour) for hour in book.named.values())
    written = len(TypeAdapter(callbook.Book).dump_json(book))
    assert BYTES - LONGEST_LINE <= book.kept <= BYTES
    assert book.kept < written < BYTES + sum(map(len, book.earlier.values())) + 300
    first = number - lines
    assert [book.find(key_of(f"c{n}")) is not None for n in (0, first - 1, first, number - 1)] == [False, False, True, True]
    assert state.strangers.passed_over == {"call_book": book.gone, "open_calls": number - OPEN_CALLS}


def test_a_late_call_of_a_torn_hour_finds_its_place_or_none() -> None:
    state = fold([offered(f"c{n}", HOUR + n / 4, caller=f"caller-{n}") for n in range(BYTES // 40)])

    fold([offered("late", 10, caller="late"), classified("late", 11, "prank")], state=state)

    assert state.funnel.book.kept <= BYTES


def test_the_book_refuses_more_things_than_it_has_letters_for() -> None:
    assert len(set(letters(52))) == 52
    with pytest.raises(ValueError, match="53 things; the book has 52 letters"):
        letters(53)


def test_of_too_many_who_were_called_back_the_newest_are_remembered() -> None:
    state = fold([contacted(f"caller-{n}", n) for n in range(CONTACTED + 10)])

    assert len(state.callers.contacted) == CONTACTED
    assert shortened(pseudonym_of("caller-9")) not in state.callers.contacted


def test_calls_of_which_only_the_end_is_told_cannot_fill_the_memory() -> None:
    state = fold([abandoned(f"c{n}", n / 100) for n in range(2 * OPEN_CALLS)])
    assert len(state.funnel.open) == OPEN_CALLS

    state = fold([abandoned("late", 3 * HOUR)], state=state)
    assert list(state.funnel.open) == [key_of("late")]


def test_calls_of_which_only_the_class_is_told_cannot_fill_the_memory() -> None:
    state = fold([classified(f"c{n}", n / 100, "prank") for n in range(2 * EARLY)])
    assert len(state.callers.early) == EARLY

    state = fold([classified("late", 3 * HOUR, "prank")], state=state)
    assert list(state.callers.early) == [key_of("late")]
