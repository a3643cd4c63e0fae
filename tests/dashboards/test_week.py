"""Every query of every board, asked of a real Prometheus that holds a simulated week of Kota Bogor."""

import json
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from dashboards.boards import files
from dashboards.boards.panels import ALL_WELL, NO_ROW
from dashboards.boards.promql import select
from schemas.event import Event
from schemas.survey import Response, SurveyAnswered
from schemas.topics import PARTITIONS, TOPIC_OF, TOPICS
from streams import centres
from streams.clock import Clock
from streams.sources import simulate
from streams.stack.debian import Programs
from streams.stack.prometheus import prometheus
from streams.worker.exporter import Exporter
from streams.worker.monitor import Monitor
from streams.worker.pipeline import Pipeline
from tests.builders import gauge_read, link, link_measured, offered, opened, paused, seconds_to, sent, warned
from tests.conftest import HANG, free_port
from tests.dashboards.test_stack import DASHBOARDS, running

pytestmark = pytest.mark.stack

OLD = datetime.now(UTC) - timedelta(hours=4)
"""What is filled in must be older than what Prometheus keeps in its head."""
END = OLD - (OLD - datetime(2026, 1, 6, 3, tzinfo=UTC)) % timedelta(weeks=1)
"""When the week ends and the boards are looked at: a Tuesday at ten in Bogor, so that the test finds the same at any hour."""
BOGOR = centres.load([])["32.71"]
DAYS = 8
STEP, LAST_STEP = timedelta(minutes=5), timedelta(seconds=15)
BOGORS = {"city": "32.71", "name": "Kota Bogor", "province": "Jawa Barat"}
ALERTS: tuple[tuple[dict[str, str], int], ...] = (
    ({"alertname": "PsapLinkDown", "severity": "page", "link": "sip-telkom", **BOGORS}, 120),
    ({"alertname": "PsapCarrierSilent", "severity": "page", "link": "sip-telkom", **BOGORS}, 60),
    ({"alertname": "PsapCallerWaiting", "severity": "wall", **BOGORS}, 30),
    ({"alertname": "PsapTicketOverdue", "severity": "ticket", "opd": "dinkes", **BOGORS}, 7200),
    ({"alertname": "Watchdog", "severity": "none"}, 600_000),
)
"""What fires when the week ends, and for how many seconds its condition has held."""
PENDING = ({"alertname": "PsapVoicePoor", "severity": "ticket", "link": "sip-xl", **BOGORS}, 200)
LINK = {"city": "32.71", "severity": "page", "about": "link=sip-telkom"}
SILENCE = {
    "silence": "a1b2c3d4",
    "mutes": 'alertname=~\\"PsapVoice.*\\"',
    "muted_by": "NOC1",
    "muted_until": "07-12-2026 14:00 WIB",
    "phase": "active",
}
HELD: dict[str, float] = {
    "pantau112_alertmanager_up": 1,
    select("psap_alarm_state", alertname="PsapLinkDown", **LINK, state="acknowledged", by="07"): 1,
    select("psap_alarm_state", alertname="PsapCarrierSilent", **LINK, state="inhibited"): 1,
    select("psap_alarm_acknowledged_until_timestamp_seconds", alertname="PsapLinkDown", **LINK, by="07"): END.timestamp() + 3480,
    select("psap_alarms_paged_24h", alertname="PsapLinkDown", city="32.71"): 2,
    select("psap_silence_pages_ratio", **SILENCE): 1 / 17,
    select("psap_silence_alerts", **SILENCE): 0,
}
"""What the gateway says of them then, and the rules count."""


def moments() -> Iterator[float]:
    """When Prometheus would have looked: seldom, but in the last half hour often enough for rates over a minute."""
    moment = END - timedelta(days=DAYS)
    while moment <= END:
        yield moment.timestamp()
        moment += LAST_STEP if moment >= END - timedelta(minutes=30) else STEP


def troubles() -> list[Event]:
    """What is wrong when the week ends, so that no board has a reason to be empty."""
    end = seconds_to(END)
    return [
        opened("last", end - 2000),
        sent("last", end - 1990),
        warned("rain", end - 1900, end - 1900, end + 7200),
        gauge_read(120, end - 1800),
        gauge_read(130, end - 300),
        gauge_read(40, end - 4200, "ciliwung"),
        gauge_read(60, end - 600, "ciliwung"),  # by the hour
        link("up", end - 1200),
        link("registered", end - 1190),
        link_measured(end - 200, loss=0.01),
        link("down", end - 120),
        paused("seat-0", end - 100, "prayer"),
        offered("last", end - 90),
        SurveyAnswered(
            id="half", source="/32.71/survey", subject=BOGOR.code, time=END, data=Response(scores={"tepat_waktu.1": 4})
        ),
    ]


def fill(path: Path) -> None:
    """Write the week as Prometheus would have scraped it, in OpenMetrics text."""
    monitor = Monitor({BOGOR.code: BOGOR}, PARTITIONS)
    owned = frozenset((topic.name, n) for topic in TOPICS for n in range(PARTITIONS))
    pipeline = Pipeline(owned=owned, recovering=False)
    for place in owned:
        pipeline.log_end[place], pipeline.markers[place], pipeline.newest[place] = 1, 0, END.timestamp()
    exporter = Exporter(monitor, pipeline, Clock(), END.timestamp)
    simulated = simulate.events(112, END - timedelta(days=DAYS), BOGOR, DAYS)
    events = sorted([*simulated, *troubles()], key=lambda event: event.time)
    told, series = 0, defaultdict[str, list[str]](list)
    for moment in moments():
        while told < len(events) and events[told].time.timestamp() <= moment:
            event, topic = events[told], TOPIC_OF[events[told].type].name
            outcome = monitor.fold_event(topic, monitor.home[BOGOR.code], told, event, moment)
            monitor.clocks.see(BOGOR.code, event.source, event.time.timestamp(), -0.3)  # Kafka has it a moment later
            pipeline.consumed[topic, str(outcome)] += 1
            told += 1
        if moment > END.timestamp() - 3600:
            pipeline.dead_letters["112.calls.v1", "not_json"] = 3
        page = b"".join(exporter.metrics(moment)).decode()
        seen = [line for line in page.splitlines() if not line.startswith("#")]
        seen += ["up 1", "scrape_duration_seconds 0.01"]
        for line in seen:
            name, _, value = line.rpartition(" ")
            bare, _, labels = name.partition("{")
            scraped = ",".join(filter(None, ('job="pantau112",instance="worker:9112"', labels.removesuffix("}"))))
            series[bare].append(f"{bare}{{{scraped}}} {value} {moment:.0f}\n")
        for alert, held in (*ALERTS, PENDING):
            state = "firing" if (alert, held) in ALERTS else "pending"
            series["ALERTS"].append(f"{select('ALERTS', alertstate=state, **alert)} 1 {moment:.0f}\n")
            series["ALERTS_FOR_STATE"].append(f"{select('ALERTS_FOR_STATE', **alert)} {END.timestamp() - held} {moment:.0f}\n")
        for held_name, number in HELD.items():
            series[held_name.partition("{")[0]].append(f"{held_name} {number} {moment:.0f}\n")
    with path.open("w") as file:
        for lines in series.values():
            file.writelines(lines)
        file.write("# EOF\n")


@pytest.fixture(scope="module")
def asked(programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a Prometheus with the week in it."""
    with week(programs, tmp_path_factory.mktemp("week")) as port:
        yield port


@contextmanager
def week(programs: Programs, home: Path) -> Iterator[int]:
    """The port of a Prometheus with the week in it, and with what our recording rules make of its last hour."""
    port = free_port()
    fill(home / "week.txt")
    promtool, data = str(programs.promtool), home / "tsdb"

    def run(*arguments: str | Path) -> None:
        done = subprocess.run(
            [promtool, "tsdb", "create-blocks-from", *map(str, arguments)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    run("openmetrics", "-q", "--max-block-duration=54h", home / "week.txt", data)
    (home / "week.txt").unlink()
    service = prometheus(
        programs,
        home=home,
        data=data,
        port=port,
        config=DASHBOARDS / "prometheus.yml",
        rules=(DASHBOARDS / "rules").glob("*.yml"),
        here={
            "alertmanager:9093": "127.0.0.1:1",
            "dns_sd_configs: [{names: [worker], type: A, port: 9112}]": "static_configs: [{targets: ['127.0.0.1:1']}]",
        },
    )
    start = END - timedelta(minutes=10)
    with running(service, home / "first.log"):
        since, until = (str(int(moment.timestamp())) for moment in (start, END))
        address = f"--url=http://127.0.0.1:{port}"
        rules = DASHBOARDS / "rules" / "calls.yml"
        run("rules", address, f"--start={since}", f"--end={until}", "--eval-interval=60s", f"--output-dir={data}", rules)
    with running(service, home / "second.log"):
        yield port


def query(port: int, expr: str) -> list[dict[str, Any]]:
    """The series that Grafana would get at the end of the week, but for those by which a board says that there is none."""
    question = urlencode({"query": expr.replace("$city", BOGOR.code), "time": END.timestamp()})
    with urlopen(f"http://127.0.0.1:{port}/api/v1/query?{question}", timeout=HANG) as answer:
        found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return [series for series in found if series["value"][1] != "NaN" and abs(float(series["value"][1])) != NO_ROW]


EMPTY = {
    "topk(4, ((time() - max by (city) (psap_last_event_timestamp_seconds)) > on (city)": "nobody is silent",
    "(max by (gauge) (psap_gauge_interval_": "the gauge is read every ten minutes",
    "((max by (dimension) (label_replace(psap_survey_item_answers": "everybody answered every item",
}
"""Queries that rightly find nothing at the end of this week, by how they begin."""


AT_TIMES = {"name", "what", "by"}
"""Labels that not every alert has: its centre, what it is about, who has it."""


def labels_of(panel: dict[str, Any]) -> set[str]:
    """The labels that the first query of a table shows as columns."""
    shown = [change["options"] for change in panel.get("transformations", ()) if change["id"] == "organize"]
    return {name for options in shown for name in options["indexByName"] if not name.startswith("Value")}


def test_every_panel_has_something_to_show(asked: int) -> None:
    nothing = []
    for path, text in files():
        if path.parent.name == "id":
            continue  # the same queries
        for panel in json.loads(text)["panels"]:
            exprs = [target["expr"] for target in panel["targets"]]
            empty = [expr for expr in exprs if not query(asked, expr) and not expr.startswith(tuple(EMPTY))]
            is_one_of = " or vector(NaN)) unless " in exprs[0]  # a number that is within its limit or is not
            if len(empty) > (len(exprs) - 1 if is_one_of else 0):
                nothing.append(f"{path.stem}: {panel['title']}: {empty}")
    assert not nothing, "\n".join(nothing)


def test_legends_and_table_columns_name_labels_that_come_back(asked: int) -> None:
    missing = []
    for path, text in files():
        if path.parent.name == "id":
            continue
        for panel in json.loads(text)["panels"]:
            changes = {change["id"]: change["options"] for change in panel.get("transformations", ())}
            for target in panel["targets"]:
                legend = target.get("legendFormat", "")
                named = set(re.findall(r"{{(\w+)}}", legend))
                if panel["type"] == "table":
                    named = labels_of(panel) if target["refId"] == "A" else {changes["joinByField"]["byField"]}
                found = [series["metric"] for series in query(asked, target["expr"])]
                assert panel["type"] == "table" or "{{" in legend or len(found) <= 1, (
                    f"several are called {legend}: {target['expr']}"
                )
                missing += [
                    (path.stem, panel["title"], name) for name in named - AT_TIMES for labels in found if name not in labels
                ]
    assert missing == []


def test_every_code_in_a_column_is_said_in_words_where_the_column_has_any(asked: int) -> None:
    bare = []
    for path, text in files():
        for panel in json.loads(text)["panels"]:
            found = [series["metric"] for series in query(asked, panel["targets"][0]["expr"])]
            columns = {
                change["options"]["renameByName"][label]: label
                for change in panel.get("transformations", ())
                if change["id"] == "organize"
                for label in labels_of(panel)
            }
            for override in panel["fieldConfig"]["overrides"]:
                label = columns.get(override["matcher"]["options"])
                for option in override["properties"]:
                    if option["id"] == "mappings" and label is not None:
                        said = {code for mapping in option["value"] if mapping["type"] == "value" for code in mapping["options"]}
                        if not all(code.startswith(ALL_WELL) for code in said):
                            bare += [(path.stem, panel["title"], one[label]) for one in found if one[label] not in said]
    assert bare == []


def test_the_choice_of_centres_finds_them(asked: int) -> None:
    boards = [json.loads(text) for _, text in files()]
    asking = {one["definition"] for board in boards for one in board["templating"]["list"] if one["name"] == "city"}
    (question,) = (text.removeprefix("query_result(").removesuffix(")") for text in asking)
    assert [series["metric"] for series in query(asked, question)] == [
        {"city": "32.71", "name": "Kota Bogor", "tz": "Asia/Jakarta", "text": "Kota Bogor · Asia/Jakarta"}
    ]
