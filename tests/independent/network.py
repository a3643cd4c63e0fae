"""Network: how each link stands at a moment, by what was last told of it."""

from collections import defaultdict

from tests.independent.history import MINUTE, Figures, History, Told, seconds

FLAP_WINDOW, STALE = 15 * MINUTE, 10 * MINUTE


def figures(history: History, now: int) -> Figures:
    """What was true of links at `now`."""
    found: Figures = {}
    told = [event for event in history.of("link") if event.time <= now]
    if not told:
        return found
    for link in history.centre.get("links", ()):
        found["psap_link_info", link["code"], link["carrier"], link.get("kind", "sip")] = 1
    by_link: defaultdict[str, list[Told]] = defaultdict(list)
    for event in told:
        by_link[event.data["link"]].append(event)
    for link, events in by_link.items():
        _say_link(found, link, events, now)
    return found


def _say_link(found: Figures, link: str, events: list[Told], now: int) -> None:
    changes, is_up = [], None
    for event in events:
        if event.type == "link.heartbeat" and is_up is None:
            is_up = True
            changes.append(event)
        if event.type in {"link.up", "link.down"} and is_up is not (event.type == "link.up"):
            is_up = event.type == "link.up"
            changes.append(event)
    if changes:
        found["psap_network_drops_total", link] = sum(event.type == "link.down" for event in changes)
        news = changes if changes[0].type == "link.down" else changes[1:]
        found["psap_link_flaps", link] = sum(event.time > now - FLAP_WINDOW for event in news)
        found["psap_link_up", link] = int(bool(is_up))
        if not is_up:
            found["psap_link_down_timestamp_seconds", link] = seconds(changes[-1].time)
    registrations = [event for event in events if event.type in {"link.registered", "link.unregistered"}]
    if registrations:
        stands = registrations[-1].type == "link.registered"
        found["psap_link_registered", link] = int(stands)
        if not stands:
            lost = registrations[-1].time
            for event in reversed(registrations):
                if event.type == "link.registered":
                    break
                lost = event.time
            found["psap_link_unregistered_timestamp_seconds", link] = seconds(lost)
    beats = [event.time for event in events if event.type == "link.heartbeat"]
    if beats:
        found["psap_link_last_heartbeat_timestamp_seconds", link] = seconds(beats[-1])
    measured = [event for event in events if event.type == "link.measured"]
    if measured:
        found["psap_link_last_measured_timestamp_seconds", link] = seconds(measured[-1].time)
        for name in ("loss_ratio", "jitter_seconds", "delay_seconds", "mos"):
            if name in measured[-1].data and now - measured[-1].time <= STALE:
                found[f"psap_link_{name}", link] = measured[-1].data[name]
    occupied = [event.data for event in events if event.type == "link.occupied"]
    if occupied:
        found["psap_link_channels_used", link] = occupied[-1]["used"]
        found["psap_link_channels", link] = occupied[-1]["channels"]
