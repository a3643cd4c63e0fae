"""Grafana boards as code: every board in every language, as the JSON files that Grafana is given."""

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.boards.text import LANGUAGES

with warnings.catch_warnings():
    # The SDK would rather have the newer schema; the classic one is what Grafana 11, 12 and 13 all read.
    warnings.filterwarnings("ignore", "Prefer using dashboardv2", DeprecationWarning)
    from dashboards.boards import alerts, calls, dispatch, national, network, operators, pipeline, service_level
    from dashboards.boards.frame import build

FOLDER = Path(__file__).parents[1] / "grafana" / "boards"
SHEETS = tuple(board.SHEET for board in (national, calls, operators, service_level, dispatch, network, pipeline, alerts))
"""All boards, in the order in which they are offered."""


def files() -> Iterator[tuple[Path, str]]:
    """The path and the text of every board's file."""
    for sheet in SHEETS:
        for language in LANGUAGES:
            built = trimmed(json.loads(JSONEncoder().encode(build(sheet, language))))
            yield FOLDER / language / f"{sheet.name}.json", json.dumps(built, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def trimmed(built: dict[str, Any]) -> dict[str, Any]:
    """A board as the SDK writes it, without what it adds against Grafana's own schema (@grafana/schema 13.2.3)."""
    for link in built["links"]:
        del link["placement"]  # would hide every link in a menu
    for annotation in built["annotations"]["list"]:
        del annotation["placement"]
    for panel in built["panels"]:
        panel["options"].pop("footer", None)
    for variable in built["templating"]["list"]:
        for name in ("auto", "auto_count", "auto_min"):
            del variable[name]
    return built
