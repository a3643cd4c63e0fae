"""Inputs as people save and send them: each is read right, once, or refused in one sentence."""

import bz2
import codecs
import gzip
import lzma
import os
import socket
import threading
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from streams.sources import opened
from streams.sources.opened import BrokenFileError, Opened, UnreadableError, text_of, words

TEXT = "a,dárurat\n\nb"
LINES = ["a,dárurat", "", "b"]


def lines(path: Path) -> list[str]:
    with Opened(path) as file:
        return [line.decode().removesuffix("\r") for line in file.lines()]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(
    "written",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
        codecs.BOM_UTF8 + TEXT.replace("\n", "\r").encode(),
        TEXT.encode("utf-16"),
        codecs.BOM_UTF16_BE + TEXT.replace("\n", "\r\n").encode("utf-16-be"),
        TEXT.encode("utf-32"),
    ],
    ids=["utf-8", "mark", "crlf", "cr", "mark and cr", "utf-16", "utf-16-be and crlf", "utf-32"],
)
def test_every_form_of_text_gives_the_same_lines(tmp_path: Path, written: bytes, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "text"
    path.write_bytes(pack(written))

    assert lines(path) == LINES


@pytest.mark.parametrize("crumb", [1, 7])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_pipe_that_comes_in_crumbs_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crumb: int, pack: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr(opened, "_CHUNK", crumb)
    pipe, written = tmp_path / "pipe", pack(codecs.BOM_UTF8 + "".join(f"{n}\n" for n in range(500)).encode())
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(written,), daemon=True)
    writer.start()
    with Opened(pipe) as file:
        assert [line.decode() for line in file.lines()] == [str(n) for n in range(500)]
        assert (file.size, file.done) == (None, 0)
    writer.join()


def test_how_far_a_file_was_read_is_known_without_opening_it_again(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(b"".join(b"%d\n" % n for n in range(500_000)))
    with Opened(path) as file:
        reading = file.lines()
        next(reading)
        assert 0 < file.done < path.stat().st_size == file.size
        assert sum(1 for _ in reading) == 499_999
        assert file.done == file.size


def unreadable(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "socket"))
    (tmp_path / "sheet").write_bytes(b"PK\x03\x04" + bytes(100))
    (tmp_path / "bytes").write_bytes(b"\x7fELF" + bytes(100))
    (tmp_path / "endless").write_bytes(b"x" * (opened.ENDLESS + 2**20))
    yield tmp_path, "is a folder, no file"
    yield tmp_path / "socket", "is a socket, no file"
    yield Path("/dev/zero"), "is a device, no file"
    yield Path("/dev/null"), "is a device, no file"
    yield tmp_path / "sheet", "is a zip or an Excel file: save the sheet as CSV, or unpack it first"
    yield tmp_path / "bytes", "is no text (it has zero bytes)"
    yield tmp_path / "endless", "line 1 has no end within 16 MB: this is no text of lines"


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_what_was_read_to_its_end_has_the_hash_of_the_bytes_that_lie_there(
    tmp_path: Path, pack: Callable[[bytes], bytes], encoding: str
) -> None:
    path = tmp_path / "text"
    path.write_bytes(pack(TEXT.encode(encoding)))
    with Opened(path) as file:
        list(file.lines())
    assert file.sha256 == sha256(path.read_bytes()).hexdigest()


def test_what_was_not_read_to_its_end_has_no_hash(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(b"12345678\n" * 100_000)
    with Opened(path) as file:
        assert next(file.lines())
    assert file.sha256 is None


def test_what_came_through_a_pipe_has_the_hash_of_what_came(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(TEXT.encode(),), daemon=True)
    writer.start()
    with Opened(pipe) as file:
        list(file.lines())
    writer.join()
    assert file.sha256 == sha256(TEXT.encode()).hexdigest()


def test_what_is_no_text_no_file_or_endless_is_refused_in_one_sentence(tmp_path: Path) -> None:
    for path, sentence in unreadable(tmp_path):
        with pytest.raises(UnreadableError) as refused:
            lines(path)
        assert str(refused.value) == f"{path}: {sentence}"


def test_a_packed_file_that_breaks_off_gives_what_it_has_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "half.gz"
    path.write_bytes(gzip.compress("".join(f"{n * 7919}\n" for n in range(50_000)).encode())[:-2000])
    found: list[bytes] = []
    with pytest.raises(BrokenFileError, match=r"half\.gz: the gzip file breaks off"), Opened(path) as file:
        found.extend(file.lines())
    assert len(found) > 1000


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_of_settings_is_read_as_editors_save_it(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "centre.toml"
    path.write_text('code = "32.71"\n', encoding=encoding, newline="\r\n")

    assert text_of(path) == 'code = "32.71"\n'


def test_a_file_of_settings_is_small_and_text(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"#\n" * opened.SETTINGS_LARGEST)
    (tmp_path / "latin").write_bytes(b"name = 'd\xe1rurat'\n")
    for name, sentence in (("large", "larger than 1 MB"), ("latin", "not UTF-8 text")):
        with pytest.raises(UnreadableError, match=f"{name}: {sentence}"):
            text_of(tmp_path / name)


def test_what_the_system_says_is_put_in_words(tmp_path: Path) -> None:
    def said(path: Path, mode: str = "r") -> str:
        try:
            path.open(mode)
        except OSError as error:
            return words(error)
        pytest.fail("it could be opened")

    (tmp_path / "file").touch()
    assert said(tmp_path / "nowhere") == f"{tmp_path}/nowhere: no such file"
    assert said(tmp_path / "nowhere" / "at-all", "w") == f"{tmp_path}/nowhere/at-all: there is no folder {tmp_path}/nowhere"
    assert said(tmp_path / "file" / "in-it", "w") == f"{tmp_path}/file/in-it: there is no folder {tmp_path}/file"
    assert said(tmp_path, "w") == f"{tmp_path}: is a folder, no file"
    assert said(tmp_path / ("n" * 300)).endswith(": the name is too long")
