"""One input, opened once: a file, a pipe or standard input (`-`), plain or packed (gzip, bzip2, xz), in whatever form of text it
was saved.

What comes out is UTF-8 (or whatever 8 bits a file without a mark is in) in lines that end with `\\n`: a byte order mark is taken
off, UTF-16 is recoded, also without a mark, and the ends of lines of other systems become ours. Nothing is read twice, so a pipe
loses nothing.
"""

import bz2
import codecs
import errno
import gzip
import io
import lzma
import os
import select
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from hashlib import sha256
from pathlib import Path
from types import TracebackType

ENDLESS = 2**24
"""Bytes; what has no end of a line within them is no text of ours."""

SETTINGS_LARGEST = 2**20
"""Bytes of a file that a person writes: of a centre, of a mapping."""

GZIP = b"\x1f\x8b"

_CHUNK = 2**18
_STANDARD_INPUT = frozenset(("-", "/dev/stdin"))
# Longer marks first: that of UTF-32 begins like that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_TEXT = (
    (b"PK\x03\x04", "a zip or an Excel file: save the sheet as CSV, or unpack it first"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file: save the sheet as CSV first"),
    (b"%PDF", "a PDF: what is wanted is the table or log that it was made of"),
    (b"\x28\xb5\x2f\xfd", "packed by zstd: unpack it first"),
)
_PACKED: tuple[tuple[bytes, str, Callable[[io.BufferedReader], io.BufferedIOBase]], ...] = (
    (GZIP, "gzip", lambda file: gzip.GzipFile(fileobj=file)),
    (b"BZh", "bzip2", bz2.BZ2File),
    (b"\xfd7zXZ", "xz", lzma.LZMAFile),
)
_BROKEN = (EOFError, zlib.error, lzma.LZMAError, OSError)
"""What the unpackers raise; bzip2's is an `OSError` without a number, as gzip's `BadGzipFile` is."""
_NO_FILE = (
    (stat.S_ISDIR, "is a folder, no file"),
    (stat.S_ISSOCK, "is a socket, no file"),
    (stat.S_ISBLK, "is a device, no file"),
    (stat.S_ISCHR, "is a device, no file"),
)
_WORDS = {
    errno.ENOENT: "no such file",
    errno.ENOTDIR: "no such file",
    errno.EISDIR: "is a folder, no file",
    errno.EACCES: "this user may not",
    errno.EPERM: "this user may not",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk is full for this user",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ENXIO: "is a socket, or a device that is not there",
}


class UnreadableError(OSError):
    """An input that is no text of ours; the message is one sentence that names it."""


class BrokenFileError(OSError):
    """A gzip file that breaks off; what stood before the break was handed out."""


class Opened(AbstractContextManager["Opened"]):
    """An input on its way to becoming lines. `size` is how many bytes it has, as they lie there; None for a pipe."""

    _packed = ""

    def __init__(self, path: Path) -> None:
        """Raises `UnreadableError` for what is no file or no text, and `OSError` for what cannot be opened."""
        self.name = "standard input" if str(path) in _STANDARD_INPUT else str(path)
        self._raw = _open(path)
        try:
            mode = os.fstat(self._raw.fileno())
            self.size = mode.st_size if stat.S_ISREG(mode.st_mode) else None
            self.head, self._file = self._as_text()
        except BaseException:
            self._raw.close()
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of it."""
        self._raw.close()

    @property
    def sha256(self) -> str | None:
        """The hash of all its bytes, as they lie there; None where it was not read to its end."""
        return self._raw.hash.hexdigest() if self._raw.is_whole else None

    @property
    def done(self) -> int:
        """How many of `size` bytes were read; 0 for a pipe."""
        return 0 if self.size is None else self.size if self._raw.closed else self._raw.tell()

    def refuse_bytes(self) -> None:
        """Raise `UnreadableError` when the beginning is no text: for whoever cannot make anything of it anyway."""
        if b"\0" in self.head:
            raise UnreadableError(f"{self.name}: is no text (it has zero bytes)")

    def is_silent(self, seconds: float) -> bool:
        """Whether a pipe says nothing for so long. A file, and what has ended, is not silent."""
        return not select.select([self._raw], [], [], seconds)[0]

    def pieces(self) -> Iterator[bytes]:
        """The text as it comes, cut anywhere. Raises `BrokenFileError`."""
        try:
            while piece := self._file.read1(_CHUNK):
                yield piece
        except _BROKEN as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise BrokenFileError(
                f"{self.name}: the {self._packed} file breaks off; replace it by a whole copy or remove it"
            ) from None

    def batches(self) -> Iterator[list[bytes]]:
        """Lines without their ends, as many as have come; the last may have had no end. Raises `BrokenFileError`, and
        `UnreadableError` for a line without end.
        """
        rest, number = b"", 1
        for piece in self.pieces():
            *lines, rest = (rest + piece).split(b"\n")
            number += len(lines)
            if lines:
                yield lines
            elif len(rest) > ENDLESS:
                raise UnreadableError(
                    f"{self.name}: line {number} has no end within {ENDLESS >> 20} MB: this is no text of lines"
                )
        if rest:
            yield [rest]

    def lines(self) -> Iterator[bytes]:
        """Every line, one by one; raises as `batches`."""
        for batch in self.batches():
            yield from batch

    def _as_text(self) -> tuple[bytes, io.BufferedReader]:
        head, file = _look(io.BufferedReader(self._raw, _CHUNK))
        for magic, self._packed, unpacker in _PACKED:
            if head.startswith(magic):
                try:
                    head, file = _look(unpacker(file))
                except _BROKEN as error:
                    if isinstance(error, OSError) and error.errno is not None:
                        raise
                    raise BrokenFileError(f"{self.name}: the {self._packed} file breaks off at its beginning") from None
                break
        for magic, what in _NO_TEXT:
            if head.startswith(magic):
                raise UnreadableError(f"{self.name}: is {what}")
        for mark, encoding in _MARKS:
            if head.startswith(mark):
                return _look(_recoded(io.TextIOWrapper(file, encoding, errors="replace"), "utf-8"))
        if head.startswith(codecs.BOM_UTF8):
            file.read(len(codecs.BOM_UTF8))
            head, file = _look(file)
        if (found := _unmarked(head)) is not None:
            return _look(_recoded(io.TextIOWrapper(file, found, errors="replace"), "utf-8"))
        if b"\n" not in head:
            if b"\0" in head:
                raise UnreadableError(f"{self.name}: is no text (it has zero bytes)")
            if b"\r" in head:
                return _look(_recoded(io.TextIOWrapper(file, "latin-1"), "latin-1"))
        return head, file


class _Raw(io.FileIO):
    """A file that knows the hash of what was read of it, and whether that was all."""

    def __init__(self, file: Path | int, *, closefd: bool = True) -> None:
        super().__init__(file, "rb", closefd=closefd)
        self.hash, self.is_whole = sha256(), False

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        size = super().readinto(buffer)
        self.hash.update(memoryview(buffer)[:size])
        self.is_whole = not size
        return size


class _Pieces(io.RawIOBase):
    """A stream of what `more` gives, piece by piece, until it gives nothing; `first` comes before."""

    def __init__(self, first: bytes, more: Callable[[], bytes]) -> None:
        self._at_hand, self._more = first, more

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._at_hand:
            self._at_hand = self._more()
        piece, self._at_hand = self._at_hand[: len(buffer)], self._at_hand[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)


def bytes_of(path: Path, most: int) -> bytes:
    """The first `most` bytes as they lie there. Raises `UnreadableError` for what is no file, and `OSError`."""
    with io.BufferedReader(_open(path)) as file:
        return file.read(most)


def text_of(path: Path) -> str:
    """A file that a person wrote, whole. Raises `UnreadableError` and `OSError`."""
    text = b""
    with Opened(path) as opened:
        opened.refuse_bytes()
        for piece in opened.pieces():
            text += piece
            if len(text) > SETTINGS_LARGEST:
                raise UnreadableError(f"{path}: larger than {SETTINGS_LARGEST >> 20} MB: this is no file of settings")
    try:
        return text.decode().replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise UnreadableError(f"{path}: not UTF-8 text") from None


def words(error: OSError) -> str:
    """What an error of the operating system means, as a sentence that names the file."""
    if error.errno is None:
        return str(error)
    said = _WORDS.get(error.errno) or (error.strerror or "cannot be read").lower()
    if error.filename is None:
        return f"standard output: {said}" if error.errno in {errno.ENOSPC, errno.EDQUOT} else said
    name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else str(error.filename)
    folder = Path(name).parent
    if error.errno in {errno.ENOENT, errno.ENOTDIR} and not folder.is_dir():
        said = f"there is no folder {folder}"
    return f"{name}: {said}"


def is_file(path: Path) -> bool:
    """Whether it is a file that can be read again, or is not there yet."""
    return str(path) not in _STANDARD_INPUT and (path.is_file() or not path.exists())


def _open(path: Path) -> _Raw:
    if str(path) in _STANDARD_INPUT:
        mode = os.fstat(0).st_mode
        # What a remote shell hands over can be a socket, and a terminal is a person who types.
        if not stat.S_ISSOCK(mode) and not os.isatty(0):
            _refuse(path, mode)
        return _Raw(0, closefd=False)
    # Before it is opened: some devices do something then.
    _refuse(path, path.stat().st_mode)
    return _Raw(path)


def _refuse(path: Path, mode: int) -> None:
    for is_it, what in _NO_FILE:
        if is_it(mode):
            raise UnreadableError(f"{path}: {what}")


def _look(file: io.BufferedIOBase) -> tuple[bytes, io.BufferedReader]:
    """The beginning of a stream, four bytes at least where it has so many, and the stream with that before it."""
    head = b""
    while len(head) < 4 and (more := file.read1(_CHUNK)):
        head += more
    return head, io.BufferedReader(_Pieces(head, lambda: file.read1(_CHUNK)), _CHUNK)


def _unmarked(head: bytes) -> str | None:
    """UTF-16 that has no mark: of most letters one byte is zero, and always the same of the two."""
    even, odd = head[0:512:2], head[1:512:2]
    if 10 * odd.count(0) > 9 * len(odd) > 0 == even.count(0):
        return "utf-16-le"
    return "utf-16-be" if 10 * even.count(0) > 9 * len(even) > 0 == odd.count(0) else None


def _recoded(text: io.TextIOWrapper, encoding: str) -> io.BufferedReader:
    return io.BufferedReader(_Pieces(b"", lambda: text.read(_CHUNK).encode(encoding, "replace")), _CHUNK)
