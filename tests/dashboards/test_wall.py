"""The wall page: what it makes of boards and Prometheus's answers is what Grafana would, or it refuses."""

import copy
import json
import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.boards import FOLDER
from dashboards.boards.alert_list import RUNBOOK
from dashboards.boards.panels import Value, judged, lines, rows
from tests.dashboards.javascript import WALL, call, evaluate

COMMITTED = [pytest.param(path, id=path.relative_to(FOLDER).as_posix()) for path in sorted(FOLDER.rglob("*.json"))]
GREY, RED, ORANGE, GREEN = "#4a4d55", "dark-red", "dark-orange", "dark-green"
BOGOR = {"variable": {"includeAll": False}, "value": "32.71", "text": "Kota Bogor", "options": []}
HOUR = {"from": 3600, "to": 7200, "time": {"from": "now-1h", "to": "now"}}


def panel(kind: str, *exprs: str, **more: Any) -> dict[str, Any]:
    """A panel of a kind whose queries A, B, … are called like their letters; `more` goes into its defaults."""
    over_time = kind in {"timeseries", "state-timeline"}
    targets = [
        {"refId": ref, "expr": expr, "legendFormat": ref.lower(), "instant": not over_time, "range": over_time}
        for ref, expr in zip("ABCDEF", exprs or ("up",), strict=False)
    ]
    defaults = {"unit": "none", "noValue": "BUTA", "thresholds": {"mode": "absolute", "steps": [{"color": GREY, "value": None}]}}
    return {
        "type": kind,
        "title": "t",
        "targets": targets,
        "fieldConfig": {"defaults": defaults | more, "overrides": []},
        "options": {"legend": {}},
    }


def override(panel: dict[str, Any], matcher: str, name: str, **properties: Any) -> None:
    values = [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()]
    panel["fieldConfig"]["overrides"].append({"matcher": {"id": matcher, "options": name}, "properties": values})


def now(value: float | str, **labels: str) -> dict[str, Any]:
    return {"metric": labels, "value": [7200, str(value)]}


def over_time(*samples: tuple[int, float | str], **labels: str) -> dict[str, Any]:
    return {"metric": labels, "values": [[time, str(value)] for time, value in samples]}


def view(panel: dict[str, Any], answers: dict[str, Any], now: dict[str, Any] | None = None) -> Any:
    """What is shown of answers; those at the end of the range are `now`, by default as each line ends."""
    ended = {
        ref: [{"metric": line["metric"], "value": line["values"][-1]} for line in lines if "values" in line]
        for ref, lines in answers.items()
    }
    request = {"first": 3600, "last": 3840, "step": 60}
    context = {"range": HOUR, "chosen": {"city": BOGOR}, "request": request, "now": ended if now is None else now}
    return call("panels.js", "view", panel, answers, context)


@pytest.mark.parametrize(
    ("unit", "decimals", "texts"),
    [
        ("none", None, {0: "0", 3: "3", 12.5: "12.5", 1234567: "1234567", 0.123456: "0.123", -4.2: "-4.20", 99.995: "100.0"}),
        ("none", 2, {1.255: "1.25"}),
        ("short", None, {999: "999", 1234: "1.23 K", 1234567: "1.23 Mil", -1500: "-1.50 K"}),
        ("percent", None, {94.444: "94.4%"}),
        ("percentunit", None, {0: "0%", 0.905: "90.5%", 0.94444: "94.4%", 1: "100%", 0.00123: "0.123%"}),
        ("percentunit", 0, {0.905: "91%"}),
        ("percentunit", 1, {1: "100.0%"}),
        ("s", None, {0: "0 s", 0.5: "500 ms", 12: "12 s", 59.9: "59.9 s", 60: "1 min", 90: "1.50 mins", 3600: "1 hour"}),
        ("s", None, {5400: "1.50 hours", 86400: "1 day", 1e6: "1.65 weeks", 1e8: "3.17 years", 0.0004: "400 µs"}),
        ("ms", None, {999: "999 ms", 1000: "1 s", 61000: "1.02 mins"}),
        ("m", None, {1: "1 min", 90: "1.50 hours"}),
        ("h", None, {1: "1 hour", 25: "1.04 days"}),
        ("dthms", None, {0: "00:00:00", 59: "00:00:59", 60: "00:01:00", 61.9: "00:01:01", 3600: "01:00:00", -5: "00:00:05 ago"}),
        ("dthms", None, {86399: "23:59:59", 86400: "24:00:00", 100000: "27:46:40"}),
        ("suffix: s", None, {5: "5  s", 12.34: "12.3  s"}),
        ("suffix:cm", None, {80.5: "80.5 cm"}),
    ],
)
def test_a_number_is_written_as_grafana_writes_it(unit: str, decimals: int | None, texts: dict[float, str]) -> None:
    """The texts are those of @grafana/data 13.2.3."""
    assert {value: call("units.js", "format", value, unit, decimals) for value in texts} == texts


def test_a_mark_on_an_axis_has_the_decimals_it_needs() -> None:
    marks = {
        ("none", 2.5): "2.5",
        ("none", 10): "10",
        ("percentunit", 0.25): "25%",
        ("percentunit", 0.125): "12.5%",
        ("s", 90): "1.50 mins",
    }
    assert {mark: call("units.js", "tick", mark[1], mark[0]) for mark in marks} == marks


class TestBigNumbers:
    """Panels of type stat."""

    def test_without_an_answer_the_panel_says_so_in_grey(self) -> None:
        (value,) = view(panel("stat"), {"A": []})["values"]
        assert (value["text"], value["colour"], value["known"]) == ("BUTA", GREY, False)

    def test_what_cannot_be_computed_is_not_a_number_but_nothing_known(self) -> None:
        (value,) = view(panel("stat"), {"A": [now("NaN")]})["values"]
        assert (value["text"], value["known"]) == ("BUTA", False)

    def test_a_state_is_a_word_and_a_colour(self) -> None:
        shown = panel("stat", "a", "b")
        words = {"0": {"text": "NORMAL", "color": GREEN}, "1": {"text": "LEWAT BATAS", "color": RED}}
        override(shown, "byFrameRefID", "B", mappings=[{"type": "value", "options": words}])
        values = view(shown, {"A": [now(1)], "B": [now(1)]})["values"]
        assert [(value["name"], value["text"], value["colour"]) for value in values] == [
            ("a", "1", GREY),
            ("b", "LEWAT BATAS", RED),
        ]

    @pytest.mark.parametrize(("ratio", "colour"), [(0.79, RED), (0.8, ORANGE), (0.9, GREEN), ("NaN", GREY)])
    def test_a_threshold_colours_from_its_value_on(self, ratio: float | str, colour: str) -> None:
        steps = [{"color": c, "value": v} for c, v in ((GREY, None), (RED, 0), (ORANGE, 0.8), (GREEN, 0.9))]
        shown = panel("stat", unit="percentunit", thresholds={"mode": "absolute", "steps": steps})
        assert view(shown, {"A": [now(ratio)]})["values"][0]["colour"] == colour

    def test_one_value_may_have_a_unit_of_its_own(self) -> None:
        shown = panel("stat", "a", "b", unit="percentunit")
        override(shown, "byName", "b", unit="none")
        assert [value["text"] for value in view(shown, {"A": [now(0.5)], "B": [now(58)]})["values"]] == ["50%", "58"]

    def test_a_legend_names_series_by_their_labels(self) -> None:
        shown = panel("stat")
        shown["targets"][0]["legendFormat"] = "{{name}} ({{ city }})"
        (value,) = view(shown, {"A": [now(1, name="Kota Bogor", city="32.71")]})["values"]
        assert value["name"] == "Kota Bogor (32.71)"

    def test_what_turned_worse_is_told_and_what_turned_better_is_not(self) -> None:
        values = {"good": GREEN, "bad": RED, "same": RED, "new": RED}
        before = {"values": [{"name": name, "colour": c, "known": True} for name, c in values.items() if name != "new"]}
        after = {"values": [{"name": name, "colour": RED if name != "bad" else GREEN, "known": True} for name in values]}
        assert [value["name"] for value in call("panels.js", "worsened", before, after)] == ["good"]
        assert call("panels.js", "worsened", after, before) == [before["values"][1]]

    def test_a_panel_that_no_longer_knows_is_told_of_once(self) -> None:
        known, blind = view(panel("stat"), {"A": [now(1)]}), view(panel("stat"), {"A": []})
        assert [value["text"] for value in call("panels.js", "worsened", known, blind)] == ["BUTA"]
        assert call("panels.js", "worsened", blind, blind) == []


class TestLines:
    """Panels of type timeseries and state-timeline."""

    def test_a_minute_without_a_sample_is_a_gap(self) -> None:
        (line,) = view(panel("timeseries"), {"A": [over_time((3600, 1), (3720, "NaN"), (3840, 3))]})["lines"]
        assert line["data"] == [1, None, None, None, 3]
        assert line["last"] == "3"

    def test_a_line_that_ended_has_no_value_now(self) -> None:
        (line,) = view(panel("timeseries"), {"A": [over_time((3600, 1), (3660, 1))]}, {"A": []})["lines"]
        assert line["last"] == "BUTA"

    def test_a_legend_says_what_the_number_beside_it_does_and_not_what_was_a_step_ago(self) -> None:
        answers = {"A": [over_time((3600, 1), (3840, 1), link="a"), over_time((3840, 2), link="b")]}
        lines = view(panel("timeseries"), answers, {"A": [now(7, link="b"), now(5, link="a")]})["lines"]
        assert [line["last"] for line in lines] == ["5", "7"]

    def test_a_chart_that_begins_late_says_when(self) -> None:
        limited = panel("timeseries", "a", "b")
        override(limited, "byName", "b", color={"mode": "fixed", "fixedColor": RED})
        limit = over_time((3600, 9), (3840, 9))
        assert view(limited, {"A": [over_time((3780, 1))], "B": [limit]})["since"] == 3780
        assert view(limited, {"A": [over_time((3600, 1))], "B": [limit]})["since"] is None
        assert view(limited, {"A": [], "B": [limit]})["since"] is None

    def test_a_limit_is_dashed_and_has_its_own_colour(self) -> None:
        shown = panel("timeseries", "a", "b")
        override(
            shown, "byName", "b", custom__lineStyle={"fill": "dash", "dash": [10, 10]}, color={"mode": "fixed", "fixedColor": RED}
        )
        lines = view(shown, {"A": [over_time((3600, 1))], "B": [over_time((3600, 9))]})["lines"]
        assert [(line["dash"], line["colour"]) for line in lines] == [([], "#73BF69"), ([10, 10], "#C4162A")]
        assert [line["mark"] for line in lines] == ["", ""]  # the dashes tell them apart

    def test_lines_that_only_their_colour_would_tell_apart_bear_marks(self) -> None:
        shown = panel("timeseries", "a", "b", "c")
        override(shown, "byName", "c", custom__lineWidth=4)
        lines = view(shown, {"A": [over_time((3600, 1))], "B": [over_time((3600, 9))], "C": [over_time((3600, 5))]})["lines"]
        assert [line["mark"] for line in lines] == ["●", "▲", ""]  # the third is seen to be wider

    def test_a_ghost_is_of_dots_that_can_be_seen(self) -> None:
        shown = panel("timeseries", "a")
        override(shown, "byName", "a", custom__lineStyle={"fill": "dot", "dash": [0, 10]})
        (line,) = view(shown, {"A": [over_time((3600, 1))]})["lines"]
        assert (line["dash"], line["cap"]) == ([0, 10], "round"), "a dash of no length without round ends is nothing"

    def test_a_state_that_stays_is_one_run_and_an_unknown_one_is_none(self) -> None:
        words = {"0": {"text": "MATI", "color": RED}, "1": {"text": "HIDUP", "color": GREEN}}
        shown = panel("state-timeline", mappings=[{"type": "value", "options": words}])
        (row,) = view(shown, {"A": [over_time((3600, 1), (3660, 1), (3780, 0), (3840, 0))]})["rows"]
        assert [(run["from"], run["to"], run["text"]) for run in row["runs"]] == [(3600, 3720, "HIDUP"), (3780, 3900, "MATI")]
        assert row["now"]["text"] == "MATI"


class TestTables:
    """Panels of type table."""

    def tickets(self, **organize: Any) -> dict[str, Any]:
        shown = panel("table", "open", "oldest")
        shown["transformations"] = [
            {"id": "joinByField", "options": {"byField": "opd", "mode": "outer"}},
            {"id": "organize", "options": {"excludeByName": {"Time": True, "Time 1": True, "Time 2": True}, **organize}},
        ]
        return shown

    def rows(self, shown: dict[str, Any], answers: dict[str, Any]) -> list[list[str]]:
        found = view(shown, answers)
        return [[column["name"] for column in found["columns"]], *([cell["text"] for cell in row] for row in found["rows"])]

    def test_values_of_the_same_labels_are_one_row(self) -> None:
        names = {"opd": "OPD", "Value #A": "Terbuka", "Value #B": "Tertua"}
        shown = self.tickets(renameByName=names, indexByName={"opd": 0, "Value #B": 1, "Value #A": 2})
        override(shown, "byName", "Tertua", unit="dthms")
        answers = {"A": [now(3, opd="damkar"), now(1, opd="dishub")], "B": [now(90, opd="damkar")]}
        assert self.rows(shown, answers) == [["OPD", "Tertua", "Terbuka"], ["damkar", "00:01:30", "3"], ["dishub", "BUTA", "1"]]

    def test_a_table_without_rows_says_its_word(self) -> None:
        found = view(self.tickets(), {"A": [], "B": []})
        assert (found["rows"], found["columns"], found["noValue"]) == ([], [], "BUTA")

    def test_a_query_without_an_answer_has_no_column_as_in_grafana(self) -> None:
        answers = {"A": [now(3, opd="damkar")], "B": []}
        assert self.rows(self.tickets(), answers) == [["opd", "Value #A"], ["damkar", "3"]]

    def test_columns_of_one_name_are_numbered_as_grafana_numbers_them(self) -> None:
        shown = self.tickets()
        answers = {"A": [now(3, opd="damkar", rung="7m")], "B": [now(90, opd="damkar", rung="24h")]}
        assert self.rows(shown, answers)[0] == ["opd", "rung 1", "Value #A", "rung 2", "Value #B"]

    @pytest.mark.parametrize(
        ("unit", "texts"),
        [
            ("none", {"32.71": "32.7", "32.01": "32.0", "32.76": "32.8", "91.71": "91.7", "damkar": "damkar", "": "BUTA"}),
            ("percentunit", {"15": "1500%", "20": "2000%", "60": "6000%"}),
            ("dthms", {"32.71": "00:00:32", "101": "00:01:41"}),
            ("string", {"32.71": "32.71", "32.76": "32.76", "15": "15", "08": "08", "": "BUTA"}),
        ],
    )
    def test_a_text_that_looks_like_a_number_is_written_as_one_unless_it_is_said_to_be_text(
        self, unit: str, texts: dict[str, str]
    ) -> None:
        """As a Grafana 12.3.0 wrote them: a board that forgets the unit of a code is seen to here."""
        shown = self.tickets()
        override(shown, "byName", "opd", unit=unit)
        rows = self.rows(shown, {"A": [now(1, opd=text) for text in texts], "B": []})[1:]
        assert {text: row[0] for text, row in zip(texts, rows, strict=True)} == texts

    def test_a_link_has_what_its_cell_says_as_in_grafana(self) -> None:
        shown = self.tickets()
        override(
            shown,
            "byName",
            "opd",
            links=[{"title": "", "url": "/d/psap-calls-id?${__url_time_range}&var-city=${__data.fields.opd}"}],
        )
        answers = {"A": [now(1, opd="32.76")], "B": []}
        assert "var-city=32.8" in view(shown, answers)["rows"][0][0]["link"]["href"]
        override(shown, "byName", "opd", unit="string")
        assert "var-city=32.76" in view(shown, answers)["rows"][0][0]["link"]["href"]

    def test_numbers_are_sorted_as_numbers(self) -> None:
        shown = self.tickets()
        shown["transformations"].insert(
            1, {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": "Value #A", "desc": True}]}}
        )
        answers = {"A": [now(9, opd="a"), now("NaN", opd="d"), now(100, opd="b"), now(20, opd="c")], "B": []}
        assert [row[0] for row in self.rows(shown, answers)[1:]] == ["b", "c", "a", "d"]

    def test_a_cell_leads_to_the_board_of_its_row_at_the_same_time(self) -> None:
        shown = self.tickets(renameByName={"city": "Pusat"})
        shown["transformations"][0]["options"]["byField"] = "city"
        override(shown, "byName", "Pusat", unit="string")
        url = "/d/psap-calls-id?${__url_time_range}&var-city=${__data.fields.city}&${city:queryparam}"
        override(shown, "byName", "Pusat", links=[{"title": "", "url": url}])
        (row,) = view(shown, {"A": [now(1, city="32.71")], "B": [now(2, city="32.71")]})["rows"]
        assert row[0]["link"]["href"] == "/d/psap-calls-id?from=now-1h&to=now&var-city=32.71&var-city=32.71"
        assert row[1]["link"] is None

    def test_an_alert_leads_to_its_page_of_the_runbook_whatever_it_is_called(self) -> None:
        shown = self.tickets(renameByName={"alertname": "Peringatan"})
        words = {"PsapLinkDown": {"text": "Jalur putus"}}
        links = [{"title": "Panduan", "url": RUNBOOK}]
        override(shown, "byName", "Peringatan", links=links, mappings=[{"type": "value", "options": words}])
        (row,) = view(shown, {"A": [now(1, opd="a", alertname="PsapLinkDown")], "B": []})["rows"]
        (cell,) = [cell for cell in row if cell["text"] == "Jalur putus"]
        assert cell["link"] == {"href": "/runbook/PsapLinkDown", "title": "Panduan"}

    def test_what_to_do_is_wrapped_and_nothing_else(self) -> None:
        shown = self.tickets(renameByName={"todo": "Tindakan"})
        override(shown, "byName", "Tindakan", custom__cellOptions={"type": "auto", "wrapText": True})
        (row,) = view(shown, {"A": [now(1, opd="a", todo="x y")], "B": []})["rows"]
        assert {cell["text"]: cell["isWrapped"] for cell in row}["x y"] is True
        assert [cell["isWrapped"] for cell in row].count(True) == 1


class TestBoards:
    """Panels as dashboards/boards builds them."""

    def built(self, panel: Any) -> dict[str, Any]:
        made: dict[str, Any] = json.loads(JSONEncoder().encode(panel.build()))
        return made

    def tickets(self) -> dict[str, Any]:
        values = [Value("Terbuka", "open"), Value("Tertua", "oldest", "dthms")]
        columns = {"opd": "OPD", "rung": "Tangga"}
        return self.built(rows(values, "none", "BUTA", columns, most=2, clear=("known", "Semua dijawab")))

    def texts(self, panel: dict[str, Any], answers: dict[str, Any]) -> list[list[str]]:
        return [[cell["text"] for cell in row] for row in view(panel, answers)["rows"]]

    def test_a_list_says_what_it_leaves_out_and_what_is_not_known(self) -> None:
        first = [now(1, row="a · 7m", opd="a", rung="7m"), now(3, row="101 · 7m", opd="101", rung="7m")]
        answers = {
            "A": [*first, now(-1e9, row="+ 4 · ", opd="+ 4")],
            "B": [now("NaN", row="101 · 7m"), now(90, row="a · 7m"), now(-1e9, row="+ 4 · ")],
        }
        assert self.texts(self.tickets(), answers) == [
            ["101", "7m", "3", "BUTA"],
            ["a", "7m", "1", "00:01:30"],
            ["+ 4", "–", "–", "–"],
        ]

    def test_good_news_is_a_row_and_without_knowing_there_is_none(self) -> None:
        none = now(-1e9, row="* · ", opd="*")
        assert self.texts(self.tickets(), {"A": [none], "B": [now(-1e9, row="* · ")]}) == [["Semua dijawab", "–", "–"]]
        found = view(self.tickets(), {"A": [], "B": []})
        assert (found["rows"], found["noValue"]) == ([], "BUTA")

    def test_a_number_over_its_limit_says_so_in_its_name_and_colour_and_getting_there_is_told(self) -> None:
        words = (("NORMAL", GREEN), ("LEWAT BATAS", RED))
        shown = self.built(judged(Value("Menunggu", "waiting"), "over", words, "none", "BUTA"))
        blind = view(shown, {"A": [now("NaN")], "B": [], "C": []})
        well, over = (view(shown, {"A": [], ref: [now(9)]}) for ref in "BC")
        said = [[value["name"], value["text"], value["colour"]] for one in (blind, well, over) for value in one["values"]]
        assert said == [["Menunggu", "BUTA", GREY], ["Menunggu · NORMAL", "9", GREEN], ["Menunggu · LEWAT BATAS", "9", RED]]
        assert call("panels.js", "worsened", well, over) == over["values"]
        assert call("panels.js", "worsened", over, well) == []

    def test_an_axis_of_shares_reaches_as_far_as_it_must_and_never_beyond_the_whole(self) -> None:
        shown = self.built(lines([Value("a", "loss")], "percentunit", "BUTA", top=0.1))
        drawn = view(shown, {"A": [over_time((3600, 0.01))]})
        assert (drawn["min"], drawn["max"], drawn["soft"]["max"]) == (0, 1, 0.1)


class TestVariables:
    """The board's variables, and the range of time."""

    def test_centres_are_offered_by_name_in_order(self) -> None:
        regex = '/city="(?<value>[^"]+)".*name="(?<text>[^"]+)"/'
        variable = {"query": {"query": "query_result(max by (city, name) (psap_city_info))"}, "regex": regex, "sort": 1}
        answer = [
            now(1, city="32.71", name="Kota Bogor"),
            now(1, city="32.01", name="Bogor"),
            now(1, city="32.71", name="Kota Bogor"),
        ]
        assert call("variables.js", "question", variable) == "max by (city, name) (psap_city_info)"
        options = call("variables.js", "optionsOf", variable, answer, "Semua")
        assert [(one["value"], one["text"]) for one in options] == [("32.01", "Bogor"), ("32.71", "Kota Bogor")]
        assert call("variables.js", "choose", variable, options, "32.71") == "32.71"
        assert call("variables.js", "choose", variable, options, None) == "32.01"

    def test_a_chosen_centre_that_is_not_there_stays_chosen_and_is_said_to_be_unknown(self) -> None:
        options = [{"value": "32.01", "text": "Bogor"}]
        assert call("variables.js", "choose", {}, options, "99.99") == "99.99"
        assert call("variables.js", "choose", {}, [], "99.99") == "99.99", "also while nobody knows of any centre"
        offered = call("variables.js", "offered", options, "99.99", "tidak dikenal")
        assert [one["text"] for one in offered] == ["Bogor", "99.99 – tidak dikenal"]
        assert call("variables.js", "offered", options, "32.01", "tidak dikenal") == options

    def test_a_centre_has_the_time_of_its_own_zone(self) -> None:
        variable = {"query": {"query": "query_result(psap_city_info)"}, "regex": '/city="(?<value>[^"]+)"/'}
        answer = [now(1, city="94.71", tz="Asia/Jayapura"), now(1, city="32.71", tz="Asia/Jakarta")]
        options = call("variables.js", "optionsOf", variable, answer, "Semua")
        assert {one["value"]: one["zone"] for one in options} == {"94.71": "Asia/Jayapura", "32.71": "Asia/Jakarta"}

    def test_all_of_a_label_is_every_one_of_its_values_and_nothing_like_them(self) -> None:
        variable = {"query": {"query": "label_values(psap_calls_waiting, queue)"}, "includeAll": True}
        assert call("variables.js", "question", variable) == "group by (queue) (psap_calls_waiting)"
        options = call("variables.js", "optionsOf", variable, [now(1, queue="112"), now(1, queue="a.b")], "Semua")
        assert [one["text"] for one in options] == ["Semua", "112", "a.b"]
        chosen = {"variable": variable, "value": options[0]["value"], "options": options}
        assert call("variables.js", "inQuery", chosen) == r"(112|a\\.b)"

    def test_a_query_asks_for_the_chosen_centre_over_the_whole_range_in_even_steps(self) -> None:
        shown = panel("timeseries", 'sum(rate(x{city="$city"}[$__rate_interval])) + sum(increase(y[$__range]))')
        asked, at_end = call("panels.js", "requests", shown, {**HOUR, "from": 3607, "to": 7207}, 100, {"city": BOGOR})
        query = 'sum(rate(x{city="32.71"}[65s])) + sum(increase(y[3600s]))'
        assert asked["path"] == "query_range"
        assert asked["body"] == {"query": query, "start": 3660, "end": 7200, "step": 60}
        assert (at_end["path"], at_end["body"]) == ("query", {"query": query, "time": 7207})

    @pytest.mark.parametrize("value", ['a"} or up{x="', "a\\"])
    def test_a_value_from_the_address_cannot_leave_its_quotes(self, value: str) -> None:
        chosen = {"variable": {"includeAll": False}, "value": value, "options": []}
        said = call("variables.js", "inQuery", chosen)
        assert re.fullmatch(r'(?:[^"\\]|\\.)*', said)

    def test_a_link_to_another_board_keeps_time_and_choices(self) -> None:
        link = {"url": "/d/psap-calls-en", "keepTime": True, "includeVars": True}
        assert (
            call("variables.js", "boardAddress", link, {"city": BOGOR}, HOUR)
            == "/d/psap-calls-en?from=now-1h&to=now&var-city=32.71"
        )
        assert call("variables.js", "boardAddress", {"url": "/d/psap-calls-en"}, {"city": BOGOR}, HOUR) == "/d/psap-calls-en"

    def test_today_begins_at_the_boards_midnight_and_yesterday_ends_there(self) -> None:
        noon, day = 10 * 86400 + 43200, 86400
        midnight = f"(seconds) => Math.floor(seconds / {day}) * {day}"
        between = 'modules["timerange.js"].between'
        today = evaluate(f'{between}({{from: "now/d", to: "now"}}, {noon}, {midnight})')
        yesterday = evaluate(f'{between}({{from: "now-1d/d", to: "now-1d/d"}}, {noon}, {midnight})')
        assert (today["from"], today["to"]) == (10 * day, noon)
        assert (yesterday["from"], round(yesterday["to"])) == (9 * day, 10 * day)


class TestSound:
    """The one sound: when something begins, and only then."""

    def rounds(self, *rounds: tuple[float, list[str] | None], scope: str = "s", memory: Any = None) -> list[list[str]]:
        """What each look finds new: at a moment, what fires, or None when nobody answers."""
        found = []
        for at, firing in rounds:
            said = call("alarms.js", "heard", memory, firing, at, scope if firing is not None else None)
            memory = said["memory"]
            found.append(said["begun"])
        self.memory = memory
        return found

    def test_what_is_there_when_the_page_is_opened_is_silent_and_what_begins_sounds_once(self) -> None:
        assert self.rounds((0, ["a"]), (5, ["a", "b"]), (10, ["a", "b"]), (15, ["b"])) == [[], ["b"], [], []]

    def test_what_comes_back_within_ten_minutes_is_the_same_alert(self) -> None:
        assert self.rounds((0, []), (5, ["a"]), (10, []), (600, ["a"])) == [[], ["a"], [], []]
        assert self.rounds((0, []), (5, ["a"]), (300, []), (604, []), (610, ["a"])) == [[], ["a"], [], [], ["a"]]

    def test_blindness_sounds_once_and_what_fired_meanwhile_does_when_it_is_seen(self) -> None:
        told = self.rounds((0, ["a"]), (5, None), (10, None), (15, ["a"]), (20, ["a", "b"]))
        assert told == [[], ["blind"], [], [], ["b"]]
        told = self.rounds((0, ["a"]), *((at, None) for at in range(5, 905, 5)), (905, ["a", "b"]))
        assert [names for names in told if names] == [["blind"], ["b"]]

    def test_a_page_that_opens_blind_is_silent_until_something_begins(self) -> None:
        assert self.rounds((0, None), (5, None), (10, ["a"]), (15, ["a", "b"])) == [[], [], [], ["b"]]

    def test_a_page_that_is_loaded_anew_goes_on_where_it_was_and_another_centre_begins_anew(self) -> None:
        self.rounds((0, ["a"]))
        assert self.rounds((8, ["a", "b"]), memory=self.memory) == [["b"]]
        assert self.rounds((16, ["c"]), scope="another", memory=self.memory) == [[]]
        self.rounds((0, ["a"]))
        assert self.rounds((3600, ["b"]), memory=self.memory) == [[]], "of an hour ago nothing is known"

    def test_a_centres_page_listens_to_its_own_alerts_and_the_monitors(self) -> None:
        own = call("alarms.js", "alarming", "32.71")
        assert own == 'ALERTS{alertstate="firing",severity=~"page|wall",city=~"32.71|"}'
        assert evaluate('modules["alarms.js"].alarming()') == 'ALERTS{alertstate="firing",severity=~"page|wall"}'

    def test_alerts_are_told_apart_by_all_their_labels_and_announced_by_the_boards_name(self) -> None:
        labels = {"__name__": "ALERTS", "alertstate": "firing", "alertname": "PsapLinkDown", "link": "sip-xl"}
        name = call("alarms.js", "nameOf", labels)
        assert name == call("alarms.js", "nameOf", dict(reversed(labels.items())))
        assert name != call("alarms.js", "nameOf", labels | {"link": "sip-telkom"})
        board = json.loads((FOLDER / "id" / "psap-calls.json").read_text())
        assert call("alarms.js", "called", board, name) == ["Jalur putus"]
        assert call("alarms.js", "called", board, call("alarms.js", "nameOf", {"alertname": "New"})) == ["New"]
        assert call("alarms.js", "called", board, "blind") == []


@pytest.mark.parametrize("path", COMMITTED)
def test_every_board_is_drawn_whole(path: Path) -> None:
    assert call("drift.js", "unsupported", json.loads(path.read_text())) == []


def whole() -> dict[str, Any]:
    """A board with one panel of each kind, all of which is drawn."""
    shown = panel("table", "z")
    del shown["targets"][0]["legendFormat"], shown["options"]["legend"]
    shown["targets"][0]["format"] = "table"
    shown["transformations"] = [{"id": "organize", "options": {"excludeByName": {"Time": True}}}]
    big, lines, states = panel("stat"), panel("timeseries"), panel("state-timeline")
    big["options"] = {"graphMode": "none", "reduceOptions": {"calcs": ["lastNotNull"], "values": False, "fields": ""}}
    lines["options"] = {"legend": {"displayMode": "list", "calcs": ["last"]}}
    states["options"] = {"showValue": "auto", "legend": {"showLegend": False}}
    override(shown, "byName", "Pusat", unit="dthms", custom__width=90)
    return {
        "uid": "b",
        "title": "b",
        "tags": ["lang:id"],
        "links": [{"type": "link", "title": "c", "url": "/d/c", "keepTime": True, "includeVars": True}],
        "panels": [big, lines, shown, states],
        "templating": {"list": [{"type": "query", "name": "city", "query": {"query": "query_result(up)"}, "sort": 1}]},
        "time": {"from": "now-3h", "to": "now"},
        "refresh": "5s",
    }


def test_a_board_of_all_that_is_drawn_is_not_refused() -> None:
    assert call("drift.js", "unsupported", whole()) == []


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda b: b["panels"].append({"type": "gauge", "title": "g"}), 'type = "gauge"'),
        (lambda b: b["panels"][0].update(repeat="city"), ".repeat"),
        (lambda b: b["panels"][0].update(timeFrom="1h"), ".timeFrom"),
        (lambda b: b["panels"][0].update(title="$town"), "refers to $town"),
        (lambda b: b["panels"][0]["options"].update(graphMode="area"), 'graphMode = "area"'),
        (lambda b: b["panels"][0]["options"]["reduceOptions"].update(calcs=["max"]), 'calcs = ["max"]'),
        (lambda b: b["panels"][0]["options"].update(novelty=1), "options.novelty"),
        (lambda b: b["panels"][0]["fieldConfig"]["defaults"].update(unit="currencyIDR"), 'unit = "currencyIDR"'),
        (lambda b: b["panels"][0]["fieldConfig"]["defaults"].update(color={"mode": "continuous-GrYlRd"}), "color.mode"),
        (lambda b: b["panels"][0]["fieldConfig"]["defaults"]["thresholds"].update(mode="percentage"), "thresholds.mode"),
        (lambda b: b["panels"][0]["fieldConfig"]["defaults"].update(mappings=[{"type": "regex", "options": {}}]), '"regex"'),
        (
            lambda b: b["panels"][0]["fieldConfig"]["defaults"].update(links=[{"title": "", "url": "javascript:x"}]),
            "links[0].url",
        ),
        (lambda b: b["panels"][0]["targets"][0].update(expr="x[$__auto]"), "refers to $__auto"),
        (lambda b: b["panels"][0]["targets"][0].update(legendFormat="__auto"), "legendFormat"),
        (lambda b: b["panels"][0]["targets"][0].update(range=True), "targets[0]"),
        (lambda b: b["panels"][1]["fieldConfig"]["defaults"].update(custom={"drawStyle": "bars"}), 'drawStyle = "bars"'),
        (lambda b: b["panels"][1]["fieldConfig"]["defaults"].update(custom={"stacking": {"mode": "normal"}}), "stacking.mode"),
        (lambda b: b["panels"][1]["options"]["legend"].update(placement="right"), "legend.placement"),
        (lambda b: b["panels"][2].update(transformations=[]), "shows the column Time"),
        (lambda b: b["panels"][2]["transformations"].append({"id": "calculateField", "options": {}}), "calculateField"),
        (lambda b: b["panels"][2]["transformations"].append({"id": "merge", "options": {}}), '"merge"'),
        (lambda b: b["panels"][2]["targets"].append(b["panels"][2]["targets"][0] | {"refId": "B"}), "does not join its queries"),
        (lambda b: b["panels"][0]["options"].update(wideLayout=True), "wideLayout"),
        (lambda b: override(b["panels"][2], "byType", "number", unit="none"), "byType"),
        (lambda b: override(b["panels"][2], "byName", "a", custom__cellOptions={"type": "gauge"}), "cellOptions.type"),
        (lambda b: b["panels"][3]["options"].update(mergeValues=False), "mergeValues"),
        (lambda b: b["templating"]["list"].append({"type": "custom", "name": "x"}), 'type = "custom"'),
        (lambda b: b["templating"]["list"].append({"type": "constant", "name": "x"}), 'type = "constant"'),
        (lambda b: b["templating"]["list"][0].update(query={"query": "metrics(psap)"}), "query"),
        (lambda b: b["templating"]["list"][0].update(multi=True), "multi"),
        (lambda b: b.update(annotations={"list": [{"name": "alerts", "expr": "ALERTS"}]}), "annotations.list[0].expr"),
        (lambda b: b.update(annotations={"list": [{"datasource": {"uid": "prometheus"}}]}), "datasource.uid"),
        (lambda b: b.update(time={"from": "now/fy", "to": "now"}), "time.from"),
        (lambda b: b["links"][0].update(url="elsewhere"), "links[0].url"),
        (lambda b: b.update(novelty={}), "board.novelty"),
    ],
)
def test_what_is_not_drawn_is_refused_by_its_place(change: Change, said: str) -> None:
    board = copy.deepcopy(whole())
    change(board)
    found = call("drift.js", "unsupported", board)
    assert any(said in line for line in found), found


def test_the_page_has_its_words_in_both_languages() -> None:
    indonesian, english = (evaluate(f'Object.keys(modules["words.js"].wordsIn("{language}"))') for language in ("id", "en"))
    assert indonesian == english
    assert evaluate('modules["words.js"].wordsIn("id").blind("14:03", "Prometheus tidak menjawab")') == (
        "BUTA sejak 14:03 – Prometheus tidak menjawab"
    )
    assert evaluate('modules["words.js"].wordsIn("en").blind("14:03", "Prometheus does not answer")') == (
        "BLIND since 14:03 – Prometheus does not answer"
    )


LATER = re.compile(
    r"[\w)\]]\?\.[a-zA-Z_(\[]|\?\?|\bcatch \{|#\w+ ?[=(]|Object\.fromEntries"
    r"|\.(?:flat|flatMap|matchAll|replaceAll|at|replaceChildren)\("
)


@pytest.mark.parametrize("path", [pytest.param(path, id=path.name) for path in sorted(WALL.glob("*.js"))])
def test_a_televisions_browser_of_2018_reads_the_scripts(path: Path) -> None:
    assert LATER.findall(path.read_text()) == []


def test_uplot_is_the_published_file_with_its_licence() -> None:
    sums = {path.name: sha256(path.read_bytes()).hexdigest()[:16] for path in WALL.glob("uPlot*")}
    assert sums == {
        "uPlot.LICENSE": "8f989229699b4fe2",
        "uPlot.iife.min.js": "d64b02d957869cf7",
        "uPlot.min.css": "37d952f00df006ce",
    }
