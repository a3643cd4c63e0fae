"""What is broken stands by name and since when, the newest first, by Prometheus's own arithmetic."""

import json
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.boards.broken import broken
from dashboards.boards.promql import select
from dashboards.boards.text import speaker
from tests.dashboards.test_alert_list import check

INFO = "on (city) group_left (name) max by (city, name) (psap_city_info)"
CENTRES = {select("psap_city_info", city=code, name=name): 1 for code, name in (("32.71", "Kota Bogor"), ("32.01", "Bogor"))}


def asked(most: int = 9, info: str = "", **labels: str) -> str:
    (target,) = json.loads(JSONEncoder().encode(broken(speaker("en", {}), most, info, **labels).build()))["targets"]
    return str(target["expr"])


def row(kind: str, thing: str, value: float, *, city: str = "32.71", **name: str) -> dict[str, Any]:
    return {"labels": select("", kind=kind, thing=thing, city=city, **name), "value": value}


def test_links_rivers_and_agencies_of_the_centre_stand_by_name_with_their_age(promtool: Path, tmp_path: Path) -> None:
    series: dict[str, float | str] = {
        **CENTRES,
        'psap_link_down_timestamp_seconds{city="32.71",link="sip-xl"}': 3000,
        'psap_link_down_timestamp_seconds{city="32.01",link="sip-xl"}': 3500,
        'psap_gauge_siaga{city="32.71",gauge="katulampa"}': "4x30 3x9 2x19",
        'psap_gauge_siaga{city="32.71",gauge="depok"}': 4,
        'psap_oldest_unanswered_ticket_timestamp_seconds{city="32.71",opd="dinkes"}': 600,
        'psap_tickets_open{city="32.71",opd="dinkes",rung="7m"}': 1,
        'psap_oldest_unanswered_ticket_timestamp_seconds{city="32.71",opd="damkar"}': 3540,
        'psap_tickets_open{city="32.71",opd="damkar",rung="in_time"}': 1,
        'psap_tickets_open{city="32.71",opd="damkar",rung="7m"}': 0,
    }
    rows = [row("link", "sip-xl", 600), row("siaga 2", "katulampa", 1800), row("agency", "dinkes", 3000)]
    check(promtool, tmp_path, series, asked(city="32.71"), rows)
    newest = [rows[0], {"labels": '{kind="+ 2"}', "value": 1e9}]
    check(promtool, tmp_path, series, asked(1, city="32.71"), newest)


def test_a_river_that_was_never_seen_below_its_bounds_is_named_without_an_age(promtool: Path, tmp_path: Path) -> None:
    series: dict[str, float | str] = {**CENTRES, 'psap_gauge_siaga{city="32.71",gauge="katulampa"}': 1}
    found = asked(city="32.71")
    named = [{"labels": '{kind="siaga 1", thing="katulampa"}', "value": 1}]
    check(promtool, tmp_path, series, f"count by (kind, thing) ({found})", named)
    check(promtool, tmp_path, series, f"({found}) == ({found})", [])  # what is not a number is not itself


def test_nationwide_each_is_named_with_its_centre(promtool: Path, tmp_path: Path) -> None:
    series: dict[str, float | str] = {**CENTRES, 'psap_link_down_timestamp_seconds{city="32.01",link="sip-xl"}': 3500}
    check(promtool, tmp_path, series, asked(info=INFO), [row("link", "sip-xl", 100, city="32.01", name="Bogor")])


def test_nothing_is_broken_only_where_the_centre_is_known(promtool: Path, tmp_path: Path) -> None:
    clear = {"labels": '{kind="*"}', "value": 1e9}
    check(promtool, tmp_path, {**CENTRES}, asked(city="32.71"), [clear])
    check(promtool, tmp_path, {"up": 1}, asked(city="32.71"), [])
