"""Tokens are kept as hashes, in a file that is never half written and that only its owner reads."""

import threading
from pathlib import Path

import pytest

from streams.edge.gateway.tokens import Tokens, TokensError


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return Tokens(tmp_path / "tokens.json")


def test_the_file_does_not_hold_the_token(tokens: Tokens, tmp_path: Path) -> None:
    text = tokens.add(["32.71"], ["call.*"])

    assert text.split("_", 2)[2] not in (tmp_path / "tokens.json").read_text()
    assert (tmp_path / "tokens.json").stat().st_mode & 0o777 == 0o600
    assert tokens.of(text) == tokens.known[0]


def test_no_token_is_lost_when_several_are_made_at_once(tokens: Tokens, tmp_path: Path) -> None:
    made: list[str] = []
    path = tmp_path / "tokens.json"
    threads = [threading.Thread(target=lambda: made.append(Tokens(path).add(["32.71"], ["call.*"]))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 12
    assert all(tokens.of(text) for text in made)


@pytest.mark.parametrize(
    ("centres", "types", "what"),
    [
        ([], ["call.*"], "needs centres"),
        (["Bogor"], ["call.*"], "Kemendagri"),
        (["32.71"], [], "types of events"),
        (["32.71"], ["calls.*"], r"calls\.\* is no type"),
        (["32.71"], ["caller.block_approved"], "--may-decide"),
    ],
)
def test_a_token_for_nothing_is_not_made(tokens: Tokens, centres: list[str], types: list[str], what: str) -> None:
    with pytest.raises(TokensError, match=what):
        tokens.add(centres, types)
    assert tokens.known == []


def test_a_file_that_others_can_read_is_not_used(tokens: Tokens, tmp_path: Path) -> None:
    text = tokens.add(["32.71"], ["call.*"])
    (tmp_path / "tokens.json").chmod(0o644)

    with pytest.raises(TokensError, match="chmod 600"):
        tokens.of(text)


def test_a_file_that_is_broken_lets_nobody_in_and_is_not_overwritten(tokens: Tokens, tmp_path: Path) -> None:
    text = tokens.add(["32.71"], ["call.*"])
    (tmp_path / "tokens.json").write_text('{"tokens": [')

    with pytest.raises(TokensError, match="no file of tokens"):
        tokens.of(text)
    with pytest.raises(TokensError, match="no file of tokens"):
        tokens.add(["32.71"], ["call.*"])


def test_without_a_file_nobody_is_known(tokens: Tokens) -> None:
    assert tokens.of("p112_00000000_x") is None
    assert not tokens.revoke("00000000")
