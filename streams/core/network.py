"""Network: which links carry, how well, and how often they drop.

A centre's state is one record of Kafka: with the longest codes a link takes 5.5 kB as it is written, and all of them 0.7 MB.
"""

from dataclasses import dataclass, field
from typing import Annotated, assert_never

from pydantic import Field, InstanceOf
from pydantic.json_schema import SkipJsonSchema

from schemas.network import NetworkEvent
from streams.core.centre import LINKS, Centre
from streams.core.hourly import HOUR, WEEK_HOURS
from streams.core.ledger import Ledger
from streams.core.names import Strangers
from streams.core.reading import Metric, Readings
from streams.core.watch import LinkWatch

FLAP_SECONDS = 900
"""Over how long the changes of a link's state are counted."""

STALE_SECONDS = 600
"""A quality sample older than this says nothing of now."""

CHANGES = 200
"""The most of these changes that are remembered of a link."""


@dataclass(slots=True)
class Quality:
    """The newest sample of a link; None for what was not measured."""

    time: float
    loss_ratio: float | None
    jitter_seconds: float | None
    delay_seconds: float | None
    mos: float | None


@dataclass(slots=True)
class LinkState:
    """One link as last heard of. `hours` (epoch seconds // 3600) are those it was down in, in the week before it was last up."""

    up: bool | None = None
    changed: float = 0.0
    drops: int = 0
    changes: list[float] = field(default_factory=list)
    hours: list[int] = field(default_factory=list)
    registered: bool | None = None
    registered_time: float = 0.0
    """When that was last told."""
    registered_since: float = 0.0
    heartbeat: float = 0.0
    quality: Quality | None = None
    used: int = 0
    channels: int = 0
    occupied_time: float = 0.0

    @property
    def heard(self) -> float:
        """When it was last heard of."""
        measured = self.quality.time if self.quality else 0.0
        return max(self.changed, self.registered_time, self.heartbeat, measured, self.occupied_time)


@dataclass(slots=True)
class State:
    """The links of one centre."""

    ledger: Ledger = field(default_factory=Ledger)
    links: dict[str, LinkState] = field(default_factory=dict)
    strangers: Strangers = field(default_factory=Strangers)
    watch: Annotated[InstanceOf[LinkWatch] | None, SkipJsonSchema(), Field(exclude=True)] = None
    """Who is told what is counted, if anybody is."""


def step(state: State, event: NetworkEvent, time: float, centre: Centre) -> None:
    """Remember one event; `time` is its own in epoch seconds. What is older than the news of its link changes nothing."""
    names = centre.names.links
    key = names[event.data.link]
    link = state.links.get(key)
    if link is None:
        if state.strangers.take_in("link", event.data.link, names, state.links, LINKS, time) is None:
            return
        link = state.links[key] = LinkState()
    match event.type:
        case "link.heartbeat":
            link.heartbeat = max(link.heartbeat, time)
            # Where nobody ever told that it came up, it is up because it answers.
            if link.up is None:
                _turn(state, key, link, time, up=True)
        case "link.measured":
            if link.quality is None or time >= link.quality.time:
                data = event.data
                link.quality = Quality(time, data.loss_ratio, data.jitter_seconds, data.delay_seconds, data.mos)
        case "link.occupied":
            if time >= link.occupied_time:
                link.used, link.channels, link.occupied_time = event.data.used, event.data.channels, time
        case "link.up":
            _turn(state, key, link, time, up=True)
        case "link.down":
            _turn(state, key, link, time, up=False)
        case "link.registered" | "link.unregistered":
            if time >= link.registered_time:
                registered = event.type == "link.registered"
                if state.watch is not None and registered is not (link.registered is not False):
                    state.watch.registered(key, time, stands=registered)
                # A provider that goes on refusing says so again and again.
                link.registered_since = link.registered_since if registered is link.registered else time
                link.registered, link.registered_time = registered, time
        case _:
            assert_never(event.type)


def _turn(state: State, key: str, link: LinkState, time: float, *, up: bool) -> None:
    if time < link.changed or link.up is up:
        return
    if state.watch is not None and not (up and link.up is None):
        state.watch.turned(key, time, up=up)
    first, since = link.up is None, link.changed
    link.up, link.changed = up, time
    if not up:
        link.drops += 1
    elif not first:
        last = int(time) // HOUR
        link.hours = sorted({hour for hour in link.hours if hour > last - WEEK_HOURS} | _hours(since, time))
    if not first or not up:
        link.changes = [*[change for change in link.changes if change > time - FLAP_SECONDS][1 - CHANGES :], time]


def down_hours(state: State, since: float, until: float) -> set[int]:
    """The hours (epoch seconds // 3600) between two moments that a link was down in, for however short a time.

    Epoch seconds; what is more than seven days before `until` is not known.
    """
    asked = _hours(since, until)
    found = {hour for link in state.links.values() for hour in link.hours if hour in asked}
    for link in state.links.values():
        if link.up is False and link.changed <= until:
            found |= _hours(max(link.changed, since), until)
    return found


def _hours(since: float, until: float) -> set[int]:
    """The hours that a stretch of time touches, the last week of them."""
    last = int(until) // HOUR
    return set(range(max(int(since) // HOUR, last - WEEK_HOURS + 1), last + 1))


LINK_INFO = Metric("psap_link_info", "gauge", "1 for every link of the centre's file.", ("link", "carrier", "kind"))
LINK_UP = Metric(
    "psap_link_up", "gauge", "1 if the link carries, 0 if it is down; absent until one or a heartbeat was told.", ("link",)
)
DROPS_TOTAL = Metric(
    "psap_network_drops_total", "counter", "Times that the link went down; of one that is down already, none.", ("link",)
)
DOWN_SINCE = Metric("psap_link_down_timestamp_seconds", "gauge", "When the link went down; absent while it is up.", ("link",))
FLAPS = Metric(
    "psap_link_flaps",
    "gauge",
    "Changes of the link between up and down in the last 15 minutes; that it is up when first heard of is none.",
    ("link",),
)
REGISTERED = Metric("psap_link_registered", "gauge", "1 if the SIP registration stands; absent until one was told.", ("link",))
UNREGISTERED_SINCE = Metric(
    "psap_link_unregistered_timestamp_seconds",
    "gauge",
    "When the SIP registration was first found lost; absent while it stands.",
    ("link",),
)
HEARTBEAT = Metric("psap_link_last_heartbeat_timestamp_seconds", "gauge", "When the link was last found to work.", ("link",))
MEASURED = Metric("psap_link_last_measured_timestamp_seconds", "gauge", "When the link's quality was last measured.", ("link",))
LOSS = Metric(
    "psap_link_loss_ratio",
    "gauge",
    "Packets lost / sent, as last measured; absent where the last measurement lacks it or is older than 10 minutes.",
    ("link",),
)
JITTER = Metric("psap_link_jitter_seconds", "gauge", "Jitter; absent as psap_link_loss_ratio is.", ("link",))
DELAY = Metric("psap_link_delay_seconds", "gauge", "One-way delay; absent as psap_link_loss_ratio is.", ("link",))
MOS = Metric("psap_link_mos", "gauge", "Mean opinion score, 1 to 5; absent as psap_link_loss_ratio is.", ("link",))
CHANNELS_USED = Metric("psap_link_channels_used", "gauge", "Channels of the trunk in use when last counted.", ("link",))
CHANNELS = Metric("psap_link_channels", "gauge", "Channels that the trunk has.", ("link",))

METRICS = (
    LINK_INFO,
    LINK_UP,
    DROPS_TOTAL,
    DOWN_SINCE,
    FLAPS,
    REGISTERED,
    UNREGISTERED_SINCE,
    HEARTBEAT,
    MEASURED,
    LOSS,
    JITTER,
    DELAY,
    MOS,
    CHANNELS_USED,
    CHANNELS,
)


def measure(state: State, now: float, centre: Centre) -> Readings:
    """Say what is true at `now`."""
    for known in centre.links:
        yield LINK_INFO, (known.code, known.carrier, known.kind), 1
    for name, link in sorted(state.links.items()):
        label = (name,)
        if link.up is not None:
            yield LINK_UP, label, int(link.up)
            yield DROPS_TOTAL, label, link.drops
            yield FLAPS, label, sum(now - FLAP_SECONDS < change <= now for change in link.changes)
            if not link.up:
                yield DOWN_SINCE, label, min(link.changed, now)
        if link.registered is not None:
            yield REGISTERED, label, int(link.registered)
            if not link.registered:
                yield UNREGISTERED_SINCE, label, min(link.registered_since, now)
        if link.heartbeat:
            yield HEARTBEAT, label, min(link.heartbeat, now)
        if link.quality is not None:
            yield from _measure_quality(label, link.quality, now)
        if link.channels:
            yield CHANNELS_USED, label, link.used
            yield CHANNELS, label, link.channels
    yield from state.strangers.measure()


def _measure_quality(label: tuple[str, ...], quality: Quality, now: float) -> Readings:
    yield MEASURED, label, min(quality.time, now)
    if now - quality.time <= STALE_SECONDS:
        values = (quality.loss_ratio, quality.jitter_seconds, quality.delay_seconds, quality.mos)
        for metric, value in zip((LOSS, JITTER, DELAY, MOS), values, strict=True):
            if value is not None:
                yield metric, label, value
