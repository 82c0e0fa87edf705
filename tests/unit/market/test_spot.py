"""Candles and funding of spot venues, kept for who asks."""

from fairstrike.core.events import SpotCandle, SpotFunding, SpotTold
from fairstrike.market.spot import CANDLES_KEPT, SpotNews
from tests.unit.engine_samples import Hall, at, of, printed

QUARTER_NS = 900 * 1_000_000_000


def candle(number: int, close_e8: int = 2) -> SpotCandle:
    return SpotCandle(
        asset="BTC",
        source="binance",
        start_ns=number * QUARTER_NS,
        open_e8=1,
        high_e8=3,
        low_e8=1,
        close_e8=close_e8,
        volume_e8=5,
        venue_ns=number * QUARTER_NS,
    )


def funding(rate_e8: int) -> SpotFunding:
    return SpotFunding(asset="BTC", source="binance", rate_e8=rate_e8, mark_e8=1, next_ns=2, venue_ns=1)


def news(*told: tuple[SpotCandle, ...] | SpotFunding) -> SpotNews:
    made = SpotNews()
    for one in told:
        candles, fundings = (one, ()) if isinstance(one, tuple) else ((), (one,))
        made.fold(SpotTold(candles=candles, fundings=fundings, recv_ns=0))
    return made


def test_nothing_is_known_at_first() -> None:
    assert (list(SpotNews().candles("binance", "BTC")), SpotNews().funding("binance", "BTC")) == ([], None)


def test_candles_are_in_order_and_the_last_telling_counts() -> None:
    made = news((candle(2), candle(1)), (candle(2, 9),))
    assert made.candles("binance", "BTC") == [candle(1), candle(2, 9)]
    assert list(made.candles("kraken", "BTC")) == []


def test_a_day_of_candles_is_kept() -> None:
    made = news(tuple(candle(number) for number in range(CANDLES_KEPT + 5)))
    assert [one.start_ns // QUARTER_NS for one in made.candles("binance", "BTC")] == list(range(5, CANDLES_KEPT + 5))


def test_the_last_funding_is_kept() -> None:
    assert news(funding(5), funding(-7)).funding("binance", "BTC") == funding(-7)


def test_the_hall_keeps_it_and_writes_it_down() -> None:
    hall = Hall().opened()
    told = SpotTold(candles=(candle(1),), fundings=(funding(5),), recv_ns=at(41))
    assert of(SpotTold, hall.feed(told, printed(41)).records) == [told]
    assert hall.engine.fairs.spot.funding("binance", "BTC") == funding(5)
