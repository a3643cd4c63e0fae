"""A log that one fault cannot fill."""

import logging
from collections import deque
from collections.abc import Callable


class LogLimit(logging.Filter):
    """Lets 5 records per place in the code through in 10 s: while Kafka is away its clients write 100 a second."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._recent: dict[tuple[str, int], deque[float]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this record is written."""
        recent = self._recent.setdefault((record.pathname, record.lineno), deque(maxlen=5))
        now = self._clock()
        if len(recent) == 5 and now - recent[0] < 10:
            return False
        recent.append(now)
        return True
