"""What `up` shows in the terminal: the boards' own figures, each with its window."""

import io
import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from dashboards.boards import files
from streams.stack import status
from streams.stack.status import GROUPS, Figure, Numbers, figures, picture, print_line
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


def shown(numbers: Numbers) -> str:
    console = Console(file=io.StringIO(), width=300, force_terminal=False)
    with console.capture() as said:
        console.print(picture([], numbers, [], datetime(2026, 11, 24, tzinfo=UTC), "wall", "addresses"))
        print_line(console, numbers)
    return said.get()


def test_groups_and_windows_are_all_that_the_file_has() -> None:
    assert set(SAID) == {"windows", *GROUPS}


@pytest.mark.parametrize(("group", "name"), [(group, name) for group in GROUPS for name in SAID[group]])
def test_what_the_terminal_asks_a_board_asks_of_its_centre(group: str, name: str) -> None:
    query = SAID[group][name]["query"]
    assert query.replace("$where", 'city!=""') in {figure.query for figure in figures(group)}
    assert [expr for expr in ASKED if query.replace("$where", 'city="$city"') in expr], "no board shows it"


def test_the_terminal_has_no_questions_of_its_own() -> None:
    assert "psap_" not in Path(status.__file__).read_text()


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
    values = {figure.query: 0.0 for figure in figures("calls")}
    by_name = {figure.name[1]: figure.query for figure in figures("calls")}
    values |= {by_name["abandoned"]: 3, by_name["short abandoned"]: 5, by_name["≤ 15 s"]: 0.875}
    text = shown(Numbers({"32.71": values}, [], reached=True))
    assert "batal/abandoned (hari ini / today) 3" in text
    assert "segera ditutup/short abandoned (hari ini / today) 5" in text
    assert "≤ 15 s/≤ 15 s (60 menit / 60 min) 88%" in text
    assert "–" in text
