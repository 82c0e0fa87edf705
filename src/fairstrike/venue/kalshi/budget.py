"""How much may be asked of the venue, and how long to wait after a refusal. Time is passed in (venue ns).

Two token buckets, one for reads and one for writes, refilled continuously; each operation costs tokens.
Tokens are counted in billionths, so that nanoseconds × tokens a second is exact. A 429 empties our bucket: the
venue's was emptier than we thought. The venue's own carries no hint; one that says how long to wait (`Retry-After`)
keeps the bucket empty for as long. Source: rate limits of April and September 2026.
"""

from collections.abc import Iterable

import msgspec

from fairstrike.core.chance import Dice
from fairstrike.core.timing import SECOND_NS
from fairstrike.venue.kalshi.calls import READS
from fairstrike.venue.kalshi.wire.portfolio import BucketLimit, EndpointCost
from fairstrike.venue.kalshi.wire.transport import BASE_PATH

_NANO = 1_000_000_000
_DEFAULT_TOKENS = 10
_BATCH_PATH = "/portfolio/events/orders/batched"
_KNOWN_COSTS = (
    EndpointCost(method="DELETE", path="/portfolio/events/orders/{order_id}", cost=2),
    EndpointCost(method="DELETE", path=_BATCH_PATH, cost=2),
    *(EndpointCost(method="GET", path=read.path, cost=read.tokens) for read in READS if read.tokens != _DEFAULT_TOKENS),
    EndpointCost(method="POST", path="/account/api_usage_level/upgrade", cost=30),
)


class BudgetParams(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens a second and saved up, before the account's own are read; bounds of the back-off.

    `cancel_reserve` write tokens are left for cancels by everything else; an object is not read again
    within `poll_every_ns`. No `Retry-After` is heeded for longer than `retry_after_max_ns`.
    """

    read: BucketLimit = BucketLimit(refill_rate=200, bucket_capacity=200)
    write: BucketLimit = BucketLimit(refill_rate=100, bucket_capacity=100)
    cancel_reserve: int = 20
    poll_every_ns: int = SECOND_NS
    polls_kept: int = 4_096
    backoff_first_ns: int = SECOND_NS
    backoff_last_ns: int = 30 * SECOND_NS
    retry_after_max_ns: int = 60 * SECOND_NS


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What one request takes: tokens of the read or of the write bucket, leaving `reserve` behind."""

    tokens: int
    is_write: bool
    reserve: int = 0


class Counts(msgspec.Struct, kw_only=True):
    """What keeping to the budget has cost so far."""

    waits: int = 0
    refusals_429: int = 0
    retries: int = 0
    backoff_ns: int = 0


class Bucket:
    """Tokens that refill with time. `level` is in billionths of a token."""

    __slots__ = ("_at_ns", "_capacity", "_rate", "level")

    def __init__(self, limit: BucketLimit, now_ns: int) -> None:
        """Start full."""
        self._rate = max(limit.refill_rate, 1)
        self._capacity = limit.bucket_capacity * _NANO
        self._at_ns = now_ns
        self.level = self._capacity

    @property
    def tokens_max(self) -> int:
        """How many tokens it can hold."""
        return self._capacity // _NANO

    def wait_ns(self, tokens: int, now_ns: int) -> int:
        """Give how long until `tokens` are there, 0 when they are. More than the capacity counts as all."""
        self._refill(now_ns)
        missing = min(tokens * _NANO, self._capacity) - self.level
        return max(0, self._at_ns - now_ns) - (-missing // self._rate) if missing > 0 else 0

    def take(self, tokens: int, now_ns: int) -> None:
        """Spend tokens; what is not there is owed."""
        self._refill(now_ns)
        self.level -= tokens * _NANO

    def drain(self, now_ns: int, for_ns: int = 0) -> None:
        """Hold it for empty from now on; nothing flows in for `for_ns`."""
        self._refill(now_ns)
        self.level = min(self.level, 0)
        self._at_ns = max(self._at_ns, now_ns + for_ns)

    def _refill(self, now_ns: int) -> None:
        if now_ns > self._at_ns:
            self.level = min(self._capacity, self.level + self._rate * (now_ns - self._at_ns))
            self._at_ns = now_ns


class Backoff:
    """Waits that double from first to last, each drawn from its upper quarter, never below the first."""

    __slots__ = ("_dice", "_first_ns", "_last_ns", "_tries")

    def __init__(self, first_ns: int, last_ns: int, dice: Dice) -> None:
        """Start at the first wait."""
        self._first_ns = first_ns
        self._last_ns = last_ns
        self._dice = dice
        self._tries = 0

    def next_ns(self) -> int:
        """Give the next wait."""
        full_ns = self._first_ns
        for _ in range(self._tries):
            full_ns = min(2 * full_ns, self._last_ns)
            if full_ns == self._last_ns:
                break
        self._tries += 1
        return max(self._first_ns, full_ns - self._dice.below(full_ns // 4 + 1))

    def reset(self) -> None:
        """Begin again with the first wait: the last try succeeded."""
        self._tries = 0


class Budget:
    """The account's two buckets, what each operation costs, and what was counted."""

    def __init__(self, params: BudgetParams, dice: Dice, now_ns: int) -> None:
        """Start with full buckets and the documented costs."""
        self._params = params
        self._dice = dice
        self._read = Bucket(params.read, now_ns)
        self._write = Bucket(params.write, now_ns)
        self._polled: dict[str, int] = {}
        self.counts = Counts()
        self.set_costs(_DEFAULT_TOKENS, _KNOWN_COSTS)

    def set_limits(self, read: BucketLimit, write: BucketLimit, now_ns: int) -> None:
        """Take the account's own limits; the new buckets start empty, so nothing is spent twice."""
        self._read, self._write = Bucket(read, now_ns), Bucket(write, now_ns)
        self._read.drain(now_ns)
        self._write.drain(now_ns)

    def set_costs(self, default_tokens: int, costs: Iterable[EndpointCost]) -> None:
        """Take the venue's own table of costs, whose paths may hold placeholders in braces.

        A read that is not in it costs the default, also where a listed template happens to fit its path.
        """
        self._default_tokens = default_tokens
        self._costs: dict[tuple[str, int], list[tuple[tuple[str, ...], int]]] = {}
        told = tuple(costs)
        listed = {(entry.method.upper(), entry.path.removeprefix(BASE_PATH)) for entry in told}
        plain = (read.path for read in READS if "{" not in read.path and ("GET", read.path) not in listed)
        for entry in (*told, *(EndpointCost(method="GET", path=path, cost=default_tokens) for path in plain)):
            parts = tuple(entry.path.removeprefix(BASE_PATH).strip("/").split("/"))
            self._costs.setdefault((entry.method.upper(), len(parts)), []).append((parts, entry.cost))
        for entries in self._costs.values():
            entries.sort(key=lambda known: sum(part.startswith("{") for part in known[0]))

    def cost_of(self, method: str, path: str, *, items: int = 1) -> Cost:
        """Give what a request costs; `path` is below the base path, `items` the orders of a batch."""
        parts = tuple(path.strip("/").split("/"))
        tokens = self._default_tokens
        for known, cost in self._costs.get((method, len(parts)), ()):
            if all(name.startswith("{") or name == part for name, part in zip(known, parts, strict=True)):
                tokens = cost
                break
        if path == _BATCH_PATH:
            tokens *= items
        is_write = method != "GET"
        reserve = self._params.cancel_reserve if is_write and method != "DELETE" else 0
        return Cost(tokens=tokens, is_write=is_write, reserve=reserve)

    def batch_max(self, method: str, items_max: int) -> int:
        """Give how many orders one batch may hold, at most `items_max`: it must fit into the bucket as a whole.

        Source: the venue's page on rate limits.
        """
        cost = self.cost_of(method, _BATCH_PATH)
        room = self._write.tokens_max - cost.reserve
        return max(1, min(items_max, room // max(cost.tokens, 1)))

    def wait_ns(self, cost: Cost, now_ns: int, polled: str = "") -> int:
        """Give how long to wait before sending, 0 to send now. `polled` names an object that is read."""
        bucket = self._write if cost.is_write else self._read
        wait_ns = bucket.wait_ns(cost.tokens + cost.reserve, now_ns)
        if polled in self._polled:
            wait_ns = max(wait_ns, self._polled[polled] + self._params.poll_every_ns - now_ns)
        return wait_ns

    def take(self, cost: Cost, now_ns: int, polled: str = "") -> None:
        """Spend what a request costs, and note when the object was read."""
        (self._write if cost.is_write else self._read).take(cost.tokens, now_ns)
        if polled:
            self._polled.pop(polled, None)
            self._polled[polled] = now_ns
            if len(self._polled) > self._params.polls_kept:
                del self._polled[next(iter(self._polled))]

    def note_wait(self) -> None:
        """Count a request that had to wait for its tokens."""
        self.counts.waits += 1

    def note_refused(self, cost: Cost, now_ns: int, retry_after_ns: int = 0) -> None:
        """Count a 429 and hold the bucket for empty, for as long as it asks."""
        self.counts.refusals_429 += 1
        wait_ns = min(retry_after_ns, self._params.retry_after_max_ns)
        (self._write if cost.is_write else self._read).drain(now_ns, wait_ns)

    def note_retry(self, backoff_ns: int) -> None:
        """Count a retry and the wait before it."""
        self.counts.retries += 1
        self.counts.backoff_ns += backoff_ns

    def backoff(self) -> Backoff:
        """Give a fresh back-off that draws from this budget's dice."""
        return Backoff(self._params.backoff_first_ns, self._params.backoff_last_ns, self._dice)
