"""The boards: as built, whole, readable in two languages, and honest when nothing is known."""

import json
import re
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.boards import FOLDER, SHEETS, files, trimmed
from dashboards.boards.__main__ import main
from dashboards.boards.frame import Sheet
from dashboards.boards.panels import CENTIMETRES, COUNT, DURATION, GREY, MEGABYTES, RATIO, SECONDS
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
            assert all(target["expr"].endswith(" or vector(NaN)") for target in panel["targets"]), "or its box would vanish"
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
                assert "cellOptions" not in str(override), "a coloured cell must say its state in a word"


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
    assert {link["url"].partition("?")[0] for link in [*board["links"], *cells] if link.get("url")} <= uids
    assert all("placement" not in link for link in board["links"])
    assert board["links"][0]["tags"] == board["tags"]


def shape(node: Any) -> Any:
    """The board without its words."""
    said = {text for texts in (COMMON, ALERTS, *(sheet.texts for sheet in SHEETS)) for pair in texts.values() for text in pair}
    if isinstance(node, dict):
        return {("word" if key in said else key): shape(value) for key, value in node.items()}
    if isinstance(node, list):
        return [shape(value) for value in node]
    if isinstance(node, str) and (node in said or re.search(r"-(id|en)\b|:(id|en)$", node)):
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
    assert all(variable["refresh"] == 2 for variable in others), "on every change of the time range"
    assert board["editable"] is False
    assert board["timezone"] == "browser", "a board has one zone, the country three"
