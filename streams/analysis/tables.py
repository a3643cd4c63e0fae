"""Tables: the rows of a fold in DuckDB, for SQL, and out of it as files."""

import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Literal

import duckdb

from streams import secret
from streams.analysis.rows.row import Column, Done, columns
from streams.analysis.rows.told import TABLES

Format = Literal["parquet", "csv"]

MEMORY_MB, MEMORY_MB_OF_A_CITY = 120, 4
"""The most that DuckDB takes; what is more lies on disk meanwhile, but for the waits that a percentile is of."""

_OPTIONS: dict[Format, str] = {"parquet": "FORMAT parquet, COMPRESSION zstd", "csv": "FORMAT csv, HEADER"}


class Tables(AbstractContextManager["Tables"]):
    """A DuckDB of its own with one view a table of rows; on disk while it is needed, where nobody else can read it.

        with Tables() as tables:
            rows = Rows(tables.write)          # and fold
            tables.connection.sql("SELECT count(*) FROM journeys WHERE outcome = 'answered'")

    Times are in UTC.
    """

    def __init__(self, cities: int = 1) -> None:
        """For the rows of so many centres."""
        self._folder = tempfile.TemporaryDirectory(prefix="pantau112-rows-")
        home = Path(self._folder.name)
        # In one thread the same rows give the same bytes.
        limits: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": f"{MEMORY_MB + cities * MEMORY_MB_OF_A_CITY}MB",
            "threads": 1,
            "temp_directory": str(home / "spilt"),
        }
        self.connection = duckdb.connect(str(home / "rows.duckdb"), config=limits)
        self.connection.execute("SET TimeZone = 'UTC'")
        self._columns: dict[str, list[Column]] = {}
        self._names: dict[type, str] = {}
        self.make(TABLES)

    def make(self, tables: Mapping[str, type]) -> None:
        """Make tables of such rows, by their names; there are those of a fold already."""
        for name, row in tables.items():
            known = self._columns[name] = [*columns(row)]
            self._names[row] = name
            # Moments as whole microseconds: to make a datetime of each would take longer than all the rest.
            raw = ", ".join(f"{column.name} {'BIGINT' if column.is_moment else column.type}" for column in known)
            said = ", ".join(
                f"make_timestamptz({column.name}) AS {column.name}" if column.is_moment else column.name for column in known
            )
            self.connection.execute(f"CREATE TABLE _{name} ({raw})")
            self.connection.execute(f"CREATE VIEW {name} AS FROM _{name} SELECT {said}")

    def clear(self, names: Iterable[str]) -> None:
        """Forget all rows of these tables."""
        for name in names:
            self.connection.execute(f"TRUNCATE _{name}")

    def began(self, name: str) -> str:
        """The column of a table that says when a row began."""
        return next(column.name for column in self._columns[name] if column.is_moment)

    def __exit__(self, *_: object) -> None:
        self.connection.close()
        self._folder.cleanup()

    def write(self, city: str, done: Sequence[Done]) -> None:
        """Take in rows of one centre; who was erased between them is in none of those that came before."""
        since = 0
        for at, each in enumerate(done):
            if isinstance(each, frozenset):
                self.put(done[since:at])
                self._erase(city, each)
                since = at + 1
        self.put(done[since:])

    def complete(self) -> None:
        """All rows are there: shifts learn from visits what their seats talked, and a gauge stood at one level at a time."""
        self.connection.execute(
            "DELETE FROM _readings WHERE rowid IN (FROM _readings SELECT rowid QUALIFY 1 < "
            "row_number() OVER (PARTITION BY city, gauge, read ORDER BY level_centimetres DESC, rowid))"
        )
        self.connection.execute(
            "UPDATE _shifts SET calls = found.calls, talk_seconds = found.microseconds / 1e6 FROM ("
            "FROM _shifts AS shift JOIN _visits AS visit USING (city, seat) "
            "SELECT shift.rowid AS id, count(*) FILTER (visit.left_queue >= shift.logged_in) AS calls, coalesce(sum("
            "greatest(0, least(visit.ended, shift.until) - greatest(visit.left_queue, shift.logged_in))), 0) AS microseconds "
            "WHERE visit.outcome = 'answered' AND visit.left_queue <= shift.until "
            "AND coalesce(visit.ended, visit.left_queue) >= shift.logged_in GROUP BY shift.rowid"
            ") AS found WHERE _shifts.rowid = found.id"
        )

    def save(self, table: str, to: Path, format_: Format, start: datetime | None, until: datetime | None) -> int:
        """Write the rows of a table to a file, in one order; of those with a time, from `start` to `until` (exclusive).

        For its user alone. Returns how many. Raises `OSError`.
        """
        with open(to, "wb", opener=secret.private):
            pass
        known = self._columns[table]
        began = [column.name for column in known if column.is_moment][:1]
        limits = [(f"{name} {sign} ?", moment) for name in began for sign, moment in ((">=", start), ("<", until))]
        where = " AND ".join(["true", *(condition for condition, moment in limits if moment is not None)])
        order = ", ".join(["city", *began, *(column.name for column in known)])
        target, options = str(to).replace("'", "''"), _OPTIONS[format_]
        [found] = self.connection.execute(
            f"COPY (FROM {table} WHERE {where} ORDER BY {order}) TO '{target}' ({options}, USE_TMP_FILE false)",
            [moment for _, moment in limits if moment is not None],
        ).fetchall()
        return int(found[0])

    def put(self, rows: Sequence[object]) -> None:
        """Take in rows of whatever tables."""
        of_type = defaultdict[type, list[object]](list)
        for row in rows:
            of_type[type(row)].append(row)
        for row_type, alike in of_type.items():
            known = self._columns[self._names[row_type]]
            cells = attrgetter(*(column.name for column in known))
            moments = [place for place, column in enumerate(known) if column.is_moment]
            appender = self.connection.appender(f"_{self._names[row_type]}")
            appender.append_rows([_as_told(cells(row), moments) for row in alike])
            appender.flush()

    def _erase(self, city: str, forms: Collection[str]) -> None:
        for form in forms:
            self.connection.execute("UPDATE _journeys SET caller = NULL WHERE city = ? AND starts_with(caller, ?)", [city, form])


def _as_told(cells: tuple[object, ...], moments: Sequence[int]) -> list[object]:
    """A row's cells, of which the `moments` are whole microseconds."""
    told = [*cells]
    for place in moments:
        moment = told[place]
        if moment is not None:
            told[place] = round(moment * 1e6)  # type: ignore[operator]
    return told
