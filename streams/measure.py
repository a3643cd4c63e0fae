"""What `/metrics` would have said at a moment, folded from a file or a topic range without any stack."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from schemas.topics import TOPIC_OF, Refusal, UnknownType
from streams.core.centre import Centre
from streams.core.ledger import Outcome
from streams.exposition import exposition
from streams.monitor import Monitor
from streams.sources import Line


@dataclass(slots=True)
class Measurement:
    """The exposition text at a moment (epoch seconds), and how many lines had which outcome."""

    text: str
    at: float | None
    outcomes: Counter[str] = field(default_factory=Counter)


def measure(
    lines: Iterable[Line],
    centres: Mapping[str, Centre],
    wall: float,
    at: float | None = None,
    on_refusal: Callable[[int, Refusal], None] = lambda _number, _refusal: None,
) -> Measurement:
    """Fold every event up to `at` (None: all) and measure then; `wall` is the clock that events may not be ahead of."""
    monitor, moment, outcomes = fold(lines, centres, wall, at, on_refusal)
    # Without an event there is no last one to measure after.
    return Measurement("" if moment is None else "".join(exposition(monitor, moment)), moment, outcomes)


def fold(
    lines: Iterable[Line],
    centres: Mapping[str, Centre],
    wall: float,
    at: float | None = None,
    on_refusal: Callable[[int, Refusal], None] = lambda _number, _refusal: None,
) -> tuple[Monitor, float | None, Counter[str]]:
    """Fold every event up to `at` (None: all). Returns all states, the moment they are of (epoch seconds; None without an event),
    and how many lines had which outcome.
    """
    monitor = Monitor(centres)
    outcomes: Counter[str] = Counter()
    for offset, line in enumerate(lines):
        item = line.item
        if isinstance(item, UnknownType):
            outcomes["unknown_type"] += 1
            continue
        outcome: Outcome | Refusal
        if isinstance(item, Refusal):
            outcome = item
        elif at is not None and item.time.timestamp() > at:
            outcomes["after"] += 1
            continue
        else:
            outcome = monitor.fold_event(
                TOPIC_OF[item.type].name, 0, offset, item, wall if line.written is None else line.written
            )
        if isinstance(outcome, Refusal):
            on_refusal(line.number, outcome)
            outcomes["refused"] += 1
        else:
            outcomes[outcome] += 1
    return monitor, monitor.newest() if at is None else at, outcomes
