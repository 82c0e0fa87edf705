"""What owners do with order groups: create, reset, trigger, change the limit, delete."""

from fairstrike.core.units import CC_PER_CONTRACT
from fairstrike.exchange.accounts import Account
from fairstrike.exchange.admission import EXCHANGE_PAUSED, NO_SUCH_GROUP, Rejection
from fairstrike.exchange.groups import GROUP_LIMIT_CC_MAX, GROUPS_MAX, GroupRef, GroupView, OrderGroup
from fairstrike.exchange.happenings import GroupChanged, GroupMove, ShardState
from fairstrike.exchange.pit import Pit
from fairstrike.exchange.premises import GROUP_STREAM, Premises

INVALID_LIMIT = Rejection(
    status=400,
    code="invalid_parameters",
    message="invalid parameters",
    details="contracts_limit must be 1 to 1000000 whole contracts",
)
TOO_MANY_GROUPS = Rejection(
    status=400, code="invalid_parameters", message="invalid parameters", details="there are 100000 groups already"
)


class Grouping:
    """Carries out what owners ask about their groups; the pit ends the orders in them."""

    def __init__(self, premises: Premises, pit: Pit) -> None:
        """Work on `premises`."""
        self._on = premises
        self._pit = pit
        self._counts: dict[str, int] = {}

    def create(self, account: Account, limit_cc: int, exchange_index: int) -> GroupView | Rejection:
        """Create a group on one shard."""
        if self._on.shard_state(exchange_index) is ShardState.EXCHANGE_PAUSED:
            return EXCHANGE_PAUSED
        if not _is_limit(limit_cc):
            return INVALID_LIMIT
        if self._counts.get(account.account_id, 0) >= GROUPS_MAX:
            return TOO_MANY_GROUPS
        self._counts[account.account_id] = self._counts.get(account.account_id, 0) + 1
        group = OrderGroup(
            group_id=self._on.name(GROUP_STREAM),
            account=account.account_id,
            subaccount=account.subaccount,
            exchange_index=exchange_index,
            limit_cc=limit_cc,
        )
        self._on.groups[group.group_id] = group
        self._tell(group, GroupMove.CREATED)
        return group.view()

    def reset(self, account_id: str, ref: GroupRef) -> GroupView | Rejection:
        """Set the counter of matched contracts to zero and take orders again."""
        group = self._find(account_id, ref)
        if isinstance(group, Rejection):
            return group
        group.reset()
        self._tell(group, GroupMove.RESET)
        return group.view()

    def trigger(self, account_id: str, ref: GroupRef) -> GroupView | Rejection:
        """Cancel a group's orders and take no new ones until it is reset."""
        group = self._find(account_id, ref)
        if isinstance(group, Rejection):
            return group
        if not group.is_triggered:
            self._pit.trigger(group)
        return group.view()

    def limit(self, account_id: str, ref: GroupRef, limit_cc: int) -> GroupView | Rejection:
        """Change a group's limit; one that has matched that much in its window is triggered at once."""
        group = self._find(account_id, ref)
        if isinstance(group, Rejection):
            return group
        if not _is_limit(limit_cc):
            return INVALID_LIMIT
        group.limit_cc = limit_cc
        self._tell(group, GroupMove.LIMIT_UPDATED)
        if group.is_hit(self._on.now_ns):
            self._pit.trigger(group)
        return group.view()

    def delete(self, account_id: str, ref: GroupRef) -> GroupView | Rejection:
        """Cancel a group's orders and forget it; gives it as it was without them."""
        group = self._find(account_id, ref)
        if isinstance(group, Rejection):
            return group
        self._pit.end_group(group)
        del self._on.groups[ref.group_id]
        self._counts[account_id] -= 1
        self._tell(group, GroupMove.DELETED)
        return group.view()

    def of(self, account_id: str) -> tuple[GroupView, ...]:
        """Give an account's groups in order of creation."""
        return tuple(group.view() for group in self._on.groups.values() if group.account == account_id)

    def _find(self, account_id: str, ref: GroupRef) -> OrderGroup | Rejection:
        group = self._on.groups.get(ref.group_id)
        owner = account_id, ref.subaccount, ref.exchange_index
        if group is None or (group.account, group.subaccount, group.exchange_index) != owner:
            return NO_SUCH_GROUP
        is_shut = self._on.shard_state(ref.exchange_index) is ShardState.EXCHANGE_PAUSED
        return EXCHANGE_PAUSED if is_shut else group

    def _tell(self, group: OrderGroup, move: GroupMove) -> None:
        self._on.tell(
            GroupChanged(
                instant_ns=self._on.now_ns,
                account=group.account,
                group_id=group.group_id,
                move=move,
                limit_cc=group.limit_cc,
                exchange_index=group.exchange_index,
                subaccount=group.subaccount,
            )
        )


def _is_limit(limit_cc: int) -> bool:
    return CC_PER_CONTRACT <= limit_cc <= GROUP_LIMIT_CC_MAX and limit_cc % CC_PER_CONTRACT == 0
