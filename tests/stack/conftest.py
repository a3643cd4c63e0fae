"""Small services for the supervisor: Python programs that write down what happens to them."""

import sys
from pathlib import Path

import pytest

from streams.stack.service import Service

PROGRAM = """
import pathlib, signal, sys, time
name, diary, deaf = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3] == "deaf"
def note(what):
    with diary.open("a") as page:
        page.write(f"{what} {name}\\n")
def stop(*_):
    note("asked")
    if not deaf:
        sys.exit(0)
signal.signal(signal.SIGTERM, stop)
note("up")
diary.with_name(name).touch()
while True:
    time.sleep(60)
"""


class Diary:
    """What tiny services did, in order; makes such services."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.page = folder / "diary"
        self.page.touch()

    @property
    def lines(self) -> list[str]:
        return self.page.read_text().splitlines()

    def service(self, name: str, *, deaf: bool = False, grace: float = 10, restart: bool = True) -> Service:
        sign = self.folder / name

        async def ready() -> bool:
            return sign.exists()

        command = [sys.executable, "-I", "-S", "-c", PROGRAM, name, str(self.page), "deaf" if deaf else "hears"]
        return Service(name, command, ready=ready, grace=grace, restart=restart)


@pytest.fixture
def diary(tmp_path: Path) -> Diary:
    return Diary(tmp_path)
