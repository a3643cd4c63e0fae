"""SIP OPTIONS (RFC 3261, 11): asks a peer whether it is there, over UDP or TCP, and waits for its answer. No call is made."""

import asyncio
import secrets
from dataclasses import dataclass

UNAVAILABLE = 503
"""What a peer answers that is there and wants to be sent nothing (RFC 3261, 21.5.4)."""

_LARGEST = 65_536


@dataclass(frozen=True, slots=True)
class Options:
    """One request, and what makes its answer known."""

    target: str
    """host:port of the peer."""
    transport: str
    local: str
    """host:port that the answer comes back to."""
    token: str

    def __bytes__(self) -> bytes:
        host = self.target.rpartition(":")[0]
        lines = (
            f"OPTIONS sip:{self.target} SIP/2.0",
            f"Via: SIP/2.0/{self.transport} {self.local};branch=z9hG4bK{self.token};rport",
            "Max-Forwards: 70",
            f"From: <sip:pantau112@{self.local}>;tag={self.token[:8]}",
            f"To: <sip:{host}>",
            f"Call-ID: {self.token}@pantau112",
            "CSeq: 1 OPTIONS",
            f"Contact: <sip:pantau112@{self.local}>",
            "Accept: application/sdp",
            "User-Agent: pantau112",
            "Content-Length: 0",
        )
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def status(self, message: bytes) -> int | None:
        """The status of the final answer to this request; None for any other message, and for one on the way (1xx)."""
        first, *headers = message.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        version, _, rest = first.partition(" ")
        said = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in headers)}
        if version != "SIP/2.0" or said.get("call-id", said.get("i")) != f"{self.token}@pantau112":
            return None
        return int(rest[:3]) if rest[:3].isdecimal() and int(rest[:3]) >= 200 else None


def _request(target: str, transport: str, local: tuple[str, int]) -> Options:
    host, port = local[:2]
    return Options(target, transport, f"[{host}]:{port}" if ":" in host else f"{host}:{port}", secrets.token_hex(8))


class _Datagrams(asyncio.DatagramProtocol):
    """Waits for the answer to one request."""

    def __init__(self) -> None:
        self.request: Options | None = None
        self.answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: object) -> None:
        status = self.request.status(data) if self.request is not None else None
        if status is not None and not self.answer.done():
            self.answer.set_result(status)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there, as the far end or a router says."""
        if not self.answer.done():
            self.answer.set_exception(exc)


async def over_udp(host: str, port: int) -> tuple[int, float]:
    """The status that a peer answers with, and the seconds of the round trip. Raises `OSError`; waits for ever otherwise."""
    loop = asyncio.get_running_loop()
    transport, waiting = await loop.create_datagram_endpoint(_Datagrams, remote_addr=(host, port))
    try:
        waiting.request = _request(_named(host, port), "UDP", transport.get_extra_info("sockname"))
        began = loop.time()
        transport.sendto(bytes(waiting.request))
        return await waiting.answer, loop.time() - began
    finally:
        transport.close()


async def over_tcp(host: str, port: int) -> tuple[int, float]:
    """The same over a connection of its own, whose opening is no part of the round trip."""
    loop = asyncio.get_running_loop()
    reader, writer = await asyncio.open_connection(host, port, limit=_LARGEST)
    try:
        request = _request(_named(host, port), "TCP", writer.get_extra_info("sockname"))
        began = loop.time()
        writer.write(bytes(request))
        while True:
            try:
                message = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                raise ConnectionResetError("the peer ended the connection without an answer") from None
            if (status := request.status(message.lstrip())) is not None:
                return status, loop.time() - began
    finally:
        writer.close()


def _named(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
