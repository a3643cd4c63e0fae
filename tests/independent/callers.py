"""Callers: classes of calls, who comes again, who is to be called back, and about whom a person has to decide."""

from bisect import bisect_right
from collections import Counter, defaultdict
from itertools import pairwise

from tests.independent.calls import Journey, Stories
from tests.independent.history import HOUR, SECOND, Figures, midnight, moment, say_ratio, seconds

CLASSES = (
    "normal",
    "non_emergency",
    "information",
    "prank",
    "ghost",
    "cut_off",
    "out_of_area",
    "misdirected",
    "test",
    "other",
)
DAY = 24 * HOUR
PRANKS = REPEATS = 3


def figures(stories: Stories, now: int) -> Figures:
    """What was true of callers at `now`."""
    found: Figures = {}
    came = [journey for journey in stories.journeys if journey.city and journey.arrived <= now]
    today = midnight(now, stories.history.zone)
    turns: Counter[str] = Counter()
    for journey in came:
        said = ["", *(class_ for time, class_ in journey.classes if time <= now)]
        turns.update(after for before, after in pairwise(said) if after != before)
    for class_, n in turns.items():
        found["psap_calls_classified_total", class_] = n
    for window, since in (("60m", now - HOUR), ("today", today - 1)):
        of_class = Counter(journey.class_at(now) for journey in came if since < journey.arrived // SECOND * SECOND)
        n = sum(of_class[class_] for class_ in CLASSES)
        found["psap_classified_window_calls", window] = n
        for class_ in CLASSES if n else ():
            say_ratio(found, "psap_calls_class_ratio", (class_, window), of_class[class_], n)
    counted = [journey for journey in came if journey.class_at(now) != "test"]
    of_today = [journey for journey in counted if journey.arrived >= today]
    without = sum(journey.caller is None for journey in of_today)
    found["psap_caller_window_calls", "today"] = len(of_today)
    say_ratio(found, "psap_caller_unknown_ratio", ("today",), without, len(of_today))
    decided = [event for event in stories.decisions if event.time <= now]
    if any(journey.caller for journey in came) or decided:
        _say_known(found, stories, counted, now)
        _say_blocks(found, stories, came, now)
    return found


def _say_known(found: Figures, stories: Stories, counted: list[Journey], now: int) -> None:
    first = (now // HOUR - 23) * HOUR
    times = Counter(journey.caller for journey in counted if journey.caller and journey.arrived >= first)
    found["psap_repeat_callers", "24h"] = sum(n >= REPEATS for n in times.values())
    heard: dict[str, int] = {}
    for event in stories.decisions:
        if event.type == "caller.contacted" and event.time <= now:
            heard[event.data["caller"]] = event.time
    lately = [j for j in counted if j.caller and now - 4 * HOUR < j.arrived // SECOND * SECOND]
    for journey in lately:
        if journey.outcome == "answered" and journey.known <= now:
            caller = journey.caller or ""
            heard[caller] = max(heard.get(caller, 0), journey.arrived // SECOND * SECOND)
    missed: dict[str, int] = {}
    for journey in lately:
        came = journey.arrived // SECOND * SECOND
        at_once = journey.closed - journey.arrived <= stories.limits["short_abandon_seconds"]
        vain = journey.outcome in {"abandoned", "overflowed", "network_dropped"}
        vain |= journey.outcome == "announcement" and not at_once
        vain |= journey.outcome == "lost" and journey.closed in stories.restarts
        if journey.known <= now and vain and journey.caller and came >= heard.get(journey.caller, 0):
            missed[journey.caller] = min(came, missed.get(journey.caller, came))
    found["psap_callbacks_open",] = len(missed)
    if missed:
        found["psap_oldest_callback_timestamp_seconds",] = seconds(min(missed.values()))


def _say_blocks(found: Figures, stories: Stories, came: list[Journey], now: int) -> None:
    protected = {j.caller for j in came if j.caller and any(time <= now and c == "normal" for time, c in j.classes)}
    decided: dict[str, int] = {}
    blocks: dict[str, tuple[int, int]] = {}
    lifted: dict[str, int] = {}
    for event in stories.decisions:
        caller = event.data["caller"]
        if event.time > now or event.type in {"caller.contacted", "caller.block_recommended"}:
            continue
        decided[caller] = event.time
        if event.type == "caller.block_approved":
            blocks[caller] = event.time, moment(event.data["expires"])
        elif event.type == "caller.block_lifted":
            lifted[caller] = event.time
    blocked = {caller for caller, (time, end) in blocks.items() if lifted.get(caller, 0) < time and now < end}
    pranks: defaultdict[str, list[int]] = defaultdict(list)
    for journey in came:
        if journey.caller and journey.class_at(now) == "prank" and journey.arrived > decided.get(journey.caller, 0):
            pranks[journey.caller].append(journey.arrived)
    found["psap_block_recommendations_open",] = sum(
        caller not in protected and caller not in blocked and _is_enough(times, now) for caller, times in pranks.items()
    )
    found["psap_blocks_active",] = len(blocked)
    found["psap_callers_protected",] = len(protected)


def _is_enough(times: list[int], now: int) -> bool:
    """Whether within the last 24 hours a prank came that was the third or more of 24 hours."""
    return any(last > now - DAY and place - bisect_right(times, last - DAY) >= PRANKS for place, last in enumerate(times, 1))
