"""Order groups: orders that are cancelled together when a limit of contracts matches within fifteen seconds.

The limit counts every contract matched by an order of the group in (now − 15 s, now]. When it is reached the
group is triggered: its orders are cancelled and new ones refused until it is reset. An incoming order matches in
one piece before its group is looked at, so one sweep can go beyond the limit.
This file keeps one group; `grouping.py` carries out what is asked about them.
Source: the venue's reference of order groups (limit of 1 to 1 000 000 whole contracts, up to 100 000 groups).
"""

from collections import deque

import msgspec

from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import CC_PER_CONTRACT

GROUP_WINDOW_NS = 15 * SECOND_NS
GROUP_LIMIT_CC_MAX = 1_000_000 * CC_PER_CONTRACT
GROUPS_MAX = 100_000


class GroupRef(msgspec.Struct, frozen=True, kw_only=True):
    """How an owner names a group: its id, and the shard and subaccount it is looked for in."""

    group_id: str
    exchange_index: int = 0
    subaccount: int = 0


class GroupView(msgspec.Struct, frozen=True, kw_only=True):
    """One order group as it stands; `order_ids` are those that rest, oldest first."""

    group_id: str
    account: str
    subaccount: int
    exchange_index: int
    limit_cc: int
    is_triggered: bool
    order_ids: tuple[str, ...]


class OrderGroup:
    """One order group as it changes. It lives on one shard and belongs to one subaccount."""

    def __init__(self, *, group_id: str, account: str, subaccount: int, exchange_index: int, limit_cc: int) -> None:
        """Create a group without orders."""
        self.group_id = group_id
        self.account = account
        self.subaccount = subaccount
        self.exchange_index = exchange_index
        self.limit_cc = limit_cc
        self.is_triggered = False
        # Insertion-ordered, so that cancels come in the order of placing.
        self.resting: dict[str, None] = {}
        self._matches: deque[tuple[int, int]] = deque()
        self._matched_cc = 0

    def note_match(self, size_cc: int, now_ns: int) -> None:
        """Count a match of one of the group's orders."""
        self._matches.append((now_ns, size_cc))
        self._matched_cc += size_cc

    def matched_cc(self, now_ns: int) -> int:
        """Give the contracts matched in the window that ends at `now_ns`, in centicontracts."""
        while self._matches and self._matches[0][0] <= now_ns - GROUP_WINDOW_NS:
            self._matched_cc -= self._matches.popleft()[1]
        return self._matched_cc

    def is_hit(self, now_ns: int) -> bool:
        """Whether the limit is reached and the group not triggered yet."""
        return not self.is_triggered and self.matched_cc(now_ns) >= self.limit_cc

    def reset(self) -> None:
        """Forget what matched and take orders again."""
        self._matches.clear()
        self._matched_cc = 0
        self.is_triggered = False

    def view(self) -> GroupView:
        """Give the group as it stands, as a value."""
        return GroupView(
            group_id=self.group_id,
            account=self.account,
            subaccount=self.subaccount,
            exchange_index=self.exchange_index,
            limit_cc=self.limit_cc,
            is_triggered=self.is_triggered,
            order_ids=tuple(self.resting),
        )
