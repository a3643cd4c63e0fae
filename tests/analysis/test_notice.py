"""The notice of an outage says in two languages what is known, and of the rest that it is not."""

import re

import pytest

from streams.analysis.lost_calls import Cost, LostCalls, NotKnown
from streams.analysis.notice import notice
from streams.analysis.rows.network import Outage
from tests.builders import BOGOR, at
from tests.trial import KOTA_BOGOR

LOST = LostCalls(came=2, expected=41.6, lost=39.6, lower=24, upper=58, basis="hour_of_week", days=63)
HOUR = 3600


def outage(ended: float | None = None, kind: str = "down", carrier: str | None = "telkom") -> Outage:
    return Outage(city="32.71", link="sip-telkom", kind=kind, began=at(0), ended=ended, carrier=carrier)


def test_an_open_outage_is_said_to_go_on_and_one_that_is_over_until_when() -> None:
    said, said_en = notice(Cost(outage(), 0.54, LOST), KOTA_BOGOR, at(90))
    assert "AWAL" in said
    assert "Until: not over yet" in said_en
    assert "INITIAL" in said_en

    over, over_en = notice(Cost(outage(at(2 * HOUR)), 0.54, LOST), KOTA_BOGOR, at(9 * HOUR))
    assert "AKHIR" in over
    assert "FINAL" in over_en
    assert "Lama: 120 menit" in over
    assert "not over" not in over_en


def test_both_languages_say_the_same_figures() -> None:
    said, said_en = notice(Cost(outage(), 0.54, LOST), KOTA_BOGOR, at(90))

    for figure in ("40", "24–58", "42", "54%", "63", "TELKOM", "Kota Bogor, Jawa Barat", "WIB"):
        assert figure in said
        assert figure in said_en
    assert re.findall(r"\d+", said) == re.findall(r"\d+", said_en)


def test_of_the_first_minute_a_part_of_a_call_is_said() -> None:
    first = LOST._replace(came=0, expected=0.42, lost=0.42, lower=0, upper=2)

    said, said_en = notice(Cost(outage(), 0.54, first), KOTA_BOGOR, at(60))

    assert "Perkiraan panggilan hilang: 0,4 (selang 95 %: 0–2)" in said
    assert "Calls likely lost: 0.4 (95 % interval: 0–2)" in said_en


def test_what_is_not_known_is_said_to_be_so_and_no_number_stands_for_it() -> None:
    said, said_en = notice(Cost(outage(carrier=None), None, NotKnown(0, "too_few_days")), BOGOR, at(90))

    assert "Perkiraan panggilan hilang: tidak diketahui" in said
    assert "Calls likely lost: not known, too few other days were seen" in said_en
    assert "what share they are is not known" in said_en
    assert "Carrier" not in said_en


def test_a_lost_registration_is_no_broken_line() -> None:
    said, said_en = notice(Cost(outage(kind="unregistered"), 0.54, LOST), KOTA_BOGOR, at(90))

    assert "tidak terdaftar" in said
    assert "not registered" in said_en
    assert "putus" not in said


@pytest.mark.parametrize("lost", [LOST, NotKnown(0, "no_calls")])
@pytest.mark.parametrize("ended", [None, at(HOUR)])
def test_it_fits_on_a_telephone(lost: LostCalls | NotKnown, ended: float | None) -> None:
    for text in notice(Cost(outage(ended), 0.54, lost), KOTA_BOGOR, at(HOUR)):
        assert len(text.splitlines()) <= 15
        assert max(map(len, text.splitlines())) <= 130
