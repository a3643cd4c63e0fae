"""Panels as this project draws them: grey where nothing is known, a word beside every colour."""

from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any, NamedTuple

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    DataSourceRef,
    LegendDisplayMode,
    LegendPlacement,
    VizOrientation,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
COUNT, RATIO, SECONDS, DURATION = "none", "percentunit", "suffix: s", "dthms"
NO_LABEL = "–"
CENTIMETRES, MEGABYTES = "suffix: cm", "suffix: MB"
GREY, GHOST, RED, ORANGE, GREEN = "#4a4d55", "#9a9da5", "dark-red", "dark-orange", "dark-green"
PURPLE = "dark-purple"


Panel = stat.Panel | timeseries.Panel | table.Panel


class Place(NamedTuple):
    """Where a panel is in Grafana's grid of 24 columns."""

    x: int
    y: int
    w: int
    h: int

    @property
    def grid(self) -> models.GridPos:
        """The same for the SDK."""
        return models.GridPos(x=self.x, y=self.y, w=self.w, h=self.h)


class Value(NamedTuple):
    """One value of a panel: what it is called, its query, and its unit where it is not the panel's own.

    `words` are a text and a colour for 0, 1 and so on, of a value that is one of them; `steps` are its own colours.
    """

    name: str
    expr: str
    unit: str | None = None
    words: tuple[tuple[str, str], ...] | None = None
    steps: Mapping[float, str] | None = None


def stats(
    values: list[Value], unit: str, nothing: str, steps: Mapping[float, str] | None = None, is_stacked: bool = False
) -> stat.Panel:
    """Big numbers abreast or stacked. `steps` are colours from a value on; `nothing` stands in the place of an unknown number."""
    unknown = _unknown(nothing)
    panel = (
        stat.Panel()
        .unit(unit)
        .no_value(nothing)
        .thresholds(thresholds(steps or {}))
        .color_mode(BigValueColorMode.BACKGROUND)
        .graph_mode(BigValueGraphMode.NONE)
        .text_mode(BigValueTextMode.VALUE_AND_NAME)
        .orientation(VizOrientation.HORIZONTAL if is_stacked else VizOrientation.VERTICAL)
        .mappings([unknown])
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields(""))
        .targets(
            [
                # Without a number a query has no answer, and Grafana draws no box for it: what was there would vanish unseen.
                query(ref, f"{value.expr} or vector(NaN)").instant().legend_format(value.name)
                for ref, value in zip(ascii_uppercase, values, strict=False)
            ]
        )
    )
    for ref, value in zip(ascii_uppercase, values, strict=False):
        properties = []
        if value.unit is not None:
            properties.append(option("unit", value.unit))
        if value.unit is not None or value.steps is not None:
            properties.append(option("thresholds", thresholds(value.steps or {}).build()))
        if value.words is not None:
            properties.append(option("mappings", [_words(value.words), unknown]))
        if properties:
            panel.override_by_query(ref, properties)
    return panel


def lines(
    values: list[Value], unit: str, nothing: str, limits: Sequence[str] = (), ghosts: Sequence[str] = ()
) -> timeseries.Panel:
    """Lines over time, gaps where nothing is known. Those named in `limits` are dashed and red, in `ghosts` dotted and grey."""
    panel = (
        timeseries.Panel()
        .unit(unit)
        .no_value(nothing)
        .min(0)
        .line_width(3)
        .span_nulls(False)
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs(["lastNotNull"])
        )
        .targets(
            [
                query(ref, value.expr).range().legend_format(value.name)
                for ref, value in zip(ascii_uppercase, values, strict=False)
            ]
        )
    )
    for names, fill, dash, colour in ((limits, "dash", [10, 10], RED), (ghosts, "dot", [0, 10], GHOST)):
        style, fixed = {"fill": fill, "dash": dash}, {"mode": "fixed", "fixedColor": colour}
        for name in names:
            panel.override_by_name(name, [option("custom.lineStyle", style), option("color", fixed)])
    return panel


def rows(
    values: list[Value],
    unit: str,
    nothing: str,
    columns: dict[str, str],
    hidden: Sequence[str] = ("Time",),
    links: Mapping[str, str] | None = None,
    codes: Mapping[str, Mapping[str, str]] | None = None,
    seen: tuple[str, str] | None = None,
) -> table.Panel:
    """A table whose rows are label sets and whose last columns are the values; `columns` names the labels, in order, `links` has
    the address that a column's cells lead to, `codes` the words for a label's values.

    Where it is good that there are no rows, `seen` has a query that has an answer as long as anything is known, and the word that
    stands in a row of its own when it has none.
    """
    blind = f" or (vector(NaN) unless on () {seen[0]})" if seen else ""
    named = columns | {f"Value #{ref}": value.name for ref, value in zip(ascii_uppercase, values, strict=False)}
    if len(values) == 1:
        named["Value"] = values[0].name  # which is what Grafana calls the value of an only query
    panel = (
        table.Panel()
        .unit(unit)
        .no_value(nothing)
        .targets(
            [
                query(ref, f"{value.expr}{blind}").instant().format(PromQueryFormat.TABLE)
                for ref, value in zip(ascii_uppercase, values, strict=False)
            ]
        )
        .with_transformation(models.DataTransformerConfig(id_val="merge", options={}))
        .with_transformation(
            models.DataTransformerConfig(
                id_val="organize",
                options={
                    "excludeByName": dict.fromkeys(hidden, True),
                    "indexByName": {name: position for position, name in enumerate(named)},
                    "renameByName": named,
                },
            )
        )
    )
    for value in values:
        properties = [option("unit", value.unit)] if value.unit is not None else []
        if value.words is not None:
            properties += [option("mappings", [_words(value.words)]), option("custom.cellOptions", {"type": "color-background"})]
        elif seen:
            properties.append(option("mappings", [_unknown(seen[1])]))
        if properties:
            panel.override_by_name(value.name, properties)
    for label, name in columns.items():
        said = (codes or {}).get(label, {})
        texts = models.ValueMap(options={code: models.ValueMappingResult(text=text) for code, text in said.items()})
        panel.override_by_name(name, [option("noValue", NO_LABEL), *([option("mappings", [texts])] if said else [])])
    for name, url in (links or {}).items():
        panel.override_by_name(name, [option("links", [{"title": name, "url": url}])])
    return panel


def _words(words: tuple[tuple[str, str], ...]) -> models.ValueMap:
    return models.ValueMap(
        options={str(n): models.ValueMappingResult(text=text, color=color) for n, (text, color) in enumerate(words)}
    )


def _unknown(word: str) -> models.SpecialValueMap:
    result = models.ValueMappingResult(text=word, color=GREY)
    return models.SpecialValueMap(models.DashboardSpecialValueMapOptions(models.SpecialValueMatch.NULL_AND_NAN, result))


def query(ref: str, expr: str) -> prometheus.Dataquery:
    """One query of a panel."""
    return prometheus.Dataquery().ref_id(ref).expr(expr).datasource(SOURCE)


def thresholds(steps: Mapping[float, str]) -> dashboard.ThresholdsConfig:
    """Colours from a value on; grey below and where nothing is known."""
    coloured = [models.Threshold(value, color) for value, color in steps.items()]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps([models.Threshold(None, GREY), *coloured])


def option(name: str, value: Any) -> models.DynamicConfigValue:
    """One property of an override."""
    return models.DynamicConfigValue(id_val=name, value=value)
