"""When rungs are passed: over nights, weekends and holidays, against a table and against counting minute by minute."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams import centres
from streams.core.centre import Centre, CentreError, Ladder, parse
from streams.core.ladder import deadlines, ladder_of
from tests.builders import changed

BOGOR = centres.load([])["32.71"]
MARCH = datetime(2026, 3, 1)  # noqa: DTZ001 (zone follows)
"""Then come Nyepi, Idul Fitri and Good Friday; and in San Francisco clocks change."""
SAN_FRANCISCO = BOGOR.model_copy(update={"timezone": ZoneInfo("America/Los_Angeles")})


def passed(clock: str, hours: list[float], since: str, centre: Centre = BOGOR, opd: str = "damkar") -> list[str]:
    """Local moments at which rungs of so many hours are passed."""
    rungs = [{"name": f"r{n}", "minutes": h * 60} for n, h in enumerate(hours)]
    ladder = Ladder.model_validate({"clock": clock, "rungs": rungs})
    start = datetime.fromisoformat(since).replace(tzinfo=centre.timezone).timestamp()
    found = deadlines(ladder, start, opd, centre)
    return [datetime.fromtimestamp(time, centre.timezone).strftime("%a %d %H:%M") for time in found]


@pytest.mark.parametrize(
    ("clock", "hours", "since", "expected"),
    [
        # A weekend: Friday 29 November 2024, 15:00.
        ("always", [24, 48, 72], "2024-11-29T15:00", ["Sat 30 15:00", "Sun 01 15:00", "Mon 02 15:00"]),
        ("working_days", [24, 48, 72], "2024-11-29T15:00", ["Mon 02 15:00", "Tue 03 15:00", "Wed 04 15:00"]),
        ("working_hours", [1, 2, 8.5], "2024-11-29T15:00", ["Fri 29 16:00", "Mon 02 08:30", "Mon 02 15:00"]),
        # Independence Day: Monday 17 August 2026, after a weekend.
        ("always", [24, 48, 72], "2026-08-14T15:00", ["Sat 15 15:00", "Sun 16 15:00", "Mon 17 15:00"]),
        ("working_days", [24, 48, 72], "2026-08-14T15:00", ["Tue 18 15:00", "Wed 19 15:00", "Thu 20 15:00"]),
        ("working_hours", [1, 2], "2026-08-14T15:00", ["Fri 14 16:00", "Tue 18 08:30"]),
        # Nyepi and Idul Fitri of 2026: holidays on 19 and 21 to 22 March, joint leave on 18, 20, 23 and 24.
        ("working_days", [24, 48, 72], "2026-03-17T16:00", ["Wed 25 16:00", "Thu 26 16:00", "Fri 27 16:00"]),
        ("working_hours", [1, 9.5], "2026-03-17T15:00", ["Tue 17 16:00", "Wed 25 16:00"]),
        ("always", [24], "2026-03-17T16:00", ["Wed 18 16:00"]),
        # Sent in a weekend, at night, on a holiday: nothing counts before the next working day or hour.
        ("working_days", [1, 24], "2024-11-30T10:00", ["Mon 02 01:00", "Tue 03 00:00"]),
        ("working_hours", [1], "2024-11-30T10:00", ["Mon 02 08:30"]),
        ("working_hours", [1], "2024-11-28T20:00", ["Fri 29 08:30"]),
        ("working_days", [24], "2026-08-17T09:00", ["Wed 19 00:00"]),
        # Exactly at the bound: what fills a day is passed at its end, and not when the next one begins.
        ("working_days", [24, 24.25], "2024-11-29T00:00", ["Sat 30 00:00", "Mon 02 00:15"]),
        ("working_hours", [8.5, 8.75], "2024-11-29T07:30", ["Fri 29 16:00", "Mon 02 07:45"]),
        ("working_hours", [0.25], "2024-11-29T16:00", ["Mon 02 07:45"]),
    ],
)
def test_rungs_are_passed_by_the_clock_of_the_ladder(clock: str, hours: list[float], since: str, expected: list[str]) -> None:
    assert passed(clock, hours, since) == expected


@pytest.mark.parametrize(
    ("rests_on", "expected"),
    [
        (["weekends", "holidays", "joint_leave"], "Wed 25 16:00"),
        (["weekends", "holidays"], "Wed 18 16:00"),
        (["weekends", "joint_leave"], "Thu 19 16:00"),
        (["holidays", "joint_leave"], "Wed 25 16:00"),
        (["joint_leave"], "Thu 19 16:00"),
        ([], "Wed 18 16:00"),
    ],
)
def test_an_agency_s_clock_runs_on_the_days_on_which_it_does_not_rest(rests_on: list[str], expected: str) -> None:
    """Tuesday 17 March 2026 16:00: joint leave, a holiday, joint leave, a weekend with holidays, joint leave twice."""
    never = {"code": "damkar", "name": "Pemadam", "also": ["PMK"], "rests_on": rests_on}
    centre = changed(BOGOR, opds=(never, {"code": "dinkes", "name": "Dinkes"}))

    assert passed("working_days", [24], "2026-03-17T16:00", centre, "P.M.K.") == [expected]
    assert passed("working_days", [24], "2026-03-17T16:00", centre, "dinkes") == ["Wed 25 16:00"], "the other one rests"
    assert passed("working_days", [24], "2026-03-17T16:00", centre, "never-heard-of") == ["Wed 25 16:00"]


def test_a_fire_brigade_that_never_rests_has_office_hours_on_a_sunday() -> None:
    centre = changed(BOGOR, opds=({"code": "damkar", "name": "Pemadam", "rests_on": []},))

    assert passed("working_hours", [1, 8.5], "2026-03-22T15:00", centre) == ["Sun 22 16:00", "Mon 23 15:00"]


def test_a_rest_that_there_is_not_is_refused_with_its_line() -> None:
    text = 'code = "32.71"\nname = "B"\ntimezone = "Asia/Jakarta"\n[[opds]]\ncode = "x"\nname = "X"\nrests_on = ["sundays"]\n'
    with pytest.raises(CentreError, match=r"line 7: opds\.rests_on"):
        parse(text)


def test_a_working_day_on_which_clocks_change_has_the_hours_it_has() -> None:
    """San Francisco's Sunday 8 March 2026 has 23 hours."""
    seven = SAN_FRANCISCO.model_copy(update={"office": BOGOR.office.model_copy(update={"days": frozenset(range(1, 8))})})

    assert passed("working_days", [24], "2026-03-07T12:00", seven) == ["Sun 08 13:00"]


@settings(deadline=None)
@given(
    st.sampled_from(["always", "working_days", "working_hours"]),
    st.sampled_from([BOGOR, SAN_FRANCISCO]),
    st.integers(0, 40 * 1440).map(lambda minute: MARCH + timedelta(minutes=minute)),
    st.lists(st.integers(1, 4000), min_size=1, max_size=4, unique=True).map(sorted),
)
def test_a_rung_is_passed_when_its_minutes_were_counted_one_by_one(
    clock: str, centre: Centre, since: datetime, minutes: list[int]
) -> None:
    ladder = Ladder.model_validate({"clock": clock, "rungs": [{"name": f"r{m}", "minutes": m} for m in minutes]})
    minute = start = int(since.replace(second=0, tzinfo=centre.timezone).timestamp())
    counted = 0
    expected: list[int] = []
    while len(expected) < len(minutes):
        local = datetime.fromtimestamp(minute, centre.timezone)
        works = local.isoweekday() <= 5 and not any(local.date() in free for free in (centres.HOLIDAYS, centres.JOINT_LEAVE))
        in_office = timedelta(hours=7.5) <= timedelta(hours=local.hour, minutes=local.minute) < timedelta(hours=16)
        counted += clock == "always" or (works and (clock == "working_days" or in_office))
        minute += 60
        if counted == minutes[len(expected)]:
            expected.append(minute)

    assert deadlines(ladder, start, "damkar", centre) == expected


def test_an_agency_s_own_ladder_goes_before_that_of_the_category() -> None:
    slow = BOGOR.opds[0].model_copy(update={"code": "dinas-slow", "ladder": "routine", "also": ()})
    centre = changed(BOGOR, opds=(*BOGOR.opds, slow))

    assert ladder_of("kebakaran", "damkar", centre) is centre.ladders["life_safety"]
    assert ladder_of("kebakaran", "dinas-slow", centre) is centre.ladders["routine"]
    assert ladder_of("Kebakaran", "DINAS_SLOW", centre) is centre.ladders["routine"]
    assert ladder_of("KEBAKARAN", "DAMKAR", centre) is centre.ladders["life_safety"]
    assert ladder_of("gangguan-keamanan", "satpol-pp", centre) is centre.ladders["routine"]
    assert ladder_of("never-heard-of", "who", centre) is centre.ladders["routine"]


@pytest.mark.parametrize("name", ["unsent", "answered"])
def test_a_rung_cannot_have_the_name_of_another_place_of_a_ticket(name: str) -> None:
    text = f"""code = "32.71"
name = "Kota Bogor"
timezone = "Asia/Jakarta"
[ladders.own]
rungs = [{{ name = "{name}", minutes = 5 }}]
"""
    with pytest.raises(CentreError, match=f"a rung cannot be named {name}"):
        parse(text)
