"""What is known of a centre before any event: one TOML file, of which `code`, `name` and `timezone` suffice."""

from collections.abc import Container
from dataclasses import dataclass
from datetime import date, time
from functools import cached_property
from hashlib import blake2b
from typing import Annotated, Any, Literal, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from schemas.calls import Class, ClassWord
from schemas.event import EARLIEST, CentreCode, Code, Source
from schemas.survey import Instrument
from streams.core import classes, toml
from streams.core.names import Names

SEATS, LINKS, GAUGES = 200, 128, 128
"""The most seats, links and gauges of one centre: its file names no more, and what it does not name shares what it leaves."""

CODES = 128
"""The most categories, agencies and reasons that a centre's file names, each: their figures are kept for ever."""

MEASURED: dict[str, Any] = {
    "name": True,
    "province": True,
    "place": True,
    "shifts": True,
    "thresholds": {
        "oldest_waiting_seconds",
        "queue_calls",
        "silence_seconds",
        "window_calls",
        "gauge_stale_seconds",
        "nuisance_ratio",
        "open_callbacks",
        "occupancy_ratio",
        "pause_seconds",
        "scene_seconds",
        "scene_ratio",
    },
}
"""What of a centre's file is looked at only when somebody measures: no state depends on it."""

Seconds = Annotated[float, Field(gt=0, le=172_800, allow_inf_nan=False)]


class Thresholds(BaseModel):
    """The limits that differ from centre to centre. They are exported, and the alert rules join on them."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    short_abandon_seconds: Seconds = 5
    """A caller who hangs up within this is left out of NENA service levels. No standard sets it."""
    service_level_seconds: Seconds = 60
    """Asterisk's `servicelevel` of queues.conf, for ServicelevelPerf and ServicelevelPerf2."""
    give_up_waiting_seconds: Seconds = 7_200
    """A call that waits so long with no ending is lost track of."""
    overflow_grace_seconds: Seconds = 60
    """A caller who left a queue unanswered and came into no other within this is gone."""
    give_up_service_seconds: Seconds = 43_200
    """An answered call whose end was never told is no longer in service after this."""
    oldest_waiting_seconds: Seconds = 60
    """A caller who waits longer is on the wall; five minutes in which somebody always does call somebody."""
    queue_calls: Annotated[int, Field(gt=0)] = 10
    """So many waiting at once are on the wall; for five minutes, they call somebody."""
    silence_seconds: Seconds = 2_700
    """A centre that says nothing for so long wakes somebody. At 10 calls an hour chance alone does so once in 1,800 times."""
    window_calls: Annotated[int, Field(gt=0)] = 20
    """A rate over fewer calls does not page."""
    gauge_stale_seconds: Seconds = 1_800
    """A gauge of the centre file that is not read for so long is a ticket: its river could have risen to an alarm meanwhile."""
    nuisance_ratio: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """More of a day's calls that are prank or ghost are a ticket, where that is more than usual. Published: Semarang 0.39 (2025),
    Purworejo 0.83 (2024).
    """
    open_callbacks: Annotated[int, Field(gt=0)] = 5
    """So many unanswered callers not called back for 15 minutes are on the wall, and after four hours a ticket."""
    occupancy_ratio: Annotated[float, Field(gt=0, lt=1)] = 0.85
    """Seats busier than this for long are on the wall. The Canadian Treasury Board's ceiling; above 0.9 people burn out."""
    pause_seconds: Seconds = 600
    """A longer pause of a seat is on the wall."""
    scene_seconds: Annotated[int, Field(gt=0, le=3600)] = 900
    """Within this the first unit is to be on scene. The ministry's 15 minutes; 480, its 8 minutes, for Jakarta."""
    scene_ratio: Annotated[float, Field(gt=0, lt=1)] = 0.8
    """A week in which surely fewer tickets of a life-safety category than this share had a unit on scene so soon is a ticket."""


class Part(BaseModel):
    """A table of a centre file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Shift(Part):
    """Seats that are to be staffed from one time of the local day to another, over midnight when `until` is not later."""

    start: Annotated[time, Field(alias="from")]
    until: time
    seats: Annotated[int, Field(ge=0, le=SEATS)]


class Named(Part):
    """Something with a code, and what else it is called: `also` are the spellings that an exchange or an agency has for it. Case,
    accents, spaces and punctuation make no difference. In a file that says no more of it, the code alone stands for it.
    """

    code: Code
    also: tuple[Annotated[str, StringConstraints(min_length=1, max_length=128)], ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _code_alone(cls, given: Any) -> Any:
        return {"code": given} if isinstance(given, str) else given


class Queue(Named):
    """A queue. `emergency` says whether it is the centre's emergency number, whose calls the city's figures count; a call that
    came in elsewhere on the same exchange is none of the city's.
    """

    emergency: bool = True


class Seat(Named):
    """Where a call taker sits. `also` are the other names that the exchange has for it, such as interface and member name;
    `static` says that it is always a member of its queues, so that no log-in is ever told.
    """

    static: bool = False


class Neighbour(Named):
    """Another centre that calls are passed on to; `also` are the extensions that reach it."""

    code: CentreCode


class Link(Named):
    """A trunk or line that calls come in on."""

    carrier: Code
    kind: Literal["sip", "pstn", "uplink"] = "sip"
    probe: Annotated[str, StringConstraints(max_length=256)] | None = None
    """Where an edge asks whether its far end is there, such as `sip:sbc.example.id:5060`."""
    channels: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """How many calls it carries at once, by contract or by its lines: no exchange knows."""


class Gauge(Named):
    """A river gauge, with the bounds in centimetres between Siaga 4, 3, 2 and 1. `siaga_at` says of which side a level exactly at
    a bound is: the higher alert begins `above` it, or `from` it on.
    """

    name: str
    siaga: tuple[float, float, float]
    siaga_at: Literal["above", "from"] = "above"
    rise_centimetres: Annotated[float, Field(gt=0)] = 60
    """So much in 30 minutes is alarming whatever the level (Katulampa 2024-04-05: 80 to 140 cm in 22 min)."""

    @field_validator("siaga")
    @classmethod
    def _ascending(cls, value: tuple[float, float, float]) -> tuple[float, float, float]:
        if sorted(set(value)) != list(value):
            raise ValueError("must ascend: the bounds between Siaga 4, 3, 2 and 1")
        return value


class Rung(Part):
    """How long an OPD may leave a ticket unanswered before somebody is reminded."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{1,16}$")]
    minutes: Annotated[float, Field(gt=0, le=100_000)]


class Ladder(Part):
    """The rungs of one severity. `clock` says which time counts: all of it, that of working days, or that of working hours."""

    clock: Literal["always", "working_days", "working_hours"] = "always"
    rungs: Annotated[tuple[Rung, ...], Field(min_length=1, max_length=8)]

    @field_validator("rungs")
    @classmethod
    def _upward(cls, rungs: tuple[Rung, ...]) -> tuple[Rung, ...]:
        minutes = [rung.minutes for rung in rungs]
        if sorted(set(minutes)) != minutes or len({rung.name for rung in rungs}) < len(rungs):
            raise ValueError("must ascend, each with a name of its own")
        if names := {rung.name for rung in rungs} & {"unsent", "answered"}:
            raise ValueError(f"a rung cannot be named {min(names)}: that is said of a ticket that waits at none")
        return rungs


class Category(Named):
    """A kind of report: which OPD it goes to first, and by which ladder."""

    opds: tuple[Code, ...] = ()
    ladder: str = "routine"


Rest = Literal["weekends", "holidays", "joint_leave"]
RESTS: tuple[Rest, ...] = get_args(Rest)
"""When an agency does not work: on days that are none of the office's, on public holidays, and on joint leave (cuti bersama)."""


class Opd(Named):
    """A responder agency. `ladder` stands in for that of the category, where the agency has one of its own; `rests_on` says on
    which days its clocks of working days and hours stand still: a fire brigade that never rests has none.
    """

    name: str
    ladder: str | None = None
    rests_on: tuple[Rest, ...] = RESTS


class Office(Part):
    """Working hours of the agencies, local time; `days` counts from Monday = 1."""

    start: Annotated[time, Field(alias="from")] = time(7, 30)
    until: time = time(16, 0)
    days: frozenset[Annotated[int, Field(ge=1, le=7)]] = frozenset({1, 2, 3, 4, 5})

    @model_validator(mode="after")
    def _by_day(self) -> Self:
        if self.until <= self.start or not self.days:
            raise ValueError("until must be later than from, on at least one day")
        return self


class Survey(Part):
    """Which survey is held here (without a word every answer counts by the names of its items), for how many people it speaks,
    and within which error: the sample size needs both.
    """

    instrument: Instrument | None = None
    population: Annotated[int, Field(gt=0)] | None = None
    error: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Unless it is said 0.1, and 0.05 for the statutory survey, as its regulation has it."""


def _minutes(*rungs: tuple[str, float]) -> tuple[Rung, ...]:
    return tuple(Rung(name=name, minutes=minutes) for name, minutes in rungs)


LADDERS = {
    # SiBadra's procedure of Kota Bogor: to the OPD within 7 min; 24 h head of OPD; 48 h Mayor; the study: 2 to 3 days group.
    "life_safety": Ladder(rungs=_minutes(("7m", 7), ("15m", 15), ("24h", 1440))),
    "routine": Ladder(clock="working_days", rungs=_minutes(("24h", 1440), ("48h", 2880), ("72h", 4320))),
}


@dataclass(frozen=True, slots=True)
class Directory:
    """What is called how at one centre, by kind of thing."""

    queues: Names
    seats: Names
    reasons: Names
    links: Names
    gauges: Names
    categories: Names
    opds: Names
    classes: Names
    neighbours: Names


class Centre(BaseModel):
    """One 112 centre."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    code: CentreCode
    name: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    province: str = ""
    timezone: ZoneInfo
    place: tuple[Annotated[float, Field(ge=-90, le=90)], Annotated[float, Field(ge=-180, le=180)]] | None = None
    """Latitude and longitude in degrees, for warnings that only draw where they hold."""
    sources: tuple[Annotated[tuple[Source, ...], Field(min_length=2, max_length=8)], ...] = ()
    """Which sources tell of the same exchange, a tuple each: a call that several of them tell is one."""
    queues: tuple[Queue, ...] = ()
    seats: Annotated[tuple[Seat, ...], Field(max_length=SEATS)] = ()
    wrap_up_seconds: Annotated[float, Field(ge=0, le=600)] = 0
    """After-call work that the exchange gives every seat after every call, where it tells of none."""
    neighbours: Annotated[tuple[Neighbour, ...], Field(max_length=CODES)] = ()
    reasons: Annotated[tuple[Named, ...], Field(max_length=CODES)] = ()
    """Why seats pause."""
    shifts: tuple[Shift, ...] = ()
    links: Annotated[tuple[Link, ...], Field(max_length=LINKS)] = ()
    gauges: Annotated[tuple[Gauge, ...], Field(max_length=GAUGES)] = ()
    categories: Annotated[tuple[Category, ...], Field(max_length=CODES)] = ()
    opds: Annotated[tuple[Opd, ...], Field(max_length=CODES)] = ()
    classes: dict[Class, tuple[ClassWord, ...]] = {}
    """What call takers here call a class besides the usual words, which these come before."""
    ladders: dict[str, Ladder] = LADDERS
    office: Office = Office()
    survey: Survey | None = None
    thresholds: Thresholds = Thresholds()
    holidays: Annotated[Container[date], Field(exclude=True)] = frozenset()
    """Public holidays; whoever loads the file adds those of Indonesia."""
    joint_leave: Annotated[Container[date], Field(exclude=True)] = frozenset()
    """Days of joint leave (cuti bersama), of which the same is true."""

    @field_validator("timezone", mode="before")
    @classmethod
    def _known_zone(cls, value: Any) -> ZoneInfo:
        try:
            return ZoneInfo(value)
        except (TypeError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
            raise ValueError("is no time zone; Indonesia has Asia/Jakarta, Asia/Makassar and Asia/Jayapura") from None
        except KeyError:
            raise ValueError("is no time zone; Indonesia has Asia/Jakarta, Asia/Makassar and Asia/Jayapura") from None

    @field_validator("ladders")
    @classmethod
    def _beside_the_packaged(cls, value: dict[str, Ladder]) -> dict[str, Ladder]:
        return LADDERS | value

    @field_validator("classes")
    @classmethod
    def _one_class_a_word(cls, value: dict[Class, tuple[str, ...]]) -> dict[Class, tuple[str, ...]]:
        assert classes.named(value).known
        return value

    @model_validator(mode="after")
    def _ladders_exist(self) -> Self:
        named = [(part.code, part.ladder) for part in self.categories] + [(part.code, part.ladder) for part in self.opds]
        for code, ladder in named:
            if ladder is not None and ladder not in self.ladders:
                raise ValueError(f"{code}: there is no ladder {ladder}; there are {', '.join(sorted(self.ladders))}")
        return self

    @model_validator(mode="after")
    def _read_apart(self) -> Self:
        assert self.names
        return self

    @field_validator("sources", mode="before")
    @classmethod
    def _one_exchange(cls, value: Any) -> Any:
        """A list of sources alone is that of the only exchange."""
        return [value] if isinstance(value, list) and value and all(isinstance(source, str) for source in value) else value

    @field_validator("sources")
    @classmethod
    def _of_one_exchange_each(cls, value: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        told = [source for exchange in value for source in exchange]
        if len(set(told)) < len(told):
            raise ValueError("a source tells of one exchange, and stands here once")
        return value

    @cached_property
    def exchanges(self) -> dict[str, str]:
        """By each source that shares its exchange with another, the first one of it, which stands for the exchange."""
        return {source: exchange[0] for exchange in self.sources for source in exchange}

    @cached_property
    def emergency_queues(self) -> frozenset[str]:
        """The codes of the queues that are the centre's emergency number; none where its file names no queue: then all are."""
        return frozenset(queue.code for queue in self.queues if queue.emergency)

    def rules(self, year: int) -> str:
        """A mark of all that a state depends on besides its events, if it looks at no day after that year: the file, and
        which days are off. By other rules the same events make another state.
        """
        return f"{self._said}{_days_off(self.holidays, self.joint_leave, year)}"

    @cached_property
    def _said(self) -> str:
        return blake2b(self.model_dump_json(exclude=MEASURED).encode(), digest_size=6).hexdigest()

    @cached_property
    def names(self) -> Directory:
        """What is called how here."""
        return Directory(
            queues=Names(self.queues),
            seats=Names(self.seats),
            reasons=Names(self.reasons, typed=True),
            links=Names(self.links),
            gauges=Names(self.gauges),
            categories=Names(self.categories, typed=True),
            opds=Names(self.opds, typed=True),
            classes=classes.named(self.classes),
            neighbours=Names(self.neighbours),
        )


_DAYS_OFF: dict[tuple[int, int, int], tuple[Any, str]] = {}
"""What is known of calendars by their identity, which they keep while they are held here; to look at each day takes time."""


def _days_off(holidays: Container[date], joint_leave: Container[date], year: int) -> str:
    """A mark of the days that calendars have up to the end of a year."""
    key = id(holidays), id(joint_leave), year
    if key not in _DAYS_OFF:
        days = range(date(EARLIEST.year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal())
        off = [day for day in days if (of := date.fromordinal(day)) in holidays or of in joint_leave]
        _DAYS_OFF[key] = (holidays, joint_leave), blake2b(repr(off).encode(), digest_size=4).hexdigest()
    return _DAYS_OFF[key][1]


class CentreError(ValueError):
    """A centre file that cannot be used; the message says line and reason."""


def parse(text: str) -> Centre:
    """The centre that a TOML text describes. Raises `CentreError` with line and reason."""
    try:
        return toml.parse(text, Centre)
    except toml.TomlError as error:
        raise CentreError(str(error)) from None
