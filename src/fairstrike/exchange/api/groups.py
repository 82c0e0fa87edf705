"""Order groups: create, list, get, reset, trigger, change the limit, delete.

A group lives on one shard, 0 unless another is named, where no crypto order can join it.
Source: the venue's published interface; changes answer with an empty object.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.units import CC_PER_CONTRACT, format_cc, parse_cc
from fairstrike.exchange.admission import NO_SUCH_GROUP
from fairstrike.exchange.api.budgets import DEFAULT_COST
from fairstrike.exchange.api.call import (
    BoxResponse,
    Call,
    Desk,
    answer_json,
    error,
    read_body,
    read_query,
    refuse,
    rejected,
)
from fairstrike.exchange.api.orders import charge
from fairstrike.exchange.api.portfolio import Subaccount
from fairstrike.exchange.floor import GroupRef, GroupView, Rejection
from fairstrike.venue.kalshi.wire.orders import (
    CreateGroup,
    GroupCreated,
    OrderGroup,
    OrderGroupAnswer,
    OrderGroupsAnswer,
    UpdateGroupLimit,
)


class GroupQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Where a group that shall change is looked for: in the primary account and on shard 0 by default."""

    subaccount: Subaccount = 0
    exchange_index: Annotated[int, Meta(ge=0)] = 0


class GroupsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Whose groups are read: those of every subaccount when None."""

    subaccount: Subaccount | None = None


def create(desk: Desk, call: Call) -> BoxResponse:
    """Create a group: 201 and its id."""
    wire = read_body(call, CreateGroup)
    shard, subaccount = wire.exchange_index or 0, wire.subaccount or 0
    charge(desk, call, DEFAULT_COST, shard)
    limit_cc = _limit_cc(wire.contracts_limit, wire.contracts_limit_fp)
    made = desk.floor.create_group(call.owner, limit_cc, shard, call.now_ns, subaccount=subaccount)
    if isinstance(made, Rejection):
        return rejected(made)
    return answer_json(GroupCreated(order_group_id=made.group_id, subaccount=subaccount, exchange_index=shard), 201)


def several(desk: Desk, call: Call) -> BoxResponse:
    """Give the account's groups in order of creation."""
    query = read_query(call, GroupsQuery)
    rows = tuple(
        OrderGroup(
            id=group.group_id,
            is_auto_cancel_enabled=True,
            contracts_limit_fp=format_cc(group.limit_cc),
            exchange_index=group.exchange_index,
        )
        for group in desk.floor.groups(call.owner)
        if query.subaccount in (None, group.subaccount)
    )
    return answer_json(OrderGroupsAnswer(order_groups=rows))


def one(desk: Desk, call: Call) -> BoxResponse:
    """Give one group with the ids of its resting orders; 404 when the account has none of that id."""
    query = read_query(call, GroupsQuery)
    for group in desk.floor.groups(call.owner):
        if group.group_id == call.names[0] and query.subaccount in (None, group.subaccount):
            answer = OrderGroupAnswer(
                is_auto_cancel_enabled=True,
                orders=group.order_ids,
                contracts_limit_fp=format_cc(group.limit_cc),
                exchange_index=group.exchange_index,
            )
            return answer_json(answer)
    return rejected(NO_SUCH_GROUP)


def reset(desk: Desk, call: Call) -> BoxResponse:
    """Set the counter of matched contracts to zero and take orders again."""
    return _done(desk.floor.reset_group(call.owner, _asked(desk, call), call.now_ns))


def trigger(desk: Desk, call: Call) -> BoxResponse:
    """Cancel the group's orders and take no new ones until it is reset."""
    return _done(desk.floor.trigger_group(call.owner, _asked(desk, call), call.now_ns))


def limit(desk: Desk, call: Call) -> BoxResponse:
    """Change the limit; a group that has matched that much already is triggered at once."""
    wire = read_body(call, UpdateGroupLimit)
    limit_cc = _limit_cc(wire.contracts_limit, wire.contracts_limit_fp)
    return _done(desk.floor.limit_group(call.owner, _asked(desk, call), limit_cc, call.now_ns))


def delete(desk: Desk, call: Call) -> BoxResponse:
    """Cancel the group's orders and forget it."""
    return _done(desk.floor.delete_group(call.owner, _asked(desk, call), call.now_ns))


def _asked(desk: Desk, call: Call) -> GroupRef:
    query = read_query(call, GroupQuery)
    charge(desk, call, DEFAULT_COST, query.exchange_index)
    return GroupRef(group_id=call.names[0], exchange_index=query.exchange_index, subaccount=query.subaccount)


def _done(answer: GroupView | Rejection) -> BoxResponse:
    return rejected(answer) if isinstance(answer, Rejection) else answer_json({})


def _limit_cc(whole: int | None, text: str | None) -> int:
    """Give the limit in centicontracts; a number and a text must be equal when both are there."""
    try:
        told_cc = None if text is None else parse_cc(text)
    except ArithmeticRefusal as why:
        refuse(error(400, "invalid_parameters", "invalid parameters", str(why)))
    counted_cc = None if whole is None else whole * CC_PER_CONTRACT
    given = {each for each in (told_cc, counted_cc) if each is not None}
    if len(given) != 1:
        need = "contracts_limit or contracts_limit_fp is needed, and equal where both are given"
        refuse(error(400, "invalid_parameters", "invalid parameters", need))
    return given.pop()
