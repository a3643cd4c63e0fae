"""What `up` shows in the terminal: the boards' own figures, each with its window."""

import json
import time
import tomllib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from dashboards.boards import files
from streams.api import Api
from streams.centres import load
from streams.edge.gateway.silences import TAKEN
from streams.stack import figures as asked
from streams.stack import status
from streams.stack.figures import GROUPS, Alert, Figure, Numbers, figures
from streams.stack.service import Status
from streams.stack.status import LINE_COLUMNS, Shown, line, picture
from streams.stack.up import Monitoring, Ports
from tests.dashboards.names import exported, unknown

DASHBOARDS = Path(__file__).parents[2] / "dashboards"
SAID = tomllib.loads((DASHBOARDS / "figures.toml").read_text())
FIGURES = [figure for group in GROUPS for figure in figures(group)]
ASKED = {
    target["expr"]
    for path, text in files()
    if path.parent.name == "id"
    for panel in json.loads(text)["panels"]
    for target in panel["targets"]
}


NOW = datetime(2026, 11, 24, 9, 30, tzinfo=ZoneInfo("Asia/Jakarta"))
SHOWN = Shown(
    "pantau112  32.71 Kota Bogor  simulasi / simulated",
    {"32.71": "Kota Bogor"},
    "papan / boards: http://127.0.0.1:11206/   gateway: http://127.0.0.1:11207   Grafana: https://grafana.kotabogor.go.id",
    ("data /srv/pantau112/live", "log /srv/pantau112/log"),
)
RUNNING = [Status(name, "running", 1, 1, 0, 0.0, "") for name in ("kafka", "worker", "gateway", "prometheus")]
QUERY = {figure.key: figure.query for figure in FIGURES}
LONG = "Kabupaten Siau Tagulandang Biaro: 45.3% panggilan tidak dijawab dalam 15 detik selama satu hari ini"

SENT = f"2026-11-24T02:30:07+00:00 PAGE     PsapServiceLevelBurnFast 32.71 {LONG}"


def screen(
    numbers: Numbers, services: Sequence[Status] = RUNNING, pages: Sequence[str] = (), width: int = 80, height: int = 24
) -> list[str]:
    lines = [text.plain for text in picture(services, numbers, pages, NOW, SHOWN, width, height)]
    assert len(lines) <= height
    assert [line for line in lines if cell_len(line) > width] == []
    return lines


def shown(numbers: Numbers) -> str:
    return "\n".join(screen(numbers, width=300, height=60))


def firing(*severities: str, says: str = "Kota Bogor: dua menunggu") -> list[Alert]:
    return [
        Alert(kind, f"Psap{n}", time.time() - 60 * n, (f"{says} {n}", f"{says} {n} too")) for n, kind in enumerate(severities)
    ]


def centres(count: int, **values: float) -> dict[str, dict[str, float]]:
    known = {QUERY[key]: value for key, value in values.items()}
    return {f"32.{n:02d}": {query: 1.0 for query in QUERY.values()} | known for n in range(count)}


def test_groups_and_windows_are_all_that_the_file_has() -> None:
    assert set(SAID) == {"windows", *GROUPS}


@pytest.mark.parametrize(("group", "name"), [(group, name) for group in GROUPS for name in SAID[group]])
def test_what_the_terminal_asks_a_board_asks_of_its_centre(group: str, name: str) -> None:
    query = SAID[group][name]["query"]
    assert query.replace("$where", 'city!=""') in {figure.query for figure in figures(group)}
    assert [expr for expr in ASKED if query.replace("$where", 'city="$city"') in expr], "no board shows it"


def test_the_terminal_has_no_questions_of_its_own() -> None:
    files = [Path(str(module.__file__)) for module in (asked, status)]
    assert [file for file in files if "psap_" in file.read_text()] == []


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name[1])
def test_a_figure_is_by_city_alone_of_what_is_exported_and_its_window_is_shown(figure: Figure) -> None:
    assert unknown(figure.query, exported()) == []
    assert "$" not in figure.query
    numbers = Numbers({"32.71": {other.query: 1 for other in FIGURES}}, [], reached=True)
    text = shown(numbers)
    assert figure.window in text
    assert all(word in text for word in figure.name)


def test_windows_in_a_question_are_the_windows_it_is_shown_with() -> None:
    for group in GROUPS:
        for name, figure in SAID[group].items():
            assert figure["window"] in SAID["windows"], name
            asked = [window for window in ("60m", "today") if f'window="{window}"' in figure["query"]]
            asked += ["today"] if "psap_calls_today" in figure["query"] else []
            assert asked in ([], [figure["window"]]), name


def test_abandoned_and_short_abandoned_are_told_apart_and_what_is_not_known_is_a_dash() -> None:
    values = {QUERY["abandoned"]: 3.0, QUERY["short_abandoned"]: 5.0, QUERY["level"]: 0.875}
    text = "\n".join(screen(Numbers({"32.71": values}, [], reached=True)))
    assert "batal/abandoned 3" in text
    assert "segera ditutup/short abandoned 5" in text
    assert "60 menit / 60 min:  ≤ 15 s/≤ 15 s 88%" in text
    assert "masuk/offered –" in text


@given(
    count=st.integers(0, 514),
    severities=st.lists(st.sampled_from(["page", "wall", "ticket"]), max_size=40),
    width=st.integers(40, 250),
    height=st.integers(10, 70),
    reached=st.booleans(),
    value=st.floats(0, 1e6),
)
def test_it_fits_whatever_there_is_to_say(
    count: int, severities: list[str], width: int, height: int, reached: bool, value: float
) -> None:
    alerts = firing(*sorted(severities, key=["page", "wall", "ticket"].index), says=LONG)
    numbers = Numbers(centres(count, waiting=value, longest=value, free=value), alerts, reached)
    lines = screen(numbers, [RUNNING[0]._replace(state="failed", reason=LONG)], [SENT] * 9, width, height)
    assert lines[0].startswith("pantau112")
    assert [line for line in lines if line.startswith("layanan / service kafka: failed")]
    assert len(line(RUNNING, numbers, NOW)) <= LINE_COLUMNS


def test_on_80_by_24_who_waits_stands_first_and_nothing_that_matters_is_cut() -> None:
    alerts = [Alert("page", "PsapServiceLevelBurnFast", time.time() - 200, (LONG, LONG.replace("panggilan", "calls")))]
    lines = screen(Numbers({"32.71": {query: 3.0 for query in QUERY.values()}}, alerts, reached=True))

    assert lines[4].split() == ["32.71", "Kota", "Bogor", "3", "3", "3"]
    assert [heading.split() for heading in lines[2:3]] == [["waiting", "longest", "s", "seats", "free"]]
    assert lines[6] == "alarm: 1 Mendesak/Page"
    told = " ".join(word for line in lines[7:11] for word in line.split())
    assert told == f"Mendesak 3 m {LONG} Page {LONG.replace('panggilan', 'calls')}"
    assert "layanan / services: 4 jalan semua / all run" in lines
    assert [line for line in lines if line.endswith("…")] == []
    assert [url for url in SHOWN.places.split() if url.startswith("http") and url not in " ".join(lines)] == []


def test_of_many_centres_the_worst_come_first_and_the_rest_are_counted() -> None:
    many = centres(514, waiting=0, longest=0)
    del many["32.100"][QUERY["longest"]]
    many["32.300"] |= {QUERY["waiting"]: 1, QUERY["longest"]: 200}
    many["32.200"] |= {QUERY["waiting"]: 7, QUERY["longest"]: 90}
    many["32.250"] |= {QUERY["waiting"]: 9, QUERY["longest"]: 90}
    numbers = Numbers(many, [], reached=True)
    lines = screen(numbers)

    assert [line.split()[0] for line in lines[4:7]] == ["32.300", "32.250", "32.200"]
    assert "… 507 lagi / more" in lines
    assert line(RUNNING, numbers, NOW).startswith("09:30:00 32.300 waiting 1, longest s 200, seats free 1 (of 514); alerts: none")


def test_alerts_stand_by_urgency_the_newest_first_and_what_has_no_room_is_counted() -> None:
    alerts = firing(*["page"] * 2, *["wall"] * 6, *["ticket"] * 9)
    lines = screen(Numbers({"32.71": {}}, alerts, reached=True))

    [head] = [line for line in lines if line.startswith("alarm: ")]
    assert head.startswith("alarm: 2 Mendesak/Page, 6 Dinding/Wall, 9 Jam kerja/Ticket; +")
    kinds = [line.split()[0] for line in lines if line.split()[:1] and line.split()[0] in ("Mendesak", "Dinding", "Jam")]
    assert kinds[:3] == ["Mendesak", "Mendesak", "Dinding"]
    assert head.endswith(f"; +{17 - len(kinds)} lagi/more")


def told(monkeypatch: pytest.MonkeyPatch, alerts: list[dict[str, Any]], held: list[dict[str, Any]] | None = None) -> Numbers:
    """What comes of these alerts, of which Alertmanager tells nobody those that are held; it does not answer for None."""

    def answer(api: Api, path: str, _: object = None) -> object:
        if path == "/api/v2/alerts":
            if held is None:
                raise OSError
            return held
        if path == "/api/v2/silences":
            return [taken_by(held[0]["labels"]), {"id": "hand", "status": {"state": "active"}, **BY_HAND}] if held else []
        if path == "/api/v1/alerts":
            return {"data": {"alerts": alerts}}
        return {"data": {"result": [{"metric": {"city": "32.71"}, "value": [0, "1"]}]}}

    monkeypatch.setattr(Api, "ask", answer)
    numbers = Numbers()
    numbers.refresh(Api("http://prometheus"), Api("http://alertmanager"))
    return numbers


TIMES = {"startsAt": "2026-11-24T09:00:00Z", "endsAt": "2026-11-24T10:00:00Z"}
BY_HAND: dict[str, Any] = {
    "matchers": [{"name": "severity", "value": ".+", "isRegex": True, "isEqual": True}],
    "createdBy": "budi",
    "comment": "",
    **TIMES,
}


def taken_by(labels: dict[str, str]) -> dict[str, Any]:
    """What the button of an alarm's page makes."""
    said = [{"name": name, "value": text, "isRegex": False, "isEqual": True} for name, text in labels.items()]
    return {"id": "s", "matchers": said, "createdBy": "NOC1", "comment": TAKEN, "status": {"state": "active"}, **TIMES}


def alert(severity: str, state: str = "firing", minute: int = 0) -> dict[str, Any]:
    labels = {"alertname": f"{severity}{minute}", "severity": severity}
    return {"labels": labels, "annotations": {}, "state": state, "activeAt": f"2026-11-24T09:{minute:02d}:00.123456789Z"}


def test_what_prometheus_says_is_put_in_order_and_the_watchdog_is_no_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    said = [
        alert("none"),
        alert("ticket", minute=8),
        alert("page", "pending", 9),
        alert("wall"),
        alert("page", minute=1),
        alert("page", minute=2),
    ]

    assert [alert.name for alert in told(monkeypatch, said).alerts] == ["page2", "page1", "wall0", "ticket8"]


def test_causes_come_before_what_is_silenced_or_taken_and_what_follows_is_only_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    said = [alert("page", minute=minute) for minute in (1, 2, 3, 4, 5)] + [alert("wall")]
    said[4]["labels"]["alertname"] = "PagesSilenced"
    state = {"silencedBy": [], "inhibitedBy": ["a"]}
    held = [
        {"labels": said[0]["labels"], "status": state | {"silencedBy": ["s"]}},
        {"labels": said[1]["labels"], "status": state},
        {"labels": said[3]["labels"], "status": state | {"silencedBy": ["hand"]}},
        {"labels": said[4]["labels"], "status": state | {"silencedBy": ["hand"]}},
    ]
    numbers = told(monkeypatch, said, held)
    assert [(alert.name, alert.state) for alert in numbers.alerts] == [
        ("PagesSilenced", ""),
        ("page3", ""),
        ("wall0", ""),
        ("page4", "silenced"),
        ("page1", "taken"),
        ("page2", "held"),
    ]
    lines = screen(numbers)
    assert "alarm: 4 Mendesak/Page, 1 Dinding/Wall" in lines
    assert "ditahan, akibat alarm lain / held back, they follow from others: 1" in lines
    assert [line for line in lines if line.startswith("Ditangani/Taken")]
    assert [line for line in lines if line.startswith("Diredam/Silenced")]
    assert line(RUNNING, numbers, NOW).endswith("alerts: page 4, wall 1; PagesSilenced; page3")


@pytest.mark.parametrize("numbers", [Numbers(), Numbers({}, [], reached=True)], ids=["no answer", "no numbers"])
def test_where_nothing_is_known_nothing_is_said_to_be_well(numbers: Numbers) -> None:
    text = "\n".join(screen(numbers))
    assert "not known" in text
    assert "none" not in text
    assert "none" not in line(RUNNING, numbers, NOW)


def test_services_are_one_line_while_all_run_and_are_named_when_they_do_not() -> None:
    numbers = Numbers({"32.71": {}}, [], reached=True)
    crashed = RUNNING[1]._replace(state="restarting", restarts=2, reason="ended with -9\nmore")
    lines = screen(numbers, [RUNNING[0], crashed, RUNNING[2]._replace(state="waiting")])

    assert "layanan / service worker: restarting, ended with -9" in lines
    assert "layanan / services: 1 menunggu giliran / wait for their turn" in lines
    assert not [line for line in lines if "all run" in line]
    assert "mulai ulang / restarted: worker 2" in screen(numbers, [*RUNNING[2:], crashed._replace(state="running")])
    assert "worker restarting" in line([crashed], numbers, NOW)


def test_what_was_sent_stands_newest_first_in_the_time_of_the_centre() -> None:
    older = SENT.replace(":07", ":01")
    lines = screen(Numbers({"32.71": {}}, [], reached=True), pages=[older, SENT], height=40)
    assert [line[:13] for line in lines if "BurnFast" in line] == ["09:30:07 PAGE", "09:30:01 PAGE"]


def test_a_line_for_a_log_names_what_is_urgent_as_long_as_it_fits() -> None:
    few, many = (Numbers(centres(1), firing(*["page"] * count), reached=True) for count in (2, 40))
    assert line(RUNNING, few, NOW) == "09:30:00 32.00 waiting 1, longest s 1, seats free 1; alerts: page 2; Psap0; Psap1"
    assert line(RUNNING, many, NOW).count("Psap") > 3


def test_one_line_says_where_the_wall_the_gateway_and_grafana_are(tmp_path: Path) -> None:
    known = load([])
    monitoring = Monitoring(tmp_path, Ports.from_base(11_300), [], known)
    shown = status.shown(monitoring, known, "https://grafana.kotabogor.go.id")
    assert shown.places == SHOWN.places.replace("112", "113")
    assert "Grafana" not in status.shown(monitoring, known, None).places
    assert shown.title == "pantau112  32.71 Kota Bogor  simulasi / simulated"
