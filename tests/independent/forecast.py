"""Forecast: how many calls came lately, and when the last one did."""

from tests.independent.calls import Stories
from tests.independent.history import HOUR, WINDOWS, Figures, seconds


def figures(stories: Stories, now: int) -> Figures:
    """What was true of arrivals at `now`."""
    found: Figures = {}
    came = [journey for journey in stories.journeys if journey.city and journey.arrived <= now]
    for window, length in (("15m", WINDOWS["15m"]), ("60m", HOUR)) if came else ():
        lately = [journey for journey in came if journey.arrived > now - length and journey.class_at(now) != "test"]
        found["psap_calls_arrived", window] = len(lately)
    if came:
        found["psap_last_call_timestamp_seconds",] = seconds(max(journey.arrived for journey in came))
    for link in {journey.link for journey in came if journey.link is not None}:
        last = max(journey.arrived for journey in came if journey.link == link)
        found["psap_link_last_call_timestamp_seconds", link] = seconds(last)
    return found
