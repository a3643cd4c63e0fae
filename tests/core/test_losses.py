"""Calls lost to the network stand beside links that were down and weather that was warned of: counts, not causes."""

from streams.core import environment, network
from streams.core.losses import CALLS, LOWER, RATIO, TOUCHED
from streams.core.nouns import States
from streams.core.nouns import measure as measure_nouns
from tests.builders import BOGOR, Said, answered, at, ended, fold, link, network_dropped, offered, said, warned

HOUR = 3600


def readings(until: float) -> Said:
    """Ten calls an hour for six hours; in the third, with the link down, six are lost; in the fifth, warned of, one is."""
    told = []
    for number in range(60):
        start, name = number * 360, f"c{number}"
        told.append(offered(name, start))
        lost = 20 <= number < 26 or number == 40
        told += [network_dropped(name, start + 5)] if lost else [answered(name, start + 5), ended(name, start + 60)]
    links, weather = network.State(), environment.State()
    for event in (link("up", 0), link("down", 2 * HOUR + 60), link("up", 3 * HOUR - 60)):
        network.step(links, event, event.time.timestamp(), BOGOR)
    warning = warned("w1", 3 * HOUR, 4 * HOUR, 5 * HOUR - 1)
    environment.step(weather, warning, warning.time.timestamp(), BOGOR)
    calls = fold(sorted(told, key=lambda event: event.time))
    return said(measure_nouns(States(calls=calls, network=links, environment=weather), at(until), BOGOR))


def test_losses_stand_beside_the_hours_a_link_was_down_in() -> None:
    found = readings(6 * HOUR - 1)

    assert (found[TOUCHED, "link_down"], found[CALLS, "link_down"], found[RATIO, "link_down"]) == (1, 10, 0.6)
    assert (found[TOUCHED, "links_up"], found[CALLS, "links_up"], found[RATIO, "links_up"]) == (5, 50, 1 / 50)
    assert 0.3 < found.number(LOWER, "link_down") < 0.35


def test_losses_stand_beside_the_hours_of_a_weather_warning() -> None:
    found = readings(6 * HOUR - 1)

    assert (found[TOUCHED, "warning"], found[CALLS, "warning"], found[RATIO, "warning"]) == (1, 10, 0.1)
    assert (found[CALLS, "no_warning"], found[RATIO, "no_warning"]) == (50, 6 / 50)


def test_where_nobody_tells_of_links_nothing_is_said_of_them() -> None:
    calls = fold([offered("c1", 0), network_dropped("c1", 3)])

    assert not {key for key in said(measure_nouns(States(calls=calls), at(10), BOGOR)) if key[0] in (RATIO, CALLS, TOUCHED)}
