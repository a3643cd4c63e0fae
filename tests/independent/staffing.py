"""Staffing: how many seats the shifts of the centre's file provide for."""

from datetime import datetime, time, timedelta

from tests.independent.calls import Stories
from tests.independent.history import EPOCH, Figures


def figures(stories: Stories, now: int) -> Figures:
    """How many seats are to be staffed at `now`."""
    shifts = stories.history.centre.get("shifts", ())
    local = (EPOCH + timedelta(microseconds=now)).astimezone(stories.history.zone).replace(tzinfo=None)
    seats = 0
    for day in (local.date(), local.date() - timedelta(days=1)):
        for shift in shifts:
            start, end = time.fromisoformat(shift["from"]), time.fromisoformat(shift["until"])
            last = day + timedelta(days=end <= start)
            seats += shift["seats"] * (datetime.combine(day, start) <= local < datetime.combine(last, end))
    return {("psap_seats_scheduled",): seats} if shifts else {}
