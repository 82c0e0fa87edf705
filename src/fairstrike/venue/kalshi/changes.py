"""Writes that no effect asks for yet, as conversations: amend, decrease, batches, order groups, cancel-all, and what
is moved and set between the account's own subaccounts and shards.

Each yields unsigned requests, is sent answers and comes to a value. A write without a usable answer is `Doubted`:
it may have been applied, and is never repeated. What was certainly not applied is `Declined`. Two kinds may be asked
again, because twice is the same as once: cancels that name their shard, and what sets a group or netting as it may
already be. Whoever drives a talk knows them by `is_repeatable`.
Source: REST specification 3.34; what refusals mean, `refusals.py`.
"""

from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import quote

import msgspec

from fairstrike.core.errors import Unreachable
from fairstrike.venue.kalshi.refusals import VenueRefusal, refusal, refusal_of
from fairstrike.venue.kalshi.wire.orders import (
    AmendOrder,
    BatchCancelledAnswer,
    BatchCreatedAnswer,
    CancelBatch,
    CancelItem,
    CreateBatch,
    CreateGroup,
    CreateOrder,
    DecreaseOrder,
    ErrorDetail,
    GroupCreated,
    OrderAmended,
    OrderCreated,
    OrderDecreased,
    UpdateGroupLimit,
)
from fairstrike.venue.kalshi.wire.portfolio import ApplySubaccountTransfer, CreateSubaccount, SubaccountCreated
from fairstrike.venue.kalshi.wire.transfers import Allocations, ShardTransferStarted, StartShardTransfer, UpdateNetting
from fairstrike.venue.kalshi.wire.transport import Request, Response, Talk

R = TypeVar("R", bound=msgspec.Struct)

_ORDERS = "/portfolio/events/orders"
_BATCH = "/portfolio/events/orders/batched"
_GROUPS = "/portfolio/order_groups"
_SUBACCOUNTS = "/portfolio/subaccounts"
_REPEATABLE_ENDS = ("/reset", "/trigger", "/limit", "/netting")
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """A change without an answer of its own was made."""


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """An order is cancelled or was gone already; `reduced_by` is how many contracts that took away, as text."""

    order_id: str
    reduced_by: str = "0.00"


class Declined(msgspec.Struct, frozen=True, kw_only=True):
    """A change was refused and certainly not made. `error` says why and what to do."""

    error: VenueRefusal


class Doubted(msgspec.Struct, frozen=True, kw_only=True):
    """Nobody knows whether a change was made: look it up before anything else is asked of that order."""

    reason: str


Unmade = Declined | Doubted
"""What a change comes to that has no result."""


def is_repeatable(request: Request) -> bool:
    """Whether sending a request again does no more than sending it once."""
    if request.method == "DELETE":
        return True
    return request.method == "PUT" and request.path.endswith(_REPEATABLE_ENDS)


def amend(order_id: str, body: AmendOrder) -> Talk[OrderAmended | Unmade]:
    """Change price or count of an order; `count` is what filled already plus what shall remain."""
    return (yield from _change("POST", f"{_order(order_id)}/amend", body, OrderAmended))


def decrease(order_id: str, body: DecreaseOrder) -> Talk[OrderDecreased | Unmade]:
    """Make an order smaller; it keeps its place in the queue. Name the shard or the market."""
    assert (body.reduce_by is None) != (body.reduce_to is None), "exactly one of reduce_by and reduce_to"
    assert body.exchange_index is not None or body.market_ticker is not None, "an order is looked for on its shard"
    return (yield from _change("POST", f"{_order(order_id)}/decrease", body, OrderDecreased))


def create_batch(orders: Sequence[CreateOrder], batch_max: int) -> Talk[tuple[OrderCreated | Unmade, ...]]:
    """Place orders in batches of at most `batch_max`; give each one's outcome, in their order.

    An order whose batch got no usable answer, or that the answer lacks, is doubted.
    """
    assert len({order.client_order_id for order in orders}) == len(orders), "every order has an id of its own"
    found: list[OrderCreated | Unmade] = []
    for start in range(0, len(orders), batch_max):
        part = tuple(orders[start : start + batch_max])
        answer = yield from _change("POST", _BATCH, CreateBatch(orders=part), BatchCreatedAnswer, items=len(part))
        if not isinstance(answer, BatchCreatedAnswer):
            found += [answer] * len(part)
            continue
        rows = {row.client_order_id: row for row in answer.orders}
        for order in part:
            row = rows.get(order.client_order_id)
            if row is not None and row.error is not None:
                found.append(_declined(row.error))
            elif row is None or row.order_id is None or row.fill_count is None or row.remaining_count is None:
                found.append(Doubted(reason="the answer to a batch lacks this order"))
            else:
                found.append(
                    OrderCreated(
                        order_id=row.order_id,
                        client_order_id=row.client_order_id,
                        fill_count=row.fill_count,
                        remaining_count=row.remaining_count,
                        average_fill_price=row.average_fill_price,
                        average_fee_paid=row.average_fee_paid,
                        ts_ms=row.ts_ms,
                    )
                )
    return tuple(found)


def cancel_batch(items: Sequence[CancelItem], batch_max: int) -> Talk[tuple[Gone | Unmade, ...]]:
    """Cancel orders in batches of at most `batch_max`; give each one's outcome, in their order.

    Each names its shard or market; then an order that is not found there is gone, not lost.
    """
    for item in items:
        assert item.exchange_index is not None or item.market_ticker is not None, "an order is looked for on its shard"
    found: list[Gone | Unmade] = []
    for start in range(0, len(items), batch_max):
        part = tuple(items[start : start + batch_max])
        answer = yield from _change("DELETE", _BATCH, CancelBatch(orders=part), BatchCancelledAnswer, items=len(part))
        if not isinstance(answer, BatchCancelledAnswer):
            found += [answer] * len(part)
            continue
        rows = {row.order_id: row for row in answer.orders}
        for item in part:
            row = rows.get(item.order_id)
            if row is None:
                found.append(Doubted(reason="the answer to a batch lacks this order"))
            elif row.error is None or row.error.code == "not_found":
                found.append(Gone(order_id=row.order_id, reduced_by=row.reduced_by))
            else:
                found.append(_declined(row.error))
    return tuple(found)


def cancel_all() -> Talk[Done | Unmade]:
    """Cancel every resting order on every shard. Orders placed within the next minute may be cancelled as well."""
    return (yield from _change("DELETE", _ORDERS, None, Done))


def create_group(body: CreateGroup) -> Talk[GroupCreated | Unmade]:
    """Make an order group. It lives on one shard, which must be that of the markets its orders are for."""
    assert body.exchange_index is not None, "without a shard a group is of no use to a crypto order"
    return (yield from _change("POST", f"{_GROUPS}/create", body, GroupCreated))


def reset_group(group_id: str, exchange_index: int) -> Talk[Done | Unmade]:
    """Let a group that was triggered take orders again."""
    return (yield from _change("PUT", f"{_group(group_id)}/reset", None, Done, exchange_index))


def trigger_group(group_id: str, exchange_index: int) -> Talk[Done | Unmade]:
    """Cancel every order of a group and let it take none until it is reset."""
    return (yield from _change("PUT", f"{_group(group_id)}/trigger", None, Done, exchange_index))


def limit_group(group_id: str, body: UpdateGroupLimit, exchange_index: int) -> Talk[Done | Unmade]:
    """Give a group another limit; one below what filled in the last fifteen seconds triggers it at once."""
    return (yield from _change("PUT", f"{_group(group_id)}/limit", body, Done, exchange_index))


def delete_group(group_id: str, exchange_index: int) -> Talk[Done | Unmade]:
    """Delete a group and cancel its orders; one that is not there is deleted."""
    outcome = yield from _change("DELETE", _group(group_id), None, Done, exchange_index)
    is_gone = isinstance(outcome, Declined) and outcome.error.status == 404 and outcome.error.code == "not_found"
    return Done() if is_gone else outcome


def create_subaccount(body: CreateSubaccount) -> Talk[SubaccountCreated | Unmade]:
    """Open the next numbered subaccount. It cannot be closed again."""
    return (yield from _change("POST", _SUBACCOUNTS, body, SubaccountCreated))


def transfer(body: ApplySubaccountTransfer) -> Talk[Done | Unmade]:
    """Move whole cents between two subaccounts; name the shard that the money is on."""
    assert body.exchange_index is not None, "money is looked for on its shard"
    return (yield from _change("POST", f"{_SUBACCOUNTS}/transfer", body, Done))


def set_netting(body: UpdateNetting) -> Talk[Done | Unmade]:
    """Say whether the positions of a subaccount net."""
    return (yield from _change("PUT", f"{_SUBACCOUNTS}/netting", body, Done))


def transfer_between_shards(body: StartShardTransfer) -> Talk[ShardTransferStarted | Unmade]:
    """Move money to another shard; it has arrived when its transfer is complete."""
    return (yield from _change("POST", "/portfolio/intra_exchange_instance_transfer", body, ShardTransferStarted))


def allocate(body: Allocations) -> Talk[Done | Unmade]:
    """Say how the venue shall spread the balance over the shards; no allocations end it."""
    return (yield from _change("POST", "/portfolio/target_balance_allocation", body, Done))


def _order(order_id: str) -> str:
    return f"{_ORDERS}/{quote(order_id, safe='')}"


def _group(group_id: str) -> str:
    return f"{_GROUPS}/{quote(group_id, safe='')}"


def _declined(detail: ErrorDetail) -> Declined:
    text = ": ".join(part for part in (detail.message, detail.details) if part)
    return Declined(error=refusal_of(400, detail.code or "", text, detail.details or ""))


def _change(
    method: str, path: str, body: msgspec.Struct | None, kind: type[R], shard: int | None = None, *, items: int = 1
) -> Talk[R | Unmade]:
    query = () if shard is None else (("exchange_index", str(shard)),)
    data = b"" if body is None else msgspec.json.encode(body)
    try:
        answer = yield Request(method=method, path=path, query=query, body=data, items=items)
    except Unreachable as error:
        return Doubted(reason=str(error))
    return _outcome(answer, kind)


def _outcome(answer: Response, kind: type[R]) -> R | Unmade:
    if not answer.is_success:
        error = refusal(answer)
        # A time-out told by the venue, and a venue that failed, leave it open whether the change was made.
        is_certain = 400 <= answer.status < 500 and answer.status != 408
        return Declined(error=error) if is_certain else Doubted(reason=error.told)
    if kind is Done:
        return kind()
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except _UNREADABLE as error:
        return Doubted(reason=f"the answer cannot be read: {error}")
