"""One market's stream by hand: what each figure counts, and what it leaves out."""

import pytest

from fairstrike.core.events import BookDelta, BookSnapshot, Level, TickerSeen
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.market.books import Books, Params
from fairstrike.research.market_statistics import STRETCHES, MarketStream, Pool, StretchPool, stretch_at
from fairstrike.research.tally import Tally

TICKER = "KXBTC15M-26MAY132030-30"
START_NS = 1_778_718_000 * SECOND_NS
LATE_NS = 20 * MILLISECOND_NS
BIDS: tuple[Level, ...] = ((4_000, 1_000), (3_900, 2_000))
ASKS: tuple[Level, ...] = ((4_200, 500),)


class Market:
    """A stream and its book, told in seconds after the start; the close is `closes` seconds after it."""

    def __init__(self, closes: float | None, bids: tuple[Level, ...] = BIDS, asks: tuple[Level, ...] = ASKS) -> None:
        self.books = Books(Params())
        self.stream = MarketStream(None if closes is None else at(closes))
        self.books.snapshot(BookSnapshot(ticker=TICKER, bids=bids, asks=asks, recv_ns=START_NS))

    def bid(self, seconds: float, price: int, change_cc: int) -> bool:
        return self._delta(True, seconds, price, change_cc)

    def ask(self, seconds: float, price: int, change_cc: int) -> bool:
        return self._delta(False, seconds, price, change_cc)

    def ticker(self, seconds: float, volume_cc: int) -> None:
        seen = TickerSeen(
            ticker=TICKER, bid_ticks=1, ask_ticks=2, volume_cc=volume_cc, recv_ns=at(seconds), venue_ns=at(seconds)
        )
        self.stream.ticker(seen, self.books.shelves[TICKER].book)

    def _delta(self, is_bid: bool, seconds: float, price: int, change_cc: int) -> bool:
        book = self.books.shelves[TICKER].book
        assert book is not None
        event = BookDelta(
            ticker=TICKER,
            is_bid=is_bid,
            price_ticks=price,
            delta_cc=change_cc,
            recv_ns=at(seconds) + LATE_NS,
            venue_ns=at(seconds),
        )
        return self.stream.delta(event, self.books, book)

    def pool(self) -> Pool:
        return self.stream.finish()

    def stretch(self, name: str) -> StretchPool:
        return self.pool().stretches[STRETCHES.index(name)]


def at(seconds: float) -> int:
    return START_NS + round(seconds * 1_000) * MILLISECOND_NS


def weights(tally: Tally) -> dict[int, int]:
    return tally.weights


@pytest.mark.parametrize(
    ("left", "name"),
    [
        (0, "last minute"),
        (60, "last minute"),
        (60.001, "2–1 min"),
        (120, "2–1 min"),
        (300, "5–2 min"),
        (600, "10–5 min"),
        (900, "15–10 min"),
        (900.001, "30–15 min"),
        (3_600, "60–30 min"),
        (9_999, "more than 60 min"),
    ],
)
def test_stretches_of_time_to_close(left: float, name: str) -> None:
    number = stretch_at(round(left * 1_000) * MILLISECOND_NS)
    assert number is not None
    assert STRETCHES[number] == name


def test_after_the_close_there_is_no_stretch() -> None:
    assert stretch_at(-1) is None


def test_spread_and_size_are_weighted_by_how_long_they_stood() -> None:
    market = Market(closes=120)
    market.bid(0, 4_100, 1_000)
    market.bid(3, 4_100, -400)
    market.bid(4, 4_100, -600)
    market.ask(6, 4_300, 100)
    found = market.stretch("2–1 min")
    assert weights(found.spreads) == {100: 4 * SECOND_NS, 200: 2 * SECOND_NS}
    assert weights(found.sizes) == {1_500: 5 * SECOND_NS, 1_100: SECOND_NS}
    assert weights(found.sizes_seen) == {1_500: 2, 1_100: 1}
    assert found.two_sided_ns == 6 * SECOND_NS


def test_a_state_that_lasts_over_a_boundary_counts_in_both_stretches() -> None:
    market = Market(closes=61)
    market.bid(0, 3_900, 1)
    market.bid(3, 3_900, 1)
    pool = market.pool()
    last, before = pool.stretches[:2]
    assert (weights(before.spreads), weights(last.spreads)) == ({200: SECOND_NS}, {200: 2 * SECOND_NS})
    assert (before.sizes_seen.total, last.sizes_seen.total) == (1, 0)


def test_nothing_stands_after_the_close() -> None:
    market = Market(closes=2)
    market.bid(0, 3_900, 1)
    market.bid(5, 3_900, 1)
    market.bid(9, 4_100, 1)
    found = market.stretch("last minute")
    assert (found.two_sided_ns, found.changes) == (2 * SECOND_NS, 0)


def test_a_book_with_one_side_has_no_spread() -> None:
    market = Market(closes=60)
    market.ask(0, 4_200, -500)
    market.bid(2, 4_100, 100)
    market.ask(5, 4_400, 100)
    market.bid(6, 4_000, 100)
    found = market.stretch("last minute")
    assert weights(found.spreads) == {300: SECOND_NS}
    assert (found.changes, found.moves) == (0, 0)


def test_changes_inside_an_instant_are_no_moves() -> None:
    market = Market(closes=60)
    market.bid(0, 3_800, 1)
    market.bid(1, 4_100, 100)
    market.bid(1, 4_100, -100)
    market.bid(2, 4_100, 100)
    market.bid(3, 3_900, 1)
    found = market.stretch("last minute")
    assert (found.changes, found.moves) == (3, 1)


def test_deltas_by_second_with_the_idle_ones_between() -> None:
    market = Market(closes=60)
    for seconds in (0.1, 0.2, 0.9, 3.0):
        market.bid(seconds, 3_900, 1)
    assert weights(market.pool().per_second) == {3: 1, 0: 2, 1: 1}


def test_deltas_of_one_millisecond_count_together_also_when_others_stand_between() -> None:
    market = Market(closes=60)
    for seconds in (0.1, 0.2, 0.1, 0.1):
        market.bid(seconds, 3_900, 1)
    assert weights(market.pool().per_instant) == {3: 1, 1: 1}


def test_many_milliseconds_are_counted_in_bounded_memory() -> None:
    market = Market(closes=60)
    for number in range(10_000):
        market.bid(number / 100, 3_900, 1)
    assert len(market.stream._instants) < 5_000
    assert weights(market.pool().per_instant) == {1: 10_000}


def test_adds_and_cuts_by_size() -> None:
    market = Market(closes=60)
    for change_cc in (500, 500, -300, 0):
        market.bid(0, 3_900, change_cc)
    pool = market.pool()
    assert (weights(pool.adds), weights(pool.cuts), pool.deltas) == ({500: 2}, {300: 1}, 4)


def test_adds_by_distance_from_their_own_best() -> None:
    market = Market(closes=60)
    market.bid(0, 4_000, 1)
    market.bid(0, 4_100, 1)
    market.bid(0, 3_900, 1)
    market.ask(0, 4_250, 1)
    market.ask(0, 4_150, 1)
    market.bid(0, 3_900, -1)
    assert weights(market.pool().distances) == {0: 1, -100: 1, 200: 1, 50: 1, -50: 1}


def test_an_add_to_an_empty_side_has_no_distance() -> None:
    market = Market(closes=60, asks=())
    market.ask(0, 5_000, 1)
    assert market.pool().distances.total == 0


def test_a_level_lives_from_its_first_size_to_its_last() -> None:
    market = Market(closes=60)
    market.bid(1, 3_800, 100)
    market.bid(2, 3_800, 100)
    market.bid(3.5, 3_800, -200)
    market.bid(4, 3_700, 100)
    assert weights(market.pool().lives) == {2_500: 1}


def test_a_level_of_the_snapshot_has_no_known_age() -> None:
    market = Market(closes=60)
    market.bid(1, 3_900, -2_000)
    assert market.pool().lives.total == 0


def test_a_crossing_inside_one_millisecond() -> None:
    market = Market(closes=60)
    market.bid(1, 4_300, 100)
    market.bid(1, 4_400, 100)
    market.ask(1, 4_200, -500)
    market.ask(1, 4_500, 100)
    market.bid(2, 3_900, 1)
    pool = market.pool()
    assert (weights(pool.crossed), pool.locked.total, pool.outlived.total) == ({2: 1}, 0, 0)
    assert weights(pool.stretches[0].spreads) == {100: SECOND_NS}


def test_a_crossing_that_sees_a_later_stamp_outlived() -> None:
    market = Market(closes=60)
    market.bid(1, 4_300, 100)
    market.bid(1.001, 4_300, -100)
    pool = market.pool()
    assert (weights(pool.crossed), weights(pool.outlived)) == ({1: 1}, {1: 1})
    assert pool.stretches[0].two_sided_ns == 0


def test_locked_and_crossed_are_spells_of_their_own() -> None:
    market = Market(closes=60)
    market.bid(1, 4_200, 100)
    market.bid(1, 4_300, 100)
    market.bid(1, 4_300, -100)
    market.bid(1, 4_200, -100)
    pool = market.pool()
    assert (weights(pool.locked), weights(pool.crossed), pool.outlived.total) == ({1: 2}, {1: 1}, 0)


def test_a_crossing_that_ends_with_the_book_counts() -> None:
    market = Market(closes=60)
    market.bid(1, 4_300, 100)
    market.bid(2, 3_900, 1)
    market.stream.forget()
    pool = market.pool()
    assert (weights(pool.crossed), weights(pool.outlived)) == ({2: 1}, {2: 1})


def test_contracts_between_tickers() -> None:
    market = Market(closes=60)
    for seconds, volume_cc in ((1, 1_000), (2, 3_000), (4, 3_000), (5, 3_500)):
        market.ticker(seconds, volume_cc)
    found = market.stretch("last minute")
    assert (found.volume_cc, found.volume_ns, found.trading_ns) == (2_500, 4 * SECOND_NS, 2 * SECOND_NS)
    assert weights(found.levels) == {2: 4, 1: 4}


def test_receive_minus_venue_time_in_tenths_of_a_millisecond() -> None:
    market = Market(closes=60)
    market.bid(1, 3_900, 1)
    assert weights(market.pool().delays) == {200: 1}


def test_an_impossible_delta_is_not_counted() -> None:
    market = Market(closes=60)
    assert market.bid(1, 3_900, 100)
    assert not market.bid(1, 3_900, -9_999)
    assert market.pool().deltas == 1


def test_after_the_book_was_replaced_nothing_lasts() -> None:
    market = Market(closes=60)
    market.bid(1, 3_800, 100)
    market.stream.forget()
    market.bid(3, 3_800, -100)
    pool = market.pool()
    assert (pool.lives.total, pool.stretches[0].two_sided_ns) == (0, 0)


def test_a_market_without_a_close_has_no_stretches() -> None:
    market = Market(closes=None)
    market.bid(1, 4_100, 100)
    market.bid(2, 4_100, -100)
    market.ticker(3, 100)
    pool = market.pool()
    assert pool.deltas == 2
    assert all(part.two_sided_ns == part.volume_ns == part.changes == 0 for part in pool.stretches)


def test_pools_add_up() -> None:
    one, two = Market(closes=60), Market(closes=60)
    for market in (one, two):
        market.bid(1, 4_100, 100)
        market.bid(2, 4_100, -100)
    both = Pool()
    both.merge(one.pool())
    both.merge(two.pool())
    assert (both.deltas, weights(both.adds), both.stretches[0].two_sided_ns) == (4, {100: 2}, 2 * SECOND_NS)
    assert both.is_exact
