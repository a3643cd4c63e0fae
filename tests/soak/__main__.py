"""A nation's events at many times their rate, for an hour or more, with faults among them and befalling the processes.

At the end every series of every centre must be what the events that were sent say, every broken record a dead letter, and nothing
may have grown but the log. Sizes are measured with `--calm`: the rate of life and no faults.
"""

import argparse
import contextlib
import heapq
import os
import platform
import socket
import sys
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count, cycle, takewhile
from pathlib import Path
from random import Random

from kafka import KafkaProducer
from kafka.errors import KafkaError

from schemas.event import Event
from schemas.topics import CALLS, OPERATORS, TOPIC_OF, TOPICS
from streams.centres import indonesia
from streams.clock import Clock
from streams.core.centre import Centre
from streams.log.access import LogError
from streams.log.dead_letters import letters
from streams.log.kafka import Log
from streams.log.reader import Reader
from streams.log.topics import partition_of
from streams.sources import simulate
from streams.stack import jars
from streams.stack.kafka import Broker, find_java
from streams.worker.exposition import exposition
from streams.worker.monitor import Monitor
from tests.chaos import Chaos, Feed
from tests.conftest import LOCAL, RealKafka, free_port, wait_until
from tests.hostile import Broken, inputs
from tests.live import Group, differences, domain, total
from tests.soak.watch import Watch, size

RESULTS = Path(__file__).with_name("results.md")
LOOK_SECONDS = 5.0
"""How often everything is looked at, and every worker asked for its whole page."""

TWICE, LATE, LATE_BY, BROKEN = 0.002, 0.0005, timedelta(hours=2), 0.001
"""Shares of the events that are sent twice, and that come so much too late; and broken records for each event."""

SLOW_CLIENTS = 20

SAME = 10
"""Of many centres so many have the same day: to simulate each would take longer than all the rest."""

WARM_UP, LEAST_SECONDS = 86_400, 900
"""What rises is seen after the first day of the stream, in which states fill, and if so many seconds of the run are left."""


class Sender(threading.Thread):
    """Sends simulated events when the stream's clock says that they happened, with faults, and folds itself what it sends."""

    def __init__(self, group: Group, events: Iterator[Event], clock: Clock, random: Random, *, calm: bool) -> None:
        super().__init__(name="sender", daemon=True)
        self.monitor = Monitor(group.centres)
        self.events = self.sent = self.broken = self.refused = self.unsure = 0
        self.behind = self.newest = 0.0
        self.error: BaseException | None = None
        self._group, self._source, self._clock, self._random, self._calm = group, events, clock, random, calm
        self._offsets = count()
        self._breaker: KafkaProducer | None = None

    def run(self) -> None:
        try:
            self._send_all()
        except BaseException as error:
            self.error = error
            raise

    def _send_all(self) -> None:
        log = Log(self._group.settings)
        broken = inputs(self._random, sorted(self._group.centres), sys.maxsize)
        for batch in self._batches():
            while True:
                try:
                    log.write(batch)
                    break
                except LogError:
                    log.close(0)
                    time.sleep(0.5)
            for event in batch:
                topic, offset = TOPIC_OF[event.type].name, next(self._offsets)
                self.monitor.fold_event(topic, 0, offset, event, time.time())
            self.sent += len(batch)
            if not self._calm:
                self._break([next(broken) for _ in range(int(len(batch) * BROKEN + self._random.random()))])
        log.close()
        self._end_breaker()

    def _batches(self) -> Iterator[list[Event]]:
        """What is due together, in the order in which it is sent: some twice, some long after it happened."""
        held: list[tuple[float, int, Event]] = []
        batch: list[Event] = []
        for number, event in enumerate(self._source):
            happened = event.time.timestamp()
            while batch and (len(batch) >= 5_000 or happened > self._clock.at(time.time())):
                yield batch
                batch = []
                self.behind = self._clock.at(time.time()) - happened
                if (ahead := -self.behind / self._clock.speed) > 0:
                    time.sleep(min(ahead + 0.2, 5.0))
            self.events, self.newest = self.events + 1, max(self.newest, happened)
            while held and held[0][0] <= happened:
                batch.append(heapq.heappop(held)[2])
            if not self._calm and self._random.random() < LATE:
                heapq.heappush(held, (happened + LATE_BY.total_seconds(), number, event))
                continue
            batch += [event] * (1 + (not self._calm and self._random.random() < TWICE))
        yield batch + [event for _, _, event in sorted(held)]

    def _break(self, records: list[Broken]) -> None:
        """Write broken records, each until Kafka has it; `unsure` counts those that may be there more than once."""
        prefix = self._group.settings.topic_prefix
        partitions = self._group.owned // len(TOPICS)
        while records:
            item = records[-1]
            home = (partition_of(item.code, partitions) + (item.place == "other partition")) % partitions
            topic = prefix + (OPERATORS if item.place == "other topic" else CALLS).name
            try:
                if self._breaker is None:
                    bootstrap = self._group.settings.bootstrap
                    self._breaker = KafkaProducer(bootstrap_servers=bootstrap, max_request_size=2_000_000, acks="all")
                self._breaker.send(topic, item.value, item.code.encode(), partition=home).get(30)
            except (KafkaError, OSError):
                self.unsure += 1
                self._end_breaker()
                time.sleep(0.5)
            else:
                records.pop()
                self.broken += 1
                self.refused += item.reason is not None

    def _end_breaker(self) -> None:
        if self._breaker is not None:
            with contextlib.suppress(KafkaError):
                self._breaker.close(5)
            self._breaker = None


def nation(seed: int, start: datetime, centres: Sequence[Centre], *, days: float, calls: float) -> Iterator[Event]:
    """Simulated events of these centres; of many, every so manieth is simulated and those after it have the same ones."""
    same = SAME if len(centres) > 5 * SAME else 1
    alike = {
        group[0].code: [centre.code for centre in group]
        for group in (centres[i : i + same] for i in range(0, len(centres), same))
    }
    for event in simulate.nation(seed, start, centres[::same], days=days, calls_per_day=calls):
        yield event
        for code in alike[event.subject][1:]:
            yield event.model_copy(update={"subject": code, "source": event.source.replace(event.subject, code)})


def bother(group: Group, stop: threading.Event) -> None:
    """Slow clients of every worker's page: half say nothing, half ask for all and take a byte now and then."""
    clients: deque[socket.socket] = deque()
    while not stop.wait(1):
        ports = [int(worker._url.rpartition(":")[2]) for worker in group.workers if worker.is_alive and worker._url]
        with contextlib.suppress(OSError):
            if not ports:
                continue
            port = ports[len(clients) % len(ports)]
            clients.append(socket.create_connection(("127.0.0.1", port), 2))
            if len(clients) % 2:
                clients[-1].sendall(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        for client in clients:
            client.settimeout(0.001)
            with contextlib.suppress(OSError):
                client.recv(1)
        if len(clients) > SLOW_CLIENTS:
            clients.popleft().close()
    for client in clients:
        client.close()


def befall(chaos: Chaos, sender: Sender, dealt: Counter[str]) -> None:
    """A blow each minute and a half until all is sent: a worker dies, a third comes and goes, the broker dies. w1 stays.

    For the main thread: what another one starts dies with it.
    """
    blows: list[tuple[str, Callable[[], str]]] = [
        ("kill -9 of w2", lambda: chaos.kill_worker("w2")),
        ("a guest comes and goes", chaos.rebalance),
        ("kill -9 of w2", lambda: chaos.kill_worker("w2")),
        ("kill -9 of the broker", chaos.kill_broker),
    ]
    for name, blow in cycle(blows):
        due = time.monotonic() + chaos.random.uniform(60, 120)
        while time.monotonic() < due:
            chaos.revive()
            if not sender.is_alive():
                return
            time.sleep(0.5)
        chaos.wait(lambda: not sender.is_alive() or chaos.is_folding(), "all workers fold")
        if not sender.is_alive():
            return
        chaos.say(f"{name}: {blow()}")
        dealt[name] += 1


def watching(look: Callable[[], None], stop: threading.Event, say: Callable[[], None]) -> None:
    """Look again and again, and say now and then how far it is."""
    for turn in count():
        look()
        if turn % 12 == 0:
            say()
        if stop.wait(LOOK_SECONDS):
            return


def tail(page: str) -> str:
    """The worker's own part of its page."""
    return page[page.find("# HELP pantau112_") :]


def look(watch: Watch, chaos: Chaos, kafka: RealKafka, folder: Path, sender: Sender) -> None:
    """One look at everything."""
    pids = {name: worker.process.pid for name, worker in chaos.steady.items() if worker.is_alive}
    with contextlib.suppress(AssertionError):
        pids["Kafka"] = kafka.pid
    watch.look(pids)
    lag = 0.0
    for name, worker in list(chaos.steady.items()):
        began = time.monotonic()
        page = worker.page()
        if not page:
            continue
        watch.note(f"{name}: scrape, s", time.monotonic() - began)
        watch.note(f"{name}: series", page.count("\npsap_"))
        lag += total(tail(page), "pantau112_lag_records")
    watch.note("lag, records", lag)
    logs = [(path, size(path) / 1e6) for path in (folder / "data").iterdir() if path.is_dir()]
    for what, is_it in (("events", True), ("states", False)):
        watch.note(f"disk of {what}, MB", sum(mb for path, mb in logs if path.name.startswith("soak.") is is_it))
    watch.note("logs of workers, MB", sum(worker.log.stat().st_size for worker in chaos.group.workers) / 1e6)
    watch.note("sender behind, s", max(0.0, sender.behind) / sender._clock.speed)


def soak(given: argparse.Namespace, folder: Path, kafka: RealKafka) -> tuple[list[str], str]:
    """One run; what is wrong, and what it was like as Markdown."""
    random, seconds, say = Random(given.seed), given.minutes * 60, partial(print, file=sys.stderr, flush=True)
    known = sorted(indonesia.centres())
    codes = ["32.71", *(code for code in known if code != "32.71")][: given.centres]
    start = datetime.now(UTC) - timedelta(seconds=seconds * given.speed + 120, hours=given.before)
    head = 60.0  # until the workers are there; what happens meanwhile is caught up with
    clock = Clock((start + timedelta(hours=given.before)).timestamp(), time.time() + head, given.speed)
    group = Group(kafka.bootstrap, "soak", "soak.", codes, folder, clock=str(clock))
    end = clock.stream + seconds * given.speed
    days = (end - start.timestamp()) / 86_400
    source = nation(given.seed, start, list(group.centres.values()), days=days, calls=given.calls)
    sender = Sender(group, takewhile(lambda event: event.time.timestamp() <= end, source), clock, random, calm=given.calm)
    feed = Feed(group.settings, [])
    chaos = Chaos(kafka, group, feed, random, say)
    watch, stop, dealt, found = Watch(), threading.Event(), Counter[str](), list[str]()
    see = partial(look, watch, chaos, kafka, folder, sender)

    def tell() -> None:
        say(f"{watch.seconds:6.0f} s: {sender.sent:,} sent, {sender.behind / given.speed:.1f} s behind")

    threads = [threading.Thread(target=watching, args=(see, stop, tell), daemon=True)]
    if not given.calm:
        threads.append(threading.Thread(target=bother, args=(group, stop), daemon=True))
    try:
        chaos.steady["w1"] = group.start("w1")
        wait_until(lambda: bool(chaos.steady["w1"].page()), "a worker answers")
        sender.start()
        # What it takes is what it takes once it has caught up.
        while clock.at(time.time()) < clock.stream or (given.calm and sender.behind > LOOK_SECONDS * given.speed):
            time.sleep(0.2)
        watch.began = time.monotonic()
        events = sender.events
        for thread in threads:
            thread.start()
        if not given.calm:
            befall(chaos, sender, dealt)
        sender.join()
        took, events = watch.seconds, sender.events - events
        stop.set()
        for thread in threads:
            thread.join()
        if sender.error is not None:
            found.append(f"the sender ended: {sender.error!r}")
        (wait_until if given.calm else chaos.wait)(lambda: whole(chaos), "everything is folded")
        say("compares every series")
        expected = domain("".join(exposition(sender.monitor, sender.newest)))
        found += differences(expected, domain(group.page(sender.newest)))
        aside = {letter.origin for letter in letters(Reader(group.settings).letters(), "soak.")}
        if not sender.refused <= len(aside) <= sender.refused + sender.unsure:
            found.append(f"{sender.refused:,} broken records sent (and up to {sender.unsure} twice), {len(aside):,} dead letters")
    finally:
        stop.set()
        group.kill()
    lines = watch.lines(warm_up(given))
    watched = ("w1: memory", "w1: descriptors", "w1: threads", "Kafka: ", "lag")
    grown = [name for name, line in lines.items() if name.startswith(watched) and not line.is_flat and judged(given)]
    return found + [f"grows: {name}" for name in grown], told(given, chaos, sender, watch, expected, events, took, dealt)


def warm_up(given: argparse.Namespace) -> float:
    """Seconds of the run in which its states fill; nothing of them is in a calm one, that looks at no growth."""
    return 0.0 if given.calm else max(0.0, WARM_UP - given.before * 3600) / float(given.speed)


def judged(given: argparse.Namespace) -> bool:
    """Whether it is said of a run what grows in it."""
    return not given.calm and bool(given.minutes * 60 - warm_up(given) >= LEAST_SECONDS)


def whole(chaos: Chaos) -> bool:
    """Whether the workers that stay own everything and have folded it."""
    pages = [tail(worker.page()) for worker in chaos.steady.values()]
    owned = sum(total(page, "pantau112_partitions_owned") for page in pages)
    return owned == chaos.group.owned and not any(total(page, "pantau112_lag_records") for page in pages)


def told(
    given: argparse.Namespace, chaos: Chaos, sender: Sender, watch: Watch, expected: list[str], events: int, took: float,
    dealt: Counter[str],
) -> str:  # fmt: skip
    """A run as Markdown."""
    speed = given.speed * given.minutes * 60 / took
    day = events / took / speed * 86_400
    disk = watch.numbers["disk of events, MB"]
    each = (disk[-1][1] - disk[0][1]) * 1e6 / events
    series = sum(line.startswith("psap_") for line in expected)
    rows = [
        f"### {len(chaos.group.centres)} centres, {given.minutes:g} minutes, {'calm' if given.calm else 'with faults'}",
        "",
        f"Run on {datetime.now(UTC):%Y-%m-%d}: {platform.machine()}, {os.cpu_count()} cores, load of the machine "
        f"{os.getloadavg()[1]:.1f}; seed {given.seed}, {given.before:g} hours of events before.",
        "",
        f"- {events:,} events in {took:.0f} s, {events / took:,.0f} a second: {speed:.0f} times life (asked: {given.speed:g}), "
        f"of which a day has {day:,.0f} events. {series:,} series.",
        f"- Disk: {each:.0f} bytes an event, {each * day / 1e6:,.0f} MB a day of life in Kafka, and its states beside them.",
    ]
    if not given.calm:
        struck = ", ".join(f"{n} while {what}" for what, n in sorted(chaos.struck.items())) or "none"
        ended = ", ".join(f"{n} with exit code {code}" for code, n in sorted(chaos.ended.items())) or "none"
        blows = ", ".join(f"{n} times {what}" for what, n in sorted(dealt.items())) or "no blows"
        rows.append(
            f"- Faults: {sender.broken:,} broken records, of {TWICE:.1%} of the events a second copy, {LATE:.2%} of them "
            f"{LATE_BY} late; {blows} (workers killed {struck}); "
            f"workers that ended themselves: {ended}; {SLOW_CLIENTS} slow clients."
        )
    rows += [f"- CPU: {', '.join(f'{name} {watch.share(name):.1%} of a core' for name in sorted(watch.processes))}.", ""]
    rows += ["| what | mean | most | rise | noise | flat |", "|---|---|---|---|---|---|"]
    for name, line in sorted(watch.lines(warm_up(given)).items()):
        flat = "yes" if line.is_flat else "no"
        rows.append(f"| {name} | {line.mean:,.1f} | {line.most:,.1f} | {line.rise:+,.2f} | {line.noise:,.2f} | {flat} |")
    return "\n".join(rows) + "\n"


def main() -> int:
    """The whole of it, from the command line; 1 if a figure differs or something grows."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, help="how long (default 60)")
    parser.add_argument("--speed", type=float, default=100, help="how many times as fast as life (default 100)")
    parser.add_argument("--centres", type=int, default=514, help="how many centres (default 514)")
    parser.add_argument("--calls", type=float, default=953, help="calls a day at each (default 953)")
    parser.add_argument("--before", type=float, default=0, help="hours of events that are there before it begins (default 0)")
    parser.add_argument("--calm", action="store_true", help="one worker and no faults, to measure what it takes")
    parser.add_argument("--seed", type=int, default=Random().randrange(10_000), help="of events and faults (default: random)")
    parser.add_argument("--to", type=Path, default=RESULTS, help=f"where it is added to (default {RESULTS.name})")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pantau112-soak-") as name:
        folder = Path(name)
        java, files = find_java(None), jars.ensure(LOCAL / "kafka" / "jars")
        kafka = RealKafka(Broker(folder / "data", folder / "log", free_port(), free_port(), java, files))
        try:
            kafka.start()
            wrong, text = soak(given, folder, kafka)
        finally:
            kafka.kill()
    verdict = "\n".join(wrong) or f"exact{', and nothing grows but the log' if judged(given) else ''}"
    with given.to.open("a") as results:
        results.write(f"\n{text}\nVerdict: {verdict}\n")
    print(verdict)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
