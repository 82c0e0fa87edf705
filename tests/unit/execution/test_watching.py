"""Watching: from when to when a market is looked at, and by whom."""

import msgspec
import pytest

from fairstrike.core.contract import Timeframe
from fairstrike.core.effects import SetTimer, Unwatch, Watch
from fairstrike.core.events import BookSnapshot, MarketSettled
from fairstrike.core.order import Side
from fairstrike.core.records import Settled
from fairstrike.execution import reconcile, stopping
from fairstrike.execution.clerk import Clerk, Notes, Outcome
from fairstrike.execution.rounds import Params
from fairstrike.execution.watching import Watching
from fairstrike.market.books import Books
from fairstrike.market.books import Params as BooksParams
from fairstrike.market.catalog import Catalog
from tests.unit.engine_samples import (
    BID,
    RUN,
    SECOND,
    TAG,
    Hall,
    T,
    at,
    batch,
    delta,
    filled,
    listed,
    lost,
    of,
    snapshot,
    timer,
)

CLOSE = at(3_600)
WHO = ("somebody",)


class Watched:
    """Watching with one market listed."""

    def __init__(self, params: Params = Params(series=("KXBTCD",))) -> None:  # noqa: B008
        self.notes, self.catalog, self.books = Notes(), Catalog(), Books(BooksParams())
        self.clerk = Clerk(self.catalog, self.notes, (TAG, RUN), (reconcile.Params(), stopping.Params()))
        self.catalog.fold(listed())
        self.contract = self.catalog.contract(T)
        self.watching = Watching[str](params, self.notes, self.catalog, self.books, self.clerk)

    def booked(self, book: BookSnapshot) -> "Watched":
        self.books.snapshot(book)
        return self


@pytest.mark.parametrize(("before_s", "expected"), [(7_201, False), (7_200, True), (1, True), (0, False)])
def test_a_market_is_watched_from_two_hours_before_its_close(before_s: int, expected: bool) -> None:
    seen = Watched()
    assert seen.watching.begin(seen.contract, WHO, CLOSE - before_s * SECOND) is expected
    assert seen.notes.take().effects == [Watch(tickers=(T,))] * expected
    assert seen.watching.traded == ({T: WHO} if expected else {})


def test_a_market_is_watched_once_and_only_if_somebody_trades_it() -> None:
    seen = Watched()
    assert [seen.watching.begin(seen.contract, who, at(0)) for who in ((), WHO, WHO)] == [False, True, False]


def test_what_is_not_watched_is_not_let_go() -> None:
    seen = Watched()
    seen.watching.begin(seen.contract, WHO, at(0))
    seen.notes.take()
    assert seen.watching.end(("other", T, T)) == [T]
    assert seen.notes.take().effects == [Unwatch(tickers=(T,))]


def test_a_pulse_goes_on_while_a_market_has_a_book() -> None:
    seen = Watched()
    seen.watching.begin(seen.contract, WHO, at(0))
    assert (seen.watching.pulse(at(1)), seen.watching.is_pulsing) == ([], False)
    seen.notes.take()
    assert (seen.booked(snapshot(1)).watching.pulse(at(1)), seen.watching.is_pulsing) == ([T], True)
    assert seen.notes.take().effects == [SetTimer(name="pulse", due_ns=at(2))]


def test_a_market_is_over_a_quarter_of_an_hour_after_its_close() -> None:
    seen = Watched()
    seen.watching.begin(seen.contract, WHO, at(0))
    over_ns = CLOSE + 900 * SECOND
    assert (seen.watching.over(over_ns), seen.watching.over(over_ns + 1)) == ([], [T])


def test_only_open_markets_are_open() -> None:
    seen = Watched()
    seen.watching.begin(seen.contract, WHO, at(0))
    assert (seen.watching.open(at(0)), seen.watching.open(CLOSE)) == ([T], [])
    later = msgspec.structs.replace(seen.contract, ticker="U")
    assert not seen.watching.begin(later, (), at(0))


# In the hall


def pulses(outcome: Outcome) -> list[SetTimer]:
    return [effect for effect in of(SetTimer, outcome.effects) if effect.name == "pulse"]


def test_the_pulse_begins_with_a_book_and_goes_on_while_there_is_one() -> None:
    hall = Hall()
    assert pulses(hall.feed(listed(), batch(1))) == []
    assert pulses(hall.feed(snapshot(2), batch(2))) == [SetTimer(name="pulse", due_ns=at(3))]
    assert pulses(hall.feed(timer(3, "pulse"))) == [SetTimer(name="pulse", due_ns=at(4))]
    assert pulses(hall.feed(lost(3.5, "gap"), batch(3.5), timer(4, "pulse"))) == []
    assert pulses(hall.feed(snapshot(5), batch(5))) == [SetTimer(name="pulse", due_ns=at(6))]


def test_the_pulse_goes_on_while_a_book_is_held_back_for_being_crossed() -> None:
    hall = Hall()
    hall.feed(listed(), snapshot(1), batch(1))
    hall.feed(delta(1.999, BID, 4_300, 100))
    assert pulses(hall.feed(timer(2, "pulse"))) == [SetTimer(name="pulse", due_ns=at(3))]
    hall.feed(delta(2.001, BID, 4_300, -100), batch(2.001))
    assert pulses(hall.feed(timer(3, "pulse"))) == [SetTimer(name="pulse", due_ns=at(4))]


def test_the_pulse_goes_on_without_a_book_while_an_order_of_ours_is_there() -> None:
    hall = Hall().opened()
    hall.ordered()
    assert pulses(hall.feed(lost(43, "gap"), batch(43), timer(44, "pulse"))) == [SetTimer(name="pulse", due_ns=at(45))]


def test_markets_of_other_timeframes_are_known_and_not_watched() -> None:
    others = Hall(timeframes=(Timeframe.QUARTER_HOUR, Timeframe.DAILY))
    assert of(Watch, others.feed(listed(), batch(1)).effects) == []
    assert T in others.engine.catalog.listings
    assert of(Watch, Hall(timeframes=(Timeframe.HOURLY,)).feed(listed(), batch(1)).effects) == [Watch(tickers=(T,))]


# Forgetting

LATER = CLOSE + 10_800 * SECOND


def test_a_market_is_forgotten_three_hours_after_its_close() -> None:
    seen = Watched().booked(snapshot(1))
    for venue_ns, known in ((LATER, [T]), (LATER + 59 * SECOND, [T]), (LATER + 60 * SECOND, [])):
        seen.watching.begin(seen.contract, (), venue_ns)
        assert list(seen.catalog.listings) == list(seen.books.shelves) == known
    assert seen.catalog.rungs(seen.contract.group) == ()


def test_a_replay_forgets_nothing() -> None:
    seen = Watched(Params())
    seen.watching.begin(seen.contract, (), LATER + SECOND)
    assert list(seen.catalog.listings) == [T]


def test_what_is_watched_or_ours_is_known_still() -> None:
    seen = Watched()
    seen.watching.begin(seen.contract, WHO, at(0))
    seen.watching.begin(seen.contract, (), LATER + SECOND)
    assert list(seen.catalog.listings) == [T]
    seen.watching.end((T,))
    seen.clerk.ledger.fill(filled(1, "k"), "taker")
    seen.watching.begin(seen.contract, (), LATER + 120 * SECOND)
    assert list(seen.catalog.listings) == [T]
    seen.clerk.settle(MarketSettled(ticker=T, value_ticks=0, recv_ns=at(2)))
    seen.watching.begin(seen.contract, (), LATER + 240 * SECOND)
    assert list(seen.catalog.listings) == []
    assert seen.clerk.ledger.settled == {T: 0}


def test_a_settlement_in_which_nothing_was_ours_is_forgotten_too() -> None:
    seen = Watched()
    seen.clerk.settle(MarketSettled(ticker=T, value_ticks=0, recv_ns=at(2)))
    seen.watching.begin(seen.contract, (), LATER + SECOND)
    assert (seen.clerk.ledger.settled, seen.clerk.ledger.market_pnl_ud, seen.clerk.ledger.fills_kept) == ({}, {}, 0)
    assert not seen.clerk.settle(MarketSettled(ticker=T, value_ticks=10_000, recv_ns=at(3)))


def test_what_was_traded_flat_is_settled_though_its_market_is_forgotten() -> None:
    seen = Watched()
    for key, side in (("k", Side.BID), ("m", Side.ASK)):
        fill = msgspec.structs.replace(filled(1, key), side=side, trade_id=key)
        seen.clerk.ledger.fill(fill, "taker")
    seen.watching.begin(seen.contract, (), LATER + SECOND)
    assert list(seen.catalog.listings) == []
    assert seen.clerk.settle(MarketSettled(ticker=T, value_ticks=0, recv_ns=at(20_000)))
    (settled,) = of(Settled, seen.notes.take().records)
    assert (settled.net_cc, settled.payout_ud, settled.pnl_ud) == (0, 0, seen.clerk.ledger.cash_ud)


def test_a_working_order_keeps_its_market() -> None:
    hall = Hall().opened()
    hall.ordered()
    for seconds in (20_000, 20_100):
        hall.feed(listed("U", seconds))
    assert set(hall.engine.catalog.listings) == {T}
