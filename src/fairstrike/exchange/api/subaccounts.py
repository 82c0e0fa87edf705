"""Numbered subaccounts: create, read their money, move money between them, choose which of them net.

Source: the venue's published interface: an Advanced key or better, 63 numbered subaccounts, transfers on shard 0
unless another is named.
"""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import UD_PER_CENT
from fairstrike.exchange.api.budgets import BASIC, DEFAULT_COST
from fairstrike.exchange.api.call import (
    PAGE_LIMIT_MAX,
    BoxResponse,
    Call,
    Desk,
    answer_json,
    error,
    page,
    read_body,
    read_query,
    refuse,
    rejected,
)
from fairstrike.exchange.api.orders import charge
from fairstrike.exchange.api.words import balance_dollars
from fairstrike.exchange.floor import Rejection, Transfer
from fairstrike.venue.kalshi.wire.portfolio import (
    ApplySubaccountTransfer,
    CreateSubaccount,
    SubaccountBalance,
    SubaccountBalances,
    SubaccountCreated,
    SubaccountTransfer,
    SubaccountTransfersPage,
)
from fairstrike.venue.kalshi.wire.transfers import NettingConfig, NettingConfigs, UpdateNetting


class TransfersQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The page of transfers that is asked for."""

    limit: Annotated[int, Meta(ge=1, le=PAGE_LIMIT_MAX)] = 100
    cursor: str = ""


def create(desk: Desk, call: Call) -> BoxResponse:
    """Open the next numbered subaccount: 201 and its number; 403 below the Advanced tier."""
    if call.body:
        read_body(call, CreateSubaccount)
    charge(desk, call, DEFAULT_COST, None)
    if desk.budgets.tier == BASIC:
        return error(403, "forbidden", "subaccounts need the Advanced tier")
    made = desk.floor.open_subaccount(call.owner)
    return (
        rejected(made) if isinstance(made, Rejection) else answer_json(SubaccountCreated(subaccount_number=made), 201)
    )


def balances(desk: Desk, call: Call) -> BoxResponse:
    """Give what each subaccount may still lock, the primary account first."""
    rows = tuple(
        SubaccountBalance(
            subaccount_number=account.subaccount,
            exchange_index=shard.exchange_index,
            balance=balance_dollars(shard.available_ud),
            updated_ts=call.now_ns // SECOND_NS,
        )
        for account in desk.floor.subaccounts(call.owner)
        for shard in account.shards
    )
    return answer_json(SubaccountBalances(subaccount_balances=rows))


def transfer(desk: Desk, call: Call) -> BoxResponse:
    """Move whole cents between two subaccounts; the same id a second time moves nothing more."""
    wire = read_body(call, ApplySubaccountTransfer)
    shard = wire.exchange_index or 0
    charge(desk, call, DEFAULT_COST, shard)
    check_uuid(wire.client_transfer_id)
    wish = Transfer(
        instant_ns=call.now_ns,
        transfer_id=wire.client_transfer_id,
        source=wire.from_subaccount,
        target=wire.to_subaccount,
        amount_ud=wire.amount_cents * UD_PER_CENT,
        source_shard=shard,
        target_shard=shard,
    )
    done = desk.floor.transfer(call.owner, wish)
    return rejected(done) if isinstance(done, Rejection) else answer_json({})


def transfers(desk: Desk, call: Call) -> BoxResponse:
    """Give the account's transfers, newest first."""
    query = read_query(call, TransfersQuery)
    newest = reversed(desk.floor.transfers(call.owner))
    found, cursor = page(newest, query.cursor, query.limit, lambda row: row.transfer_id)
    rows = tuple(
        SubaccountTransfer(
            transfer_id=row.transfer_id,
            from_subaccount=row.source,
            to_subaccount=row.target,
            amount_cents=row.amount_ud // UD_PER_CENT,
            exchange_index=row.source_shard,
            created_ts=row.instant_ns // SECOND_NS,
        )
        for row in found
    )
    return answer_json(SubaccountTransfersPage(transfers=rows, cursor=cursor))


def netting(desk: Desk, call: Call) -> BoxResponse:
    """Give which subaccounts net across the markets of an event, on each of their shards."""
    rows = tuple(
        NettingConfig(
            subaccount_number=account.subaccount, enabled=account.is_netting, exchange_index=shard.exchange_index
        )
        for account in desk.floor.subaccounts(call.owner)
        for shard in account.shards
    )
    return answer_json(NettingConfigs(netting_configs=rows))


def set_netting(desk: Desk, call: Call) -> BoxResponse:
    """Let a subaccount net, or no longer: on all its shards, since the request names none."""
    wire = read_body(call, UpdateNetting)
    charge(desk, call, DEFAULT_COST, None)
    refused = desk.floor.set_netting(call.owner, wire.subaccount_number, call.now_ns, is_netting=wire.enabled)
    return answer_json({}) if refused is None else rejected(refused)


def check_uuid(text: str) -> None:
    """Check an id that the client gave a transfer. Raises `CallRefused` (400) when it is no UUID."""
    try:
        UUID(text)
    except ValueError:
        refuse(error(400, "invalid_UUID", "invalid UUID", "client_transfer_id must be a UUID"))
