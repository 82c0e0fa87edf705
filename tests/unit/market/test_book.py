"""One book against two plain dicts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.events import Level
from fairstrike.core.order import Side
from fairstrike.market.book import Book

BIDS = ((4_000, 500), (3_900, 200), (3_700, 100))
ASKS = ((4_200, 700), (4_300, 50), (9_990, 1))
PRICES = st.one_of(st.integers(-2, 10_002), st.sampled_from([0, 1, 5_000, 5_001, 9_999, 10_000]))
DELTAS = st.lists(st.tuples(st.booleans(), PRICES, st.integers(-40, 60)), max_size=60)
SIDES = st.sampled_from([Side.BID, Side.ASK])


class PlainBook:
    """Sizes by price, and every answer worked out from scratch."""

    def __init__(self) -> None:
        self.sizes: dict[Side, dict[int, int]] = {Side.BID: {}, Side.ASK: {}}

    def apply(self, side: Side, price: int, change: int) -> bool:
        after = self.sizes[side].get(price, 0) + change
        if after < 0 or (after > 0 and not 0 < price < 10_000):
            return False
        self.sizes[side][price] = after
        return True

    def levels(self, side: Side) -> list[Level]:
        levels = [(price, size) for price, size in self.sizes[side].items() if size]
        return sorted(levels, key=lambda level: -side.sign * level[0])

    def best(self, side: Side) -> int | None:
        return next((price for price, _ in self.levels(side)), None)

    def walk(self, side: Side, size: int, limit: int) -> list[Level]:
        units = [price for price, have in self.levels(side) for _ in range(have)]
        taken = [price for price in units if side.sign * price >= side.sign * limit][: max(0, size)]
        return [(price, taken.count(price)) for price in dict.fromkeys(taken)]


def grown(deltas: list[tuple[bool, int, int]]) -> tuple[Book, PlainBook]:
    book, plain = Book(), PlainBook()
    for is_bid, price, change in deltas:
        before = book.levels()
        is_done = plain.apply(Side.BID if is_bid else Side.ASK, price, change)
        assert is_done is book.apply(is_bid, price, change)
        assert is_done or before == book.levels()
        assert plain.best(Side.BID) == book.bid_ticks
        assert plain.best(Side.ASK) == book.ask_ticks
    return book, plain


@given(DELTAS)
def test_random_deltas_agree_with_the_plain_book(deltas: list[tuple[bool, int, int]]) -> None:
    book, plain = grown(deltas)
    bids, asks = plain.levels(Side.BID), plain.levels(Side.ASK)
    assert (tuple(bids), tuple(asks)) == book.levels()
    for count in (0, 1, 3, 99):
        assert (bids[:count], asks[:count]) == (book.depth(Side.BID, count), book.depth(Side.ASK, count))
    for side in Side:
        for price in {price for _, price, _ in deltas} | {77}:
            assert plain.sizes[side].get(price, 0) == book.size_cc(side, price)
    is_crossed = bool(bids and asks) and bids[0][0] >= asks[0][0]
    assert is_crossed is book.is_crossed


@given(DELTAS, SIDES, st.integers(-1, 200), PRICES)
def test_walk_takes_the_best_contracts_one_by_one(
    deltas: list[tuple[bool, int, int]], side: Side, size: int, limit: int
) -> None:
    book, plain = grown(deltas)
    assert plain.walk(side, size, limit) == book.walk(side, size, limit)


@given(DELTAS)
def test_a_snapshot_of_a_book_is_that_book(deltas: list[tuple[bool, int, int]]) -> None:
    book, _ = grown(deltas)
    bids, asks = book.levels()
    copy = Book(reversed(bids), asks)
    assert (book.levels(), book.bid_ticks, book.ask_ticks) == (copy.levels(), copy.bid_ticks, copy.ask_ticks)


@pytest.mark.parametrize(
    ("is_bid", "price", "change"),
    [(True, 4_000, -501), (True, 4_100, -1), (False, 4_200, -701), (True, 0, 5), (False, 10_000, 5), (True, -100, 5)],
)
def test_an_impossible_delta_changes_nothing(is_bid: bool, price: int, change: int) -> None:
    book = Book(BIDS, ASKS)
    assert not book.apply(is_bid, price, change)
    assert book.levels() == (BIDS, ASKS)
    assert (book.bid_ticks, book.ask_ticks) == (4_000, 4_200)


def test_a_delta_of_nothing_is_possible() -> None:
    book = Book(BIDS, ASKS)
    assert book.apply(True, 4_100, 0)
    assert book.levels() == (BIDS, ASKS)


@pytest.mark.parametrize(("best", "is_bid", "price", "size"), [(3_900, True, 4_000, 500), (4_300, False, 4_200, 700)])
def test_the_next_level_becomes_the_best(best: int, is_bid: bool, price: int, size: int) -> None:
    book = Book(BIDS, ASKS)
    assert book.apply(is_bid, price, -size)
    assert best == (book.bid_ticks if is_bid else book.ask_ticks)


def test_levels_without_size_are_left_out_of_a_snapshot() -> None:
    book = Book([(4_000, 0), (3_000, 1)], [(4_100, -5)])
    assert book.levels() == (((3_000, 1),), ())
    assert (book.bid_ticks, book.ask_ticks) == (3_000, None)


@pytest.mark.parametrize(("is_crossed", "bid", "ask"), [(False, 4_000, 4_010), (True, 4_000, 4_000), (True, 5_000, 1)])
def test_locked_counts_as_crossed(is_crossed: bool, bid: int, ask: int) -> None:
    assert is_crossed is Book([(bid, 1)], [(ask, 1)]).is_crossed


@pytest.mark.parametrize(("bids", "asks"), [((), ()), (BIDS, ()), ((), ASKS)])
def test_a_one_sided_book_is_not_crossed(bids: tuple[Level, ...], asks: tuple[Level, ...]) -> None:
    assert not Book(bids, asks).is_crossed


@pytest.mark.parametrize(
    ("taken", "side", "size", "limit"),
    [
        ([(4_200, 700), (4_300, 50)], Side.ASK, 900, 4_300),
        ([(4_200, 700)], Side.ASK, 900, 4_299),
        ([(4_200, 30)], Side.ASK, 30, 9_999),
        ([], Side.ASK, 30, 4_199),
        ([(4_000, 500), (3_900, 100)], Side.BID, 600, 3_000),
        ([(4_000, 500)], Side.BID, 500, 3_000),
        ([], Side.BID, 500, 4_001),
    ],
)
def test_walk(taken: list[Level], side: Side, size: int, limit: int) -> None:
    assert taken == Book(BIDS, ASKS).walk(side, size, limit)
