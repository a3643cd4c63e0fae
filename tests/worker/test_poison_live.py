"""Real workers, a real broker, a poison of every kind in every topic, and kill -9: everything else is exact."""

import re
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from heapq import merge
from os import environ
from pathlib import Path
from random import Random

import pytest

from schemas.event import Event
from schemas.topics import TOPIC_OF, TOPICS
from streams.log import dead_letters
from streams.log.dead_letters import Letter, Origin
from streams.log.kafka import Log
from streams.log.reader import Reader
from streams.settings import PREFIX
from streams.worker.fence import NOT_FOLDED
from tests.conftest import RealKafka, wait_until
from tests.live import Group, Worker, differences, domain, uninterrupted, week
from tests.poisonous import SECRET, WAYS, among, poison, way_of

pytestmark = [
    pytest.mark.stack,
    pytest.mark.timeout(500),
    # kafka-python leaves sockets to the garbage collector when a broker dies
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

CODES = ["32.71", "32.11", "32.12"]  # each in a partition of its own


def told(random: Random) -> list[Event]:
    """More than 10,000 events of three centres, and in every topic a poison of every kind, one of them at its end."""
    good = [
        event.model_copy(update={"subject": code, "source": event.source.replace(event.subject, code)})
        for event in week(days=1.2)
        for code in CODES
    ]
    assert len(good) > 10_000
    topics = []
    for topic in TOPICS:
        events = among([event for event in good if TOPIC_OF[event.type] is topic], len(WAYS) - 1, random)
        topics.append([*events, poison(events[-1], WAYS[-1], len(WAYS) - 1)])
    return list(merge(*topics, key=lambda event: event.time))


class Watch:
    """Three workers that are started again whenever they end, as a supervisor would; what they ended of is remembered."""

    def __init__(self, group: Group, kept: int) -> None:
        self.group, self.kept = group, kept
        self.noted: Counter[str] = Counter()
        self.workers: dict[str, Worker] = {}
        for name in ("w1", "w2", "w3"):
            self.workers[name] = group.start(name, kept=kept)

    def look(self) -> None:
        """Start those again that have ended."""
        for name, worker in self.workers.items():
            if not worker.is_alive:
                said = worker.log.read_text()
                assert worker.process.returncode in (NOT_FOLDED, -9), said[-2000:]
                if worker.process.returncode == NOT_FOLDED:
                    [origin] = re.findall(r"worker ends: (\S+) was not folded", said)
                    self.noted[origin] += 1
                self.workers[name] = self.group.start(name, kept=self.kept)

    def until(self, moment: float) -> None:
        """Look after them until a moment of the monotonic clock."""

        def come() -> bool:
            self.look()
            return time.monotonic() >= moment

        wait_until(come, "the moment has come")

    def is_whole(self) -> bool:
        self.look()
        return self.group.is_whole


def letters(group: Group) -> list[Letter]:
    return list(dead_letters.letters(Reader(group.settings).letters(), group.settings.topic_prefix))


@pytest.mark.parametrize("kept", [1, 2_000], ids=["noted-in-kafka", "taken-back-in-memory"])
def test_among_10000_events_every_poison_is_one_dead_letter_and_ends_a_worker_at_most_once(
    kafka: RealKafka, tmp_path: Path, kept: int
) -> None:
    random = Random(kept)
    prefix, events = f"poison{random.randrange(10**9)}.", told(random)
    group = Group(kafka.bootstrap, prefix + "w", prefix, CODES, tmp_path)
    expected, at = uninterrupted((event for event in events if way_of(event) is None), group.centres)
    try:
        with Log(group.settings) as log:
            log.write(events[: len(events) // 3])
            watch = Watch(group, kept)
            rest = events[len(events) // 3 :]
            for blow in range(4):
                watch.until(time.monotonic() + random.uniform(0, 6))
                watch.workers[random.choice(sorted(watch.workers))].kill()
                log.write(rest[len(rest) * blow // 4 : len(rest) * (blow + 1) // 4])
            wait_until(watch.is_whole, "everything is folded")
            wait_until(lambda: watch.is_whole() and domain(group.page(at)) == expected, "the totals are exact")
            poisons = {
                Origin(record.topic, record.partition, record.offset): way
                for record in Reader(group.settings).read([topic.name for topic in TOPICS])
                if isinstance(record.item, Event) and (way := way_of(record.item))
            }
        assert differences(expected, domain(group.page(at))) == []

        found = letters(group)
        assert len(poisons) == len(WAYS) * len(TOPICS)
        assert {letter.origin for letter in found} == poisons.keys()
        assert len(found) == len(poisons)
        for letter in found:
            assert letter.reason == "not_folded"
            assert poisons[letter.origin].split("-")[1] in letter.detail
        assert max(watch.noted.values(), default=0) <= 1
        assert {text for text in watch.noted} <= {str(origin) for origin in poisons}
        # With 2,000 kept a worker ends only if it finds more than that to catch up after a blow, which a slow machine may.
        assert watch.noted or kept > 1
        for worker in group.workers:
            assert SECRET not in worker.log.read_text()

        comes_back_and_is_said(group, watch, len(found))
    finally:
        group.kill()


def comes_back_and_is_said(group: Group, watch: Watch, before: int) -> None:
    """What is sent again without being mended is a dead letter once more, and not sent a second time."""
    assert send(group) == 0
    wait_until(lambda: watch.is_whole() and any(letter.times_sent for letter in letters(group)), "some come back")
    wait_until(watch.is_whole, "everything is folded")
    back = [letter for letter in letters(group) if letter.times_sent]
    assert {letter.reason for letter in back} == {"not_folded"}
    assert {letter.times_sent for letter in back} == {1}
    names = dead_letters.came_back(back)
    sending = dead_letters.Sending()
    again = list(dead_letters.again(letters(group), timedelta(), names, sending, insist=False))
    assert len(again) == before - len(names) < before
    assert sending.left["came back when it was sent again (not_folded)"] == len(names)


def send(group: Group) -> int:
    said = {"BOOTSTRAP": group.settings.bootstrap, "TOPIC_PREFIX": group.settings.topic_prefix}
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli", "dead-letters", "send", "--reason", "not_folded"],
        env=environ | {PREFIX + name: value for name, value in said.items()},
        cwd=Path(__file__).parents[2],
        check=False,
    )
    return done.returncode
