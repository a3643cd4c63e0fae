"""A log read line by line, plain or packed, whole or as it grows and rotates, taken up again where it was left."""

import bz2
import gzip
import json
import lzma
import os
import re
import zlib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import deque
from dataclasses import asdict, dataclass
from hashlib import blake2b
from io import FileIO
from pathlib import Path
from typing import IO, Protocol, cast

from streams.sources.opened import GZIP, BrokenFileError, Opened, UnreadableError

LONGEST = 65_536
"""Bytes of a line; what a longer one has beyond them is dropped, so that a broken file cannot fill the memory."""

_FIRST = 4096
_ROTATED = re.compile(r"([.-]([0-9][0-9-]*|old))+(\.(gz|bz2|xz))?")
_BZIP2, _XZ = b"BZh", b"\xfd7zXZ"
_BREAKS = (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError)


@dataclass(frozen=True, slots=True)
class Position:
    """How far a log was read. `first` is a hash of its first line: that stays when the file is renamed, copied or packed."""

    first: str = ""
    offset: int = 0
    line: int = 0


class Feed(Protocol):
    """What lines of a log come from; `opened` where that is one input, read once."""

    opened: Opened | None
    first_line: int

    def read(self, most: int = 1000) -> list[bytes]:
        """The next lines; none when there are no more (for now)."""

    def delivered(self, held: int = 0) -> None:
        """All lines read so far have arrived where they go, but the last `held`."""

    def close(self) -> None:
        """Let go of the open file."""


class Once:
    """One log from its beginning to its end: a file or a pipe, in any form of text. Lines come as soon as they are there."""

    def __init__(self, opened: Opened) -> None:
        self.opened: Opened | None = opened
        self._batches = opened.batches()
        self._given = 0
        self.first_line = 1

    def read(self, most: int = 1000) -> list[bytes]:
        """The next lines, as many as have come; none at the end. Raises `BrokenFileError` and `UnreadableError`."""
        self.first_line += self._given
        lines = next(self._batches, [])
        self._given = len(lines)
        return lines

    def delivered(self, held: int = 0) -> None:
        """Nothing is remembered: what is read once begins at the beginning."""

    def close(self) -> None:
        """Let go of the input."""
        if self.opened is not None:
            self.opened.close()
            self.opened = None


class Tail:
    """One log on its way to becoming events: `read` hands out its next lines, `delivered` remembers that they arrived.

    Kill it at any moment: what was read and not delivered is read again, and events are known by their ids. Rotation by
    renaming and by copying and truncating are both followed, also while nobody was reading, as long as the rotated file
    stays beside the log (`queue_log.1`, `queue_log-20240101.gz`, `queue_log.old.xz`). How far it was read is kept in `memory`, a
    file, or by whoever gives it back as `position`; without either, reading begins at the start: of the log, or with
    `older` of the oldest rotated file that stays beside it.
    """

    opened: Opened | None = None

    def __init__(
        self, path: Path, memory: Path | None = None, *, follow: bool = False, position: str | None = None, older: bool = False
    ) -> None:
        self._path = self._opened = path
        self._memory = memory
        self._follow = follow
        self._older = older
        self._given = _recall(memory) if memory is not None else _position(position or "")
        self._at = self._given
        # How many lines were read in all, and where each `read` ended that is not delivered yet.
        self._lines = 0
        self._ends: deque[tuple[int, Position]] = deque()
        self._file: IO[bytes] | None = None
        self._in_rotated = self._leaving = False
        # Whether the file of `_given` was read to its end, and that file was rotated.
        self._finished = False
        self._broken: BrokenFileError | None = None
        self._passed_over: set[int] = set()
        self.lost = 0
        """How often the place to go on at was in no file: something may have been written that was never read."""
        self.first_line = 1
        """The number, in its file, of the first line that `read` gave last."""

    def read(self, most: int = 1000) -> list[bytes]:
        """The next lines, `most` at once; none when there are no more (for now, when following).

        When following, a last line without its end is left until it is complete. Raises `FileNotFoundError` when not
        following, and `BrokenFileError`.
        """
        while self._file is not None or self._open():
            if lines := self._take(most):
                return lines
            if not self._move_on():
                break
        return []

    def arrived(self, held: int = 0) -> str | None:
        """The `position` to go on at once all lines read so far but the last `held` have arrived where they go: behind them, or
        behind what one `read` gave before. None where that is where it was.
        """
        arrived = Position()
        while self._ends and self._ends[0][0] <= self._lines - held:
            _, arrived = self._ends.popleft()
        return json.dumps(asdict(arrived)) if arrived.first else None

    def delivered(self, held: int = 0) -> None:
        """All lines read so far but the last `held` have arrived where they go: keep the position in the memory."""
        position = self.arrived(held)
        if self._memory is None or position is None:
            return
        draft = self._memory.with_name(self._memory.name + ".new")
        try:
            with draft.open("w") as file:
                file.write(position)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._memory)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._memory)) from None

    def close(self) -> None:
        """Let go of the open file; reading opens it again where it was."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def pass_over(self) -> bool:
        """Leave the rest of a broken file that was rotated; whether it was one."""
        if self._file is None or self._broken is None or not self._in_rotated:
            return False
        self._passed_over.add(os.fstat(self._file.fileno()).st_ino)
        self.close()
        return True

    def _open(self) -> bool:
        """Open what comes next: the rotated file not read to its end, those rotated after it, then the log itself."""
        try:
            # Opened before looking for rotated files, so that none can slip in between.
            self._file = open_log(self._path)
        except FileNotFoundError:
            if not self._follow:
                raise FileNotFoundError(f"no file {self._path.name}") from None
        unread = self._unread()
        self._in_rotated = bool(unread)
        if unread:
            self.close()
            self._file = open_log(unread[0])
        self._opened = unread[0] if unread else self._path
        self._broken = None
        if self._file is None:
            return False
        self._at = self._given if _first_line(self._file) == self._given.first else Position()
        if not _is_packed(self._file) and os.fstat(self._file.fileno()).st_size < self._at.offset:
            self._at = Position()
        self._leaving = False
        try:
            self._file.seek(self._at.offset)
        except OSError as error:
            if error.errno is not None:
                raise
            self._broken = self._breaks_off(self._at.line)
        except _BREAKS:
            self._broken = self._breaks_off(self._at.line)
        return True

    def _unread(self) -> list[Path]:
        """The rotated files not yet read to their ends, oldest first; none when the log is what was read last."""
        if not self._given.first and not self._older:
            return []
        here = "" if self._file is None else _first_line(self._file)
        if here and here == self._given.first:
            return []
        start = len(self._path.name)
        rotated = [
            path
            for path in self._path.parent.iterdir()
            if path.name.startswith(self._path.name) and _ROTATED.fullmatch(path.name[start:]) and path.is_file()
        ]
        # Of a file that is being packed right now, the plain one is whole.
        rotated.sort(key=lambda path: (not path.name.endswith((".gz", ".bz2", ".xz")), path.stat().st_mtime_ns))
        firsts = {first: path for path in rotated if (first := _first_line_of(path)) and first != here}
        found = sorted(firsts.items(), key=lambda item: item[1].stat().st_mtime_ns)
        if not self._given.first:
            unread = found
        elif known := [index for index, (first, _) in enumerate(found) if first == self._given.first]:
            unread = found[known[0] + self._finished :]
        elif self._file is None or self._finished:
            return []
        else:
            self.lost += 1
            self._given = Position()
            unread = found if self._older else []
        return [path for _, path in unread if path.stat().st_ino not in self._passed_over]

    def _take(self, most: int) -> list[bytes]:
        assert self._file is not None
        if self._broken is not None:
            raise self._broken
        to_the_end = not self._follow or self._leaving or self._in_rotated
        at = self._at.offset
        lines: list[bytes] = []
        try:
            while len(lines) < most and (line := self._file.readline(LONGEST)):
                end = at + len(line)
                piece = line
                while not piece.endswith(b"\n") and (piece := self._file.readline(LONGEST)):
                    end += len(piece)
                if not piece and not to_the_end:
                    self._file.seek(at)
                    break
                lines.append(line)
                at = end
        except (OSError, *_BREAKS) as error:
            # What bzip2 finds wrong is an OSError without a number.
            if isinstance(error, OSError) and error.errno is not None:
                raise
            self._broken = self._breaks_off(self._at.line + len(lines))
            if not lines:
                raise self._broken from None
        # Looked at after reading: what was read before a truncation is not mixed with what came after it.
        if not lines or self._was_truncated():
            return []
        self.first_line = self._at.line + 1
        self._finished = False
        self._at = self._given = Position(self._at.first or _hash(lines[0]), at, self._at.line + len(lines))
        self._lines += len(lines)
        self._ends.append((self._lines, self._given))
        return lines

    def _breaks_off(self, line: int) -> BrokenFileError:
        return BrokenFileError(
            f"{self._opened.name}, line {line + 1}: the packed file breaks off here; replace it by a whole copy or remove it"
        )

    def _move_on(self) -> bool:
        """At the end of the open file: whether there is more to read elsewhere."""
        if self._in_rotated:
            self._finished = True
        elif not self._follow:
            return False
        elif self._was_truncated():
            pass
        elif self._leaving:
            self._finished = True
        elif not self._at.offset and self._unread():
            # The log is still empty, or new again: it was rotated before anything of it was read.
            pass
        else:
            self._leaving = self._was_renamed()
            return self._leaving
        self.close()
        return True

    def _was_truncated(self) -> bool:
        """Whether the open log was emptied, however much was written to it since."""
        if self._in_rotated or not self._follow or not self._at.offset or _is_packed(self._file):
            return False
        assert self._file is not None
        descriptor = self._file.fileno()
        return os.fstat(descriptor).st_size < self._at.offset or _hash(os.pread(descriptor, _FIRST, 0)) != self._at.first

    def _was_renamed(self) -> bool:
        assert self._file is not None
        try:
            named = self._path.stat()
        except FileNotFoundError:
            return False
        # As long as the new file is empty, the exchange may still write to the old one.
        return named.st_size > 0 and named.st_ino != os.fstat(self._file.fileno()).st_ino


def open_log(path: Path) -> IO[bytes]:
    """A file opened for reading bytes; unpacked when it is gzip, bzip2 or xz, whatever it is called. Raises `UnreadableError` for
    UTF-16.
    """
    file = path.open("rb")
    beginning = os.pread(file.fileno(), 6, 0)
    if beginning.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        file.close()
        raise UnreadableError(f"{path}: is UTF-16; only a file that is read once, without --follow and --remember, may be")
    if beginning.startswith((_BZIP2, _XZ)):
        file.close()
        return cast(IO[bytes], bz2.open(path) if beginning.startswith(_BZIP2) else lzma.open(path))
    if not beginning.startswith(GZIP):
        return file
    packed = gzip.GzipFile(fileobj=file)
    packed.myfileobj = cast(FileIO, file)  # closed with it
    return cast(IO[bytes], packed)


def _is_packed(file: IO[bytes] | None) -> bool:
    return isinstance(file, gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile)


def _recall(memory: Path) -> Position:
    """The remembered position; the start when there is none."""
    try:
        return _position(memory.read_bytes())
    except FileNotFoundError:
        return Position()


def _position(text: str | bytes) -> Position:
    """The position that a text says; the start where it says none."""
    try:
        said = json.loads(text)
        return Position(str(said["first"]), int(said["offset"]), int(said["line"]))
    except (KeyError, TypeError, ValueError):
        return Position()


def _first_line_of(path: Path) -> str:
    """The hash of a file's first line; nothing when it has none or cannot be read."""
    try:
        with open_log(path) as file:
            return _first_line(file)
    except OSError:
        return ""


def _first_line(file: IO[bytes]) -> str:
    """The hash of an open file's first line; reading goes on where it was."""
    try:
        here = file.tell()
        file.seek(0)
        line = file.readline(_FIRST)
        file.seek(here)
    except (OSError, *_BREAKS):
        return ""
    return _hash(line) if line else ""


def _hash(beginning: bytes) -> str:
    return blake2b(beginning[:_FIRST].split(b"\n", 1)[0], digest_size=8).hexdigest()
