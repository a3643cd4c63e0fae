"""Outages as they were told, what they took, and how long each link carried of the time in which that is known."""

from typing import Any

import pytest

from streams.analysis.lost_calls import costs
from streams.analysis.period import Word
from streams.analysis.report import report as reports
from streams.analysis.report.network import Link, Notice, Outage
from streams.analysis.report.report import Report
from tests.analysis.report.builders import reported
from tests.analysis.report.simulated import rows
from tests.builders import answered, at, ended, link, network_dropped, offered
from tests.trial import KOTA_BOGOR

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


def in_two_centres(*subjects: str, by: Word | None = None) -> Report:
    """The same in one and in another centre, which has a call more that was taken in its second outage alone."""
    other = KOTA_BOGOR.model_copy(update={"code": "32.01", "name": "Kabupaten Bogor"})
    there = [*EVENTS, offered("c7", MIDNIGHT + 2_300), network_dropped("c7", MIDNIGHT + 2_390)]
    moved = [event.model_copy(update={"subject": "32.01"}) for event in there]
    return reported([*EVENTS, *moved], *subjects, centres=[KOTA_BOGOR, other], by=by)


def test_what_an_outage_cost_is_worked_out_once_for_whoever_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def noted(connection: Any, centre: Any, now: float) -> Any:
        asked.append(centre.code)
        return costs(connection, centre, now)

    monkeypatch.setattr(reports, "costs", noted)
    report = in_two_centres("outages", "notices")

    assert len(rows(report, Notice)) == 6
    assert sorted(asked) == ["32.01", "32.71"]


def test_outages_of_all_centres_sum_by_their_kind() -> None:
    found = rows(in_two_centres("outages"), Outage)

    single = [row for row in found if row.city != "*"]
    together = {row.kind: row for row in found if row.city == "*"}
    assert (len(single), set(together)) == (6, {"down", "unregistered"})
    for kind, row in together.items():
        own = [each for each in single if each.kind == kind]
        assert (row.link, row.began, row.ended) == ("*", min(each.began for each in own), None)
        for name in ("seconds", "seconds_within", "network_dropped", "cut_off", "calls_came"):
            assert getattr(row, name) == sum(getattr(each, name) for each in own), name
    assert together["down"].network_dropped == 2
    assert together["down"].cut_off == 2


def test_a_call_of_no_known_link_counts_once_in_all_outages_together_though_two_links_were_down() -> None:
    events = [
        *(link("up", 0), link("up", 0, "sip-xl"), link("down", 100), link("down", 110, "sip-xl")),
        *(offered("c1", 120), network_dropped("c1", 130), link("up", 200), link("up", 210, "sip-xl")),
    ]
    other = KOTA_BOGOR.model_copy(update={"code": "32.01"})
    elsewhere = [event.model_copy(update={"subject": "32.01"}) for event in [link("up", 0)]]

    found = rows(reported([*events, *elsewhere], "outages", centres=[KOTA_BOGOR, other]), Outage)

    assert [(row.city, row.link, row.network_dropped) for row in found] == [
        ("32.71", "sip-telkom", 1),
        ("32.71", "sip-xl", 1),
        ("*", "*", 1),
    ]


def test_links_of_all_centres_carried_for_the_share_of_the_time_that_is_known_of_any() -> None:
    found = rows(in_two_centres("links", by="day"), Link, "part")

    together = {(row.period, row.kind): row for row in found if row.city == "*"}
    assert set(together) == {(row.period, row.kind) for row in found}
    for (day, kind), row in together.items():
        own = [each for each in found if each.city != "*" and (each.period, each.kind) == (day, kind)]
        down, known = sum(each.seconds_down for each in own), sum(each.known_seconds for each in own)
        assert (row.link, row.outages) == ("*", sum(each.outages for each in own))
        assert (row.seconds_down, row.known_seconds) == (down, known)
        assert row.availability == pytest.approx(1 - down / known)


def test_one_centre_has_no_rows_of_all() -> None:
    report = reported(EVENTS, "outages", "links")

    assert "*" not in {row.city for found in report.subjects.values() for row in found}
