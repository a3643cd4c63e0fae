"""What stands in the changelog under which key: states, the marker of a flush, notes of records that cannot be folded,
and the rules that the states were folded by.

Each topic's partition has the changelog's partition of the same number. Every version can read the keys of every other.
"""


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
