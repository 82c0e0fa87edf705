"""Token buckets: one for reads, one for writes on each shard, refilled without steps by venue time.

Source: the venue's page on rate limits and its list of endpoint costs (default 10, cancel 2, order read 2). A
write that names its shard is charged there; one that lets the venue route it is charged on every shard.
"""

import msgspec

from fairstrike.core.timing import SECOND_NS

SHARDS = (0, 1, 2, 3)
DEFAULT_COST = 10
CANCEL_COST = 2
ORDER_READ_COST = 2
READ = -1


class BucketLimit(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens per venue second, and the most a bucket holds."""

    refill_rate: int
    bucket_capacity: int


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """A usage tier: its name and both limits."""

    name: str
    read: BucketLimit
    write: BucketLimit


def tier(name: str, read_per_second: int, write_per_second: int, *, burst_seconds: int) -> Tier:
    """Give a tier whose buckets hold `burst_seconds` of their refill."""
    return Tier(
        name=name,
        read=BucketLimit(refill_rate=read_per_second, bucket_capacity=read_per_second * burst_seconds),
        write=BucketLimit(refill_rate=write_per_second, bucket_capacity=write_per_second * burst_seconds),
    )


BASIC = tier("basic", 200, 100, burst_seconds=1)
ADVANCED = tier("advanced", 300, 300, burst_seconds=3)


class Budgets:
    """Every account's buckets. A bucket is full until first used."""

    __slots__ = ("_levels", "tier")

    def __init__(self, limits: Tier | None) -> None:
        """Hold everyone to `limits`, or nobody to anything when None."""
        self.tier = limits
        # (account, READ or shard) -> (billionths of a token, instant in venue ns).
        self._levels: dict[tuple[str, int], tuple[int, int]] = {}

    def spend_read(self, account: str, tokens: int, now_ns: int) -> bool:
        """Take `tokens` for a read at venue time `now_ns`; False, taking nothing, when too few are left."""
        return self._spend(account, (READ,), tokens, now_ns)

    def spend_write(self, account: str, tokens: int, shard: int | None, now_ns: int) -> bool:
        """Take `tokens` for a write to `shard` (None: routed by the venue, charged on every shard)."""
        return self._spend(account, SHARDS if shard is None else (shard,), tokens, now_ns)

    def _spend(self, account: str, buckets: tuple[int, ...], tokens: int, now_ns: int) -> bool:
        if self.tier is None:
            return True
        price = tokens * SECOND_NS
        levels = {bucket: self._level(account, bucket, now_ns) for bucket in buckets}
        is_covered = all(level >= price for level in levels.values())
        for bucket, level in levels.items():
            self._levels[account, bucket] = (level - price if is_covered else level, now_ns)
        return is_covered

    def _level(self, account: str, bucket: int, now_ns: int) -> int:
        assert self.tier is not None
        limit = self.tier.read if bucket == READ else self.tier.write
        capacity = limit.bucket_capacity * SECOND_NS
        level, then_ns = self._levels.get((account, bucket), (capacity, now_ns))
        return min(capacity, level + limit.refill_rate * max(0, now_ns - then_ns))
