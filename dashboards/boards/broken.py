"""What is broken, by name and since when: links that are down, rivers above a bound, agencies that have not answered."""

from grafana_foundation_sdk.builders import table

from dashboards.boards.panels import ALL_WELL, DURATION, GREEN, ORANGE, RED, Value, filled, rows
from dashboards.boards.promql import Matcher, select, with_label
from dashboards.boards.text import Say

KINDS = {"link": RED, "siaga 1": RED, "siaga 2": RED, "siaga 3": ORANGE, "agency": ORANGE}
OVERDUE = Matcher("!~", "unsent|in_time|answered")
"""The rungs of an agency's ladder that have passed without its answer."""


def broken(say: Say, most: int, info: str = "", **labels: str) -> table.Panel:
    """The `most` newest of what is broken at centres with such labels, and a row that counts the others.

    `info` is joined to each, where the centre is to be named.
    """
    columns = {"kind": say("what is broken"), "thing": say("which"), **({"name": say("centre")} if info else {})}
    listed = f"({_found(**labels)}){f' * {info}' if info else ''}"
    clear = (select("psap_city_info", **labels), say("nothing broken"))
    value = Value(say("held for"), listed)
    panel = rows([value], DURATION, say("blind"), columns, most=most, least_first=True, hidden=["city"], clear=clear)
    words = {kind: (say(kind), colour) for kind, colour in KINDS.items()} | {ALL_WELL: (say("nothing broken"), GREEN)}
    panel.override_by_name(columns["kind"], filled(words, say("blind")))
    return panel


def _found(**labels: str) -> str:
    """For how long each has been, by city, kind and thing."""
    down = f"time() - max by (city, link) ({select('psap_link_down_timestamp_seconds', **labels)})"
    sent = f"time() - min by (city, opd) ({select('psap_oldest_unanswered_ticket_timestamp_seconds', **labels)})"
    late = f"sum by (city, opd) ({select('psap_tickets_open', **labels, rung=OVERDUE)}) > 0"
    found = [_of(down, "link", "link"), _of(f"({sent} and on (city, opd) {late})", "agency", "opd")]
    # The river says only how high it is: it has been so since it was last seen below every bound, to the minute. Where that is
    # more than a day ago it is not known here.
    river = select("psap_gauge_siaga", **labels)
    below = f"time() - max by (city, gauge) (max_over_time(timestamp({river} == 4)[1d:1m]))"
    for siaga in ("1", "2", "3"):
        now = f"max by (city, gauge) ({river} == {siaga})"
        found.append(_of(f"({below} and on (city, gauge) {now} or NaN * {now})", f"siaga {siaga}", "gauge"))
    return " or ".join(found)


def _of(expr: str, kind: str, label: str) -> str:
    named = f'label_replace({expr}, "thing", "$1", "{label}", "(.+)")'
    return f"max by (city, kind, thing) ({with_label(named, 'kind', kind)})"
