"""The markets we know: contracts, fee schedules, status and volume, grouped by what settles them."""

from bisect import insort

import msgspec

from fairstrike.core.contract import Contract
from fairstrike.core.events import ContractListed, MarketPaused
from fairstrike.core.fees import FeeSchedule


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A market as last described by the venue."""

    contract: Contract
    schedule: FeeSchedule
    status: str
    volume_24h_cc: int

    def is_open(self, venue_now_ns: int) -> bool:
        """Whether orders are accepted, as far as description and clock tell: no message says that a market opens."""
        contract = self.contract
        is_listed = self.status in ("active", "initialized") and contract.is_struck
        return is_listed and contract.open_ns <= venue_now_ns < contract.close_ns


class Catalog:
    """All known markets by ticker and by settlement group."""

    def __init__(self) -> None:
        """Start empty."""
        self.listings: dict[str, Listing] = {}
        self.shut_shards: tuple[int, ...] = ()
        self._groups: dict[str, list[str]] = {}

    def fold(self, event: ContractListed) -> bool:
        """Take a description in. Gives whether anything but the volume changed."""
        contract = event.contract
        before = self.listings.get(contract.ticker)
        self.listings[contract.ticker] = Listing(
            contract=contract,
            schedule=event.schedule,
            status=event.status,
            volume_24h_cc=event.volume_24h_cc,
        )
        if before is None:
            self._join(contract)
            return True
        if before.contract != contract:
            self._leave(before.contract)
            self._join(contract)
        is_same = (before.contract, before.schedule, before.status) == (contract, event.schedule, event.status)
        return not is_same

    def pause(self, event: MarketPaused) -> None:
        """Take in that a market was shut or opened again; one that is not known is left to its description."""
        listing = self.listings.get(event.ticker)
        if listing is not None and listing.status in ("active", "inactive"):
            status = "inactive" if event.is_paused else "active"
            self.listings[event.ticker] = msgspec.structs.replace(listing, status=status)

    def is_open(self, ticker: str, venue_now_ns: int) -> bool:
        """Whether a known market's orders are accepted, as far as its description, its shard and the clock tell."""
        listing = self.listings[ticker]
        return listing.is_open(venue_now_ns) and listing.contract.exchange_index not in self.shut_shards

    def contract(self, ticker: str) -> Contract:
        """Give a known market's contract."""
        return self.listings[ticker].contract

    def group_of(self, ticker: str) -> str:
        """Give a market's settlement group; one we do not know stands alone."""
        listing = self.listings.get(ticker)
        return ticker if listing is None else listing.contract.group

    def rungs(self, group: str) -> tuple[Contract, ...]:
        """Give the contracts of a settlement group, by series and then by strike."""
        return tuple(self.listings[ticker].contract for ticker in self._groups.get(group, ()))

    def _join(self, contract: Contract) -> None:
        insort(self._groups.setdefault(contract.group, []), contract.ticker, key=self._rung)

    def _leave(self, contract: Contract) -> None:
        """Take a market out of its group: its close, and so what settles it, may have changed."""
        members = self._groups[contract.group]
        members.remove(contract.ticker)
        if not members:
            del self._groups[contract.group]

    def _rung(self, ticker: str) -> tuple[str, int, str]:
        contract = self.listings[ticker].contract
        strike = contract.floor_e8 if contract.floor_e8 is not None else contract.cap_e8 or 0
        return (contract.series, strike, ticker)
