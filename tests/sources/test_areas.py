"""Names of areas as warnings write them, against all 514 regencies and cities of Indonesia."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.centres import indonesia
from streams.core.centre import Centre
from streams.sources.areas import is_in, named

NATION = indonesia.centres()
BOGOR, BOGOR_REGENCY, DEPOK, JAKARTA, BANDUNG = "32.71", "32.01", "32.76", "31", "32.73"


def spellings(centre: Centre) -> list[str]:
    """How warnings usually write the name of a regency or city."""
    kind, _, name = centre.name.partition(" ")
    short, english = ("Kota", "City") if kind == "Kota" else ("Kab.", "Regency")
    return [
        centre.name,
        f"{short} {name}".upper(),
        f"{name.removeprefix('Administrasi ')} {english}",
        f"sebagian wilayah {kind.lower()} {name} dan sekitarnya",
        f"{short} {name}, Prov. {centre.province}",
    ]


def concerned(text: str) -> set[str]:
    """The regencies and cities that are meant or lie in what is."""
    found = named(text)
    return {code for code in NATION if is_in(code, found)}


@pytest.mark.parametrize("code", NATION)
def test_each_regency_and_city_is_named_by_its_usual_spellings_and_no_other_is(code: str) -> None:
    for text in spellings(NATION[code]):
        assert concerned(text) == {code}, text


@given(st.lists(st.sampled_from(sorted(NATION)), min_size=1, max_size=5, unique=True), st.data())
def test_several_in_one_sentence_are_all_of_them_and_no_other(codes: list[str], data: st.DataObject) -> None:
    names = [data.draw(st.sampled_from(spellings(NATION[code]))) for code in codes]
    text = names[0] if len(names) == 1 else "; ".join(names[:-1]) + " dan " + names[-1]

    assert named(text) == set(codes)


@pytest.mark.parametrize("code", sorted({code[:2] for code in NATION}))
def test_a_province_is_all_its_regencies_and_cities_and_no_other(code: str) -> None:
    name = next(centre.province for centre in NATION.values() if centre.code.startswith(code))
    for text in (
        name,
        f"Prov. {name}",
        f"PROVINSI {name.upper()}",
        f"sebagian besar wilayah {name} bagian utara",
        f"{name} Province",
    ):
        assert concerned(text) == {other for other in NATION if other.startswith(code)}, text


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Wilayah BOGOR dan sekitarnya", {BOGOR, BOGOR_REGENCY}),
        ("Kota Bogor, Kab. Bogor dan sekitarnya", {BOGOR, BOGOR_REGENCY}),
        ("Kabupaten/Kota Bogor", {BOGOR, BOGOR_REGENCY}),
        ("Kota dan Kabupaten Bogor", {BOGOR, BOGOR_REGENCY}),
        ("Bogor (Kota dan Kabupaten)", {BOGOR, BOGOR_REGENCY}),
        ("Bogor City and Regency", {BOGOR, BOGOR_REGENCY}),
        ("Cianjur Regency dan Kota Bogor", {"32.03", BOGOR}),
        ("Cianjur Regency and City of Bogor", {"32.03", BOGOR}),
        ("Bogor, Kota", {BOGOR}),
        ("City of Bogor", {BOGOR}),
        ("Kota Bogor Kota Depok", {BOGOR, DEPOK}),
        ("Kota Bogor dan Depok", {BOGOR, DEPOK}),
        ("Kabupaten Cianjur, Bogor, dan Sukabumi", {"32.03", BOGOR_REGENCY, "32.02"}),
        ("Bogor and Cianjur Regencies", {BOGOR_REGENCY, "32.03"}),
        ("Kabupaten Cianjur; Bogor", {"32.03", BOGOR_REGENCY, BOGOR}),
        ("Hujan lebat di Kota Bogor pada sore hari", {BOGOR}),
    ],
)
def test_a_kind_that_is_said_counts_and_without_one_a_name_is_both(text: str, codes: set[str]) -> None:
    assert named(text) == codes


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Kota Bogor, Jawa Barat", {BOGOR}),
        ("Jawa Barat dan Kota Bogor", {"32", BOGOR}),
        ("Jawa Barat, terutama Kota Bogor", {"32", BOGOR}),
        ("Jawa Barat: Kota Bogor, Kab. Bogor; Banten", {BOGOR, BOGOR_REGENCY, "36"}),
        ("Jawa Barat (Kota Bogor)", {BOGOR}),
        ("Banjar", {"32.79", "63.03"}),
        ("Banjar, Jawa Barat", {"32.79"}),
        ("Banjar, Ciamis dan Pangandaran, Jawa Barat", {"32.79", "32.07", "32.18"}),
        ("Kota Tangerang, Jawa Barat", {"36.71", "32"}),
        ("Jawa Barat, Indonesia", {"32"}),
        ("Indonesia", {""}),
    ],
)
def test_a_larger_place_beside_one_in_it_says_where_that_lies(text: str, codes: set[str]) -> None:
    assert named(text) == codes


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Padang Lawas", {"12.21"}),
        ("Padang Lawas Utara", {"12.20"}),
        ("Kabupaten Padang Pariaman", {"13.05"}),
        ("Kota Padang", {"13.71"}),
        ("Kota Padang Sidempuan", {"12.77"}),
        ("Kota Banjar Baru", {"63.72"}),
        ("Kabupaten Kota Baru", {"63.02"}),
        ("Kota Waringin Barat", {"62.01"}),
        ("Lima Puluh Kota", {"13.07"}),
        ("Kabupaten Bogorejo", set()),
        ("Bogor Raya", set()),
        ("Riau", {"14"}),
        ("Kepulauan Riau", {"21"}),
        ("Riau Islands", {"21"}),
        ("Papua", {"91"}),
        ("Papua Barat", {"92"}),
        ("Papua Barat Daya", {"96"}),
        ("Southwest Papua", {"96"}),
        ("Jambi", {"15"}),
        ("Kota Jambi", {"15.71"}),
        ("pesisir selatan Jawa Barat", {"32"}),
        ("Kabupaten Pesisir Selatan", {"13.01"}),
        ("Puncak Bogor", {BOGOR, BOGOR_REGENCY}),
        ("Puncak", {"94.05"}),
        ("Kab. OKU Timur", {"16.08"}),
        ("Jakarta Selatan", {"31.74"}),
        ("Pulau Jawa", set()),
        ("", set()),
        ("-", set()),
    ],
)
def test_a_name_counts_whole_and_not_where_it_is_part_of_another(text: str, codes: set[str]) -> None:
    assert named(text) == codes


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Kecamatan Bogor Utara", {"32.71.05"}),
        ("Bogor Utara, Bogor Timur", {"32.71.05", "32.71.02"}),
        ("Kec. Cibinong, Bogor", {"32.01.01"}),
        ("Kecamatan Bandung, Kabupaten Serang", {"36.04.34"}),
        ("Bandung", {"32.04", BANDUNG}),
        ("Kelurahan Bogor Baru, Kec. Bogor Tengah, Kota Bogor", {"32.71.03"}),
        ("Desa Padang", set()),
        ("Padang Bolak", {"12.20.04"}),
    ],
)
def test_a_district_is_part_of_its_regency_or_city(text: str, codes: set[str]) -> None:
    assert named(text) == codes


@pytest.mark.parametrize(
    "text",
    ["Jakarta", "DKI Jakarta", "D.K.I. Jakarta", "Provinsi DKI", "Daerah Khusus Ibukota Jakarta", "Daerah Khusus Jakarta",
     "Special Capital Region of Jakarta"],
)  # fmt: skip
def test_jakarta_by_any_of_its_names(text: str) -> None:
    assert named(text) == {JAKARTA}
    assert is_in(JAKARTA, named("Jakarta Selatan")), "a centre for all of Jakarta is concerned by a part of it"


@pytest.mark.parametrize(
    "text", ["DI Yogyakarta", "D.I. Yogyakarta", "D.I.Yogyakarta", "DIY", "Daerah Istimewa Yogyakarta", "Yogyakarta",
             "Special Region of Yogyakarta"],
)  # fmt: skip
def test_yogyakarta_by_any_of_its_names(text: str) -> None:
    assert named(text) == {"34"}


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    named(text)
