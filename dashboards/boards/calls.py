"""The wallboard of one centre: its calls and seats, now, in the last hour and today."""

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as models

from dashboards.boards.panels import (
    COUNT,
    DURATION,
    GREEN,
    ORANGE,
    RATIO,
    RED,
    SECONDS,
    SOURCE,
    Panel,
    Place,
    Value,
    lines,
    rows,
    stats,
)
from dashboards.boards.text import LANGUAGES, Language, Say, speaker

CITY = 'city="$city"'
WAITING = f"sum(psap_calls_waiting{{{CITY}}})"
LONGEST = f"(time() - min(psap_oldest_waiting_call_timestamp_seconds{{{CITY}}}) or 0 * max(psap_city_info{{{CITY}}}))"
AGE = f"(time() - max(psap_last_event_timestamp_seconds{{{CITY}}}))"
ABANDONED_TODAY = (
    f'max(psap_calls_today{{{CITY},outcome="abandoned"}}) - max(psap_calls_today{{{CITY},outcome="short_abandoned"}})'
)


def board(language: Language) -> models.Dashboard:
    """The board in a language."""
    say = speaker(language)
    other = next(name for name in LANGUAGES if name != language)
    built = (
        dashboard.Dashboard(say("title"))
        .uid(f"psap-calls-{language}")
        .description(say("about"))
        .tags(["112", f"lang:{language}"])
        .readonly()
        .timezone("browser")
        .time("now-3h", "now")
        .refresh("5s")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .with_variable(dashboard.DatasourceVariable("datasource").label(say("data source")).type("prometheus"))
        .with_variable(_city(say))
        .link(
            dashboard.DashboardLink(say("other language"))
            .type(models.DashboardLinkType.LINK)
            .url(f"/d/psap-calls-{other}")
            .keep_time(True)
            .include_vars(True)
        )
    )
    panels = [*_now(say), *_service(say), *_course(say)]
    for number, (name, place, panel) in enumerate(panels, 1):
        panel.id(number).title(say(name)).description(say(f"{name} about")).grid_pos(place.grid).datasource(SOURCE)
        built.with_panel(panel)
    return built.build()


def _city(say: Say) -> dashboard.QueryVariable:
    asked = "query_result(max by (city, name) (psap_city_info))"
    return (
        dashboard.QueryVariable("city")
        .label(say("centre"))
        .datasource(SOURCE)
        .query({"qryType": 3, "query": asked, "refId": "city"})
        .definition(asked)
        .regex('/city="(?<value>[^"]+)".*name="(?<text>[^"]+)"/')
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
    )


def _limit(name: str) -> str:
    return f'max(psap_centre_threshold{{{CITY},threshold="{name}"}})'


def _now(say: Say) -> list[tuple[str, Place, Panel]]:
    blind = say("blind")
    limited = (say("within limit"), GREEN), (say("over limit"), RED)
    waiting = [
        Value(say("waiting"), WAITING),
        Value(say("state"), f"{WAITING} >= bool {_limit('queue_calls')}", words=limited),
    ]
    longest = [
        Value(say("waiting"), LONGEST),
        Value(say("state"), f"{LONGEST} > bool {_limit('oldest_waiting_seconds')}", COUNT, words=limited),
    ]
    seats = [Value(say(state), f'max(psap_operators{{{CITY},state="{state}"}})') for state in ("available", "talking", "paused")]
    freshness = [
        Value(
            say("state"),
            f"{AGE} <= bool {_limit('silence_seconds')}",
            COUNT,
            words=((say("stale"), RED), (say("fresh"), GREEN)),
        ),
        Value(say("newest event"), AGE),
        Value(say("behind"), "max(pantau112_lag_seconds)"),
    ]
    return [
        ("waiting now", Place(0, 0, 6, 6), stats(waiting, COUNT, blind)),
        ("longest wait", Place(6, 0, 6, 6), stats(longest, DURATION, blind)),
        ("seats", Place(12, 0, 5, 6), stats(seats, COUNT, say("no data"))),
        ("freshness", Place(17, 0, 7, 6), stats(freshness, DURATION, blind)),
    ]


def _service(say: Say) -> list[tuple[str, Place, Panel]]:
    nena = f'{CITY},variant="nena",window="60m"'
    level = [
        Value("≤ 15 s", f'max(psap_service_level_ratio{{{nena},threshold="15"}})'),
        Value("≤ 20 s", f'max(psap_service_level_ratio{{{nena},threshold="20"}})'),
        Value("n", f'max(psap_service_level_calls{{{nena},threshold="15"}})', COUNT),
    ]
    answered = f'{CITY},outcome="answered"'
    buckets = f"sum by (le) (rate(psap_call_wait_seconds_bucket{{{answered}}}[1h]))"
    waits = [
        Value(
            say("mean"),
            f"sum(rate(psap_call_wait_seconds_sum{{{answered}}}[1h]))"
            f" / sum(rate(psap_call_wait_seconds_count{{{answered}}}[1h]))",
        ),
        Value("P90", f"histogram_quantile(0.9, {buckets})"),
        Value("P95", f"histogram_quantile(0.95, {buckets})"),
    ]
    of_nena = f'max(psap_service_level_calls{{{CITY},variant="nena",threshold="15",window="today"}})'
    today = [
        Value(say("offered"), f'max(psap_calls_today{{{CITY},outcome="offered"}})'),
        Value(say("answered"), f"max(psap_calls_today{{{answered}}})"),
        Value(say("abandoned"), ABANDONED_TODAY),
        Value(say("abandon ratio"), f"({ABANDONED_TODAY}) / ({of_nena} > 0)", RATIO),
        Value(say("peak"), f'max(psap_calls_waiting_peak{{{CITY},period="today"}})'),
    ]
    nothing = say("no data")
    return [
        ("service level", Place(0, 6, 7, 6), stats(level, RATIO, nothing, {0: RED, 0.8: ORANGE, 0.9: GREEN})),
        ("waits", Place(7, 6, 7, 6), stats(waits, SECONDS, nothing)),
        ("today", Place(14, 6, 10, 6), stats(today, COUNT, nothing)),
    ]


def _course(say: Say) -> list[tuple[str, Place, Panel]]:
    nothing = say("no data")
    queue = [
        Value(say("waiting"), WAITING),
        Value(say("in service"), f"sum(psap_calls_in_service{{{CITY}}})"),
        Value(say("limit"), _limit("queue_calls")),
    ]
    nena = f'{CITY},variant="nena",threshold="15",window="60m"'
    course = [
        Value("≤ 15 s", f"max(psap_service_level_ratio{{{nena}}})"),
        Value(say("lower"), f"max(psap_service_level_ratio_lower{{{nena}}})"),
        Value(say("upper"), f"max(psap_service_level_ratio_upper{{{nena}}})"),
        Value(say("target"), "vector(0.9)"),
    ]
    shown = f'{CITY},variant=~"nena|answered|inclusive",window=~"60m|today"'
    variants = [
        Value(say(name), f"max by (variant, threshold, window) (psap_service_level_{metric}{{{shown}}})", unit)
        for name, metric, unit in (
            ("ratio", "ratio", None),
            ("lower", "ratio_lower", None),
            ("upper", "ratio_upper", None),
            ("n", "calls", COUNT),
        )
    ]
    labels = {"variant": say("formula"), "threshold": say("seconds"), "window": say("window")}
    firing = 'max by (alertname, severity, name) (ALERTS{alertstate="firing",alertname!="Watchdog",city=~"$city|"})'
    about = {"alertname": say("alert"), "severity": say("severity"), "name": say("centre")}
    return [
        ("queue", Place(0, 12, 12, 8), lines(queue, COUNT, nothing, say("limit"))),
        ("course", Place(12, 12, 12, 8), lines(course, RATIO, nothing, say("target"))),
        ("variants", Place(0, 20, 12, 8), rows(variants, RATIO, nothing, labels, ["Time"])),
        (
            "alerts",
            Place(12, 20, 12, 8),
            rows([Value("n", firing)], COUNT, say("no alert"), about, ["Time", "Value", "Value #A"]),
        ),
    ]
