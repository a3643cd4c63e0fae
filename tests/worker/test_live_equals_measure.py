"""What real workers export after any history equals what `measure` says of the same events, byte for byte."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest

from schemas.event import Event
from schemas.topics import CALLS, DEAD_LETTERS, OPERATORS, PARTITIONS, TOPIC_OF, decode_recording, encode
from streams.analysis.measure import measure
from streams.analysis.replay import paced
from streams.clock import Clock
from streams.log.kafka import Log
from streams.log.topics import partition_of
from streams.sources import read
from tests.chaos import sixteen, unleash
from tests.conftest import HANG, RealKafka, wait_until
from tests.hostile import PERSON, PHONE, Broken, inputs
from tests.live import Group, centre_files, differences, domain, ignored, interleaved, january, recent, total, uninterrupted, week

pytestmark = [
    pytest.mark.stack,
    # kafka-python leaves sockets to the garbage collector when a broker dies
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

MOMENTS = [datetime.fromisoformat(f"2010-01-{moment}+02:00").timestamp() for moment in ("03T21:00:00", "04T16:15:00")]
"""Those of which an independent computation says who waits."""

CODES = ["32.71", "32.11", "32.12"]


def assert_says(group: Group, expected: list[str], at: float) -> None:
    """The workers come to rest saying exactly this."""

    def so() -> bool:
        assert all(worker.is_alive for worker in group.workers), [worker.log.read_text()[-1000:] for worker in group.workers]
        return group.is_whole and domain(group.page(at)) == expected

    try:
        wait_until(so, "what the workers say equals `measure`")
    except pytest.fail.Exception as failed:
        raise AssertionError("\n".join(differences(expected, domain(group.page(at))))) from failed


def test_two_workers_share_32_partitions_and_one_that_is_left_has_them_all(kafka: RealKafka, tmp_path: Path) -> None:
    codes = [f"32.{number}" for number in range(10, 42)]
    assert len({partition_of(code, 32) for code in codes}) > PARTITIONS
    events = sorted(interleaved(january()[:300], week(days=0.5), codes), key=lambda event: event.time)
    prefix = f"many{Random().randrange(10**9)}."
    group = Group(kafka.bootstrap, prefix + "w", prefix, codes, tmp_path, partitions=32)
    expected, at = uninterrupted(events, group.centres)
    try:
        one, two = group.start(), group.start()
        with Log(group.settings) as log:
            log.write(events)

        def is_shared() -> bool:
            return all(total(worker.page(), "pantau112_partitions_owned") == group.owned / 2 for worker in (one, two))

        wait_until(is_shared, "each has half of them")
        assert_says(group, expected, at)
        assert total(one.page(), "pantau112_partitions", 'topic="112.calls.v1"') == 32

        two.kill()
        group.workers.remove(two)
        assert_says(group, expected, at)
        assert not total(one.page(), "pantau112_dead_letters_total")
    finally:
        group.kill()


def test_live_equals_measure_for_any_number_of_workers_and_any_chunk_size(kafka: RealKafka, tmp_path: Path) -> None:
    events = sorted(interleaved(january(), week(days=5), CODES), key=lambda event: event.time)
    prefix = f"live{Random().randrange(10**9)}."
    groups = {
        name: Group(kafka.bootstrap, prefix + name, prefix, CODES, tmp_path) for name in ("one", "three", "singly", "by-seven")
    }
    try:
        for _ in range(3):
            groups["three"].start()
        groups["one"].start()
        groups["singly"].start(chunk=1)
        groups["by-seven"].start(chunk=7)
        known, fed = groups["one"].centres, 0
        with Log(groups["one"].settings) as log:
            for moment in [*MOMENTS, None]:
                end = next((n for n, e in enumerate(events) if moment and e.time.timestamp() > moment), len(events))
                log.write(events[fed:end])
                fed = end
                expected, at = uninterrupted(events, known, moment)
                for group in groups.values():
                    assert_says(group, expected, at)
    finally:
        for group in groups.values():
            group.kill()


def test_a_real_exchange_s_ten_minutes_at_twenty_times_their_speed_and_two_kills(kafka: RealKafka, tmp_path: Path) -> None:
    """The recording in tests/data/asterisk: transfers, loops, two restarts, told as they happened, and two workers that die."""
    prefix = f"recording{Random().randrange(10**9)}."
    group = Group(kafka.bootstrap, prefix + "w", prefix, ["32.71"], tmp_path)
    known = group.centres["32.71"]
    log = Path(__file__).parents[1] / "data" / "asterisk" / "queue_log"
    events = [line.item for line in read(log, known) if isinstance(line.item, Event)]
    clock = Clock(events[0].time.timestamp(), time.time(), 20)
    try:
        with Log(group.settings) as sink:
            for number, event in enumerate(paced(events, lambda: None, clock)):
                if number in (0, len(events) // 3, len(events) * 2 // 3):
                    if group.workers:
                        group.workers[-1].kill()
                    group.start(instance_id="one")
                sink.write([event])
        group.workers[:] = group.workers[-1:]
        expected, at = uninterrupted(events, group.centres)
        assert any("psap_exchange_restarts_total" in line for line in expected)
        assert_says(group, expected, at)
    finally:
        group.kill()


def test_a_short_chaos_leaves_the_totals_exact(kafka: RealKafka, tmp_path: Path) -> None:
    real, simulated, codes = recent(january()[:6_000]), ignored(recent(week(days=2))), sixteen()
    said: list[str] = []
    seed = Random().randrange(10**9)
    found = unleash(kafka, tmp_path, lambda: interleaved(real, simulated, codes), codes, seed, (5, 1, 1), said.append)
    assert not found, "\n".join([*said, *found])


class Hostile(NamedTuple):
    """What came of 10,000 broken inputs among good ones."""

    group: Group
    good: list[Event]
    broken: dict[tuple[str, int, int], Broken]
    """By topic, partition and offset."""
    page: str
    letters: list[Any]


@pytest.fixture(scope="module")
def hostile(kafka: RealKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    """One worker that has read them all, with the good events it had to count."""
    from kafka import KafkaConsumer, KafkaProducer, TopicPartition

    prefix = f"hostile{Random().randrange(10**9)}."
    group = Group(kafka.bootstrap, prefix + "w", prefix, CODES, tmp_path_factory.mktemp("hostile"))
    good = list(interleaved([], week(days=2), CODES))
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, max_request_size=2_000_000, acks="all", linger_ms=5)
    worker = group.start()
    try:
        sent = []
        for item in mixed(good, 10_000):
            if isinstance(item, Event):
                producer.send(prefix + TOPIC_OF[item.type].name, encode(item), item.subject.encode())
            else:
                topic = OPERATORS if item.place == "other topic" else CALLS
                partition = (partition_of(item.code, PARTITIONS) + (item.place == "other partition")) % PARTITIONS
                sent.append((item, producer.send(prefix + topic.name, item.value, item.code.encode(), partition=partition)))
        producer.flush(60)
        metadata = [(item, future.get(HANG)) for item, future in sent]
        broken = {(place.topic, place.partition, place.offset): item for item, place in metadata}
        expected, at = uninterrupted(good, group.centres)
        assert_says(group, expected, at)
        places = [TopicPartition(prefix + DEAD_LETTERS.name, number) for number in range(PARTITIONS)]
        consumer = KafkaConsumer(bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
        consumer.assign(places)
        ends = consumer.end_offsets(places)
        letters: list[Any] = []
        while any(consumer.position(place) < ends[place] for place in places):
            letters += [letter for records in consumer.poll(500).values() for letter in records]
        consumer.close()
        yield Hostile(group, good, broken, worker.page(), letters)
    finally:
        producer.close(5)
        group.kill()


def mixed(good: Iterable[Event], count: int) -> Iterator[Event | Broken]:
    """Broken inputs first, between and after good events."""
    random = Random(112)
    bad = inputs(random, CODES, count)
    yield from (item for _, item in zip(range(50), bad, strict=False))
    for event in good:
        yield event
        if random.random() < 0.4:
            yield from (item for _, item in zip(range(random.randrange(3)), bad, strict=False))
    yield from bad


def test_every_good_event_among_10000_broken_ones_is_counted_and_the_worker_goes_on(hostile: Hostile) -> None:
    # The fixture has compared the totals.
    unknown = sum(item.reason is None for item in hostile.broken.values())
    assert len(hostile.broken) == 10_000
    assert total(hostile.page, "pantau112_events_consumed_total", 'outcome="folded"') == len(hostile.good)
    assert total(hostile.page, "pantau112_events_consumed_total", 'outcome="unknown_type"') == unknown > 500
    assert total(hostile.page, "pantau112_events_consumed_total", 'outcome="refused"') == 10_000 - unknown
    assert total(hostile.page, "pantau112_dead_letters_total") == 10_000 - unknown
    (worker,) = hostile.group.workers
    assert worker.is_alive


def test_every_broken_record_is_a_dead_letter_with_its_own_bytes_and_reason(hostile: Hostile) -> None:
    refused = {place: item for place, item in hostile.broken.items() if item.reason is not None}
    found = {}
    for letter in hostile.letters:
        said = {name: value.decode() for name, value in letter.headers}
        place = said["dlq_original_topic"], int(said["dlq_original_partition"]), int(said["dlq_original_offset"])
        assert place not in found
        found[place] = (letter.value, said["dlq_reason"])
    assert found == {place: (item.value, item.reason) for place, item in refused.items()}
    assert {reason for _, reason in found.values()} == {
        "empty", "too_large", "not_json", "invalid_envelope", "invalid_data", "other_topic", "unknown_centre", "in_the_future",
        "wrong_partition",
    }  # fmt: skip


def test_no_name_or_number_of_an_input_is_exported_logged_or_written_beside_a_dead_letter(hostile: Hostile) -> None:
    (worker,) = hostile.group.workers
    headers = "".join(f"{name}={value!r};" for letter in hostile.letters for name, value in letter.headers)
    originals = b"".join(letter.value or b"" for letter in hostile.letters)
    for secret in (PHONE, *PERSON.split()):
        assert secret.encode() in originals
        for text in (hostile.page, worker.log.read_text(), headers):
            assert secret not in text


def test_measure_names_the_line_of_every_broken_input_of_a_file_and_counts_the_good(tmp_path: Path) -> None:
    files, known = centre_files(CODES, tmp_path)
    good = list(interleaved([], week(days=2), CODES))
    file, bad = tmp_path / "events.jsonl", {}
    with file.open("wb") as lines:
        lines.write(encode(good[0]) + b"\n")
        number = 1
        for item in mixed(good[1:], 10_000):
            if isinstance(item, Broken):
                # A file has no topics and no partitions, and passes over an empty line.
                if item.reason in ("empty", "wrong_partition", "other_topic") or b"\n" in (item.value or b""):
                    continue
                value = item.value or b""
                if item.reason is not None and isinstance(decode_recording(value), Event):
                    continue  # a recording of 1999
            else:
                value = encode(item)
            number += 1
            lines.write(value + b"\n")
            if isinstance(item, Broken) and item.reason is not None:
                bad[number] = item.reason
    expected, _ = uninterrupted(good, known)
    named: dict[int, str] = {}
    result = measure(
        read(file, known[CODES[0]]),
        known,
        datetime.now(UTC).timestamp(),
        on_refusal=lambda line, refusal: named.update({line: refusal.reason}),
    )
    assert named == bad
    assert domain(result.text) == expected
    assert Counter(result.outcomes)["folded"] == len(good)

    options = [part for path in files for part in ("--centre", str(path))]
    command = [sys.executable, "-c", "from streams.cli import main; main()", "measure", str(file), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert domain(done.stdout) == expected
    for line in sorted(bad)[:20]:
        assert f"{file}:{line}: " in done.stderr
    assert f"{len(bad) - 20:,} more" in done.stderr
    assert f"{len(bad):,} refused" in done.stderr
    assert done.returncode == 0
    for secret in (PHONE, *PERSON.split()):
        assert secret not in done.stderr + done.stdout
