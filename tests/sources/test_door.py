"""The door: what may be somebody's name or number does not come in, whoever tells it, and what names a thing does."""

import json
from typing import Any

import pytest

from schemas.event import Event
from schemas.topics import decode, encode
from streams.core.centre import parse
from streams.sources.door import NUMBER_AS_NAME, UNNAMED_SEAT, Door, code, looks_personal
from streams.sources.pseudonym import keyed
from tests.builders import START

KEY = keyed(b"a key of the test, long enough")
CENTRE = parse("""
code = "32.71"
name = "Kota Bogor"
timezone = "Asia/Jakarta"
seats = [{ code = "meja-1", also = ["Meja Pak Contoh"] }]
queues = [{ code = "112", also = ["Darurat 112", "Antrean Ibu Kota"] }]
reasons = ["rehat-tamu"]
""")


def event(kind: str, **data: Any) -> Event:
    told = {"id": "x", "source": "/32.71/x", "type": kind, "subject": "32.71", "time": START.isoformat(), "specversion": "1.0"}
    found = decode(json.dumps({**told, "data": data}).encode())
    assert isinstance(found, Event), found
    return found


def said(door: Door, kind: str, **data: Any) -> dict[str, Any] | None:
    found = door.admit(event(kind, **data))
    if found is None:
        return None
    assert decode(encode(found)) == found
    return found.data.model_dump(exclude_none=True, by_alias=True)


@pytest.mark.parametrize(
    "text",
    [
        "SakitBudiContoh", "Budi", "Budi Santoso", "BUDI SANTOSO", "istirahat-Budi", "Sakit_Budi", "081234567890",
        "0812-3456-7890", "sakit 081234567890", "hp0812345678", "Siti Nurhaliza 2",
    ],
)  # fmt: skip
def test_a_name_or_a_number_looks_like_a_person(text: str) -> None:
    assert looks_personal(text)


@pytest.mark.parametrize(
    "text",
    [
        "istirahat", "Istirahat", "ISTIRAHAT", "istirahat makan siang", "Istirahat Makan", "WrapUp", "wrapup", "Toilet", "rehat",
        "ISOMA", "BRB", "112", "Darurat 112", "IVR-112", "112@kota", "PS", "SIP/1001", "Agent/01", "seat-3", "123456", "dárurat",
        "seat-1a2b3c4d", "",
    ],
)  # fmt: skip
def test_a_usual_word_an_abbreviation_and_a_machine_s_name_do_not(text: str) -> None:
    assert not looks_personal(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("112", "112"),
        ("112@kota", "112@kota"),
        ("Darurat 112", "Darurat-112"),
        ("_112", "112"),
        ("#112", "112"),
        ("layanan-dárurat", "layanan-darurat"),
        ("  darurat / medis  ", "darurat-/-medis"),
        ("istirahat makan siang", "istirahat-makan-siang"),
    ],
)
def test_any_name_becomes_a_code_that_can_be_read(text: str, found: str) -> None:
    assert code(text) == found


def test_names_whose_letters_no_code_can_hold_stay_apart() -> None:
    texts = ["緊急", "警察", "112 緊急", "112 警察", "x" * 70, "x" * 71, "#", "##"]
    codes = [code(text) for text in texts]

    assert len(set(codes)) == len(texts)
    assert all(code(found) == found for found in codes)
    assert codes[0].startswith("queue-")


def test_a_reason_with_a_name_is_a_keyed_hash_and_left_out_without_a_key() -> None:
    keyed_reason = said(Door(KEY), "operator.paused", seat="seat-9", reason="SakitBudiContoh")

    assert keyed_reason is not None
    assert keyed_reason["reason"].startswith("reason-")
    assert said(Door(), "operator.paused", seat="seat-9", reason="SakitBudiContoh") == {"seat": "seat-9"}
    assert said(Door(), "operator.paused", seat="seat-9", reason="istirahat") == {"seat": "seat-9", "reason": "istirahat"}


def test_a_seat_or_a_queue_with_a_name_or_number_is_a_keyed_hash_and_without_a_key_not_told() -> None:
    door = Door()
    assert said(door, "operator.resumed", seat="Budi.Contoh") is None
    assert door.passed_over == {UNNAMED_SEAT: 1}
    assert said(door, "call.answered", call="c1", seat="Budi.Contoh") == {"call": "c1"}
    assert said(door, "call.queued", call="c1", queue="081234567890") == {"call": "c1", "queue": "other"}
    assert said(door, "call.transferred", call="c1", to="081234567890") == {"call": "c1"}

    told = [
        said(Door(KEY), "operator.resumed", seat="Budi.Contoh"),
        said(Door(KEY), "call.queued", call="c1", queue="081234567890"),
    ]
    assert "Budi" not in str(told)
    assert "0812" not in str(told)
    assert told[0] is not None
    assert said(Door(KEY), "call.answered", call="c1", seat="Budi.Contoh") == {"call": "c1", "seat": told[0]["seat"]}


def test_what_went_through_the_door_goes_through_again_unchanged() -> None:
    for n in range(300):
        once = Door(KEY).admit(event("operator.paused", seat=f"Budi.Contoh{n}", reason=f"SakitBudi{n}"))
        assert once is not None
        assert Door().admit(once) is once


def test_what_the_centre_s_file_names_has_its_code_however_it_is_spelt() -> None:
    door = Door(KEY, [CENTRE])

    assert door.code("32.71", "queue", "Antrean Ibu Kota") == "112"
    assert door.code("32.71", "queue", "DARURAT_112") == "112"
    assert door.code("32.71", "reason", "Rehat Tamu") == "rehat-tamu"
    assert door.seat("32.71", "meja pak contoh") == "meja-1"
    assert door.code("32.71", "queue", "Bogor") == "Bogor"
    assert str(door.code("32.72", "queue", "Antrean Ibu Kota")) != "112"
    assert str(door.code("32.72", "queue", "Bogor")).startswith("queue-")


@pytest.mark.parametrize("number", ["081234567890", "6281234567890", "0812-3456-7890", "0251.123.4567"])
def test_a_call_that_is_named_by_a_telephone_number_is_passed_over_and_counted(number: str) -> None:
    door = Door(KEY)

    assert door.admit(event("call.answered", call=number)) is None
    assert door.admit(event("ticket.opened", ticket=number, category="banjir", opd="damkar")) is None
    assert door.passed_over == {NUMBER_AS_NAME: 2}


@pytest.mark.parametrize("name", ["1732500000.1", "1732500000", "20260105-0001", "P-081", "000123456", "bogor-1732500000.12"])
def test_a_call_that_a_system_has_numbered_is_let_in(name: str) -> None:
    told = event("call.answered", call=name)

    assert Door(KEY).admit(told) is told


def test_what_the_centres_file_names_keeps_its_code_when_the_key_is_changed() -> None:
    former, current = Door(KEY, [CENTRE]), Door(keyed(b"another key, long enough", b"a key of the test, long enough"), [CENTRE])

    assert former.code("32.71", "queue", "112") == current.code("32.71", "queue", "112")
    assert former.seat("32.71", "meja-1") == current.seat("32.71", "meja-1")
    [said, before] = [door.caller("081234567890") for door in (current, former)]
    assert said["caller_before"] == before["caller"] != said["caller"]
    assert said["caller_key"] != before["caller_key"]
