"""What the observer of a replay sees: forecasts, tickers held against books, equity, stretches of a book."""

import pytest

from fairstrike.core.events import (
    BookDelta,
    BookLost,
    BookSnapshot,
    Event,
    MarketSettled,
    OrderRejected,
    StreamChanged,
    TickerSeen,
)
from fairstrike.core.timing import MINUTE_NS
from fairstrike.research.observer import Agreement, Observer, Span
from tests.unit.engine_samples import (
    ASK,
    BID,
    CASH_UD,
    RUN,
    SECOND,
    Hall,
    T,
    U,
    account,
    at,
    batch,
    contract,
    delta,
    filled,
    listed,
    printed,
    read,
    signal,
    snapshot,
    timer,
)

CLOSE_S = 3_600
READY_S = 40


class Watched:
    """A hall whose units an observer sees: one unit for each instant, as a replay's driver would hand them over."""

    def __init__(self) -> None:
        self.hall = Hall()
        self.observer = Observer(self.hall.engine)
        self.events = 0

    def tell(self, *events: Event) -> "Watched":
        self.hall.feed(*events)
        self.observer.see(events[-1].recv_ns, events)
        self.events += len(events)
        return self

    def listed(self) -> "Watched":
        """The account is read, a market is listed and its book is there; the index has no prints yet."""
        self.tell(read(0.1)).tell(listed(), batch(0.2)).tell(*account(0.3)).tell(snapshot(0.4), batch(0.4))
        return self

    def ready(self, seconds: int = READY_S) -> "Watched":
        """As listed, with enough prints for a fair value."""
        self.listed()
        for second in range(1, seconds + 1):
            self.tell(printed(second, 80_000 + second % 7))
        return self

    def bid(self, seconds: float, price: int, change: int = 5) -> "Watched":
        return self.tell(delta(seconds, BID, price, change), batch(seconds))


def seen(seconds: float, bid: int | None, ask: int | None, volume: int = 0, ticker: str = T) -> TickerSeen:
    return TickerSeen(ticker=ticker, bid_ticks=bid, ask_ticks=ask, volume_cc=volume, recv_ns=at(seconds))


# Forecasts


def test_a_forecast_waits_for_a_fair_value_and_comes_with_the_print_that_gives_it() -> None:
    watched = Watched().listed()
    assert watched.observer.samples == []
    second = 0
    while not watched.observer.samples:
        assert watched.hall.engine.view(at(second), T).p_fair is None
        second += 1
        watched.tell(printed(second, 80_000 + second % 7))
    (sample,) = watched.observer.samples
    view = watched.hall.engine.view(sample.at_ns, T)
    assert (sample.ticker, sample.group, sample.p_model) == (T, contract().group, view.p_fair)
    assert (sample.bid_ticks, sample.ask_ticks, sample.p_market) == (4_000, 4_200, 0.41)
    assert sample.closes_in_ns == RUN + CLOSE_S * SECOND - sample.at_ns


def test_one_forecast_a_slice_at_its_first_moment() -> None:
    watched = Watched().ready()
    for second in range(41, 301):
        watched.tell(printed(second, 80_000 + second % 7)).bid(second + 0.5, 3_900)
    minutes = [-(-sample.closes_in_ns // MINUTE_NS) for sample in watched.observer.samples]
    assert minutes == [60, 59, 58, 57, 56, 55]
    assert [sample.at_ns for sample in watched.observer.samples[1:]] == [at(60 * n) for n in range(1, 6)]


def test_a_slice_without_a_good_book_is_made_up_for_as_soon_as_there_is_one() -> None:
    watched = Watched().ready()
    count = len(watched.observer.samples)
    watched.tell(snapshot(59, bids=()), batch(59))
    watched.tell(printed(60)).tell(printed(61))
    assert len(watched.observer.samples) == count
    watched.bid(61.25, 3_950)
    (sample,) = watched.observer.samples[count:]
    assert (sample.at_ns, sample.bid_ticks) == (at(61.25), 3_950)


def test_a_book_in_the_middle_of_a_batch_is_nobodys() -> None:
    watched = Watched().ready()
    count = len(watched.observer.samples)
    watched.tell(printed(59)).tell(delta(60.5, BID, 4_100, 5))
    assert len(watched.observer.samples) == count
    watched.tell(delta(60.5, BID, 4_100, 5), batch(60.5))
    assert len(watched.observer.samples) == count + 1


def test_two_markets_of_one_moment_both_count() -> None:
    watched = Watched().ready()
    watched.tell(listed(U, 41), batch(41)).tell(snapshot(42, ticker=U), batch(42))
    assert [sample.ticker for sample in watched.observer.samples] == [T, U]
    assert len({sample.group for sample in watched.observer.samples}) == 1


def test_nothing_is_forecast_at_or_after_the_close() -> None:
    watched = Watched().ready()
    for second in (CLOSE_S - 1, CLOSE_S, CLOSE_S + 1):
        watched.tell(printed(second)).bid(second + 0.25, 3_950)
    assert all(sample.closes_in_ns > 0 for sample in watched.observer.samples)
    assert watched.observer.samples[-1].at_ns < at(CLOSE_S)


def test_looking_changes_nothing() -> None:
    alone, watched = Hall(), Watched()
    told: list[tuple[Event, ...]] = [(read(0.1),), (listed(), batch(0.2)), account(0.3), (snapshot(0.4), batch(0.4))]
    told += [(printed(second, 80_000 + second % 7),) for second in range(1, 90)]
    told += [(delta(90 + n / 10, BID, 4_010 + 10 * n, 5), batch(90 + n / 10)) for n in range(10)]
    for events in told:
        alone.feed(*events)
        watched.tell(*events)
    assert watched.observer.samples
    assert watched.hall.bytes() == alone.bytes()


# Tickers


@pytest.mark.parametrize(
    ("bid", "now", "recent"),
    [(4_100, 1, 1), (4_000, 0, 1), (3_990, 0, 0), (None, 0, 0)],
    ids=["as now", "as just before", "as never", "an empty side"],
)
def test_a_ticker_is_held_against_the_book_now_and_lately(bid: int | None, now: int, recent: int) -> None:
    watched = Watched().listed().bid(1.0, 4_100).tell(seen(2.0, bid, 4_200))
    assert watched.observer.agreement(T) == Agreement(tickers=1, absent=0, equal_now=now, equal_recent=recent)


def test_a_state_counts_until_it_was_over_for_longer_than_the_bound() -> None:
    watched = Watched().listed().bid(1.0, 4_100).tell(seen(2.09, 4_000, 4_200)).tell(seen(2.11, 4_000, 4_200))
    assert watched.observer.agreement(T) == Agreement(tickers=2, absent=0, equal_now=0, equal_recent=1)


def test_a_ticker_is_held_against_the_book_after_its_whole_unit() -> None:
    watched = Watched().listed()
    watched.tell(seen(1.0, 4_100, 4_200), delta(1.0, BID, 4_100, 5), batch(1.0))
    assert watched.observer.agreement(T).equal_now == 1


def test_tickers_without_a_book_are_counted_apart() -> None:
    watched = Watched().listed()
    watched.tell(BookLost(ticker=T, reason="gap", recv_ns=at(1))).tell(seen(1.5, 4_000, 4_200))
    watched.tell(seen(1.6, 1, 2, ticker="OTHER"))
    assert watched.observer.agreement(T) == Agreement(tickers=1, absent=1)
    assert watched.observer.agreement("OTHER") == Agreement(tickers=1, absent=1)
    assert watched.observer.agreement("NEVER") == Agreement()


def test_volume_is_what_was_traded_between_first_and_last_ticker() -> None:
    watched = Watched().listed()
    assert watched.observer.volume_cc(T) is None
    watched.tell(seen(1, 4_000, 4_200, 700)).tell(seen(2, 4_000, 4_200, 900)).tell(seen(3, 4_000, 4_200, 1_500))
    assert watched.observer.volume_cc(T) == 800


# Stretches of a book


def test_stretches_of_a_book_lost_and_found() -> None:
    watched = Watched().listed().bid(1, 4_100)
    watched.tell(BookLost(ticker=T, reason="gap", recv_ns=at(2))).tell(snapshot(5), batch(5)).tell(
        snapshot(6), batch(6)
    )
    watched.tell(seen(8, 4_100, 4_300)).tell(seen(9, 4_100, 4_300))
    watched.tell(StreamChanged(source="kalshi", is_up=False, reason="over", recv_ns=at(10)))
    watched.tell(printed(20))
    assert watched.observer.spans(T) == [
        Span(begin_ns=at(0.4), end_ns=at(2), state="present"),
        Span(begin_ns=at(2), end_ns=at(5), state="gap"),
        Span(begin_ns=at(5), end_ns=at(9), state="present"),
        Span(begin_ns=at(9), end_ns=at(10), state="frozen"),
    ]


def test_a_stretch_that_goes_on_ends_with_what_was_seen_last() -> None:
    watched = Watched().listed().tell(printed(7))
    assert watched.observer.spans(T) == [Span(begin_ns=at(0.4), end_ns=at(7), state="present")]
    assert watched.observer.spans("NEVER") == []


# Money


def test_equity_once_a_minute_while_the_tape_runs() -> None:
    watched = Watched().ready(200)
    watched.tell(timer(900, "pulse"))
    gaps = [(point.at_ns - RUN) / SECOND for point in watched.observer.equity]
    assert gaps == [0.3, 61, 121, 181]
    assert {point.equity_ud for point in watched.observer.equity} == {CASH_UD}


def bought(size: int = 100) -> Watched:
    """Ready, and a bid filled at 0.40 in a market of 0.40 to 0.42."""
    watched = Watched().ready()
    watched.hall.asking.wishes = [signal(size=size)]
    watched.tell(printed(41))
    (order,) = watched.hall.engine.clerk.orders.all_working()
    return watched.tell(filled(41.5, order.client_order_id, size))


def test_open_contracts_are_worth_the_middle_of_the_last_good_book() -> None:
    watched = bought()
    assert watched.observer.equity[-1].equity_ud == CASH_UD + 100 * 100
    assert [(mark.kind, mark.at_ns, mark.equity_ud) for mark in watched.observer.marks] == [
        ("maker", at(41.5), CASH_UD + 100 * 100)
    ]
    watched.tell(delta(42, ASK, 4_200, -50_000), batch(42))
    watched.tell(BookLost(ticker=T, reason="gap", recv_ns=at(43))).tell(printed(110))
    assert watched.observer.equity[-1].equity_ud == CASH_UD + 100 * 100


@pytest.mark.parametrize(("value", "gain"), [(10_000, 6_000), (0, -4_000)])
def test_a_settlement_is_a_point_and_a_mark_with_its_result(value: int, gain: int) -> None:
    watched = bought().tell(MarketSettled(ticker=T, value_ticks=value, recv_ns=at(CLOSE_S + 1)))
    assert watched.observer.equity[-1].equity_ud == CASH_UD + 100 * gain
    mark = watched.observer.marks[-1]
    assert (mark.kind, mark.ticker, mark.amount_ud, mark.equity_ud) == (
        "settlement",
        T,
        100 * gain,
        CASH_UD + 100 * gain,
    )


def test_a_settlement_of_a_market_never_traded_is_no_mark() -> None:
    watched = Watched().ready().tell(MarketSettled(ticker=T, value_ticks=0, recv_ns=at(CLOSE_S + 1)))
    assert watched.observer.marks == []


# Counts


def test_events_are_counted_by_kind() -> None:
    watched = Watched().listed().bid(1, 4_050).bid(2, 4_060).tell(printed(3))
    watched.tell(delta(4, BID, 4_070, 5), delta(4, BID, 4_080, 5), batch(4))
    kinds = watched.observer.kinds(watched.events)
    assert (kinds["BookDelta"], kinds["BatchEnded"], kinds["IndexPrinted"], kinds["BookSnapshot"]) == (4, 5, 1, 1)
    assert sum(kinds.values()) == watched.events
    assert list(kinds.values()) == sorted(kinds.values(), reverse=True)


def test_rejections_are_counted_by_code() -> None:
    watched = Watched().ready()
    watched.hall.asking.wishes = [signal()]
    watched.tell(printed(41))
    (order,) = watched.hall.engine.clerk.orders.all_working()
    key = order.client_order_id
    watched.tell(OrderRejected(client_order_id=key, code="market_inactive", message="", recv_ns=at(42)))
    assert watched.observer.rejected == {"market_inactive": 1}


def test_deltas_of_two_markets_in_one_unit_are_both_seen() -> None:
    watched = Watched().listed().tell(listed(U, 0.5), batch(0.5)).tell(snapshot(0.6, ticker=U), batch(0.6))
    both: list[BookDelta | BookSnapshot] = [delta(1, BID, 4_100, 5), delta(1, BID, 4_150, 5, ticker=U)]
    watched.tell(*both, batch(1)).tell(seen(2.5, 4_100, 4_200), seen(2.5, 4_150, 4_200, ticker=U))
    assert [watched.observer.agreement(ticker).equal_now for ticker in (T, U)] == [1, 1]
