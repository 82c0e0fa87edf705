"""Each wake fires exactly when it is declared."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.contract import Contract
from fairstrike.core.events import Level
from fairstrike.core.records import (
    WAKE_BEST_PRICE,
    WAKE_BEST_SIZE,
    WAKE_DEPTH,
    WAKE_EVERY,
    WAKE_INDEX,
    WAKE_OWN_ORDER,
    Row,
)
from fairstrike.market.book import Book
from fairstrike.strategy.attention import ABSENT, Attention
from fairstrike.strategy.base import Wakes, Wish
from fairstrike.strategy.scene import Scene
from tests.unit.strategy.samples import T, view

EVERYTHING = Wakes(best_price=True, best_size_cc=1, depth=3, index=True, own_order=True)
BIDS: tuple[Level, ...] = ((4_000, 100), (3_900, 100), (3_800, 100))
ASKS: tuple[Level, ...] = ((4_200, 100), (4_300, 100), (4_400, 100))


class Sleeper:
    """A strategy that only declares wakes."""

    code = 9

    def __init__(self, name: str, wakes: Wakes) -> None:
        self.name = name
        self.wakes = wakes
        self.tally: Counter[str] = Counter()

    def trades(self, contract: Contract) -> bool:
        return bool(contract.ticker)

    def consider(self, scene: Scene) -> list[Wish]:
        assert scene.woken
        return []


def watched(*wakes: Wakes) -> Attention:
    """Attention after a first decision over the book of `BIDS` and `ASKS`."""
    attention = Attention([Sleeper(str(n), one) for n, one in enumerate(wakes)])
    attention.look(T, Book(BIDS, ASKS))
    attention.clear()
    return attention


def bits(attention: Attention, wakes: Wakes, now_ns: int = 0) -> int:
    return attention.woken("0", wakes, T, now_ns)


def changed(price: int, size: int) -> Book:
    """The book with the level of `price` at `size`."""
    bids = {**dict(BIDS), price: size} if price < 4_100 else dict(BIDS)
    asks = {**dict(ASKS), price: size} if price > 4_100 else dict(ASKS)
    return Book(bids.items(), asks.items())


def test_the_first_sight_of_a_book_is_news() -> None:
    attention = Attention([Sleeper("0", EVERYTHING)])
    attention.look(T, Book(BIDS, ASKS))
    assert bits(attention, EVERYTHING) == WAKE_BEST_PRICE | WAKE_BEST_SIZE | WAKE_DEPTH


def test_the_same_book_is_no_news() -> None:
    attention = watched(EVERYTHING)
    attention.look(T, Book(BIDS, ASKS))
    assert bits(attention, EVERYTHING) == 0


@pytest.mark.parametrize("price", [4_100, 4_199])
@pytest.mark.parametrize("wakes", [Wakes(best_price=True), Wakes(best_size_cc=10_000)])
def test_a_new_best_price_is_also_a_new_best_size(price: int, wakes: Wakes) -> None:
    attention = watched(wakes)
    attention.look(T, Book([*BIDS, (price, 1)], ASKS))
    assert (WAKE_BEST_PRICE if wakes.best_price else WAKE_BEST_SIZE) == bits(attention, wakes)


@pytest.mark.parametrize(
    ("fires", "price", "size", "threshold"),
    [
        (True, 4_000, 130, 30),
        (False, 4_000, 129, 30),
        (True, 4_200, 70, 30),
        (False, 4_200, 71, 30),
        (False, 3_900, 999, 1),
    ],
)
def test_the_size_at_a_best_price_moved_by_the_threshold(fires: bool, price: int, size: int, threshold: int) -> None:
    wakes = Wakes(best_price=True, best_size_cc=threshold)
    attention = watched(wakes)
    attention.look(T, changed(price, size))
    assert (WAKE_BEST_SIZE if fires else 0) == bits(attention, wakes)


@pytest.mark.parametrize(
    ("fires", "depth", "price"),
    [(True, 1, 4_000), (False, 1, 3_900), (True, 2, 3_900), (False, 2, 4_400), (True, 3, 4_400), (False, 3, 3_700)],
)
def test_depth_fires_within_the_declared_levels_whoever_else_watches(fires: bool, depth: int, price: int) -> None:
    wakes = Wakes(depth=depth)
    attention = watched(wakes, Wakes(depth=3))
    attention.look(T, changed(price, 77))
    assert (WAKE_DEPTH if fires else 0) == bits(attention, wakes)


def test_a_change_deep_on_one_side_is_not_news_at_the_end_of_the_other() -> None:
    attention = Attention([Sleeper("0", Wakes(depth=3)), Sleeper("1", Wakes(depth=2))])
    attention.look(T, Book(BIDS, ASKS[:1]))
    attention.clear()
    attention.look(T, Book([*BIDS[:2], (3_800, 5)], ASKS[:1]))
    assert (bits(attention, Wakes(depth=3)), bits(attention, Wakes(depth=2))) == (WAKE_DEPTH, 0)


def test_a_book_that_vanished_is_news_to_all_who_watch_it() -> None:
    attention = watched(EVERYTHING)
    attention.look(T, None)
    assert bits(attention, EVERYTHING) == WAKE_BEST_PRICE | WAKE_BEST_SIZE | WAKE_DEPTH
    assert attention.bests[T] == ABSENT


def test_a_book_that_came_back_the_same_is_news() -> None:
    attention = watched(EVERYTHING)
    attention.look(T, None)
    attention.clear()
    attention.look(T, Book(BIDS, ASKS))
    assert bits(attention, EVERYTHING) == WAKE_BEST_PRICE | WAKE_BEST_SIZE | WAKE_DEPTH


@pytest.mark.parametrize(("bit", "wakes"), [(WAKE_INDEX, Wakes(index=True)), (WAKE_OWN_ORDER, Wakes(own_order=True))])
def test_marks_fire_for_those_who_declared_them(bit: int, wakes: Wakes) -> None:
    attention = watched(EVERYTHING)
    attention.mark(T, WAKE_INDEX)
    attention.mark(T, WAKE_OWN_ORDER)
    assert bit == bits(attention, wakes)
    assert bits(attention, EVERYTHING) == WAKE_INDEX | WAKE_OWN_ORDER
    assert bits(attention, Wakes(best_price=True, best_size_cc=1, depth=9)) == 0
    assert attention.woken("0", EVERYTHING, "other", 0) == 0


def test_after_a_decision_all_is_forgotten() -> None:
    attention = watched(EVERYTHING)
    attention.mark(T, WAKE_INDEX)
    attention.look(T, None)
    attention.books.add(T)
    attention.clear()
    assert bits(attention, EVERYTHING) == 0
    assert (set(), {}) == (attention.books, attention.marks)


def test_nothing_is_kept_of_a_market_that_is_forgotten() -> None:
    attention = watched(EVERYTHING, Wakes(every_ns=100))
    attention.look("other", Book(BIDS, ASKS))
    assert attention.woken("1", Wakes(every_ns=100), T, 7) == WAKE_EVERY
    assert attention.woken("1", Wakes(every_ns=100), "other", 7) == WAKE_EVERY
    assert attention.remembered == {T, "other"}
    attention.forget(T)
    assert attention.remembered == {"other"}
    attention.forget(T)


def test_every_so_often() -> None:
    wakes = Wakes(every_ns=100)
    attention = watched(wakes)
    assert [bits(attention, wakes, at) for at in (7, 8, 106, 107, 206)] == [WAKE_EVERY, 0, 0, WAKE_EVERY, 0]


def test_a_look_for_another_reason_starts_the_wait_anew() -> None:
    wakes = Wakes(every_ns=100, index=True)
    attention = watched(wakes)
    bits(attention, wakes, 0)
    attention.mark(T, WAKE_INDEX)
    assert bits(attention, wakes, 60) == WAKE_INDEX
    attention.clear()
    assert [bits(attention, wakes, at) for at in (159, 160)] == [0, WAKE_EVERY]


def test_strategies_wait_each_for_themselves() -> None:
    attention, wakes = watched(EVERYTHING), Wakes(every_ns=100)
    assert attention.woken("a", wakes, T, 0) == WAKE_EVERY
    assert attention.woken("b", wakes, T, 50) == WAKE_EVERY
    assert attention.woken("b", wakes, T, 100) == 0


def test_wake_gives_tickers_by_strategy_and_bits_by_ticker() -> None:
    price, index = Sleeper("price", Wakes(best_price=True)), Sleeper("index", Wakes(index=True, best_price=True))
    attention = Attention([price, index])
    attention.look("b", Book(BIDS, ASKS))
    attention.mark("a", WAKE_INDEX)
    attention.mark("c", WAKE_OWN_ORDER)
    attention.mark("untraded", WAKE_INDEX)
    woken, fired = attention.wake(dict.fromkeys("cab", (price, index)), 0)
    assert (woken, fired) == ({"price": ["b"], "index": ["a", "b"]}, {"a": WAKE_INDEX, "b": WAKE_BEST_PRICE})


def test_a_row_tells_the_bests_that_were_looked_at() -> None:
    attention = watched(EVERYTHING)
    expected = Row(T, 5, 4_000, 100, 4_200, 100, 500_000)
    assert expected == attention.row(view(p_fair=0.5), 5)
    assert Row(T, 5, None, 0, None, 0, None) == Attention([]).row(view(p_fair=None), 5)


SIZES = st.dictionaries(st.sampled_from([3_700, 3_800, 3_900, 4_000]), st.integers(1, 3), max_size=4)
BOOKS = st.lists(st.one_of(st.none(), st.tuples(SIZES, SIZES)), min_size=2, max_size=12)


@given(BOOKS, st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))
def test_wakes_agree_with_a_plain_comparison(
    books: list[tuple[dict[int, int], dict[int, int]] | None], depth: int, other_depth: int, threshold: int
) -> None:
    wakes = Wakes(best_price=True, best_size_cc=threshold, depth=depth)
    attention = Attention([Sleeper("0", wakes), Sleeper("1", Wakes(depth=other_depth))])
    before: list[list[Level]] = [[], []]
    for sizes in books:
        book = None if sizes is None else Book(sizes[0].items(), [(p + 1_000, s) for p, s in sizes[1].items()])
        now = [[], []] if book is None else [list(side) for side in book.levels()]
        attention.look(T, book)
        price = [side[:1] and side[0][0] for side in now] != [side[:1] and side[0][0] for side in before]
        moved = [
            abs(sum(s for _, s in new[:1]) - sum(s for _, s in old[:1])) for new, old in zip(now, before, strict=True)
        ]
        deep = [side[:depth] for side in now] != [side[:depth] for side in before]
        expected = WAKE_BEST_PRICE * price | WAKE_BEST_SIZE * (price or max(moved) >= threshold) | WAKE_DEPTH * deep
        assert expected == bits(attention, wakes)
        attention.clear()
        before = now
