"""Blocks of Asterisk's manager interface (AMI): `Key: value` lines, and an empty line after each block.

https://docs.asterisk.org/Configuration/Interfaces/Asterisk-Manager-Interface-AMI/. A connection begins with a banner, which is a
block of its own here. A recording may have a line `Received:` in each block, epoch seconds of whoever wrote it. Of a block only
those fields are kept that are read, and of a field told twice the first: a dialplan adds its own behind Asterisk's.
"""

from collections.abc import Mapping

LONGEST = 65_536
"""Bytes of a block; one that is longer is dropped."""

BANNER = "Banner"
"""The only field of the block that a connection begins with."""

Block = Mapping[str, str]

_BANNER = b"Asterisk Call Manager/"
_READ = """
Event Response Message ActionID Received Timestamp Challenge
Channel ChannelStateDesc CallerIDNum Exten Uniqueid Linkedid Cause Application BridgeId Duration
DestChannel DestUniqueid DialStatus
Queue Wait Interface Location StateInterface MemberName Name Paused PausedReason Reason Status Wrapuptime RingTime HoldTime
Result TransfererUniqueid Extension OrigTransfererUniqueid SecondTransfererUniqueid SecondTransfererExten UserEvent Call Class
Device State Peer PeerStatus EndpointName AOR ContactStatus URI Username Domain ServerUri ClientUri ObjectName Endpoint
ReportCount Report0FractionLost Report0IAJitter SentPackets RTT Uptime CoreStartupDate CoreStartupTime
"""
_FIELDS = frozenset(_READ.split())


class Blocks:
    """Bytes of a connection or a recording, cut anywhere, on their way to blocks. `dropped` counts those that were too long."""

    def __init__(self) -> None:
        self.dropped = 0
        self.reset()

    def reset(self) -> None:
        """Forget what is half read: the connection is lost."""
        self._rest = b""
        self._block: dict[str, str] = {}
        self._size = 0

    def feed(self, data: bytes) -> list[Block]:
        """The blocks that are whole now. Never raises."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        found: list[Block] = []
        for line in lines:
            self._line(line.rstrip(b"\r"), found)
        if len(self._rest) > LONGEST:
            self._size += len(self._rest)
            self._rest = b""
        return found

    def _line(self, line: bytes, found: list[Block]) -> None:
        if not line:
            if self._size > LONGEST:
                self.dropped += 1
            elif self._block:
                found.append(self._block)
            self._block, self._size = {}, 0
            return
        self._size += len(line)
        if line.startswith(_BANNER):
            # Whatever the connection before broke off in is none.
            received = {name: text for name, text in self._block.items() if name == "Received"}
            found.append({BANNER: "", **received})
            self._block, self._size = {**received}, 0
            return
        name, colon, text = line.partition(b":")
        key = name.decode("ascii", "replace")
        if colon and key in _FIELDS and self._size <= LONGEST:
            self._block.setdefault(key, text.decode("utf-8", "replace").strip())
