"""Workers and the broker are killed under a full-speed feed, and the totals must equal an uninterrupted run byte for byte.

Before that, valid events with extreme values are told to a monitor in this process: it must fold them all, and add up.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from random import Random

from schemas.dispatch import TicketReminderAccepted, TicketReminderDue, TicketSent
from schemas.event import Event
from schemas.topics import PARTITIONS
from streams.analysis.measure import measure
from streams.log.access import LogError
from streams.log.kafka import Log
from streams.log.topics import partition_of
from streams.settings import Settings
from streams.sources import Line
from streams.stack import jars
from streams.stack.kafka import Broker, find_java
from tests.conftest import LOCAL, RealKafka, free_port
from tests.live import (
    IGNORED,
    Group,
    Worker,
    differences,
    domain,
    ignored,
    interleaved,
    january,
    logged,
    recent,
    total,
    week,
)
from tests.receiver import Receiver
from tests.trial import trials

BATCH = 2_000
PATIENCE_SECONDS = 240.0
"""How long workers may say nothing new before they count as stuck."""


class Feed(threading.Thread):
    """Writes events at full speed, as many as it is allowed to, and rides out a broker that is away."""

    def __init__(self, settings: Settings, events: Iterable[Event]) -> None:
        super().__init__(name="feed", daemon=True)
        self.written = self.repeated = 0
        self.done = False
        self._settings, self._events = settings, iter(events)
        self._allowed, self._unbounded = threading.Semaphore(0), False

    def allow(self, events: int) -> None:
        """So many more, to the next whole batch."""
        self._allowed.release(max(1, events // BATCH))

    def finish(self) -> None:
        """All that is left."""
        self._unbounded = True
        self._allowed.release()

    def run(self) -> None:
        log = Log(self._settings)
        while batch := list(islice(self._events, BATCH)):
            if not self._unbounded:
                self._allowed.acquire()
            while True:
                try:
                    log.write(batch)
                    break
                except LogError:
                    self.repeated += 1
                    log.close(0)
                    time.sleep(0.5)
            self.written += len(batch)
        log.close()
        self.done = True


class Chaos:
    """Two workers with names of their own, a feed, and what is done to them; `random` decides when."""

    def __init__(self, kafka: RealKafka, group: Group, feed: Feed, random: Random, say: Callable[[str], None]) -> None:
        self.kafka, self.group, self.feed, self.random, self.say = kafka, group, feed, random, say
        self.steady: dict[str, Worker] = {}
        self.struck: Counter[str] = Counter()
        self.ended: Counter[int] = Counter()

    def run(self, kills: int, broker_kills: int, rebalances: int, share: int) -> None:
        """All blows in random order, with a share of the events for each."""
        self.feed.start()
        self.revive()
        blows = [self.kill_worker] * kills + [self.kill_broker] * broker_kills + [self.rebalance] * rebalances
        self.random.shuffle(blows)
        for number, blow in enumerate(blows, 1):
            self.feed.allow(share // 2)
            # Now and then at once, so that blows also fall while workers join and recover.
            if self.random.random() < 0.7:
                self.wait(self.is_folding, "all workers fold")
            self.feed.allow(share // 2)
            time.sleep(self.random.uniform(0, 1.2))
            self.say(f"{number}/{len(blows)} {blow.__name__.replace('_', ' ')}: {blow()}; {self.feed.written:,} events written")

    def kill_worker(self, victim: str | None = None) -> str:
        name = victim or self.random.choice(sorted(self.steady))
        page = self.steady[name].page()
        what = "starting" if not page else "recovering" if total(page, "pantau112_recovering") else "folding"
        if what == "folding" and not total(page, "pantau112_lag_records"):
            what = "idle"
        self.steady[name].kill()
        self.struck[what] += 1
        self.steady[name] = self.group.start(name)
        return f"{name} while {what}"

    def kill_broker(self) -> str:
        self.kafka.kill()
        seconds = self.random.uniform(0.5, 4)
        time.sleep(seconds)
        self.kafka.start()
        return f"away for {seconds:.1f} s and its start"

    def rebalance(self) -> str:
        guest = self.group.start()
        self.wait(
            lambda: guest.is_ready and total(guest.page(), "pantau112_partitions_owned") > 0, "the guest has a share", guest
        )
        time.sleep(self.random.uniform(0, 2))
        owned = total(guest.page(), "pantau112_partitions_owned")
        code = guest.leave()
        if code:
            self.ended[code] += 1
        return f"a third worker came, owned {owned:g} partitions and went with exit code {code}"

    def is_folding(self) -> bool:
        """Whether the steady workers own everything and are ready."""
        owned = sum(total(worker.page(), "pantau112_partitions_owned") for worker in self.steady.values())
        return owned == self.group.owned and all(worker.is_ready for worker in self.steady.values())

    def revive(self) -> None:
        """Start the workers that are not there; one may end itself rather than go on wrongly, and that is counted."""
        for name in ("w1", "w2"):
            worker = self.steady.get(name)
            if worker is not None and not worker.is_alive:
                self.ended[worker.process.returncode] += 1
                self.say(f"{name} ended itself with {worker.process.returncode}: {worker.log.read_text()[-600:]}")
            if worker is None or not worker.is_alive:
                self.steady[name] = self.group.start(name)

    def wait(self, true: Callable[[], bool], what: str, guest: Worker | None = None) -> None:
        """Until it is so, as a supervisor would: dead workers are started again. RuntimeError if it never is."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not true():
            self.revive()
            if guest is not None and not guest.is_alive:
                raise RuntimeError(f"the guest ended itself with {guest.process.returncode}: {guest.log.read_text()[-600:]}")
            if time.monotonic() > deadline:
                logs = "\n".join(f"{w.instance_id}: {w.log.read_text()[-600:]}" for w in self.group.workers if w.is_alive)
                raise RuntimeError(f"waited {PATIENCE_SECONDS:g} s in vain: {what}\n{logs}")
            time.sleep(0.1)

    def settle(self, receiver: Receiver) -> list[str]:
        """Wait until everything is folded and every reminder accepted, or nothing new happens any more; what is wrong then."""
        self.feed.finish()
        newest, since = "", time.monotonic()
        while not self.is_at_rest():
            self.revive()
            now = f"{self.feed.written} {len(receiver.taken)} {hash(self.group.page())}"
            if now != newest:
                newest, since = now, time.monotonic()
            if time.monotonic() - since > PATIENCE_SECONDS:
                return ["the workers never came to rest"]
            time.sleep(0.3)
        lines = list(logged(self.group))
        result = measure(lines, self.group.centres, time.time())
        # A batch that was written again after the broker's death is known by its ids, or late when it is longer than an hour.
        strange = set(result.outcomes) - {"folded", "duplicate", "late"}
        wrong = [f"{strange} of what the log holds"] if strange else []
        told = len({(line.item.source, line.item.id) for line in lines if isinstance(line.item, Event)})
        if result.outcomes["folded"] != told:
            wrong.append(f"{told:,} events in the log, {result.outcomes['folded']:,} folded")
        return wrong + differences(domain(result.text), domain(self.group.page(result.at))) + unkept(lines, receiver)

    def is_at_rest(self) -> bool:
        """Whether the feed is done, the log folded, nothing pending, and nothing more is said for three looks of the advisor."""
        if not self.feed.done or not self.group.is_whole or total(self.group.page(), "psap_ticket_reminders_pending"):
            return False
        consumed = total(self.group.page(), "pantau112_events_consumed_total")
        time.sleep(3.5)
        return self.group.is_whole and consumed == total(self.group.page(), "pantau112_events_consumed_total")


def unkept(lines: Iterable[Line], receiver: Receiver) -> list[str]:
    """What is wrong with the reminders: by key, the receiver has each that the log calls accepted and none that nobody said, and
    of every ticket that nobody ever answers one is accepted.
    """
    due, accepted, silent, reminded = set(), set(), set(), set()
    for line in lines:
        match line.item:
            case TicketReminderDue():
                due.add(line.item.id)
            case TicketReminderAccepted(data=data):
                accepted.add((data.ticket, data.opd, data.rung, data.since))
                reminded.add((line.item.subject, data.ticket))
            case TicketSent(data=data) if data.ticket.startswith(IGNORED):
                silent.add((line.item.subject, data.ticket))
    taken = {(m["ticket"], m["opd"], m["rung"], datetime.fromisoformat(m["since"])) for m in receiver.messages.values()}
    wrong = [f"taken, but said by nobody: {key}" for key in sorted(set(receiver.taken) - due)]
    wrong += [f"accepted, but never taken: {what}" for what in accepted - taken]
    # One that was taken just before its ticket was answered need not be noted any more.
    return wrong + [f"nobody was reminded of {ticket} of {city}" for city, ticket in sorted(silent - reminded)]


def unleash(
    kafka: RealKafka, folder: Path, events: Callable[[], Iterable[Event]], codes: list[str], seed: int,
    blows: tuple[int, int, int], say: Callable[[str], None],
) -> list[str]:  # fmt: skip
    """Feed these events to two workers while (worker kills, broker kills, rebalances) befall them; the differing lines."""
    began = time.monotonic()
    with Receiver(failing=0.3) as receiver:
        group = Group(kafka.bootstrap, f"chaos{seed}", f"chaos{seed}.", codes, folder, receiver.url)
        fed = {(event.source, event.id) for event in events()}
        say(f"seed {seed}: {len(fed):,} events of {len(codes)} centres")
        feed = Feed(group.settings, events())
        chaos = Chaos(kafka, group, feed, Random(seed), say)
        try:
            chaos.run(*blows, len(fed) // (sum(blows) + 1))
            found = chaos.settle(receiver)
            held = {(line.item.source, line.item.id) for line in logged(group) if isinstance(line.item, Event)}
            if lost := len(fed - held):
                found.append(f"{lost} events never reached the log")
            if not found:
                # The same from Kafka alone: what nobody has in memory any more.
                group.kill()
                chaos.steady.clear()
                found = [f"after a cold start: {line}" for line in chaos.settle(receiver)]
        finally:
            group.kill()
    struck = ", ".join(f"{n} while {what}" for what, n in sorted(chaos.struck.items()))
    ended = ", ".join(f"{n} with exit code {code}" for code, n in sorted(chaos.ended.items())) or "none"
    say(
        f"{blows[0]} worker kills ({struck}), {blows[1]} broker kills, {blows[2]} rebalances; "
        f"workers that ended themselves: {ended}; batches written again: {feed.repeated}; "
        f"{len(receiver.taken)} reminders in {sum(receiver.taken.values())} messages, {receiver.refused} refused; "
        f"{time.monotonic() - began:.0f} s"
    )
    say(f"{'DIFFERENT' if found else 'exact'}: {len(fed):,} events")
    return found


def sixteen() -> list[str]:
    """Centre codes, two for each partition, in no order of partitions."""
    codes = [f"32.{number}" for number in range(10, 99)]
    return [
        code
        for code in codes
        if [partition_of(c, PARTITIONS) for c in codes[: codes.index(code)]].count(partition_of(code, PARTITIONS)) < 2
    ]


def main() -> int:
    """The whole of it, from the command line; 1 if anything differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=30, help="kill -9 of workers (default 30)")
    parser.add_argument("--broker-kills", type=int, default=5, help="kill -9 of the broker (default 5)")
    parser.add_argument("--rebalances", type=int, default=5, help="a third worker joins and leaves (default 5)")
    parser.add_argument("--seed", type=int, default=Random().randrange(10_000), help="of the order and moments (default: random)")
    parser.add_argument("--extremes", type=int, default=200_000, help="valid events with extreme values (default 200000)")
    given = parser.parse_args()
    say = partial(print, file=sys.stderr, flush=True)
    failed = trials(given.extremes, given.seed, say)
    real, simulated, codes = recent(january()), ignored(recent(week())), sixteen()
    with tempfile.TemporaryDirectory(prefix="pantau112-chaos-") as name:
        folder = Path(name)
        java, files = find_java(None), jars.ensure(LOCAL / "kafka" / "jars")
        kafka = RealKafka(Broker(folder / "data", folder / "log", free_port(), free_port(), java, files))
        try:
            kafka.start()
            found = unleash(
                kafka, folder, lambda: interleaved(real, simulated, codes), codes, given.seed,
                (given.kills, given.broker_kills, given.rebalances), say,
            )  # fmt: skip
        finally:
            kafka.kill()
    print("\n".join(failed + found) or "exact: nothing lost, nothing twice")
    return 1 if failed + found else 0


if __name__ == "__main__":
    sys.exit(main())
