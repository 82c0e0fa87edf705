"""How long a stream may be silent, and how long a book may be awaited before it is asked for again.

A live stream always brings something: a print of an index every second, or the books just asked for. One that brings
nothing while markets are watched cannot be vouched for, though its connection stands; heartbeats are no news. An answer
may get lost like any other frame, so what is awaited is asked for again.
"""

from collections.abc import Iterable


class Patience:
    """Times of one connection, in venue nanoseconds. `heard_ns` is when it last brought a frame."""

    __slots__ = ("_awaited_ns", "_overdue_after_ns", "_silent_after_ns", "heard_ns")

    def __init__(self, silent_after_ns: int, overdue_after_ns: int) -> None:
        """Start with nothing heard and nothing awaited."""
        self._silent_after_ns = silent_after_ns
        self._overdue_after_ns = overdue_after_ns
        self._awaited_ns: dict[str, int] = {}
        self.heard_ns = 0

    def restart(self, now_ns: int) -> None:
        """Begin a connection."""
        self.heard_ns = now_ns
        self._awaited_ns.clear()

    def is_silent(self, now_ns: int) -> bool:
        """Whether nothing was heard for too long: no book can be vouched for."""
        return now_ns - self.heard_ns >= self._silent_after_ns

    def is_over(self, now_ns: int) -> bool:
        """Whether nothing was heard for twice as long, though books were asked for: the connection is of no use."""
        return now_ns - self.heard_ns >= 2 * self._silent_after_ns

    def overdue(self, missing: Iterable[str], now_ns: int) -> list[str]:
        """Give which of the books that are missing now to ask for again."""
        before, self._awaited_ns = self._awaited_ns, {}
        found = []
        for ticker in missing:
            since_ns = before.get(ticker, now_ns)
            if now_ns - since_ns >= self._overdue_after_ns:
                since_ns = now_ns
                found.append(ticker)
            self._awaited_ns[ticker] = since_ns
        return found
