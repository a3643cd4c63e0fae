"""What the gateway of the local stack is given: a token of this machine, and keys, which nobody else can read."""

from pathlib import Path

from streams.edge.gateway.tokens import Tokens
from streams.stack.gateway import ensure_key, ensure_token, token_file, tokens_file


def told(home: Path) -> str:
    return token_file(home).read_text().strip()


def test_the_token_of_this_machine_speaks_for_its_centres_and_stays_the_same(tmp_path: Path) -> None:
    ensure_token(tmp_path, ["32.71"])
    first = told(tmp_path)
    ensure_token(tmp_path, ["32.71"])

    assert told(tmp_path) == first
    token = Tokens(tokens_file(tmp_path)).of(first)
    assert token is not None
    assert token.centres == ("32.71",)
    assert "call.offered" in token.allowed
    assert "caller.block_approved" not in token.allowed
    assert token_file(tmp_path).stat().st_mode & 0o777 == 0o600


def test_for_other_centres_it_is_another_and_the_one_before_is_good_for_nothing(tmp_path: Path) -> None:
    ensure_token(tmp_path, ["32.71"])
    first = told(tmp_path)
    ensure_token(tmp_path, ["32.76", "32.71"])

    tokens = Tokens(tokens_file(tmp_path))
    assert tokens.of(first) is None
    assert [token.centres for token in tokens.known] == [("32.71", "32.76")]


def test_a_token_that_was_revoked_is_made_anew(tmp_path: Path) -> None:
    ensure_token(tmp_path, ["32.71"])
    tokens = Tokens(tokens_file(tmp_path))
    tokens.revoke(tokens.known[0].id)
    ensure_token(tmp_path, ["32.71"])

    assert tokens.of(told(tmp_path)) is not None


def test_a_key_is_made_once(tmp_path: Path) -> None:
    key = ensure_key(tmp_path / "link.key")
    text = key.read_text()

    assert len(text.strip()) == 64
    assert key.stat().st_mode & 0o777 == 0o600
    assert ensure_key(tmp_path / "link.key").read_text() == text
