"""Somebody says on a telephone that he has an alarm: a link in the page, one button, a silence in the real Alertmanager."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest

from streams.edge.gateway.signed_alarm import LASTS, SignedAlarm, sign
from streams.stack.debian import Programs
from streams.worker.signed_ticket import sign as sign_ticket
from tests.conftest import wait_until
from tests.dashboards.test_stack import Receiver
from tests.edge.gateway.served import KEY, OUTSIDE, Answer, Served, served
from tests.edge.gateway.test_acknowledge import TICKET
from tests.paging import QUICK, Json, Paging

pytestmark = pytest.mark.stack
FORM = "application/x-www-form-urlencoded"


class Woken:
    """An Alertmanager, who is told by it, and the gateway that looks at it."""

    def __init__(self, paging: Paging, receiver: Receiver, gateway: Served) -> None:
        self.paging, self.receiver, self.gateway = paging, receiver, gateway

    def link(self, name: str, /, since: datetime | None = None, **labels: str) -> str:
        """The path of the link in the page of an alert that is raised now."""
        said = self.paging.raise_alert(name, since=since, until=None, **labels)
        wait_until(lambda: bool(self.pages(said)), f"the page of {name} arrives")
        link: str = self.pages(said)[0]["annotations"]["acknowledge_url"]
        assert link.startswith(f"{OUTSIDE}/v1/alarms/")
        return link.removeprefix(OUTSIDE)

    def pages(self, labels: Json) -> list[Json]:
        return [alert for alert in self.receiver.alerts if alert["labels"] == labels]

    def look(self, link: str) -> Answer:
        return self.gateway.ask("GET", link)

    def press(self, link: str, by: str = "noc1", minutes: str = "60") -> Answer:
        return self.gateway.ask("POST", link, urlencode({"by": by, "minutes": minutes}).encode(), Content_Type=FORM)

    def states(self) -> dict[str, str]:
        """What /metrics says of each alarm: its centre, name and what it is about, and its state with who has it."""
        lines = self.gateway.ask("GET", "/metrics").text.splitlines()
        found = [dict(re.findall(r'(\w+)="([^"]*)"', line)) for line in lines if line.startswith("psap_alarm_state{")]
        return {
            f"{one['city']} {one['alertname']} {one['about']}".strip(): f"{one['state']} {one['by']}".strip() for one in found
        }


@pytest.fixture
def woken(programs: Programs, tmp_path: Path) -> Iterator[Woken]:
    receiver = Receiver()
    paging = Paging(programs, tmp_path, QUICK | {"pages:9113": f"127.0.0.1:{receiver.port}"})
    with paging.running(), served(tmp_path, now=lambda: datetime.now(UTC), alertmanager=paging.address) as gateway:
        yield Woken(paging, receiver, gateway)
    receiver.close()


def test_the_page_says_what_where_since_when_and_what_to_do_first_in_indonesian(woken: Woken) -> None:
    link = woken.link("PsapCentreIsolated")
    [alert] = woken.paging.alerts("PsapCentreIsolated")
    answer = woken.look(link)

    assert answer.status == 200
    text = re.sub("<[^>]*>", "", answer.text)
    for key in ("summary", "summary_id", "description", "description_id", "todo", "todo_id"):
        assert alert["annotations"][key] in text, key
    assert "Kota Bogor" in text
    assert re.search(r"Sejak \d\d-\d\d-\d{4} \d\d:\d\d WIB", text)
    assert answer.text.index("Saya tangani") < answer.text.index("I have it")
    assert answer.text.count("<button") == 1
    assert [found for found in ("script", "src=", "href=") if found in answer.text] == []


def test_looking_changes_nothing_because_chat_programs_look_at_every_link(woken: Woken) -> None:
    link = woken.link("PsapCentreIsolated")
    woken.look(link)
    assert woken.gateway.ask("HEAD", link).status == 200

    assert woken.paging.get("/api/v2/silences") == []


def test_the_button_silences_exactly_that_alarm_for_so_long_and_every_board_can_say_who_has_it(woken: Woken) -> None:
    link = woken.link("PsapLinkDown", link="sip-1")
    woken.link("PsapLinkDown", city="73.71", link="sip-1")
    before = datetime.now(UTC)
    answer = woken.press(link, "noc1", "120")

    assert answer.status == 200
    assert "NOC1 menangani sampai" in answer.text
    [silence] = woken.paging.get("/api/v2/silences")
    [alert] = [one for one in woken.paging.alerts("PsapLinkDown") if one["labels"]["city"] == "32.71"]
    assert {one["name"]: one["value"] for one in silence["matchers"]} == alert["labels"]
    assert all(one["isEqual"] and not one["isRegex"] for one in silence["matchers"])
    lasting = datetime.fromisoformat(silence["endsAt"]) - before
    assert abs(lasting - timedelta(minutes=120)) < timedelta(seconds=10)
    wait_until(lambda: woken.states().get("32.71 PsapLinkDown link=sip-1") == "acknowledged NOC1", "the boards know who has it")
    assert woken.states()["73.71 PsapLinkDown link=sip-1"] == "active"
    said = woken.gateway.ask("GET", "/metrics").text
    until = re.search(r'psap_alarm_acknowledged_until_timestamp_seconds\{.*by="NOC1".*\} (\S+)', said)
    assert until is not None
    assert abs(float(until[1]) - datetime.fromisoformat(silence["endsAt"]).timestamp()) < 1


def test_who_comes_second_is_told_who_has_it_and_until_when(woken: Woken) -> None:
    link = woken.link("PsapCentreIsolated")
    woken.press(link)

    assert woken.press(link, "noc2").status == 409
    seen = woken.look(link)
    assert seen.status == 200
    for answer in (woken.press(link, "noc2"), seen):
        assert re.search(r"NOC1 menangani sampai \d\d-\d\d-\d{4} \d\d:\d\d WIB", answer.text)
        assert "<button" not in answer.text
    assert len(woken.paging.get("/api/v2/silences")) == 1


@pytest.mark.parametrize(
    ("by", "minutes"),
    [
        ("", "60"),
        ("A", "60"),
        ("BUDI", "60"),
        ("NOC123456", "60"),
        ("n<1>", "60"),
        ("NOC1", ""),
        ("NOC1", "100000"),
        ("NOC1", "x"),
    ],
)
def test_without_a_code_and_a_time_that_are_offered_nothing_is_silenced(woken: Woken, by: str, minutes: str) -> None:
    answer = woken.press(woken.link("PsapCentreIsolated"), by, minutes)

    assert answer.status == 422
    assert "sedikitnya satu angka" in answer.text
    assert "<button" in answer.text
    assert woken.paging.get("/api/v2/silences") == []


def test_what_is_no_form_is_refused(woken: Woken) -> None:
    link = woken.link("PsapCentreIsolated")

    assert woken.gateway.ask("POST", link, b"by=NOC1&minutes=60", Content_Type="multipart/form-data").status == 415
    assert woken.gateway.ask("POST", link, b"\xff\xfe", Content_Type=FORM).status == 422
    assert woken.gateway.ask("POST", link, b"&".join([b"by=NOC1"] * 100) + b"&minutes=60", Content_Type=FORM).status == 422
    assert woken.paging.get("/api/v2/silences") == []


def test_an_alarm_that_is_over_says_so_and_stays_over(woken: Woken) -> None:
    since = datetime.now(UTC)
    link = woken.link("PsapLinkDown", link="sip-1", since=since)
    woken.paging.raise_alert("PsapLinkDown", link="sip-1", since=since, until=datetime.now(UTC))

    assert woken.press(link).status == 409
    seen = woken.look(link)
    assert seen.status == 200
    assert "sudah selesai" in seen.text
    wait_until(lambda: woken.receiver.told("PsapLinkDown", "resolved"), "the end is told")
    woken.link("PsapLinkDown", city="73.71", link="sip-2")  # the gateway has looked meanwhile
    assert [alert["labels"]["link"] for alert in woken.paging.alerts("PsapLinkDown")] == ["sip-2"]


def test_a_forged_link_is_refused(woken: Woken) -> None:
    good = woken.link("PsapCentreIsolated")
    signed = good.removeprefix("/v1/alarms/")
    head, _, mark = signed.rpartition(".")
    [alert] = woken.paging.alerts("PsapCentreIsolated")
    alarm = SignedAlarm(alert["fingerprint"], "PsapCentreIsolated", "32.71", datetime.now(UTC) + LASTS)
    other = sign(replace(alarm, fingerprint="0" * 16), b"x" * 32)
    for text in (
        other,
        f"{other.rpartition('.')[0]}.{mark}",
        head,
        f"{head}.",
        signed[:-1],
        "x" * 5_000,
        sign_ticket(TICKET, KEY),
    ):
        for answer in (woken.look(f"/v1/alarms/{text}"), woken.press(f"/v1/alarms/{text}")):
            assert answer.status == 403, text
            assert "tidak sah" in answer.text
    assert woken.look(f"/v1/tickets/{signed}").status == 403, "nor is it a ticket's"
    assert woken.press(f"/v1/alarms/{sign(replace(alarm, until=datetime.now(UTC)), KEY)}").status == 410
    assert woken.paging.get("/api/v2/silences") == []


def test_a_ticket_bears_no_link_and_what_follows_from_another_is_said_to(woken: Woken) -> None:
    woken.paging.raise_alert("DeadLetters")
    woken.paging.raise_alert("PsapLinkDown", link="sip-1")
    woken.link("PsapCentreIsolated")

    wait_until(lambda: woken.states().get("32.71 PsapLinkDown link=sip-1") == "inhibited", "the link follows from the centre")
    [ticket] = woken.paging.alerts("DeadLetters")
    assert "acknowledge_url" not in ticket["annotations"]


def test_who_made_a_silence_elsewhere_may_be_called_by_his_name_and_is_not_told(woken: Woken) -> None:
    link = woken.link("PsapCentreIsolated")
    [alert] = woken.paging.alerts("PsapCentreIsolated")
    woken.paging.silence(alert["labels"], "Budi1", 3600)

    wait_until(lambda: woken.states().get("32.71 PsapCentreIsolated") == "silenced", "it is silenced")
    assert "Budi" not in woken.look(link).text + woken.gateway.ask("GET", "/metrics").text


def test_without_alertmanager_nothing_is_said_to_be_well_and_the_page_asks_to_come_again(woken: Woken) -> None:
    link = woken.link("PsapCentreIsolated")
    woken.paging.kill()

    for answer in (woken.look(link), woken.press(link)):
        assert answer.status == 503
        assert answer.headers["retry-after"] == "5"
    wait_until(lambda: "pantau112_alertmanager_up 0.0" in woken.gateway.ask("GET", "/metrics").text, "it is said")
    assert woken.states() == {}
    woken.paging.start()
    wait_until(lambda: "pantau112_alertmanager_up 1.0" in woken.gateway.ask("GET", "/metrics").text, "it goes on by itself")


def test_two_provinces_cut_off_at_once_are_two_alarms(woken: Woken) -> None:
    for province in ("Bali", "Maluku"):
        woken.paging.raise_alert("PsapProvinceIsolated", city="", name="", province=province)

    names = {f"PsapProvinceIsolated province={province}" for province in ("Bali", "Maluku")}
    wait_until(lambda: names <= set(woken.states()), "both are told")
