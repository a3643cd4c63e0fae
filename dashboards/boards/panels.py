"""Panels as this project draws them: grey where nothing is known, a word beside every colour."""

from collections.abc import Iterator, Mapping, Sequence
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

from dashboards.boards.promql import beyond, joined, with_label

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
COUNT, RATIO, SECONDS, DURATION = "none", "percentunit", "suffix:s", "dthms"
CENTIMETRES, MEGABYTES = "suffix:cm", "suffix:MB"
CODE = "string"
"""The unit of what only looks like a number: with any other Grafana writes the code 32.76 as 32.8."""
NO_LABEL = "–"
GREY, GHOST, RED, ORANGE, GREEN = "#4a4d55", "#9a9da5", "dark-red", "dark-orange", "dark-green"
PURPLE = "dark-purple"
STYLES: tuple[tuple[int, tuple[int, ...]], ...] = tuple(
    (width, dash) for width in (4, 2) for dash in ((), (30, 10), (30, 8, 6, 8), (6, 8))
)
"""Width and dashes of a panel's lines in their order, so that nobody needs their colours to tell them apart."""
ALL_WELL = "*"
"""Stands as first label of the row that a list has in place of rows when it is good that there are none."""
NO_ROW = 1e9
"""Stands, below zero or above, as value of a row that is none: below every real one, however the rows are sorted."""

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

    `words` are a text and a colour for 0, 1 and so on, of a value that is one of them; `steps` are its own colours; `decimals`
    is for a value whose fractions say nothing.
    """

    name: str
    expr: str
    unit: str | None = None
    words: tuple[tuple[str, str], ...] | None = None
    steps: Mapping[float, str] | None = None
    decimals: int | None = None


def stats(
    values: list[Value], unit: str, nothing: str, steps: Mapping[float, str] | None = None, is_stacked: bool = False
) -> stat.Panel:
    """Big numbers abreast or stacked. `steps` are colours from a value on; `nothing` stands in the place of an unknown number."""
    not_known = unknown(nothing)
    panel = (
        stat.Panel()
        .unit(unit)
        .no_value(nothing)
        .thresholds(thresholds(steps or {}))
        .color_mode(BigValueColorMode.BACKGROUND)
        .graph_mode(BigValueGraphMode.NONE)
        .text_mode(BigValueTextMode.VALUE_AND_NAME)
        .orientation(VizOrientation.HORIZONTAL if is_stacked else VizOrientation.VERTICAL)
        .wide_layout(False)  # which would put the number beside its name, at a third of the size
        .mappings([not_known])
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
        properties = _own(value)
        if value.unit is not None or value.steps is not None:
            properties.append(option("thresholds", thresholds(value.steps or {}).build()))
        if value.words is not None:
            properties.append(option("mappings", [_words(value.words), not_known]))
        if properties:
            panel.override_by_query(ref, properties)
    return panel


def judged(value: Value, is_over: str, words: tuple[tuple[str, str], tuple[str, str]], unit: str, nothing: str) -> stat.Panel:
    """One number that may lie over a limit, as large as its panel: whether it does its name says in a word, its box in a colour.

    `is_over` is the query for 0 or 1 and `words` has both; where it has no answer the box is grey.
    """
    panel = stats([], unit, nothing).with_target(
        query("A", f"({value.expr} or vector(NaN)) unless {is_over}").instant().legend_format(value.name)
    )
    for ref, answer, (word, colour) in zip("BC", (0, 1), words, strict=True):
        panel.with_target(query(ref, f"{value.expr} and {is_over} == {answer}").instant().legend_format(f"{value.name} · {word}"))
        panel.override_by_query(ref, [option("color", {"mode": "fixed", "fixedColor": colour})])
    return panel


def lines(
    values: list[Value],
    unit: str,
    nothing: str,
    limits: Sequence[str] = (),
    ghosts: Sequence[str] = (),
    top: float | None = None,
) -> timeseries.Panel:
    """Lines over time, gaps where nothing is known. Those named in `limits` are dashed and red, in `ghosts` dotted and grey.

    `top` is the least that the axis reaches, where its whole length would flatten the lines: of a ratio it ends at 1.
    """
    panel = (
        timeseries.Panel()
        .unit(unit)
        .no_value(nothing)
        .min(0)
        .span_nulls(False)
        .mappings([unknown(nothing)])
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs(["last"])  # not the last that was ever known
        )
        .targets(
            [
                # Where nothing is known a line goes on without a value, so that the legend does not keep an old one.
                query(ref, value.expr if "{{" in value.name else f"{value.expr} or vector(NaN)").range().legend_format(value.name)
                for ref, value in zip(ascii_uppercase, values, strict=False)
            ]
        )
    )
    if unit == RATIO:
        panel.max(1)
    if top is not None:
        panel.axis_soft_max(top)
    styles = iter(STYLES)
    for ref, value in zip(ascii_uppercase, values, strict=False):
        colour = RED if value.name in limits else GHOST if value.name in ghosts else None
        width, dash = next(styles) if colour is None else (3, (10, 10) if colour == RED else (0, 10))
        fill = "dot" if colour == GHOST else "dash" if dash else "solid"
        properties = [*_own(value), option("custom.lineWidth", width)]
        properties.append(option("custom.lineStyle", {"fill": fill, "dash": list(dash)}))
        if colour is not None:
            properties.append(option("color", {"mode": "fixed", "fixedColor": colour}))
        panel.override_by_query(ref, properties)
    return panel


def rows(
    values: list[Value],
    unit: str,
    nothing: str,
    columns: Mapping[str, str],
    *,
    most: int,
    least_first: bool = False,
    hidden: Sequence[str] = (),
    links: Mapping[str, str] | None = None,
    codes: Mapping[str, Mapping[str, str]] | None = None,
    clear: tuple[str, str] | None = None,
) -> table.Panel:
    """A table whose rows are label sets and whose last columns are the values; `columns` names the labels, in order, `links` has
    the address that a column's cells lead to, `codes` the words for a label's values, `hidden` what is not shown of the answer.

    The first value says which rows there are and in what order: the `most` largest (or least), and one row that counts the
    others, so that nothing scrolls out of sight. What a row lacks of another value is `nothing`, as the table without an answer.
    Where it is good that there are no rows, `clear` has a query that has an answer as long as anything is known, and the words of
    the one row that then stands there.
    """
    labels = list(columns)
    key = labels[0] if len(labels) == 1 else "row"
    asked = list(_one_row_each(values, labels, key, most, least_first, clear[0] if clear else None))
    first, *others = columns_of(len(values))
    named = {**columns, **{column: value.name for column, value in zip((first, *others), values, strict=True)}}
    said = {label: dict(words) for label, words in (codes or {}).items()}
    if clear:
        said[labels[0]] = said.get(labels[0], {}) | {ALL_WELL: clear[1]}
    panel = cells(values, asked, named, unit, nothing, key=key, order=(first, not least_first), hidden=hidden, codes=said)
    for name, url in (links or {}).items():
        panel.override_by_name(name, [option("links", [{"title": name, "url": url}])])
    return panel


def columns_of(queries: int) -> list[str]:
    """What Grafana calls the columns with the values of so many queries."""
    return ["Value"] if queries == 1 else [f"Value #{ref}" for ref in ascii_uppercase[:queries]]


def cells(
    values: list[Value],
    asked: Sequence[str],
    named: Mapping[str, str],
    unit: str,
    nothing: str,
    *,
    key: str,
    order: tuple[str, bool],
    hidden: Sequence[str] = (),
    codes: Mapping[str, Mapping[str, str]],
) -> table.Panel:
    """A table of the answers to the queries `asked`, one of each value, joined on the label `key`.

    `named` has the columns in order, labels and values, and what they are called; `order` by which column of the answer, and
    whether the largest comes first.
    """
    refs = ascii_uppercase[: len(asked)]
    excluded = {"Time", *(f"Time {number}" for number in range(1, len(asked) + 1)), "row", *hidden}
    panel = (
        table.Panel()
        .unit(unit)
        .no_value(nothing)
        .thresholds(thresholds({}))
        .min_width(60)  # and not Grafana's 150 pixels, beyond which columns leave the panel
        .mappings([no_row(), unknown(nothing)])
        .targets([query(ref, expr).instant().format(PromQueryFormat.TABLE) for ref, expr in zip(refs, asked, strict=True)])
    )
    if len(asked) > 1:
        panel.with_transformation(_changed("joinByField", byField=key, mode="outer"))
    panel.with_transformation(_changed("sortBy", fields={}, sort=[{"field": order[0], "desc": order[1]}]))
    panel.with_transformation(
        _changed(
            "organize",
            excludeByName=dict.fromkeys(sorted(excluded), True),
            indexByName={name: position for position, name in enumerate(named)},
            renameByName=named,
        )
    )
    for value in values:
        properties = _own(value)
        if value.words is not None:
            properties.append(option("mappings", [_words(value.words), no_row(), unknown(nothing)]))
            properties.append(option("custom.cellOptions", {"type": "color-background"}))
        if properties:
            panel.override_by_name(value.name, properties)
    for label, name in named.items():
        if label in columns_of(len(asked)):
            continue
        said = codes.get(label, {})
        texts = models.ValueMap(options={code: models.ValueMappingResult(text=text) for code, text in said.items()})
        mappings = [*([texts] if said else []), _special(models.SpecialValueMatch.EMPTY, NO_LABEL), unknown(nothing)]
        panel.override_by_name(name, [option("unit", CODE), option("mappings", mappings), option("custom.minWidth", 100)])
    return panel


def filled(words: Mapping[str, tuple[str, str]], nothing: str) -> list[models.DynamicConfigValue]:
    """What a column of codes has, of which each is a word on a colour; `nothing` stands for what is not known."""
    said = {code: models.ValueMappingResult(text=text, color=color) for code, (text, color) in words.items()}
    none = _special(models.SpecialValueMatch.EMPTY, NO_LABEL)
    return [
        option("mappings", [models.ValueMap(options=said), none, unknown(nothing)]),
        option("custom.cellOptions", {"type": "color-background"}),
    ]


def _one_row_each(
    values: list[Value], labels: list[str], key: str, most: int, least_first: bool, known: str | None
) -> Iterator[str]:
    """The queries of a table, of which each has an answer for each row; `key` is the label that tells the rows apart."""
    listed = f"{'bottomk' if least_first else 'topk'}({most}, {values[0].expr})"
    no_row = f"{NO_ROW if least_first else -NO_ROW:.0f}"
    others = f" or {no_row} * {beyond(values[0].expr, most, labels[0])}"
    if known is not None:
        others += f" or on () {with_label(f'{no_row} * group({known})', labels[0], ALL_WELL)}"
    for place, value in enumerate(values):
        found = f"({value.expr}) and {listed} or NaN * {listed}" if place else listed
        if len(values) == 1 or len(labels) == 1:
            yield found + others
        else:
            rows_of_it = joined(found + others, key, labels)
            yield f"max by ({key}) ({rows_of_it})" if place else rows_of_it  # the labels stand in the first


def _own(value: Value) -> list[models.DynamicConfigValue]:
    """What a value has of its own in any kind of panel."""
    found = {"unit": value.unit, "decimals": value.decimals}
    return [option(name, said) for name, said in found.items() if said is not None]


def _changed(name: str, **options: Any) -> models.DataTransformerConfig:
    return models.DataTransformerConfig(id_val=name, options=options)


def no_row() -> models.ValueMap:
    """What stands for the value of a row that has none."""
    said = models.ValueMappingResult(text=NO_LABEL, color=GREY)
    return models.ValueMap(options={f"{-NO_ROW:.0f}": said, f"{NO_ROW:.0f}": said})


def _words(words: tuple[tuple[str, str], ...]) -> models.ValueMap:
    return models.ValueMap(
        options={str(n): models.ValueMappingResult(text=text, color=color) for n, (text, color) in enumerate(words)}
    )


def unknown(word: str) -> models.SpecialValueMap:
    """The word in place of what is not known."""
    return _special(models.SpecialValueMatch.NULL_AND_NAN, word)


def _special(match: models.SpecialValueMatch, word: str) -> models.SpecialValueMap:
    result = models.ValueMappingResult(text=word, color=GREY)
    return models.SpecialValueMap(models.DashboardSpecialValueMapOptions(match, result))


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
