"""Target allocation: every ten seconds an account's money is spread over the shards by percentages.

The venue names the percentages, that they sum to 100, that resting orders' margin is reserved (none, its largest
part or its sum) and that it balances about every ten seconds; how they fit together it does not publish. Here what
is reserved stays on its shard and the percentages are of the rest. Money that orders lock never moves, whatever is
reserved, and only the primary subaccount is balanced. Nothing moves while a shard concerned is paused.
"""

from enum import StrEnum
from functools import partial

import msgspec

from fairstrike.core.timing import SECOND_NS
from fairstrike.exchange.accounts import Account, Purse
from fairstrike.exchange.happenings import ShardState
from fairstrike.exchange.premises import Premises

PERIOD_NS = 10 * SECOND_NS


class Reservation(StrEnum):
    """How much of the margin of resting orders stays on its shard: nothing, one market's largest, or all."""

    NONE = "none"
    MAX = "max"
    SUM = "sum"


class Allocation(msgspec.Struct, frozen=True, kw_only=True):
    """Percentages by shard, which sum to 100; empty is none."""

    percents: dict[int, int] = {}
    reservation: Reservation = Reservation.SUM


class Balancing:
    """Keeps accounts' money where they want it."""

    def __init__(self, premises: Premises) -> None:
        """Work on `premises`."""
        self._on = premises
        self._wanted: dict[str, Allocation] = {}

    def of(self, account_id: str) -> Allocation:
        """Give what an account wants, an empty allocation when nothing."""
        return self._wanted.get(account_id, Allocation())

    def set(self, account_id: str, allocation: Allocation) -> None:
        """Balance an account so from the next period on, or no longer with an empty allocation."""
        self._wanted[account_id] = allocation
        if allocation.percents:
            self._on.arrange(self._on.now_ns + PERIOD_NS, partial(self._balance, account_id, allocation))

    def _balance(self, account_id: str, allocation: Allocation) -> None:
        if self._wanted[account_id] is not allocation:
            return
        self._on.arrange(self._on.now_ns + PERIOD_NS, partial(self._balance, account_id, allocation))
        account = self._on.accounts[account_id, 0]
        shards = {*account.purses, *allocation.percents}
        if any(self._on.shard_state(shard) is ShardState.EXCHANGE_PAUSED for shard in shards):
            return
        if _spread(account, allocation):
            self._on.tell_balance(account)


def _spread(account: Account, allocation: Allocation) -> bool:
    """Move money towards the allocation, in whole microdollars; gives whether any moved."""
    kept = {shard: _reserved_ud(purse, allocation.reservation) for shard, purse in account.purses.items()}
    free_ud = max(account.balance_ud - sum(kept.values()), 0)
    shares = {shard: free_ud * percent // 100 for shard, percent in allocation.percents.items()}
    moved_ud = 0
    lacking: dict[int, int] = {}
    for shard in sorted({*account.purses, *shares}):
        purse = account.purse(shard)
        over_ud = purse.cash_ud - kept.get(shard, 0) - shares.get(shard, 0)
        if over_ud < 0:
            lacking[shard] = -over_ud
        given_ud = max(min(over_ud, purse.available_ud), 0)
        purse.cash_ud -= given_ud
        moved_ud += given_ud
    is_moved = bool(moved_ud and lacking)
    for shard, lacking_ud in lacking.items():
        taken_ud = min(lacking_ud, moved_ud)
        account.purse(shard).cash_ud += taken_ud
        moved_ud -= taken_ud
    # The rest of the division, less than a microdollar a shard, goes to the first that is named.
    account.purse(next(iter(allocation.percents))).cash_ud += moved_ud
    return is_moved


def _reserved_ud(purse: Purse, reservation: Reservation) -> int:
    match reservation:
        case Reservation.NONE:
            return 0
        case Reservation.MAX:
            return max(purse.reserved.values(), default=0)
        case Reservation.SUM:
            return purse.reserved_ud
