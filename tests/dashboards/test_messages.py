"""What a person is told: the templates through the real Alertmanager, as an e-mail and as a message to a Telegram group; both
receivers are played here.
"""

import json
import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
import yaml

from streams.stack.debian import Programs
from streams.stack.prometheus import alertmanager
from tests.conftest import HANG, free_port, wait_until
from tests.dashboards.test_rules import ALERTS, DASHBOARDS
from tests.dashboards.test_stack import running

pytestmark = pytest.mark.stack
STARTED = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)


class Mailbox(socketserver.ThreadingTCPServer):
    """An SMTP server that keeps what it is given (RFC 5321, as much as Alertmanager says)."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        mails: list[Message] = []

        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"220 here\r\n")
                while line := self.rfile.readline():
                    match line.split()[0].upper():
                        case b"DATA":
                            self.wfile.write(b"354 go on\r\n")
                            text = b""
                            while (part := self.rfile.readline()) != b".\r\n":
                                text += part
                            mails.append(message_from_bytes(text))
                            self.wfile.write(b"250 taken\r\n")
                        case b"QUIT":
                            self.wfile.write(b"221 bye\r\n")
                            return
                        case _:
                            self.wfile.write(b"250 ok\r\n")

        super().__init__(("127.0.0.1", 0), Session)
        self.mails = mails


class Group(ThreadingHTTPServer):
    """Telegram's Bot API, as far as sendMessage."""

    daemon_threads = True

    def __init__(self) -> None:
        said: list[dict[str, Any]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                said.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                answer = json.dumps({"ok": True, "result": {"message_id": 1, "date": 1, "chat": {"id": -1, "type": "group"}}})
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer.encode())

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.said = said


@pytest.fixture
def told(programs: Programs, tmp_path: Path) -> Iterator[tuple[int, Mailbox, Group]]:
    """The port of an Alertmanager with our routes and templates, and the two places where its messages arrive."""
    mailbox, group = Mailbox(), Group()
    for server in (mailbox, group):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    config = yaml.safe_load((DASHBOARDS / "alertmanager.yml").read_text())
    for receiver in config["receivers"]:
        receiver.pop("webhook_configs", None)
        if receiver["name"] == "dead-man":
            receiver["webhook_configs"] = [{"url": f"http://127.0.0.1:{group.server_port}/beat"}]
        if receiver["name"] == "local":
            text = '{{ template "page" . }}'
            receiver["telegram_configs"] = [
                {
                    "bot_token": "1:x",
                    "chat_id": -1,
                    "api_url": f"http://127.0.0.1:{group.server_port}",
                    "parse_mode": "",
                    "message": text,
                }
            ]
            receiver["email_configs"] = [
                {
                    "to": "noc@example.go.id",
                    "from": "pantau112@example.go.id",
                    "smarthost": f"127.0.0.1:{mailbox.server_address[1]}",
                    "require_tls": False,
                    "headers": {"Subject": '{{ template "subject" . }}'},
                    "html": "",
                    "text": text,
                }
            ]
    config["templates"] = [str(DASHBOARDS / "*.tmpl")]
    written = tmp_path / "alertmanager.yml"
    written.write_text(yaml.safe_dump(config))
    port = free_port()
    service = alertmanager(programs, home=tmp_path, data=tmp_path / "am", port=port, config=written, here={})
    with running(service, tmp_path / "alertmanager.log"):
        yield port, mailbox, group
    for server in (mailbox, group):
        server.shutdown()
        server.server_close()


def raise_alert(port: int, name: str, **labels: str) -> dict[str, str]:
    """Tell Alertmanager as Prometheus does that an alert of ours fires; returns its annotations."""
    [rule, *_] = sorted((rule for rule in ALERTS if rule["alert"] == name), key=lambda rule: str(rule["labels"]["severity"]))
    annotations: dict[str, str] = {
        key: text.replace("{{ $labels.name }}", "Kota Bogor") for key, text in rule["annotations"].items()
    }
    alert = {
        "labels": {
            "alertname": name,
            **rule["labels"],
            "city": "32.71",
            "name": "Kota Bogor",
            "province": "Jawa Barat",
            **labels,
        },
        "annotations": annotations,
        "startsAt": STARTED.isoformat(),
    }
    address = f"http://127.0.0.1:{port}/api/v2/alerts"
    with urlopen(Request(address, json.dumps([alert]).encode(), {"Content-Type": "application/json"}), timeout=HANG):
        return annotations


def test_a_page_says_in_both_languages_what_where_since_when_and_what_to_do(told: tuple[int, Mailbox, Group]) -> None:
    port, mailbox, group = told
    notes = raise_alert(port, "PsapCentreIsolated")
    wait_until(lambda: bool(mailbox.mails and group.said), "both messages arrive")

    mail, message = mailbox.mails[0], group.said[0]["text"]
    payload = next(part for part in mail.walk() if part.get_content_type() == "text/plain").get_payload(decode=True)
    assert isinstance(payload, bytes)
    for text in (payload.decode().replace("\r\n", "\n"), message):
        for key in ("summary", "summary_id", "description", "description_id", "todo", "todo_id", "runbook_url"):
            assert notes[key] in text, key
        assert "Sejak 24-11-2026 10:30 WIB" in text
        assert "Since 2026-11-24 03:30 UTC" in text
        assert "http://127.0.0.1:11206/d/psap-network-id?var-city=32.71" in text
        assert f"http://127.0.0.1:11206/{notes['runbook_url']}" in text
    assert str(mail["Subject"]).startswith("[FIRING] Kota Bogor: semua jalur putus / Kota Bogor: all links are down")


def test_the_watchdog_beats_at_the_outside_receiver_and_at_no_other_even_of_a_blind_monitor(
    told: tuple[int, Mailbox, Group],
) -> None:
    port, mailbox, group = told
    raise_alert(port, "MonitorBlind")
    raise_alert(port, "Watchdog")
    wait_until(lambda: any(said.get("receiver") == "dead-man" for said in group.said), "the beat arrives")

    [beat, *_] = [said for said in group.said if said.get("receiver") == "dead-man"]
    assert beat["status"] == "firing"
    assert [alert["labels"]["alertname"] for alert in beat["alerts"]] == ["Watchdog"]
    wait_until(lambda: bool(mailbox.mails), "the blind monitor is told")
    assert not any("Watchdog" in str(mail) for mail in mailbox.mails)


@pytest.mark.parametrize(
    ("cause", "quiet"),
    [
        ({"name": "PsapLinkDown", "link": "sip-1"}, {"name": "PsapVoicePoor", "link": "sip-1"}),
        ({"name": "PsapLinkDown", "link": "sip-1"}, {"name": "PsapCallsLostToNetwork"}),
        ({"name": "PsapCentreIsolated"}, {"name": "PsapLinkDown", "link": "sip-1"}),
        ({"name": "PsapCentreIsolated"}, {"name": "PsapCentreSilent"}),
        ({"name": "PsapProvinceIsolated"}, {"name": "PsapCentreIsolated"}),
        ({"name": "PsapCentreSilent"}, {"name": "PsapQueueSpike"}),
        ({"name": "MonitorBlind"}, {"name": "PsapCallerWaiting"}),
    ],
    ids=lambda alert: alert["name"],
)
def test_a_cause_quiets_what_follows_from_it_and_nothing_elsewhere(
    told: tuple[int, Mailbox, Group], cause: dict[str, str], quiet: dict[str, str]
) -> None:
    port, *_ = told
    for alert in (cause, quiet):
        raise_alert(port, **alert)
    elsewhere = {"city": "73.71", "province": "Sulawesi Selatan"}
    raise_alert(port, **(quiet | elsewhere))

    def states() -> dict[tuple[str, str], str]:
        with urlopen(f"http://127.0.0.1:{port}/api/v2/alerts", timeout=HANG) as answer:
            found = json.load(answer)
        return {(alert["labels"]["alertname"], alert["labels"]["city"]): alert["status"]["state"] for alert in found}

    wait_until(lambda: states().get((quiet["name"], "32.71")) == "suppressed", f"{cause['name']} quiets {quiet['name']}")
    wait_until(lambda: states().get((quiet["name"], "73.71")) != "unprocessed", "the other city is looked at")
    blind = cause["name"] == "MonitorBlind"  # which knows nothing of any city
    assert states()[quiet["name"], "73.71"] == ("suppressed" if blind else "active")
    assert states()[cause["name"], "32.71"] == "active"
