"""`make alarms`: every alert over every recording, printed and written to results.md. Names of recordings choose among them."""

import re
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from pathlib import Path
from statistics import median

from streams.core.centre import Centre
from tests.alarms.firing import Episode
from tests.alarms.notices import Labels
from tests.alarms.recordings import RECORDINGS, Budget, Period
from tests.alarms.scrapes import STEP
from tests.alarms.week import Week, fold
from tests.dashboards.names import RULES

RESULTS = Path(__file__).with_name("results.md")
WEEK = 7 * 86_400
HEAD = (
    "| alert | fired | told | fired a week | minutes | median | longest | by hour of the day |\n|---|---|---|---|---|---|---|---|"
)
LISTED, RARE = 20, 8
"""So many moments at most are listed, the longest, of an alert about chance; and all of any other that fired no more often."""

HOW = f"""Each recording was folded as a live feed, measured every {STEP} s of its own time, and given to a real Prometheus,
which answered the expression of every rule at each of these moments; `for` and `keep_firing_for` were applied to that. In life
both happen every 5 s, so what lasts shorter is seen in part. Each set of alerts that fired together was then told to a real
Alertmanager with `dashboards/alertmanager.yml`, and its own answer (`/api/v2/alerts/groups`) says what is inhibited, who hears
of it and in which group. A page or a ticket is a message that has something new; that a group is told of what is new, and again
after its repeat_interval, is counted by Alertmanager's documented rule, because its clock cannot be sped up. Escalations to the
second receiver are left out: an acknowledgement ends them. Alerts about the monitor's own processes are not tried. By hour of
the day: a digit for each hour from 0 to 23, local time, of how much of the firing was in it, 9 the most."""
FIELD = """The field's measures are for an operator who sits before his console: about 150 alarms a day, six an hour, are very
likely acceptable, 300 a day, twelve an hour, the most that is manageable, and more than ten in ten minutes are a flood
(ANSI/ISA-18.2, EEMUA 191). Whoever is called here sits elsewhere, so the budget is seven pages in an ordinary week, one a
night, and twelve in the worst hour of a storm, the most that is manageable. A planted trouble is knowable from the events
themselves, by no rule or forecast: a link a minute after it went down (less is a restart), one that flaps with its third drop,
an agency at the ladder's 15 minutes, a surge when twenty calls, and three times the simulation's own rate, have come in a
quarter of an hour, a river with the reading that says so."""

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


def tried(name: str) -> str:
    """The part of the results that is about the recording of this name."""
    recording = RECORDINGS[name]
    began = time.monotonic()
    week = fold(recording, list(CONTEXT.values()))
    said = [f"## {recording.name}\n\n{recording.about[0].upper()}{recording.about[1:]}. {len(week.events):,} events.\n"]
    if recording.budget is not None:
        said += _budget(week, recording.budget)
    for period in recording.periods(week.events):
        said += _report(period, recording.centre, week)
    said.append(f"{week.scrapes:,} scrapes and {len(week.found)} rules over them in {time.monotonic() - began:.0f} s.\n")
    return "\n".join(said)


def _budget(week: Week, budget: Budget) -> list[str]:
    said = ["| measure | found | at most |", "|---|---|---|"]
    said += [f"| {name} | {found:.{digits}f} | {most} |" for name, found, most, digits in week.measures(budget)]
    if week.paged:
        said += ["", "| planted | when | knowable after | first page | minutes from knowable |", "|---|---|---|---|---|"]
        zone = week.recording.centre.timezone
        for one in week.paged:
            trouble, knowable = one.planted.trouble, one.planted.knowable
            when = datetime.fromtimestamp(one.planted.began, zone)
            after = f"{(knowable - one.planted.began) / 60:.1f} min"
            page = "none" if one.minutes is None else f"{one.alert} {datetime.fromtimestamp(one.moment, zone):%H:%M:%S}"
            minutes = "never" if one.minutes is None else f"{one.minutes:.1f}"
            said.append(f"| {trouble.kind} {trouble.about} | {when:%a %H:%M} | {after} | {page} | {minutes} |")
    worst = sorted(week.pages(), key=lambda notice: notice.moment)
    zone = week.recording.centre.timezone
    said += ["", "Every page:", ""]
    for notice in worst:
        about = "; ".join(sorted(_told(labels) for labels in notice.new))
        said.append(f"- {datetime.fromtimestamp(notice.moment, zone):%a %d %b %H:%M:%S} {about}")
    return [*said, ""]


def _told(labels: Labels) -> str:
    known = dict(labels)
    name = known.pop("alertname")
    own = [text for key, text in sorted(known.items()) if key not in {"city", "name", "province", "severity"}]
    return " ".join([name, *own])


def _report(period: Period, centre: Centre, week: Week) -> list[str]:
    weeks = (period.end - period.start) / WEEK
    told = Counter(labels for notice in week.notices if period.start <= notice.moment < period.end for labels in notice.new)
    again = Counter(notice.severity for notice in week.notices if not notice.new and period.start <= notice.moment < period.end)
    said = [f"### {period.name}, {weeks:.1f} weeks\n", HEAD]
    quiet, unknown, moments_of = list[str](), list[str](), list[str]()
    for rule, is_told, episodes in week.found:
        own = [episode for episode in episodes if period.start <= episode.start < period.end]
        if not own:
            (quiet if is_told else unknown).append(rule.name)
            continue
        seconds = [episode.end - episode.start + STEP for episode in own]
        heard = "" if rule.severity == "wall" else sum(told[labels] for labels in {episode.whole for episode in own})
        said.append(
            f"| {rule.name} | {len(own)} | {heard} | {len(own) / weeks:.1f} | {sum(seconds) / 60:.0f} "
            f"| {_duration(median(seconds))} | {_duration(max(seconds))} | `{_by_hour(own, centre)}` |"
        )
        if rule.severity != "wall" and (rule.alert in CHANCE or len(own) <= RARE):
            moments_of += [f"\n{rule.name}:\n", *(_moment(episode, centre, week.context[episode]) for episode in _longest(own))]
            if len(own) > LISTED:
                moments_of.append(f"- and {len(own) - LISTED} shorter ones")
    for level in ("page", "ticket"):
        own_notices = [
            one for one in week.notices if one.severity == level and one.new and period.start <= one.moment < period.end
        ]
        said.append(f"| **all: {level}** | | **{len(own_notices)}** | {len(own_notices) / weeks:.1f} | | | | |")
    said.append(
        f"\nAnd said again, since nobody acknowledges here: {again['page']} times of pages, {again['ticket']} of tickets. "
        f"Worst hour: {week.worst(period.start, period.end)} pages."
    )
    said.append(f"\nNever: {', '.join(quiet) or 'none'}.\n\nNothing told of it: {', '.join(unknown) or 'none'}.")
    return [*said, *moments_of, ""]


def _longest(episodes: list[Episode]) -> list[Episode]:
    return sorted(sorted(episodes, key=lambda episode: episode.start - episode.end)[:LISTED], key=lambda episode: episode.start)


def _moment(episode: Episode, centre: Centre, known: list[float | None]) -> str:
    context = ", ".join(text.format(value).strip() for text, value in zip(CONTEXT, known, strict=True) if value is not None)
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


def placed() -> list[str]:
    """Why each alert is of its level, as the comments of the rules say."""
    said = ["## Why each alert is where it is\n", "| alert | level | why |", "|---|---|---|"]
    for file in RULES:
        for comment, alert, rule in re.findall(
            r"((?: *#[^\n]*\n)+) *- alert: (\w+)\n(.*?)annotations:", file.read_text(), re.DOTALL
        ):
            [level] = re.findall(r"severity: (\w+)", rule)
            why = re.search(rf"{level}[:,] (.*?) Source: ", re.sub(r"\s*#\s*", " ", comment), re.IGNORECASE)
            said.append(f"| {alert} | {level} | {why[1] if why else ''} |")
    return [*said, ""]


def main() -> None:
    """Try what is asked for, two recordings at a time, print and write."""
    chosen = [RECORDINGS[name] for name in sys.argv[1:] or RECORDINGS]
    there = [recording for recording in chosen if all(path.exists() for path in recording.files)]
    said = [
        "# How often each alert would have called somebody\n",
        f"Written by `make alarms` on {datetime.now().astimezone().date().isoformat()}. {HOW}\n\n{FIELD}\n",
    ]
    said += [f"Not here, so not tried: {one.name} ({one.about}).\n" for one in chosen if one not in there]
    with ProcessPoolExecutor(max_workers=2) as pool:
        for part in pool.map(tried, [one.name for one in there]):
            print(part, flush=True)
            said.append(part)
    said.append("\n".join(placed()))
    if not sys.argv[1:]:
        RESULTS.write_text("\n".join(said))


if __name__ == "__main__":
    main()
