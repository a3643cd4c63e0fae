"""All 514 regencies and cities, with their own codes, names, provinces and time zones."""

import csv
from collections import Counter
from datetime import UTC, datetime
from itertools import islice, pairwise
from pathlib import Path

import pytest
import yaml

from streams import centres
from streams.sources import simulate
from tests.conftest import DATA

NATION = centres.load([centres.NATION])
ROOT = Path(__file__).parents[2]
REGENCIES = DATA / "indonesia" / "regencies.csv"


def test_there_are_514_in_38_provinces_and_holidays_are_known() -> None:
    assert len(NATION) == 514
    assert len({centre.province for centre in NATION.values()}) == 38
    assert datetime(2026, 8, 17, tzinfo=UTC).date() in NATION["32.71"].holidays


@pytest.mark.parametrize(
    ("code", "name", "zone"),
    [
        ("32.71", "Kota Bogor", "Asia/Jakarta"),
        ("61.71", "Kota Pontianak", "Asia/Jakarta"),
        ("62.71", "Kota Palangkaraya", "Asia/Jakarta"),
        ("63.71", "Kota Banjarmasin", "Asia/Makassar"),
        ("51.71", "Kota Denpasar", "Asia/Makassar"),
        ("73.71", "Kota Makassar", "Asia/Makassar"),
        ("81.71", "Kota Ambon", "Asia/Jayapura"),
        ("91.71", "Kota Jayapura", "Asia/Jayapura"),
    ],
)
def test_a_city_has_its_name_and_its_time(code: str, name: str, zone: str) -> None:
    assert NATION[code].name.replace(" ", "").lower() == name.replace(" ", "").lower()
    assert NATION[code].timezone.key == zone


def test_codes_and_names_are_those_of_an_independent_list() -> None:
    with REGENCIES.open() as file:
        listed = {row["code"]: row["name"] for row in csv.DictReader(file)}

    def bare(name: str) -> str:
        return name.lower().replace("kepulauan", "kep.").replace(" ", "").replace("-", "")

    assert listed.keys() == NATION.keys()
    different = {code for code, name in listed.items() if bare(name) != bare(NATION[code].name)}
    assert different <= {"12.77"}, "Padangsidimpuan is spelt in two ways"


def test_prometheus_takes_as_many_centres_like_bogor_from_one_worker() -> None:
    """One sample more than the limit, and Prometheus would take none at all."""
    scrape = yaml.safe_load((ROOT / "dashboards" / "prometheus.yml").read_text())["scrape_configs"][0]
    bogor = [
        line for line in (Path(__file__).with_name("golden") / "metrics.txt").read_text().splitlines() if not line.startswith("#")
    ]

    assert len(NATION) * len(bogor) < scrape["sample_limit"]


def test_a_file_stands_before_the_nations_own(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('code = "32.71"\nname = "Bogor kami"\ntimezone = "Asia/Jakarta"\n')

    assert centres.load([mine, centres.NATION])["32.71"].name == "Bogor kami"


def test_a_national_day_tells_of_every_centre_in_the_order_of_time() -> None:
    some = [NATION[code] for code in ("32.71", "51.71", "91.71")]
    start = datetime(2026, 1, 5, tzinfo=UTC)
    events = list(simulate.nation(112, start, some))
    calls = Counter(event.subject for event in events if event.type == "call.offered")

    assert all(one.time <= other.time for one, other in pairwise(events))
    assert len({(event.source, event.id) for event in events}) == len(events)
    assert 600 < calls["32.71"] < 1_600
    assert {centre.code: calls[centre.code] > 0 for centre in some} == dict.fromkeys(calls, True)
    assert events[:500] == list(islice(simulate.nation(112, start, some), 500))
