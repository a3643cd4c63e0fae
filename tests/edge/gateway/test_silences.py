"""What silences mute, judged by what they would match; and with a real Alertmanager, that what says so goes out whatever they
mute.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from streams.edge.gateway.page_kinds import PageKinds
from streams.edge.gateway.silences import TAKEN, Matcher, Silence, unexpired
from streams.edge.gateway.stand_in import STANDS_FOR, stand_in
from tests.builders import BOGOR, START, changed
from tests.conftest import wait_until
from tests.edge.gateway.served import DEPOK, RULES
from tests.edge.gateway.test_alarms import Woken, woken

__all__ = ["woken"]
HERE = RULES.parents[1] / "tests" / "dashboards"
ONE, TWO = (PageKinds(RULES, [changed(one, province="Jawa Barat") for one in some]) for some in ((BOGOR,), (BOGOR, DEPOK)))
EVERYTHING = 0.5
"""From this share on the rule says that hardly anybody is paged."""


def matchers(text: str) -> tuple[Matcher, ...]:
    """Of what amtool takes: `alertname=~".+", severity!="page"`."""
    found = re.findall(r'(\w+)(=~|!~|!=|=)"([^"]*)"', text)
    return tuple(Matcher(name, value, "~" in operator, not operator.startswith("!")) for name, operator, value in found)


def silence(text: str, name: str = "a", by: str = "NOC1", comment: str = "by hand", state: str = "active") -> Silence:
    """As Alertmanager would tell it."""
    said: dict[str, Any] = {
        "id": name,
        "matchers": [
            {"name": one.name, "value": one.value, "isRegex": one.is_regex, "isEqual": one.is_equal} for one in matchers(text)
        ],
        "startsAt": START.isoformat(),
        "endsAt": (START + timedelta(hours=2)).isoformat(),
        "createdBy": by,
        "comment": comment,
        "status": {"state": state},
    }
    return unexpired([said])[name]


@pytest.mark.parametrize(
    "text",
    [
        'alertname=~".+"',
        'alertname=~".*", severity=~".+"',
        'severity="page"',
        'severity=~"p.*|none"',
        'severity!="ticket", alertname=~".+"',
        'severity!~"wall|ticket", alertname!=""',
        'alertname!~"PsapWeatherWarning", severity="page"',
        'alertname=~"(?i)psap.*"',
        'alertname=~"[A-Z][a-z].*"',
        'severity="page", link=""',
        'severity="page", link!="sip-1"',
        'city="32.71"',
        'city=~"32[.].*"',
        'province="Jawa Barat"',
        'name="Kota Bogor"',
        'alertname="Watchdog"',
        'severity="none"',
        'alertname=~"MonitorBlind|EventsLost|LagSeconds|PartitionUnowned|GatewayDown|EdgeDown"',
    ],
)
def test_what_would_mute_half_of_all_pages_is_over_everything_however_it_is_written(text: str) -> None:
    assert ONE.share([silence(text)], {}) >= EVERYTHING


@pytest.mark.parametrize(
    "text",
    [
        'alertname="PsapLinkDown"',
        'alertname=~"PsapLink.*|PsapVoice.*"',
        'severity="page", link="sip-1"',
        'severity="page", link=~".+"',
        'severity="ticket"',
        'severity=~"tick.*|wall"',
        'city="99.99"',
        'alertname="severity"',
        'comment="alertname=~.+"',
        'alertname=~"Page"',
    ],
)
def test_what_mutes_a_few_things_is_not(text: str) -> None:
    assert ONE.share([silence(text)], {}) < EVERYTHING


def test_silences_that_mute_half_only_together_are_over_everything_together() -> None:
    kinds = [silence(f'alertname="{name}"', name) for name in dict.fromkeys(kind["alertname"] for kind in ONE.of_centres)]
    assert max(ONE.share([one], {}) for one in kinds) < EVERYTHING
    assert ONE.share(kinds, {}) >= EVERYTHING
    of_bogor, of_depok = (
        [silence(f'alertname="{kind["alertname"]}", city="{city}"') for kind in TWO.of_centres[place::2]]
        for place, city in enumerate(("32.71", "32.76"))
    )
    assert TWO.share([*of_bogor[:5], *of_depok[:5]], {}) < EVERYTHING, "what is muted elsewhere is not muted here"
    assert TWO.share([silence('city="32.76"')], {}) == 1, "to the people of one of several centres it is everything"


def test_a_label_that_prometheus_gives_every_alert_is_known_from_the_watchdog() -> None:
    assert ONE.share([silence('cluster=~".+"')], {"cluster": "jabar"}) == 1
    assert ONE.share([silence('cluster=~".+", severity="page"')], {"cluster": "jabar"}) == 1
    assert ONE.share([silence('cluster="bali"')], {"cluster": "jabar"}) == 0


def test_a_pattern_that_cannot_be_read_is_taken_to_match() -> None:
    for text in ('alertname=~"("', 'alertname!~"("'):
        assert ONE.share([silence(text)], {}) == 1


def test_a_pattern_is_matched_whole_in_the_language_of_alertmanager() -> None:
    for pattern, text, found in (
        ("Psap", "PsapLinkDown", False),
        (r"\QPsap.\E", "Psap.", True),
        ("[[:alpha:]]+", "Psap", True),
        ("a|b", "ab", False),
        ("(a+)+$", "a" * 60 + "!", False),
        ("", "", True),
    ):
        assert Matcher("alertname", pattern, True, True).matches(text) is found, pattern


def test_kinds_are_of_a_centre_where_the_cases_of_their_rules_say_so() -> None:
    labels: dict[str, set[bool]] = {}
    for case in HERE.glob("*.test.yml"):
        for test in yaml.safe_load(case.read_text())["tests"]:
            for check in test.get("promql_expr_test", []):
                for sample in check["exp_samples"]:
                    said = str(sample.get("labels", ""))
                    if name := re.search(r'ALERTS\{.*alertname="(\w+)".*severity="page"', said):
                        labels.setdefault(name[1], set()).add('city="' in said)
    found = {kind["alertname"]: True for kind in ONE.of_centres} | {kind["alertname"]: False for kind in ONE.own}
    assert len(labels.keys() & found.keys()) > 10
    assert {name: has for name, has in labels.items() if has != {found.get(name)}} == {}


NAMES = st.sampled_from(["alertname", "severity", "mutes", "muted_by", "link"])
VALUES = st.sampled_from(["", "page", "PagesSilenced", "NOC1", ".+", ".*", "p.*|", "(", "x"])
ALERT = {
    "labels": {"alertname": "PagesSilenced", "severity": "page", "mutes": 'alertname=~".+"', "muted_by": "NOC1"},
    "annotations": {"summary": "x"},
    "fingerprint": "f",
}


@given(st.lists(st.lists(st.builds(Matcher, NAMES, VALUES, st.booleans(), st.booleans()), min_size=1, max_size=3), max_size=6))
def test_what_stands_in_has_a_label_no_name_and_is_matched_by_no_silence_that_alertmanager_takes(
    said: list[list[Matcher]],
) -> None:
    silences = [
        Silence(str(n), tuple(each), START, START, "", False, False)
        for n, each in enumerate(said)
        if any(not matcher.matches("") for matcher in each)  # it takes no other
    ]
    labels = stand_in(ALERT, silences)["labels"]
    assert labels
    assert "alertname" not in labels
    assert [one for one in silences if one.mutes(labels)] == []


def test_only_words_that_alerts_have_are_told_of_a_silence() -> None:
    known = ONE.known | {"link": {"sip-1"}}
    assert silence('alertname=~"Psap.+", city="32.71"').told(known) == 'alertname=~"Psap.+", city="32.71"'
    assert silence('link!="sip-1", name!~"Kota.*"').told(known) == 'link!="sip-1", name!~"Kota.*"'
    personal = silence('pelapor="Budi Santoso", name="Budi", link=~".*081234567890.*", alertname!=""', by="budi1", comment="Budi")
    assert personal.told(known) == '…, name="…", link=~"…", alertname!=""'
    assert personal.by == ""
    assert len(silence(", ".join(['alertname=~".+"'] * 50)).told(known)) <= 120


def test_who_has_an_alarm_is_no_silence_by_hand_unless_it_mutes_more_than_that_alarm() -> None:
    mine = silence('alertname="PsapLinkDown", city="32.71"', comment=TAKEN)
    assert mine.acknowledges({"alertname": "PsapLinkDown", "city": "32.71"})
    assert not mine.acknowledges({"alertname": "PsapLinkDown", "city": "32.71", "link": "sip-1"})
    assert not silence('alertname=~"PsapLinkDown"', comment=TAKEN).says_taken
    assert not silence('alertname="PsapLinkDown"', by="Budi", comment=TAKEN).says_taken
    assert not silence('alertname="PsapLinkDown"').says_taken
    assert unexpired([]) == {}


def told(woken: Woken) -> list[Mapping[str, str]]:
    """What the gateway says of silences: the labels of each, with its values."""
    lines = woken.gateway.ask("GET", "/metrics").text.splitlines()
    found: dict[str, dict[str, str]] = {}
    for line in lines:
        if line.startswith("psap_silence_") and not line.startswith("psap_silences_"):
            said = re.fullmatch(r"psap_silence_(\w+)\{(.*)\} (\S+)", line)
            assert said is not None
            labels = {name: text.replace('\\"', '"') for name, text in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', said[2])}
            found.setdefault(labels["silence"], labels)[said[1]] = said[3]
    return list(found.values())


def everything(woken: Woken) -> str:
    """The share of all pages that are muted."""
    text = woken.gateway.ask("GET", "/metrics").text
    return "".join(re.findall(r"^psap_silenced_pages_ratio (\S+)$", text, re.M))


@pytest.mark.stack
def test_a_silence_over_everything_is_told_to_both_receivers_although_it_mutes_the_alert_about_it(woken: Woken) -> None:
    """The rule's alert is told as Prometheus tells it."""
    alert = partial(woken.paging.raise_alert, "PagesSilenced", mutes='alertname=~".+"', city="", name="", province="")
    woken.link("PsapCentreIsolated")
    for text in ('alertname=~".+"', 'severity=~"page|wall"', 'mutes=~".+"'):
        woken.paging.silence_by(matchers(text), "NOC1", timedelta(hours=1))
    wait_until(lambda: everything(woken) == "1.0", "the gateway sees it")
    since = datetime.now(UTC)
    labels = alert(since=since)
    woken.paging.raise_alert("MonitorBlind", city="", name="", province="")

    def others() -> list[Mapping[str, Any]]:
        return [alert for alert in woken.receiver.alerts if STANDS_FOR in alert["annotations"]]

    wait_until(lambda: len(others()) >= 2, "it arrives at both")
    assert {alert["status"] for alert in others()} == {"firing"}
    assert "alertname" not in others()[0]["labels"]
    assert "acknowledge_url" not in others()[0]["annotations"], "it is over when the silence is"
    assert not woken.receiver.told("PagesSilenced", "firing")
    [held] = woken.paging.alerts("PagesSilenced")
    assert held["labels"] == labels
    assert len(held["status"]["silencedBy"]) == 3
    assert woken.states()["PagesSilenced mutes=alertname=~\\"] == "active"

    alert(since=since, until=datetime.now(UTC))
    wait_until(lambda: any(alert["status"] == "resolved" for alert in others()), "its end is told")


@pytest.mark.stack
def test_every_silence_is_told_with_who_and_until_when_and_how_much_it_mutes_and_no_word_of_its_comment(woken: Woken) -> None:
    woken.link("PsapLinkDown", link="sip-1")
    woken.press(woken.link("PsapCentreIsolated", city="32.76"))
    woken.paging.silence_by(matchers('alertname=~"PsapLink.*"'), "NOC2", timedelta(hours=3))
    woken.paging.silence_by(matchers('pelapor="Budi"'), "budi", timedelta(hours=1), begins=timedelta(minutes=30))
    woken.paging.silence_by(matchers('severity="page"'), "NOC3", timedelta(hours=1), begins=timedelta(hours=9))

    wait_until(lambda: len(told(woken)) == 2, "two are told: who has an alarm, and what begins tomorrow, are none")
    wait_until(lambda: {one["alerts"] for one in told(woken)} == {"1.0", "0.0"}, "and what they mute")
    first, second = sorted(told(woken), key=lambda one: one["phase"])
    assert (first["mutes"], first["muted_by"], first["phase"]) == ('alertname=~"PsapLink.*"', "NOC2", "active")
    assert re.fullmatch(r"\d\d-\d\d-\d{4} \d\d:\d\d WIB", first["muted_until"])
    assert abs(float(first["until_timestamp_seconds"]) - datetime.now(UTC).timestamp() - 3 * 3600) < 240
    assert float(first["pages_ratio"]) < EVERYTHING
    assert (second["mutes"], second["muted_by"], second["phase"], second["alerts"]) == ("…", "", "pending", "0.0")
    assert woken.states()["32.71 PsapLinkDown link=sip-1"] == "silenced"
    assert "by hand" not in woken.gateway.ask("GET", "/metrics").text
    assert float(everything(woken)) < EVERYTHING
