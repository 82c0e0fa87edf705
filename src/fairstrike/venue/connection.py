"""One WebSocket, whichever library holds it: what a connection needs, what its listener is told, how it ends.

Two libraries can hold it, by one setting. `picows`, the default, tells where a read of the socket ends: all messages of
one read are told together. `aiohttp` does not tell: messages ready at once count as one read, which is the same
unless a read ends in the middle of a message. It is the fallback, for machines where picows cannot be used.
"""

from collections.abc import Mapping
from typing import Literal, Protocol, assert_never

import msgspec

from fairstrike.core.errors import VenueError
from fairstrike.core.timing import SECOND_NS

Library = Literal["picows", "aiohttp"]
"""Who holds WebSockets."""

BY_VENUE = "the venue closed the connection"


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """How long a handshake, a quiet line and a ping's answer may take, the longest message, and the library.

    With aiohttp a ping's answer may take half of `ping_every_ns`, whatever `pong_within_ns` says.
    """

    handshake_ns: int = 10 * SECOND_NS
    ping_every_ns: int = 30 * SECOND_NS
    pong_within_ns: int = 10 * SECOND_NS
    message_bytes_max: int = 16 * 1024 * 1024
    library: Library = "picows"


class NoConnection(VenueError):
    """No connection came about. Cure: check the address and the network."""


class HandshakeAnswered(NoConnection):
    """The handshake was answered as an ordinary request. Cure: act on its status and body."""

    def __init__(self, status: int, body: bytes) -> None:
        """Keep the HTTP status and the body."""
        super().__init__(f"the handshake was answered with {status}")
        self.status = status
        self.body = body


class Line(Protocol):
    """Our end of an open connection."""

    def say(self, data: bytes) -> None:
        """Send one text message."""
        ...

    def close(self, reason: str) -> None:
        """End the connection; the first reason given is why it ended. Nothing is told to the listener after it."""
        ...


class Listener(Protocol):
    """Who listens to a connection."""

    def opened(self, line: Line) -> None:
        """Begin."""
        ...

    def heard(self, data: bytes) -> None:
        """Take one whole message."""
        ...

    def read_ended(self) -> None:
        """Know that all messages of one read were told."""
        ...


async def hold(url: str, headers: Mapping[str, str], listener: Listener, params: Params) -> str:
    """Hold one connection until it ends; give why it ended.

    Raises `NoConnection` when none came about, `HandshakeAnswered` when the other side answered and refused.
    """
    match params.library:
        case "picows":
            from fairstrike.venue import over_picows

            return await over_picows.hold(url, headers, listener, params)
        case "aiohttp":
            from fairstrike.venue import over_aiohttp

            return await over_aiohttp.hold(url, headers, listener, params)
        case _:
            assert_never(params.library)
