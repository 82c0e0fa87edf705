"""The account's money on its way: into and out of the venue, between its shards, and what is netted.

Source: REST specification 3.34.
"""

import msgspec

from fairstrike.venue.kalshi.wire.amounts import Seconds
from fairstrike.venue.kalshi.wire.pages import Page

EVENT_CONTRACTS = "event_contract"
"""The part of the venue where event contracts trade; its other is "margined"."""


class NettingConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Whether positions of a subaccount net on a shard across the markets of an event."""

    subaccount_number: int
    enabled: bool
    exchange_index: int = 0


class NettingConfigs(msgspec.Struct, frozen=True, kw_only=True):
    """GET /portfolio/subaccounts/netting."""

    netting_configs: tuple[NettingConfig, ...]


class UpdateNetting(msgspec.Struct, frozen=True, kw_only=True):
    """PUT /portfolio/subaccounts/netting."""

    subaccount_number: int
    enabled: bool


class StartShardTransfer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """POST /portfolio/intra_exchange_instance_transfer: `amount` in centicents; the id makes it happen once."""

    amount: int
    source: str
    destination: str
    source_exchange_shard: int | None = None
    destination_exchange_shard: int | None = None
    source_subaccount: int | None = None
    destination_subaccount: int | None = None
    client_transfer_id: str | None = None


class ShardTransferStarted(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to it."""

    transfer_id: str


class ShardTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer between shards, `amount` in dollars; `status` is pending or complete."""

    transfer_id: str
    source: str
    destination: str
    source_exchange_shard: int
    destination_exchange_shard: int
    amount: str
    status: str
    created_ts: Seconds


class ShardTransferAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """GET /portfolio/intra_exchange_instance_transfers/{transfer_id}."""

    transfer: ShardTransfer


class ShardTransfersPage(Page, frozen=True, kw_only=True):
    """GET /portfolio/intra_exchange_instance_transfers."""

    transfers: tuple[ShardTransfer, ...]


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """A deposit or withdrawal, in cents; `status` is pending, applied, failed or returned."""

    id: str
    status: str
    type: str
    amount_cents: int
    fee_cents: int
    created_ts: Seconds
    finalized_ts: Seconds | None = None


class DepositsPage(Page, frozen=True, kw_only=True):
    """GET /portfolio/deposits."""

    deposits: tuple[Payment, ...]


class WithdrawalsPage(Page, frozen=True, kw_only=True):
    """GET /portfolio/withdrawals."""

    withdrawals: tuple[Payment, ...]


class Allocation(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the balance the venue shall keep on a shard, in percent."""

    exchange_index: int
    percent: int


class Allocations(msgspec.Struct, frozen=True, kw_only=True):
    """GET and POST /portfolio/target_balance_allocation; the reservation is none, max or sum."""

    allocations: tuple[Allocation, ...]
    resting_margin_reservation: str = "none"
