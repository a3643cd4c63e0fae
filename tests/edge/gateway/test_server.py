"""Events come in over HTTP, for whoever has a token, and 202 means that they are in the log."""

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.topics import EVENT_TYPES, TOPIC_OF, encode
from streams import serving
from streams.edge.gateway import server as gateway_module
from streams.edge.gateway.allowance import AT_ONCE, Allowance
from streams.edge.gateway.cloudevents import BATCHED, STRUCTURED
from streams.edge.gateway.tokens import DECISIONS
from tests.builders import answered, approved, link, logged_in, offered, opened
from tests.conftest import wait_until
from tests.edge.gateway.served import DEPOK, Served, served
from tests.strategies import Teller

CALL = offered("c1", 0)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as running:
        yield running


def changed(event: object = CALL, **attributes: object) -> bytes:
    """An event as JSON, with other attributes; None leaves one out."""
    said = json.loads(encode(event)) | attributes  # type: ignore[arg-type]
    return json.dumps({name: value for name, value in said.items() if value is not None}).encode()


@pytest.mark.parametrize("kind", [STRUCTURED, "application/json", "application/json; charset=utf-8"])
def test_one_event_is_taken(gateway: Served, kind: str) -> None:
    answer = gateway.post(encode(CALL), kind)

    assert (answer.status, answer.json) == (202, {"accepted": 1})
    assert gateway.log.written == [CALL]


@pytest.mark.parametrize("kind", [BATCHED, "application/json"])
def test_a_batch_is_taken_in_its_order(gateway: Served, kind: str) -> None:
    events = [offered("c1", 0), answered("c1", 5), link("down", 6)]

    answer = gateway.post(b"[" + b",".join(map(encode, events)) + b"]", kind)

    assert (answer.status, answer.json) == (202, {"accepted": 3})
    assert gateway.log.written == events


def test_an_event_in_binary_mode_is_the_same_event(gateway: Served) -> None:
    said = json.loads(encode(CALL))
    data = json.dumps(said.pop("data")).encode()

    answer = gateway.post(data, "application/json", **{f"ce-{name}": text.replace(":", "%3A") for name, text in said.items()})

    assert answer.status == 202
    assert gateway.log.written == [CALL]


def test_the_bad_ones_of_a_batch_are_named_and_the_good_ones_taken(gateway: Served) -> None:
    good = offered("c1", 0), answered("c1", 5)
    bad = changed(id="2", data={"call": "c2", "queue": "Ibu Sri 0812"}), changed(id="3", time="today"), b"7"

    answer = gateway.post(b"[" + b",".join([encode(good[0]), bad[0], encode(good[1]), *bad[1:]]) + b"]")

    assert answer.status == 422
    assert answer.json == {
        "accepted": 2,
        "refused": [
            {"index": 1, "field": "data.queue", "reason": "string pattern mismatch"},
            {"index": 3, "field": "time", "reason": "string pattern mismatch"},
            {"index": 4, "field": "event", "reason": "dict type"},
        ],
    }
    assert gateway.log.written == list(good)


@pytest.mark.parametrize(
    ("event", "field", "reason"),
    [
        (changed(specversion=None), "specversion", "missing"),
        (changed(type="call.sung"), "type", "no type that is known here"),
        (changed(source="/32.76/asterisk"), "source", "must begin with /<subject>/"),
        (changed(source="asterisk"), "source", "must begin with /<subject>/"),
        (changed(data={"call": "c", "queue": "112", "clock": "arrival", "caller": "081234567890"}), "data.caller", "pattern"),
        (changed(logged_in("seat-1", 0), data={"seat": "BudiSantoso"}), "data.seat", "PANTAU112_CALLER_KEY_FILE"),
    ],
)
def test_a_refused_event_hears_which_field_and_why(gateway: Served, event: bytes, field: str, reason: str) -> None:
    answer = gateway.post(event, STRUCTURED)

    assert answer.status == 422
    assert answer.json["accepted"] == 0
    assert answer.json["refused"][0]["field"] == field
    assert reason in answer.json["refused"][0]["reason"]


@given(
    secret=st.from_regex(r"[A-Z][a-z]{7} [0-9]{8}", fullmatch=True),
    place=st.sampled_from(["id", "source", "type", "subject", "time", "data"]),
)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_answer_repeats_what_was_sent(gateway: Served, secret: str, place: str) -> None:
    for value in (secret, {secret: secret}, {"scores": {secret: 1}}, {"call": secret, "queue": secret}, [secret]):
        for kind in ("call.offered", "survey.answered"):
            answer = gateway.post(changed(**({"type": kind} | {place: value})), STRUCTURED)

            assert answer.status == 422
            assert secret not in answer.text
            assert secret.split(maxsplit=1)[0] not in answer.text


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"", BATCHED), (b"{", BATCHED), (b"Budi", STRUCTURED), (b"7", "application/json"), (b"[]", STRUCTURED), (b"{}", BATCHED),
     (b"[" * 5000, BATCHED), (b"\xff", BATCHED), (b"call=c1", "application/json")],
)  # fmt: skip
def test_what_is_no_event_and_no_batch_is_said_to_be_none(gateway: Served, body: bytes, kind: str) -> None:
    answer = gateway.post(body, kind)

    assert answer.status == 400
    assert "body" in answer.json["error"]
    assert "Budi" not in answer.text


def test_other_kinds_of_bodies_are_not_looked_at(gateway: Served) -> None:
    assert gateway.post(encode(CALL), "text/plain").status == 415
    assert gateway.log.written == []


@pytest.mark.parametrize("said", ["", "Bearer ", "Bearer p112_00000000_x", "Basic cDExMg==", "Bearer p112", "Bearer \xe9"])
def test_without_a_token_that_is_known_nothing_is_taken(gateway: Served, said: str) -> None:
    answer = gateway.ask("POST", "/v1/events", encode(CALL), Authorization=said, Content_Type=STRUCTURED)

    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert gateway.log.written == []


def test_a_token_counts_whole(gateway: Served) -> None:
    prefix, name, secret = gateway.token.split("_", 2)

    for wrong in (f"{prefix}_{name}_{secret[:-1]}", f"{prefix}_{name}_", f"x_{name}_{secret}", gateway.token.lower()):
        assert gateway.post(encode(CALL), STRUCTURED, wrong).status == 401


def test_who_is_revoked_is_out_at_the_next_request_and_who_is_added_is_in(gateway: Served) -> None:
    added = gateway.tokens.add(["32.71"], ["call.*"])

    assert gateway.send(CALL, token=added).status == 202

    assert gateway.tokens.revoke(added.split("_")[1])
    assert gateway.send(CALL, token=added).status == 401


@given(seed=st.integers(0, 10**6))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_token_of_one_centre_can_say_nothing_about_another(gateway: Served, seed: int) -> None:
    """Of every type, also under the name of a source of its own centre."""
    teller = Teller(seed, [DEPOK])
    events = [teller.tell() for _ in range(10)]
    own = [event.model_copy(update={"source": "/32.71/asterisk"}) for event in events]

    for told in (events, own):
        answer = gateway.send(*told)
        assert answer.status == 403
        assert {one["field"] for one in answer.json["refused"]} == {"subject"}
        assert len(answer.json["refused"]) == len(told)
    assert gateway.log.written == []


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_a_token_tells_the_types_it_was_made_for_and_no_others(gateway: Served, name: str) -> None:
    example = (Path(__file__).parents[3] / "schemas" / "examples" / f"{name}.json").read_bytes()
    noun = name.partition(".")[0]
    for it in (
        gateway.tokens.add(["32.71"], [f"{noun}.*"], may_decide=True),
        gateway.tokens.add(["32.71"], ["*"], may_decide=True),
    ):
        assert gateway.post(example, STRUCTURED, it).status == 202
    other = next(other for other in EVENT_TYPES if other.partition(".")[0] != noun)
    answer = gateway.post(example, STRUCTURED, gateway.tokens.add(["32.71"], [other], may_decide=True))

    assert answer.status == 403
    assert answer.json["refused"][0]["field"] == "type"


@pytest.mark.parametrize("name", sorted(DECISIONS))
def test_decisions_about_callers_need_a_right_of_their_own(gateway: Served, name: str) -> None:
    example = (Path(__file__).parents[3] / "schemas" / "examples" / f"{name}.json").read_bytes()

    answer = gateway.post(example, STRUCTURED)

    assert answer.status == 403
    assert "right of their own" in answer.json["refused"][0]["reason"]
    assert gateway.log.written == []


def test_every_decision_is_known_as_one() -> None:
    assert {name for name in EVENT_TYPES if name.startswith("caller.") and name != "caller.contacted"} == DECISIONS
    assert approved("a", 0, 60).type in DECISIONS
    assert TOPIC_OF[opened("t", 0).type].noun == "dispatch"


def test_while_the_log_is_away_nothing_is_said_to_be_taken_and_then_it_goes_on(gateway: Served) -> None:
    gateway.log.is_up = False
    answer = gateway.send(CALL)

    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert gateway.ask("GET", "/ready").status == 503
    assert gateway.ask("GET", "/health").status == 200
    assert "pantau112_gateway_kafka_up 0.0" in gateway.ask("GET", "/metrics").text

    gateway.log.is_up = True
    assert gateway.send(CALL).status == 202
    assert gateway.ask("GET", "/ready").status == 200


def test_what_was_taken_and_refused_is_counted(gateway: Served) -> None:
    gateway.send(CALL, answered("c1", 5))
    gateway.post(changed(type="call.sung"), STRUCTURED)

    page = gateway.ask("GET", "/metrics").text
    assert "pantau112_gateway_events_accepted_total 2.0" in page
    assert 'pantau112_gateway_events_refused_total{reason="unknown_type"} 1.0' in page
    assert 'pantau112_gateway_requests_total{path="/v1/events",status="202"} 1.0' in page
    assert 'pantau112_gateway_request_seconds_count{path="/v1/events"} 2.0' in page


def test_a_body_that_is_too_large_is_refused_before_it_is_read(gateway: Served) -> None:
    too_large = gateway_module.LARGEST_BODY + 1

    assert gateway.post(b" " * too_large).status == 413
    assert gateway.post(gzip.compress(b" " * 200_000_000), Content_Encoding="gzip").status == 413
    assert gateway.send(CALL).status == 202


def test_a_request_of_more_events_than_an_answer_can_name_is_refused_whole(gateway: Served) -> None:
    assert gateway.post(b"[" + b",".join([b"0"] * 5_000) + b"]").status == 422
    answer = gateway.post(b"[" + b",".join([b"0"] * 5_001) + b"]")

    assert answer.status == 413
    assert "5,000" in answer.json["error"]


def test_who_sends_too_much_waits_and_the_others_do_not(tmp_path: Path) -> None:
    with served(tmp_path, rate=1.0) as gateway:
        other = gateway.tokens.add(["32.71"], ["*"])
        many = [offered(f"c{n}", n) for n in range(40)]

        assert gateway.send(*many).status == 202, "what came in one request is taken"
        answer = gateway.send(CALL)
        assert answer.status == 429
        assert 20 < int(answer.headers["retry-after"]) <= 31
        assert gateway.send(CALL, token=other).status == 202


def test_a_sender_may_send_its_rate_for_ever_and_a_burst_after_silence() -> None:
    now = 0.0
    allowance = Allowance(100, lambda: now)
    for _ in range(100):
        now += 1.0
        assert allowance.wait_seconds == 0
        allowance.spend(100)
    now += 1000.0
    assert allowance.wait_seconds == 0
    allowance.spend(1500)
    assert allowance.wait_seconds == pytest.approx(5.0)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebound.example"},
        {"Origin": "http://rebound.example"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"},
    ],
    ids=str,
)
def test_a_page_of_another_site_reads_no_figures_and_a_proxy_may_have_any_name(gateway: Served, headers: dict[str, str]) -> None:
    assert gateway.ask("GET", "/metrics", None, **headers).status == 403
    assert gateway.ask("GET", "/metrics").status == 200
    assert gateway.post(encode(CALL), "application/cloudevents+json", Host="gateway.example.go.id").status == 202


def _half(gateway: Served, token: str | None) -> socket.socket:
    """A client that begins to send, and then takes its time."""
    slow = socket.create_connection(("127.0.0.1", gateway.port))
    head = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    if token:
        head += f"Authorization: Bearer {token}\r\nContent-Length: 1000\r\n\r\n[".encode()
    slow.sendall(head)
    return slow


def test_slow_clients_of_one_token_harm_nobody_else(gateway: Served) -> None:
    other = gateway.tokens.add(["32.71"], ["*"])
    slow = [_half(gateway, gateway.token) for _ in range(AT_ONCE)] + [_half(gateway, None) for _ in range(300)]
    answer = gateway.send(CALL, token=other)

    assert answer.status == 202
    wait_until(lambda: gateway.send(CALL).status == 429, "all of the slow ones are being read")
    for one in slow:
        one.close()
    wait_until(lambda: gateway.send(CALL).status == 202, "they have gone")


def test_a_body_that_does_not_come_ends(gateway: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_module, "BODY_SECONDS", 0.05)

    assert _half(gateway, gateway.token).recv(1000).startswith(b"HTTP/1.1 408")


def test_headers_that_do_not_come_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "IDLE_SECONDS", 0.05)
    with served(tmp_path) as gateway:
        assert _half(gateway, None).recv(1000) == b""


def test_many_clients_at_once_are_all_answered(gateway: Served) -> None:
    statuses: list[int] = []
    threads = [threading.Thread(target=lambda n=n: statuses.append(gateway.send(offered(f"c{n}", n)).status)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [202] * 5
    assert {event.id for event in gateway.log.written} == {offered(f"c{n}", n).id for n in range(5)}


def test_other_sites_pages_may_not_ask(gateway: Served) -> None:
    answer = gateway.ask("OPTIONS", "/v1/events", Origin="https://example.org", Access_Control_Request_Method="POST")

    assert answer.status == 405
    assert not any(name.startswith("access-control") for name in gateway.post(encode(CALL), STRUCTURED).headers)


def test_a_page_that_there_is_not_is_said_in_json(gateway: Served) -> None:
    assert "openapi" in gateway.ask("GET", "/v1/calls").json["error"]
