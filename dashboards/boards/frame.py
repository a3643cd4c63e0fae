"""What all boards have around their panels: variables, links, language, time."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from grafana_foundation_sdk.builders import dashboard, stat, table
from grafana_foundation_sdk.models import dashboard as models

from dashboards.boards.panels import COUNT, DURATION, GREEN, ORANGE, RED, SOURCE, Panel, Place, Value, rows, stats
from dashboards.boards.promql import Matcher, firing, of_city
from dashboards.boards.text import ALERTS, LANGUAGES, Language, Say, Text, speaker

LEVELS = {"15": {0: RED, 0.8: ORANGE, 0.9: GREEN}, "20": {0: RED, 0.85: ORANGE, 0.95: GREEN}}
"""Colours of the share answered within so many seconds: green from NENA's target on, orange ten points below it."""
SEVERITIES = ("page", "wall", "ticket")

Shown = tuple[str, Place, Panel]
"""A panel with its place; its title is the text of that name, its description the text of that name and `about`."""


class Sheet(NamedTuple):
    """One board in every language: its texts (of which `title` and `about` are the board's own) and its panels.

    `is_of_centre` says whether it shows one centre at a time; `since` is where its time begins.
    """

    name: str
    texts: Mapping[str, Text]
    panels: Callable[[Say], list[Shown]]
    is_of_centre: bool = True
    since: str = "now-3h"


def build(sheet: Sheet, language: Language) -> models.Dashboard:
    """The board in a language."""
    say = speaker(language, sheet.texts)
    other = next(name for name in LANGUAGES if name != language)
    built = (
        dashboard.Dashboard(say("title"))
        .uid(f"{sheet.name}-{language}")
        .description(say("about"))
        .tags(["112", f"lang:{language}"])
        .readonly()
        .timezone("Asia/Jakarta")
        .time(sheet.since, "now")
        .refresh("5s")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .with_variable(dashboard.DatasourceVariable("datasource").label(say("data source")).type("prometheus"))
    )
    if sheet.is_of_centre:
        built.with_variable(_city(say))
    built.link(
        dashboard.DashboardLink(say("boards"))
        .type(models.DashboardLinkType.DASHBOARDS)
        .tags(["112", f"lang:{language}"])
        .as_dropdown(True)
        .keep_time(True)
        .include_vars(True)
    )
    built.link(
        dashboard.DashboardLink(say("other language"))
        .type(models.DashboardLinkType.LINK)
        .url(f"/d/{sheet.name}-{other}")
        .keep_time(True)
        .include_vars(True)
    )
    for number, (name, place, panel) in enumerate(sheet.panels(say), 1):
        panel.id(number).title(say(name)).description(say(f"{name} about")).grid_pos(place.grid).datasource(SOURCE)
        built.with_panel(panel)
    return built.build()


def limit(name: str) -> str:
    """The query for a limit of the centre."""
    return f"max({of_city('psap_centre_threshold', threshold=name)})"


def freshness(say: Say, place: Place) -> Shown:
    """How old the newest event of the centre is: without it no other panel can be believed."""
    age = '(time() - max(psap_last_event_timestamp_seconds{city="$city"}))'
    return "freshness", place, fresh(say, f"{age} <= bool {limit('silence_seconds')}", say("newest event"), age)


def freshness_of_all(say: Say, place: Place) -> Shown:
    """The same for the newest event of all centres."""
    age = "(time() - max(psap_last_event_timestamp_seconds))"
    return "freshness", place, fresh(say, f"{age} <= bool 300", say("newest event"), age)


def fresh(say: Say, is_fresh: str, newest: str, age: str) -> stat.Panel:
    """Whether what is shown is new, in a word; how old it is; how far the monitor is behind."""
    state = Value(say("state"), is_fresh, COUNT, ((say("stale"), RED), (say("fresh"), GREEN)))
    return stats([state, Value(newest, age), Value(say("behind"), "max(pantau112_lag_seconds)")], DURATION, say("blind"))


def alerts(say: Say, columns: Mapping[str, str], **labels: str | Matcher) -> table.Panel:
    """The alerts that fire, of those with such labels, under the names that people know them by."""
    fired = f"max by ({', '.join(columns)}) ({firing(**labels)})"
    names = {"alertname": {name: say(name) for name in ALERTS}, "severity": {name: say(name) for name in SEVERITIES}}
    codes = {label: names[label] for label in columns if label in names}
    return rows([Value("n", fired)], COUNT, say("no alert"), dict(columns), ["Time", "Value"], codes=codes)


def _city(say: Say) -> dashboard.QueryVariable:
    known = 'label_join(max by (city, name, tz) (psap_city_info), "text", " · ", "name", "tz")'
    asked = f"query_result({known})"
    return (
        dashboard.QueryVariable("city")
        .label(say("centre"))
        .datasource(SOURCE)
        .query({"qryType": 3, "query": asked, "refId": "city"})
        .definition(asked)
        .regex('/city="(?<value>[^"]+)".*text="(?<text>[^"]+)"/')
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
    )
