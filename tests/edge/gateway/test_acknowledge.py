"""The chat group answers the monitor: a link in a reminder, a page on a telephone, one button."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from schemas.dispatch import OfOpd, TicketAcknowledged
from streams.worker.signed_ticket import LASTS, SignedTicket, sign
from tests.builders import START, acknowledged
from tests.edge.gateway.served import KEY, Answer, Served, served

DUE = START - timedelta(hours=1)
TICKET = SignedTicket(
    "32.71", "Kota Bogor", "BGR-1", "satpol-pp", "24h", "gangguan-keamanan", DUE - timedelta(hours=24), DUE, "WIB"
)  # fmt: skip


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as running:
        yield running


def look(gateway: Served, ticket: SignedTicket = TICKET, key: bytes = KEY) -> Answer:
    return gateway.ask("GET", f"/v1/tickets/{sign(ticket, key)}")


def press(gateway: Served, ticket: SignedTicket = TICKET, key: bytes = KEY) -> Answer:
    return gateway.ask("POST", f"/v1/tickets/{sign(ticket, key)}", b"", Content_Type="application/x-www-form-urlencoded")


def test_the_page_shows_code_category_and_times_and_a_button_first_in_indonesian(gateway: Served) -> None:
    answer = look(gateway)

    assert answer.status == 200
    for text in ("Kota Bogor", "BGR-1", "satpol-pp", "gangguan-keamanan", "24-11-2024 07:00 WIB", "24h"):
        assert text in re.sub("<[^>]*>", "", answer.text)
    assert answer.text.index("Sudah kami terima") < answer.text.index("We have it")
    assert '<html lang="id">' in answer.text
    assert answer.text.count("<button") == 1


def test_looking_at_it_says_nothing_because_chat_programs_look_at_every_link(gateway: Served) -> None:
    look(gateway)
    assert gateway.ask("HEAD", f"/v1/tickets/{sign(TICKET, KEY)}").status == 200

    assert gateway.log.written == []


def test_the_button_is_the_acknowledgement(gateway: Served) -> None:
    answer = press(gateway)

    assert answer.status == 200
    assert "Terima kasih" in answer.text
    [event] = gateway.log.written
    assert isinstance(event, TicketAcknowledged)
    assert (event.subject, event.source, event.time) == ("32.71", "/32.71/gateway", START)
    assert event.data == OfOpd(ticket="BGR-1", opd="satpol-pp")


def test_a_link_that_was_used_says_so_and_says_nothing_twice(gateway: Served) -> None:
    press(gateway)

    assert press(gateway).status == 409
    seen = look(gateway)
    assert seen.status == 200
    for answer in (press(gateway), seen):
        assert "sudah diterima" in answer.text
        assert "25-11-2024 08:00 WIB" in answer.text
        assert "<button" not in answer.text
    assert len(gateway.log.written) == 1


def test_pressed_by_two_at_once_it_is_one_event(gateway: Served) -> None:
    press(gateway)
    first = gateway.log.written.pop()  # the other gateway's write is not to be seen yet
    press(gateway, replace(TICKET, rung="48h"))

    [second] = gateway.log.written
    assert (second.source, second.id) == (first.source, first.id)


def test_a_ticket_that_was_acknowledged_by_other_ways_has_no_button(gateway: Served) -> None:
    gateway.log.written.append(acknowledged("BGR-1", -60, "Satpol_PP"))

    assert "<button" not in look(gateway).text
    assert press(gateway).status == 409


@pytest.mark.parametrize(
    "other",
    [acknowledged("BGR-2", -60, "satpol-pp"), acknowledged("BGR-1", -60, "damkar"), acknowledged("BGR-1", -90_001, "satpol-pp")],
    ids=["another ticket", "another agency", "an earlier sending"],
)
def test_what_was_said_of_something_else_is_no_answer(gateway: Served, other: TicketAcknowledged) -> None:
    gateway.log.written.append(other)

    assert "<button" in look(gateway).text
    assert press(gateway).status == 200


def test_a_forged_link_is_refused(gateway: Served) -> None:
    signed = sign(TICKET, KEY)
    head, _, mark = signed.rpartition(".")
    other = sign(replace(TICKET, ticket="BGR-2"), b"x" * 32)
    for text in (other, f"{other.rpartition('.')[0]}.{mark}", head, f"{head}.", signed[:-1], "x" * 5_000, "%2e%2e"):
        for method in ("GET", "POST"):
            answer = gateway.ask(method, f"/v1/tickets/{text}")
            assert answer.status == 403, text
            assert "tidak sah" in answer.text
    assert gateway.log.written == []


def test_a_link_expires_a_week_after_its_rung(tmp_path: Path) -> None:
    for now, status in ((DUE + LASTS - timedelta(seconds=1), 200), (DUE + LASTS, 410)):
        folder = tmp_path / str(status)
        with served(folder, now=lambda now=now: now) as gateway:  # type: ignore[misc]
            assert look(gateway).status == status
            assert press(gateway).status == status
            assert len(gateway.log.written) == (status == 200)


def test_while_the_log_is_away_nothing_is_said_to_be_noted(gateway: Served) -> None:
    gateway.log.is_up = False

    answer = press(gateway)
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert "coba lagi" in answer.text


def test_the_page_loads_nothing_tells_nobody_where_it_was_and_is_kept_nowhere(gateway: Served) -> None:
    answer = look(gateway)

    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert not re.search(r"https?:|<script|<img|<link|src=|url\(", answer.text)


def test_what_a_code_holds_is_text_on_the_page(gateway: Served) -> None:
    assert "<b>" not in look(gateway, replace(TICKET, opd="<b>x</b>")).text


def test_metrics_do_not_hold_the_link(gateway: Served) -> None:
    press(gateway)

    page = gateway.ask("GET", "/metrics").text
    assert 'path="/v1/tickets/{signed}",status="200"' in page
    assert sign(TICKET, KEY)[:20] not in page
