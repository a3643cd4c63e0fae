"""What waits at a centre to be sent: a SQLite file, in which every event is safe before it is on its way, in the order it came.

The file is in WAL mode with full sync: what `put` has returned for survives a kill and a power cut. One process holds it at a
time. It is bounded, by its own size and by what the disk has left; beyond that, whoever can read again waits, and of the others
the newest events are refused and counted. A part of the room is kept for those that cannot read again.
"""

import contextlib
import os
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

PAGE = 4096
LEAST_BYTES = 1_000_000
"""The smallest bound that makes sense."""
RESERVE = 4 * 2**20
"""Bytes of the disk that are left free (a quarter of a small disk), so that what was sent can still be deleted."""
LIVE_SHARE = 0.2
"""Of the room, kept for collectors that cannot read again."""
SPAN_SECONDS = 2_700.0
"""How far the times of one collector's events in one batch may lie apart. A batch can be sent twice, and the monitor knows again
what it had within an hour of its source's time; what is older it would call late.
"""
ASIDE_MOST = 1_000
"""Refused events that are kept; beyond it the oldest go. How many there were is counted for ever."""

_FORM = 1
_FULL = frozenset((sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR))
_CHECKPOINT_PAGES = 256
_PIECE = 1000
_TABLES = """
CREATE TABLE events (number INTEGER PRIMARY KEY AUTOINCREMENT, collector TEXT NOT NULL, put REAL NOT NULL,
    happened REAL NOT NULL, event BLOB NOT NULL);
CREATE TABLE collectors (name TEXT PRIMARY KEY, position TEXT,
    sent INTEGER NOT NULL DEFAULT 0, aside INTEGER NOT NULL DEFAULT 0);
CREATE TABLE aside (number INTEGER PRIMARY KEY, collector TEXT NOT NULL, put REAL NOT NULL,
    reason TEXT NOT NULL, event BLOB NOT NULL);
"""
_REMEMBER = "INSERT INTO collectors (name, position) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET position = ?2"
_COUNT = """
INSERT INTO collectors (name, sent, aside) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET sent = ?2, aside = ?3
"""
_FORGET = "DELETE FROM events WHERE number <= ?1 AND number < (SELECT min(number) FROM events) + ?2"
_FORGET_ASIDE = "DELETE FROM aside WHERE number NOT IN (SELECT number FROM aside ORDER BY number DESC LIMIT ?)"


class SpoolError(OSError):
    """The spool cannot be used; the message is one sentence that names it and says what to do."""


class SpoolFullError(OSError):
    """There is no room now. Nothing of what was to be put is in the spool."""


class Spooled(NamedTuple):
    """One event on its way: its place in the order, who found it, and its JSON."""

    number: int
    collector: str
    event: bytes


class Spool:
    """One spool, open. Not for several threads at once; `close` it."""

    def __init__(self, path: Path, most_bytes: int, wall: Callable[[], float] = time.time) -> None:
        """Open the file or make it. Raises `SpoolError`: it is another edge has it, it is damaged or of another version."""
        self.path, self.most_bytes = path, most_bytes
        self._wall = wall
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Nobody else's to read: it is all that the centre tells.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise SpoolError(f"{path}: {error.strerror}; name another file as spool, or give this user the right") from None
        self._sql = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)
        try:
            with self._explained():
                self._prepare()
                self.waiting = Counter[str](dict(self._sql.execute("SELECT collector, count(*) FROM events GROUP BY collector")))
                rows = self._sql.execute("SELECT name, sent, aside FROM collectors").fetchall()
        except BaseException:
            self._sql.close()
            raise
        self.sent = Counter[str]({name: sent for name, sent, _ in rows})
        self.set_aside = Counter[str]({name: aside for name, _, aside in rows})
        self._acknowledged = 0

    def _prepare(self) -> None:
        sql = self._sql
        # Held by one process, whose index of the log is then in its own memory: a full disk cannot tear that.
        sql.execute("PRAGMA locking_mode=EXCLUSIVE")
        sql.execute(f"PRAGMA page_size={PAGE}")
        if sql.execute("PRAGMA journal_mode=WAL").fetchone() != ("wal",):
            raise SpoolError(f"{self.path}: this disk cannot hold it safely (no WAL); name a file on a local disk")
        sql.execute("PRAGMA synchronous=FULL")
        sql.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        sql.execute(f"PRAGMA max_page_count={self.most_bytes // PAGE}")
        if (found := sql.execute("PRAGMA quick_check(1)").fetchone()) != ("ok",):
            raise sqlite3.DatabaseError(str(found))
        form = sql.execute("PRAGMA user_version").fetchone()[0]
        if form == 0:
            sql.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version={_FORM}; COMMIT;")
        elif form != _FORM:
            raise SpoolError(f"{self.path}: is of another version of this program; let that one send it, or name another file")
        else:
            # Takes the lock, which reading alone would take only shared.
            sql.executescript("BEGIN IMMEDIATE; COMMIT;")

    def close(self) -> None:
        """Let go of the file."""
        with contextlib.suppress(sqlite3.Error):
            self._sql.close()

    @property
    def length(self) -> int:
        """How many events wait; from any thread."""
        return sum(list(self.waiting.values()))

    def position(self, collector: str) -> str | None:
        """What the collector said last; None when it never did."""
        with self._explained():
            row = self._sql.execute("SELECT position FROM collectors WHERE name = ?", (collector,)).fetchone()
        return None if row is None else row[0]

    def put(
        self, collector: str, events: Sequence[tuple[float, bytes]], position: str | None = None, *, rereads: bool = False
    ) -> None:
        """Put events, each with its time in epoch seconds, and the position on disk, all or nothing; returns when they are there.

        Raises `SpoolFullError`.
        """
        if not self._has_room(rereads):
            raise SpoolFullError
        now = self._wall()
        rows = [(collector, now, *event) for event in events]

        def write(sql: sqlite3.Connection) -> None:
            sql.executemany("INSERT INTO events (collector, put, happened, event) VALUES (?, ?, ?, ?)", rows)
            if position is not None:
                sql.execute(_REMEMBER, (collector, position))

        self._write(write)
        self.waiting[collector] += len(events)

    def next(self, most: int, most_bytes: int) -> list[Spooled]:
        """The oldest events that were not sent yet, up to so many and so large together, within `SPAN_SECONDS`, and one at least
        if there is one.
        """
        found: list[Spooled] = []
        spans: dict[str, tuple[float, float]] = {}
        size = 0
        query = "SELECT number, collector, event, happened FROM events WHERE number > ? ORDER BY number LIMIT ?"
        with self._explained():
            for number, collector, event, happened in self._sql.execute(query, (self._acknowledged, most)):
                first, last = spans.get(collector, (happened, happened))
                span = spans[collector] = min(first, happened), max(last, happened)
                size += len(event)
                if found and (size > most_bytes or span[1] - span[0] > SPAN_SECONDS):
                    break
                found.append(Spooled(number, collector, event))
        return found

    def acknowledge(self, batch: Sequence[Spooled], refused: dict[int, str]) -> None:
        """The destination has the batch, but those it `refused` (index and reason): they are set aside.

        Where the disk is so full that nothing can be deleted, that is made up for later; nothing is sent twice because of it.
        """
        self._acknowledged = batch[-1].number
        taken = Counter(one.collector for index, one in enumerate(batch) if index not in refused)
        put_aside = Counter(batch[index].collector for index in refused)
        self.waiting.subtract(taken + put_aside)
        self.sent += taken
        self.set_aside += put_aside
        now = self._wall()
        kept = [(batch[index].number, batch[index].collector, now, why, batch[index].event) for index, why in refused.items()]
        counts = [(name, self.sent[name], self.set_aside[name]) for name in self.sent.keys() | self.set_aside.keys()]

        def write(sql: sqlite3.Connection) -> None:
            sql.executemany("INSERT OR REPLACE INTO aside VALUES (?, ?, ?, ?, ?)", kept)
            if kept:
                sql.execute(_FORGET_ASIDE, (ASIDE_MOST,))
            sql.executemany(_COUNT, counts)

        with contextlib.suppress(SpoolFullError):
            self._write(write)
            self._forget()

    def _forget(self) -> None:
        """Delete what was sent, piece by piece: what a full disk has kept here may be more than one transaction has room for."""
        gone = 1
        while gone:

            def write(sql: sqlite3.Connection) -> None:
                nonlocal gone
                gone = sql.execute(_FORGET, (self._acknowledged, _PIECE)).rowcount

            self._write(write)

    def oldest(self) -> float | None:
        """When the oldest event that waits was put here, in epoch seconds; None when nothing waits."""
        query = "SELECT put FROM events WHERE number > ? ORDER BY number LIMIT 1"
        with self._explained():
            row = self._sql.execute(query, (self._acknowledged,)).fetchone()
        return None if row is None else row[0]

    def used(self) -> int:
        """Bytes of the file that hold something."""
        with self._explained():
            pages, free = (self._sql.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
        return int(pages - free) * PAGE

    def capacity(self) -> int:
        """Bytes that `used` could grow to: the bound, or less where the disk is smaller than that or others have filled it."""
        disk = shutil.disk_usage(self.path.parent)
        with self._explained():
            size = int(self._sql.execute("PRAGMA page_count").fetchone()[0]) * PAGE
        return min(self.most_bytes, size + max(0, disk.free - min(RESERVE, disk.total // 4)))

    def _has_room(self, rereads: bool) -> bool:
        used, capacity = self.used(), self.capacity()
        return used < (1 - LIVE_SHARE if rereads else 1) * capacity

    def _write(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Do it in one transaction; on disk when this returns. Raises `SpoolFullError`."""
        try:
            with self._transaction() as sql:
                work(sql)
        except SpoolFullError:
            # The log of transactions may only be full of what can be put in its place, which happens after good ones alone.
            with self._explained():
                self._sql.execute("PRAGMA wal_checkpoint")
            with self._transaction() as sql:
                work(sql)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._explained():
            try:
                self._sql.execute("BEGIN IMMEDIATE")
                yield self._sql
                self._sql.execute("COMMIT")
            except BaseException:
                if self._sql.in_transaction:
                    self._sql.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Errors of SQLite as ours: no room, or why the file cannot be used."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            kind = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
            if kind in _FULL:
                raise SpoolFullError from None
            if kind in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise SpoolError(
                    f"{self.path}: another edge has it; stop that one, or give this one a spool of its own"
                ) from None
            if kind in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
                raise SpoolError(f"{self.path}: this user may not write it, or its folder") from None
            raise SpoolError(
                f"{self.path}: is damaged, or no spool. Move it away with its -wal and start again: files that are followed are "
                f"read anew, and what it held of other sources is lost ({getattr(error, 'sqlite_errorname', 'no SQLite file')})"
            ) from None
