"""Our money beside trading: netting, transfers between shards, their target allocation, deposits."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Instance = Literal["event_contract", "margined"]
Shard = Annotated[int, Meta(ge=0, le=100)]


class NettingConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a subaccount nets on one shard."""

    subaccount_number: int
    enabled: bool
    exchange_index: int


class NettingConfigs(msgspec.Struct, frozen=True, kw_only=True):
    """GET /portfolio/subaccounts/netting."""

    netting_configs: tuple[NettingConfig, ...]


class UpdateNetting(msgspec.Struct, frozen=True, kw_only=True):
    """PUT /portfolio/subaccounts/netting: 0 is the primary account."""

    subaccount_number: int
    enabled: bool


class ShardTransferRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """POST /portfolio/intra_exchange_instance_transfer. `amount` is in hundredths of a cent; None stands for 0."""

    source: Instance
    destination: Instance
    amount: int
    source_exchange_shard: Shard | None = 0
    destination_exchange_shard: Shard | None = 0
    source_subaccount: int | None = 0
    destination_subaccount: int | None = 0
    client_transfer_id: str | None = None


class ShardTransferMade(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to it."""

    transfer_id: str


class ShardTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """Money moved between shards; `amount` is in dollars, `created_ts` in epoch seconds."""

    transfer_id: str
    source: Instance
    destination: Instance
    source_exchange_shard: int
    destination_exchange_shard: int
    amount: str
    status: str
    created_ts: int


class ShardTransferAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """GET /portfolio/intra_exchange_instance_transfers/{transfer_id}."""

    transfer: ShardTransfer


class ShardTransfersPage(msgspec.Struct, frozen=True, kw_only=True):
    """GET /portfolio/intra_exchange_instance_transfers."""

    transfers: tuple[ShardTransfer, ...]
    cursor: str | None = ""


class ShardPercent(msgspec.Struct, frozen=True, kw_only=True):
    """The share of the account's money that one shard is to hold."""

    exchange_index: Annotated[int, Meta(ge=0)]
    percent: Annotated[int, Meta(ge=0, le=100)]


class TargetAllocation(msgspec.Struct, frozen=True, kw_only=True):
    """GET and POST /portfolio/target_balance_allocation; an empty list turns it off."""

    allocations: Annotated[tuple[ShardPercent, ...], Meta(max_length=101)]
    resting_margin_reservation: Literal["none", "max", "sum"] | None = None


class Deposit(msgspec.Struct, frozen=True, kw_only=True):
    """Money paid in, in cents; times in epoch seconds."""

    id: str
    status: str
    type: str
    amount_cents: int
    fee_cents: int
    created_ts: int
    finalized_ts: int | None = None


class DepositsPage(msgspec.Struct, frozen=True, kw_only=True):
    """GET /portfolio/deposits."""

    deposits: tuple[Deposit, ...]
    cursor: str | None = ""
