"""What may be said of an error: of what type it is and where in the code. Its own text can quote what was read."""

from pathlib import Path
from traceback import extract_tb


def place_of(error: BaseException) -> str:
    """An error's type, and the file and line that raised it; of a group its first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return places_of(error, 1)


def places_of(error: BaseException | None, most: int = 10) -> str:
    """An error's type, and the last places in the code that it came through, where it was raised last."""
    frames = extract_tb(None if error is None else error.__traceback__, -most)
    places = ", ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
    return f"{type(error).__name__}{' at ' if places else ''}{places}"
