"""The log while Kafka is away."""

import logging

from streams.worker.log_limit import LogLimit


def test_a_line_repeated_a_hundred_times_a_second_is_written_five_times_in_ten_seconds() -> None:
    now = 0.0
    limit = LogLimit(lambda: now)
    line, other = (logging.LogRecord("aiokafka", logging.ERROR, "c.py", n, "away", None, None) for n in (1, 2))
    assert sum(limit.filter(line) for _ in range(100)) == 5
    assert limit.filter(other)
    now = 10.0
    assert limit.filter(line)
