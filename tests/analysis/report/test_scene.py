"""How soon units were on scene: as the core says it of the same days, and from the call where a ticket says which."""

from math import ceil

import pytest

from streams.analysis.report.scene import Scene
from streams.core.scene import OF_CATEGORY, OF_CITY, OF_OPD, Family
from tests.analysis.report.builders import reported
from tests.analysis.report.simulated import of_core, rows, simulated
from tests.builders import answered, ended, offered, opened, sent, unit_arrived


def test_simulated_days_have_the_figures_of_the_core_s_week() -> None:
    found = simulated()
    core = of_core(found, found.hindsight.moment or 0)

    def assert_equal(row: Scene, family: Family, *labels: str) -> None:
        assert row.n == core.number(family.tickets, *labels, "opened_to_arrived")
        for quantile, seconds in (("0.5", row.p50), ("0.9", row.p90)):
            # The core rounds the lags of a week up: to the second, above an hour to the minute.
            rounded = ceil(seconds) if seconds <= 3600 else ceil(seconds / 60) * 60
            assert rounded == core.number(family.quantile, *labels, "opened_to_arrived", quantile)
        for limit, share in (
            ("480", (row.within_8_ratio, row.within_8_lower, row.within_8_upper, row.within_8_n)),
            ("900", (row.within_15_ratio, row.within_15_lower, row.within_15_upper, row.within_15_n)),
        ):
            assert share == tuple(core.number(metric, *labels, limit) for metric in family.share)

    scenes = [row for row in rows(found, Scene) if row.clock == "opened"]
    assert {row.by for row in scenes} == {"city", "category", "opd"}
    for row in scenes:
        assert_equal(row, *{"city": (OF_CITY,), "category": (OF_CATEGORY, row.code), "opd": (OF_OPD, row.code)}[row.by])  # type: ignore[arg-type]
    assert scenes[0].n > 50


def test_from_the_call_it_takes_as_much_longer_as_the_ticket_came_after_it() -> None:
    events = [
        *(offered("c1", 0), answered("c1", 5), opened("t1", 60, call="c1"), sent("t1", 60), ended("c1", 90)),
        *(unit_arrived("t1", 500), unit_arrived("t1", 700, "p1", "bpbd"), opened("t2", 60), unit_arrived("t2", 1_060)),
        *(opened("t3", 2_000), sent("t3", 2_000), sent("t3", 3_000, "bpbd")),
    ]

    figures = {(row.by, row.code, row.clock): row for row in rows(reported(events, "scene"), Scene)}

    assert [(row.clock, row.n, row.p50, row.within_8, row.within_15_n) for row in figures.values() if row.by == "city"] == [
        ("call", 1, 500, 0, 1),
        ("opened", 2, 1_000, 1, 3),  # t3 has waited for 1,000 s
    ]
    assert figures["city", "*", "opened"].waiting == 1
    assert figures["city", "*", "opened"].mean == pytest.approx(720)
    assert figures["opd", "bpbd", "opened"].n == 1
    assert figures["opd", "bpbd", "call"].p50 == 700
    assert figures["opd", "bpbd", "opened"].waiting == 1
    assert figures["opd", "damkar", "opened"].waiting == 0
