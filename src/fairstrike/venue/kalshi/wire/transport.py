"""One request and one answer, as bytes. What shells carry and the exchange in a box answers."""

import msgspec

BASE_PATH = "/trade-api/v2"
"""The root of every REST path. Signed text holds it; `Request.path` does not."""

STREAM_PATH = "/trade-api/ws/v2"
"""The path of the stream's handshake."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """An unsigned REST request. `path` is below `BASE_PATH`, e.g. "/portfolio/balance".

    `query` is pairs in the order they are sent, unescaped; `body` is JSON or empty.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """An answer: HTTP status, body, and the instant it was received (0 where nobody stamps it)."""

    status: int
    body: bytes
    recv_ns: int = 0
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def is_success(self) -> bool:
        """Whether the status is one of 2xx."""
        return 200 <= self.status < 300
