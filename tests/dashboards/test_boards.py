"""The boards: as built, whole, readable in two languages, and honest when nothing is known."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.boards import FOLDER, SHEETS, files, trimmed
from dashboards.boards.__main__ import main
from dashboards.boards.alert_list import RUNBOOK, rules
from dashboards.boards.frame import Sheet
from dashboards.boards.panels import (
    ALL_WELL,
    CENTIMETRES,
    CODE,
    COUNT,
    DURATION,
    GREY,
    MEGABYTES,
    RATIO,
    SECONDS,
    Value,
    lines,
    rows,
)
from dashboards.boards.resource import resource
from dashboards.boards.text import ALERTS, COMMON
from tests.dashboards.names import RULES, exported, unknown

BUILT = {str(path.relative_to(FOLDER)): json.loads(text) for path, text in files()}
BOARDS = [pytest.param(board, id=name) for name, board in BUILT.items()]


def filled(expr: str) -> str:
    return expr.replace("$city", "32.71")


def test_the_committed_boards_are_what_the_code_builds() -> None:
    assert main(["--check"]) == 0


def test_uids_are_unique_and_short_enough_for_grafana() -> None:
    uids = [board["uid"] for board in BUILT.values()]
    assert len(set(uids)) == len(uids)
    assert all(len(uid) <= 40 for uid in uids)


@pytest.mark.parametrize("board", BOARDS)
def test_panels_have_their_own_numbers_and_places(board: dict[str, Any]) -> None:
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids) <= 12
    assert 0 not in ids
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken, panel["title"]
        assert all(x < 24 for x, _ in cells)
        assert all(y < 26 for _, y in cells), (
            "26 rows and the controls fill 1080 lines; nobody sees what is below on a television"
        )
        taken |= cells


@pytest.mark.parametrize("board", BOARDS)
def test_every_panel_says_what_it_is(board: dict[str, Any]) -> None:
    for panel in board["panels"]:
        assert panel["title"]
        assert panel["description"]
        assert panel["targets"]
        assert panel["fieldConfig"]["defaults"]["unit"] in {CENTIMETRES, COUNT, DURATION, MEGABYTES, RATIO, SECONDS}
        assert panel["datasource"]["uid"] == "${datasource}"


@pytest.mark.parametrize("board", BOARDS)
def test_queries_name_only_what_is_exported(board: dict[str, Any]) -> None:
    known = exported()
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert {expr: wrong for expr in asked if (wrong := unknown(filled(expr), known))} == {}


@pytest.mark.parametrize("board", BOARDS)
def test_a_board_says_how_fresh_it_is_and_is_grey_with_a_word_when_nothing_is_known(board: dict[str, Any]) -> None:
    queries = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert any(re.search(r"time\(\) - max\(psap_last_(event|call)_timestamp_seconds", expr) for expr in queries)
    for panel in board["panels"]:
        assert panel["fieldConfig"]["defaults"]["noValue"]
        if panel["type"] == "stat":
            alone, *states = [target["expr"] for target in panel["targets"]]
            always = all(expr.endswith(" or vector(NaN)") for expr in (alone, *states)) or " or vector(NaN)) unless " in alone
            assert always, "or its box would vanish"
            assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"][0] == {"color": GREY, "value": None}


@pytest.mark.parametrize("board", BOARDS)
def test_a_state_that_is_coloured_is_a_word_too(board: dict[str, Any]) -> None:
    for panel in board["panels"]:
        for override in panel["fieldConfig"]["overrides"]:
            for option in override["properties"]:
                if option["id"] == "mappings":
                    options = [mapping["options"] for mapping in option["value"]]
                    results = [[one["result"]] if "match" in one else one.values() for one in options]
                    assert all(result["text"] for some in results for result in some)
                    break
            else:
                assert "color-" not in str(override), "a coloured cell must say its state in a word"


@pytest.mark.parametrize("board", BOARDS)
def test_links_lead_to_boards_that_exist(board: dict[str, Any]) -> None:
    uids = {f"/d/{other['uid']}" for other in BUILT.values()}
    cells = [
        link
        for panel in board["panels"]
        for override in panel["fieldConfig"]["overrides"]
        for option in override["properties"]
        if option["id"] == "links"
        for link in option["value"]
    ]
    addresses = {link["url"].partition("?")[0] for link in [*board["links"], *cells] if link.get("url")}
    assert addresses - {RUNBOOK} <= uids  # the runbook's pages: tests/stack/test_wall.py
    assert all("placement" not in link for link in board["links"])
    assert board["links"][0]["tags"] == board["tags"]


TODO = {rule["annotations"][key] for rule in rules() for key in ("todo", "todo_id")}


def shape(node: Any) -> Any:
    """The board without its words."""
    said = {text for texts in (COMMON, ALERTS, *(sheet.texts for sheet in SHEETS)) for pair in texts.values() for text in pair}
    said |= TODO
    if isinstance(node, dict):
        return {("word" if key in said else key): shape(value) for key, value in node.items()}
    if isinstance(node, list):
        return [shape(value) for value in node]
    if isinstance(node, str) and (all(part in said for part in node.split(" · ")) or re.search(r"-(id|en)\b|:(id|en)$", node)):
        return "word"
    return node


@pytest.mark.parametrize("name", [sheet.name for sheet in SHEETS])
def test_both_languages_are_the_same_board(name: str) -> None:
    assert shape(BUILT[f"id/{name}.json"]) == shape(BUILT[f"en/{name}.json"])


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_every_text_of_a_board_is_in_both_languages_and_shown(sheet: Sheet) -> None:
    shown = json.dumps(BUILT[f"en/{sheet.name}.json"], ensure_ascii=False)
    for key, text in sheet.texts.items():
        assert text.id, key
        assert json.dumps(text.en, ensure_ascii=False)[1:-1] in shown, key


def test_every_alert_of_the_rules_has_a_name_that_people_know() -> None:
    rules = [rule for file in RULES for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]
    assert {rule["alert"] for rule in rules if "alert" in rule} == set(ALERTS)


def test_every_text_that_boards_share_is_shown() -> None:
    shown = json.dumps(list(BUILT.values()), ensure_ascii=False)
    assert [key for key, text in COMMON.items() if json.dumps(text.en, ensure_ascii=False)[1:-1] not in shown] == []


@pytest.mark.filterwarnings("ignore:Prefer using dashboardv2:DeprecationWarning")
@pytest.mark.parametrize("board", BOARDS)
def test_a_board_read_by_grafanas_own_types_comes_back_the_same(board: dict[str, Any]) -> None:
    """What these types do not know they drop: a key that nobody draws would be lost here."""
    from grafana_foundation_sdk.models.dashboard import Dashboard  # which warns when it is imported

    back = json.loads(JSONEncoder().encode(Dashboard.from_json(json.loads(json.dumps(board)))))
    assert trimmed(back) == board


class Newer(JSONEncoder):
    """The SDK's encoder, which cannot write what the SDK's reader of schema v2 makes of a constant: a set of it."""

    def default(self, o: Any) -> Any:
        return next(iter(o)) if isinstance(o, set) else super().default(o)


@pytest.mark.filterwarnings("ignore:Prefer using dashboardv2:DeprecationWarning")
@pytest.mark.parametrize("board", BOARDS)
def test_a_board_is_the_same_in_the_newer_schema_and_comes_back_from_it(board: dict[str, Any]) -> None:
    from grafana_foundation_sdk.models import dashboardv2beta1  # which warns when it is imported

    newer = resource(board)
    back = json.loads(Newer().encode(dashboardv2beta1.Dashboard.from_json(json.loads(json.dumps(newer["spec"])))))
    assert back == newer["spec"]
    for panel, item in zip(board["panels"], newer["spec"]["layout"]["spec"]["items"], strict=True):
        there = newer["spec"]["elements"][item["spec"]["element"]["name"]]["spec"]
        asked = [(query["spec"]["refId"], query["spec"]["query"]["spec"]["expr"]) for query in there["data"]["spec"]["queries"]]
        assert asked == [(target["refId"], target["expr"]) for target in panel["targets"]]
        assert there["vizConfig"]["spec"]["fieldConfig"]["overrides"] == panel["fieldConfig"]["overrides"]
        assert [item["spec"][name] for name in ("x", "y", "width", "height")] == [panel["gridPos"][name] for name in "xywh"]


def test_boards_of_the_newer_schema_are_written_where_they_are_wanted(tmp_path: Path) -> None:
    assert main(["--v2", str(tmp_path)]) == 0
    written = {str(path.relative_to(tmp_path)): json.loads(path.read_text()) for path in tmp_path.rglob("*.json")}
    assert {name: board["metadata"]["name"] for name, board in written.items()} == {
        name: board["uid"] for name, board in BUILT.items()
    }


@pytest.mark.parametrize("board", BOARDS)
def test_what_only_rises_is_shown_as_a_rise(board: dict[str, Any]) -> None:
    """A bare counter says how long somebody has been counting; only the difference of two moments, or what is new, says more."""
    for panel in board["panels"]:
        for target in panel["targets"]:
            for counter in re.finditer(r"\w+_total\b(\{[^}]*\})?(\[\w+\])?", target["expr"]):
                assert counter[2] or "offset 24h" in target["expr"], target["expr"]


@pytest.mark.parametrize("board", BOARDS)
def test_a_board_has_one_source_and_no_variable_that_goes_stale(board: dict[str, Any]) -> None:
    source, *others = board["templating"]["list"]
    assert (source["type"], source["query"], source["label"]) in {
        ("datasource", "prometheus", "Data source"),
        ("datasource", "prometheus", "Sumber data"),
    }
    wall, *asked = others
    assert (wall["type"], wall["name"], wall["hide"]) == ("constant", "wall", 2)
    assert all(variable["refresh"] == 2 for variable in asked), "on every change of the time range"
    assert board["editable"] is False
    assert board["timezone"] == "browser", "a board has one zone, the country three"


def kind(board: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The panels of a kind."""
    return [panel for panel in board["panels"] if panel["type"] == name]


def properties(panel: dict[str, Any], name: str) -> dict[str, Any]:
    """What a panel overrides for a column or a query of that name."""
    found = [one["properties"] for one in panel["fieldConfig"]["overrides"] if one["matcher"]["options"] == name]
    return {option["id"]: option["value"] for options in found for option in options}


def columns(panel: dict[str, Any]) -> tuple[list[str], list[str]]:
    """What the columns of a table are called: those of labels, and those of values."""
    (organize,) = (change["options"] for change in panel["transformations"] if change["id"] == "organize")
    shown = {name: organize["renameByName"][name] for name in organize["indexByName"] if name not in organize["excludeByName"]}
    values = [shown[name] for name in shown if name.startswith("Value")]
    return [name for name in shown.values() if name not in values], values


UNKNOWN = [text for key in ("blind", "no data") for text in COMMON[key]]
"""The only words for what is not known."""


def is_unknown(mappings: list[dict[str, Any]]) -> bool:
    """Whether they say so, in grey, of nothing and of what cannot be computed."""
    special = [mapping["options"] for mapping in mappings if mapping["type"] == "special"]
    return any(
        one["match"] == "null+nan" and one["result"]["text"] in UNKNOWN and one["result"]["color"] == GREY for one in special
    )


@pytest.mark.parametrize("board", BOARDS)
def test_a_code_is_text_and_no_number(board: dict[str, Any]) -> None:
    """With any other unit Grafana writes the centre 32.76 as 32.8, and its link opens another one."""
    for panel in kind(board, "table"):
        labels, _ = columns(panel)
        assert {name: properties(panel, name)["unit"] for name in labels} == dict.fromkeys(labels, CODE), panel["title"]
        for override in panel["fieldConfig"]["overrides"]:
            for link in properties(panel, override["matcher"]["options"]).get("links", ()):
                assert set(re.findall(r"__data\.fields\.([^}]+)}", link["url"])) <= set(labels), panel["title"]


@pytest.mark.parametrize("board", BOARDS)
def test_the_chosen_centre_stays_through_a_gap(board: dict[str, Any]) -> None:
    """Grafana asks anew at every refresh, and takes the first of a list in which the chosen one is not."""
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            assert re.search(r"last_over_time\(\w+\[1d\]\)", variable["query"]["query"])
            assert variable["definition"] == variable["query"]["query"]


def test_the_board_of_a_centre_is_opened_in_the_centres_own_time() -> None:
    """A board has one time zone for all its centres, and only its address can say another."""
    for language in ("id", "en"):
        tables = kind(BUILT[f"{language}/psap-national.json"], "table")
        links = [
            (panel, link["url"])
            for panel in tables
            for name in columns(panel)[0]
            for link in properties(panel, name).get("links", ())
            if link["url"].startswith("/d/psap-calls-")
        ]
        assert links
        for panel, url in links:
            (organize,) = (change["options"] for change in panel["transformations"] if change["id"] == "organize")
            zone = organize["renameByName"]["tz"]
            assert f"&timezone=${{__data.fields.{zone}}}" in url
            mapped = [one for one in properties(panel, zone)["mappings"] if one["type"] == "value"]
            assert mapped == [], "a link has what its cell says, and no browser knows the zone WIB"


@pytest.mark.parametrize("board", BOARDS)
def test_nothing_is_said_to_be_well_without_knowing(board: dict[str, Any]) -> None:
    for panel in board["panels"]:
        config = panel["fieldConfig"]
        assert config["defaults"]["noValue"] in UNKNOWN, panel["title"]
        assert is_unknown(config["defaults"]["mappings"]), panel["title"]
        for override in config["overrides"]:
            found = properties(panel, override["matcher"]["options"])
            assert "noValue" not in found, panel["title"]
            assert "mappings" not in found or is_unknown(found["mappings"]), panel["title"]
        if panel["type"] != "timeseries":
            assert config["defaults"]["thresholds"]["steps"][0] == {"color": GREY, "value": None}, (
                "the colour of a cell without value"
            )
        else:
            assert panel["options"]["legend"]["calcs"] == ["last"], "not the last that was ever known"
            for target in panel["targets"]:
                assert "{{" in target["legendFormat"] or target["expr"].endswith(" or vector(NaN)"), target["expr"]


@pytest.mark.parametrize("board", BOARDS)
def test_a_table_of_several_queries_is_joined_on_the_one_key_that_all_of_them_have(board: dict[str, Any]) -> None:
    """Grafana's merge leaves empty columns where there should be its word for nothing known."""
    for panel in kind(board, "table"):
        changes = {change["id"]: change["options"] for change in panel["transformations"]}
        assert "merge" not in changes
        if len(panel["targets"]) > 1:
            assert changes["joinByField"]["mode"] == "outer"
            assert changes["joinByField"]["byField"] in {"row", *changes["organize"]["indexByName"]}
            others = [target["expr"] for target in panel["targets"][1:]]
            assert all("NaN * " in expr for expr in others), "a value that one row lacks would have no column if all lack it"


def test_good_news_is_a_row_that_a_query_returned() -> None:
    panel = rows([Value("n", "tickets")], COUNT, "BLIND", {"opd": "OPD"}, most=3, clear=("known", "All answered")).build()
    (target,) = (json.loads(JSONEncoder().encode(panel))["targets"],)
    assert target[0]["expr"].endswith(' or on () label_replace(-1000000000 * group(known), "opd", "*", "", "")')
    said = properties(json.loads(JSONEncoder().encode(panel)), "OPD")["mappings"]
    assert said[0]["options"][ALL_WELL]["text"] == "All answered"


@pytest.mark.parametrize("board", BOARDS)
def test_marks_of_the_organisation_are_seen(board: dict[str, Any]) -> None:
    """A board without such a query asks for its own marks only."""
    (marks,) = board["annotations"]["list"]
    assert marks["datasource"] == {"type": "grafana", "uid": "-- Grafana --"}
    assert marks["enable"] is True
    assert marks["target"] == {"type": "tags", "tags": ["112"], "matchAny": False, "limit": 100}
    assert "placement" not in marks


WIDTH, ROW, GAP, CONTROLS = 1920 - 16, 38, 8, 1080 - 26 * 38
"""Of Grafana's grid on a television, in pixels; a row with the gap below it."""
LONGEST = {DURATION: "00:00:00", RATIO: "99.9%", COUNT: "999", SECONDS: "99.9 s", CENTIMETRES: "999 cm", MEGABYTES: "999 MB"}


def inside(panel: dict[str, Any]) -> tuple[float, float]:
    """Width and height in pixels of what a panel has for its contents."""
    place = panel["gridPos"]
    return WIDTH * place["w"] / 24 - GAP - 16, ROW * place["h"] - GAP - 48


def size(panel: dict[str, Any]) -> float:
    """The size in pixels of the numbers of a stat panel, about as Grafana has it (BigValueLayout): the longest sets it."""
    width, height = inside(panel)
    is_stacked = panel["options"]["orientation"] == "horizontal"
    judged = panel["targets"][0]["expr"].find(" or vector(NaN)) unless ") >= 0
    boxes = 1 if judged else len(panel["targets"])
    width, height = (width, height / boxes) if is_stacked else (width / boxes, height)
    texts = []
    for target in panel["targets"]:
        own = properties(panel, target["refId"])
        words = [word["text"] for one in own.get("mappings", ()) if one["type"] == "value" for word in one["options"].values()]
        texts += words or [LONGEST[own.get("unit", panel["fieldConfig"]["defaults"]["unit"])]]
    return min((height * 0.82 - 24) / 1.2, (width - 24) / (0.55 * max(map(len, texts))))


@pytest.mark.parametrize("board", BOARDS)
def test_the_numbers_that_matter_are_the_largest_and_every_number_can_be_read(board: dict[str, Any]) -> None:
    """What matters stands first. Beside its name a number would be a third as large."""
    sizes = {
        panel["title"]: size(panel)
        for panel in sorted(kind(board, "stat"), key=lambda one: (one["gridPos"]["y"], one["gridPos"]["x"]))
    }
    first, *others = sizes.values()
    assert first >= max(others), sizes
    assert first >= 60, sizes
    assert min(others) >= 16, sizes
    assert all(panel["options"]["wideLayout"] is False for panel in kind(board, "stat"))


@pytest.mark.parametrize("board", BOARDS)
def test_no_table_scrolls_and_what_it_does_not_show_is_counted(board: dict[str, Any]) -> None:
    for panel in kind(board, "table"):
        width, height = inside(panel)
        expr = panel["targets"][0]["expr"]
        most = int(re.findall(r"(?:top|bottom)k\((\d+), ", expr)[0])
        assert 36 * (1 + most + 1) <= height, f"{panel['title']}: {most} rows, a heading and the row that counts the rest"
        assert re.search(rf'- {most} > 0\), "\w+", "\+ \$1"', expr), panel["title"]
        custom = panel["fieldConfig"]["defaults"]["custom"]
        labels, values = columns(panel)
        asked = sum(properties(panel, name).get("custom.minWidth", custom["minWidth"]) for name in (*labels, *values))
        assert asked <= width, f"{panel['title']}: {asked} pixels of columns"
        # A place that Grafana does not have to guess, whatever the answers' order.
        assert [change["id"] for change in panel["transformations"]][-2:] == ["sortBy", "organize"]


@pytest.mark.parametrize("board", BOARDS)
def test_the_axis_of_a_share_ends_at_the_whole(board: dict[str, Any]) -> None:
    for panel in kind(board, "timeseries"):
        defaults = panel["fieldConfig"]["defaults"]
        assert (defaults["unit"] == RATIO) == (defaults.get("max") == 1), panel["title"]


@pytest.mark.parametrize("board", BOARDS)
def test_lines_differ_by_more_than_their_colour(board: dict[str, Any]) -> None:
    for panel in kind(board, "timeseries"):
        styles = [
            (own["custom.lineWidth"], own["custom.lineStyle"]["fill"], tuple(own["custom.lineStyle"]["dash"]), "color" in own)
            for own in (properties(panel, target["refId"]) for target in panel["targets"])
        ]
        own = [style for style in styles if not style[-1]]
        assert len(set(own)) == len(own), panel["title"]
        assert not {style[:3] for style in styles if style[-1]} & {style[:3] for style in own}, panel["title"]


def test_more_lines_than_can_be_told_apart_are_refused() -> None:
    with pytest.raises(StopIteration):
        lines([Value(str(number), "up") for number in range(9)], COUNT, "BLIND")


@pytest.mark.parametrize("board", BOARDS)
def test_lag_is_said_in_whole_seconds(board: dict[str, Any]) -> None:
    for panel in board["panels"]:
        for target in panel["targets"]:
            if "_lag_seconds" in target["expr"]:
                own = panel["fieldConfig"]["defaults"] | properties(panel, target["refId"])
                assert own["unit"] == DURATION or own["decimals"] == 0, panel["title"]
