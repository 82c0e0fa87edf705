"""The state of a settlement group's markets: which of them both sides quote, and where."""

import msgspec

from fairstrike.core.contract import Contract
from fairstrike.market.books import Books
from fairstrike.market.catalog import Catalog


class Rung(msgspec.Struct, frozen=True, kw_only=True):
    """A market with its best bid and ask, ticks."""

    contract: Contract
    bid_ticks: int
    ask_ticks: int


def two_sided(catalog: Catalog, books: Books, of: Contract) -> tuple[Rung, ...]:
    """Give the markets of a contract's group whose strikes are known and whose book is served and has both sides."""
    found: list[Rung] = []
    for contract in catalog.rungs(of.group):
        book = books.served(contract.ticker)
        if book is None or not contract.is_struck:
            continue
        bid, ask = book.bid_ticks, book.ask_ticks
        if bid is not None and ask is not None:
            found.append(Rung(contract=contract, bid_ticks=bid, ask_ticks=ask))
    return tuple(found)
