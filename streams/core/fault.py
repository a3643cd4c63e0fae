"""What may be said of an error: of what type it is and where in the code. Its own text can quote what was read."""

from pathlib import Path
from traceback import extract_tb


def place_of(error: BaseException) -> str:
    """An error's type, and the file and line that raised it; of a group its first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    frames = extract_tb(error.__traceback__, -1)
    return f"{type(error).__name__}{''.join(f' at {Path(frame.filename).name}:{frame.lineno}' for frame in frames)}"
