"""What the tests of the log tell."""

from datetime import UTC, datetime

from schemas.calls import Abandoned, CallAbandoned, CallOffered, Offered
from schemas.event import Event
from schemas.operators import OperatorLoggedIn, Seat

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BOGOR, JAKARTA, BANDUNG = "32.71", "31.71", "32.73"  # each in a partition of its own


def offered(number: int, at: datetime, city: str = BOGOR) -> Event:
    data = Offered(call=f"c{number}", queue="112")
    return CallOffered(id=f"o{number}", source=f"/{city}/test", subject=city, time=at, data=data)


def abandoned(number: int, at: datetime, city: str = BOGOR) -> Event:
    return CallAbandoned(id=f"a{number}", source=f"/{city}/test", subject=city, time=at, data=Abandoned(call=f"c{number}"))


def seat_taken(number: int, at: datetime, city: str = BOGOR) -> Event:
    return OperatorLoggedIn(id=f"s{number}", source=f"/{city}/test", subject=city, time=at, data=Seat(seat="Agent/1"))
