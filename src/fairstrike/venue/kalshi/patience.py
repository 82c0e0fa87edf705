"""How long a stream may be silent or late, and how long a book may be awaited before it is asked for again.

A live stream always brings something: a print of an index every second, or the books just asked for. One that brings
nothing while markets are watched, or nothing but what happened long ago, cannot be vouched for, though its connection
stands; heartbeats are no news. An answer may get lost like any other frame, so what is awaited is asked for again.
"""

from collections.abc import Iterable


class Patience:
    """Times of one connection, in venue nanoseconds. `heard_ns` is when it last brought a frame."""

    __slots__ = (
        "_awaited_ns",
        "_begun_ns",
        "_late_max_ns",
        "_late_since_ns",
        "_overdue_after_ns",
        "_silent_after_ns",
        "heard_ns",
    )

    def __init__(self, silent_after_ns: int, overdue_after_ns: int, late_max_ns: int | None = None) -> None:
        """Start with nothing heard and nothing awaited; without `late_max_ns` nothing is late."""
        self._silent_after_ns = silent_after_ns
        self._overdue_after_ns = overdue_after_ns
        self._late_max_ns = late_max_ns
        self._late_since_ns: int | None = None
        self._awaited_ns: dict[str, int] = {}
        self._begun_ns = self.heard_ns = 0

    def restart(self, now_ns: int) -> None:
        """Begin a connection. A stream that was late is late until it proves otherwise."""
        self._begun_ns = self.heard_ns = now_ns
        self._awaited_ns.clear()

    def is_late(self, venue_ns: int, recv_ns: int) -> bool:
        """Whether a stamp came so late that it tells of a slow stream; notes since when they do."""
        if self._late_max_ns is None or recv_ns - venue_ns <= self._late_max_ns:
            self._late_since_ns = None
            return False
        if self._late_since_ns is None:
            self._late_since_ns = recv_ns
        return True

    def complaint(self, now_ns: int) -> str:
        """Give why no book can be vouched for: nothing was heard for too long, or nothing but late stamps."""
        if now_ns - self.heard_ns >= self._silent_after_ns:
            return "silent"
        return "late" if now_ns - self._fresh_ns >= self._silent_after_ns else ""

    def is_over(self, now_ns: int) -> bool:
        """Whether it has been so for twice as long on this connection, though books were asked for: it is of no use."""
        return now_ns - max(self._fresh_ns, self._begun_ns) >= 2 * self._silent_after_ns

    @property
    def _fresh_ns(self) -> int:
        return self.heard_ns if self._late_since_ns is None else min(self.heard_ns, self._late_since_ns)

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
