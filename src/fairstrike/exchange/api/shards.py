"""Money on several shards: move it, see what was moved, have it spread by percentages.

The box moves money at once, so every transfer is complete; the venue's may be pending for a while. It has no second
instance: perpetuals are another exchange. Source: the venue's published interface 3.34 and its page on sharding.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import format_ud
from fairstrike.exchange.api.budgets import DEFAULT_COST, SHARDS
from fairstrike.exchange.api.call import (
    BoxResponse,
    Call,
    Desk,
    answer_json,
    error,
    not_found,
    page,
    read_body,
    read_query,
    refuse,
    rejected,
)
from fairstrike.exchange.api.orders import charge
from fairstrike.exchange.api.subaccounts import check_uuid
from fairstrike.exchange.floor import Allocation, Rejection, Reservation, Transfer, TransferKind
from fairstrike.venue.kalshi.wire.transfers import (
    EVENT_CONTRACTS,
    Allocations,
    ShardTransfer,
    ShardTransferAnswer,
    ShardTransfersPage,
    ShardTransferStarted,
)
from fairstrike.venue.kalshi.wire.transfers import Allocation as Share

MONEY_LIMIT_MAX = 500
Instance = Literal["event_contract", "margined"]
Shard = Annotated[int, Meta(ge=0, le=100)]
_UD_PER_UNIT = 100


class MoneyQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The page of a list of money moved that is asked for."""

    limit: Annotated[int, Meta(ge=1, le=MONEY_LIMIT_MAX)] = 100
    cursor: str = ""


class MoveRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer between shards; `amount` is in hundredths of a cent, and None stands for 0."""

    source: Instance
    destination: Instance
    amount: int
    source_exchange_shard: Shard | None = 0
    destination_exchange_shard: Shard | None = 0
    source_subaccount: int | None = 0
    destination_subaccount: int | None = 0
    client_transfer_id: str | None = None


class Percent(msgspec.Struct, frozen=True, kw_only=True):
    """The share of the account's money that one shard is to hold."""

    exchange_index: Annotated[int, Meta(ge=0)]
    percent: Annotated[int, Meta(ge=0, le=100)]


class AllocationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """How the account's money is to be spread; an empty list ends it."""

    allocations: Annotated[tuple[Percent, ...], Meta(max_length=101)]
    resting_margin_reservation: Reservation | None = None


def transfer(desk: Desk, call: Call) -> BoxResponse:
    """Move money from one shard to another, and between subaccounts if two are named; gives the transfer's id.

    The same client id a second time moves nothing more. 404 `user_not_found` from a shard that never had money.
    """
    wire = read_body(call, MoveRequest)
    source, target = wire.source_exchange_shard or 0, wire.destination_exchange_shard or 0
    charge(desk, call, DEFAULT_COST, None)
    if wire.client_transfer_id is not None:
        check_uuid(wire.client_transfer_id)
    if (wire.source, wire.destination) != (EVENT_CONTRACTS, EVENT_CONTRACTS):
        _refuse_parameter("the exchange in a box has no margined instance")
    if not {source, target} <= set(SHARDS):
        _refuse_parameter("there is no such exchange shard")
    wish = Transfer(
        instant_ns=call.now_ns,
        transfer_id=wire.client_transfer_id or "",
        source=wire.source_subaccount or 0,
        target=wire.destination_subaccount or 0,
        amount_ud=wire.amount * _UD_PER_UNIT,
        source_shard=source,
        target_shard=target,
        kind=TransferKind.SHARDS,
    )
    made = desk.floor.transfer(call.owner, wish)
    return (
        rejected(made)
        if isinstance(made, Rejection)
        else answer_json(ShardTransferStarted(transfer_id=made.transfer_id))
    )


def transfers(desk: Desk, call: Call) -> BoxResponse:
    """Give the account's transfers between shards, newest first; what the target allocation moves is not among them."""
    query = read_query(call, MoneyQuery)
    newest = reversed(desk.floor.transfers(call.owner, TransferKind.SHARDS))
    found, cursor = page(newest, query.cursor, query.limit, lambda row: row.transfer_id)
    return answer_json(ShardTransfersPage(transfers=tuple(_shape(row) for row in found), cursor=cursor))


def one_transfer(desk: Desk, call: Call) -> BoxResponse:
    """Give one transfer between shards."""
    rows = {row.transfer_id: row for row in desk.floor.transfers(call.owner, TransferKind.SHARDS)}
    if call.names[0] not in rows:
        not_found("transfer not found")
    return answer_json(ShardTransferAnswer(transfer=_shape(rows[call.names[0]])))


def allocation(desk: Desk, call: Call) -> BoxResponse:
    """Give the shares of the account's money that shards are to hold; none when it is off."""
    held = desk.floor.allocation(call.owner)
    rows = tuple(Share(exchange_index=shard, percent=percent) for shard, percent in held.percents.items())
    return answer_json(Allocations(allocations=rows, resting_margin_reservation=held.reservation.value))


def allocate(desk: Desk, call: Call) -> BoxResponse:
    """Have the account's money spread so, ten seconds from now and every ten seconds; an empty list ends it."""
    wire = read_body(call, AllocationRequest)
    charge(desk, call, DEFAULT_COST, None)
    percents = {row.exchange_index: row.percent for row in wire.allocations}
    if len(percents) < len(wire.allocations) or not percents.keys() <= set(SHARDS):
        _refuse_parameter("allocations name each exchange shard once, and only those there are")
    if percents and sum(percents.values()) != 100:
        _refuse_parameter("allocations must sum to 100 percent")
    reservation = wire.resting_margin_reservation or Reservation.SUM
    desk.floor.allocate(call.owner, Allocation(percents=percents, reservation=reservation), call.now_ns)
    return answer_json({})


def _shape(row: Transfer) -> ShardTransfer:
    return ShardTransfer(
        transfer_id=row.transfer_id,
        source=EVENT_CONTRACTS,
        destination=EVENT_CONTRACTS,
        source_exchange_shard=row.source_shard,
        destination_exchange_shard=row.target_shard,
        amount=format_ud(row.amount_ud),
        status="complete",
        created_ts=row.instant_ns // SECOND_NS,
    )


def _refuse_parameter(details: str) -> None:
    refuse(error(400, "invalid_parameters", "invalid parameters", details))
