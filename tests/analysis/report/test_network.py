"""Outages as they were told, what they took, and how long each link carried of the time in which that is known."""

import pytest

from streams.analysis.report.network import Link, Notice, Outage
from tests.analysis.report.builders import reported
from tests.analysis.report.simulated import rows
from tests.builders import answered, at, ended, link, network_dropped, offered

MIDNIGHT = 16 * 3_600
EVENTS = [
    *(link("up", 0), link("heartbeat", 0, "sip-xl"), link("unregistered", 3_000, "sip-xl"), link("registered", 4_000, "sip-xl")),
    *(link("down", MIDNIGHT - 600), link("up", MIDNIGHT + 1_200)),
    *(offered("c1", MIDNIGHT - 500, link="sip-telkom"), network_dropped("c1", MIDNIGHT - 490)),
    *(offered("c2", MIDNIGHT - 700), answered("c2", MIDNIGHT - 690), network_dropped("c2", MIDNIGHT - 590)),
    *(offered("c3", MIDNIGHT - 500, link="sip-xl"), network_dropped("c3", MIDNIGHT - 480)),
    *(offered("c4", MIDNIGHT - 900), network_dropped("c4", MIDNIGHT - 880)),
    *(offered("c5", MIDNIGHT - 800, link="sip-telkom"), answered("c5", MIDNIGHT - 790), ended("c5", MIDNIGHT - 700)),
    *(link("down", MIDNIGHT + 2_000, "uplink"), offered("c6", MIDNIGHT + 2_400)),
]


def test_an_outage_is_told_whole_with_the_calls_that_the_network_took_meanwhile() -> None:
    found = rows(reported(EVENTS, "outages"), Outage)

    assert [(row.link, row.kind, row.began, row.ended, row.seconds) for row in found] == [
        ("sip-xl", "unregistered", at(3_000), at(4_000), 1_000),
        ("sip-telkom", "down", at(MIDNIGHT - 600), at(MIDNIGHT + 1_200), 1_800),
        ("uplink", "down", at(MIDNIGHT + 2_000), None, 400),
    ]
    assert [(row.carrier, row.network_dropped, row.cut_off) for row in found] == [
        ("xl", 0, 0),
        ("telkom", 1, 1),  # c1, and c2, of which no link was told
        ("telkom", 0, 0),
    ]


def test_each_day_has_its_part_of_an_outage_and_of_the_time_that_is_known() -> None:
    found = rows(reported(EVENTS, "links", by="day"), Link, "part")

    first, second = (
        {(row.link, row.kind): (row.outages, row.seconds_down, row.known_seconds) for row in found if row.period == day}
        for day in ("2024-11-25", "2024-11-26")
    )
    assert first["sip-telkom", "down"] == (1, 600, MIDNIGHT)
    assert second["sip-telkom", "down"] == (1, 1_200, 2_400)
    assert second["uplink", "down"] == (1, 400, 400)
    [telkom] = [row for row in found if (row.link, row.period) == ("sip-telkom", "2024-11-26")]
    assert telkom.availability == pytest.approx(0.5)


def test_a_link_that_nobody_told_of_is_not_said_to_be_well() -> None:
    found = {(row.link, row.kind): row for row in rows(reported(EVENTS, "links"), Link)}

    silent = found["sip-indosat", "down"]
    assert (silent.outages, silent.known_seconds, silent.availability) == (0, 0, None)
    assert ("sip-xl", "down") in found
    assert found["sip-xl", "unregistered"].availability == pytest.approx(1 - 1_000 / (MIDNIGHT + 2_400))


def test_each_outage_has_a_notice_that_names_its_link_in_both_languages() -> None:
    report = reported(EVENTS, "outages", "notices")

    outages, notices = rows(report, Outage), rows(report, Notice)
    assert [(row.link, row.began) for row in notices] == [(row.link, row.began) for row in outages]
    assert all(row.link in row.notice_id and row.link in row.notice_en for row in notices)
    assert "GANGGUAN LAYANAN 112: AWAL" in notices[-1].notice_id
    assert "112 SERVICE OUTAGE: INITIAL" in notices[-1].notice_en


def test_a_centre_that_nobody_called_has_its_outage_and_notice() -> None:
    report = reported([link("up", 0), link("down", 3_000), link("up", 9_000)], "outages", "notices", "links", by="day")

    assert [(row.link, row.seconds) for row in rows(report, Outage)] == [("sip-telkom", 6_000)]
    assert len(rows(report, Notice)) == 1
    assert [row.seconds_down for row in rows(report, Link, "part") if row.outages] == [6_000]
