"""The spot book against a plain dictionary."""

from hypothesis import given
from hypothesis import strategies as st

from fairstrike.venue.spot.book import SpotBook

changes = st.lists(st.tuples(st.booleans(), st.integers(1, 12), st.integers(0, 3)), max_size=60)


def test_an_empty_book_has_no_middle() -> None:
    book = SpotBook()
    assert (book.bids(5), book.asks(5), book.mid_e8()) == ([], [], None)


def test_the_middle() -> None:
    assert SpotBook(bids=[(10, 1), (8, 1)], asks=[(15, 1), (12, 1)]).mid_e8() == 11


def test_a_crossed_or_locked_book_has_no_middle() -> None:
    assert SpotBook(bids=[(10, 1)], asks=[(10, 1)]).mid_e8() is None


def test_levels_of_size_zero_are_left_out() -> None:
    assert SpotBook(bids=[(10, 0), (9, 2)]).bids(5) == [(9, 2)]


def test_what_comes_after_the_best() -> None:
    book = SpotBook(bids=[(10, 1), (9, 1), (8, 1)], asks=[(11, 1), (12, 1)])
    assert book.beyond(1) == ([8, 9], [12])


@given(changes, changes, st.integers(0, 15))
def test_a_book_is_its_dictionary(
    first: list[tuple[bool, int, int]], then: list[tuple[bool, int, int]], count: int
) -> None:
    plain: dict[bool, dict[int, int]] = {True: {}, False: {}}
    for is_bid, price, size in first:
        plain[is_bid][price] = size
    book = SpotBook(plain[True].items(), plain[False].items())
    for is_bid, price, size in then:
        plain[is_bid][price] = size
        book.change([(price, size)] if is_bid else [], [] if is_bid else [(price, size)])
    bids, asks = (sorted((p, s) for p, s in plain[side].items() if s) for side in (True, False))
    assert (book.bids(count), book.asks(count)) == (bids[::-1][:count], asks[:count])
