"""Accounts and their subaccounts: who holds a key, and money moved between subaccounts.

Numbered subaccounts count up from 1 and start without cash; 0 is the primary account. All belong to one user, so
self-trade prevention and client order ids do not tell them apart.
Source: the venue's reference of subaccounts (63 at most) and of self-trade prevention ("the same user").
"""

import msgspec

from fairstrike.exchange.accounts import Account, AccountView
from fairstrike.exchange.admission import INSUFFICIENT_BALANCE, NO_SUCH_SUBACCOUNT, Rejection
from fairstrike.exchange.premises import Premises

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


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """Money moved between two subaccounts of an account; `transfer_id` is the client's own."""

    instant_ns: int
    transfer_id: str
    source: int
    target: int
    amount_ud: int


class Members:
    """Opens accounts and subaccounts on the premises and moves money between them."""

    def __init__(self, premises: Premises) -> None:
        """Work on `premises`."""
        self._on = premises
        self._keys: dict[str, str] = {}
        self._subaccounts: dict[str, int] = {}
        self._transfers: dict[str, dict[str, Transfer]] = {}

    def open(self, account_id: str, key_id: str, balance_ud: int, *, is_house: bool) -> AccountView:
        """Open an account with `balance_ud` in its primary subaccount."""
        assert (account_id, 0) not in self._on.accounts, "an account is opened once"
        assert key_id not in self._keys, "a key belongs to one account"
        account = Account(account_id=account_id, key_id=key_id, balance_ud=balance_ud, is_house=is_house)
        self._on.accounts[account_id, 0] = account
        self._keys[key_id] = account_id
        return account.view()

    def by_key(self, key_id: str) -> str | None:
        """Give the account id an API key belongs to, None for an unknown key."""
        return self._keys.get(key_id)

    def open_subaccount(self, account_id: str) -> int | Rejection:
        """Open the next numbered subaccount and give its number."""
        number = self._subaccounts.get(account_id, 0) + 1
        if number > SUBACCOUNTS_MAX:
            return TOO_MANY_SUBACCOUNTS
        self._subaccounts[account_id] = number
        self._on.accounts[account_id, number] = self._on.accounts[account_id, 0].branch(number)
        return number

    def of(self, account_id: str) -> list[Account]:
        """Give an account's subaccounts, the primary one first."""
        numbers = range(self._subaccounts.get(account_id, 0) + 1)
        return [self._on.accounts[account_id, number] for number in numbers]

    def transfer(self, account_id: str, wish: Transfer) -> Transfer | Rejection:
        """Move money that no resting order locks. The same transfer id a second time moves nothing more."""
        done = self._transfers.setdefault(account_id, {})
        if wish.transfer_id in done:
            return done[wish.transfer_id]
        source = self._on.accounts.get((account_id, wish.source))
        target = self._on.accounts.get((account_id, wish.target))
        if source is None or target is None:
            return NO_SUCH_SUBACCOUNT
        if wish.amount_ud <= 0 or source is target:
            return INVALID_TRANSFER
        if len(done) >= TRANSFERS_MAX:
            return TRANSFERS_FULL
        if wish.amount_ud > source.balance_ud - source.reserved_ud:
            return INSUFFICIENT_BALANCE
        source.balance_ud -= wish.amount_ud
        target.balance_ud += wish.amount_ud
        done[wish.transfer_id] = wish
        self._on.tell_balance(source)
        self._on.tell_balance(target)
        return wish

    def transfers(self, account_id: str) -> tuple[Transfer, ...]:
        """Give an account's transfers, oldest first."""
        return tuple(self._transfers.get(account_id, {}).values())
