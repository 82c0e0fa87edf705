"""How far a source's clock is from ours: the running minimum of receive − venue over one minute.

The minimum is the fastest journey seen lately plus the difference of the clocks; age = now − (venue +
offset). The minute is six buckets of ten seconds, so that a sample costs a comparison and memory is six
numbers. A step is told when the minimum has moved by more than a bound since it was last told. A sample that is far
below the minimum counts when the next one is too: a single stamp of the future is no clock.
"""

from fairstrike.core.timing import SECOND_NS

BUCKET_NS = 10 * SECOND_NS
BUCKETS = 6
LEAP_NS = 10 * SECOND_NS


class ClockOffset:
    """The offset of one source's clock. Times are ns; `step_ns` is how far it must move to be told."""

    __slots__ = ("_bucket", "_is_leaping", "_lows", "_told_ns", "offset_ns", "step_ns")

    def __init__(self, step_ns: int) -> None:
        """Start without a sample: `offset_ns` is None until there is one."""
        self.step_ns = step_ns
        self.offset_ns: int | None = None
        self._told_ns: int | None = None
        self._is_leaping = False
        self._bucket = 0
        self._lows: list[int | None] = [None] * BUCKETS

    def sample(self, venue_ns: int, recv_ns: int) -> int | None:
        """Take one pair of stamps; give the offset when it stepped (or is the first), else None."""
        delay_ns = recv_ns - venue_ns
        was_leaping = self._is_leaping
        self._is_leaping = self.offset_ns is not None and self.offset_ns - delay_ns > LEAP_NS
        if self._is_leaping and not was_leaping:
            return None
        bucket = recv_ns // BUCKET_NS
        if bucket > self._bucket:
            for number in range(max(self._bucket + 1, bucket - BUCKETS + 1), bucket + 1):
                self._lows[number % BUCKETS] = None
            self._bucket = bucket
        place = self._bucket % BUCKETS
        low = self._lows[place]
        if low is None or delay_ns < low:
            self._lows[place] = delay_ns
        self.offset_ns = offset_ns = min(value for value in self._lows if value is not None)
        if self._told_ns is not None and abs(offset_ns - self._told_ns) <= self.step_ns:
            return None
        self._told_ns = offset_ns
        return offset_ns
