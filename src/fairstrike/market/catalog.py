"""The markets we know: contracts, fee schedules, status and volume, grouped by what settles them."""

from bisect import insort

import msgspec

from fairstrike.core.contract import Contract
from fairstrike.core.events import ContractListed, MarketPaused, TermsChanged, TermsDoubted
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.timing import MINUTE_NS

_TOLD_STANDS_NS = MINUTE_NS
"""How long what the stream told stands against descriptions by REST: reads may trail by as much."""

_TOLD = ("comparison", "floor_e8", "cap_e8", "round_digits", "close_ns", "grid")
_PAUSABLE = frozenset({"initialized", "active", "inactive"})
_DOUBTED_MAX = 20_000


def with_terms(contract: Contract, event: TermsChanged) -> Contract:
    """Give a contract as the stream now tells its terms; the same when together they make no sense."""
    told = {name: value for name in _TOLD if (value := getattr(event, name)) is not None}
    changed = msgspec.structs.replace(contract, **told)
    floor, cap = changed.floor_e8, changed.cap_e8
    is_upside_down = floor is not None and cap is not None and floor > cap
    return contract if is_upside_down or changed.close_ns <= changed.open_ns else changed


def _stands(told_ns: int | None, read_ns: int) -> bool:
    """Whether what the stream told stands against a read."""
    return told_ns is not None and read_ns < told_ns + _TOLD_STANDS_NS


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A market as last described by the venue.

    `told_ns` and `paused_ns` are when the stream last told its terms, and that it was shut or opened, if ever.
    """

    contract: Contract
    schedule: FeeSchedule
    status: str
    volume_24h_cc: int
    told_ns: int | None = None
    paused_ns: int | None = None

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
        self._doubted: dict[str, None] = {}

    def fold(self, event: ContractListed) -> bool:
        """Take a description in. Gives whether anything but the volume changed."""
        contract, status, told_ns, paused_ns = event.contract, event.status, None, None
        before = self.listings.get(contract.ticker)
        if before is not None and _stands(before.told_ns, event.recv_ns):
            told_ns = before.told_ns
            contract = msgspec.structs.replace(contract, **{name: getattr(before.contract, name) for name in _TOLD})
        if before is not None and _stands(before.paused_ns, event.recv_ns) and status in _PAUSABLE:
            status, paused_ns = before.status, before.paused_ns
        listing = Listing(
            contract=contract,
            schedule=event.schedule,
            status=status,
            volume_24h_cc=event.volume_24h_cc,
            told_ns=told_ns,
            paused_ns=paused_ns,
        )
        self._put(listing)
        if before is None:
            return True
        return (before.contract, before.schedule, before.status) != (contract, event.schedule, status)

    def change(self, event: TermsChanged) -> bool:
        """Take in what the stream told of a market's terms. Gives whether they are others now.

        A market that is not known is left to its description, and so are terms that make no sense together.
        """
        listing = self.listings.get(event.ticker)
        if listing is None:
            return False
        contract = with_terms(listing.contract, event)
        if contract == listing.contract:
            return False
        self._put(msgspec.structs.replace(listing, contract=contract, told_ns=event.recv_ns))
        return True

    def doubt(self, event: TermsDoubted) -> str:
        """Take in that descriptions are not clear. Gives a sentence on those not spoken of yet, empty without any.

        A market that was clear before and is left out now takes no orders until it is clear again.
        """
        for ticker in event.tickers if event.is_left_out else ():
            if (listing := self.listings.get(ticker)) is not None:
                self.listings[ticker] = msgspec.structs.replace(listing, status="unclear")
        new = [ticker for ticker in dict.fromkeys(event.tickers) if ticker not in self._doubted]
        self._doubted.update(dict.fromkeys(new))
        while len(self._doubted) > _DOUBTED_MAX:
            del self._doubted[next(iter(self._doubted))]
        if not new:
            return ""
        which = new[0] if len(new) == 1 else f"{new[0]} and {len(new) - 1} more"
        if event.is_left_out:
            return f"{which} cannot be traded: {event.reason}; see `fairstrike markets`"
        return f"{which} is taken by its structured fields: {event.reason}; see `fairstrike markets`"

    def pause(self, event: MarketPaused) -> None:
        """Take in that a market was shut or opened again; one that is not known is left to its description."""
        listing = self.listings.get(event.ticker)
        if listing is not None and listing.status in _PAUSABLE:
            status = "inactive" if event.is_paused else "active"
            self.listings[event.ticker] = msgspec.structs.replace(listing, status=status, paused_ns=event.recv_ns)

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

    def over(self, before_ns: int) -> list[str]:
        """Give the markets that closed before an instant of the venue."""
        return [ticker for ticker, listing in self.listings.items() if listing.contract.close_ns < before_ns]

    def forget(self, ticker: str) -> None:
        """Know a market no longer; nothing may look it up by a ticker kept elsewhere."""
        self._leave(self.listings.pop(ticker).contract)
        self._doubted.pop(ticker, None)

    def _put(self, listing: Listing) -> None:
        contract = listing.contract
        before = self.listings.get(contract.ticker)
        self.listings[contract.ticker] = listing
        if before is None:
            self._join(contract)
        elif before.contract != contract:
            self._leave(before.contract)
            self._join(contract)

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
