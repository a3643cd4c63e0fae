"""A vendor's box that only speaks its own JSON: an SQL query says which events its messages are."""

import contextlib
import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from streams.edge.gateway.hooks import Hooks, HooksError
from streams.edge.gateway.intake import Intake
from streams.sources.door import Door
from tests.builders import BOGOR, offered
from tests.edge.gateway.served import Answer, Served, served

SQL = """
SELECT 'call.offered' AS type, masuk AS time, nomor_panggilan AS call, '112' AS queue, telepon AS caller
FROM rows WHERE status = 'masuk'
UNION ALL BY NAME
SELECT 'call.answered' AS type, dijawab AS time, nomor_panggilan AS call FROM rows WHERE status = 'dijawab'
"""
CAME = {"status": "masuk", "nomor_panggilan": "P-1", "masuk": "2026-01-05 08:00:00", "telepon": "0812-3456-7890", "nama": "Budi"}
SECRET = b"a secret of the vendor's box"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "vendor.sql").write_text(SQL)
    (tmp_path / "secret").write_bytes(SECRET + b"\n")
    path = tmp_path / "hooks.toml"
    path.write_text(
        '[hooks.vendor]\nsql = "vendor.sql"\ncentre = "32.71"\n'
        '[hooks.signed]\nsql = "vendor.sql"\ncentre = "32.71"\n'
        'signature = "X-Hub-Signature-256"\nsecret_file = "secret"\ntypes = ["call.offered"]\n'
    )
    return path


@pytest.fixture
def gateway(tmp_path: Path, file: Path) -> Iterator[Served]:
    with served(tmp_path, hooks=file) as running:
        yield running


def post(gateway: Served, message: object, kind: str = "application/json", token: str | None = None) -> Answer:
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    headers = {"Authorization": f"Bearer {token or gateway.token}", "Content-Type": kind}
    return gateway.ask("POST", "/v1/hooks/vendor", body, **headers)


def told(gateway: Served) -> list[tuple[str, str, dict[str, object]]]:
    return [
        (event.type, event.source, event.data.model_dump(exclude_none=True, exclude={"clock", "caller", "caller_key"}))
        for event in gateway.log.written
    ]


def test_a_message_becomes_the_events_that_its_query_says_without_names_and_numbers(gateway: Served) -> None:
    answer = post(gateway, CAME)

    assert (answer.status, answer.json) == (202, {"accepted": 1})
    assert told(gateway) == [("call.offered", "/32.71/vendor", {"call": "P-1", "queue": "112"})]
    [event] = gateway.log.written
    assert event.time.isoformat() in {"2026-01-05T08:00:00+07:00", "2026-01-05T01:00:00+00:00"}
    assert "Budi" not in event.model_dump_json()
    assert "3456" not in event.model_dump_json()


def test_a_form_is_a_message_too_and_an_array_is_several(gateway: Served) -> None:
    assert post(gateway, urlencode(CAME).encode(), "application/x-www-form-urlencoded").json == {"accepted": 1}
    answered = {"status": "dijawab", "nomor_panggilan": "P-1", "dijawab": "2026-01-05T08:00:20+07:00"}
    assert post(gateway, [CAME, answered], "application/vnd.vendor+json").json == {"accepted": 2}

    assert [kind for kind, _, _ in told(gateway)] == ["call.offered", "call.offered", "call.answered"]
    assert gateway.log.written[0].id == gateway.log.written[1].id, "the same message again is the same event"


def test_a_message_of_which_the_query_says_nothing_is_taken(gateway: Served) -> None:
    assert post(gateway, {"status": "ping"}).json == {"accepted": 0}


def test_a_message_that_is_no_good_is_named_by_column_and_the_good_ones_are_taken(gateway: Served) -> None:
    answer = post(gateway, [CAME, CAME | {"nomor_panggilan": "Ibu Sri", "masuk": "2026-01-05 08:01"}])

    assert answer.status == 422
    assert answer.json["accepted"] == 1
    [refused] = answer.json["refused"]
    assert (refused["index"], refused["field"]) == (1, "call")
    assert "Sri" not in answer.text


def test_a_token_may_say_by_a_hook_what_it_may_say_otherwise_and_no_more(gateway: Served) -> None:
    assert post(gateway, CAME, token=gateway.tokens.add(["32.71"], ["link.*"])).status == 403
    assert post(gateway, CAME, token=gateway.tokens.add(["32.76"], ["*"])).status == 403
    assert post(gateway, CAME, token="p112_00000000_x").status == 401
    assert gateway.log.written == []


def test_a_box_that_cannot_show_a_token_signs(gateway: Served) -> None:
    body = json.dumps(CAME).encode()
    mark = hmac.new(SECRET, body, hashlib.sha256).hexdigest()

    def signed(body: bytes, mark: str) -> Answer:
        return gateway.ask("POST", "/v1/hooks/signed", body, **{"Content-Type": "application/json", "X-Hub-Signature-256": mark})

    for wrong in ("", "sha256=", mark[:-1], "0" * 64, "é"):
        assert signed(body, wrong).status == 401
    assert signed(body + b" ", mark).status == 401
    assert gateway.log.written == []
    assert signed(body, f"sha256={mark}").status == 202
    assert signed(body, mark.upper()).status == 202

    other = json.dumps({"status": "dijawab", "nomor_panggilan": "P-1", "dijawab": "2026-01-05T08:00:20+07:00"}).encode()
    assert signed(other, hmac.new(SECRET, other, hashlib.sha256).hexdigest()).status == 403, "it may only say call.offered"


def test_who_cannot_sign_keeps_nobody_out_who_can(gateway: Served) -> None:
    body = json.dumps(CAME).encode()
    signed = {"Content-Type": "application/json", "X-Hub-Signature-256": hmac.new(SECRET, body, hashlib.sha256).hexdigest()}
    head = b"POST /v1/hooks/signed HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n["
    with contextlib.ExitStack() as strangers:
        for _ in range(300):  # more than the gateway answers at once
            strangers.enter_context(socket.create_connection(("127.0.0.1", gateway.port))).sendall(head)
        assert gateway.ask("POST", "/v1/hooks/signed", body, **signed).status == 202
        assert gateway.send(offered("c1", 0)).status == 202


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [(b"{", "application/json", 400), (b"[1]", "application/json", 400), (b"\xff=1", "application/x-www-form-urlencoded", 400),
     (b"&".join([b"a=1"] * 2_000), "application/x-www-form-urlencoded", 400), (b"<a/>", "text/xml", 415)],
)  # fmt: skip
def test_what_is_no_message_is_said_to_be_none(gateway: Served, body: bytes, kind: str, status: int) -> None:
    assert post(gateway, body, kind).status == status


def test_a_hook_that_there_is_not_is_no_page(gateway: Served) -> None:
    assert gateway.ask("POST", "/v1/hooks/other", b"{}").status == 404


OFFERED = "SELECT 'call.offered' AS type, masuk AS time, 'c' AS call"


@pytest.mark.parametrize(
    "rest", ["'112' AS queue, '/32.76/pbx' AS source", "(SELECT content FROM read_text('/etc/hostname')) AS queue"]
)
def test_a_query_may_not_speak_for_another_centre_or_look_at_a_file(tmp_path: Path, file: Path, rest: str) -> None:
    (tmp_path / "vendor.sql").write_text(f"{OFFERED}, {rest} FROM rows")
    with served(tmp_path / "one", hooks=file) as gateway:
        assert post(gateway, CAME).status == 422
        assert gateway.log.written == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "hooks"),
        ('[hooks.vendor]\nsql = "vendor.sql"\ncentre = "32.71"\ntypes = ["call.*"]', "go together"),
        ('[hooks.vendor]\nsql = "nowhere.sql"\ncentre = "32.71"', "nowhere.sql"),
        ('[hooks.vendor]\nsql = "vendor.sql"\ncentre = "32.76"', "not one of this gateway"),
        ('[hooks."Vendor 1"]\nsql = "vendor.sql"\ncentre = "32.71"', "line 1"),
        ('[hooks.vendor]\nsql = "secret"\ncentre = "32.71"', "secret: "),
        ('[hooks.vendor]\nsql = "vendor.sql"\ncentre = "32.71"\nsecret = "x"', "line 4"),
    ],
)
def test_a_file_of_hooks_that_is_wrong_is_refused_with_what_is_wrong(file: Path, text: str, what: str) -> None:
    file.write_text(text)
    with pytest.raises(HooksError, match=what):
        Hooks(file, {"32.71": BOGOR}, Door(centres=[BOGOR]), Intake(["32.71"], Door()))
