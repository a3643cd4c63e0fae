"""Districts: how many calls each ever brought, and from which the last ones came."""

import pytest

from streams.core.districts import CALLS, KEPT_SECONDS, MOST, Districts, Origins
from streams.core.names import Strangers
from tests.builders import BOGOR

START = 1_764_000_000.25
MICROSECONDS = 1_000_000


def told(*calls: tuple[str, float, str], test: bool = False) -> Origins:
    origins = Origins()
    for call, seconds, district in calls:
        origins.hear(call, START + seconds, district, Strangers(), BOGOR, test=test)
    return origins


def came(origins: Origins, seconds: float) -> dict[str, list[float]]:
    """When the calls of the last half hour came, in seconds since the start."""
    return {
        district: [moment / MICROSECONDS - START for moment in moments]
        for district, moments in origins.lately(START + seconds).items()
    }


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_calls_of_the_last_half_hour_are_known_by_district_in_whatever_order_they_are_told(order: tuple[int, ...]) -> None:
    calls = [("a", 0.5, "32.71.01"), ("b", 60.0, "32.71.02"), ("c", 90.0, "32.71.01")]
    origins = told(*(calls[place] for place in order))

    assert came(origins, 90) == {"32.71.01": [0.5, 90.0], "32.71.02": [60.0]}
    assert came(origins, 89) == {"32.71.01": [0.5], "32.71.02": [60.0]}
    assert came(origins, KEPT_SECONDS + 60) == {"32.71.01": [90.0]}
    assert origins.districts.counts == {"32.71.01": 2, "32.71.02": 1}


def test_a_test_comes_from_nowhere_until_it_turns_out_to_be_none() -> None:
    origins = told(("a", 0, "32.71.01"), ("b", 1, "32.71.01"))

    origins.mark("a", test=True)
    assert came(origins, 1) == {"32.71.01": [1.0]}
    origins.mark("a", test=False)
    assert came(origins, 1) == {"32.71.01": [0.0, 1.0]}
    assert came(told(("a", 0, "32.71.01"), test=True), 1) == {}


def test_a_district_of_another_city_is_none_of_the_centre_s() -> None:
    assert told(("a", 0, "32.01.01"), ("b", 1, "32.7.01")) == Origins()


def test_there_is_a_place_for_so_many_districts_and_the_others_are_counted() -> None:
    districts, strangers = Districts(), Strangers()
    for number in range(MOST + 2):
        districts.count(f"32.71.{number:02d}", strangers, BOGOR)

    assert len(districts.counts) == MOST
    assert strangers.passed_over == {"district": 2}
    assert districts.count("32.71.00", strangers, BOGOR) == "32.71.00"


def test_of_a_flood_the_newest_calls_are_known() -> None:
    origins = told(*((str(number), number, "32.71.01") for number in range(CALLS + 5)))

    assert came(origins, CALLS + 5) == {"32.71.01": [float(number) for number in range(5, CALLS + 5)]}


def test_what_came_over_half_an_hour_before_the_newest_is_counted_and_not_kept() -> None:
    origins = told(("a", KEPT_SECONDS, "32.71.01"), ("b", 0, "32.71.01"))

    assert [*origins.recent] == ["a"]
    assert origins.districts.counts == {"32.71.01": 2}
