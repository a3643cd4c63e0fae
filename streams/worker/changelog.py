"""What stands in the changelog under which key: states, the marker of a flush, notes of records that cannot be folded,
and the rules that the states were folded by.

Each topic's partition has the changelog's partition of the same number. Every version can read the keys of every other.
"""

import asyncio
from typing import Any

from streams.worker.fence import die


def state_key(topic: str, number: int, name: bytes) -> bytes:
    """Of a centre's state."""
    return b"%d|%s|%s" % (number, topic.encode(), name)


def marker_key(topic: str, number: int) -> bytes:
    """Of the last offset whose effect is in the states of a partition."""
    return b"\0%d|%s" % (number, topic.encode())


def note_key(topic: str, number: int) -> bytes:
    """Of the records of a partition that cannot be folded."""
    return b"\1%d|%s" % (number, topic.encode())


def rules_key(topic: str, number: int) -> bytes:
    """Of the rules by which the states of a partition were folded."""
    return b"\2%d|%s" % (number, topic.encode())


def parse(key: bytes) -> tuple[int, str, bytes | None]:
    """Partition number, topic and centre of a key; no centre where it is no state's."""
    number, topic, *name = key.lstrip(b"\0\1\2").split(b"|", 2)
    return int(number), topic.decode(), name[0] if name else None


def marker(table: Any, topic: str, number: int) -> int | None:
    """The last offset of a partition whose effect is in the states of the table."""
    stored = table.data.get(marker_key(topic, number))
    return None if stored is None else int(stored)


def put(table: Any, key: bytes, value: bytes | None) -> None:
    """Write an entry into the table and the changelog, or take it out; the worker ends if Kafka does not take it."""
    if value is None:
        del table.data[key]
    else:
        table.data[key] = value
    table.send_changelog(parse(key)[0], key, value).add_done_callback(_published)


def _published(sent: asyncio.Future[Any]) -> None:
    if not sent.cancelled() and (error := sent.exception()):
        die(1, f"the changelog took no record: {error!r}")
