"""The wall of `up` as other machines see it: a television in the room, for one."""

from pathlib import Path

from streams.stack import StackError
from streams.stack.listen import Listen
from streams.stack.wall import Wall
from streams.stack.wall_token import QUESTION, ensure_token


class Screen:
    """Where it is shown, to whoever has the token of a file."""

    def __init__(self, listen: Listen, token_file: Path) -> None:
        """The token is made when there is none yet. Errors: StackError."""
        self._listen, self._file, self._token = listen, token_file, ensure_token(token_file)

    def address(self, *, whole: bool) -> str:
        """What somebody types there; not the whole of it for a log, which others may read."""
        return f"{self._listen.reached}/?{QUESTION}={self._token if whole else f'… ({self._file})'}"

    def hang(self, wall: Wall) -> None:
        """Show it. Errors: StackError."""
        try:
            wall.show(self._listen, self._token)
        except OSError as error:
            raise StackError(f"--listen {self._listen.host}:{self._listen.port}: {error.strerror}.") from None
