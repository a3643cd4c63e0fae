"""`make alarms`: every alert over every recording, printed and written to results.md. Names of recordings choose among them."""

import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import NamedTuple

from streams.analysis.backfill import Blocks
from streams.core.centre import Centre
from streams.stack import debian
from tests.alarms.firing import Episode, Prometheus, Rule, prometheus, rules
from tests.alarms.recordings import RECORDINGS, Period
from tests.alarms.scrapes import STEP, Wanted, moments, scrape
from tests.conftest import LOCAL

RESULTS = Path(__file__).with_name("results.md")
WEEK = 7 * 86_400
HEAD = "| alert | fired | a week | hours | median | longest | by hour of the day |\n|---|---|---|---|---|---|---|"
LISTED, RARE = 20, 8
"""So many moments at most are listed, the longest, of an alert about chance; and all of any other that fired no more often."""

CHANCE = ("PsapSurge", "PsapCallsUnusual", "PsapCentreSilent", "PsapCarrierSilent")
"""Alerts that conclude from what chance alone would do. Each of their moments is listed, so that a person can judge it."""
CONTEXT = {
    "{:.0f} came within 15 min": 'max(psap_calls_arrived{window="15m"})',
    "{:.1f} expected": 'max(psap_calls_expected_window{window="15m"})',
    "{:.0f} within 60 min": 'max(psap_calls_arrived{window="60m"})',
    "{:.1f} expected ": 'max(psap_calls_expected_window{window="60m"})',
    "probability {:.1e}": 'max(psap_surge_probability{window="60m"})',
    "last call {:.0f} s ago": "time() - max(psap_last_call_timestamp_seconds)",
    "{:.1f} expected since": "max(psap_silence_expected_calls)",
    "{:.0f} waiting": "max(psap_journeys_waiting)",
    "the first for {:.0f} s": "time() - min(psap_oldest_waiting_journey_timestamp_seconds)",
    "{:.0f} in conversation": "sum(psap_calls_in_service)",
    "{:.0f} seats staffed": "max(psap_seats_staffed)",
}


class Found(NamedTuple):
    """What a rule did in a period; `is_told` says whether the recording told of what it is about at all."""

    rule: Rule
    is_told: bool
    episodes: list[Episode]


def tried(name: str) -> str:
    """The part of the results that is about the recording of this name."""
    recording = RECORDINGS[name]
    began, every = time.monotonic(), rules()
    events = recording.events()
    with tempfile.TemporaryDirectory(prefix="alarms-") as folder:
        home = Path(folder)
        programs = debian.ensure(LOCAL / "debian", os.environ["PATH"])
        blocks = Blocks(programs.promtool, home)
        whole = moments(events, recording.since(events) if recording.taught_days else None)
        told = scrape(recording.centre, events, whole, Wanted([*(rule.expr for rule in every), *CONTEXT.values()]), blocks)
        scraped = time.monotonic() - began
        with prometheus(programs, home, blocks.data) as asked:
            found = [Found(rule, bool(rule.metrics & told), asked.fired(rule, whole)) for rule in every]
            said = [f"## {recording.name}\n\n{recording.about[0].upper()}{recording.about[1:]}. {len(events):,} events.\n"]
            for period in recording.periods(events):
                said += _report(period, recording.centre, found, asked)
    took = time.monotonic() - began
    said.append(f"{len(whole):,} scrapes in {scraped:.0f} s, {len(every)} rules over them in {took - scraped:.0f} s.\n")
    return "\n".join(said)


def _report(period: Period, centre: Centre, found: list[Found], asked: Prometheus) -> list[str]:
    weeks = (period.end - period.start) / WEEK
    said = [f"### {period.name}, {weeks:.1f} weeks\n", HEAD]
    quiet, unknown, moments_of = list[str](), list[str](), list[str]()
    for rule, is_told, episodes in found:
        own = [episode for episode in episodes if period.start <= episode.start < period.end]
        if not own:
            (quiet if is_told else unknown).append(rule.name)
            continue
        seconds = [episode.end - episode.start + STEP for episode in own]
        said.append(
            f"| {rule.name} | {len(own)} | {len(own) / weeks:.1f} | {sum(seconds) / 3600:.1f} "
            f"| {_duration(median(seconds))} | {_duration(max(seconds))} | `{_by_hour(own, centre)}` |"
        )
        if rule.alert in CHANCE or len(own) <= RARE:
            moments_of += [f"\n{rule.name}:\n", *(_moment(episode, centre, asked) for episode in _longest(own))]
            if len(own) > LISTED:
                moments_of.append(f"- and {len(own) - LISTED} shorter ones")
    said.append(f"\nNever: {', '.join(quiet) or 'none'}.\n\nNothing told of it: {', '.join(unknown) or 'none'}.")
    return [*said, *moments_of, ""]


def _longest(episodes: list[Episode]) -> list[Episode]:
    return sorted(sorted(episodes, key=lambda episode: episode.start - episode.end)[:LISTED])


def _moment(episode: Episode, centre: Centre, asked: Prometheus) -> str:
    known = [(text, asked.at(expr, episode.start)) for text, expr in CONTEXT.items()]
    context = ", ".join(text.format(value).strip() for text, value in known if value is not None)
    start = datetime.fromtimestamp(episode.start, centre.timezone)
    lasted = _duration(episode.end - episode.start + STEP)
    return f"- {start:%a %d %b %H:%M} for {lasted}{f' ({episode.labels})' if episode.labels else ''}: {context}"


def _by_hour(episodes: list[Episode], centre: Centre) -> str:
    """A digit for each hour of the local day: its share of the firing, 9 the most, a dot for none."""
    hours = Counter[int]()
    for episode in episodes:
        for moment in range(episode.start, episode.end + STEP, STEP):
            hours[datetime.fromtimestamp(moment, centre.timezone).hour] += 1
    most = max(hours.values())
    return "".join(str(max(1, 9 * hours[hour] // most)) if hours[hour] else "." for hour in range(24))


def _duration(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def main() -> None:
    """Try what is asked for, two recordings at a time, print and write."""
    chosen = [RECORDINGS[name] for name in sys.argv[1:] or RECORDINGS]
    there = [recording for recording in chosen if all(path.exists() for path in recording.files)]
    said = [
        "# How often each alert would have woken somebody\n",
        f"Written by `make alarms` on {datetime.now().astimezone().date().isoformat()}. Each recording was folded as a live "
        f"feed, measured every {STEP} s of its own time, and given to a real Prometheus, which answered the expression of every "
        "rule at each of these moments; `for` and `keep_firing_for` were applied to that. In life both happen every 5 s, so what "
        "lasts shorter is seen in part. Alerts about the monitor's own processes are not tried. By hour of the day: a digit for "
        "each hour from 0 to 23, local time, of how much of the firing was in it, 9 the most.\n",
    ]
    said += [f"Not here, so not tried: {one.name} ({one.about}).\n" for one in chosen if one not in there]
    with ProcessPoolExecutor(max_workers=2) as pool:
        for part in pool.map(tried, [one.name for one in there]):
            print(part, flush=True)
            said.append(part)
    if not sys.argv[1:]:
        RESULTS.write_text("\n".join(said))


if __name__ == "__main__":
    main()
