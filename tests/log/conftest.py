"""A log of each test's own on the real broker, and what is told in it."""

from collections.abc import Iterator
from itertools import count

import pytest

from streams.log.kafka import Log
from streams.log.reader import Reader
from streams.settings import Settings
from tests.conftest import RealKafka

_prefixes = count()


@pytest.fixture
def settings(kafka: RealKafka) -> Settings:
    """Topics and changelog of this test alone."""
    name = f"log{next(_prefixes)}"
    return Settings(bootstrap=kafka.bootstrap, topic_prefix=f"{name}.", app_id=name)


@pytest.fixture
def events_log(settings: Settings) -> Iterator[Log]:
    with Log(settings) as opened:
        opened.create_topics()
        yield opened


@pytest.fixture
def reader(settings: Settings) -> Reader:
    return Reader(settings)
