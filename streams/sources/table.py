"""Tables of calls, tickets, levels or answers as events, by one SQL query over the table `rows`; README.md beside this says how.

The query runs in DuckDB, alone: it is one SELECT, and sees no file, no network and no setting. What it gives is read here:
the columns `type` and `time`, the fields of each type of event, and, where they are given, `id`, `source` and `line`.

Of one line of the table all events come, or, with a fault that is told, none. No fault repeats a cell, and DuckDB's own words,
which do, are never passed on: which lines and columns they are about is found by asking again for fewer of them.
"""

# ruff: noqa: S608 (the SQL is put together of the operator's own query, and of names that are quoted)

import contextlib
import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import duckdb

from schemas.event import EARLIEST, Event
from schemas.topics import decode_recording, encode
from streams.core.centre import Centre
from streams.sources.answer import BEGINS, ENDS, EPOCH, Answer, Column, MappingError, RowError, check, quoted
from streams.sources.door import Door
from streams.sources.opened import text_of
from streams.sources.rows import Grid, Parquet, Records, Rows

MEMORY = "100MB"
"""What DuckDB may use of it; beyond that it writes to its folder of this run."""
MOST_FAILING = 50
"""Rows that a query may fail on; of a query that fails on more, not the rows are wrong."""

_BATCH = 2_000
_SORTED = 50_000
_MACROS = Path(__file__).with_name("macros.sql")
_SAID: frozenset[str] = frozenset(re.findall(r"error\('([^']*)'\)", _MACROS.read_text()))


class Told(NamedTuple):
    """What a few rows gave."""

    events: list[Event]
    """By their time."""
    faults: list[tuple[int, str]]
    """The number of a row, from 1, and why it gave nothing."""
    silent: list[int]
    """The numbers of the rows of which the query says nothing."""


class Query:
    """One SQL text that says, for one centre, what the rows of a table are.

    For a few rows at hand, such as a vendor's webhook, once for each message:

        query = Query(Path("vendor.sql").read_text(), centre, door, source="vendor")   # raises MappingError
        told = query.events([{"id_panggilan": "P-1", "waktu_masuk": "2026-01-05T08:00:00+07:00"}])
        told.events, told.faults, told.silent

    Values may be nested; the query sees text, as JSON where it was nested. A column that no row has is NULL there. Several
    threads may use one `Query`, one after the other; a call takes some ten milliseconds. `source` is the name behind
    the centre's code in the events' source, where the query gives no column of that name. Times before `earliest` are refused.
    """

    def __init__(self, sql: str, centre: Centre, door: Door, source: str = "table", earliest: datetime = EARLIEST) -> None:
        """Raises `MappingError` for what is not one SELECT."""
        self._centre, self._door, self._source, self._earliest = centre, door, source, earliest
        self._work: _Work | None = None
        self._lock = Lock()
        with duckdb.connect() as connection:
            try:
                statements = connection.extract_statements(sql)
            except duckdb.Error as error:
                raise MappingError(_first_line(error)) from None
            if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
                raise MappingError("must be one SELECT (or WITH … SELECT), and nothing else")
            [(tree,)] = connection.execute("SELECT json_serialize_sql($1)", [sql]).fetchall()
            self.groups: bool = '"group_expressions":[{' in tree
            """Whether it puts rows together."""
            self._sql = sql
            if ";" in sql and '"error":false' in tree:
                # What stands behind a semicolon, as a comment does, would be in the way inside of another query.
                [(self._sql,)] = connection.execute("SELECT json_deserialize_sql($1)", [tree]).fetchall()

    def events(self, rows: Sequence[Mapping[str, object]]) -> Told:
        """What these rows give. Raises `MappingError` where the query does not fit any table, as for a function that is none."""
        faults: list[tuple[int, str]] = []
        silent: list[int] = []
        with self._lock:
            if self._work is None:
                self._work = _Work(self._centre)
            self._work.load(Records(enumerate(rows, 1)))
            events = [*self._events(self._work, lambda line, why: faults.append((line, why)), silent.append)]
        return Told(events, faults, silent)

    def read(
        self,
        rows: Rows,
        on_bad: Callable[[int, str], None],
        on_silent: Callable[[int], object] = lambda line: None,
        on_endless: Callable[[int], object] = lambda line: None,
    ) -> Iterator[Event]:
        """All events of a table, by their time; what is simultaneous stays in the query's order.

        `on_bad` is told the line and the fault of each row that gives no events, `on_silent` the line of each of which the query
        says nothing, and `on_endless` that of each call which is offered and has no end, as one has whose time was empty; all
        before the first event comes. Raises `MappingError`, `UnreadableError`.
        """
        with tempfile.TemporaryDirectory(prefix="pantau112-table-") as folder, _Work(self._centre, Path(folder)) as work:
            work.load(rows)
            yield from self._events(work, on_bad, on_silent, on_endless)

    def _events(
        self,
        work: "_Work",
        on_bad: Callable[[int, str], None],
        on_silent: Callable[[int], object],
        on_endless: Callable[[int], object] = lambda line: None,
    ) -> Iterator[Event]:
        try:
            columns = work.run(self._sql, on_bad)
            work.tell(Answer(columns, self._centre, self._door, self._source, self._earliest), on_bad, on_silent)
            work.tell_endless(columns, on_endless)
            yield from work.told()
        except duckdb.OutOfMemoryException:
            raise MappingError(f"needs more than {MEMORY} of memory at once, or the disk is full; group or join less") from None


def shipped(name: str) -> str:
    """The text of a query: of the file of that name, or of one that comes along. Raises `UnreadableError` and `OSError`."""
    own = _MACROS.parent / f"{name}.sql"
    return text_of(own if re.fullmatch(r"[a-z0-9_]+", name) and name != _MACROS.stem and own.is_file() else Path(name))


class _Work(contextlib.AbstractContextManager["_Work"]):
    """A DuckDB of its own for one table and one query: on disk in `folder`, so that memory stays flat, or in memory without."""

    def __init__(self, centre: Centre, folder: Path | None = None) -> None:
        self._connection = duckdb.connect(
            ":memory:" if folder is None else str(folder / "table.duckdb"),
            config={
                "memory_limit": MEMORY,
                "threads": 1,
                "temp_directory": "" if folder is None else str(folder / "spilt"),
            },
        )
        if folder is not None:
            # What is in it of numbers and names is in no folder of files, also when this is killed.
            (folder / "table.duckdb").unlink()
        self._locked = False
        self._open = ""
        self._doubled: dict[str, int] = {}
        self._columns: list[str] = []
        self._begins: list[str] = []
        self._last = 0
        zone = centre.timezone.key
        self._execute(f"SET TimeZone = '{zone}'")
        for statement in self._connection.extract_statements(_MACROS.read_text().replace("{zone}", zone)):
            self._connection.execute(statement)

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def _execute(self, sql: str) -> Any:
        return self._connection.execute(sql)

    def load(self, rows: Rows) -> None:
        """Take in the table as it is written, `_rows`, and what the query sees of it, `rows`; then close all ways to the outside.

        Raises `MappingError` for a Parquet file that is none.
        """
        # What may be absent: a record has the names of which it says something, and headless rows may end early.
        self._open = ".*" if isinstance(rows, Records) else r"column[0-9]+" if isinstance(rows, Grid) and not rows.named else ""
        match rows:
            case Grid():
                names = self._name(rows.columns)
                columns = ", ".join(f"{quoted(name)} VARCHAR" for name in names)
                self._execute(f"CREATE OR REPLACE TABLE _rows (line BIGINT, {columns})")
                self._append("_rows", ((line, *cells) for line, cells in rows.rows))
            case Records():
                keys: dict[str, None] = {}
                self._execute("CREATE OR REPLACE TABLE _records (line BIGINT, record VARCHAR)")
                self._append("_records", ((line, _json(record, keys)) for line, record in rows.rows))
                columns = "".join(
                    f", json_extract_string(record, {_text('/' + key.replace('~', '~0').replace('/', '~1'))}) AS {quoted(name)}"
                    for key, name in zip(keys, self._name(keys), strict=True)
                )
                self._execute(f"CREATE OR REPLACE VIEW _rows AS SELECT line{columns} FROM _records")
            case Parquet():
                try:
                    self._execute(f"CREATE OR REPLACE VIEW _file AS FROM read_parquet({_text(str(rows.path))})")
                except duckdb.Error:
                    raise MappingError("is no whole Parquet file") from None
                found = [name for name, *_ in self._execute("DESCRIBE _file").fetchall()]
                names = self._name(found)
                columns = "".join(f", {quoted(was)}::VARCHAR AS {quoted(name)}" for was, name in zip(found, names, strict=True))
                self._execute(f"CREATE OR REPLACE TABLE _rows AS SELECT row_number() OVER () AS line{columns} FROM _file")
        self._execute("CREATE OR REPLACE TABLE _bad (line BIGINT)")
        self._show()
        [(self._last,)] = self._execute("SELECT coalesce(max(line), 0) FROM _rows").fetchall()
        if not self._locked:
            self._execute("SET enable_external_access = false")
            self._execute("SET lock_configuration = true")
            self._locked = True

    def _append(self, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
        appender = self._connection.appender(table)
        for batch in _batches(rows):
            appender.append_rows(batch)
            appender.flush()

    def _name(self, names: Iterable[str]) -> list[str]:
        """Names of columns as SQL tells them apart, which sees no case: of several of one name each has its number behind it."""
        names = [*names]
        plain = [name.lower() for name in names]
        self._doubled = {name: plain.count(name) for name in plain if plain.count(name) > 1}
        seen: dict[str, int] = {}
        told = []
        for name, key in zip(names, plain, strict=True):
            seen[key] = seen.get(key, 0) + 1
            told.append(f"{name}:{seen[key]}" if key in self._doubled or key == "line" else name)
        self._columns = told
        return told

    def _show(self, absent: Iterable[str] = ()) -> None:
        columns = [f"_cell({quoted(name)}) AS {quoted(name)}" for name in self._columns]
        columns += [f"NULL::VARCHAR AS {quoted(name)}" for name in absent]
        self._execute(
            f"CREATE OR REPLACE VIEW rows AS SELECT {', '.join(['line', *columns])} FROM _rows WHERE line BETWEEN "
            "getvariable('first') AND getvariable('last') AND line NOT IN (SELECT line FROM _bad)"
        )

    def _only(self, first: int, last: int) -> None:
        self._execute(f"SET VARIABLE first = {first}")
        self._execute(f"SET VARIABLE last = {last}")

    def run(self, sql: str, on_bad: Callable[[int, str], None]) -> list[Column]:
        """Ask the query once, and keep its answer in `_told`; rows on which it fails are told and left out. The columns of it."""
        self._only(0, self._last)
        columns = self._bound(sql)
        if not any(column.name == "line" for column in columns) and (better := self._with_lines(sql)) is not None:
            sql = better
            columns = self._bound(sql)
        check(columns)
        self._begins = [noun for noun in BEGINS if any(column.name == noun for column in columns)]
        said = ", ".join(column.kept for column in columns)
        create = f"CREATE OR REPLACE TABLE _told AS SELECT {said} FROM (\n{sql}\n)"
        error = self._failure(create)
        if error is not None:
            failing = [*self._failing(sql, said, 0, self._last)]
            for line, why in failing:
                on_bad(line, why)
            self._append("_bad", ((line,) for line, _ in failing))
            self._only(0, self._last)
            if not failing or self._failure(create) is not None:
                raise MappingError(f"fails on the table as a whole, and on no row alone: {_kind(error)}")
        return columns

    def _bound(self, sql: str) -> list[Column]:
        """The columns of the query's answer; where records may lack a column, one that none has is NULL."""
        absent: list[str] = []
        while True:
            try:
                found = self._execute(f"DESCRIBE (\n{sql}\n)").fetchall()
                return [Column(name.lower(), kind) for name, kind, *_ in found]
            except duckdb.Error as error:
                missing = re.match(r'Binder Error: Referenced column "(.*?)" not found', str(error))
                if missing is None:
                    raise MappingError(_first_line(error)) from None
                name = missing[1]
                if n := self._doubled.get(name.lower()):
                    raise MappingError(f'the table has {n} columns {name}; say which: "{name}:1" or "{name}:2"') from None
                if name in absent or not re.fullmatch(self._open, name):
                    raise MappingError(
                        f"the table has no column {name}; its header has {len(self._columns)} cells. If it has no header line, "
                        'its columns are column0, column1 and so on; names with spaces or dots are written in ""'
                    ) from None
                absent.append(name)
                self._show(absent)

    def _with_lines(self, sql: str) -> str | None:
        """The query with `line` in each of its parts, or, where one groups, all lines of the group; None where that cannot be."""
        [(told,)] = self._connection.execute("SELECT json_serialize_sql($1)", [sql]).fetchall()
        tree = json.loads(told)
        if tree["error"]:
            return None
        parts = [part for part in _parts(tree["statements"][0]["node"]) if part["select_list"]]
        for part in parts:
            part["select_list"].append(_select_item("NULL::BIGINT[] AS line"))
        ways: list[str] = []
        for part in parts:
            for way in ("[line]", "list(DISTINCT line)") if _is_plain(part) else ():
                part["select_list"][-1] = _select_item(f"{way} AS line")
                if self._binds(tree) is not None:
                    ways.append(way)
                    break
                part["select_list"][-1] = _select_item("NULL::BIGINT[] AS line")
        if not ways:
            return None
        if ways == ["[line]"] * len(parts):
            # The usual case, and quicker.
            for part in parts:
                part["select_list"][-1] = _select_item("line AS line")
        return self._binds(tree)

    def _binds(self, tree: Any) -> str | None:
        """A query as text, where DuckDB understands it on this table."""
        try:
            [(text,)] = self._connection.execute("SELECT json_deserialize_sql($1)", [json.dumps(tree)]).fetchall()
            self._execute(f"DESCRIBE (\n{text}\n)")
        except duckdb.Error:
            return None
        return str(text)

    def _failure(self, sql: str) -> duckdb.Error | None:
        try:
            self._execute(sql)
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error as error:
            return error
        return None

    def _failing(self, sql: str, said: str, first: int, last: int, found: list[int] | None = None) -> Iterator[tuple[int, str]]:
        """The lines on which the query fails, and why; by halves."""
        found = [] if found is None else found
        self._only(first, last)
        # Counted, so that nothing is kept; but each column is worked out.
        if self._failure(f"CREATE OR REPLACE TEMP TABLE _probe AS SELECT {said} FROM (\n{sql}\n)") is None:
            return
        if first == last:
            found.append(first)
            if len(found) > MOST_FAILING:
                raise MappingError(
                    f"fails on more than {MOST_FAILING} rows, the first in line {found[0]}: {self._why(sql)}. "
                    "Look whether the query reads this column as it is written"
                )
            yield first, self._why(sql)
            return
        middle = (first + last) // 2
        yield from self._failing(sql, said, first, middle, found)
        yield from self._failing(sql, said, middle + 1, last, found)

    def _why(self, sql: str) -> str:
        """Why the query fails on the rows that it sees now, by its columns one for one."""
        for column in self._bound(sql):
            probe = f"CREATE OR REPLACE TEMP TABLE _probe AS SELECT {column.kept} FROM (\n{sql}\n)"
            if (error := self._failure(probe)) is not None:
                return f"column {column.name}: {_kind(error)}"
        return "a condition of the query fails"

    def tell(self, answer: Answer, on_bad: Callable[[int, str], None], on_silent: Callable[[int], object]) -> None:
        """Make the events of what the query said, and keep them in `_events`."""
        self._execute("CREATE OR REPLACE TABLE _events (time BIGINT, line BIGINT, event BLOB)")
        self._execute("CREATE OR REPLACE TABLE _gave (line BIGINT)")
        kept = self._connection.cursor().appender("_events")
        asking = self._connection.cursor()
        joined = "".join(
            f" LEFT JOIN (SELECT {noun}, min(time) AS time FROM _told WHERE type = '{BEGINS[noun]}' GROUP BY {noun}) AS _{noun} "
            f"ON _{noun}.{noun} = _told.{noun} AND starts_with(_told.type, '{noun}.')"
            for noun in self._begins
        )
        begun = "".join(f"_{noun}.time, " for noun in self._begins)
        asking.execute(f"SELECT _told.*, coalesce({begun}NULL) FROM _told{joined}")
        gave = self._connection.cursor().appender("_gave")
        bad: set[int] = set()
        while rows := asking.fetchmany(_BATCH):
            events: list[tuple[Any, ...]] = []
            told = set[int]()
            for row in rows:
                lines = answer.lines(row)
                try:
                    event = answer.event(row)
                except RowError as fault:
                    line = min(lines, default=0)
                    if line not in bad:
                        on_bad(line, str(fault))
                    bad.update(lines)
                    told.update(lines)
                else:
                    if event is not None:
                        told.update(lines)
                        micros = (event.time - EPOCH) // timedelta(microseconds=1)
                        events.append((micros, min(lines, default=None), encode(event)))
            for into, batch in ((kept, events), (gave, [(line,) for line in told])):
                into.append_rows(batch)
                into.flush()
        self._append("_bad", ((line,) for line in bad))
        if not answer.has_lines:
            return
        asking.execute("SELECT line FROM _rows ANTI JOIN _bad USING (line) ANTI JOIN _gave USING (line) ORDER BY line")
        while rows := asking.fetchmany(_BATCH):
            for (line,) in rows:
                on_silent(line)

    def tell_endless(self, columns: Sequence[Column], on_endless: Callable[[int], object]) -> None:
        """Tell the line of each call that is offered, and neither ended nor lost: it would wait or speak for hours."""
        kinds = {column.name: column.type for column in columns}
        if not {"call", "line"} <= kinds.keys():
            return
        line = "list_min(line)" if kinds["line"].endswith("[]") else "line"
        ends = ", ".join(_text(kind) for kind in ENDS)
        asking = self._connection.cursor().execute(
            f"SELECT min({line}) FROM _told WHERE time IS NOT NULL AND starts_with(type, 'call.') GROUP BY call "
            f"HAVING bool_or(type = 'call.offered') AND NOT bool_or(type IN ({ends})) ORDER BY 1"
        )
        while rows := asking.fetchmany(_BATCH):
            for (first,) in rows:
                on_endless(first or 0)

    def told(self) -> Iterator[Event]:
        """The events of the lines without fault, by their time; stretch by stretch of it, so that few are sorted at once."""
        [(count,)] = self._execute("SELECT count(*) FROM _events").fetchall()
        if not count:
            return
        shares = [share / count for share in range(0, count, _SORTED)]
        [(begins,)] = self._connection.execute("SELECT quantile_disc(time, $1) FROM _events", [shares]).fetchall()
        begins = sorted({*begins})
        for begin, end in zip(begins, [*begins[1:], None], strict=True):
            until = "" if end is None else f" AND time < {end}"
            self._execute(
                f"SELECT event FROM _events WHERE time >= {begin}{until} "
                "AND (line IS NULL OR line NOT IN (SELECT line FROM _bad)) ORDER BY time, _events.rowid"
            )
            while rows := self._connection.fetchmany(_BATCH):
                for (text,) in rows:
                    event = decode_recording(text)
                    assert isinstance(event, Event), "it was one before it was written down"
                    yield event


def _kind(error: duckdb.Error) -> str:
    """What went wrong in DuckDB, in words that repeat nothing."""
    text = str(error)
    for said in _SAID:
        if said in text:
            return said
    if "Could not parse string" in text:
        return "not of the form that strptime(…) is told"
    if "Unknown TimeZone" in text:
        return "no time zone such as WIB, +07:00 or Asia/Jakarta"
    if isinstance(error, duckdb.ConversionException):
        return "cannot be what the query casts it to"
    if isinstance(error, duckdb.OutOfRangeException):
        return "too large a number"
    return f"DuckDB's {type(error).__name__}"


def _first_line(error: duckdb.Error) -> str:
    """What DuckDB says of a query that it has not run yet, without what it guesses, which may be from the table."""
    return str(error).splitlines()[0]


def _parts(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The SELECTs that are put together by UNION, as DuckDB's own tree has them."""
    if node["type"] == "SELECT_NODE":
        yield node
    for child in node.get("children") or [part for part in (node.get("left"), node.get("right")) if part]:
        yield from _parts(child)


def _is_plain(part: dict[str, Any]) -> bool:
    return not any(modifier["type"] == "DISTINCT_MODIFIER" for modifier in part["modifiers"])


@lru_cache
def _select_item(text: str) -> Any:
    with duckdb.connect() as connection:
        [(told,)] = connection.execute("SELECT json_serialize_sql($1)", [f"SELECT {text}"]).fetchall()
    [item] = json.loads(told)["statements"][0]["node"]["select_list"]
    return item


def _json(record: Mapping[str, object], keys: dict[str, None]) -> str:
    for key in record:
        keys.setdefault(key)
    return json.dumps(record, default=str)


def _batches(rows: Iterable[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
