"""A row a journey and a row a visit, told by the funnel while it counts, and given out once nothing can restate them."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from streams.analysis.rows.row import Done, Moment, Row, Seconds
from streams.core import calls
from streams.core.callbook import ANSWERED, LOST, REACH, BookWatch, Lines, Place, mark
from streams.core.callers import CALLBACK_SECONDS
from streams.core.centre import Centre
from streams.core.hourly import HOUR
from streams.core.journey import Journey as Open
from streams.core.journey import Visit as OpenVisit
from streams.core.totals import Outcome
from streams.core.watch import CallWatch

HELD = 2_000
"""With so many calls in memory it is time to look which of them are over for good; with twice as many as stayed, again."""


@dataclass(slots=True, kw_only=True)
class Journey(Row):
    """A caller's one attempt to reach the centre, through whatever queues and seats: psap_journeys_offered_total."""

    journey: Annotated[str, "The journey's own code, made of the ids of its exchange and call, and the second it was heard of."]
    arrived: Annotated[Moment, "When it came to the centre; of a source that cannot say, into its first queue."]
    is_test: Annotated[bool, "Whether it was a call to test the line: it is in counters, and in no rate."] = False
    caller: Annotated[str | None, "The caller's pseudonym under the key of its day; NULL if unknown or erased."] = None
    district: Annotated[str | None, "Code of the district it came from; NULL if none of the centre's was told."] = None
    link: Annotated[str | None, "The link it came in on; NULL if none was told."] = None
    queue: Annotated[str | None, "The first queue it came into; NULL if none."] = None
    entered_queue: Annotated[Moment | None, "When it came into that; NULL if none."] = None
    answered: Annotated[Moment | None, "When it was first answered; NULL if never."] = None
    seat: Annotated[str | None, "The seat that answered then; NULL if none was told."] = None
    ended: Annotated[Moment | None, "When it was over, as far as was told; NULL if it went on when the events ended."] = None
    outcome: Annotated[
        str | None,
        "What became of it, as in psap_journeys_ended_total: answered, abandoned, short_abandoned, overflowed, network_dropped, "
        "blocked, announcement, joined, lost; NULL if it waited when the events ended.",
    ] = None
    wait_seconds: Annotated[
        Seconds | None,
        "From the arrival to the first answer or the end of the waiting; NULL if it waited, or if that was told to be before.",
    ] = None
    queue_seconds: Annotated[
        Seconds | None, "The same from the entry into the first queue; NULL also if it came into none before that."
    ] = None
    talk_seconds: Annotated[Seconds | None, "All its conversations together that are over; NULL if none is."] = None
    conversations: Annotated[int, "How many those are."] = 0
    visits: Annotated[int, "Visits to queues; each is a row of visits."] = 0
    cut_off: Annotated[bool, "Whether the network ended a conversation."] = False
    passed_on: Annotated[str | None, "The centre that it was last passed on to, by its code; NULL if to none."] = None
    call_class: Annotated[str | None, "What it turned out to be, as in psap_calls_classified_total; NULL if nobody said."] = None
    callback_due: Annotated[
        bool | None,
        "Whether its caller was to be called back, by the rule of psap_callbacks_open; NULL of a call that the call book did not "
        "keep for its time: it came again under its id, or there were too many (pantau112_passed_over_total, call_book).",
    ] = None
    called_back: Annotated[
        Moment | None,
        "Of such a call, when the centre first reached its caller (caller.contacted) in the 4 hours after; NULL if none is told.",
    ] = None
    recontacted: Annotated[
        Moment | None,
        "Of such a call, when the same caller first came again in the 4 hours after, to the second below, and was answered; NULL "
        "if not. Who was neither called back nor answered then was not reached.",
    ] = None


@dataclass(slots=True, kw_only=True)
class Visit(Row):
    """A journey's stay in one queue, and the conversation that came of it: psap_calls_offered_total of a queue."""

    journey: Annotated[str, "The journey's code; one without a row in journeys was none of the city's callers."]
    number: Annotated[int, "Which of the journey's visits it is, from 1."] = 0
    queue: Annotated[str, "The queue, by its code."]
    entered: Annotated[Moment, "When it came into the queue."]
    is_test: Annotated[bool, "Whether the journey was a test."] = False
    clock: Annotated[str, "queue where the entry was told; arrival where the visit is taken to begin with the arrival."]
    left_queue: Annotated[Moment | None, "When it was answered or lost; NULL if it waited when the events ended."] = None
    outcome: Annotated[
        str | None,
        "What became of it, as in psap_calls_ended_total: answered, abandoned, short_abandoned, overflowed, network_dropped, "
        "blocked, lost; NULL if it waited when the events ended.",
    ] = None
    wait_seconds: Annotated[Seconds | None, "From the entry to that; NULL if it waited, or if that was told to be before."] = None
    seat: Annotated[str | None, "The seat that answered; NULL if none did, or none was told."] = None
    ended: Annotated[Moment | None, "When the conversation was over; NULL without one, or if no end was told."] = None
    talk_seconds: Annotated[
        Seconds | None, "Seconds of the conversation (psap_call_handle_seconds); NULL also if it ended before it began."
    ] = None
    transferred: Annotated[bool, "Whether the conversation ended by a transfer."] = False
    cut_off: Annotated[bool, "Whether the network ended it."] = False


@dataclass(slots=True)
class Story:
    """What is told of one call while it can be restated: its visits, and the journey, if it is one of the city."""

    code: str
    journey: Journey | None = None
    visits: list[Visit] = field(default_factory=list)

    def rows(self, centre: Centre) -> Iterator[Row]:
        """Its rows as they stand."""
        for number, visit in enumerate(self.visits, 1):
            visit.number, visit.journey = number, self.code
            visit.is_test = self.journey is not None and self.journey.is_test
            visit.read_clock(visit.entered, centre)
            yield visit
        if self.journey is not None:
            self.journey.visits = len(self.visits)
            self.journey.read_clock(self.journey.arrived, centre)
            yield self.journey


class CallRows(CallWatch, BookWatch):
    """The rows of one centre's calls.

    A story is kept for as long as its journey is open, the call book has it, or its loss is undecided: what the core itself can
    still restate. Then its rows are `done`.
    """

    remembered: ClassVar[tuple[str, ...]] = ("done", "_stories", "_aside", "_contacted", "_look_at")

    def __init__(self, centre: Centre) -> None:
        self.done: list[Done] = []
        """Rows that are final; and between them who was erased: the beginnings of such names."""
        self._centre = centre
        self._stories: dict[str, Story] = {}
        self._aside: list[tuple[str, Story]] = []
        """Those whose key came again, as another journey."""
        self._contacted: dict[str, list[float]] = {}
        """When the centre reached those whom the book may still have as lost, by the names that it has."""
        self._look_at = HELD
        self._state = calls.State()

    def attach(self, state: calls.State) -> None:
        """Watch this state from now on."""
        self._state = state
        state.funnel.watch = state.funnel.book.watch = self

    def finish(self, now: float) -> None:
        """Nothing more will be told: the rows of what is not over are done as they stand at `now`, epoch seconds."""
        state = calls.settled(self._state, now, self._centre, is_all=True)
        last = state.funnel.watch
        assert isinstance(last, CallRows)
        last._state = state
        for hour, lines in state.funnel.book.named.items():
            last.forgets(hour, lines)
        for story in [*(story for _, story in last._aside), *last._stories.values()]:
            last.done += story.rows(self._centre)
        self.done, self._aside, self._stories = last.done, [], {}
        self._state.funnel.watch = self._state.funnel.book.watch = None

    def journey_of(self, call: str) -> str | None:
        """The code of the journey that a call of that id is, if one of the last hours is known, and no two exchanges have one."""
        exchanges = sorted({self._centre.exchanges.get(source, source) for source in self._state.ledger.sources})
        keys = [mark(mark(exchange), call) for exchange in exchanges]
        rows = [self._row(self._state.funnel.legs.get(key, key)) for key in keys]
        known = [row.journey for row in rows if row is not None]
        return known[0] if len(known) == 1 else None

    # What is told.

    def opened(self, key: str) -> None:
        place = self._state.funnel.book.find(key)
        if key in self._stories and (place is None or place.end != ANSWERED):
            self._aside.append((key, self._stories.pop(key)))
        if len(self._stories) >= self._look_at:
            self._give_out()

    def came(self, journey: Open, time: float, place: Place, link: str | None, district: str | None) -> None:
        story = self._story(journey, time)
        story.journey = Journey(
            city=self._centre.code,
            journey=story.code,
            arrived=time,
            caller=place.caller or None,
            district=district,
            link=link,
            is_test=place.is_test,
            call_class=place.class_,
            callback_due=None if place.has_caller else False,
        )
        if story.visits:
            self._queued(story)

    def named(self, place: Place) -> None:
        row = self._row(place.mark)
        if row is not None:
            row.call_class, row.is_test = place.class_, place.is_test

    def contacted(self, caller: str, time: float) -> None:
        book = self._state.funnel.book
        first = (book.newest - REACH) * HOUR
        self._contacted = {name: times for name, times in self._contacted.items() if max(times) >= first}
        self._contacted.setdefault(caller, []).append(time)

    def renamed(self, before: str, after: str) -> None:
        if times := self._contacted.pop(before, None):
            self._contacted.setdefault(after, []).extend(times)

    def forgets(self, hour: int, lines: Lines) -> None:
        due: list[tuple[Place, Journey]] = []
        for key in lines:
            place, row = Place(lines, key, hour * HOUR), self._row(key)
            if row is not None:
                row.callback_due = place.end == LOST and not place.is_test and place.caller != ""
                if row.callback_due:
                    due.append((place, row))
        answered = self._state.funnel.book.answered({place.caller for place, _ in due}) if due else {}
        for place, row in due:
            row.called_back = _first(self._contacted.get(place.caller, ()), place.time)
            row.recontacted = _first(answered.get(place.caller, ()), place.time)

    def erased(self, forms: Collection[str]) -> None:
        for story in [*self._stories.values(), *(story for _, story in self._aside)]:
            if story.journey is not None and (story.journey.caller or "").startswith(tuple(forms)):
                story.journey.caller = None
        self.done.append(frozenset(forms))

    def visited(self, journey: Open, entered: float) -> None:
        story, clock = self._story(journey, entered), "arrival" if journey.visit.assumed else "queue"
        story.visits.append(Visit(city=self._centre.code, journey="", queue=journey.visit.queue, entered=entered, clock=clock))
        self._queued(story)

    def left(self, journey: Open, visit: OpenVisit, outcome: Outcome, wait: float | None) -> None:
        row = self._stories[journey.key].visits[-1]
        row.outcome, row.wait_seconds = outcome, wait
        row.clock = "arrival" if visit.assumed else "queue"
        row.entered, row.seat = visit.entered or row.entered, visit.seat
        closed = visit.lost if visit.answered is None else visit.answered
        row.left_queue = closed
        self._queued(self._stories[journey.key])

    def ended(self, journey: Open, outcome: Outcome, wait: float | None, time: float) -> None:
        row = self._row(journey.key)
        if row is None:
            return
        if journey.arrived is not None:
            row.arrived = journey.arrived
        row.outcome, row.wait_seconds = outcome, wait
        if outcome == "answered":
            row.answered, row.seat = time, journey.visit.seat
        if row.entered_queue is not None:
            row.queue_seconds = time - row.entered_queue if time >= row.entered_queue else row.wait_seconds

    def spoke(self, journey: Open, visit: OpenVisit, seconds: float | None) -> None:
        story = self._stories.get(journey.key)
        if story is None:
            return
        assert visit.ended is not None
        if visit.queue and visit.entered is not None:
            row = story.visits[-1]
            row.ended, row.transferred, row.cut_off = visit.ended, visit.transferred, visit.cut_off
            row.seat, row.talk_seconds = visit.seat, seconds
        if journey.begun and story.journey is not None:
            story.journey.cut_off |= visit.cut_off
            if seconds is not None:
                story.journey.talk_seconds = (story.journey.talk_seconds or 0.0) + seconds
                story.journey.conversations += 1

    def joined(self, leg: str, whole: str, *, talks: bool) -> None:
        of_leg, of_whole = self._stories.get(leg), self._stories.get(whole)
        if of_leg is None or of_whole is None:
            return
        # The last one is that which goes on.
        at = len(of_whole.visits) if talks else max(0, len(of_whole.visits) - 1)
        of_whole.visits[at:at] = of_leg.visits
        of_leg.visits = []

    def announced(self, key: str, queue: str, entered: float, lost: float, wait: float | None, *, journey: bool) -> None:
        known = [story for other, story in (*self._stories.items(), *self._aside) if other == key]
        for story in known:
            for visit in story.visits:
                if (visit.queue, visit.entered, visit.left_queue) == (queue, entered, lost):
                    story.visits.remove(visit)
                    if journey and story.journey is not None:
                        row = story.journey
                        row.outcome, row.wait_seconds = "announcement", wait
                        row.queue = row.entered_queue = row.queue_seconds = None
                    return

    def passed_on(self, journey: Open, to: str) -> None:
        row = self._row(journey.key)
        if row is not None:
            row.passed_on = to

    def cut_off(self, key: str, queue: str | None) -> None:
        story = self._stories.get(key)
        if story is None:
            return
        if story.journey is not None:
            story.journey.cut_off = True
        for row in story.visits[::-1]:
            if row.queue == queue:
                row.cut_off = True
                break

    def over(self, key: str, time: float) -> None:
        row = self._row(key)
        if row is not None:
            row.ended = time

    # What it comes to.

    def _story(self, journey: Open, time: float) -> Story:
        story = self._stories.get(journey.key)
        if story is None:
            story = self._stories[journey.key] = Story(f"{journey.key}{int(time):x}")
        return story

    def _row(self, key: str) -> Journey | None:
        story = self._stories.get(key)
        return None if story is None else story.journey

    def _queued(self, story: Story) -> None:
        """Note the first queue that a journey came into."""
        row, first = story.journey, story.visits[0]
        if row is not None:
            row.queue, row.entered_queue = first.queue, first.entered

    def _give_out(self) -> None:
        """What nothing can restate any more is done."""
        funnel = self._state.funnel
        undecided, known, book = {lost.key for lost in funnel.undecided}, funnel.open, funnel.book
        for key, story in [*self._aside]:
            if key not in undecided:
                self._aside.remove((key, story))
                self.done += story.rows(self._centre)
        for key, story in [*self._stories.items()]:
            if key not in known and key not in undecided and book.find(key) is None:
                del self._stories[key]
                self.done += story.rows(self._centre)
        self._look_at = max(HELD, 2 * len(self._stories))


def _first(times: Iterable[float], after: int) -> float | None:
    """The first of some moments at which a caller was heard of who stands on the list of those to be called back `after` one."""
    return min((time for time in times if after < time < after + CALLBACK_SECONDS), default=None)
