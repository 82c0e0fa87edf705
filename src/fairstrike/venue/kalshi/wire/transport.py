"""One request and one answer, as bytes. What shells carry and the exchange in a box answers."""

import re
from collections.abc import Generator
from typing import TypeVar

import msgspec

from fairstrike.core.errors import Unreachable
from fairstrike.core.events import Event
from fairstrike.core.timing import SECOND_NS

BASE_PATH = "/trade-api/v2"
"""The root of every REST path. Signed text holds it; `Request.path` does not."""

STREAM_PATH = "/trade-api/ws/v2"
"""The path of the stream's handshake."""

_SECONDS = re.compile(r"[0-9]{1,9}")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """An unsigned REST request. `path` is below `BASE_PATH`, e.g. "/portfolio/balance".

    `query` is pairs in the order they are sent, unescaped; `body` is JSON or empty; `items` is how many orders of a
    batch the body holds, each of which costs.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    items: int = 1


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

    @property
    def retry_after_ns(self) -> int:
        """How long the answer asks to wait, 0 when it does not say so in whole seconds; the venue's 429 do not."""
        asked = next((value.strip() for name, value in self.headers if name.lower() == "retry-after"), "")
        return int(asked) * SECOND_NS if _SECONDS.fullmatch(asked) else 0


class Unanswered(Unreachable):
    """A request got no answer: time-out, reset, no connection. Cure: reads may be tried again; ask what
    became of a write.
    """

    def __init__(self, message: str, *, recv_ns: int) -> None:
        """Keep the instant at which it was given up."""
        super().__init__(message)
        self.recv_ns = recv_ns


T = TypeVar("T")
Talk = Generator[Request, Response, T]
"""Yields requests, is sent responses or has `Unreachable` thrown into it, returns what it came to."""

Conversation = Talk[list[Event]]
"""A talk that comes to events."""


def given_up_ns(error: Unreachable, asked_ns: int) -> int:
    """Give when a request was given up, as far as the error knows, else when it was asked."""
    return error.recv_ns if isinstance(error, Unanswered) else asked_ns
