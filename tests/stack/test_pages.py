"""Where pages and reminders are written down on this machine, and by whom."""

import asyncio
import json
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.api import Api
from streams.stack.pages import LARGEST, REMINDERS, Pages
from streams.worker.reminder import NotAcceptedError, Reminder, Webhook
from tests.builders import START
from tests.conftest import HANG, free_port

PAGE: dict[str, Any] = {
    "alerts": [{"labels": {"alertname": "PsapCallerWaiting", "severity": "page"}, "annotations": {}, "status": "firing"}]
}
REMINDER = {"id": "1", "opd": "damkar", "city": "32.71", "text": "answer"}


class Receiver:
    """Pages that are received on a port, and who sends there."""

    def __init__(self, file: Path) -> None:
        self.pages, self.port = Pages(file), free_port()
        self.pages.serve(self.port)
        self.known = Api("", self.pages.password).headers | {"Content-Type": "application/json"}

    def sent(self, path: str, body: object, headers: dict[str, str] | None = None) -> int:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=HANG)
        try:
            text = body if isinstance(body, bytes) else json.dumps(body).encode()
            connection.request("POST", path, text, self.known if headers is None else headers)
            return connection.getresponse().status
        finally:
            connection.close()


@pytest.fixture
def receiver(tmp_path: Path) -> Receiver:
    return Receiver(tmp_path / "pages.log")


@pytest.mark.parametrize(("path", "body"), [("/", PAGE), (REMINDERS, REMINDER)], ids=["page", "reminder"])
def test_what_cannot_be_written_on_a_full_disk_is_refused_so_that_it_comes_again(
    receiver: Receiver, capfd: pytest.CaptureFixture[str], path: str, body: object
) -> None:
    pages = receiver.pages
    pages.file.symlink_to("/dev/full")
    assert receiver.sent(path, body) == 507
    assert list(pages.recent) == []
    pages.file.unlink()

    assert receiver.sent(path, body) == 200

    assert len(pages.recent) == len(pages.file.read_text().splitlines()) == 1
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Authorization": ""}, 401),
        ({"Authorization": Api("", "0" * 64).headers["Authorization"]}, 401),
        ({"Authorization": "Basic \xff"}, 401),
        ({"Content-Type": "text/plain"}, 415),
        ({"Host": "rebound.example:11205"}, 403),
        ({"Origin": "http://example.org"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_who_does_not_know_the_password_or_is_a_web_page_writes_no_page(
    receiver: Receiver, changed: dict[str, str], status: int
) -> None:
    assert receiver.sent("/", PAGE, receiver.known | changed) == status
    assert list(receiver.pages.recent) == []


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"\xff", b"[" * 100_000, b'{"alerts": [1]}', b'{"alerts": [{"labels": []}]}'])
def test_what_is_no_notification_is_refused(receiver: Receiver, body: bytes) -> None:
    assert receiver.sent("/", body) == receiver.sent(REMINDERS, body) == 400


def test_a_notification_larger_than_any_is_not_read(receiver: Receiver) -> None:
    assert receiver.sent("/", b" " * (LARGEST + 1)) == 413


@given(text=st.text())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_page_says_is_one_line_that_steers_no_terminal(tmp_path: Path, text: str) -> None:
    pages = Pages(tmp_path / "pages.log")
    alert = {"labels": {"alertname": text, "city": text}, "annotations": {"summary": text}, "status": "firing"}
    pages.receive(json.dumps({"alerts": [alert]}).encode())
    pages.remind(json.dumps(REMINDER | {"text": text, "id": text}).encode())

    assert len(pages.recent) == 2
    assert all(line.isprintable() for line in pages.recent)
    assert pages.file.read_text().splitlines()[-2:] == list(pages.recent)


def test_a_reminder_bears_the_password_that_is_in_its_address(receiver: Receiver) -> None:
    reminder = Reminder("1", "32.71", "Kota Bogor", "t1", "damkar", "24h", START, START)
    address = f"127.0.0.1:{receiver.port}{REMINDERS}"

    asyncio.run(Webhook(f"http://pantau112:{receiver.pages.password}@{address}").send(reminder))
    with pytest.raises(NotAcceptedError):
        asyncio.run(Webhook(f"http://pantau112:{'0' * 64}@{address}").send(reminder))

    [line] = receiver.pages.recent
    assert "REMINDER damkar 32.71" in line
