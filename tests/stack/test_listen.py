"""Where a wall listens: an address of this machine, with a certificate, and a token in a file of its owner alone."""

import stat
from pathlib import Path

import pytest
import trustme

from streams.settings import SettingsError, read
from streams.stack import StackError
from streams.stack.listen import PORT, Listen
from streams.stack.screen import Screen
from streams.stack.wall_token import ensure_token


@pytest.mark.parametrize(
    ("text", "host", "port", "alone"),
    [
        ("192.168.1.5", "192.168.1.5", PORT, False),
        ("192.168.1.5:8443", "192.168.1.5", 8443, False),
        ("0.0.0.0", "0.0.0.0", PORT, False),
        ("[::]:8080", "::", 8080, False),
        ("[::1]", "::1", PORT, True),
        ("127.0.0.1:80", "127.0.0.1", 80, True),
        ("localhost", "localhost", PORT, True),
        ("wall.example.go.id:443", "wall.example.go.id", 443, False),
        ("localhost.example.go.id", "localhost.example.go.id", PORT, False),
        ("0", "0", PORT, False),
    ],
)
def test_an_address_is_a_host_with_or_without_a_port(text: str, host: str, port: int, alone: bool) -> None:
    listen = Listen.parse(text, read({}))

    assert (listen.host, listen.port, listen.is_here_alone) == (host, port, alone)


@pytest.mark.parametrize("text", ["", ":80", "a:b", "a:99999", "http://a", "a/b", "u@a", "[::", "a?b"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(StackError, match="give HOST or HOST:PORT"):
        Listen.parse(text, read({}))


def test_with_a_certificate_it_is_https(tmp_path: Path) -> None:
    made = trustme.CA().issue_cert("192.168.1.5")
    made.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    said = {f"PANTAU112_WALL_CERTIFICATE{name}": str(tmp_path / "both.pem") for name in ("", "_KEY")}

    listen = Listen.parse("192.168.1.5", read(said))

    assert listen.reached == f"https://192.168.1.5:{PORT}"
    assert not listen.is_here_alone


def test_what_is_no_certificate_is_said(tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_text("none")
    with pytest.raises(StackError, match="PANTAU112_WALL_CERTIFICATE"):
        Listen.parse("a", read({f"PANTAU112_WALL_CERTIFICATE{name}": str(tmp_path / "none.pem") for name in ("", "_KEY")}))
    with pytest.raises(SettingsError, match="PANTAU112_WALL_CERTIFICATE_KEY"):
        read({"PANTAU112_WALL_CERTIFICATE": str(tmp_path / "none.pem")})


def test_a_token_is_made_once_by_chance_for_its_owner_alone(tmp_path: Path) -> None:
    token = ensure_token(tmp_path / "one")

    assert ensure_token(tmp_path / "one") == token != ensure_token(tmp_path / "two")
    assert len(token) >= 22
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "short", "0123456789 0123456789 0123456789"])
def test_a_token_that_could_be_guessed_or_typed_wrongly_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "token").write_text(text)
    with pytest.raises(StackError, match=r"holds no token|is empty"):
        ensure_token(tmp_path / "token")


def test_the_address_with_its_token_is_for_a_terminal_and_not_for_a_log(tmp_path: Path) -> None:
    screen = Screen(Listen("192.168.1.5", PORT), tmp_path / "token")
    token = (tmp_path / "token").read_text().strip()

    assert screen.address(whole=True) == f"http://192.168.1.5:{PORT}/?token={token}"
    assert token not in screen.address(whole=False)
    assert len(screen.address(whole=True)) <= 80
