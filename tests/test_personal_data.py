"""The page for the data protection officer says of every topic and state what the code does."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from schemas.callers import LONGEST
from schemas.topics import DEAD_LETTERS, SNAPSHOT_INDEX, SNAPSHOTS, TOPICS
from streams.cli.callers import SEGMENT_DAYS
from streams.core import aliases, blocks, callbook, callers
from streams.core.callers import Callers
from streams.core.ledger import LATENESS
from streams.log.topics import plans
from streams.settings import Settings

KEPT = (*TOPICS, DEAD_LETTERS, SNAPSHOTS, SNAPSHOT_INDEX)
DOCS = Path(__file__).parents[1] / "docs"
PAGES = {name: (DOCS / name).read_text() for name in ("personal-data.md", "personal-data.en.md")}


@pytest.mark.parametrize("page", PAGES)
def test_the_retention_of_every_topic_stands_there_and_of_no_other(page: str) -> None:
    said = dict(re.findall(r"^\| `(112\.[^`]+)` \| [^|]+ \| (\d+) \|$", PAGES[page], re.MULTILINE))

    assert said == {topic.name: str(topic.retention_days) for topic in KEPT}


@pytest.mark.parametrize("page", PAGES)
def test_every_memory_of_callers_stands_there_with_its_bound(page: str) -> None:
    day = blocks.DAY
    bounds = [
        ("5", callbook.REACH),
        ("36 bit", callbook._MARK * 6),
        ("24", 24),
        ("14", blocks.PRANKS_EACH),
        ("600", blocks.PRANK_CALLERS),
        ("500", blocks.RECORDS),
        ("500", callers.CONTACTED),
        ("30", blocks.REMEMBERED // day),
        ("30", LONGEST.days),
        ("5", (callers.CALLBACK_SECONDS + LATENESS) // 3_600),
        ("450", aliases.MOST),
        ("20000", callers.PROTECTED),
        ("36 bit", callers._PROTECTED * 6),
        ("7", SEGMENT_DAYS),
        ("407", TOPICS[0].retention_days + SEGMENT_DAYS),
    ]
    for text, value in bounds:
        assert text.removesuffix(" bit") == str(value)
        assert re.search(rf"\b{text}", PAGES[page]), text


def test_no_memory_of_callers_was_added_that_the_page_does_not_have() -> None:
    named = {"pranks", "records", "contacted", "protected", "aliases"}
    without_caller = {"classified", "strangers", "window", "day", "early", "replayed"}

    assert {field.name for field in fields(Callers)} == named | without_caller


def test_kafka_is_told_of_these_retentions() -> None:
    told = {plan.name: plan.config.get("retention.ms") for plan in plans(Settings(), 8)}

    for topic in KEPT:
        assert told[topic.name] == str(topic.retention_days * 86_400_000)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_the_page_exists(page: str) -> None:
    from streams.cli import app
    from tests.test_marked_data import commands

    assert set(re.findall(r"pantau112 ((?:callers|replay) [a-z]+)", PAGES[page])) <= {name for name, _ in commands(app)}
