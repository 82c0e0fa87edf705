"""Prices of spot venues: one a second by their clocks, confirmed by heartbeats, gone after a hole; the replica."""

from fairstrike.core.events import (
    Event,
    FrameRefused,
    IndexPrinted,
    OffsetStepped,
    SpotCandle,
    SpotFigures,
    SpotFunding,
    SpotSummed,
    SpotTold,
)
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.market import replica
from fairstrike.market.index import INDICES
from fairstrike.venue.spot.binance import Binance
from fairstrike.venue.spot.bitstamp import Bitstamp
from fairstrike.venue.spot.cfbenchmarks import CfBenchmarks
from fairstrike.venue.spot.coinbase import Coinbase
from fairstrike.venue.spot.kraken import Kraken
from fairstrike.venue.spot.prices import Params, Prices
from fairstrike.venue.spot.values import (
    Alive,
    BookBroken,
    BookChanged,
    BookReplaced,
    IndexTold,
    Traded,
    Unreadable,
    Value,
    Venue,
)

E8 = 100_000_000
T0 = 1_790_000_000 * SECOND_NS
COINBASE, KRAKEN, BITSTAMP, BINANCE = Coinbase(["BTC"]), Kraken(["BTC"]), Bitstamp(["BTC"]), Binance(["BTC"])


def book(mid: int, stamp_ns: int | None = T0, size: int = 50) -> BookReplaced:
    return BookReplaced(
        asset="BTC", bids=[((mid - 1) * E8, size * E8)], asks=[((mid + 1) * E8, size * E8)], venue_ns=stamp_ns
    )


def trade(price: int, stamp_ns: int = T0) -> Traded:
    return Traded(asset="BTC", price_e8=price * E8, size_e8=E8, venue_ns=stamp_ns)


def taken(prices: Prices, venue: Venue, *values: Value, at_ns: int = T0) -> list[Event]:
    return prices.take(venue, values, at_ns)


def printed(prices: Prices, now_ns: int, source: str) -> list[IndexPrinted]:
    return [one for one in prices.prints(now_ns) if isinstance(one, IndexPrinted) and one.source == source]


def made(**replicas: replica.Params) -> Prices:
    return Prices(Params(replicas=replicas))


def test_the_middle_of_the_book_once_a_second() -> None:
    prices = made()
    taken(prices, COINBASE, book(80_000), trade(79_000))
    (one,) = printed(prices, T0 + SECOND_NS, "coinbase")
    assert one == IndexPrinted(
        asset="BTC",
        source="coinbase",
        second=T0 // SECOND_NS + 1,
        value_e8=80_000 * E8,
        recv_ns=T0 + SECOND_NS,
        venue_ns=T0,
    )
    assert printed(prices, T0 + SECOND_NS + 1, "coinbase") == []


def test_without_a_book_the_last_trade_by_its_stamp() -> None:
    prices = made()
    taken(prices, BINANCE, trade(80_010, T0 + 5), trade(80_000, T0 + 4), at_ns=T0 + 9)
    (one,) = printed(prices, T0 + SECOND_NS, "binance")
    assert one.value_e8 == 80_010 * E8


def test_a_trade_stamped_in_the_future_holds_up_no_later_one() -> None:
    prices = made()
    taken(prices, BINANCE, trade(80_010, T0 + 10**18))
    taken(prices, BINANCE, trade(80_020, T0 + SECOND_NS), at_ns=T0 + SECOND_NS)
    (one,) = printed(prices, T0 + 2 * SECOND_NS, "binance")
    assert one.value_e8 == 80_020 * E8


def test_a_second_is_one_of_the_venues_clock() -> None:
    """Stamps are 40 ms behind receipt: the venue's second begins 40 ms after ours."""
    prices, late_ns = made(), 40 * MILLISECOND_NS
    (step,) = taken(prices, COINBASE, book(80_000, T0 + 1), at_ns=T0 + 1 + late_ns)
    assert step == OffsetStepped(source="coinbase", offset_ns=late_ns, recv_ns=T0 + 1 + late_ns)
    assert prices.due_ns(T0 + SECOND_NS - 1) == T0 + SECOND_NS
    assert prices.due_ns(T0 + SECOND_NS) == T0 + SECOND_NS + late_ns
    printed(prices, T0 + late_ns, "coinbase")
    assert printed(prices, T0 + SECOND_NS + late_ns - 1, "coinbase") == []
    (one,) = printed(prices, T0 + SECOND_NS + late_ns, "coinbase")
    assert (one.second, one.venue_ns) == (T0 // SECOND_NS + 1, T0 + 1)


def test_a_stamp_too_old_to_tell_measures_no_clock() -> None:
    prices = made()
    assert taken(prices, COINBASE, trade(80_000, T0 - 11 * SECOND_NS)) == []
    assert printed(prices, T0, "coinbase") == []


def test_silence_prints_nothing_and_heartbeats_confirm() -> None:
    prices = made()
    taken(prices, KRAKEN, book(80_000, None))
    assert len(printed(prices, T0 + 10 * SECOND_NS, "kraken")) == 1
    assert printed(prices, T0 + 11 * SECOND_NS, "kraken") == []
    taken(prices, KRAKEN, Alive(), at_ns=T0 + 11 * SECOND_NS)
    (one,) = printed(prices, T0 + 12 * SECOND_NS, "kraken")
    assert (one.value_e8, one.venue_ns) == (80_000 * E8, T0 + 11 * SECOND_NS)


def test_a_broken_book_is_absent_until_it_is_whole_again() -> None:
    prices = made()
    taken(prices, KRAKEN, book(80_000), BookBroken(asset="BTC", reason="a gap"))
    change = BookChanged(asset="BTC", bids=[(79_999 * E8, E8)], asks=[], venue_ns=T0)
    taken(prices, KRAKEN, change)
    assert prices.book("kraken", "BTC") is None
    assert printed(prices, T0 + SECOND_NS, "kraken") == []
    taken(prices, KRAKEN, book(80_000), change)
    held = prices.book("kraken", "BTC")
    assert held is not None
    assert held.bids(1) == [(79_999 * E8, E8)]


def test_the_end_of_a_connection_drops_its_books_only() -> None:
    prices = made()
    taken(prices, KRAKEN, book(80_000))
    taken(prices, COINBASE, book(80_000))
    prices.disconnected(KRAKEN)
    assert prices.book("kraken", "BTC") is None
    assert prices.book("coinbase", "BTC") is not None


def test_the_replica_of_the_books_at_hand() -> None:
    prices = made(BTC=replica.Params())
    for venue, mid in ((COINBASE, 80_000), (KRAKEN, 80_004), (BITSTAMP, 90_000)):
        taken(prices, venue, book(mid, T0 + mid % 10), at_ns=T0 + mid % 10)
    events = prices.prints(T0 + SECOND_NS)
    offset, one, summed = events[-3:]
    assert offset == OffsetStepped(source="replica", offset_ns=0, recv_ns=T0 + SECOND_NS)
    assert isinstance(one, IndexPrinted)
    assert isinstance(summed, SpotSummed)
    assert (one.source, one.second, one.venue_ns) == ("replica", T0 // SECOND_NS + 1, T0 + 4)
    assert 79_999 * E8 <= one.value_e8 <= 80_005 * E8
    assert printed(prices, T0 + SECOND_NS + 1, "replica") == []
    assert printed(prices, T0 + 20 * SECOND_NS, "replica") == []


def test_a_licensed_value_of_the_future_holds_up_no_later_one() -> None:
    prices, venue = made(), CfBenchmarks("a", "b", INDICES)
    told = [IndexTold(asset="BTC", value_e8=80_000 * E8, venue_ns=stamp_ns) for stamp_ns in (T0 + 10**15, T0)]
    events = taken(prices, venue, *told)
    assert [one.second for one in events if isinstance(one, IndexPrinted)] == [T0 // SECOND_NS]


def test_the_licensed_index_is_printed_as_it_comes_first_of_a_second() -> None:
    prices, venue = made(), CfBenchmarks("a", "b", INDICES)
    told = IndexTold(asset="BTC", value_e8=80_000 * E8, venue_ns=T0)
    assert IndexPrinted(
        asset="BTC",
        source="cfbenchmarks",
        second=T0 // SECOND_NS,
        value_e8=80_000 * E8,
        recv_ns=T0 + 7,
        venue_ns=T0,
    ) in taken(prices, venue, told, at_ns=T0 + 7)
    assert taken(prices, venue, told, at_ns=T0 + 8) == []


def candle(start_ns: int, close: int = 3, stamp_ns: int = T0) -> SpotCandle:
    return SpotCandle(
        asset="BTC",
        source="binance",
        start_ns=start_ns,
        open_e8=1,
        high_e8=4,
        low_e8=1,
        close_e8=close,
        volume_e8=9,
        venue_ns=stamp_ns,
    )


def funding(rate_e8: int) -> SpotFunding:
    return SpotFunding(
        asset="BTC", source="binance", rate_e8=rate_e8, mark_e8=80_000 * E8, next_ns=T0 + SECOND_NS, venue_ns=T0
    )


def told(prices: Prices, now_ns: int) -> list[SpotTold]:
    return [one for one in prices.prints(now_ns) if isinstance(one, SpotTold)]


def test_candles_and_funding_are_told_every_ten_seconds_once() -> None:
    prices = made()
    earlier, last, now = candle(T0 - 900 * SECOND_NS), candle(T0 - 900 * SECOND_NS, 4), candle(T0)
    assert taken(prices, BINANCE, earlier, last, now, funding(9_999), funding(10_000))[1:] == []
    # The one that is over is told as it was in the end, beside the one under way.
    assert told(prices, T0) == [SpotTold(candles=(last, now), fundings=(funding(10_000),), recv_ns=T0)]
    taken(prices, BINANCE, candle(T0, 5))
    assert told(prices, T0 + 9 * SECOND_NS) == []
    due_ns = T0 + 10 * SECOND_NS
    assert told(prices, due_ns) == [SpotTold(candles=(candle(T0, 5),), fundings=(), recv_ns=due_ns)]
    assert told(prices, T0 + 20 * SECOND_NS) == []


def test_figures_of_a_venue_are_told_while_it_is_heard() -> None:
    prices = made()
    taken(prices, BINANCE, trade(80_000))
    summed = [one for one in prices.prints(T0) if isinstance(one, SpotSummed)]
    figures = SpotFigures(asset="BTC", source="binance", last_e8=80_000 * E8, vwap_e8=80_000 * E8, vol_ppm=None)
    assert summed == [SpotSummed(figures=(figures,), recv_ns=T0)]
    assert [one for one in prices.prints(T0 + 20 * SECOND_NS) if isinstance(one, SpotSummed)] == []


def test_volatility_is_told_in_parts_per_million() -> None:
    prices = made()
    for second in range(200):
        now_ns = T0 + second * SECOND_NS
        taken(prices, BINANCE, trade(80_000 + second % 7, now_ns), at_ns=now_ns)
        for one in prices.prints(now_ns):
            if isinstance(one, SpotSummed) and second >= 180:
                (found,) = one.figures
                assert found.vol_ppm is not None
                assert 10_000 < found.vol_ppm < 1_000_000


def test_a_refusal_is_told_at_once() -> None:
    events = taken(made(), BINANCE, trade(80_000), Unreadable(reason="binance: no"))
    assert events[-1] == FrameRefused(source="binance", reason="binance: no", recv_ns=T0)


def test_candles_that_wait_are_bounded() -> None:
    prices = made()
    taken(prices, BINANCE, *(candle(T0 + number) for number in range(1_500)))
    ((found,),) = [told(prices, T0)]
    assert [one.start_ns - T0 for one in found.candles] == list(range(500, 1_500))
