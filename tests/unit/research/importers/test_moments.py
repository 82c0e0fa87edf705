"""A polled book is there for its moment and no longer."""

from fairstrike.core.events import BatchEnded, BookLost, BookSnapshot, Event
from fairstrike.core.timing import SECOND_NS
from fairstrike.market.books import MOMENT_OVER
from fairstrike.research.importers.moments import UNKNOWN_SIZE_CC, Capture, top_of_book, units

S = SECOND_NS


def capture(at_ns: int, *tickers: str) -> Capture:
    return Capture(at_ns=at_ns, events=[], books=[top_of_book(ticker, at_ns, 4_000, 4_400) for ticker in tickers])


def told(*captures: Capture) -> list[tuple[float, str]]:
    """Books and losses by second, as `+A` and `-A`."""
    found: list[tuple[float, str]] = []
    for at_ns, events in units(captures):
        assert [type(event) for event in events].count(BatchEnded) == 1
        assert type(events[-1]) is BatchEnded
        assert all(event.recv_ns == at_ns for event in events)
        found += [(at_ns / S, name(event)) for event in events[:-1]]
    return found


def name(event: Event) -> str:
    if isinstance(event, BookLost):
        assert event.reason == MOMENT_OVER
        return f"-{event.ticker}"
    assert isinstance(event, BookSnapshot)
    return f"+{event.ticker}"


def test_a_book_is_lost_a_second_after_its_capture() -> None:
    assert told(capture(S, "A", "B")) == [(1, "+A"), (1, "+B"), (2, "-A"), (2, "-B")]


def test_each_moment_ends_before_the_next_capture() -> None:
    assert told(capture(S, "A"), capture(9 * S, "A")) == [(1, "+A"), (2, "-A"), (9, "+A"), (10, "-A")]


def test_a_market_captured_again_before_its_moment_is_over_keeps_its_book() -> None:
    again = capture(S + S // 2, "A")
    assert told(capture(S, "A"), again) == [(1, "+A"), (1.5, "+A"), (2.5, "-A")]


def test_a_market_captured_again_as_its_moment_ends_keeps_its_book() -> None:
    assert told(capture(S, "A"), capture(2 * S, "A")) == [(1, "+A"), (2, "+A"), (3, "-A")]


def test_two_series_captured_within_the_same_second_end_one_after_the_other() -> None:
    other = capture(S + S // 4, "B")
    assert told(capture(S, "A"), other) == [(1, "+A"), (1.25, "+B"), (2, "-A"), (2.25, "-B")]


def test_two_captures_of_one_instant_are_two_units() -> None:
    assert [len(events) for _, events in units([capture(S, "A"), capture(S, "B")])] == [2, 2, 2, 2]


def test_a_market_twice_in_one_capture_is_lost_once() -> None:
    assert told(capture(S, "A", "A")) == [(1, "+A"), (1, "+A"), (2, "-A")]


def test_a_capture_without_books_has_no_moment() -> None:
    assert list(units([capture(S)])) == [(S, [BatchEnded(recv_ns=S)])]


def test_no_captures_give_nothing() -> None:
    assert list(units([])) == []


def test_a_side_at_nothing_or_a_dollar_is_empty() -> None:
    assert [
        (book.bids, book.asks)
        for book in (top_of_book("A", 1, *sides) for sides in ((0, 10_000), (None, None), (9_999, 1), (4_000, 4_400)))
    ] == [
        ((), ()),
        ((), ()),
        (((9_999, UNKNOWN_SIZE_CC),), ((1, UNKNOWN_SIZE_CC),)),
        (((4_000, UNKNOWN_SIZE_CC),), ((4_400, UNKNOWN_SIZE_CC),)),
    ]
