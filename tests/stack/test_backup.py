"""What is backed up as docs/operate.md says is put into an empty folder, and says every series as before."""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.topics import TOPICS
from streams.log.kafka import Log
from streams.stack.kafka import Broker, find_java
from tests.conftest import RealKafka, free_port, wait_until
from tests.live import Group, domain, interleaved, january, total, uninterrupted, week

pytestmark = pytest.mark.stack

CODES = ["32.71", "32.11", "32.12"]
ALL = "topic:" + ",".join(topic.name for topic in TOPICS)


def broker(home: Path, kafka_jars: list[Path]) -> RealKafka:
    """Kafka as it lies in the folder of `up`, on ports that the folder did not have before."""
    return RealKafka(Broker(home / "live" / "kafka", home / "log", free_port(), free_port(), find_java(None), kafka_jars))


def replay(group: Group, *words: str) -> None:
    """`pantau112 replay` on a group's topics."""
    chosen = group.settings
    said = {"PANTAU112_BOOTSTRAP": chosen.bootstrap, "PANTAU112_TOPIC_PREFIX": chosen.topic_prefix}
    subprocess.run([sys.executable, "-m", "streams.cli", "replay", *words], env={**os.environ, **said}, check=True, timeout=240)


def test_a_backup_in_an_empty_folder_says_every_series_as_before(kafka_jars: list[Path], tmp_path: Path) -> None:
    home, other, files = tmp_path / "home", tmp_path / "other", tmp_path / "files"
    files.mkdir()
    events = sorted(interleaved(january()[:2_000], week(days=2), CODES), key=lambda event: event.time)
    first = broker(home, kafka_jars)
    try:
        first.start()
        group = Group(first.bootstrap, "pantau112", "", CODES, files)
        expected, at = uninterrupted(events, group.centres)
        with Log(group.settings) as log:
            log.write(events)

        def says_the_same() -> bool:
            return group.is_whole and domain(group.page(at)) == expected

        worker = group.start()
        wait_until(says_the_same, "every series, before")
        # While everything runs: the events alone, into a file.
        replay(group, "record", ALL, "--to", str(tmp_path / "events.jsonl.gz"))
        worker.leave()
        first.stop()
        # While everything stands still: the folder.
        subprocess.run(["tar", "-C", home, "-cf", tmp_path / "home.tar", "."], check=True)
    finally:
        first.kill()

    other.mkdir()
    subprocess.run(["tar", "-C", other, "-xf", tmp_path / "home.tar"], check=True)
    second = broker(other, kafka_jars)
    try:
        second.start()
        group = Group(second.bootstrap, "pantau112", "", CODES, files)
        group.start()
        wait_until(says_the_same, "every series, of the folder")
        assert not total(group.page(), "pantau112_events_consumed_total"), "the states were in the folder too"
        group.kill()

        group = Group(second.bootstrap, "restored", "restored.", CODES, files, partitions=3)
        replay(group, "play", str(tmp_path / "events.jsonl.gz"), "--clock", "wall", *(f"--centre={file}" for file in group.files))
        replay(group, "record", ALL, "--to", str(tmp_path / "again.jsonl.gz"))
        once, again = (gzip.decompress((tmp_path / name).read_bytes()) for name in ("events.jsonl.gz", "again.jsonl.gz"))
        assert sorted(again.splitlines()) == sorted(once.splitlines())
        group.start()
        wait_until(says_the_same, "every series, of the file")
    finally:
        group.kill()
        second.kill()
