"""The book of everybody else against a book from which our orders were taken by hand."""

from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.order import Order, OrderState, Side
from fairstrike.market.book import Book
from fairstrike.market.others import others
from tests.unit.market.samples import own

SIZES = st.dictionaries(st.sampled_from([100, 200, 300]), st.integers(1, 30), max_size=3)
MINE = st.lists(
    st.tuples(st.booleans(), st.sampled_from([100, 200, 300]), st.integers(1, 20), st.sampled_from(OrderState)),
    max_size=4,
)


def order(is_bid: bool, price: int, size_cc: int, state: OrderState) -> Order:
    return own(Side.BID if is_bid else Side.ASK, price if is_bid else price + 300, size_cc, state)


def test_no_order_of_ours_leaves_the_book_itself() -> None:
    book = Book([(100, 5)])
    assert others(book, ()) is book
    assert others(book, [order(True, 100, 3, OrderState.SENDING)]) is book, "it may not be there yet"


def test_a_level_that_is_ours_alone_is_not_the_best() -> None:
    book = Book([(300, 5), (200, 7)], [(400, 9)])
    view = others(book, [order(True, 300, 5, OrderState.RESTING), order(False, 100, 4, OrderState.CANCELLING)])
    assert (view.bid_ticks, view.ask_ticks) == (200, 400)
    assert (view.size_cc(Side.BID, 300), view.size_cc(Side.ASK, 400)) == (0, 5)


@given(SIZES, SIZES, MINE, st.integers(0, 60), st.integers(1, 4))
def test_it_is_the_book_without_our_sizes(
    bids: dict[int, int],
    asks: dict[int, int],
    mine: list[tuple[bool, int, int, OrderState]],
    size_cc: int,
    levels: int,
) -> None:
    book = Book(bids.items(), {price + 300: size for price, size in asks.items()}.items())
    orders = [order(*each) for each in mine]
    plain = Book(*book.levels())
    for each in orders:
        if each.state in (OrderState.RESTING, OrderState.CANCELLING):
            there = plain.size_cc(each.side, each.price_ticks)
            plain.apply(each.side is Side.BID, each.price_ticks, -min(there, each.remaining_cc))
    view = others(book, orders)
    assert (view.bid_ticks, view.ask_ticks) == (plain.bid_ticks, plain.ask_ticks)
    for side, limit in ((Side.BID, 150), (Side.ASK, 550)):
        assert view.depth(side, levels) == plain.depth(side, levels)
        assert view.walk(side, size_cc, limit) == plain.walk(side, size_cc, limit)
