"""Real `pantau112 worker` processes, what they say together, and the calls that tests and the chaos feed them."""

import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from itertools import zip_longest
from os import environ
from pathlib import Path

from schemas.event import Event
from schemas.topics import PARTITIONS, TOPICS
from streams import centres, settings
from streams.analysis.measure import measure
from streams.analysis.replay import moved
from streams.core.centre import Centre, parse
from streams.log.kafka import Log
from streams.log.reader import Reader
from streams.sources import Line, read, simulate
from tests.builders import opened, seconds_to, sent
from tests.conftest import HANG, strays

JANUARY = Path(__file__).parents[2] / "shared" / "data" / "anonymous_bank" / "january1999.queue_log.gz"
LATER = timedelta(days=4_018)
"""From 1999, of which no event may tell in Kafka, to 2010, whose days are of the same week and the same month."""
START = datetime.fromisoformat("2010-01-01T00:00:00+02:00")
IGNORED = "ignored-"


class Group:
    """The workers that share one consumer group on one set of topics."""

    def __init__(
        self,
        bootstrap: str,
        app_id: str,
        prefix: str,
        codes: Iterable[str],
        folder: Path,
        reminders: str | None = None,
        partitions: int = PARTITIONS,
        clock: str = "wall",
    ) -> None:
        self.clock = clock
        self.folder, self.reminders, self.owned = folder, reminders, partitions * len(TOPICS)
        self.files, self.centres = centre_files(codes, folder)
        self.settings = settings.read(
            {"PANTAU112_BOOTSTRAP": bootstrap, "PANTAU112_APP_ID": app_id, "PANTAU112_TOPIC_PREFIX": prefix}
        )
        self.workers: list[Worker] = []
        with Log(self.settings) as log:
            log.create_topics(partitions)

    def start(
        self, instance_id: str | None = None, chunk: int | None = None, kept: int | None = None, newer: str | None = None
    ) -> "Worker":
        """One more worker; with an instance id it takes the place of a dead one of that name within seconds.

        One that has another number of records `kept` is one that some events are poison to. One that is `newer` is of the next
        version, and the nouns that are named so are those of which this version does not know all.
        """
        worker = Worker(self, instance_id, chunk, kept, newer)
        self.workers.append(worker)
        return worker

    def page(self, at: float | None = None) -> str:
        """What the workers that live say one after the other."""
        return "".join(worker.page(at) for worker in self.workers if worker.is_alive)

    @property
    def is_whole(self) -> bool:
        """Whether every partition is owned and folded to the end that its owner knows, by workers that are ready."""
        page = self.page()
        ready = all(worker.is_ready for worker in self.workers if worker.is_alive)
        return ready and total(page, "pantau112_partitions_owned") == self.owned and not total(page, "pantau112_lag_records")

    def kill(self) -> None:
        """SIGKILL all that live."""
        for worker in self.workers:
            worker.kill()


class Worker:
    """One worker process; where it serves is read from what it writes to stderr."""

    def __init__(
        self, group: Group, instance_id: str | None, chunk: int | None, kept: int | None, newer: str | None = None
    ) -> None:
        chosen = group.settings
        said = {"BOOTSTRAP": chosen.bootstrap, "APP_ID": chosen.app_id, "TOPIC_PREFIX": chosen.topic_prefix}
        said |= {
            "METRICS_PORT": "0",
            "INSTANCE_ID": instance_id or "",
            "REMINDER_WEBHOOK": group.reminders or "",
            "CLOCK": group.clock,
        }
        entry = ["-m", "tests.chunked", str(chunk)] if chunk else ["-c", "from streams.cli import main; main()"]
        entry = ["-m", "tests.poisonous", str(kept)] if kept else entry
        entry = entry if newer is None else ["-m", "tests.newer", newer]
        files = [part for file in group.files for part in ("--centre", str(file))]
        self.instance_id, self.wanted = instance_id, group.owned
        self.log = group.folder / f"{chosen.app_id}-{len(group.workers)}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *entry, "worker", *files],
                env={name: value for name, value in environ.items() if not name.startswith(settings.PREFIX)}
                | {settings.PREFIX + name: value for name, value in said.items()},
                stdout=log,
                stderr=log,
                cwd=Path(__file__).parents[1],
            )
        self._url: str | None = None

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    @property
    def is_ready(self) -> bool:
        return self._get("/ready") == "ready\n"

    def page(self, at: float | None = None) -> str:
        """Its `/metrics` at a moment in epoch seconds; nothing while it does not answer."""
        moment = f"?at={datetime.fromtimestamp(at, UTC).isoformat().removesuffix('+00:00')}Z" if at is not None else ""
        return self._get(f"/metrics{moment}")

    @property
    def address(self) -> str:
        """Where it serves, host:port; empty as long as it does not say."""
        return (self._url or "").removeprefix("http://")

    def kill(self) -> None:
        """SIGKILL; returns when it is dead."""
        self.process.kill()
        self.process.wait()

    def leave(self) -> int:
        """SIGTERM; the exit code. All it said was said in lines."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(HANG)
        assert strays(self.log.read_text()) == []
        return code

    def _get(self, path: str) -> str:
        if self._url is None and (found := re.search(r"(http://127\.0\.0\.1:\d+)/metrics\n", self.log.read_text())):
            self._url = found[1]
        if self._url is None:
            return ""
        try:
            with urllib.request.urlopen(self._url + path, timeout=HANG) as answer:
                text: str = answer.read().decode()
                return text
        except (OSError, HTTPException, urllib.error.URLError):
            return ""


def domain(*pages: str) -> list[str]:
    """The domain families of pages, sorted; of a family's head once, of a value as often as it is said."""
    lines = [line for page in pages for line in page.splitlines()]
    heads = {line for line in lines if line.startswith(("# HELP psap_", "# TYPE psap_"))}
    return sorted(heads) + sorted(line for line in lines if line.startswith("psap_"))


def total(page: str, metric: str, having: str = "") -> float:
    """The sum of a metric's values on a page, of those whose labels hold `having`."""
    return sum(
        float(line.rsplit(" ", 1)[1]) for line in page.splitlines() if re.match(rf"{metric}[ {{]", line) and having in line
    )


def differences(expected: list[str], found: list[str], most: int = 10) -> list[str]:
    """The first lines that differ: `-` is missing, `+` too much. Empty when both are the same, byte for byte."""
    want, have = Counter(expected), Counter(found)
    apart = [(line, "-") for line in (want - have).elements()] + [(line, "+") for line in (have - want).elements()]
    return [f"{sign} {line}" for line, sign in sorted(apart)[:most]]


def uninterrupted(events: Iterable[Event], known: dict[str, Centre], at: float | None = None) -> tuple[list[str], float]:
    """What `measure` says of the events, and of which moment (epoch seconds); every one must be taken."""
    lines = (Line(number, event) for number, event in enumerate(events, 1))
    result = measure(lines, known, datetime.now(UTC).timestamp(), at)
    assert set(result.outcomes) <= {"folded", "after"}, result.outcomes
    assert result.at is not None
    return domain(result.text), result.at


def logged(group: Group) -> Iterator[Line]:
    """All that the topics of a group hold, as `measure` takes it."""
    for number, record in enumerate(Reader(group.settings).read([topic.name for topic in TOPICS]), 1):
        yield Line(number, record.item, record.timestamp)


def january() -> list[Event]:
    """Real calls of January 1999, told as of January 2010, or where they are not, as many simulated ones."""
    centre = _centre("32.71")
    if JANUARY.exists():
        return [moved(line.item, LATER) for line in read(JANUARY, centre) if isinstance(line.item, Event)]
    return list(simulate.events(112, START, centre, days=31))


def recent(events: list[Event]) -> list[Event]:
    """The same events, as if the last had happened just now: what is overdue is overdue by the clock on the wall."""
    by = datetime.now(UTC) - max(event.time for event in events)
    return [moved(event, by) for event in events]


def ignored(events: list[Event]) -> list[Event]:
    """The same events, and in their last hour tickets that no agency ever answers: reminders are due whatever day it is."""
    end = seconds_to(max(event.time for event in events))
    tickets = [(f"{IGNORED}{number}", end - 3600 + number) for number in range(20)]
    more = [event for ticket, since in tickets for event in (opened(ticket, since), sent(ticket, since))]
    return sorted([*events, *more], key=lambda event: event.time)


def interleaved(real: list[Event], simulated: list[Event], codes: list[str]) -> Iterator[Event]:
    """The same events in many centres: simulated ones, with seats, in the last two and real ones in all others."""
    for row in zip_longest(real, simulated):
        for number, code in enumerate(codes):
            event = row[number >= len(codes) - 2]
            if event is not None:
                yield event.model_copy(update={"subject": code, "source": event.source.replace(event.subject, code)})


def week(code: str = "32.71", days: float = 7) -> list[Event]:
    """Simulated days of a centre that also tells of its seats."""
    return list(simulate.events(112, START, _centre(code), days=days))


def centre_files(codes: Iterable[str], folder: Path) -> tuple[list[Path], dict[str, Centre]]:
    """A file for each of these centres, with all that Kota Bogor has, and what they say."""
    files = [folder / f"{code}.toml" for code in codes]
    for file in files:
        file.write_text(_text(file.stem))
    return files, centres.load(files)


def _text(code: str) -> str:
    bogor = centres.PACKAGED.read_text()
    for ours, theirs in (("32.71", code), ("Kota Bogor", f"Centre {code}"), ("Asia/Jakarta", "Asia/Jerusalem")):
        bogor = bogor.replace(f'"{ours}"', f'"{theirs}"', 1)
    return bogor


def _centre(code: str) -> Centre:
    return parse(_text(code))
