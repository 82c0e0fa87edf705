"""Accounts and their subaccounts: who holds a key, who nets, and money moved between subaccounts and shards.

Numbered subaccounts count up from 1 and start without cash; 0 is the primary account. All belong to one user, so
self-trade prevention and client order ids do not tell them apart. Money is moved in one piece: a transfer is never
seen half done.
Source: the venue's reference of subaccounts (63 at most), of self-trade prevention ("the same user") and of
transfers between exchange shards.
"""

from enum import Enum, auto

import msgspec

from fairstrike.exchange.accounts import Account, AccountView
from fairstrike.exchange.admission import (
    EXCHANGE_PAUSED,
    INSUFFICIENT_BALANCE,
    NO_MONEY_THERE,
    NO_SUCH_SUBACCOUNT,
    Rejection,
)
from fairstrike.exchange.happenings import ShardState
from fairstrike.exchange.premises import TRANSFER_STREAM, Premises

SUBACCOUNTS_MAX = 63
TRANSFERS_MAX = 100_000
TOO_MANY_SUBACCOUNTS = Rejection(
    status=400, code="invalid_parameters", message="invalid parameters", details="there are 63 subaccounts already"
)
INVALID_TRANSFER = Rejection(
    status=400, code="invalid_parameters", message="invalid parameters", details="the transfer moves nothing"
)
TRANSFERS_FULL = Rejection(
    status=400, code="invalid_parameters", message="invalid parameters", details="the list of transfers is full"
)


class TransferKind(Enum):
    """Which of the venue's two lists a transfer is in."""

    SUBACCOUNTS = auto()
    SHARDS = auto()


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """Money moved between two purses of an account: `source` and `target` are subaccounts, each with its shard.

    `transfer_id` is the client's own, "" to be given one.
    """

    instant_ns: int
    transfer_id: str
    source: int
    target: int
    amount_ud: int
    source_shard: int = 2
    target_shard: int = 2
    kind: TransferKind = TransferKind.SUBACCOUNTS


class Members:
    """Opens accounts and subaccounts on the premises and moves money between them."""

    def __init__(self, premises: Premises) -> None:
        """Work on `premises`."""
        self._on = premises
        self._keys: set[str] = set()
        self._subaccounts: dict[str, int] = {}
        self._transfers: dict[tuple[str, TransferKind], dict[str, Transfer]] = {}

    def open(self, account_id: str, key_id: str, balance_ud: int, *, is_house: bool) -> AccountView:
        """Open an account with `balance_ud` in its primary subaccount."""
        assert (account_id, 0) not in self._on.accounts, "an account is opened once"
        assert key_id not in self._keys, "a key belongs to one account"
        account = Account(
            account_id=account_id,
            key_id=key_id,
            balance_ud=balance_ud,
            exchange_index=self._on.params.money_shard,
            opened_ns=self._on.now_ns,
            is_house=is_house,
        )
        account.is_netting = self._on.params.is_netting
        self._on.accounts[account_id, 0] = account
        self._keys.add(key_id)
        return account.view()

    def open_subaccount(self, account_id: str) -> int | Rejection:
        """Open the next numbered subaccount and give its number."""
        number = self._subaccounts.get(account_id, 0) + 1
        if number > SUBACCOUNTS_MAX:
            return TOO_MANY_SUBACCOUNTS
        self._subaccounts[account_id] = number
        twin = self._on.accounts[account_id, number] = self._on.accounts[account_id, 0].branch(number)
        twin.is_netting = self._on.params.is_netting
        return number

    def of(self, account_id: str) -> list[Account]:
        """Give an account's subaccounts, the primary one first."""
        numbers = range(self._subaccounts.get(account_id, 0) + 1)
        return [self._on.accounts[account_id, number] for number in numbers]

    def transfer(self, account_id: str, wish: Transfer) -> Transfer | Rejection:
        """Move money that nothing locks. The same transfer id a second time moves nothing more."""
        done = self._transfers.setdefault((account_id, wish.kind), {})
        if wish.transfer_id in done:
            return done[wish.transfer_id]
        source = self._on.accounts.get((account_id, wish.source))
        target = self._on.accounts.get((account_id, wish.target))
        if source is None or target is None:
            return NO_SUCH_SUBACCOUNT
        if wish.amount_ud <= 0 or (source is target and wish.source_shard == wish.target_shard):
            return INVALID_TRANSFER
        if wish.source_shard not in source.purses:
            return NO_MONEY_THERE
        if len(done) >= TRANSFERS_MAX:
            return TRANSFERS_FULL
        shards = {wish.source_shard, wish.target_shard}
        if any(self._on.shard_state(shard) is ShardState.EXCHANGE_PAUSED for shard in shards):
            return EXCHANGE_PAUSED
        purse = source.purses[wish.source_shard]
        if wish.amount_ud > purse.available_ud:
            return INSUFFICIENT_BALANCE
        purse.cash_ud -= wish.amount_ud
        target.purse(wish.target_shard).cash_ud += wish.amount_ud
        made = wish if wish.transfer_id else msgspec.structs.replace(wish, transfer_id=self._on.name(TRANSFER_STREAM))
        done[made.transfer_id] = made
        self._on.tell_balance(source)
        if target is not source:
            self._on.tell_balance(target)
        return made

    def transfers(self, account_id: str, kind: TransferKind) -> tuple[Transfer, ...]:
        """Give an account's transfers of a kind, oldest first."""
        return tuple(self._transfers.get((account_id, kind), {}).values())

    def set_netting(self, account_id: str, subaccount: int, *, is_netting: bool) -> Rejection | None:
        """Let a subaccount net across the markets of an event, or no longer; None when it is so.

        It cannot stop while it uses what netting returns.
        """
        account = self._on.accounts.get((account_id, subaccount))
        if account is None:
            return NO_SUCH_SUBACCOUNT
        if not is_netting:
            if any(purse.available_ud < purse.returned_ud for purse in account.purses.values()):
                return INSUFFICIENT_BALANCE
            for purse in account.purses.values():
                for event_ticker in purse.returned:
                    purse.give_back(event_ticker, 0)
        account.is_netting = is_netting
        for ticker in tuple(account.holdings):
            self._on.reserve_in(account, self._on.listings[ticker])
        return None
