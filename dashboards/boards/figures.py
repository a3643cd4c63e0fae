"""What the boards ask as the terminal does: the questions of `dashboards/figures.toml`, by group and name (`calls.waiting`)."""

import tomllib
from pathlib import Path

_FIGURES = tomllib.loads((Path(__file__).parents[1] / "figures.toml").read_text())


def of_centre(figure: str) -> str:
    """The query for the one number of the centre that the board shows."""
    asked = _query(figure, 'city="$city"')
    return f"max({asked})"


def of_all(figure: str) -> str:
    """The query for a number of every centre, by city."""
    return _query(figure, 'city!=""')


def _query(figure: str, where: str) -> str:
    group, name = figure.split(".")
    return str(_FIGURES[group][name]["query"]).replace("$where", where)
