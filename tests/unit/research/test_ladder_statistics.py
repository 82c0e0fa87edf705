"""Polled ladders by hand: captures, sides, spreads by time to close, and what a partition adds up to."""

from fairstrike.core.contract import Comparison, Contract
from fairstrike.core.events import BookSnapshot
from fairstrike.core.timing import MINUTE_NS
from fairstrike.research.ladder_statistics import LadderPool, Ladders, merge
from fairstrike.research.market_statistics import STRETCHES

CLOSE_NS = 1_778_718_000_000_000_000
EVENT, OTHER = "KXBTC-26JUL0117", "KXETH-26JUL0117"


def contract(ticker: str, comparison: Comparison = Comparison.BETWEEN) -> Contract:
    return Contract(
        ticker=ticker,
        event_ticker=ticker.rpartition("-")[0],
        series="KXBTC",
        asset="BTC",
        comparison=comparison,
        open_ns=CLOSE_NS - 60 * MINUTE_NS,
        close_ns=CLOSE_NS,
    )


def book(ticker: str, minutes_left: int, bid: int | None, ask: int | None) -> BookSnapshot:
    return BookSnapshot(
        ticker=ticker,
        bids=() if bid is None else ((bid - 100, 5), (bid, 5)),
        asks=() if ask is None else ((ask, 5), (ask + 100, 5)),
        recv_ns=CLOSE_NS - minutes_left * MINUTE_NS,
    )


def pool_of(contracts: list[Contract], *books: BookSnapshot) -> LadderPool:
    ladders = Ladders()
    for one in contracts:
        ladders.listed(one)
    for snapshot in books:
        ladders.snapshot(snapshot)
    return ladders.finish()


RANGES = [contract(f"{EVENT}-A"), contract(f"{EVENT}-B"), contract(f"{EVENT}-T", Comparison.ABOVE)]


def test_captures_of_two_events_at_one_instant_and_one_later() -> None:
    found = pool_of(
        [*RANGES, contract(f"{OTHER}-A")],
        book(f"{EVENT}-A", 36, 3_000, 3_400),
        book(f"{OTHER}-A", 36, None, 100),
        book(f"{EVENT}-B", 36, 5_000, 5_100),
        book(f"{EVENT}-A", 5, 100, 900),
    )
    assert (found.captures, found.books, found.two_sided) == (3, 4, 3)
    assert found.markets.weights == {2: 1, 1: 2}
    spreads = {name: tally.weights for name, tally in zip(STRETCHES, found.spreads, strict=True) if tally.total}
    assert spreads == {"60–30 min": {400: 1, 100: 1}, "5–2 min": {800: 1}}


def test_what_a_partition_adds_up_to() -> None:
    found = pool_of(
        RANGES,
        book(f"{EVENT}-A", 36, 3_000, 3_400),
        book(f"{EVENT}-B", 36, None, 2_000),
        book(f"{EVENT}-T", 36, 5_000, 5_100),
    )
    assert (found.partitions, found.incomplete) == (1, 0)
    assert (found.bid_sums.weights, found.ask_sums.weights) == ({8_000: 1}, {10_500: 1})


def test_without_an_ask_somewhere_there_is_no_sum_of_asks() -> None:
    found = pool_of(RANGES, book(f"{EVENT}-A", 36, 3_000, None), book(f"{EVENT}-B", 36, None, 2_000))
    assert (found.partitions, found.incomplete, found.ask_sums.total) == (1, 1, 0)
    assert found.bid_sums.weights == {3_000: 1}


def test_thresholds_are_no_partition() -> None:
    thresholds = [contract(f"{EVENT}-A", Comparison.ABOVE), contract(f"{EVENT}-B", Comparison.ABOVE)]
    found = pool_of(thresholds, book(f"{EVENT}-A", 36, 3_000, 3_400), book(f"{EVENT}-B", 36, 100, 200))
    assert (found.captures, found.partitions) == (1, 0)


def test_markets_without_terms_have_neither_time_nor_partition() -> None:
    found = pool_of([], book(f"{EVENT}-A", 36, 3_000, 3_400), book(f"{EVENT}-B", 36, 100, 200))
    assert (found.captures, found.two_sided, found.partitions) == (1, 2, 0)
    assert not any(tally.total for tally in found.spreads)


def test_pools_add_up() -> None:
    both = LadderPool()
    for _ in range(2):
        merge(both, pool_of(RANGES, book(f"{EVENT}-A", 36, 3_000, 3_400)))
    assert (both.captures, both.books, both.partitions, both.markets.weights) == (2, 2, 2, {1: 2})
    assert both.spreads[STRETCHES.index("60–30 min")].weights == {400: 2}
