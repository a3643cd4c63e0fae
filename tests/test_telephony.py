"""What ordinary exchanges do, as their queue_logs tell it: each file of tests/data/telephony with its right figures at a moment.

City figures count journeys, figures with a queue visits; moments are seconds after 2026-01-05 15:00:00 WIB, the last event's
where none is given.
"""

from pathlib import Path
from typing import Any

import pytest

from schemas.event import Event
from schemas.topics import decode_recording, encode
from streams.analysis.measure import fold
from streams.core.callers import CALLBACKS_OPEN
from streams.core.calls import (
    CLOCK_INFO,
    ENDED_TOTAL,
    HANDLE_SECONDS,
    IN_SERVICE,
    JOURNEY_CLOCK_INFO,
    JOURNEY_WAIT_SECONDS,
    JOURNEYS_ENDED_TOTAL,
    JOURNEYS_OFFERED_TOTAL,
    JOURNEYS_WAITING,
    OFFERED_TOTAL,
    OLDEST_JOURNEY,
    OLDEST_WAITING,
    PASSED_ON_TODAY,
    PASSED_ON_TOTAL,
    PEAK,
    RESTARTS_TOTAL,
    SERVICE_LEVEL_CALLS,
    TODAY,
    TRANSFERRED_TOTAL,
    UNENDED_TOTAL,
    WAIT_SECONDS,
    WAITING,
)
from streams.core.centre import parse
from streams.core.operators import OPERATORS, RING_NO_ANSWER_TOTAL, UNPAIRED
from streams.sources import Line, read
from streams.sources.door import Door
from streams.sources.pseudonym import keyed
from tests.builders import Said, said

DATA = Path(__file__).parent / "data"
START = 1_767_600_000
FILE = 'code = "32.71"\nname = "Kota Uji"\ntimezone = "Asia/Jakarta"\n'


def told(name: str, seconds: float | None = None, more: str = "") -> Said:
    """What the monitor says of a file at a moment; `more` is what the centre's file says besides."""
    centre = parse(FILE + more)
    (path,) = (DATA / "telephony").glob(f"{name}*")
    lines = read(path, centre, Door(keyed(b"sixteen bytes key"), (centre,)))
    monitor, moment, _ = fold(lines, {centre.code: centre}, 2e9, None if seconds is None else START + seconds)
    assert moment is not None
    return said(iter(monitor.measure(centre.code, moment)))


def seats(found: Said) -> dict[str, float]:
    return {state: n for state, n in found.by_label(OPERATORS).items() if n}


def waits(found: Said, outcome: str = "answered") -> tuple[int, float]:
    waited = found.histogram(JOURNEY_WAIT_SECONDS, outcome)
    return sum(waited.counts), waited.sum


def test_an_attended_transfer_into_another_queue_is_one_journey_and_two_visits() -> None:
    found = told("01")

    assert (found[JOURNEYS_OFFERED_TOTAL,], found.by_label(JOURNEYS_ENDED_TOTAL)) == (1, {"answered": 1})
    assert waits(found) == (1, 12)
    assert found.by_label(OFFERED_TOTAL) == {"112": 1, "rujukan": 1}
    assert found.by_label(ENDED_TOTAL, "112") == found.by_label(ENDED_TOTAL, "rujukan") == {"answered": 1}
    assert (found[TRANSFERRED_TOTAL, "112"], found[TRANSFERRED_TOTAL, "rujukan"]) == (1, 0)
    assert found.histogram(HANDLE_SECONDS, "112").sum == 120
    assert found.histogram(HANDLE_SECONDS, "rujukan").sum == 173

    amid = told("01", 200)
    assert seats(amid) == {"available": 1, "talking": 1}
    assert (amid[JOURNEYS_WAITING,], amid[WAITING, "112"], amid[WAITING, "rujukan"]) == (0, 0, 0)
    assert (amid[IN_SERVICE, "112"], amid[IN_SERVICE, "rujukan"]) == (0, 1)


def test_an_end_told_under_another_id_is_known_by_queue_seat_and_times() -> None:
    found = told("03", 164)

    assert found[IN_SERVICE, "112"] == 0
    assert found.histogram(HANDLE_SECONDS, "112").sum == 120
    assert sum(found.histogram(HANDLE_SECONDS, "112").counts) == 2
    assert found[JOURNEYS_OFFERED_TOTAL,] == 2


def test_at_a_restart_of_the_exchange_every_call_before_it_is_over() -> None:
    found = told("05", 60)

    assert (found[JOURNEYS_WAITING,], found[WAITING, "112"], found[IN_SERVICE, "112"]) == (0, 0, 0)
    assert found.by_label(JOURNEYS_ENDED_TOTAL) == {"answered": 1, "lost": 2}
    assert (found[UNENDED_TOTAL, "112"], found[PEAK, "ever"], found[RESTARTS_TOTAL,]) == (1, 2, 1)
    assert found[CALLBACKS_OPEN,] == 2
    assert seats(found) == {"available": 2}

    assert told("05").by_label(JOURNEYS_ENDED_TOTAL) == {"answered": 2, "lost": 2}


def test_a_caller_who_is_sent_round_still_waits_from_the_first_moment_on() -> None:
    found = told("06")

    assert (found[JOURNEYS_OFFERED_TOTAL,], found.by_label(JOURNEYS_ENDED_TOTAL)) == (1, {"answered": 1})
    assert waits(found) == (1, 250)
    assert (found[OFFERED_TOTAL, "112"], found.by_label(ENDED_TOTAL, "112")) == (5, {"answered": 1, "overflowed": 4})
    assert found[TODAY, "offered"] == 1

    for moment in (49, 51, 249):
        amid = told("06", moment)
        assert amid[OLDEST_JOURNEY,] == START, moment
        assert amid[JOURNEYS_WAITING,] == 1
    assert amid[OLDEST_WAITING, "112"] == START
    assert amid[SERVICE_LEVEL_CALLS, "nena", "15", "60m"] == 1, "missed already, though nobody has answered"


def test_a_caller_who_is_passed_from_queue_to_queue_is_one_journey() -> None:
    found = told("07b")

    assert (found[JOURNEYS_OFFERED_TOTAL,], found.by_label(JOURNEYS_ENDED_TOTAL), waits(found)) == (1, {"answered": 1}, (1, 150))
    assert found.by_label(OFFERED_TOTAL) == {"q1": 1, "q2": 1, "q3": 1}
    assert found.by_label(ENDED_TOTAL, "q1") == found.by_label(ENDED_TOTAL, "q2") == {"overflowed": 1}
    assert found.by_label(ENDED_TOTAL, "q3") == {"answered": 1}


PAIRS = """seats = [
  { code = "seat-1", also = ["PJSIP/11", "Petugas Satu"] },
  { code = "seat-2", also = ["PJSIP/12", "Petugas Dua"] },
]"""


def test_an_interface_and_a_member_s_name_are_one_seat_where_the_file_pairs_them() -> None:
    assert seats(told("09", 20, PAIRS)) == {"talking": 1, "paused": 1}


def test_nobody_is_invented_twice_where_no_pair_is_told_and_somebody_is_told_so() -> None:
    found = told("09", 20)

    assert sum(seats(found).values()) == 2
    assert found[UNPAIRED,] == 2


def test_a_member_of_two_queues_that_leaves_one_is_still_there() -> None:
    assert "off" not in seats(told("11", 60))
    assert seats(told("11", 80)) == {"available": 1}
    assert seats(told("11", 110)) == {"talking": 1}


def test_no_seat_is_blamed_for_a_ringing_that_never_was() -> None:
    assert not any(told("13").by_label(RING_NO_ANSWER_TOTAL).values())


def test_an_end_without_an_answer_tells_both() -> None:
    found = told("15")

    assert (waits(found), found.histogram(HANDLE_SECONDS, "112").sum) == ((1, 12), 6)
    assert found.by_label(ENDED_TOTAL, "112") == {"answered": 1}


@pytest.mark.parametrize(("seconds", "state"), [(74, "talking"), (75, "wrap_up"), (89, "wrap_up"), (90, "available")])
def test_a_wrap_up_lasts_as_long_as_the_exchange_says(seconds: float, state: str) -> None:
    assert seats(told("16", seconds)) == {state: 1}


def test_a_log_kept_in_a_database_says_the_same() -> None:
    found = told("17-realtime-table")

    assert found[JOURNEYS_OFFERED_TOTAL,] == 2
    assert found.by_label(JOURNEYS_ENDED_TOTAL) == {"answered": 1, "abandoned": 1}
    assert seats(found) == {"paused": 1}


def test_two_exchanges_with_one_id_have_two_calls() -> None:
    centre = parse(FILE)
    lines = []
    for letter in "ab":
        (path,) = (DATA / "telephony").glob(f"19-server-{letter}*")
        for line in read(path, centre):
            assert isinstance(line.item, Event)
            lines.append(line._replace(item=line.item.model_copy(update={"source": f"/32.71/pbx-{letter}"})))
    monitor, moment, _ = fold(lines, {centre.code: centre}, 2e9)
    assert moment is not None
    found = said(iter(monitor.measure(centre.code, moment)))

    assert found[JOURNEYS_OFFERED_TOTAL,] == found[OFFERED_TOTAL, "112"] == 2
    assert found.by_label(JOURNEYS_ENDED_TOTAL) == {"answered": 1, "abandoned": 1}


def test_what_is_not_of_an_emergency_queue_is_nothing_to_the_city() -> None:
    found = told("23", more='queues = ["112"]')

    assert (found[JOURNEYS_OFFERED_TOTAL,], found.by_label(JOURNEYS_ENDED_TOTAL)) == (1, {"answered": 1})
    assert {outcome: n for outcome, n in found.by_label(TODAY).items() if n} == {"offered": 1, "answered": 1}
    assert found[OFFERED_TOTAL, "112"] == 1
    # The seat that calls out is in a call all the same.
    assert seats(told("23", 160, 'queues = ["112"]\nseats = [{ code = "PJSIP/11", static = true }]')) == {"talking": 1}


def test_the_next_queue_may_be_told_before_the_transfer_into_it() -> None:
    found = told("26b", 90)

    assert (found[IN_SERVICE, "112"], found[IN_SERVICE, "rujukan"]) == (0, 1)
    assert (found[TRANSFERRED_TOTAL, "112"], found.histogram(HANDLE_SECONDS, "112").sum) == (1, 60)
    assert (found[JOURNEYS_OFFERED_TOTAL,], waits(found)) == (1, (1, 5))
    assert seats(found) == {"available": 1, "talking": 1}


def test_every_call_counts_whatever_its_queue_is_called() -> None:
    found = told("29")

    assert found[JOURNEYS_OFFERED_TOTAL,] == sum(found.by_label(OFFERED_TOTAL).values()) == 6


# --- events that a source of another kind tells


def events(text: str, more: str = "", code: str = "32.71", later: float = 0) -> Said:
    centre = parse(f'code = "{code}"\nname = "Kota Uji"\ntimezone = "Asia/Jakarta"\n{more}')
    lines: list[Any] = [Line(number, decode_recording(line.encode())) for number, line in enumerate(text.splitlines(), 1)]
    lines = [line for line in lines if line.item.subject == code]
    monitor, moment, _ = fold(lines, {code: centre}, 2e9)
    assert moment is not None
    return said(iter(monitor.measure(code, moment + later)))


def test_who_ends_in_the_announcement_is_in_no_queue_and_both_clocks_are_told() -> None:
    found = events((DATA / "telephony" / "announcement.jsonl").read_text(), code="32.78")

    assert found.by_label(JOURNEYS_ENDED_TOTAL) == {"answered": 10, "announcement": 20}
    assert (found[OFFERED_TOTAL, "112"], found.by_label(ENDED_TOTAL, "112")) == (10, {"answered": 10})
    assert (found.histogram(WAIT_SECONDS, "112", "answered").sum, waits(found)) == (40, (10, 140))
    assert {(JOURNEY_CLOCK_INFO, "arrival"), (CLOCK_INFO, "112", "queue")} <= found.keys()
    assert (found[TODAY, "announcement"], found[TODAY, "abandoned"], found[TODAY, "short_abandoned"]) == (20, 0, 0)


def test_a_call_passed_to_the_neighbour_is_one_emergency_of_the_nation() -> None:
    text = (DATA / "telephony" / "two_centres.jsonl").read_text()
    first, second = events(text, code="32.78"), events(text, code="32.06")

    assert first.by_label(PASSED_ON_TOTAL) == {"32.06": 1}
    nation = first.number(JOURNEYS_OFFERED_TOTAL) + second.number(JOURNEYS_OFFERED_TOTAL) - first.number(PASSED_ON_TOTAL, "32.06")
    assert nation == 1
    assert first.number(TODAY, "answered") + second.number(TODAY, "answered") - first.number(PASSED_ON_TODAY) == 1
    assert (first.number(PASSED_ON_TODAY), second.number(PASSED_ON_TODAY)) == (1, 0)
    assert events(text, code="32.78", later=86_400).number(PASSED_ON_TODAY) == 0
    assert waits(second) == (1, 30)


DOUBLE = sorted((DATA / "asterisk" / "double").glob("*.jsonl"))


@pytest.mark.parametrize("path", DOUBLE, ids=lambda path: path.stem)
def test_a_call_told_by_two_sources_of_one_exchange_is_one_by_the_finer_clock(path: Path) -> None:
    found = events(path.read_text(), 'sources = [["/32.71/ami", "/32.71/asterisk"]]')

    assert (found[JOURNEYS_OFFERED_TOTAL,], found[OFFERED_TOTAL, "112"]) == (1, 1)
    assert found.by_label(JOURNEYS_ENDED_TOTAL) == {"answered": 1}
    assert waits(found)[1] == pytest.approx(5.01)
    assert found.histogram(HANDLE_SECONDS, "112").sum == pytest.approx(20)


def test_a_call_that_the_slower_source_tells_first_and_whole_is_one_too() -> None:
    lines = (DATA / "asterisk" / "double" / "ami-then-queuelog.jsonl").read_text().splitlines()
    turned = "\n".join(sorted(lines, key=lambda line: "/32.71/ami" in line))

    found = events(turned, 'sources = ["/32.71/ami", "/32.71/asterisk"]')

    assert (found[JOURNEYS_OFFERED_TOTAL,], found[OFFERED_TOTAL, "112"], waits(found)[0]) == (1, 1, 1)


def test_what_waits_for_a_finer_clock_is_over_at_a_restart_too() -> None:
    came = '"source":"/32.71/asterisk","type":"call.offered","subject":"32.71","time":"2026-01-05T15:00:08+07:00"'
    restarted = '"source":"/32.71/asterisk","type":"exchange.restarted","subject":"32.71","time":"2026-01-05T15:00:10+07:00"'
    told = [
        f'{{"specversion":"1.0","id":"1",{came},"data":{{"call":"c1","queue":"112","clock":"queue"}}}}',
        f'{{"specversion":"1.0","id":"2",{restarted},"data":{{}}}}',
    ]
    found = events("\n".join(told), 'sources = [["/32.71/ami", "/32.71/asterisk"]]')

    assert (found[JOURNEYS_WAITING,], found.by_label(JOURNEYS_ENDED_TOTAL)) == (0, {"lost": 1})


def test_two_sources_that_the_file_does_not_join_are_two_exchanges() -> None:
    assert events(DOUBLE[0].read_text())[JOURNEYS_OFFERED_TOTAL,] == 2


def test_an_event_that_waits_for_a_finer_clock_is_written_and_read_back_as_it_was() -> None:
    event = decode_recording(DOUBLE[0].read_text().splitlines()[-1].encode())

    assert decode_recording(encode(event)) == event  # type: ignore[arg-type]
