"""`pantau112 staffing`: how many seats each hour of the week needs."""

import sys
import time
from datetime import datetime

from streams.cli import terminal
from streams.cli.terminal import Centres, Events, Faults, Moment, progress, tell

DAYS = ("Senin/Mon", "Selasa/Tue", "Rabu/Wed", "Kamis/Thu", "Jumat/Fri", "Sabtu/Sat", "Minggu/Sun")
COLUMNS = (
    "day", "hour", "calls_expected", "handle_seconds", "handle_calls", "erlangs",
    "erlang_c_90_15", "erlang_c_95_20", "erlang_a_90_15", "erlang_a_95_20", "scheduled", "short",
)  # fmt: skip


def staffing(
    events: Events,
    at: Moment = None,
    centre: Centres = None,
) -> None:
    """Seats that each of the next 168 hours needs for NENA's 90 % in 15 s and 95 % in 20 s, by Erlang C and A, as a table (TSV).

    Calls are those of the same hour of past weeks (at least two), else of past days (three). Handle time is conversation plus
    wrap-up, in seconds a call, over so many calls; wrap-ups are told on the operators' topic. `short` is what the shifts lack of
    Erlang C's larger number; `>10000` seats are more than are computed. Empty where too little was seen to say.
    """
    from schemas.topics import CALLS, OPERATORS
    from streams import centres
    from streams.core import calls, operators
    from streams.core import staffing as seats
    from streams.core.erlang import SEATS, TARGETS
    from streams.measure import fold
    from streams.replay import open_source

    known = centres.load(centre or [])
    one = next(iter(known.values()))
    door = terminal.door(known.values())
    faults = Faults(events, door)
    with progress("events") as tick:
        lines = open_source(events, one, terminal.settings(), door, tick.watch)
        monitor, now, outcomes = fold(tick(lines), known, time.time(), at.timestamp() if at else None, faults.refuse)
    sys.stdout.write("\t".join(COLUMNS) + "\n")
    states, of_seats = ({found.code: state for found, state in monitor.states(of.name, 0)} for of in (CALLS, OPERATORS))
    if now is not None and (state := states.get(one.code)) is not None:
        state, seated = calls.settled(state, now, one), of_seats.get(one.code) or operators.State()
        looks = operators.look(seated, calls.talking(state), state.funnel.workload, now, one)
        patience = state.funnel.patience.queued(state.forecast.unseen()).patience
        basis = seats.Basis(state.forecast, state.funnel.workload, operators.wrapped_up(seated, looks), patience)
        for start, need, scheduled in seats.table(basis, now, one):
            local = datetime.fromtimestamp(start, one.timezone)
            cells = [DAYS[local.weekday()], f"{local:%H}:00", *[""] * 8, f"{scheduled:g}", ""]
            if need is not None:
                cells[2:6] = f"{need.calls:.1f}", f"{need.handled.seconds:.1f}", f"{need.handled.n}", f"{need.erlangs:.2f}"
                numbers = [need.seats.get((model, target)) for model in seats.MODELS for target in TARGETS]
                cells[6:10] = [
                    "" if number is None else (f"{number:g}" if number <= SEATS else f">{SEATS}") for number in numbers
                ]
                short = max(0.0, max(need.seats["erlang_c", target] for target in TARGETS) - scheduled)
                cells[11] = f"{short:g}" if short <= SEATS else f">{SEATS - scheduled:g}"
            sys.stdout.write("\t".join(cells) + "\n")
    said = ", ".join(f"{n:,} {outcome}" for outcome, n in sorted(outcomes.items()))
    tell(f"{events}: {said or 'no events'}; {one.name}")
    faults.sum_up(outcomes.total() - outcomes["refused"])
