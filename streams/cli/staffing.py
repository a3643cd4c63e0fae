"""`pantau112 staffing`: how many seats each hour of the week needs."""

import sys
import time
from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING

from streams.cli import terminal
from streams.cli.terminal import Centres, Events, Faults, Moment, Whole, progress
from streams.logs import tell

if TYPE_CHECKING:
    from streams.core.centre import Centre
    from streams.core.staffing import Row

DAYS = ("Senin/Mon", "Selasa/Tue", "Rabu/Wed", "Kamis/Thu", "Jumat/Fri", "Sabtu/Sat", "Minggu/Sun")
COLUMNS = (
    "day", "hour", "calls_expected", "handle_seconds", "handle_calls", "erlangs",
    "erlang_c_90_15", "erlang_c_95_20", "erlang_a_90_15", "erlang_a_95_20", "scheduled", "short",
)  # fmt: skip


def staffing(
    events: Events,
    at: Moment = None,
    centre: Centres = None,
    whole: Whole = False,
) -> None:
    """Say how many seats each hour of the week needs.

    It prints a table (TSV) of the next 168 hours. The targets are NENA's: 90 % in 15 s and 95 % in 20 s, by Erlang C and A.
    Calls are those of the same hour in past weeks (at least two), or else of past days (at least three).

    Handle time is conversation plus wrap-up, in seconds a call; beside it stands how many calls say so.
    Wrap-ups are told on the operators' topic. `short` is how many seats the shifts lack, by Erlang C's larger number.
    `>10000` means more seats than are computed. Where a cell is empty, too little was seen to say.
    """
    from schemas.topics import CALLS, OPERATORS
    from streams import centres
    from streams.analysis.measure import fold
    from streams.analysis.replay import open_source
    from streams.core.nouns import States, seats

    known = centres.load(centre or [])
    events = terminal.dated(events, known.values())
    one = next(iter(known.values()))
    door = terminal.door(known.values())
    faults = Faults(events, door)
    begun = terminal.beginning(events, known, at, whole=whole)
    with progress("events") as tick:
        settings, until = terminal.settings(), at.timestamp() if at else None
        lines = open_source(events, one, settings, door, tick.watch, spans=begun.spans)
        monitor, now, outcomes = fold(tick(lines), known, time.time(), until, faults.refuse, settings.ahead_seconds, begun)
    sys.stdout.write("\t".join(COLUMNS) + "\n")
    states = {
        of.noun: found for of in (CALLS, OPERATORS) for centre_, found in monitor.states(of.name, 0) if centre_.code == one.code
    }
    if now is not None and "calls" in states:
        for row in seats(States(**states), now, one):
            sys.stdout.write("\t".join(_cells(row, one)) + "\n")
    said = ", ".join(f"{n:,} {outcome}" for outcome, n in sorted(outcomes.items()))
    tell(f"{events}: {said or 'no events'}; {one.name}")
    faults.sum_up(len(begun.states) + outcomes.total() - outcomes["refused"])


def _cells(row: "Row", centre: "Centre") -> list[str]:
    from streams.core.erlang import TARGETS
    from streams.core.staffing import MODELS

    local, need = datetime.fromtimestamp(row.start, centre.timezone), row.need
    hour, scheduled = [DAYS[local.weekday()], f"{local:%H}:00"], f"{row.scheduled:g}"
    if need is None:
        return [*hour, *[""] * 8, scheduled, ""]
    numbers = [need.seats.get((model, target)) for model in MODELS for target in TARGETS]
    short = max(0.0, max(need.seats["erlang_c", target] for target in TARGETS) - row.scheduled)
    return [
        *hour, f"{need.calls:.1f}", f"{need.handled.seconds:.1f}", f"{need.handled.n}", f"{need.erlangs:.2f}",
        *("" if number is None else _seats(number) for number in numbers), scheduled, _seats(short),
    ]  # fmt: skip


def _seats(number: float) -> str:
    from streams.core.erlang import SEATS

    return f"{number:g}" if isfinite(number) else f">{SEATS}"
