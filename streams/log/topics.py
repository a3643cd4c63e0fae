"""The topics that the monitor needs: how each has to be, and what is the case with it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from schemas.topics import DEAD_LETTERS, SNAPSHOT_INDEX, SNAPSHOTS, TOPICS, Topic
from streams.core.nouns import STATE_VERSION
from streams.settings import Settings

CHANGELOG = "-state-changelog"
"""How the name of the topic ends that keeps the states."""


class Plan(NamedTuple):
    """A topic as it has to be."""

    name: str
    partitions: int
    config: dict[str, str]


class Found(NamedTuple):
    """What is the case with one topic: `detail` says which setting differs, and what to do."""

    topic: str
    state: Literal["created", "as planned", "differs", "missing", "unusable"]
    detail: str = ""


def plans(settings: Settings, partitions: int) -> list[Plan]:
    """Every topic the monitor needs, with so many partitions each and the settings it depends on: those of events, the dead
    letters and, as the last, the changelog.

    Size never deletes events: what falls out of a source topic before its retention could not be folded again. The changelog
    is named and set as `streams.worker.app` expects it.
    """
    events = [
        Plan(
            settings.topic_prefix + topic.name,
            partitions,
            _aging(topic)
            | {
                # A dead letter is a record that could be as large as Kafka takes, and says more in its headers.
                "max.message.bytes": str(2**21 if topic is DEAD_LETTERS else 2**20),
                # The clock that all sources are held against, and by which they are refused: no sender's own.
                "message.timestamp.type": "LogAppendTime",
            }
            # Kafka forgets whole segments, and without this a trickle of letters would keep one open for a week.
            | ({"segment.ms": str(6 * 3_600_000)} if topic is DEAD_LETTERS else {}),
        )
        for topic in (*TOPICS, DEAD_LETTERS)
    ]
    snapshots = [
        Plan(
            settings.topic_prefix + topic.name,
            partitions,
            _aging(topic)
            | {
                "max.message.bytes": str(4 * 2**20),
                # The time of the last event in it, so that a snapshot goes when its events do, also one made anew from them.
                "message.timestamp.type": "CreateTime",
                # By the broker, whose processor is in less of a hurry than the worker's; Python reads it without a package.
                "compression.type": "gzip",
            },
        )
        for topic in (SNAPSHOTS, SNAPSHOT_INDEX)
    ]
    changelog = {
        "cleanup.policy": "compact",
        "segment.ms": "600000",
        "min.cleanable.dirty.ratio": "0.1",
        "max.compaction.lag.ms": "600000",
        "max.message.bytes": str(4 * 2**20),
    }
    return [*events, *snapshots, Plan(f"{settings.app_id}-v{STATE_VERSION}{CHANGELOG}", partitions, changelog)]


def _aging(topic: Topic) -> dict[str, str]:
    """What is deleted by its age alone."""
    return {"cleanup.policy": "delete", "retention.ms": str(topic.retention_days * 86_400_000), "retention.bytes": "-1"}


def partition_of(centre: str, partitions: int) -> int:
    """The one of so many partitions that a centre's records belong into: murmur2 of the key, as every Kafka client's default
    has it.
    """
    if partitions == 1:
        return 0
    from aiokafka.partitioner import murmur2  # noqa: PLC0415 (0.1 s, which reading a file need not wait for)

    return int(murmur2(centre.encode()) & 0x7FFFFFFF) % partitions


def sources(settings: Settings) -> list[str]:
    """The topics of events, as they are called here."""
    return [settings.topic_prefix + topic.name for topic in TOPICS]


def partitions_of(counts: Iterable[int]) -> int | None:
    """The number of partitions that most of the topics of events have, the first of several; None where there is no topic."""
    return next((number for number, _ in Counter(counts).most_common(1)), None)


def compare(plan: Plan, partitions: list[dict[str, Any]] | None, config: Mapping[str, Mapping[str, Any]]) -> Found:
    """How a topic is and how it should be; its `partitions` (None: there is none) and `config` as Kafka describes them."""
    if partitions is None:
        return Found(plan.name, "missing", "run: pantau112 topics create")
    if len(partitions) != plan.partitions and not plan.name.endswith(DEAD_LETTERS.name):  # which lie in any order
        return Found(plan.name, "unusable", miscut(plan.name, len(partitions), plan.partitions))
    if away := [part for part in partitions if part["leader_id"] < 0]:
        return Found(plan.name, "unusable", f"{len(away)} partitions have no leader: see that every broker runs")
    differing = {
        name: config[name]["value"] for name, value in plan.config.items() if name in config and config[name]["value"] != value
    }
    if not differing:
        return Found(plan.name, "as planned")
    said = ", ".join(f"{name}={is_} (planned {plan.config[name]})" for name, is_ in differing.items())
    wish = ",".join(f"{name}={plan.config[name]}" for name in differing)
    fix = f"if that is not meant: kafka-configs.sh --alter --entity-type topics --entity-name {plan.name} --add-config {wish}"
    if "cleanup.policy" in differing:
        return Found(plan.name, "unusable", f"{said}; {fix}")
    return Found(plan.name, "differs", f"{said}; {fix}")


def no_topic(name: str, settings: Settings) -> str:
    """What to say of a topic that is missing."""
    return f"no topic {name} at {settings.bootstrap}. Run: pantau112 topics create"


def miscut(name: str, partitions: int, wanted: int) -> str:
    """What to say of a topic whose partitions are not as many as those of the other topics."""
    says = (
        f"topic {name} has {partitions} partitions and must have {wanted} as the other topics, or centres would be in other ones"
    )
    if name.endswith(CHANGELOG):
        return f"{says}: stop all workers, delete it, run pantau112 topics create and start them: they fold the log again"
    return f"{says}: delete it and create it anew, or use another PANTAU112_TOPIC_PREFIX"


def recut(partitions: int, wanted: int) -> str:
    """What to say to whoever wants other topics than there are."""
    return (
        f"the topics have {partitions} partitions and keep them, because with {wanted} centres would be in other ones. Leave "
        "--partitions away, or create new topics beside them with another PANTAU112_TOPIC_PREFIX and PANTAU112_APP_ID and play "
        "the events into those: pantau112 replay record, pantau112 replay play"
    )
