"""Which markets of a settlement group both sides quote."""

import msgspec

from fairstrike.core.contract import CENT_GRID, Comparison, Contract
from fairstrike.core.events import BookSnapshot, ContractListed, Level
from fairstrike.core.fees import FeeSchedule
from fairstrike.market.books import Books, Params
from fairstrike.market.catalog import Catalog
from fairstrike.market.ladder import two_sided

FIRST = Contract(
    ticker="A",
    event_ticker="KXBTC-26JUL0321",
    series="KXBTC",
    asset="BTC",
    comparison=Comparison.BETWEEN,
    open_ns=0,
    close_ns=3_600 * 10**9,
    floor_e8=60_000 * 10**8,
    cap_e8=60_099 * 10**8,
    grid=CENT_GRID,
)


def group(**books: tuple[tuple[Level, ...], tuple[Level, ...]]) -> tuple[Catalog, Books]:
    catalog, shelves = Catalog(), Books(Params())
    for number, (ticker, (bids, asks)) in enumerate(books.items()):
        contract = msgspec.structs.replace(
            FIRST, ticker=ticker, floor_e8=(60_000 + 100 * number) * 10**8, cap_e8=(60_099 + 100 * number) * 10**8
        )
        told = ContractListed(contract=contract, schedule=FeeSchedule(), status="active", volume_24h_cc=0, recv_ns=1)
        catalog.fold(told)
        shelves.snapshot(BookSnapshot(ticker=ticker, bids=bids, asks=asks, recv_ns=1))
    return catalog, shelves


def test_only_markets_with_both_sides_are_given_in_order_of_strikes() -> None:
    both = ((4_000, 100),), ((4_200, 100),)
    catalog, books = group(A=both, B=((), ((100, 100),)), C=(((9_900, 100),), ()), D=both)
    assert [(rung.contract.ticker, rung.bid_ticks, rung.ask_ticks) for rung in two_sided(catalog, books, FIRST)] == [
        ("A", 4_000, 4_200),
        ("D", 4_000, 4_200),
    ]


def test_a_crossed_or_absent_book_and_another_close_are_left_out() -> None:
    catalog, books = group(A=(((4_200, 100),), ((4_000, 100),)), B=(((4_000, 100),), ((4_200, 100),)))
    books.shelves["B"].book = None
    assert two_sided(catalog, books, FIRST) == ()
    assert two_sided(catalog, books, msgspec.structs.replace(FIRST, close_ns=7_200 * 10**9)) == ()
