"""What a person is told: the receivers that alertmanager.yml's comments say, filled in as they say, started as `up` starts them;
where a mail, a Telegram group's message and a webhook go to is played here.
"""

import contextlib
import json
import re
import shutil
import socketserver
import ssl
import subprocess
import threading
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from streams.stack.debian import Programs
from tests.conftest import HANG, wait_until
from tests.dashboards.test_rules import ALERTS, DASHBOARDS
from tests.paging import Paging

pytestmark = [pytest.mark.stack, pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")]
STARTED = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)
PASSWORD, TOKEN, BOT = "of-the-mail", "of-the-webhook", "1:of-the-bot"
REFUSED = {"ok": False, "error_code": 403, "description": "Forbidden: bot was kicked from the group chat"}
"""As Telegram's Bot API says it."""


class Mailbox(socketserver.ThreadingTCPServer):
    """An SMTP server that keeps what it is given by who says the password, in a session made secret (RFC 5321, 3207, 4954)."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, certificate: Path, key: Path) -> None:
        mails: list[Message] = []
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate, key)

        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with contextlib.ExitStack() as opened:
                    self.talk(opened)

            def talk(self, opened: contextlib.ExitStack) -> None:
                self.wfile.write(b"220 here\r\n")
                secret = known = False
                while line := self.rfile.readline().split():
                    match line[0].upper():
                        case b"EHLO":
                            self.wfile.write(b"250-here\r\n250 AUTH PLAIN\r\n" if secret else b"250-here\r\n250 STARTTLS\r\n")
                        case b"STARTTLS":
                            self.wfile.write(b"220 go on\r\n")
                            wrapped = opened.enter_context(tls.wrap_socket(self.request, server_side=True))
                            self.rfile = opened.enter_context(wrapped.makefile("rb"))
                            self.wfile = opened.enter_context(wrapped.makefile("wb", 0))  # type: ignore[assignment]
                            secret = True
                        case b"AUTH":
                            known = secret and b64decode(line[2]) == f"\0pantau112\0{PASSWORD}".encode()
                            self.wfile.write(b"235 yes\r\n" if known else b"535 no\r\n")
                        case b"DATA" if known:
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
                            self.wfile.write(b"250 ok\r\n" if known else b"530 who are you\r\n")

        super().__init__(("127.0.0.1", 0), Session)
        self.mails = mails


class Group(ThreadingHTTPServer):
    """Telegram's Bot API, as far as sendMessage, and a webhook that wants a token."""

    daemon_threads = True

    def __init__(self) -> None:
        said: list[dict[str, Any]] = []
        group = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, answer = 200, {"ok": True, "result": {"message_id": 1, "date": 1, "chat": {"id": -1, "type": "group"}}}
                if "receiver" in body:  # the payload of a webhook
                    allowed = body["receiver"] == "dead-man" or self.headers["Authorization"] == f"Bearer {TOKEN}"
                else:
                    allowed = self.path == f"/bot{BOT}/sendMessage" and not group.kicked
                if allowed:
                    said.append(body)
                else:
                    status, answer = 403, REFUSED
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.said, self.kicked = said, False


def filled_in(folder: Path, has_files: bool, mailbox: int, group: int) -> Path:
    """alertmanager.yml as somebody makes it who does what its comments say; the addresses and secrets are of this test.

    Before 0.26 Alertmanager has no file for a bot's token, nor for the address of the watchdog's receiver.
    """
    shutil.copy(DASHBOARDS / "page.tmpl", folder)
    for name, text in (("telegram_bot_token", BOT), ("smtp_password", PASSWORD), ("webhook_token", TOKEN)):
        (folder / name).write_text(text)
    (folder / "dead_man_url").write_text(f"http://127.0.0.1:{group}/beat")
    text = (DASHBOARDS / "alertmanager.yml").read_text()
    head, found, receivers = text.partition("\nreceivers:\n")
    receivers = re.sub(r"^( +)# (?=[ -]|webhook_configs:)", r"\1", receivers, flags=re.MULTILINE)
    changes = {
        "receiver: local           # or telegram": "receiver: telegram",
        "receiver: local           # or e-mail": "receiver: e-mail",
        "receiver: second          # or a receiver of your own for whoever is to hear of it then": "receiver: webhook",
        "group_wait: 10m": "group_wait: 1s",
        "group_wait: 5s": "group_wait: 1s",
        "/etc/alertmanager/secrets": str(folder),
        "chat_id:": f"api_url: http://127.0.0.1:{group}\n        chat_id:",
        "smtp.example.go.id:587": f"127.0.0.1:{mailbox}\n        tls_config: {{ca_file: {folder}/cert.pem}}",
        "https://noc.example.go.id/alerts": f"http://127.0.0.1:{group}/",
    }
    if not has_files:
        changes |= {
            f"bot_token_file: {folder}/telegram_bot_token": f"bot_token: {BOT}",
            f"url_file: {folder}/dead_man_url": f"url: http://127.0.0.1:{group}/beat",
        }
    text = head + found + receivers
    for there, here in changes.items():
        assert there in text, there
        text = text.replace(there, here)
    (folder / "alertmanager.yml").write_text(text)
    return folder / "alertmanager.yml"


@pytest.fixture
def told(programs: Programs, tmp_path: Path) -> Iterator[tuple[int, Mailbox, Group]]:
    """The port of an Alertmanager with our routes and templates, and the two places where its messages arrive."""
    folder = tmp_path / "dashboards"
    folder.mkdir()
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    made += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(made, check=True, capture_output=True)
    mailbox, group = Mailbox(folder / "cert.pem", folder / "key.pem"), Group()
    for server in (mailbox, group):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    version = subprocess.run([programs.alertmanager, "--version"], capture_output=True, text=True, check=True).stdout
    numbers = re.search(r"version (\d+)\.(\d+)", version)
    assert numbers is not None
    has_files = (int(numbers[1]), int(numbers[2])) >= (0, 26)
    config = filled_in(folder, has_files, mailbox.server_address[1], group.server_port)
    # As `up` starts it; the wall is elsewhere than page.tmpl says.
    here = {"pages:9113": "127.0.0.1:1", "127.0.0.1:11206": "127.0.0.1:21206"}
    with Paging(programs, tmp_path, here, config).running() as paging:
        yield paging.port, mailbox, group
    for server in (mailbox, group):
        server.shutdown()
        server.server_close()


def raise_alert(port: int, name: str, acknowledge_url: str = "", ends: str = "", **labels: str) -> dict[str, str]:
    """Tell Alertmanager as Prometheus does that an alert of ours fires; returns its annotations."""
    [rule, *_] = sorted((rule for rule in ALERTS if rule["alert"] == name), key=lambda rule: str(rule["labels"]["severity"]))
    annotations: dict[str, str] = {
        key: text.replace("{{ $labels.name }}", "Kota Bogor") for key, text in rule["annotations"].items()
    }
    if acknowledge_url:  # which the gateway adds
        annotations["acknowledge_url"] = acknowledge_url
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
        **({"endsAt": ends} if ends else {}),
    }
    address = f"http://127.0.0.1:{port}/api/v2/alerts"
    with urlopen(Request(address, json.dumps([alert]).encode(), {"Content-Type": "application/json"}), timeout=HANG):
        return annotations


def failed(port: int, integration: str) -> float:
    """How often Alertmanager could not send by that road."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=HANG) as answer:
        said = re.findall(
            rf'^alertmanager_notifications_failed_total\{{integration="{integration}".*\}} (\S+)', answer.read().decode(), re.M
        )
    return sum(map(float, said))


def text_of(mail: Message) -> str:
    payload = next(part for part in mail.walk() if part.get_content_type() == "text/plain").get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode().replace("\r\n", "\n")


def assert_says_all(text: str, notes: dict[str, str]) -> None:
    for key in ("summary", "summary_id", "description", "description_id", "todo", "todo_id", "runbook_url"):
        assert notes[key] in text, key
    assert "Sejak 24-11-2026 10:30 WIB" in text
    assert "Since 24-11-2026 10:30 WIB" in text
    assert f"http://127.0.0.1:21206/d/{notes['dashboard']}-id?var-city=32.71" in text
    assert f"http://127.0.0.1:21206/{notes['runbook_url']}" in text


def test_a_page_reaches_a_telegram_group_and_says_in_both_languages_what_where_since_when_and_what_to_do(
    told: tuple[int, Mailbox, Group],
) -> None:
    port, _, group = told
    notes = raise_alert(port, "PsapCentreIsolated")
    wait_until(lambda: any("text" in said for said in group.said), "the message arrives")

    [message, *_] = [said["text"] for said in group.said if "text" in said]
    assert_says_all(message, notes)
    assert "Saya tangani" not in message, "no gateway has given it a link"


@pytest.mark.parametrize(
    ("province", "time"),
    [("Bali", "11:30 WITA"), ("Kalimantan Barat", "10:30 WIB"), ("Papua Selatan", "12:30 WIT"), ("", "10:30 WIB")],
)
def test_a_page_tells_the_time_by_the_clock_of_its_centre(told: tuple[int, Mailbox, Group], province: str, time: str) -> None:
    port, _, group = told
    raise_alert(port, "PsapCentreIsolated", province=province)
    wait_until(lambda: any("text" in said for said in group.said), "the message arrives")

    [message, *_] = [said["text"] for said in group.said if "text" in said]
    assert f"Sejak 24-11-2026 {time}. " in message
    assert f"Since 24-11-2026 {time}. " in message


def test_a_page_with_a_link_shows_it_and_its_end_does_not(told: tuple[int, Mailbox, Group]) -> None:
    port, _, group = told
    link = "https://gateway.example.go.id/v1/alarms/WyJ4Il0.x"
    raise_alert(port, "PsapCentreIsolated", link)
    wait_until(lambda: any("text" in said for said in group.said), "the message arrives")
    raise_alert(port, "PsapCentreIsolated", link, datetime.now(UTC).isoformat())
    wait_until(lambda: any("SELESAI" in said.get("text", "") for said in group.said), "its end arrives")

    first, *_, last = [said["text"] for said in group.said if "text" in said]
    assert f"\nSaya tangani / I have it: {link}\n" in first
    assert "Saya tangani" not in last


def test_a_ticket_reaches_a_mailbox_by_a_secret_session_and_a_password(told: tuple[int, Mailbox, Group]) -> None:
    port, mailbox, _ = told
    notes = raise_alert(port, "DeadLetters")
    wait_until(lambda: bool(mailbox.mails), "the mail arrives")

    assert_says_all(text_of(mailbox.mails[0]), notes)
    assert str(mailbox.mails[0]["Subject"]).startswith(f"[FIRING] {notes['summary_id']} / {notes['summary']}")


def test_a_webhook_with_a_token_hears_of_it_too(told: tuple[int, Mailbox, Group]) -> None:
    port, _, group = told
    notes = raise_alert(port, "PsapCentreIsolated")
    wait_until(lambda: any(said.get("receiver") == "webhook" for said in group.said), "it arrives")

    [said, *_] = [said for said in group.said if said.get("receiver") == "webhook"]
    assert said["alerts"][0]["annotations"] == notes


def test_the_runbook_shows_the_receiver_as_it_is_tried_here() -> None:
    """And with the numbers and paths that stand in the comments."""
    [shown] = re.findall(r"```yaml\n(.*?)```", (DASHBOARDS / "runbook" / "alarms.md").read_text(), re.DOTALL)
    comments = re.sub(r"^ +# ", "", (DASHBOARDS / "alertmanager.yml").read_text(), flags=re.MULTILINE)
    assert [line.strip() for line in shown.splitlines() if line.strip() not in comments] == []


def test_a_page_that_telegram_refuses_is_counted_as_failed_by_the_name_that_the_rule_asks_for(
    told: tuple[int, Mailbox, Group],
) -> None:
    port, _, group = told
    group.kicked = True
    assert failed(port, "telegram") == 0
    raise_alert(port, "PsapCentreIsolated")

    wait_until(lambda: failed(port, "telegram") > 0, "it is counted")


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
    wait_until(lambda: any("text" in said for said in group.said), "the blind monitor is told")
    assert not any("Watchdog" in said.get("text", "") for said in group.said)
    assert mailbox.mails == []


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
