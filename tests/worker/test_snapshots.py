"""Real workers keep what they knew at the end of each day, and who has lost its state, or asks for an old day, begins there."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest
from typer.testing import CliRunner

from schemas.topics import TOPICS
from streams import cli, settings
from streams.log import snapshots
from streams.log.kafka import Log
from streams.log.reader import Reader
from tests.conftest import RealKafka, wait_until
from tests.live import START, Group, domain, interleaved, total, week

pytestmark = pytest.mark.stack

CODES = ["32.71", "32.11"]
DAYS = 3
ALL = "topic:" + ",".join(topic.name for topic in TOPICS)


def measured(group: Group, at: datetime | None, *more: str) -> tuple[str, str]:
    """What `pantau112 measure` prints of all topics, and what it says of itself."""
    said = {"BOOTSTRAP": group.settings.bootstrap, "TOPIC_PREFIX": group.settings.topic_prefix}
    files = [part for file in group.files for part in ("--centre", str(file))]
    chosen = ["--at", at.isoformat()] if at else []
    done = CliRunner().invoke(
        cli.app,
        ["measure", ALL, *files, *chosen, *more],
        env={settings.PREFIX + name: value for name, value in said.items()},
    )
    assert done.exit_code == 0, done.output
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def folded(kafka: RealKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    """Some days of two centres, folded by one worker that is gone by now; its snapshots are in Kafka."""
    prefix = f"kept{Random().randrange(10**9)}."
    group = Group(kafka.bootstrap, prefix + "w", prefix, CODES, tmp_path_factory.mktemp("kept"))
    worker = group.start()
    last = (START + timedelta(days=DAYS - 1, hours=2)).timestamp()
    with Log(group.settings) as log:

        def kept() -> set[str]:
            return {city for each in snapshots.index(Reader(group.settings)) if each.newest >= last for city in each.states}

        log.write(sorted(interleaved([], week(days=DAYS), CODES), key=lambda event: event.time))
        wait_until(lambda: group.is_whole, "all is folded")
        wait_until(lambda: kept() == set(CODES), "the last day is kept")
    worker.leave()
    yield group
    group.kill()


def test_an_old_day_is_measured_from_its_snapshots_text_by_text(folded: Group) -> None:
    for at in (START + timedelta(days=1, hours=13), None):
        quick, said = measured(folded, at)
        assert "snapshots of" in said
        whole, said = measured(folded, at, "--whole")
        assert "snapshot" not in said
        assert quick == whole


def test_a_worker_whose_changelog_is_gone_begins_from_its_snapshots_and_says_the_same(folded: Group) -> None:
    from kafka import KafkaAdminClient

    at = START + timedelta(days=40)  # when all has happened that they tell of
    expected = domain(measured(folded, at, "--whole")[0])
    admin = KafkaAdminClient(bootstrap_servers=folded.settings.bootstrap)
    with Log(folded.settings) as log:
        changelog = next(found.topic for found in log.check() if found.topic.endswith("-state-changelog"))
        admin.delete_topics([changelog])
        wait_until(lambda: any(found.state == "missing" for found in log.check()), "the changelog is gone")
        log.create_topics()
        held = sum(1 for _ in Reader(folded.settings).read([topic.name for topic in TOPICS]))
    admin.close()
    worker = folded.start()
    wait_until(lambda: folded.is_whole and domain(worker.page(at.timestamp())) == expected, "it says the same")
    assert "begins from its snapshot" in worker.log.read_text()
    assert total(worker.page(), "pantau112_events_consumed_total") < held / 2
    worker.kill()

    again = folded.start()
    wait_until(lambda: folded.is_whole and domain(again.page(at.timestamp())) == expected, "and again")
    assert "begins from its snapshot" not in again.log.read_text()  # the changelog has it all by now


def test_a_set_whose_states_are_not_all_there_is_not_used(folded: Group) -> None:
    log = Reader(folded.settings)
    one = next(each for each in snapshots.index(log) if each.states)
    assert snapshots.states(log, {one.place: one}, CODES)[one.place].keys() == one.states.keys()
    gone = replace(one, states=dict.fromkeys(one.states, (10**9, 0.0)))
    assert snapshots.states(log, {one.place: gone}, CODES) == {}
