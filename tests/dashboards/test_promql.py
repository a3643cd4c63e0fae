"""How the boards' queries are written: so that whoever reads the code reads what Prometheus is asked."""

import ast
import json
from pathlib import Path

import promql_parser
import pytest

from dashboards.boards import FOLDER, SHEETS, files
from dashboards.boards.promql import Matcher, firing, of_city, select, with_label
from tests.dashboards.names import exported, nodes

SOURCES = sorted((Path(__file__).parents[2] / "dashboards").rglob("*.py"))
CENTRES = {sheet.name for sheet in SHEETS if sheet.is_of_centre}
ASKED = {path.stem: json.loads(text)["panels"] for path, text in files() if path.parent == FOLDER / "id" and path.stem in CENTRES}


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        (select("up", job="pantau112"), 'up{job="pantau112"}'),
        (of_city("psap_link_up"), 'psap_link_up{city="$city"}'),
        (of_city("psap_operators", state="talking"), 'psap_operators{city="$city",state="talking"}'),
        (of_city("psap_x", window=Matcher("=~", "60m|today"), le="15.0"), 'psap_x{city="$city",window=~"60m|today",le="15.0"}'),
        (firing(severity="page"), 'ALERTS{alertstate="firing",alertname!="Watchdog",severity="page"}'),
        (with_label("max(up)", "of", "all"), 'label_replace(max(up), "of", "all", "", "")'),
    ],
)
def test_a_selector_is_filled_in_as_prometheus_writes_it(written: str, asked: str) -> None:
    assert written == asked
    promql_parser.parse(written)


def puzzles(source: str) -> list[int]:
    """The lines of a source in which a text is made as a stranger stumbles over: braces written twice, a template, a slice."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.JoinedStr(values=parts):
                braces = any(isinstance(part, ast.Constant) and set(str(part.value)) & set("{}") for part in parts)
                if braces or any(isinstance(inner, ast.Slice) for inner in ast.walk(node)):
                    found.append(node.lineno)
            case ast.Constant(value=str(text)) if "%s" in text or "{}" in text:
                found.append(node.lineno)
            case ast.Attribute(attr="removeprefix" | "removesuffix"):
                found.append(node.lineno)
    return found


@pytest.mark.parametrize(
    "line",
    [
        """f'max(psap_x{{{CITY},state="{state}"}})'""",
        """f'psap_{{}}{{{{{CITY}}}}}'.format("x")""",
        """'psap_x{outcome="%s"}' % outcome""",
        """'psap_{}_total'.format(name)""",
        """f"{level[:-1]} offset 1w)\"""",
        """asked.removeprefix(whole)""",
    ],
)
def test_a_puzzle_is_known_when_seen(line: str) -> None:
    assert puzzles(line)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_queries_are_plain_strings_or_made_by_name(path: Path) -> None:
    assert puzzles(path.read_text()) == []


@pytest.mark.parametrize("name", sorted(CENTRES))
def test_a_centres_board_asks_of_no_other_centre(name: str) -> None:
    """But of what the monitor has no city for; and alerts of the monitor itself are everybody's."""
    known, astray = exported(), []
    for expr in [target["expr"] for panel in ASKED[name] for target in panel["targets"]]:
        for node in nodes(promql_parser.parse(expr)):
            if isinstance(node, promql_parser.VectorSelector) and "city" in known[str(node.name)]:
                said = [matcher.value for matcher in node.matchers.matchers if matcher.name == "city"]
                is_watchdog = any(
                    matcher.value == "Watchdog" for matcher in node.matchers.matchers if str(matcher.op) == "MatchOp.Equal"
                )
                is_joined = str(node.name).startswith("psap_alarm_")  # to the centre's own alerts, on the city among others
                if said not in (["$city"], ["$city|"]) and not is_watchdog and not is_joined:
                    astray.append(expr)
    assert astray == []
