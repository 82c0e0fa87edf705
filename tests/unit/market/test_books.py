"""When a book may be served: snapshots, impossible deltas, frozen books, crossings, absence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.events import BookDelta, BookLost, BookSnapshot
from fairstrike.core.order import Side
from fairstrike.market.books import Books, Params
from tests.unit.market.samples import MS, SECOND, T, delta, own, seen, snapshot


def books() -> Books:
    """Books with one snapshot at 0: 0.40 bid, 0.42 offered."""
    made = Books(Params())
    made.snapshot(snapshot())
    return made


def is_there(made: Books) -> bool:
    return made.served(T) is not None


def lost(reason: str = "gap", at: int = 0) -> BookLost:
    return BookLost(ticker=T, reason=reason, recv_ns=at)


# Absent and back


def test_no_book_before_its_snapshot() -> None:
    made = Books(Params())
    assert made.delta(delta(True, 4_000, 5))
    assert made.ticker(seen(1, 2, 99 * SECOND))
    assert not is_there(made)
    assert judge(made, 0, None) == "open"


def test_a_snapshot_and_its_deltas_are_served() -> None:
    made = books()
    assert made.delta(delta(True, 4_100, 5))
    book = made.served(T)
    assert book is not None
    assert (book.bid_ticks, book.ask_ticks) == (4_100, 4_200)


@pytest.mark.parametrize("change", [delta(True, 4_000, -501), delta(False, 10_000, 5)])
def test_an_impossible_delta_drops_the_book(change: BookDelta) -> None:
    made = books()
    assert not made.delta(change)
    assert not is_there(made)
    assert made.shelves[T].losses == {"impossible": 1}
    assert made.delta(delta(True, 4_000, -501))


def test_a_lost_book_is_absent_until_the_next_snapshot() -> None:
    made = books()
    made.lost(lost(at=5))
    made.delta(delta(True, 4_000, 5, at=6))
    assert not is_there(made)
    made.snapshot(snapshot(at=7))
    assert is_there(made)


def test_a_book_is_lost_for_its_first_reason() -> None:
    made = books()
    made.lost(lost("gap"))
    made.lost(lost("silent"))
    assert made.shelves[T].losses == {"gap": 1}


def test_losing_a_book_that_never_was_counts_nothing() -> None:
    made = Books(Params())
    made.lost(lost(at=5))
    made.snapshot(snapshot(at=9))
    assert (made.shelves[T].losses, made.shelves[T].absent_ns) == ({}, 0)


# Frozen


@pytest.mark.parametrize(
    ("is_fine", "bid", "ask", "at"),
    [
        (True, 4_100, 4_200, 2 * SECOND),
        (False, 4_100, 4_200, 2 * SECOND + 1),
        (False, 4_000, 4_300, 2 * SECOND + 1),
        (False, None, 4_200, 2 * SECOND + 1),
        (False, 4_000, None, 2 * SECOND + 1),
        (True, 4_000, 4_200, 2 * SECOND + 1),
        (True, 4_000, 4_200, 999 * SECOND),
    ],
)
def test_frozen(is_fine: bool, bid: int | None, ask: int | None, at: int) -> None:
    made = books()
    assert is_fine is made.ticker(seen(bid, ask, at))
    assert is_fine is is_there(made)
    assert made.shelves[T].losses == ({} if is_fine else {"frozen": 1})


def test_every_frame_keeps_a_book_from_being_frozen() -> None:
    made = books()
    made.delta(delta(True, 3_000, 5, at=SECOND))
    assert made.ticker(seen(4_100, 4_200, 3 * SECOND))
    assert not made.ticker(seen(4_100, 4_200, 3 * SECOND + 1))


def test_a_frozen_book_says_so_once() -> None:
    made = books()
    made.ticker(seen(4_100, 4_200, 3 * SECOND))
    assert made.ticker(seen(4_100, 4_200, 4 * SECOND))
    assert made.shelves[T].losses == {"frozen": 1}


def test_an_empty_side_agrees_with_none() -> None:
    made = Books(Params())
    made.snapshot(snapshot(asks=()))
    assert made.ticker(seen(4_000, None, 9 * SECOND))


# Late: frames keep coming, but of long ago


def late(venue: int | None = 9 * SECOND, changed: int | None = 5 * SECOND) -> Books:
    """A book whose last change, received a moment ago, is stamped at 5 s, and a ticker of other prices of 9 s."""
    made = books()
    made.delta(delta(True, 3_000, 5, at=9 * SECOND, venue=changed))
    assert made.ticker(seen(4_100, 4_200, 9 * SECOND + MS, venue=venue))
    return made


def test_a_late_book_is_not_served_until_it_has_caught_up() -> None:
    made = late()
    assert not is_there(made)
    made.delta(delta(True, 3_000, 5, at=10 * SECOND, venue=9 * SECOND - 1))
    assert not is_there(made)
    made.delta(delta(True, 4_100, 5, at=10 * SECOND, venue=9 * SECOND))
    assert is_there(made)
    assert made.shelves[T].losses == {}


@pytest.mark.parametrize(("venue", "changed"), [(7 * SECOND, 5 * SECOND), (None, 5 * SECOND), (9 * SECOND, None)])
def test_a_book_a_little_behind_or_without_stamps_is_served(venue: int | None, changed: int | None) -> None:
    assert is_there(late(venue, changed))


def test_a_late_book_comes_back_with_a_ticker_that_agrees() -> None:
    made = late()
    assert made.ticker(seen(4_000, 4_200, 9 * SECOND + 2 * MS, venue=9 * SECOND))
    assert is_there(made)


def test_a_late_book_comes_back_with_its_snapshot() -> None:
    made = late()
    made.snapshot(snapshot(at=10 * SECOND))
    assert is_there(made)


@pytest.mark.parametrize(("is_touched", "comes_back"), [(False, True), (True, False)])
def test_a_late_book_of_a_market_that_is_still_comes_back_with_an_audit(is_touched: bool, comes_back: bool) -> None:
    made = late()
    made.delta(delta(True, 4_100, 5, at=10 * SECOND, venue=9 * SECOND - 1))
    assert made.begin_audit([T]) == [T]
    if is_touched:
        made.delta(delta(True, 2_000, 5, at=60 * SECOND, venue=9 * SECOND - 1))
    book = made.shelves[T].book
    assert book is not None
    assert made.audit(by_rest(*book.levels()), 61 * SECOND) == 0
    assert is_there(made) is comes_back


def test_a_late_book_that_an_audit_finds_otherwise_is_dropped() -> None:
    made = late()
    made.begin_audit([T])
    assert made.audit(by_rest(((4_100, 5),), ()), 61 * SECOND)
    assert made.shelves[T].losses == {"audit": 1}


def test_a_late_book_that_falls_silent_is_frozen() -> None:
    made = late()
    assert not made.ticker(seen(4_100, 4_200, 12 * SECOND, venue=12 * SECOND))
    assert made.shelves[T].losses == {"frozen": 1}


def test_final_bests_of_a_frozen_book_are_its_own() -> None:
    made = books()
    made.ticker(seen(4_100, 4_200, 3 * SECOND))
    assert made.shelves[T].final_bests == (4_000, 4_200)


def test_final_bests_of_a_book_that_broke_are_unknown() -> None:
    made = books()
    made.delta(delta(True, 1, -1))
    assert made.shelves[T].final_bests == (None, None)


# Crossed


def judge(made: Books, now_ns: int, venue_ns: int | None) -> str:
    """The verdict when the latest frame bore this stamp; None: a timer asks."""
    if T in made.shelves:
        made.shelves[T].stamp_ns = venue_ns
    return made.judge_crossing(T, now_ns)


def crossed() -> Books:
    """Held since 1 ms with venue stamp 100."""
    made = books()
    made.delta(delta(True, 4_200, 5, at=MS, venue=100))
    assert judge(made, MS, 100) == "held"
    return made


def test_a_crossed_book_is_not_served() -> None:
    assert not is_there(crossed())


def test_a_crossing_inside_one_venue_millisecond_opens() -> None:
    made = crossed()
    made.delta(delta(False, 4_200, -700, at=2 * MS, venue=100))
    assert judge(made, 2 * MS, 100) == "open"
    assert is_there(made)


@pytest.mark.parametrize(
    ("verdict", "now_ns", "venue"),
    [
        ("held", 6 * MS, 101),
        ("fault", 6 * MS + 1, 101),
        ("held", 6 * MS + 1, 100),
        ("held", 6 * MS + 1, 99),
        ("held", 999 * MS, 100),
        ("fault", 6 * MS + 1, None),
        ("held", 6 * MS, None),
    ],
)
def test_a_crossing_that_outlives_hold_and_stamp_is_a_fault(verdict: str, now_ns: int, venue: int | None) -> None:
    made = crossed()
    assert verdict == judge(made, now_ns, venue)
    assert made.shelves[T].losses == ({"crossed": 1} if verdict == "fault" else {})
    assert (made.shelves[T].book is None) is (verdict == "fault")


def test_a_crossing_without_stamps_is_judged_by_time_alone() -> None:
    made = books()
    made.delta(delta(True, 4_200, 5, at=MS))
    assert judge(made, MS, None) == "held"
    assert judge(made, 6 * MS + 1, 100) == "fault"


def test_a_second_crossing_is_held_anew() -> None:
    made = crossed()
    made.delta(delta(True, 4_200, -5, at=2 * MS, venue=100))
    assert judge(made, 2 * MS, 100) == "open"
    made.delta(delta(True, 4_200, 5, at=9 * MS, venue=109))
    assert judge(made, 9 * MS, 109) == "held"


def test_a_snapshot_ends_the_hold() -> None:
    made = crossed()
    made.snapshot(snapshot(bids=((4_300, 5),), at=9 * MS, venue=109))
    assert judge(made, 9 * MS, 109) == "held"


# Absence


def test_absence_is_counted_from_loss_to_snapshot() -> None:
    made = books()
    made.lost(lost(at=100))
    made.lost(lost(at=150))
    made.snapshot(snapshot(at=400))
    made.delta(delta(True, 4_000, -9_999, at=1_000))
    made.snapshot(snapshot(at=1_050))
    assert made.shelves[T].absent_ns == 300 + 50


def test_absence_ends_with_the_connection() -> None:
    made = books()
    made.lost(lost(at=100))
    made.disconnected(130)
    made.snapshot(snapshot(at=900))
    assert made.shelves[T].absent_ns == 30
    assert is_there(made)


def test_disconnected_every_book_is_absent_without_loss() -> None:
    made = books()
    made.snapshot(snapshot(ticker="other"))
    made.disconnected(50)
    assert (made.served(T), made.served("other")) == (None, None)
    made.snapshot(snapshot(at=900))
    assert (made.shelves[T].losses, made.shelves[T].absent_ns) == ({}, 0)
    assert made.shelves["other"].final_bests == (4_000, 4_200)


STEPS = st.lists(
    st.tuples(st.sampled_from(["snapshot", "lost", "impossible", "disconnected", "frozen"]), st.integers(1, 9)),
    max_size=30,
)


@given(STEPS)
def test_absence_adds_up(steps: list[tuple[str, int]]) -> None:
    made, now = Books(Params(frozen_after_ns=0)), 0
    is_present, since, absent = False, None, 0
    for kind, gap in steps:
        now += gap
        if kind in ("snapshot", "disconnected"):
            absent += 0 if since is None else now - since
            is_present, since = kind == "snapshot", None
        elif is_present:
            is_present, since = False, now
        if kind == "snapshot":
            made.snapshot(snapshot(at=now))
        elif kind == "lost":
            made.lost(lost(at=now))
        elif kind == "impossible":
            made.delta(delta(True, 1, -1, at=now))
        elif kind == "disconnected":
            made.disconnected(now)
        else:
            made.ticker(seen(1, 2, now))
        assert is_present is is_there(made)
        assert absent == (made.shelves[T].absent_ns if T in made.shelves else 0)


@pytest.mark.parametrize(("holds_own", "best"), [(True, 3_900), (False, 4_000)])
def test_books_that_hold_our_orders_are_shown_without_them(holds_own: bool, best: int) -> None:
    made = Books(Params(), holds_own=holds_own)
    made.snapshot(snapshot(((4_000, 500), (3_900, 200))))
    shown = made.shown(T, lambda ticker: (own(Side.BID, 4_000, 500),))
    assert shown is not None
    assert shown.bid_ticks == best
    assert made.shown("OTHER", lambda ticker: ()) is None


# By REST


def polled(at: int, bids: tuple[tuple[int, int], ...] = ((4_000, 100),)) -> BookSnapshot:
    return BookSnapshot(ticker=T, bids=bids, asks=((4_200, 100),), recv_ns=at)


def test_a_polled_book_is_served_and_marked() -> None:
    made = Books(Params())
    made.polled(polled(SECOND))
    assert (is_there(made), made.is_polled(T), made.has_polled) == (True, True, True)


def test_a_polled_book_never_takes_the_place_of_the_streams() -> None:
    made = books()
    made.polled(polled(SECOND, ((3_900, 1),)))
    book = made.served(T)
    assert book is not None
    assert (book.bid_ticks, made.is_polled(T)) == (4_000, False)


def test_the_streams_snapshot_takes_the_place_of_a_polled_book() -> None:
    made = Books(Params())
    made.polled(polled(SECOND, ((3_900, 1),)))
    made.snapshot(snapshot())
    book = made.served(T)
    assert book is not None
    assert (book.bid_ticks, made.is_polled(T), made.has_polled) == (4_000, False, False)


def test_what_the_stream_says_while_it_has_no_book_leaves_a_polled_one_alone() -> None:
    made = Books(Params())
    made.polled(polled(0))
    made.lost(lost("reconnected"))
    made.disconnected(SECOND)
    assert made.ticker(seen(1, 2, 5 * SECOND))
    assert made.is_polled(T)


def test_a_polled_book_goes_when_it_is_not_read_again() -> None:
    made = Books(Params(polled_for_ns=6 * SECOND))
    made.polled(polled(SECOND))
    assert made.expired(7 * SECOND) == []
    assert made.expired(7 * SECOND + 1) == [T]
    assert (is_there(made), made.is_polled(T)) == (False, False)


def test_a_crossed_book_by_rest_is_nobodys_book() -> None:
    made = Books(Params())
    made.polled(polled(0))
    made.polled(polled(SECOND, ((4_200, 1),)))
    assert (is_there(made), made.is_polled(T)) == (False, False)
    assert judge(made, SECOND, None) == "open"


# Audited


def by_rest(bids: tuple[tuple[int, int], ...], asks: tuple[tuple[int, int], ...]) -> BookSnapshot:
    return BookSnapshot(ticker=T, bids=bids, asks=asks, recv_ns=5 * SECOND)


def audited() -> tuple[Books, tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
    """Books under audit, and what the one of them holds."""
    made = books()
    book = made.served(T)
    assert book is not None
    assert made.begin_audit([T, "another"]) == [T]
    return made, *book.levels()


def test_an_equal_book_stays() -> None:
    made, bids, asks = audited()
    assert made.audit(by_rest(bids, asks), 5 * SECOND) == 0
    assert is_there(made)


@pytest.mark.parametrize("more", [((100, 5),), ((100, 5), (200, 7))])
def test_levels_that_differ_drop_the_book(more: tuple[tuple[int, int], ...]) -> None:
    made, bids, asks = audited()
    assert made.audit(by_rest((*bids, *more), asks), 5 * SECOND) == len(more)
    assert not is_there(made)
    assert made.shelves[T].losses == {"audit": 1}


def test_a_level_that_changed_meanwhile_proves_nothing() -> None:
    made, bids, asks = audited()
    made.delta(delta(True, 4_000, 5))
    made.delta(delta(False, 9_000, 5))
    assert made.audit(by_rest(bids, asks), 5 * SECOND) == 0
    assert is_there(made)


def test_the_other_side_of_a_level_that_changed_is_compared() -> None:
    made, bids, asks = audited()
    made.delta(delta(True, 100, 5))
    assert made.audit(by_rest(bids, (*asks, (9_900, 1))), 5 * SECOND) == 1


def test_a_book_that_came_anew_is_not_compared() -> None:
    made, bids, _ = audited()
    made.snapshot(snapshot())
    assert made.audit(by_rest(bids, ()), 5 * SECOND) == 0
    assert is_there(made)


def test_a_polled_book_is_not_audited() -> None:
    made = Books(Params())
    made.polled(polled(SECOND))
    assert made.begin_audit([T]) == []
