"""Weather warnings as BMKG writes them: an OID, effective without onset, the province as area, a polygon for each kecamatan."""

import re
from datetime import datetime
from pathlib import Path

import pytest

from schemas.environment import EnvironmentEvent
from schemas.topics import decode
from streams.centres import PACKAGED
from streams.core import environment
from streams.core.centre import parse as centre_of
from streams.core.environment import WARNING, State
from streams.sources.cap import LARGEST, CapError, parse
from tests.builders import said
from tests.cli.test_cli import pantau112

BOGOR = centre_of(PACKAGED.read_text())

ALERT = """<?xml version="1.0" ?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>2.49.0.1.360.0.2026.05.20.01.32.001</identifier>
  <sender>cuaca.ekstrem@bmkg.go.id</sender>
  <sent>2026-05-20T14:55:00+07:00</sent>
  <status>Actual</status>
  <msgType>Alert</msgType>
  <scope>Public</scope>
  <info>
    <language>id</language>
    <category>Met</category>
    <event>Hujan Lebat dan Petir</event>
    <urgency>Immediate</urgency>
    <severity>Moderate</severity>
    <certainty>Observed</certainty>
    <eventCode><valueName>OET:v1.2</valueName><value>OET-194</value></eventCode>
    <effective>2026-05-20T15:05:00+07:00</effective>
    <expires>2026-05-20T17:00:00+07:00</expires>
    <senderName>Badan Meteorologi Klimatologi dan Geofisika</senderName>
    <headline>Hujan Lebat disertai Petir di Jawa Barat</headline>
    <description>Hubungi Budi Santoso 08123456789</description>
    <contact>06221 196</contact>
    <area>
      <areaDesc>Jawa Barat</areaDesc>
      <polygon>-6.59,106.79 -6.60,106.80 -6.61,106.79 -6.59,106.79</polygon>
    </area>
  </info>
</alert>"""


def changed(**elements: str) -> bytes:
    """The alert with other texts in some elements."""
    text = ALERT
    for name, other in elements.items():
        text, n = re.subn(rf"<{name}>[^<]*</{name}>", f"<{name}>{other}</{name}>", text)
        assert n == 1, name
    return text.encode()


def without(element: str) -> bytes:
    text, n = re.subn(rf"<{element}>.*?</{element}>", "", ALERT, flags=re.DOTALL)
    assert n == 1
    return text.encode()


def events(xml: bytes) -> list[EnvironmentEvent]:
    return list(parse(xml).events(BOGOR))


def after(*files: bytes) -> State:
    state = State()
    for event in sorted((event for xml in files for event in events(xml)), key=lambda event: event.time):
        environment.step(state, event, event.time.timestamp(), BOGOR)
    return state


def holding(state: State, moment: str) -> set[tuple[object, ...]]:
    now = datetime.fromisoformat(f"2026-05-20T{moment}+07:00").timestamp()
    return {key[1:] for key in said(environment.measure(state, now, BOGOR)) if key[0] is WARNING}


def test_a_warning_of_bmkg_becomes_one_event_without_its_free_text() -> None:
    [event] = events(ALERT.encode())

    assert event.model_dump(mode="json", exclude_none=True, exclude={"id"}) == {
        "specversion": "1.0",
        "source": "/32.71/bmkg",
        "type": "weather.warned",
        "subject": "32.71",
        "time": "2026-05-20T14:55:00+07:00",
        "data": {
            "warning": "2.49.0.1.360.0.2026.05.20.01.32.001",
            "event": "hujan-lebat-dan-petir",
            "severity": "Moderate",
            "urgency": "Immediate",
            "certainty": "Observed",
            "onset": "2026-05-20T15:05:00+07:00",
            "expires": "2026-05-20T17:00:00+07:00",
            "attribution": "BMKG",
        },
    }


def test_it_holds_from_when_it_is_effective() -> None:
    labels = ("hujan-lebat-dan-petir", "Moderate", "Immediate", "Observed", "BMKG")

    assert holding(after(ALERT.encode()), "15:04:59") == set()
    assert holding(after(ALERT.encode()), "15:05:00") == {labels}


def test_without_effective_it_holds_from_when_it_was_sent_and_an_onset_comes_before_both() -> None:
    onset = ALERT.replace("<effective>", "<onset>2026-05-20T15:30:00+07:00</onset><effective>").encode()

    assert holding(after(without("effective")), "14:55:00")
    assert not holding(after(onset), "15:29:59")
    assert holding(after(onset), "15:30:00")


def test_a_file_read_again_gives_the_same_event() -> None:
    assert events(ALERT.encode()) == events(ALERT.encode())
    assert events(ALERT.encode())[0].id != events(changed(sent="2026-05-20T14:56:00+07:00"))[0].id


def test_an_update_takes_the_place_of_what_it_refers_to() -> None:
    first = ALERT.encode()
    update = (
        ALERT.replace("01.32.001", "01.32.002")
        .replace("<msgType>Alert", "<msgType>Update")
        .replace("T14:55", "T15:30")
        .replace("T15:05", "T15:30")
        .replace("Moderate", "Severe")
        .replace(
            "<scope>",
            "<references>cuaca.ekstrem@bmkg.go.id,2.49.0.1.360.0.2026.05.20.01.32.001,2026-05-20T14:55:00+07:00</references><scope>",
        )
        .encode()
    )

    assert [event.type for event in events(update)] == ["weather.cancelled", "weather.warned"]
    assert {labels[1] for labels in holding(after(first, update), "15:29:59")} == {"Moderate"}
    assert {labels[1] for labels in holding(after(first, update), "15:31:00")} == {"Severe"}


def test_a_cancellation_ends_what_it_refers_to_and_needs_to_say_no_area() -> None:
    cancel = b"""<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>x</identifier>
      <sender>cuaca.ekstrem@bmkg.go.id</sender><sent>2026-05-20T16:00:00+07:00</sent><status>Actual</status><msgType>Cancel</msgType>
      <references>cuaca.ekstrem@bmkg.go.id,2.49.0.1.360.0.2026.05.20.01.32.001,2026-05-20T14:55:00+07:00</references></alert>"""

    assert parse(cancel).concerns(BOGOR)
    assert holding(after(ALERT.encode(), cancel), "15:59:59")
    assert not holding(after(ALERT.encode(), cancel), "16:00:00")


@pytest.mark.parametrize(
    ("area", "ours"),
    [
        ("Jawa Barat", True),
        ("Provinsi Jawa Barat", True),
        ("jawa barat; Banten", True),
        ("Kota Bogor", True),
        ("Kabupaten Bogor, Kabupaten Cianjur", False),
        ("Wilayah BOGOR dan sekitarnya", True),
        ("Jawa Tengah", False),
        ("Kabupaten Bogorejo", False),
        ("Sulawesi Barat", False),
        ("", False),
        ("-", False),
    ],
)
def test_a_warning_is_for_a_centre_whose_city_or_province_is_its_area(area: str, ours: bool) -> None:
    assert parse(changed(areaDesc=area)).concerns(BOGOR) is ours


def test_papua_is_not_warned_of_what_is_for_papua_barat() -> None:
    jayapura = BOGOR.model_copy(update={"code": "91.71", "name": "Kota Jayapura", "province": "Papua"})

    assert not parse(changed(areaDesc="Papua Barat")).concerns(jayapura)
    assert parse(changed(areaDesc="Papua")).concerns(jayapura)


def drawn(area: str) -> bytes:
    """The alert with an area of which only a drawing or a code says where."""
    text, n = re.subn(r"<areaDesc>.*</polygon>", f"<areaDesc>-</areaDesc>{area}", ALERT, flags=re.DOTALL)
    assert n == 1
    return text.encode()


@pytest.mark.parametrize(
    ("area", "ours"),
    [
        ("<polygon>-6.4,106.6 -6.4,107.0 -6.8,107.0 -6.8,106.6 -6.4,106.6</polygon>", True),
        ("<polygon>-6.4,106.6 -6.4,107.0 -6.8,107.0 -6.8,106.6</polygon>", True),
        ("<polygon>-6.4,106.9 -6.4,107.3 -6.8,107.3 -6.8,106.9 -6.4,106.9</polygon>", False),
        ("<polygon>-6.4,106.6 -6.4,107.0 -6.8,107.0 -6.8,106.9 -6.5,106.79 -6.8,106.6 -6.4,106.6</polygon>", False),
        ("<polygon>1,1 1,2 2,2 1,1</polygon><polygon>-6.4,106.6 -6.4,107.0 -6.8,107.0 -6.8,106.6 -6.4,106.6</polygon>", True),
        ("<circle>-6.60,106.80 5</circle>", True),
        ("<circle>-6.95,106.7970 39.4</circle>", False),
        ("<circle>-6.95,106.7970 39.6</circle>", True),
        ("<geocode><valueName>Kemendagri</valueName><value>32.71</value></geocode>", True),
        ("<geocode><valueName>kode_wilayah</valueName><value>3271</value></geocode>", True),
        ("<geocode><valueName>ADM4</valueName><value>32.71.05.1001</value></geocode>", True),
        ("<geocode><valueName>BPS</valueName><value>3271050</value></geocode>", True),
        ("<geocode><valueName>kode_provinsi</valueName><value>32</value></geocode>", True),
        ("<geocode><valueName>Kemendagri</valueName><value>32.01</value></geocode>", False),
        ("<geocode><valueName>FIPS6</valueName><value>3271</value></geocode>", False),
        ("<geocode><valueName>BPS</valueName><value>Bogor</value></geocode>", False),
    ],
)  # fmt: skip
def test_where_no_name_says_it_a_drawing_round_the_centres_place_or_a_code_does(area: str, ours: bool) -> None:
    assert parse(drawn(area)).concerns(BOGOR) is ours


def test_a_centre_that_does_not_say_where_it_lies_is_in_no_drawing() -> None:
    assert not parse(drawn("<circle>-6.60,106.80 5</circle>")).concerns(BOGOR.model_copy(update={"place": None}))


def infos(*each: dict[str, str]) -> bytes:
    """The alert with as many infos, each with other texts in some elements."""
    info = re.search(r"<info>.*</info>", ALERT, re.DOTALL)
    assert info
    texts = []
    for elements in each:
        text = info[0]
        for name, other in elements.items():
            text, n = re.subn(rf"<{name}>[^<]*</{name}>", f"<{name}>{other}</{name}>", text)
            assert n == 1, name
        texts.append(text)
    return ALERT.replace(info[0], "".join(texts)).encode()


def test_every_info_of_one_language_is_a_warning_of_its_own() -> None:
    two = infos({"severity": "Minor"}, {"severity": "Extreme", "event": "Angin Kencang", "areaDesc": "Kota Bogor"})

    assert [(event.data.warning[32:], event.data.severity) for event in events(two) if event.type == "weather.warned"] == [
        ("001", "Minor"),
        ("001/info-2", "Extreme"),
    ]
    assert events(two) == events(two)
    assert len({event.id for event in events(two)}) == 2
    assert {labels[1] for labels in holding(after(two), "15:05:00")} == {"Minor", "Extreme"}


def test_only_the_info_for_the_centres_area_is_its_warning_and_keeps_its_number() -> None:
    two = infos({"areaDesc": "Kabupaten Bogor"}, {"event": "Angin Kencang", "areaDesc": "Kota Bogor"})

    [event] = events(two)
    assert event.type == "weather.warned"
    assert (event.data.event, event.data.warning[32:]) == ("angin-kencang", "001/info-2")


def test_the_same_info_in_two_languages_is_one_and_one_that_only_english_has_is_another() -> None:
    rain, wind = {"event": "Heavy Rain", "areaDesc": "West Java"}, {"event": "Strong Wind", "severity": "Severe"}
    three = infos(rain | {"language": "en-US"}, wind | {"language": "en-US", "areaDesc": "Bogor City"}, {})

    assert [event.data.event for event in events(three) if event.type == "weather.warned"] == [
        "hujan-lebat-dan-petir",
        "strong-wind",
    ]


def test_two_infos_that_differ_in_their_area_alone_are_matched_to_the_right_translations() -> None:
    four = infos(
        {"areaDesc": "Kota Bogor"},
        {"areaDesc": "Kota Depok"},
        {"areaDesc": "Depok City", "language": "en"},
        {"areaDesc": "Bogor City", "language": "en"},
    )

    assert len(parse(four).warnings) == 2


ALL_CLEAR = "<responseType>AllClear</responseType>"
REFERENCES = "<references>cuaca.ekstrem@bmkg.go.id,2.49.0.1.360.0.2026.05.20.01.32.001,2026-05-20T14:55:00+07:00</references>"


@pytest.mark.parametrize("kind", ["Alert", "Update"])
def test_an_all_clear_ends_what_it_refers_to_and_is_no_warning(kind: str) -> None:
    clear = (
        changed(msgType=kind, identifier="x", sent="2026-05-20T15:30:00+07:00")
        .decode()
        .replace("<scope>", f"{REFERENCES}<scope>")
        .replace("<urgency>", f"{ALL_CLEAR}<urgency>")
        .encode()
    )

    assert [event.type for event in events(clear)] == ["weather.cancelled"]
    assert holding(after(ALERT.encode(), clear), "15:29:59")
    assert not holding(after(ALERT.encode(), clear), "15:30:00")


def test_what_ends_a_message_ends_all_warnings_in_it() -> None:
    two = infos({}, {"event": "Angin Kencang"})
    cancel = changed(msgType="Cancel", identifier="x", sent="2026-05-20T15:30:00+07:00").decode()

    assert len(holding(after(two), "15:30:00")) == 2
    assert not holding(after(two, cancel.replace("<scope>", f"{REFERENCES}<scope>").encode()), "15:30:00")


def test_an_update_that_moved_away_ends_the_warning_here() -> None:
    moved = changed(msgType="Update", identifier="x", sent="2026-05-20T15:30:00+07:00", areaDesc="Banten").decode()
    update = re.sub("<polygon>.*</polygon>", "", moved).replace("<scope>", f"{REFERENCES}<scope>").encode()

    assert [event.type for event in events(update)] == ["weather.cancelled"]
    assert not holding(after(ALERT.encode(), update), "15:30:00")


def test_an_update_that_refers_to_itself_stands() -> None:
    update = changed(msgType="Update").decode().replace("<scope>", f"{REFERENCES}<scope>").encode()

    assert holding(after(update), "15:05:00")


@pytest.mark.parametrize("identifier", ["x" * 65, "urn:oid:" + "2.49.0.1.360" * 20, "{4711}", "BMKG+7"])
def test_an_identifier_may_be_as_long_as_it_comes_and_is_ended_by_its_reference(identifier: str) -> None:
    cancel = changed(msgType="Cancel", identifier="x", sent="2026-05-20T15:30:00+07:00").decode()
    cancel = cancel.replace("<scope>", f"<references>a@b,{identifier},2026-05-20T14:55:00+07:00</references><scope>")

    assert holding(after(changed(identifier=identifier)), "15:05:00")
    assert not holding(after(changed(identifier=identifier), cancel.encode()), "15:30:00")


def test_the_indonesian_of_two_languages_is_read() -> None:
    info = re.search(r"<info>.*</info>", ALERT, re.DOTALL)
    assert info
    english = info[0].replace(">id<", ">en<").replace("Hujan Lebat dan Petir", "Thunderstorm")

    [event] = events(ALERT.replace("<info>", english + "<info>", 1).encode())

    assert event.type == "weather.warned"
    assert event.data.event == "hujan-lebat-dan-petir"


def test_another_sender_is_named_as_it_names_itself() -> None:
    [event] = events(changed(senderName="BPBD Kota Bogor", sender="bpbd.kotabogor.go.id"))

    assert event.type == "weather.warned"
    assert (event.data.attribution, event.source) == ("bpbd-kota-bogor", "/32.71/bpbd-kotabogor-go-id")


BOMB = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><a>&b;</a>"""
THIEF = b"""<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>"""


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        (b"", "no XML"),
        (b"<html><body>503</body>", "no XML"),
        (b"<rss/>", "alert: "),
        (b"<alert/>", "alert: "),
        (ALERT.encode()[:900], "no XML"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "no XML"),
        (b'<?xml version="1.0" encoding="shift_jis"?><a/>', "no XML"),
        (BOMB, "document type or entities"),
        (THIEF, "document type or entities"),
        (b"<a>" * 200_000, "no XML"),
        (b" " * (LARGEST + 1), "larger than 1,048,576 bytes"),
        (changed(status="Exercise"), "status: not Actual"),
        (without("status"), "status: is missing"),
        (changed(msgType="Ack"), "msgType: "),
        (changed(msgType="Cancel"), "references: is missing"),
        (changed(msgType="Cancel", scope="x").replace(b"scope>", b"references>"), "references: not"),
        (without("info"), "info: is missing"),
        (without("identifier"), "identifier: is missing"),
        (changed(identifier="two words"), "identifier: "),
        (changed(identifier="two,commas"), "identifier: "),
        (changed(polygon="106.8,-96.6 1,1 2,2"), "polygon: "),
        (changed(polygon="-6.59,106.79 -6.60,106.80"), "polygon: "),
        (changed(polygon="nan,1 2,2 3,1"), "polygon: "),
        (drawn("<circle>-6.6,106.8</circle>"), "circle: "),
        (drawn("<circle>-6.6,106.8 jauh</circle>"), "circle: "),
        (ALERT.replace("<urgency>", f"{ALL_CLEAR}<urgency>").encode(), "references: is missing"),
        (without("sender"), "sender: is missing"),
        (changed(sender="雨"), "sender: "),
        (without("sent"), "sent: is missing"),
        (changed(sent="kemarin"), "sent: no time"),
        (changed(sent="2026-05-20T14:55:00"), "sent: a time without a zone"),
        (without("event"), "event: is missing"),
        (changed(event="暴雨"), "event: "),
        (changed(severity="Terrible"), "severity: "),
        (without("urgency"), "urgency: is missing"),
        (changed(certainty="Very Likely"), "certainty: "),
        (changed(effective="besok"), "effective: no time"),
        (without("expires"), "expires: is missing"),
        (changed(expires="2026-05-20T15:00:00+07:00"), "expires: before its onset"),
        (changed(senderName="気象庁"), "senderName: "),
    ],
)  # fmt: skip
def test_what_is_no_usable_warning_is_refused_with_the_element(xml: bytes, reason: str) -> None:
    with pytest.raises(CapError) as refused:
        events(xml)

    assert reason in str(refused.value)
    for said_there in ("106.8,-96.6", "jauh", "kemarin", "besok", "Terrible", "two words", "Very Likely", "Budi", "0812", "雨"):
        assert said_there not in str(refused.value)


def test_good_files_are_told_in_order_of_time_whatever_is_wrong_with_others(tmp_path: Path) -> None:
    files = {
        "late.xml": changed(sent="2026-05-20T15:01:00+07:00", identifier="2.49.0.1.360.0.2026.05.20.01.32.002"),
        "bad.xml": changed(sent="kemarin"),
        "java.xml": changed(areaDesc="Jawa Tengah"),
        "early.xml": ALERT.encode(),
    }
    for name, xml in files.items():
        (tmp_path / name).write_bytes(xml)

    done = pantau112("ingest", "cap", *(tmp_path / name for name in files), "--to", tmp_path / "events.jsonl")

    assert done.returncode == 1
    told = [decode(line) for line in (tmp_path / "events.jsonl").read_bytes().splitlines()]
    assert [event.data.warning[-3:] for event in told] == ["001", "002"]  # type: ignore[union-attr]
    assert f"{tmp_path / 'bad.xml'}: sent: no time such as 2024-11-24T14:05:00+07:00" in done.stderr
    assert f"{tmp_path / 'java.xml'}: for elsewhere" in done.stderr
    assert "4 files: 2 events, 1 bad files" in done.stderr

    again = pantau112("ingest", "cap", tmp_path / "early.xml", "--to", tmp_path / "again.jsonl")
    assert again.returncode == 0
    measured = pantau112("measure", tmp_path / "again.jsonl", "--at", "2026-05-20T16:00:00+07:00")
    assert 'psap_weather_warning{city="32.71",event="hujan-lebat-dan-petir",severity="Moderate"' in measured.stdout


def test_a_warning_that_is_only_drawn_says_that_a_centre_s_place_is_not_known(tmp_path: Path) -> None:
    """It must not read as one for elsewhere."""
    drawn = re.sub(r"<areaDesc>[^<]*</areaDesc>", "<areaDesc>-</areaDesc>", ALERT)
    (tmp_path / "drawn.xml").write_text(drawn)
    (tmp_path / "centre.toml").write_text('code = "32.71"\nname = "Kota Bogor"\ntimezone = "Asia/Jakarta"\n')
    told = [
        pantau112("ingest", "cap", tmp_path / "drawn.xml", "--to", tmp_path / "out.jsonl", *centre)
        for centre in ((), ("--centre", tmp_path / "centre.toml"))
    ]
    assert [said.returncode for said in told] == [0, 0]
    assert "32.71 has no place" not in told[0].stderr
    assert "32.71 has no place" in told[1].stderr
