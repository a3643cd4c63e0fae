"""What the monitor needs, looked at one by one: is it there, is it right, and what to do if it is not."""

import http.client
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from typing import Literal

from schemas.topics import DEAD_LETTERS, SNAPSHOT_INDEX
from streams import centres, secret
from streams.api import Api
from streams.core.centre import CentreError
from streams.core.nouns import STATE_VERSION
from streams.edge.gateway.tokens import Tokens, TokensError
from streams.log import snapshots
from streams.log.access import LogError
from streams.log.dead_letters import TODO, Letter, letters
from streams.log.kafka import Log
from streams.log.reader import Reader
from streams.settings import Settings, SettingsError
from streams.stack.grafana import Change, Grafana, GrafanaError, boards

FREE_BYTES = 2 * 10**9
"""Less room than this, and Kafka may soon fill the disk and end."""

ANSWER_SECONDS = 3.0

DAY = 86_400.0

MOST = 10_000
"""Most dead letters that are counted: more make no difference to what is to be done."""

OLD_DAYS = 2.0
"""A snapshot is written once a day: if the newest is older than this, something keeps the worker from it."""

YOUNG_SECONDS = 60.0
"""A worker that runs for less may be one that ends again and again."""

BEHIND_SECONDS = 30.0
"""From here on there is an alert too."""

WRONG_SECONDS, FEW_LATE = 30.0, 10
"""Where a source's clock is said to be wrong, and up to how many late events are no news; as in the rules."""

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `todo` says what to do where it is not ok."""

    state: State
    name: str
    says: str
    todo: str = ""

    @property
    def failed(self) -> bool:
        """Whether the monitor cannot work so."""
        return self.state == "fail"

    def __str__(self) -> str:
        return f"{self.state:4}  {self.name}: {self.says}{f' -> {self.todo}' if self.todo else ''}"


def examine(
    settings: Settings,
    centre_files: Sequence[Path],
    home: Path = Path(".local"),
    wall: Callable[[], float] = time.time,
) -> Iterator[Finding]:
    """Look at everything, and say of each thing how it is; `home` is where `up` keeps its data."""
    yield _python(sys.version_info[:3])
    yield _disk(home)
    yield _centres(centre_files)
    yield _working_days(datetime.fromtimestamp(wall(), UTC).year)
    yield key_finding(settings)
    yield from log_findings(settings, wall)
    yield from _worker(settings, wall)
    yield from _gateway(settings)
    try:
        asked = {name: settings.api(address) for name, address in _asked(settings).items()}
    except SettingsError as error:
        yield Finding("fail", "web password", str(error), "name the file with the password of Prometheus and Alertmanager")
    else:
        for name, api in asked.items():
            yield _server(name, api, f"PANTAU112_{name.upper()}")
        yield from _receivers(asked["Alertmanager"])
    if settings.grafana_url is not None:
        yield from _grafana(settings, settings.grafana_url)


def _python(version: Sequence[int]) -> Finding:
    said = ".".join(map(str, version))
    if tuple(version) < (3, 11):
        return Finding("fail", "Python", said, "install Python 3.11 or newer")
    return Finding("ok", "Python", said)


def _disk(home: Path) -> Finding:
    folder = next(path for path in (home.absolute(), *home.absolute().parents) if path.is_dir())
    free = shutil.disk_usage(folder).free
    said = f"{free / 1e9:.1f} GB free for {home}"
    if free < FREE_BYTES:
        return Finding("fail", "disk", said, f"make room: {FREE_BYTES / 1e9:g} GB at least")
    return Finding("ok", "disk", said)


def _centres(files: Sequence[Path]) -> Finding:
    try:
        known = centres.load(files)
    except CentreError as error:
        return Finding("fail", "centres", str(error), "correct the file")
    said = ", ".join(f"{code} {centre.name}" for code, centre in known.items())
    if not files:
        return Finding("warn", "centres", f"{said}, as packaged", "is it yours? if not, give its file with --centre")
    return Finding("ok", "centres", said)


def _working_days(year: int) -> Finding:
    """Whether the decree on joint leave of a year is known; it comes in the year before."""
    if not centres.is_joint_leave_known(year):
        said = f"joint leave (cuti bersama) of {year} is not known: its days count as working days"
        return Finding("warn", "working days", said, "update what knows it: pip install --upgrade holidays")
    return Finding("ok", "working days", f"holidays and joint leave of {year} are known")


def key_finding(settings: Settings) -> Finding:
    """Whether callers can be made into pseudonyms, and nobody else can read the key."""
    file = settings.caller_key_file
    try:
        key, before = settings.caller_secrets()
    except SettingsError as error:
        said, _, todo = str(error).partition("; ")
        make = f"make one: (umask 077; {secret.MAKE} > caller.key)"
        return Finding("fail", "caller key", said, todo.removeprefix("run ") if "chmod" in todo or "chown" in todo else make)
    if key is None:
        return Finding(
            "warn", "caller key", "none: events carry no callers", "make one, and name it in PANTAU112_CALLER_KEY_FILE"
        )
    if file is None:
        return Finding("warn", "caller key", "in the environment, which other programs can see", "use PANTAU112_CALLER_KEY_FILE")
    return Finding("ok", "caller key", str(file) if before is None else f"{file}, and the one before: see pantau112 callers key")


def log_findings(settings: Settings, wall: Callable[[], float]) -> Iterator[Finding]:
    """Whether Kafka answers, its topics are as planned, its clock is right, and what was put aside."""
    try:
        with Log(settings) as log:
            found = log.check()
            newest = log.newest()
            there = any(topic.topic.endswith(DEAD_LETTERS.name) and topic.state != "missing" for topic in found)
            since = datetime.fromtimestamp(wall() - DAY, UTC)
            reader = Reader(settings)
            aside = list(islice(letters(reader.letters(since), settings.topic_prefix), MOST)) if there else []
            has_index = any(topic.topic.endswith(SNAPSHOT_INDEX.name) and topic.state != "missing" for topic in found)
            kept = [each for each in snapshots.index(reader) if each.version == STATE_VERSION] if has_index else []
    except LogError as error:
        yield Finding("fail", "Kafka", error.says, error.todo)
        return
    yield Finding("ok", "Kafka", f"answers at {settings.bootstrap}")
    for topic in found:
        name = f"topic {topic.topic}"
        if topic.state == "as planned":
            yield Finding("ok", name, topic.state)
        else:
            yield Finding("warn" if topic.state == "differs" else "fail", name, topic.state, topic.detail)
    if newest is not None:
        yield _clock(newest - wall(), settings.ahead_seconds)
    if has_index and newest is not None:
        yield snapshot_finding([each.written / 1000 for each in kept], newest)
    if there:
        yield _dead_letters(aside)


def snapshot_finding(written: Sequence[float], newest: float) -> Finding:
    """How old the newest snapshot is; all in epoch seconds, `newest` of the log's last event."""
    name = "snapshots"
    if not written:
        return Finding("ok", name, "none yet: the first is written with the first event of another day")
    behind = (newest - max(written)) / DAY
    said = f"{len(written):,}, the newest {max(0.0, behind):.1f} days before the newest event"
    if behind > OLD_DAYS:
        todo = "measure takes longer for it; look for 'snapshot' in the worker's log"
        return Finding("warn", name, said, todo)
    return Finding("ok", name, said)


def _dead_letters(aside: Sequence[Letter]) -> Finding:
    name = "dead letters"
    if not aside:
        return Finding("ok", name, "none in the last day")
    reasons = Counter(letter.reason for letter in aside).most_common()
    number = f"{MOST:,} or more" if len(aside) == MOST else f"{len(aside):,}"
    said = f"{number} in the last day, missing from every number: {', '.join(f'{n:,} {reason}' for reason, n in reasons)}"
    helps = {str(reason): todo for reason, todo in TODO.items()}.get(reasons[0][0], "find the program that writes them")
    return Finding("warn", name, said, f"{helps}. See: pantau112 dead-letters list")


def _clock(ahead: float, limit: float) -> Finding:
    """Kafka tells nobody its time, so the clock is judged by the newest record: none can have been written after now."""
    name, todo = "clock", "let both machines follow NTP: chronyc tracking"
    if ahead > limit:
        return Finding("fail", name, f"the newest event was written {ahead:.0f} s after now: such events are refused", todo)
    if ahead > 2:
        return Finding("warn", name, f"the newest event was written {ahead:.0f} s after now", todo)
    return Finding("ok", name, f"the newest event was written {-ahead:.0f} s ago")


def _worker(settings: Settings, wall: Callable[[], float]) -> Iterator[Finding]:
    name, address = "worker", f"{settings.metrics_host}:{settings.metrics_port}"
    looping = "if it ends again and again, the last line of its log says why and what to do"
    try:
        status, _ = fetch(address, "/ready")
        page = fetch(address, "/metrics")[1] if status == 200 else ""
    except (OSError, http.client.HTTPException):
        todo = f"start it: pantau112 worker; {looping}; or set PANTAU112_METRICS_PORT"
        yield Finding("fail", name, f"no metrics at {address}", todo)
        return
    if status == 503:
        yield Finding(
            "warn", name, f"{address} is getting its state back", f"wait; if it lasts over a minute, see its log; {looping}"
        )
        return
    if status != 200:
        yield Finding("fail", name, f"what answers at {address} is no worker (HTTP {status})", "set PANTAU112_METRICS_PORT")
        return
    for _, started in samples(page, "process_start_time_seconds"):
        if wall() - started < YOUNG_SECONDS:
            yield Finding("warn", name, f"ready at {address}, started {wall() - started:.0f} s ago", looping)
            break
    else:
        yield Finding("ok", name, f"ready at {address}")
    behind = [(seconds, f"{labels['topic']}/{labels['partition']}") for labels, seconds in samples(page, "pantau112_lag_seconds")]
    for seconds, place in sorted(behind, reverse=True)[:1]:
        if seconds > BEHIND_SECONDS:
            todo = "wait after an outage; if it grows, see the worker's log, the processor and Kafka, and start the worker again"
            yield Finding("warn", "partitions", f"{place} is {seconds:.0f} s behind", todo)
        else:
            yield Finding("ok", "partitions", f"at most {seconds:.0f} s behind")
    if left_out := [labels["city"] or "all" for labels, n in samples(page, "pantau112_left_out_total") if n]:
        said = f"something of {', '.join(sorted(set(left_out)))} was left out because of a fault of this program"
        yield Finding("warn", "left out", said, "find 'left out' in the worker's log and report that line")
    yield from _told(page)


def _told(page: str) -> Iterator[Finding]:
    """What the sources told that the monitor could not take as it is."""
    for labels, n in samples(page, "psap_names_unknown_total"):
        said = f"{n:,.0f} times a {labels['kind']} that the file of {labels['city']} does not have, though it names others"
        yield Finding("warn", "names", said, "add it there, or how it is spelt under also = [...] (a class: under [classes])")
    for labels, n in samples(page, "psap_seats_unpaired"):
        if n:
            said = f"{n:,.0f} names of {labels['city']} act and never log in, while others log in under another kind of name"
            todo = (
                "set log_membername_as_agent = yes in queues.conf, or name the pairs in the centre's file: "
                'seats = [{ code = "seat-1", also = ["PJSIP/11", "Petugas Satu"] }]'
            )
            yield Finding("warn", "names of seats", said, todo)
    for labels, n in samples(page, "pantau112_passed_over_total"):
        said = f"{n:,.0f} times {labels['city']} reached its bound of {labels['limit']}"
        yield Finding("warn", "bounds", said, "see PsapPassedOver in the runbook, page pipeline")
    for labels, seconds in samples(page, "pantau112_source_clock_offset_seconds"):
        if abs(seconds) > WRONG_SECONDS:
            said = f"that of {labels['source']} is {abs(seconds):,.0f} s {'ahead of' if seconds > 0 else 'behind'} Kafka's"
            yield Finding("warn", "source's clock", said, "let that machine follow NTP: chronyc tracking")
    for labels, n in samples(page, "psap_late_events_total"):
        if n > FEW_LATE:
            said = f"{n:,.0f} of {labels['source']} came too late for live figures"
            yield Finding("warn", "late events", said, "see PsapEventsLate in the runbook, page sources")


def samples(page: str, metric: str) -> Iterator[tuple[dict[str, str], float]]:
    """Labels and value of every sample of a metric on a page of Prometheus text."""
    for labels, value in re.findall(rf"^{metric}(?:{{(.*)}})? (\S+)$", page, re.MULTILINE):
        yield dict(re.findall(r'(\w+)="([^"]*)"', labels)), float(value)


def _gateway(settings: Settings) -> Iterator[Finding]:
    """Nothing where nobody ever had a token: not every monitor has a gateway, nor on this machine."""
    name, address, tokens = "gateway", f"{settings.gateway_host}:{settings.gateway_port}", settings.gateway_tokens
    if not tokens.exists() or settings.gateway_certificate is not None:
        return
    try:
        known = Tokens(tokens).known
        status, _ = fetch(address, "/ready")
    except TokensError as error:
        yield Finding("fail", name, str(error), "until then nobody can send")
    except (OSError, http.client.HTTPException):
        yield Finding("warn", name, f"does not answer at {address}", "start it: pantau112 gateway; or set PANTAU112_GATEWAY_PORT")
    else:
        if status != HTTPStatus.OK:
            yield Finding("warn", name, f"{address} is not ready (HTTP {status})", "see its log, and whether Kafka runs")
        else:
            yield Finding("ok", name, f"ready at {address}; {len(known)} tokens")


def _asked(settings: Settings) -> dict[str, str]:
    return {"Prometheus": settings.prometheus, "Alertmanager": settings.alertmanager}


def _server(name: str, api: Api, variable: str) -> Finding:
    where = api.address.removeprefix("http://")
    try:
        status, _ = api.look("/-/ready", ANSWER_SECONDS)
    except (OSError, http.client.HTTPException):
        return Finding("warn", name, f"does not answer at {where}", f"start it, or set {variable}=host:port")
    if status == HTTPStatus.UNAUTHORIZED:
        has = "another" if api.password is not None else "a"
        return Finding("fail", name, f"{where} wants {has} password", "set PANTAU112_WEB_PASSWORD_FILE")
    if status != HTTPStatus.OK:
        return Finding("warn", name, f"{where} is not ready (HTTP {status})", "see its log")
    if api.password is not None and replace(api, password=None).look("/-/ready", ANSWER_SECONDS)[0] == HTTPStatus.OK:
        return Finding("warn", name, f"{where} obeys everybody who reaches it", "start it with --web.config.file")
    return Finding("ok", name, f"ready at {where}")


def _receivers(api: Api) -> Iterator[Finding]:
    """Whether anybody could be woken: a webhook alone may be the one that only writes pages down."""
    try:
        status, page = api.look("/api/v2/status", ANSWER_SECONDS)
    except (OSError, http.client.HTTPException):
        return
    kinds = sorted(set(re.findall(r"\b([a-z]+)_configs:", page)) - {"scrape"})
    if status != HTTPStatus.OK or not kinds:
        return
    if kinds == ["webhook"]:
        todo = "if nobody reads that webhook at night, fill in Telegram or e-mail in alertmanager.yml"
        yield Finding("warn", "receivers", "pages go to a webhook and to nobody's telephone or mailbox", todo)
    else:
        yield Finding("ok", "receivers", ", ".join(kinds))


def fetch(address: str, path: str) -> tuple[int, str]:
    """Status and page of an address (host:port) over HTTP. Raises `OSError` and `HTTPException`."""
    with closing(http.client.HTTPConnection(address, timeout=ANSWER_SECONDS)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")


def _grafana(settings: Settings, url: str) -> Iterator[Finding]:
    """Whether Grafana takes our token, what the token may do there, and what a push would do; nothing is written."""
    name, todo = "Grafana", "boards cannot be pushed until then"
    try:
        token = settings.grafana_secret()
        if token is None:
            yield Finding(
                "warn", name, f"{url}, and no token", "set PANTAU112_GRAFANA_TOKEN_FILE, or unset PANTAU112_GRAFANA_URL"
            )
            return
        grafana = Grafana(url, token, settings.grafana_ca)
        yield Finding("ok", name, f"{grafana.health()} answers at {url}")
        name = "Grafana's token"
        if (rights := grafana.rights()) is not None:
            if not_to := [what for what, may in zip(("folders", "boards", "marks"), rights, strict=True) if not may]:
                yield Finding("fail", name, f"may write no {' and no '.join(not_to)}", "give its service account the role Editor")
                return
            yield Finding("ok", name, "may write boards and marks")
        name = "Grafana's folder"
        yield Finding(
            "ok", name, "is there" if grafana.has_folder() else "is not there, as far as the token sees; a push makes it"
        )
        name = "Grafana's boards"
        changes = Counter(pushed.change for pushed in grafana.push(boards(), dry_run=True))
    except (GrafanaError, SettingsError) as error:
        yield Finding("fail", name, str(error), todo)
        return
    said = ", ".join(f"{n} {_BOARDS[change]}" for change, n in changes.items())
    if changes.keys() <= {"unchanged", "provisioned"}:
        yield Finding("ok", name, said)
    else:
        yield Finding("warn", name, said, "pantau112 boards push")


_BOARDS: Mapping[Change, str] = {
    "created": "missing",
    "updated": "of another version",
    "overwritten": "changed there by somebody, which a push undoes",
    "unchanged": "as they should be",
    "provisioned": "from files of the Grafana server, which no push changes",
}
