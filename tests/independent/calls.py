"""Calls: the story of every journey and of every visit, told once; and what was true of them at a moment."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.independent.history import SECOND, WINDOWS, Figures, History, Told, buckets, midnight, say_ratio, seconds

VISIT_OUTCOMES = ("answered", "abandoned", "short_abandoned", "overflowed", "network_dropped", "blocked", "lost")
JOURNEY_OUTCOMES = (*VISIT_OUTCOMES, "announcement", "joined")
WAITS = ("answered", "abandoned", "short_abandoned")
DEFAULTS = {
    "short_abandon_seconds": 5,
    "service_level_seconds": 60,
    "give_up_waiting_seconds": 7_200,
    "overflow_grace_seconds": 60,
    "give_up_service_seconds": 43_200,
}
NEVER = 1 << 62


@dataclass(slots=True)
class Talk:
    """Somebody at a seat speaks with a caller. Where nobody told its end, it is over when it is `left`, and of unknown length."""

    seat: str
    began: int
    ended: int = NEVER
    left: int = NEVER

    def goes_on(self, now: int) -> bool:
        """Whether they speak now."""
        return self.began <= now < min(self.ended, self.left)


@dataclass(slots=True)
class Visit:
    """One visit to a queue. Times that have not come are NEVER; `known` is since when its loss is."""

    queue: str
    entered: int
    clock: str
    came: int
    answered: int = NEVER
    talk: Talk | None = None
    ended: int = NEVER
    how: str = ""
    lost: int = NEVER
    known: int = NEVER
    loss: str = ""

    @property
    def waited_until(self) -> int:
        """When it was answered, or known to be lost."""
        return min(self.answered, self.known)


@dataclass(slots=True)
class Journey:
    """One caller's one attempt. `closed` is when its waiting was over, `known` since when that is known."""

    source: str
    arrived: int
    city: bool
    clock: str = "arrival"
    caller: str | None = None
    link: str | None = None
    district: str | None = None
    visits: list[Visit] = field(default_factory=list)
    talks: list[Talk] = field(default_factory=list)
    outcome: str = ""
    closed: int = NEVER
    known: int = NEVER
    left: int = NEVER
    """When its caller was turned away by a queue and had come into no other yet."""
    classes: list[tuple[int, str]] = field(default_factory=list)
    passed_on: list[tuple[int, str]] = field(default_factory=list)

    def class_at(self, now: int) -> str:
        """What it was last said to be."""
        return next((class_ for time, class_ in reversed(self.classes) if time <= now), "")


class Stories:
    """What became of every call, by all that is ever told of it."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.limits = {name: value * SECOND for name, value in (DEFAULTS | history.centre.get("thresholds", {})).items()}
        self.journeys: list[Journey] = []
        self.talks: list[Talk] = []
        self.restarts: list[int] = []
        self.decisions = history.of("caller")
        self.unmatched: list[int] = []
        self._by_call: dict[tuple[str, str], Journey] = {}
        self._at: dict[tuple[str, str], Talk] = {}
        calls = history.of("call", "exchange")
        self._tell_queues = {event.source for event in calls if event.type == "call.queued"}
        for event in calls:
            self._tell(event)
        for journey in self.journeys:
            self._give_up(journey, NEVER)
        self.of_name: dict[str, list[Journey]] = {}
        """The calls of all exchanges by their ids."""
        for (_, call), journey in self._by_call.items():
            self.of_name.setdefault(call, []).append(journey)
        self.visits = [visit for journey in self.journeys for visit in journey.visits]

    def _is_emergency(self, queue: str) -> bool:
        """Whether calls to that queue are the city's."""
        named = self.history.named("queues")
        return not named or (queue in named and named[queue].get("emergency", True))

    def _tell(self, event: Told) -> None:
        data, time = event.data, event.time
        if event.type == "exchange.restarted":
            self._restart(event.source, time)
            return
        if event.type == "call.offered":
            self._offer(event)
            return
        journey = self._find(event)
        if journey is None:
            return
        self._give_up(journey, time)
        visit = journey.visits[-1] if journey.visits else None
        match event.type.removeprefix("call."):
            case "queued":
                self._enter(journey, self.history.label("queues", data["queue"]), time)
            case "answered":
                self._answer(journey, visit, event)
            case "abandoned":
                self._lose(journey, visit, time, "abandoned")
            case "blocked":
                self._lose(journey, visit, time, "blocked")
            case "network_dropped":
                if visit is not None and visit.answered < NEVER:
                    self._end(journey, visit, time, "cut_off")
                else:
                    self._lose(journey, visit, time, "network_dropped")
            case "overflowed":
                if visit is not None and visit.answered == NEVER:
                    visit.lost = visit.known = journey.left = time
                    visit.loss = "overflowed"
            case "ended":
                if journey.talks:
                    self._end(journey, visit, time, "ended", data.get("seat"))
                elif journey.left < NEVER:
                    self._close(journey, time, "overflowed")
            case "transferred":
                self._end(journey, visit, time, "transferred", data.get("seat"))
                journey.passed_on.append((time, data.get("to", "")))
                self._join(event, journey)
            case "classified":
                journey.classes.append((time, data["class"]))

    def _offer(self, event: Told) -> None:
        data, clock = event.data, event.data.get("clock", "arrival")
        direction, queue = data.get("direction", "inbound"), self.history.label("queues", data["queue"])
        talks = any(talk.goes_on(event.time) for (source, _), talk in self._at.items() if source == event.source)
        city = self._is_emergency(queue) and (direction == "inbound" or (direction == "internal" and not talks))
        journey = Journey(event.source, event.time, city, clock, data.get("caller"), data.get("link"), data.get("district"))
        self._by_call[event.source, data["call"]] = journey
        self.journeys.append(journey)
        if direction != "outbound" and (clock == "queue" or event.source not in self._tell_queues):
            journey.visits.append(Visit(queue, event.time, clock, event.time))

    def _find(self, event: Told) -> Journey | None:
        """The journey that something is told of: that of its leg, else the one that it names."""
        source, call, journey = event.source, event.data["call"], event.data.get("journey")
        if event.type == "call.transferred" and journey is not None:
            return self._by_call.get((source, journey))
        return self._by_call.get((source, call))

    def _enter(self, journey: Journey, queue: str, time: int) -> None:
        journey.left = NEVER
        came = time if journey.closed < NEVER or not journey.city else journey.arrived
        journey.visits.append(Visit(queue, time, "queue", came))

    def _answer(self, journey: Journey, visit: Visit | None, event: Told) -> None:
        time, seat = event.time, event.data.get("seat", "")
        self._leave(event.source, seat, time)
        talk = self._at[event.source, seat] = Talk(seat, time)
        journey.talks.append(talk)
        self.talks.append(talk)
        if visit is None or visit.answered < NEVER:
            return
        visit.answered, visit.talk = time, talk
        if journey.city and journey.closed == NEVER:
            self._close(journey, time, "answered")

    def _leave(self, source: str, seat: str, time: int) -> None:
        """A seat speaks with one caller at a time: whoever answers another has left the one before."""
        talk = self._at.get((source, seat))
        if talk is not None:
            talk.left = min(talk.left, time)

    def _end(self, journey: Journey, visit: Visit | None, time: int, how: str, seat: str | None = None) -> None:
        for talk in journey.talks:
            if talk.ended == NEVER and seat in (None, talk.seat):
                if how == "unended":
                    talk.left = min(talk.left, time)
                else:
                    talk.ended = time
        if visit is not None and visit.answered < NEVER and visit.ended == NEVER:
            visit.ended, visit.how = time, how

    def _lose(self, journey: Journey, visit: Visit | None, time: int, loss: str) -> None:
        if visit is not None and visit.answered == NEVER and not visit.loss:
            visit.lost = visit.known = time
            visit.loss = self._short(loss, time - visit.entered)
        if journey.city and journey.closed == NEVER:
            in_announcement = visit is None and loss == "abandoned"
            self._close(journey, time, "announcement" if in_announcement else self._short(loss, time - journey.arrived))

    def _short(self, loss: str, wait: int) -> str:
        return "short_abandoned" if loss == "abandoned" and wait <= self.limits["short_abandon_seconds"] else loss

    def _close(self, journey: Journey, time: int, outcome: str, known: int | None = None) -> None:
        if journey.closed == NEVER:
            journey.closed, journey.known, journey.outcome = time, time if known is None else known, outcome
        journey.left = NEVER

    def _join(self, event: Told, journey: Journey) -> None:
        """A transfer said that a leg, which consulted somebody, belongs to the journey: its visit goes on as the journey's."""
        leg = self._by_call.get((event.source, event.data["call"]))
        if leg is not None and leg is not journey:
            journey.visits += leg.visits
            journey.talks += leg.talks
            leg.visits, leg.talks = [], []
            self._by_call[event.source, event.data["call"]] = journey

    def _give_up(self, journey: Journey, now: int) -> None:
        """Nothing was told for so long that nothing more is expected."""
        for visit in journey.visits:
            longest = visit.answered + self.limits["give_up_service_seconds"]
            if visit.answered < NEVER and visit.ended == NEVER and longest <= now:
                self._end(journey, visit, longest, "unended")
        grace = journey.left + self.limits["overflow_grace_seconds"]
        if journey.left < NEVER and grace <= now:
            self._close(journey, journey.left, "overflowed", grace)
        waited = journey.arrived + self.limits["give_up_waiting_seconds"]
        if journey.closed == NEVER and waited <= now:
            for visit in journey.visits[-1:]:
                if visit.waited_until == NEVER:
                    visit.lost, visit.known, visit.loss = waited, waited, "lost"
            if journey.city:
                self._close(journey, waited, "lost")

    def _restart(self, source: str, time: int) -> None:
        self.restarts.append(time)
        for journey in self.journeys:
            if journey.source != source:
                continue
            self._give_up(journey, time)
            visit = journey.visits[-1] if journey.visits else None
            if visit is not None and visit.answered < NEVER:
                self._end(journey, visit, time, "unended")
            elif visit is not None and not visit.loss:
                visit.lost, visit.known, visit.loss = time, time, "lost"
            if journey.city and journey.closed == NEVER:
                self._close(journey, time, "lost")


def figures(stories: Stories, now: int) -> Figures:
    """What was true of calls at `now`."""
    found: Figures = {}
    came = [journey for journey in stories.journeys if journey.city and journey.arrived <= now]
    over = [journey for journey in came if journey.known <= now]
    waiting = [journey for journey in came if journey.known > now]
    today = midnight(now, stories.history.zone)
    _say_journeys(found, stories, came, over, waiting, now, today)
    _say_queues(found, stories, now)
    _say_rates(found, stories, over, waiting, now, today)
    _say_peaks(found, came, now, today)
    return found


def _say_journeys(
    found: Figures, stories: Stories, came: list[Journey], over: list[Journey], waiting: list[Journey], now: int, today: int
) -> None:
    found["psap_journeys_offered_total",] = len(came)
    for outcome in JOURNEY_OUTCOMES:
        ended = [journey for journey in over if journey.outcome == outcome]
        found["psap_journeys_ended_total", outcome] = len(ended)
        if outcome in WAITS:
            found["psap_journey_wait_seconds", outcome] = buckets(journey.closed - journey.arrived for journey in ended)
    for outcome in ("answered", "abandoned"):
        found["psap_journeys_backward_total", outcome] = 0
    found["psap_journeys_waiting",] = len(waiting)
    for limit in sorted({15, 20, stories.limits["service_level_seconds"] / SECOND}):
        found["psap_journeys_waiting_beyond", f"{limit:g}"] = _beyond(waiting, now, limit)
    if waiting:
        found["psap_oldest_waiting_journey_timestamp_seconds",] = seconds(min(journey.arrived for journey in waiting))
    if came:
        found["psap_journey_clock_info", came[-1].clock] = 1
    passed_on = [
        (time, to, journey)
        for journey in came
        for time, to in journey.passed_on
        if time <= now and len(to) == 5 and to[2] == "." and (to[:2] + to[3:]).isdigit()
    ]
    for to in sorted({to for _, to, _ in passed_on}):
        found["psap_journeys_passed_on_total", to] = sum(each == to for _, each, _ in passed_on)
    found["psap_journeys_passed_on_today",] = sum(time >= today and j.class_at(now) != "test" for time, _, j in passed_on)
    found["psap_exchange_restarts_total",] = sum(time <= now for time in stories.restarts)
    found["psap_calls_unmatched_total",] = sum(time <= now for time in stories.unmatched)


def _beyond(waiting: list[Journey], now: int, limit: float) -> int:
    """How many of those who wait have for longer than so many seconds, but for tests."""
    return sum(now - journey.arrived > limit * SECOND and journey.class_at(now) != "test" for journey in waiting)


def _say_queues(found: Figures, stories: Stories, now: int) -> None:
    by_queue: dict[str, list[Visit]] = {queue: [] for queue in stories.history.named("queues")}
    for visit in stories.visits:
        if visit.entered <= now:
            by_queue.setdefault(visit.queue, []).append(visit)
    for queue, visits in by_queue.items():
        found["psap_calls_offered_total", queue] = len(visits)
        if visits:
            found["psap_answer_clock_info", queue, visits[-1].clock] = 1
        answered = [visit for visit in visits if visit.answered <= now]
        for outcome in VISIT_OUTCOMES:
            ended = answered if outcome == "answered" else [v for v in visits if v.known <= now and v.loss == outcome]
            found["psap_calls_ended_total", queue, outcome] = len(ended)
            if outcome in WAITS:
                waits = [min(visit.answered, visit.lost) - visit.entered for visit in ended]
                found["psap_call_wait_seconds", queue, outcome] = buckets(waits)
        waiting = [visit for visit in visits if visit.waited_until > now]
        found["psap_calls_waiting", queue] = len(waiting)
        if waiting:
            found["psap_oldest_waiting_call_timestamp_seconds", queue] = seconds(min(visit.came for visit in waiting))
        over = [visit for visit in answered if visit.ended <= now]
        for part in ("wait", "conversation"):
            found["psap_calls_backward_total", queue, part] = 0
        found["psap_calls_in_service", queue] = sum(visit.talk is not None and visit.talk.goes_on(now) for visit in answered)
        for how, name in (("transferred", "transferred"), ("cut_off", "cut_off"), ("unended", "unended")):
            found[f"psap_calls_{name}_total", queue] = sum(visit.how == how for visit in over)
        talks = [visit.ended - visit.answered for visit in over if visit.how != "unended"]
        found["psap_call_handle_seconds", queue] = buckets(talks)


def _say_rates(found: Figures, stories: Stories, over: list[Journey], waiting: list[Journey], now: int, today: int) -> None:
    level = stories.limits["service_level_seconds"]
    for window, since in (*((name, now - length) for name, length in WINDOWS.items()), ("today", today - 1)):
        ended = [journey for journey in over if since < journey.closed <= now and journey.class_at(now) != "test"]
        by = {outcome: [j.closed - j.arrived for j in ended if j.outcome == outcome] for outcome in JOURNEY_OUTCOMES}
        lost = sum(len(by[outcome]) for outcome in ("abandoned", "short_abandoned", "overflowed", "network_dropped", "lost"))
        answered = len(by["answered"])
        found["psap_answer_window_calls", window] = answered + lost
        say_ratio(found, "psap_answer_ratio", (window,), answered, answered + lost)
        for limit in (15, 20):
            good = sum(wait <= limit * SECOND for wait in by["answered"])
            missed = _beyond(waiting, now, limit)
            nena = answered + lost - len(by["short_abandoned"]) + missed
            offered = answered + lost + len(by["blocked"]) + len(by["announcement"]) + missed
            for variant, n in (("nena", nena), ("answered", answered), ("inclusive", offered)):
                _say_level(found, (variant, str(limit), window), good, n)
        good, threshold = sum(wait <= level for wait in by["answered"]), f"{level / SECOND:g}"
        _say_level(found, ("servicelevelperf", threshold, window), good, answered)
        abandons = by["abandoned"] + by["short_abandoned"]
        met = good + sum(wait <= level for wait in abandons)
        _say_level(found, ("servicelevelperf2", threshold, window), met, answered + len(abandons))
        if window == "today":
            for outcome in JOURNEY_OUTCOMES[:-1]:
                found["psap_calls_today", outcome] = len(by[outcome])
    of_today = [journey for journey in stories.journeys if journey.city and today <= journey.arrived <= now]
    found["psap_calls_today", "offered"] = sum(journey.class_at(now) != "test" for journey in of_today)


def _say_level(found: Figures, labels: tuple[str, ...], good: int, n: int) -> None:
    found["psap_service_level_calls", *labels] = n
    say_ratio(found, "psap_service_level_ratio", labels, good, n)


def _say_peaks(found: Figures, came: list[Journey], now: int, today: int) -> None:
    for period, since in (("ever", 0), ("today", today)):
        most, first = _peak(came, since, now)
        found["psap_calls_waiting_peak", period] = most
        if most:
            found["psap_calls_waiting_peak_timestamp_seconds", period] = seconds(first)


def _peak(came: Iterable[Journey], since: int, now: int) -> tuple[int, int]:
    """The most that waited at a whole second, and when they first did: those who came in it or before, and not those whose
    waiting ended in it or before.
    """
    steps: Counter[int] = Counter()
    for journey in came:
        ended = journey.known // SECOND if journey.known <= now else NEVER
        if ended > since // SECOND:
            steps[max(journey.arrived, since) // SECOND] += 1
            steps[ended] -= 1
    most = waiting = first = 0
    for second in sorted(steps):
        waiting += steps[second]
        if waiting > most:
            most, first = waiting, second * SECOND
    return most, first
