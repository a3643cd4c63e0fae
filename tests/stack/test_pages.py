"""Where pages and reminders are written down on this machine."""

import json
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from streams.stack.pages import REMINDERS, Pages
from tests.conftest import HANG, free_port

PAGE = {"alerts": [{"labels": {"alertname": "PsapCallerWaiting", "severity": "page"}, "annotations": {}, "status": "firing"}]}
REMINDER = {"id": "1", "opd": "damkar", "city": "32.71", "text": "answer"}


def sent(pages: Pages, path: str, body: object) -> int:
    port = free_port()
    pages.serve(port)
    with urlopen(f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(), timeout=HANG) as answer:
        status: int = answer.status
        return status


@pytest.mark.parametrize(("path", "body"), [("/", PAGE), (REMINDERS, REMINDER)], ids=["page", "reminder"])
def test_what_cannot_be_written_on_a_full_disk_is_refused_so_that_it_comes_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], path: str, body: object
) -> None:
    pages = Pages(tmp_path / "pages.log")
    pages.file.symlink_to("/dev/full")
    with pytest.raises(HTTPError) as refused:
        sent(pages, path, body)
    with refused.value as error:
        assert error.code == 507
    assert list(pages.recent) == []
    pages.file.unlink()

    assert sent(pages, path, body) == 200

    assert len(pages.recent) == len(pages.file.read_text().splitlines()) == 1
    assert capfd.readouterr().err == ""
