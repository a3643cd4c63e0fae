"""How much a busy centre's state takes: it is written to Kafka again and again, so it must stay small."""

import pytest
from pydantic import TypeAdapter

from streams.core import calls
from streams.core.ledger import LATENESS
from tests.builders import BOGOR, abandoned, answered, classified, ended, fold, offered

CALLS_PER_HOUR = 300
BLOB = TypeAdapter(calls.State)


@pytest.fixture(scope="module")
def bytes_by_hour() -> list[int]:
    """A day of 300 calls an hour, seven times Kota Bogor's 953 a day: a tenth abandoned, ids of 20 characters."""
    state = calls.State()
    sizes = []
    for hour in range(24):
        events = []
        for n in range(CALLS_PER_HOUR):
            start, name = hour * 3600 + n * 12, f"1732496400.{hour * CALLS_PER_HOUR + n:06d}"
            events.append(offered(name, start))
            if n % 10:
                events += [answered(name, start + n % 45), ended(name, start + 180), classified(name, start + 181, "normal")]
            else:
                events.append(abandoned(name, start + n % 45))
        events.sort(key=lambda event: event.time)
        named = (event.model_copy(update={"id": f"{event.id[0]}{hour:02d}{n:017d}"}) for n, event in enumerate(events))
        fold(named, BOGOR, state)
        sizes.append(len(BLOB.dump_json(state)))
    return sizes


def test_a_busy_centres_state_takes_less_than_eighty_kilobytes(bytes_by_hour: list[int]) -> None:
    print(f"\n{CALLS_PER_HOUR} calls/h for 24 h: {bytes_by_hour[-1]:,} bytes")

    assert 0 < max(bytes_by_hour) < 80_000


def test_a_day_takes_no_more_than_an_hour(bytes_by_hour: list[int]) -> None:
    """What is remembered is the last hour; only numbers grow longer."""
    assert LATENESS == 3600
    assert bytes_by_hour[23] < bytes_by_hour[2] * 1.05
