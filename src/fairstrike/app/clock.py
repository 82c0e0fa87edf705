"""The machine's clock as a port, in venue time, and timers that fire into the inbox."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime

from fairstrike.core.errors import ClockError, ProtocolError
from fairstrike.core.timing import SECOND_NS, VenueClock

OFF_NS_MAX = SECOND_NS
_UNKNOWN_NS = 1 << 62


class SystemClock:
    """Venue time from the machine's clock. It never runs backwards, whatever is done to the machine's."""

    def __init__(self, venue: VenueClock) -> None:
        """Take the venue clock's anchors and factor."""
        self._venue = venue
        self._base_ns = time.time_ns() - time.monotonic_ns()

    def now_ns(self) -> int:
        """Give the venue's instant now."""
        return self._venue.venue_ns(self._base_ns + time.monotonic_ns())

    async def sleep_until(self, due_ns: int) -> None:
        """Return when the venue's clock has reached `due_ns`."""
        while (left_ns := due_ns - self.now_ns()) > 0:
            await asyncio.sleep(left_ns / self._venue.factor / SECOND_NS)

    def wall_ms(self) -> int:
        """Give the wall time in epoch milliseconds: signatures live by it."""
        return time.time_ns() // 1_000_000

    def call_at(self, due_ns: int, call: Callable[[], None]) -> asyncio.TimerHandle:
        """Have `call` called when the venue's clock reaches `due_ns`."""
        left_ns = max(0, due_ns - self.now_ns())
        return asyncio.get_running_loop().call_later(left_ns / self._venue.factor / SECOND_NS, call)


def date_s(header: str) -> int:
    """Give the epoch seconds of a `Date` header. One that names no zone is in UTC, wherever this machine is.

    Raises `ProtocolError` for what is no date. Source: RFC 9110, section 5.6.7.
    """
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        raise ProtocolError(f"the venue's Date header {header[:40]!r} is no date; check the address") from None
    return int((moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp())


class ClockOffset:
    """What is known of a server's clock against ours, from its `Date` headers.

    A `Date` is cut to the second, so one leaves a second of doubt; several, sent at different parts of a second,
    leave as little as the pause between them.
    """

    def __init__(self) -> None:
        """Know nothing."""
        self.least_ns, self.most_ns = -_UNKNOWN_NS, _UNKNOWN_NS

    @property
    def is_within(self) -> bool:
        """Whether the clocks are certainly no more than a second apart."""
        return self.least_ns >= -OFF_NS_MAX and self.most_ns <= OFF_NS_MAX

    def narrow(self, date_s: int, sent_ns: int, received_ns: int) -> None:
        """Take in one `Date` (epoch seconds) of an answer, and when we sent and received (ns).

        Raises `ClockError` when the clocks are certainly more than a second apart.
        """
        self.least_ns = max(self.least_ns, date_s * SECOND_NS - received_ns)
        self.most_ns = min(self.most_ns, (date_s + 1) * SECOND_NS - sent_ns)
        if self.least_ns > OFF_NS_MAX or self.most_ns < -OFF_NS_MAX:
            off_ns, word = max((self.least_ns, "behind"), (-self.most_ns, "ahead of"))
            raise ClockError(
                f"this machine's clock is at least {off_ns / SECOND_NS:.1f} s {word} the venue's; "
                "synchronise it (for example with chrony or systemd-timesyncd) and start again"
            )
