"""A centre file: little suffices, and a mistake is answered with its line and its reason."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import example, given, settings

from schemas.event import Event
from schemas.topics import TOPIC_OF
from streams import centres
from streams.centres import PACKAGED
from streams.core.centre import CODES, MEASURED, CentreError, parse
from streams.sources import simulate
from streams.worker.monitor import Monitor
from tests.builders import changed
from tests.strategies import histories

GOOD = """\
code = "32.71"
name = "Kota Bogor"
timezone = "Asia/Jakarta"
queues = ["112"]

[thresholds]
short_abandon_seconds = 5
"""
ZONES = "is no time zone; Indonesia has Asia/Jakarta, Asia/Makassar and Asia/Jayapura"


def test_code_name_and_time_zone_suffice() -> None:
    centre = parse('code = "32.71"\nname = "Kota Bogor"\ntimezone = "Asia/Jakarta"')

    assert (centre.code, centre.name, centre.timezone.key) == ("32.71", "Kota Bogor", "Asia/Jakarta")
    assert centre.thresholds.short_abandon_seconds == 5


def test_a_threshold_is_what_the_file_says() -> None:
    assert parse(GOOD.replace("= 5", "= 7.5")).thresholds.short_abandon_seconds == 7.5


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ('code = "32.71"\n', "", "line 1: code: is missing"),
        ('name = "Kota Bogor"\n', "", "line 1: name: is missing"),
        ('"32.71"', "32.71", "line 1: code: Input should be a valid string"),
        ('"32.71"', '"3271"', "line 1: code: String should match pattern '^[0-9]{2}(\\.[0-9]{2})?$'"),
        ('"32.71"', '"٣٢.٧١"', "line 1: code: String should match pattern '^[0-9]{2}(\\.[0-9]{2})?$'"),
        ('"Kota Bogor"', '""', "line 2: name: String should have at least 1 character"),
        ('"Asia/Jakarta"', '"Asia/Bogor"', f"line 3: timezone: {ZONES}"),
        ('"Asia/Jakarta"', '"WIB"', f"line 3: timezone: {ZONES}"),
        ('"Asia/Jakarta"', '""', f"line 3: timezone: {ZONES}"),
        ('"Asia/Jakarta"', '"Asia"', f"line 3: timezone: {ZONES}"),
        ('"Asia/Jakarta"', '"../../etc/hosts"', f"line 3: timezone: {ZONES}"),
        ('"Asia/Jakarta"', "7", f"line 3: timezone: {ZONES}"),
        ('["112"]', '["one hundred"]', "line 4: queues.code: String should match pattern '^[A-Za-z0-9][A-Za-z0-9._:@/-]*$'"),
        ('["112"]', '"112"', "line 4: queues: Input should be a valid tuple"),
        ("queues", "ques", "line 4: ques: no such setting; look at the spelling"),
        ("short_abandon_seconds", "short_abandon", "line 7: thresholds.short_abandon: no such setting; look at the spelling"),
        ("= 5", "= 0", "line 7: thresholds.short_abandon_seconds: Input should be greater than 0"),
        ("= 5", "= -5", "line 7: thresholds.short_abandon_seconds: Input should be greater than 0"),
        ("= 5", "= nan", "line 7: thresholds.short_abandon_seconds: Input should be a finite number"),
        ("= 5", "= inf", "line 7: thresholds.short_abandon_seconds: Input should be a finite number"),
        ("= 5", "= 172801", "line 7: thresholds.short_abandon_seconds: Input should be less than or equal to 172800"),
        (
            "= 5",
            '= "five"',
            "line 7: thresholds.short_abandon_seconds: Input should be a valid number, unable to parse string as a number",
        ),
        ("short_abandon_seconds = 5", "queue_calls = 2.5", "line 7: thresholds.queue_calls: Input should be a valid integer"),
    ],
)
def test_a_mistake_is_answered_with_its_line_and_its_reason(right: str, wrong: str, message: str) -> None:
    assert right in GOOD
    with pytest.raises(CentreError) as refused:
        parse(GOOD.replace(right, wrong, 1))

    assert str(refused.value).startswith(message)


def test_what_is_no_toml_is_answered_with_its_line() -> None:
    with pytest.raises(CentreError, match=r"no valid TOML: .*line 2"):
        parse(GOOD.replace('"Kota Bogor"', '"Kota Bogor'))


def test_a_mistake_in_a_dotted_key_is_found() -> None:
    with pytest.raises(CentreError, match=r"^line 4: thresholds\.silence_seconds: Input should be greater than 0"):
        parse('code = "32.71"\nname = "Kota Bogor"\ntimezone = "Asia/Jakarta"\nthresholds.silence_seconds = 0')


def test_more_agencies_than_there_is_room_for_are_refused() -> None:
    opds = ", ".join(f'{{ code = "opd-{n}", name = "OPD" }}' for n in range(CODES + 1))

    with pytest.raises(CentreError, match=f"^line 4: opds: Tuple should have at most {CODES} items"):
        parse(f'code = "32.71"\nname = "Kota Bogor"\ntimezone = "Asia/Jakarta"\nopds = [{opds}]')


@pytest.mark.parametrize(
    ("kind", "written", "code"),
    [
        ("opds", "DINAS KESEHATAN", "dinkes"),
        ("opds", "Pemadam-Kebakaran", "damkar"),
        ("opds", "SATPOL_PP", "satpol-pp"),
        ("categories", "Kebakaran Gedung", "kebakaran"),
        ("categories", "BENCANA ALAM", "bencana-alam"),
        ("reasons", "Shalat", "sholat"),
        ("links", "SIP Telkom", "sip-telkom"),
        ("gauges", "Bendung Katulampa", "katulampa"),
        ("seats", "Seat 1", "seat-1"),
    ],
)
def test_the_packaged_centre_s_names_are_known_as_people_write_them(kind: str, written: str, code: str) -> None:
    assert getattr(parse(PACKAGED.read_text()).names, kind)[written] == code


def test_what_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(CentreError, match="nested too deeply"):
        parse(GOOD + "queues = " + "[" * 3_000 + "]" * 3_000)


FULL = next(iter(centres.load([]).values()))
HOURS = list(simulate.events(5, datetime(2026, 11, 20, tzinfo=UTC), FULL, 0.1))


@settings(max_examples=20)
@example(told=HOURS)
@given(told=histories([FULL], 40))
def test_what_a_state_is_said_not_to_depend_on_is_never_looked_at_by_a_fold(told: list[Event]) -> None:
    bare = changed(FULL)
    thresholds = bare.thresholds.model_copy()
    for name, part in MEASURED.items():
        for inside in part if isinstance(part, set) else ():
            del thresholds.__dict__[inside]
        bare.__dict__.pop(name)
    bare.__dict__["thresholds"] = thresholds
    monitor = Monitor({bare.code: bare})
    for number, event in enumerate(told):
        monitor.fold_event(TOPIC_OF[event.type].name, 0, number, event, 5e9)  # raises where a fold asks for what is not there


def test_rules_are_the_same_until_something_changes_that_a_state_depends_on() -> None:
    rules = FULL.rules(2026)
    assert changed(FULL, name="Another", shifts=()).rules(2026) == rules
    assert changed(FULL, wrap_up_seconds=9.0).rules(2026) != rules
    assert changed(FULL, thresholds={"short_abandon_seconds": 9.0}).rules(2026) != rules
    assert changed(FULL, seats=()).rules(2026) != rules


def test_a_day_off_that_becomes_known_changes_the_rules_of_its_year_and_not_those_of_the_years_before() -> None:
    before, later = (changed(FULL, holidays=frozenset(), joint_leave=frozenset(days)) for days in ([], [date(2027, 3, 10)]))
    assert before.rules(2026) == later.rules(2026)
    assert before.rules(2027) != later.rules(2027)
