"""Two versions of the worker on one real broker: one speaks at a time, and what it says is what an uninterrupted run says."""

import subprocess
import sys
import threading
from contextlib import closing
from os import environ
from pathlib import Path
from random import randrange

import pytest

from schemas.event import Event
from schemas.topics import CALLS, PARTITIONS, TOPICS
from streams.core.nouns import STATE_VERSION
from streams.log import dead_letters
from streams.log.kafka import Log
from streams.log.reader import Reader
from streams.log.versions import changelog_of
from streams.settings import PREFIX
from tests.conftest import RealKafka, wait_until
from tests.live import Group, Worker, domain, total, uninterrupted, week

pytestmark = [
    pytest.mark.stack,
    pytest.mark.timeout(400),
    # kafka-python leaves sockets to the garbage collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

CODES = ["32.71", "32.11"]


class Ear(threading.Thread):
    """Asks workers again and again, as Prometheus does but faster, and remembers how many of them spoke at once."""

    def __init__(self, group: Group) -> None:
        super().__init__(daemon=True)
        self.group, self.heard = group, set[int]()
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(0.03):
            workers = [worker for worker in self.group.workers if worker.is_alive]
            self.heard.add(sum("\npsap_city_info" in worker.page() for worker in workers))

    def end(self) -> None:
        self._ended.set()
        self.join()


def shorten(kafka: RealKafka, group: Group) -> None:
    """Delete what the log holds up to now, as retention does."""
    from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

    with closing(KafkaConsumer(bootstrap_servers=kafka.bootstrap)) as consumer:
        places = [TopicPartition(group.settings.topic_prefix + topic.name, n) for topic in TOPICS for n in range(PARTITIONS)]
        ends = consumer.end_offsets(places)
    with closing(KafkaAdminClient(bootstrap_servers=kafka.bootstrap)) as admin:
        admin.delete_records({place: end for place, end in ends.items() if end})


def spoil(kafka: RealKafka, group: Group, n: int) -> None:
    """Write records that nobody can read."""
    from kafka import KafkaProducer

    with closing(KafkaProducer(bootstrap_servers=kafka.bootstrap)) as producer:
        for number in range(n):
            producer.send(group.settings.topic_prefix + CALLS.name, b"broken", CODES[number % 2].encode())
        producer.flush()


def letters(group: Group) -> list[str]:
    found = dead_letters.letters(Reader(group.settings).letters(), group.settings.topic_prefix)
    return [str(letter.origin) for letter in found]


def upgrade(group: Group, *arguments: str) -> subprocess.CompletedProcess[str]:
    chosen = group.settings
    said = {"BOOTSTRAP": chosen.bootstrap, "APP_ID": chosen.app_id, "TOPIC_PREFIX": chosen.topic_prefix}
    return subprocess.run(
        [sys.executable, "-m", "streams.cli", "upgrade", *arguments],
        env=environ | {PREFIX + name: value for name, value in said.items()},
        capture_output=True,
        text=True,
        check=False,
    )


def is_beside(worker: Worker) -> bool:
    return total(worker.page(), "pantau112_standby") == 1


def is_whole(worker: Worker) -> bool:
    page = worker.page()
    return total(page, "pantau112_partitions_owned") == PARTITIONS * len(TOPICS) and not total(page, "pantau112_lag_records")


def says_all(group: Group, worker: Worker, end: float) -> bool:
    """Whether it has folded all up to a share of the events, exactly. One that has not heard of them is whole, too."""
    expected, at = uninterrupted(told((0, end)), group.centres)
    return is_whole(worker) and domain(worker.page(at)) == expected


def speaks(worker: Worker) -> bool:
    return "\npsap_city_info" in worker.page()


def told(share: tuple[float, float]) -> list[Event]:
    """A part of the events of both centres."""
    events = [
        event.model_copy(update={"subject": code, "source": event.source.replace(event.subject, code)})
        for event in week(days=0.5)
        for code in CODES
    ]
    return events[int(share[0] * len(events)) : int(share[1] * len(events))]


def test_a_newer_version_takes_over_and_gives_way_while_figures_stay_exact_and_only_one_speaks(
    kafka: RealKafka, tmp_path: Path
) -> None:
    prefix = f"upgrade{randrange(10**9)}."
    group, broken = Group(kafka.bootstrap, prefix + "w", prefix, CODES, tmp_path), 0
    ear = Ear(group)

    def write(start: float, end: float, refused: int) -> None:
        nonlocal broken
        with Log(group.settings) as log:
            log.write(told((start, end)))
        spoil(kafka, group, refused)
        broken += refused

    try:
        write(0, 0.3, 3)
        old = group.start("w1")
        wait_until(lambda: speaks(old) and says_all(group, old, 0.3), "the old version has folded what there is")
        shorten(kafka, group)
        write(0.3, 0.4, 0)

        new = group.start(newer="calls")  # what the old one did not know the log no longer holds either
        ear.start()
        wait_until(lambda: is_beside(new) and says_all(group, new, 0.4), "the newer version is as far, beside")
        write(0.4, 0.6, 5)
        wait_until(lambda: says_all(group, old, 0.6) and says_all(group, new, 0.6), "both have folded it")
        assert not speaks(new)
        said = upgrade(group, "status", old.address, new.address)
        assert said.returncode == 0, said.stdout + said.stderr
        assert " 0 differ, 0 are said by the old version only" in said.stderr
        assert f"stop the workers of version {STATE_VERSION} now" in said.stderr
        assert upgrade(group, "finish", "--yes").returncode == 1
        assert len(letters(group)) == len(set(letters(group))) == broken

        assert old.leave() == 0
        assert f"version {STATE_VERSION + 1} works alone" in upgrade(group, "status").stderr, "it has left although it has a name"
        write(0.6, 0.7, 4)
        wait_until(lambda: speaks(new), "the newer version speaks")
        wait_until(lambda: is_whole(new) and len(letters(group)) == broken, "and puts aside what cannot be read")

        old = group.start()
        wait_until(lambda: speaks(old), "the old version is back")
        wait_until(lambda: is_beside(new), "and the newer one silent")
        write(0.7, 0.8, 4)
        wait_until(lambda: says_all(group, old, 0.8) and says_all(group, new, 0.8), "both have folded it")

        old.kill()
        write(0.8, 1, 4)
        wait_until(lambda: speaks(new), "the newer version speaks")
        wait_until(lambda: says_all(group, new, 1), "and has folded all, exactly")
        ear.end()
        found = letters(group)
        assert len(found) == len(set(found)) == broken
        assert max(ear.heard) == 1

        said = upgrade(group, "finish", "--yes")
        assert said.returncode == 0, said.stderr
        with Log(group.settings) as log:
            assert {topic.topic: topic.state for topic in log.check()}[changelog_of(group.settings, STATE_VERSION)] == "missing"
        said = upgrade(group, "status")
        assert (said.returncode, len(said.stdout.splitlines())) == (0, 2)
    finally:
        group.kill()
