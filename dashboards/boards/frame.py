"""What all boards have around their panels: variables, links, language, time."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from grafana_foundation_sdk.builders import dashboard, stat
from grafana_foundation_sdk.cog.runtime import UnknownDataquery
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.common import DataSourceRef

from dashboards.boards.panels import COUNT, DURATION, GREEN, ORANGE, PURPLE, RED, SOURCE, Panel, Place, Value, stats
from dashboards.boards.promql import Matcher, of_city, select
from dashboards.boards.text import LANGUAGES, Language, Say, Text, speaker

LEVELS = {"15": {0: RED, 0.8: ORANGE, 0.9: GREEN}, "20": {0: RED, 0.85: ORANGE, 0.95: GREEN}}
"""Colours of the share answered within so many seconds: green from NENA's target on, orange ten points below it."""
SIMULATOR = "/[^/]+/simulat(ion|ed-).*"
"""The sources of the simulator, of whatever centre. None of a real one is called so."""
SIMULATED = ("", "partly simulated, ", "simulated, ")
"""How many of the centres are: none, some, all."""
WALL = "http://127.0.0.1:11206"
"""Where people reach the wall, which has the runbook, as in page.tmpl; on the wall itself it is always itself."""
OF_CITY = {"city": "$city"}

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
        .timezone("browser")  # a board has one zone and the country three: the television's is its centre's
        .time(sheet.since, "now")
        .refresh("5s")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .with_variable(dashboard.DatasourceVariable("datasource").label(say("data source")).type("prometheus"))
    )
    built.with_variable(dashboard.ConstantVariable("wall").value(WALL))
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
    board = built.build()
    for variable in board.templating.list_val:  # type: ignore[union-attr]
        if variable.type_val == models.VariableType.CONSTANT:
            variable.hide = models.VariableHide.HIDE_VARIABLE  # for which the builder has no word
    board.annotations = models.AnnotationContainer(list_val=[_marks(say)])
    return board


def limit(name: str) -> str:
    """The query for a limit of the centre."""
    return f"max({of_city('psap_centre_threshold', threshold=name)})"


def freshness(say: Say, place: Place) -> Shown:
    """How old the newest event of the centre is: without it no other panel can be believed."""
    age = age_of_data(say)
    return "freshness", place, fresh(say, f"{age.expr} <= bool {limit('silence_seconds')}", [age])


def freshness_of_all(say: Say, place: Place) -> Shown:
    """The same for the newest event of all centres."""
    age = age_of_data(say, {})
    return "freshness", place, fresh(say, f"{age.expr} <= bool 300", [age], {})


def age_of_data(say: Say, of: Mapping[str, str] = OF_CITY) -> Value:
    """The age of the newest event of the centres with such labels."""
    newest = select("psap_last_event_timestamp_seconds", **of) if of else "psap_last_event_timestamp_seconds"
    return Value(say("newest event"), f"(time() - max({newest}))")


def fresh(say: Say, is_fresh: str, ages: list[Value], of: Mapping[str, str] = OF_CITY) -> stat.Panel:
    """Whether what is shown is new, in a word, and whether it is simulated; how old it is; how far the monitor is behind.

    `of` are the labels of the centres that are shown.
    """
    colours = {"stale": RED, "fresh": GREEN, "simulated, fresh": PURPLE, "partly simulated, fresh": PURPLE}
    words = tuple(
        (say(f"{kind}{state}"), colours.get(f"{kind}{state}", RED)) for kind in SIMULATED for state in ("stale", "fresh")
    )
    state = Value(say("state"), f"({is_fresh}) + 2 * {simulated(of)}", COUNT, words)
    return stats(
        [state, *ages, Value(say("behind"), "max(pantau112_lag_seconds unless on (instance) pantau112_standby == 1)")],
        DURATION,
        say("blind"),
    )


def simulated(of: Mapping[str, str]) -> str:
    """The query for how many of the centres with such labels are simulated: 0 none, 1 some, 2 all.

    One is, if within the last day of its events one came from a source of the simulator.
    """
    newest = f"max by (city) ({select('psap_last_event_timestamp_seconds', **of)})"
    played = f"max by (city) ({select('psap_last_event_timestamp_seconds', **of, source=Matcher('=~', SIMULATOR))})"
    found = f"count({played} > {newest} - 86400)"
    return f"((1 + ({found} == bool count({newest}))) or vector(0))"


def _marks(say: Say) -> models.AnnotationQuery:
    """What `pantau112 boards annotate` marks is the organisation's: without asking for its tag, a board sees only its own."""
    asked = UnknownDataquery({"limit": 100, "matchAny": False, "tags": ["112"], "type": "tags"})
    source = DataSourceRef(type_val="grafana", uid="-- Grafana --")
    return models.AnnotationQuery(name=say("marks"), datasource=source, icon_color=ORANGE, target=asked)


def _city(say: Say) -> dashboard.QueryVariable:
    # Over a day: Grafana asks anew at every refresh, and a centre that is silent for a moment would give way to another.
    known = 'label_join(max by (city, name, tz) (last_over_time(psap_city_info[1d])), "text", " · ", "name", "tz")'
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
