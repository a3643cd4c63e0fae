"""Shapes on the map as CAP 1.2 writes them, and whether a place lies in one.

A polygon is small beside the Earth, so that latitude and longitude are taken for flat in it; a circle is measured on the sphere.
"""

from collections.abc import Callable
from math import asin, cos, isfinite, radians, sin, sqrt

Place = tuple[float, float]
"""Latitude and longitude in degrees, WGS 84."""
Shape = Callable[[Place], bool]
"""Says whether a place lies in it."""

EARTH_KILOMETRES = 6371.0088
"""The mean radius of the Earth (IUGG)."""


def polygon(text: str) -> Shape:
    """`-6.4,106.6 -6.4,107.0 …`: at least three corners, the last may be the first. Raises `ValueError` for anything else."""
    corners = [_place(pair) for pair in text.split()]
    if len(set(corners)) < 3:
        raise ValueError("no polygon: fewer than three corners")
    sides = list(zip(corners, [*corners[1:], corners[0]], strict=True))

    def covers(place: Place) -> bool:
        """A line from the place to the east crosses the sides an odd number of times."""
        north, east = place
        crossed = 0
        for (north_1, east_1), (north_2, east_2) in sides:
            if (north_1 > north) != (north_2 > north):
                crossed += east < east_1 + (north - north_1) / (north_2 - north_1) * (east_2 - east_1)
        return crossed % 2 == 1

    return covers


def circle(text: str) -> Shape:
    """`-6.6,106.8 12.5`: a centre and a radius in kilometres. Raises `ValueError` for anything else."""
    middle, radius = text.split()
    centre, kilometres = _place(middle), float(radius)
    if not 0 <= kilometres <= EARTH_KILOMETRES * 4:
        raise ValueError("no circle: no such radius")
    return lambda place: distance(place, centre) <= kilometres


def distance(one: Place, other: Place) -> float:
    """Kilometres between two places along a great circle (haversine)."""
    (north_1, east_1), (north_2, east_2) = [(radians(north), radians(east)) for north, east in (one, other)]
    half = sin((north_2 - north_1) / 2) ** 2 + cos(north_1) * cos(north_2) * sin((east_2 - east_1) / 2) ** 2
    return 2 * EARTH_KILOMETRES * asin(min(1.0, sqrt(half)))


def _place(pair: str) -> Place:
    north, east = map(float, pair.split(","))
    if not (isfinite(north) and isfinite(east) and abs(north) <= 90 and abs(east) <= 180):
        raise ValueError("no latitude and longitude")
    return north, east
