"""What a process that runs for ever says of itself: on stderr, one line an event."""

import logging
import os
import sys
import threading
from types import TracebackType

from streams.core.fault import places_of
from streams.core.printable import printable

PRIORITIES = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}
"""What syslog calls them."""

log = logging.getLogger("pantau112")


class Line(logging.Formatter):
    """One line a record, whatever is in it. An error is said by its type and its places in the code: its text can quote what was
    read, and is there only where we said it ourselves.
    """

    def __init__(self, *, journal: bool) -> None:
        """The journal has times of its own, and takes the priority from the beginning of the line."""
        self._journal = journal
        super().__init__("%(name)s: %(message)s" if journal else "%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            text = str(record.msg)
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:  # asyncio says more of it on the lines that follow, and quotes it there
            text = f"{text.partition(chr(10))[0]}: {places_of(error)}"
        record.message = printable(text)
        record.asctime = self.formatTime(record)
        line = self.formatMessage(record)
        return f"<{PRIORITIES.get(record.levelno, 6)}>{line}" if self._journal else line


def begin() -> None:
    """From now on all that this process says is a line of its log, also what it says with `tell`, and what ends it."""
    handler = logging.StreamHandler()
    handler.setFormatter(Line(journal=in_journal()))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    log.setLevel(logging.INFO)
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a disk that is full is no reason to say more
    sys.excepthook = _uncaught
    sys.unraisablehook = lambda lost: log.error("an error that nobody could take: %s", places_of(lost.exc_value))
    threading.excepthook = lambda ended: log.error("a thread ended: %s", places_of(ended.exc_value))


def tell(line: str, level: int = logging.INFO) -> None:
    """A message for the person, not part of the data; one line, whatever is in a file's name. An error says who says it."""
    if log.level:  # `begin` was called
        log.log(level, "%s", line, stacklevel=2)
    else:
        sys.stderr.write(f"{'pantau112: ' if level >= logging.ERROR else ''}{printable(line)}\n")
        sys.stderr.flush()


def _uncaught(_: type[BaseException], error: BaseException, __: TracebackType | None) -> None:
    log.critical("a fault of this program, please report it: %s", places_of(error))


def in_journal() -> bool:
    """Whether stderr leads to systemd's journal, and not only that of the process which started this one."""
    try:
        here = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{here.st_dev}:{here.st_ino}"
