"""Tables as SQL queries read them: what a row says becomes events, and what it does not say is told by its line."""

from pathlib import Path

import pytest

from schemas.event import OLDEST_RECORDING, Event
from streams import centres
from streams.core.centre import Centre
from streams.sources import rows
from streams.sources.answer import MappingError
from streams.sources.door import Door
from streams.sources.pseudonym import keyed
from streams.sources.table import Query, shipped
from tests.sources import anonymous_bank

BOGOR = centres.load([])["32.71"]
KEY = keyed(b"a key of the test, long enough")


class Read:
    """What a file gives: its events, bad lines by number, and the lines of which the query says nothing."""

    def __init__(self, path: Path, sql: str, centre: Centre = BOGOR, sheet: str | None = None, header: int | None = None) -> None:
        self.bad: dict[int, str] = {}
        self.silent: list[int] = []
        self._centre = centre
        query = Query(sql, centre, Door(KEY, [centre]), earliest=OLDEST_RECORDING)
        with rows.opened(path, self.bad.__setitem__, sheet, header) as found:
            self.events: list[Event] = [*query.read(found, self.bad.__setitem__, self.silent.append)]

    @property
    def told(self) -> list[tuple[str, str, dict[str, object]]]:
        """Type, local time and data of each event."""
        return [
            (
                event.type,
                f"{event.time.astimezone(self._centre.timezone):%Y-%m-%d %H:%M:%S}",
                event.data.model_dump(exclude_none=True, by_alias=True, exclude={"clock"}),
            )
            for event in self.events
        ]


def read(tmp_path: Path, text: str | bytes, sql: str, name: str = "table.csv") -> Read:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return Read(path, sql)


CALL = "SELECT 'call.offered' AS type, \"at\" AS time, id AS call, '112' AS queue FROM rows"


def test_rows_become_events_in_the_order_of_time(tmp_path: Path) -> None:
    sql = f"{CALL} UNION ALL BY NAME SELECT 'call.answered' AS type, answered AS time, id AS call, seat FROM rows"

    found = read(tmp_path, "id,at,answered,seat\nb,2026-01-05 09:00,2026-01-05 09:00:30,SIP/1\na,2026-01-05 08:59,,-\n", sql)

    assert found.told == [
        ("call.offered", "2026-01-05 08:59:00", {"call": "a", "queue": "112"}),
        ("call.offered", "2026-01-05 09:00:00", {"call": "b", "queue": "112"}),
        ("call.answered", "2026-01-05 09:00:30", {"call": "b", "seat": "SIP/1"}),
    ]
    assert {event.source for event in found.events} == {"/32.71/table"}


def test_a_few_rows_at_hand_are_read_by_the_same_query() -> None:
    query = Query(CALL, BOGOR, Door(KEY, [BOGOR]), source="vendor")

    told = query.events([{"id": "P-2", "at": "2026-01-05T08:01:00+07:00", "who": {"name": "Budi"}}, {"id": "P-1", "at": None}])

    assert [(event.source, event.data.model_dump()["call"]) for event in told.events] == [("/32.71/vendor", "P-2")]
    assert (told.faults, told.silent) == ([], [2])
    assert query.events([{"id": "Budi Contoh", "at": "2026-01-05 08:00"}]).faults == [
        (1, "call.offered, column call: no code; code(…) makes one of any text")
    ]


@pytest.mark.parametrize("month", ["january", "february"])
def test_a_month_of_the_bank_s_calls_is_read_to_the_last_row(month: str) -> None:
    calls = {"january": 31_359, "february": 33_066}

    found = Read(anonymous_bank.data(f"{month}1999.tsv.gz"), shipped("anonymous_bank"), anonymous_bank.CENTRE)

    assert not found.bad
    assert sum(event.type == "call.offered" for event in found.events) == calls[month]


def test_a_column_that_the_table_does_not_have_is_named(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="the table has no column at; its header has 2 cells"):
        read(tmp_path, "id,Budi\n1,2\n", CALL)
