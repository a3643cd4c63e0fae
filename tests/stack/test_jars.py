"""Kafka's jars against their lock, with a made-up lock and a fetch that needs no network."""

import hashlib
from pathlib import Path

import pytest

from streams.stack import StackError, jars
from streams.stack.jars import Jar

GOOD = b"a jar" * 1000


class Central:
    """Stands for Maven Central: gives the same bytes for every jar, after as many failures as asked."""

    def __init__(self, content: bytes = GOOD, failures: int = 0) -> None:
        self.content, self.failures, self.asked = content, failures, 0

    def __call__(self, jar: Jar, scratch: Path) -> Path:
        self.asked += 1
        if self.asked <= self.failures:
            raise RuntimeError("no route")
        file = scratch / "download"
        file.write_bytes(self.content)
        return file


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    file = tmp_path / "some.lock"
    file.write_text(f"{hashlib.sha256(GOOD).hexdigest()} {len(GOOD)} org/some/thing/1.0/thing-1.0.jar\n")
    return file


def test_a_jar_that_is_there_is_not_fetched_again(tmp_path: Path, lock: Path) -> None:
    central = Central()
    assert jars.ensure(tmp_path / "jars", lock, central) == jars.ensure(tmp_path / "jars", lock, central)
    assert central.asked == 1


@pytest.mark.parametrize("damaged", [GOOD[:1000], b"", GOOD.replace(b"j", b"c")])
def test_a_damaged_jar_is_fetched_anew(tmp_path: Path, lock: Path, damaged: bytes) -> None:
    (file,) = jars.ensure(tmp_path / "jars", lock, Central())
    file.write_bytes(damaged)
    jars.ensure(tmp_path / "jars", lock, Central())
    assert file.read_bytes() == GOOD


def test_a_jar_with_another_hash_stops_and_is_not_kept(tmp_path: Path, lock: Path) -> None:
    with pytest.raises(StackError, match=r"thing-1\.0\.jar as fetched is not the file that kafka\.lock names"):
        jars.ensure(tmp_path / "jars", lock, Central(GOOD.replace(b"j", b"c")))
    assert not list((tmp_path / "jars").glob("*.jar"))


def test_a_download_that_fails_is_tried_three_times(tmp_path: Path, lock: Path) -> None:
    jars.ensure(tmp_path / "jars", lock, Central(failures=2))
    with pytest.raises(StackError, match=r"Could not fetch thing-1\.0\.jar .*REQUESTS_CA_BUNDLE"):
        jars.ensure(tmp_path / "others", lock, Central(failures=3))


def test_what_a_killed_fetch_left_is_cleared(tmp_path: Path, lock: Path) -> None:
    left = tmp_path / "jars" / "fetch-half"
    left.mkdir(parents=True)
    jars.ensure(tmp_path / "jars", lock, Central())
    assert not left.exists()


def test_the_lock_names_kafka_and_its_log_binding_once_each() -> None:
    coordinates = [jar.coordinates for jar in jars.read_lock()]
    assert len(coordinates) == 46 == len({jar.path.name for jar in jars.read_lock()})
    assert ("org.apache.kafka", "kafka_2.13", "4.3.1") in coordinates
    assert ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.25.4") in coordinates
