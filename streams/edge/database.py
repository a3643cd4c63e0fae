"""A table in a MySQL, MariaDB or PostgreSQL database, such as a queue_log or call records that an exchange keeps there, by id.

It is named by a URL: `mysql://user@host:3306/asterisk?table=queue_log&id=id` or `postgresql://…`. The password stands in it, or,
better, where the driver looks for one (`~/.my.cnf`; `~/.pgpass` or PGPASSWORD): everybody on a machine sees its command lines. No
message repeats user or password, nor what the database says, which can quote a row. Only SELECT is ever sent.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from itertools import chain
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import psycopg
import pymysql

from streams.edge.ingest import Sink
from streams.sources.answer import MappingError
from streams.sources.opened import UnreadableError
from streams.sources.rows import Grid, text_of
from streams.sources.table import Query

PAGE = 5_000
"""Rows that are asked for at once."""
LOOK_SECONDS = 2
"""How often a growing table is looked at."""
OVERLAP = 1_000
"""Ids that are looked at again when following: a row can be committed after one that has a later id."""

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,63}(\.[A-Za-z_][A-Za-z0-9_$]{0,63})?")
_WHY: dict[object, str] = {
    1045: "user or password is wrong",
    1044: "this user may not",
    1142: "this user may not read the table",
    1049: "no such database",
    1146: "no such table",
    1054: "no such column as that given for id",
    2003: "nobody answers there",
    2013: "the connection was lost",
    "28P01": "user or password is wrong",
    "28000": "this user may not",
    "3D000": "no such database",
    "42P01": "no such table",
    "42703": "no such column as that given for id",
    "42501": "this user may not read the table",
}


class DatabaseError(UnreadableError):
    """A database that cannot be read; the message names host, database and table, and nothing else."""


class Database:
    """One table, by `url`. `name` is what it may be called in messages. Raises `DatabaseError` for a URL that is none."""

    def __init__(self, url: str, connect: Callable[[SplitResult], Any] | None = None) -> None:
        try:
            self._url = urlsplit(url)
            where = f"{self._url.scheme}://{self._url.hostname}{f':{self._url.port}' if self._url.port else ''}{self._url.path}"
        except ValueError:
            raise DatabaseError("the database's URL is none, such as mysql://user@host/asterisk?table=queue_log") from None
        asked = parse_qs(self._url.query)
        self._table, self._id = (asked.get(key, [default])[0] for key, default in (("table", ""), ("id", "id")))
        self.name = f"{where} {self._table}"
        if self._url.scheme not in _DRIVERS or not self._url.hostname or len(self._url.path) < 2:
            raise DatabaseError(f"{self.name}: is no URL such as mysql://user@host/asterisk?table=queue_log")
        if not _IDENTIFIER.fullmatch(self._table) or not _IDENTIFIER.fullmatch(self._id):
            raise DatabaseError(f"{self.name}: needs ?table=NAME, and &id=COLUMN where the growing number is not called id")
        self._driver, mark = _DRIVERS[self._url.scheme]
        self._connect = connect or self._driver
        table = ".".join(f"{mark}{part}{mark}" for part in self._table.split("."))
        self._sql = f"SELECT * FROM {table} WHERE {mark}{self._id}{mark} > %s ORDER BY {mark}{self._id}{mark} LIMIT {PAGE}"  # noqa: S608

    def read(self, after: int = -1) -> Grid:
        """The rows behind an id, in its order, page by page; a row's line is its id. Raises `DatabaseError`, also later."""
        pages = self._pages(after)
        columns, first = next(pages)
        return Grid(columns, chain(first, (row for _, page in pages for row in page)))

    def _pages(self, after: int) -> Iterator[tuple[Sequence[str], list[tuple[int, list[str | None]]]]]:
        try:
            with closing(self._connect(self._url)) as connection:
                while True:
                    with closing(connection.cursor()) as cursor:
                        cursor.execute(self._sql, (after,))
                        columns = [str(column[0]) for column in cursor.description]
                        at = [name.lower() for name in columns].index(self._id.lower())
                        rows = [(int(row[at]), [_text(cell) for cell in row]) for row in cursor.fetchall()]
                    yield columns, rows
                    if len(rows) < PAGE:
                        return
                    after = rows[-1][0]
        except (ValueError, TypeError):
            raise DatabaseError(f"{self.name}: column {self._id} is no whole number; give one with &id=COLUMN") from None
        except OSError as error:
            raise DatabaseError(f"{self.name}: nobody answers there ({type(error).__name__})") from None
        except (pymysql.Error, psycopg.Error) as error:
            code = error.sqlstate if isinstance(error, psycopg.Error) else error.args[0] if error.args else None
            why = _WHY.get(code) or f"cannot be read ({type(error).__name__}{f' {code}' if isinstance(code, int) else ''})"
            raise DatabaseError(f"{self.name}: {why}") from None


def deliver(
    database: Database,
    query: Query,
    sink: Sink,
    on_bad: Callable[[int, str], None],
    on_silent: Callable[[int], None],
    memory: Path | None = None,
    *,
    on_away: Callable[[str], None] = lambda why: None,
    stop: Event | None = None,
) -> Iterator[int]:
    """Hand the events of a table's rows to the sink, once, or, given `stop`, also those of rows that come, until it is set.

    Yields how many there were so far. How far was read is kept in `memory` once the sink has it; after a restart the last rows
    are looked at again, and their events known by their ids. While the database is away when following, `on_away` is told once,
    and it is asked again. Raises `DatabaseError`, and `MappingError` for a query that puts rows together where rows come one
    after the other.
    """
    if query.groups and (stop is not None or memory is not None):
        raise MappingError("puts rows together (GROUP BY), and the rest of a group may come later: read the whole table instead")
    after, count, away = _recall(memory), 0, False
    taken: set[int] = set()

    def fresh(grid: Grid) -> Iterator[tuple[int, Sequence[str | None]]]:
        nonlocal after
        for line, cells in grid.rows:
            if line not in taken:
                taken.add(line)
                after = max(after, line)
                yield line, cells

    while True:
        before = len(taken)
        try:
            grid = database.read(after - OVERLAP)
            for event in query.read(Grid(grid.columns, fresh(grid)), on_bad, on_silent):
                sink.send(event)
                count += 1
            away = False
        except DatabaseError as error:
            if stop is None or after < 0:
                raise
            if not away:
                on_away(str(error))
            away = True
        if len(taken) > before:
            sink.flush()
            if memory is not None:
                draft = memory.with_name(memory.name + ".new")
                draft.write_text(str(after))
                draft.replace(memory)
            yield count
        taken = {line for line in taken if line > after - OVERLAP}
        if stop is None or stop.wait(LOOK_SECONDS):
            return


def _recall(memory: Path | None) -> int:
    try:
        return -1 if memory is None else int(memory.read_text())
    except FileNotFoundError:
        return -1
    except ValueError:
        raise UnreadableError(f"{memory}: is no remembered position of a table; remove it to begin anew") from None


def _text(cell: object) -> str | None:
    if isinstance(cell, bytes | bytearray):
        return bytes(cell).decode("utf-8", "replace")
    return cell.isoformat(sep=" ") if isinstance(cell, datetime) else text_of(cell)


def _mysql(url: SplitResult) -> Any:
    own = Path("~/.my.cnf").expanduser()
    more: Any = {"password": unquote(url.password)} if url.password is not None else {}
    return pymysql.connect(
        host=url.hostname,
        port=url.port or 3306,
        user=unquote(url.username) if url.username else None,
        database=url.path[1:],
        charset="utf8mb4",
        # Each question sees what is there now, and not what was there at the first one.
        autocommit=True,
        connect_timeout=10,
        read_timeout=60,
        read_default_file=str(own) if own.is_file() else None,
        **more,
    )


def _postgresql(url: SplitResult) -> Any:
    return psycopg.connect(
        host=url.hostname,
        port=url.port or 5432,
        user=unquote(url.username) if url.username else None,
        password=unquote(url.password) if url.password is not None else None,
        dbname=url.path[1:],
        autocommit=True,
        connect_timeout=10,
    )


_DRIVERS: dict[str, tuple[Callable[[SplitResult], Any], str]] = {
    "mysql": (_mysql, "`"),
    "mariadb": (_mysql, "`"),
    "postgresql": (_postgresql, '"'),
    "postgres": (_postgresql, '"'),
}
