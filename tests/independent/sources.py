"""Sources: the centre's own file, and when each source was last heard."""

from bisect import bisect_right
from datetime import timedelta

from tests.independent.history import EPOCH, Figures, History, seconds

THRESHOLDS = {
    "short_abandon_seconds": 5,
    "service_level_seconds": 60,
    "give_up_waiting_seconds": 7_200,
    "overflow_grace_seconds": 60,
    "give_up_service_seconds": 43_200,
    "oldest_waiting_seconds": 60,
    "queue_calls": 10,
    "silence_seconds": 2_700,
    "window_calls": 20,
    "gauge_stale_seconds": 1_800,
    "nuisance_ratio": 0.5,
    "open_callbacks": 5,
    "occupancy_ratio": 0.85,
    "pause_seconds": 600,
    "scene_seconds": 900,
    "scene_ratio": 0.8,
}
"""What holds where the centre's file says nothing."""


def figures(history: History, now: int) -> Figures:
    """What is known of the centre, and of its sources at `now`; of a history in which nothing came an hour late."""
    centre = history.centre
    found: Figures = {("psap_city_info", centre["name"], centre.get("province", ""), centre["timezone"]): 1}
    local = (EPOCH + timedelta(microseconds=now)).astimezone(history.zone)
    found["psap_city_utc_offset_seconds",] = (local.utcoffset() or timedelta()).total_seconds()
    for name, usual in THRESHOLDS.items():
        found["psap_centre_threshold", name] = centre.get("thresholds", {}).get(name, usual)
    for source, times in history.by_source.items():
        told = bisect_right(times, now)
        if told:
            found["psap_last_event_timestamp_seconds", source] = seconds(times[told - 1])
            found["psap_late_events_total", source] = 0
    return found
