"""The book against a plain model: a list of orders, searched anew for every match."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.order import Side
from fairstrike.exchange.happenings import SelfTrade
from fairstrike.exchange.matching import LiveOrder, Match, MatchingBook, OwnRemoved, Reach
from tests.unit.exchange.floor_samples import ASK, BID, live

MAKER, TAKER_AT_CROSS = SelfTrade.MAKER, SelfTrade.TAKER_AT_CROSS
Told = list[tuple[str, int, int]]


class PlainBook:
    """Resting orders in order of arrival: [name, account, side, price, open]."""

    def __init__(self) -> None:
        self.rows: list[list[object]] = []
        self.open: dict[str, int] = {}
        self.facts: dict[str, tuple[str, Side, int]] = {}

    def best_against(self, side: Side, price: int) -> str | None:
        rivals = [name for name, (_, other, at) in self.facts.items() if other is not side and self.open[name]]
        crossing = [name for name in rivals if self.facts[name][2] * side.sign <= price * side.sign]
        return min(crossing, key=lambda name: self.facts[name][2] * side.sign, default=None)

    def place(self, order: LiveOrder) -> Told:
        left, told = order.initial_cc, []
        while left and (name := self.best_against(order.side, order.price_ticks)):
            if self.facts[name][0] == order.account:
                if order.self_trade is TAKER_AT_CROSS:
                    left = 0
                    break
                told.append((name, 0, self.open[name]))
                self.open[name] = 0
                continue
            size = min(left, self.open[name])
            told.append((name, self.facts[name][2], size))
            left -= size
            self.open[name] -= size
        self.facts[order.order_id] = (order.account, order.side, order.price_ticks)
        self.open[order.order_id] = left
        return told

    def levels(self, side: Side) -> dict[int, int]:
        sizes: dict[int, int] = {}
        for name, (_, other, price) in self.facts.items():
            if other is side and self.open[name]:
                sizes[price] = sizes.get(price, 0) + self.open[name]
        return sizes


PLACING = st.tuples(
    st.sampled_from("abc"),
    st.sampled_from([BID, ASK]),
    st.integers(1, 9).map(lambda cents: cents * 100),
    st.integers(1, 500),
    st.sampled_from([MAKER, TAKER_AT_CROSS]),
)
REDUCING = st.tuples(st.integers(0, 50), st.integers(1, 500))


def place(book: MatchingBook, order: LiveOrder) -> Told:
    outcome = book.match(order)
    told: Told = []
    for step in outcome.steps:
        if isinstance(step, Match):
            told.append((step.maker.order_id, step.price_ticks, step.size_cc))
        else:
            told.append((step.order.order_id, 0, step.size_cc))
    if outcome.met_own:
        order.open_cc = 0
    if order.open_cc:
        book.rest(order)
    return told


@given(st.lists(PLACING | REDUCING, max_size=60))
def test_book_does_as_the_plain_model(moves: list[tuple[object, ...]]) -> None:
    book, plain = MatchingBook(), PlainBook()
    orders: list[LiveOrder] = []
    for number, move in enumerate(moves):
        if len(move) == 2:
            index, size = move
            assert isinstance(index, int)
            assert isinstance(size, int)
            resting = [order for order in orders if order.open_cc]
            if resting:
                order = resting[index % len(resting)]
                size = min(size, order.open_cc)
                book.reduce(order, size)
                plain.open[order.order_id] -= size
        else:
            account, side, price, size, self_trade = move
            assert isinstance(account, str)
            assert isinstance(side, Side)
            assert isinstance(price, int)
            assert isinstance(size, int)
            assert isinstance(self_trade, SelfTrade)
            order = live(number, account, side, price, size, self_trade)
            orders.append(order)
            assert place(book, order) == plain.place(live(number, account, side, price, size, self_trade))
        for side in (BID, ASK):
            assert dict(book.levels(side)) == plain.levels(side)
        bid, ask = book.best(BID), book.best(ASK)
        assert bid is None or ask is None or bid[0] < ask[0]


def test_levels_come_best_first() -> None:
    book = MatchingBook()
    for number, (side, price) in enumerate([(BID, 100), (BID, 300), (ASK, 900), (ASK, 500), (BID, 200)]):
        book.rest(live(number, "a", side, price, 10))
    assert book.levels(BID) == ((300, 10), (200, 10), (100, 10))
    assert book.levels(ASK) == ((500, 10), (900, 10))


def test_earlier_order_fills_first_at_its_own_price() -> None:
    book = MatchingBook()
    first, second = live(1, "a", ASK, 400, 10), live(2, "b", ASK, 400, 10)
    book.rest(first)
    book.rest(second)
    outcome = book.match(live(3, "c", BID, 900, 15))
    assert outcome.steps == (
        Match(maker=first, price_ticks=400, size_cc=10),
        Match(maker=second, price_ticks=400, size_cc=5),
    )


def test_reduced_order_keeps_its_place() -> None:
    book = MatchingBook()
    first, second = live(1, "a", ASK, 400, 10), live(2, "b", ASK, 400, 10)
    book.rest(first)
    book.rest(second)
    book.reduce(first, 4)
    outcome = book.match(live(3, "c", BID, 400, 8))
    assert [(step.maker.order_id, step.size_cc) for step in outcome.steps if isinstance(step, Match)] == [
        ("order 1", 6),
        ("order 2", 2),
    ]


def test_own_order_is_taken_off_when_the_maker_gives_way() -> None:
    book = MatchingBook()
    own, other = live(1, "a", ASK, 400, 10), live(2, "b", ASK, 500, 10)
    book.rest(own)
    book.rest(other)
    incoming = live(3, "a", BID, 500, 10, MAKER)
    outcome = book.match(incoming)
    assert outcome.steps == (
        OwnRemoved(order=own, size_cc=10),
        Match(maker=other, price_ticks=500, size_cc=10),
    )
    assert not outcome.met_own
    assert incoming.open_cc == 0


def test_taker_stops_at_its_own_order() -> None:
    book = MatchingBook()
    other, own = live(1, "b", ASK, 400, 10), live(2, "a", ASK, 500, 10)
    book.rest(other)
    book.rest(own)
    incoming = live(3, "a", BID, 500, 25)
    outcome = book.match(incoming)
    assert outcome.steps == (Match(maker=other, price_ticks=400, size_cc=10),)
    assert outcome.met_own
    assert incoming.open_cc == 15
    assert book.levels(ASK) == ((500, 10),)


@pytest.mark.parametrize(
    ("expected", "account", "price", "size"),
    [
        (Reach.WHOLE, "c", 500, 20),
        (Reach.SHORT, "c", 500, 21),
        (Reach.SHORT, "c", 400, 11),
        (Reach.WHOLE, "b", 500, 10),
        (Reach.OWN_ORDER, "b", 500, 11),
        (Reach.SHORT, "b", 300, 1),
    ],
)
def test_reach(expected: Reach, account: str, price: int, size: int) -> None:
    book = MatchingBook()
    book.rest(live(1, "a", ASK, 400, 10))
    book.rest(live(2, "b", ASK, 500, 10))
    assert book.reach(live(3, account, BID, price, size)) is expected


def test_crossing_order_may_not_rest() -> None:
    book = MatchingBook()
    book.rest(live(1, "a", ASK, 400, 10))
    with pytest.raises(AssertionError):
        book.rest(live(2, "b", BID, 400, 10))


def test_the_queue_of_a_book_is_walked_once_for_all_its_orders() -> None:
    book = MatchingBook()
    orders = [live(number, "a", BID, 4_000 - number % 7 * 100, 100) for number in range(3_000)]
    for order in orders:
        book.rest(order)
    told = dict(book.queues_cc())
    assert sorted(told.values()) == [number * 100 for number in range(3_000)]
    assert all(told[order.order_id] == book.ahead_cc(order) for order in orders[:20])
