"""Names: a fire is a fire however it is spelt, and what the file names has its place whoever comes first."""

import pytest

from streams.core.centre import CentreError, parse
from streams.core.names import OTHER, PASSED_OVER_TOTAL, UNKNOWN_TOTAL, Strangers, plain

TEXT = """
code = "32.71"
name = "Kota Uji"
timezone = "Asia/Jakarta"
queues = ["112", { code = "rujukan", also = ["Darurat Rujukan"] }]
categories = [{ code = "kebakaran", also = ["PEMADAM KEBAKARAN", "pmk"] }]
links = [{ code = "sip-telkom", carrier = "telkom" }]
"""
NAMES = parse(TEXT).names
BARE = parse('code = "32.71"\nname = "Kota Uji"\ntimezone = "Asia/Jakarta"').names


@pytest.mark.parametrize(
    "spelt", ["kebakaran", "Kebakaran", " KEBAKARAN ", "ke-bakaran", "Pemadam-Kebakaran", "P.M.K.", "kébakaran"]
)
def test_a_fire_is_a_fire_however_it_is_spelt(spelt: str) -> None:
    assert NAMES.categories[spelt] == "kebakaran"


def test_a_queue_goes_by_what_the_file_calls_it() -> None:
    assert (NAMES.queues["DARURAT RUJUKAN"], NAMES.queues["#112"]) == ("rujukan", "112")


def test_two_spellings_of_an_agency_that_no_file_names_are_one_and_two_seats_that_differ_are_two() -> None:
    assert BARE.opds["DAMKAR"] == BARE.opds["Damkar"] == "damkar"
    assert BARE.seats["PJSIP/11"] != BARE.seats["pjsip/11"]


def test_two_parts_that_read_alike_are_refused_with_their_line() -> None:
    with pytest.raises(CentreError, match=r"112 and 1-12 have a name that reads alike: 1-12"):
        parse(TEXT.replace('"112",', '"112", "1-12",'))


def test_a_name_without_letters_is_still_a_name() -> None:
    assert plain("#") == "#"
    assert plain("Ｄａｍｋａｒ 1") == "damkar1"


def test_what_the_file_does_not_name_counts_as_other_and_is_counted_without_its_text() -> None:
    strangers = Strangers()

    assert [strangers.label("category", text, NAMES.categories) for text in ("PMK", "banjir", "Banjir")] == [
        "kebakaran",
        OTHER,
        OTHER,
    ]
    assert list(strangers.measure()) == [(UNKNOWN_TOTAL, ("category",), 2)]


def test_where_the_file_names_none_of_a_kind_nothing_is_unknown() -> None:
    strangers = Strangers()

    assert strangers.label("category", "Banjir", BARE.categories) == "banjir"
    assert list(strangers.measure()) == []


def test_a_link_of_the_file_has_its_place_after_any_number_of_invented_ones() -> None:
    strangers, table = Strangers(), dict[str, int]()
    for number in range(5):
        if (key := strangers.place("link", f"trunk-{number}", NAMES.links, table, most=2)) is not None:
            table[key] = number
    table[strangers.place("link", "SIP Telkom", NAMES.links, table, most=2) or ""] = 5

    assert list(table) == ["trunk-0", "trunk-1", "sip-telkom"]
    assert list(strangers.measure()) == [(UNKNOWN_TOTAL, ("link",), 2), (PASSED_OVER_TOTAL, ("link",), 3)]
