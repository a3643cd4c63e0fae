"""A reminder says what is needed and nothing more, and goes out until it was accepted."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from streams import settings
from streams.worker import reminder
from streams.worker.reminder import NotAcceptedError, Reminder, Telegram, Webhook, channels, deliver
from streams.worker.signed_ticket import read
from tests.conftest import free_port
from tests.receiver import Receiver

LINK_KEY = "a8c1f03e5b7d29460f6b3a9ce1d27485a8c1f03e5b7d2946"
SINCE = datetime(2026, 8, 14, 9, 30, tzinfo=ZoneInfo("Asia/Jakarta"))
REMINDER = Reminder("key-1", "32.71", "Kota Bogor", "BGR-1", "satpol-pp", "24h", SINCE, SINCE + timedelta(hours=24))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reminder, "LONGEST_WAIT_SECONDS", 0.01)


def test_a_reminder_names_centre_ticket_agency_and_limit_in_both_languages() -> None:
    indonesian, english = REMINDER.text.splitlines()

    assert "Kota Bogor: tiket BGR-1 untuk satpol-pp belum ditanggapi sejak 14-08-2026 09:30 WIB (batas 24h)" in indonesian
    assert "Kota Bogor: ticket BGR-1 for satpol-pp has not been answered since 14-08-2026 09:30 WIB (limit 24h)" in english


def test_a_webhook_gets_the_reminder_as_json_with_its_id_as_the_key(receiver: Receiver) -> None:
    asyncio.run(Webhook(receiver.url + "/opd").send(REMINDER))

    assert receiver.paths == ["/opd"]
    assert receiver.messages["key-1"] == {
        "id": "key-1", "city": "32.71", "centre": "Kota Bogor", "ticket": "BGR-1", "opd": "satpol-pp", "rung": "24h",
        "since": "2026-08-14T09:30:00+07:00", "due": "2026-08-15T09:30:00+07:00", "category": "", "link": "",
        "text": REMINDER.text,
    }  # fmt: skip


def test_a_reminder_bears_a_link_where_a_gateway_can_be_reached(tmp_path: Path) -> None:
    key = tmp_path / "link.key"
    key.write_text(f"{LINK_KEY}\n")
    said = {"PANTAU112_GATEWAY_URL": "https://112.example.go.id/gw/", "PANTAU112_LINK_KEY_FILE": str(key)}
    kept = replace(REMINDER, category="banjir")
    sent = replace(kept, link=reminder.link(settings.read(said))(kept))

    assert sent.link.startswith("https://112.example.go.id/gw/v1/tickets/")
    assert sent.text.endswith(f"Got it? {sent.link}")
    signed = read(sent.link.rpartition("/")[2], LINK_KEY.encode(), SINCE)
    assert (signed.city, signed.ticket, signed.opd, signed.rung, signed.category) == (
        "32.71",
        "BGR-1",
        "satpol-pp",
        "24h",
        "banjir",
    )
    assert (signed.since, signed.due, signed.zone) == (REMINDER.since, REMINDER.due, "WIB")
    assert sent.link == reminder.link(settings.read(said))(kept), "sent again, it is the same message"


def test_without_a_gateway_a_reminder_bears_no_link() -> None:
    assert reminder.link(settings.read({}))(REMINDER) == ""
    assert "http" not in REMINDER.text


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"PANTAU112_GATEWAY_URL": "https://112.example.go.id"}, "PANTAU112_LINK_KEY_FILE"),
        ({"PANTAU112_GATEWAY_URL": "http://112.example.go.id", "PANTAU112_LINK_KEY_FILE": "link.key"}, "use https"),
        ({"PANTAU112_LINK_KEY_FILE": "/dev/null"}, "/dev/null"),
        ({"PANTAU112_LINK_KEY_FILE": "/nowhere"}, "No such file"),
    ],
)
def test_a_link_that_anybody_could_make_or_read_is_none(said: dict[str, str], what: str) -> None:
    with pytest.raises(settings.SettingsError, match=what):
        reminder.link(settings.read(said))


def test_telegram_gets_the_text_for_its_group(receiver: Receiver) -> None:
    asyncio.run(Telegram("12:secret", "-1001", receiver.url).send(REMINDER))

    assert receiver.paths == ["/bot12:secret/sendMessage"]
    assert receiver.messages[""] == {"chat_id": "-1001", "text": REMINDER.text}


@pytest.mark.usefixtures("impatient")
def test_a_reminder_is_sent_again_until_every_channel_has_accepted_it() -> None:
    with Receiver(failing=0.8) as webhook, Receiver(failing=0.8, seed=7) as telegram:
        asyncio.run(deliver(REMINDER, [Webhook(webhook.url), Telegram("1:x", "-1", telegram.url)]))

        assert webhook.refused + webhook.taken["key-1"] > 1, "it failed at first"
        assert set(webhook.taken) == {"key-1"}
        assert set(telegram.taken) == {""}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_reminder_goes_nowhere_but_where_it_is_sent_to_and_a_redirection_accepts_nothing(
    receiver: Receiver, status: int
) -> None:
    async def redirected() -> None:
        async def elsewhere(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = (
                f"HTTP/1.1 {status} Moved\r\nLocation: {receiver.url}/elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            writer.write(head.encode())
            writer.close()

        async with await asyncio.start_server(elsewhere, "127.0.0.1", 0) as server:
            host, port = server.sockets[0].getsockname()
            await Webhook(f"http://{host}:{port}/").send(REMINDER)

    with pytest.raises(NotAcceptedError, match=str(status)):
        asyncio.run(redirected())
    assert receiver.paths == []


def test_a_channel_that_is_not_there_is_an_error_that_does_not_say_where_it_was() -> None:
    with pytest.raises(NotAcceptedError) as error:
        asyncio.run(Telegram("12:secret", "-1001", f"http://127.0.0.1:{free_port()}").send(REMINDER))

    assert "secret" not in str(error.value)


def test_channels_come_from_the_environment(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("12:secret\n")
    said = {"PANTAU112_REMINDER_TELEGRAM_CHAT": "-1001", "PANTAU112_TELEGRAM_TOKEN_FILE": str(token)}

    assert channels(settings.read({})) == []
    assert [type(channel) for channel in channels(settings.read(said))] == [Telegram]
    assert [type(channel) for channel in channels(settings.read({"PANTAU112_REMINDER_WEBHOOK": "https://x/y"}))] == [Webhook]


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"PANTAU112_REMINDER_TELEGRAM_CHAT": "-1"}, "PANTAU112_TELEGRAM_TOKEN_FILE"),
        ({"PANTAU112_REMINDER_WEBHOOK": "opd.example"}, "http:// or https://"),
    ],
)
def test_half_a_channel_is_refused_with_what_is_missing(said: dict[str, str], what: str) -> None:
    with pytest.raises(settings.SettingsError, match=what):
        settings.read(said)
