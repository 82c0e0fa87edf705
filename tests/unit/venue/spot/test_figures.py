"""Last price, weighted price, volatility of one source."""

import pytest

from fairstrike.core.timing import MINUTE_NS, SECOND_NS
from fairstrike.pricing import volatility
from fairstrike.pricing.volatility import realised_vol
from fairstrike.venue.spot.figures import Figures, Params, Summary

E8 = 100_000_000


def test_nothing_is_known_at_first() -> None:
    assert Figures(Params()).summary(0) == Summary(last_e8=None, vwap_e8=None, vol_annual=None)


def test_the_weighted_price_is_of_the_last_minute() -> None:
    figures = Figures(Params())
    figures.trade(0, 1_000 * E8, 5 * E8)
    figures.trade(SECOND_NS, 80_000 * E8, E8)
    figures.trade(2 * SECOND_NS, 80_030 * E8, 2 * E8)
    assert figures.summary(MINUTE_NS) == Summary(last_e8=80_030 * E8, vwap_e8=80_020 * E8, vol_annual=None)
    assert figures.summary(MINUTE_NS + SECOND_NS).vwap_e8 == 80_030 * E8
    assert figures.summary(MINUTE_NS + 2 * SECOND_NS).vwap_e8 is None


def test_trades_told_again_after_a_reconnect_count_once() -> None:
    """Some venues begin a connection with the last trades of before it."""
    figures = Figures(Params())
    figures.trade(0, 1_000 * E8, 5 * E8)
    figures.trade(50 * SECOND_NS, 80_000 * E8, E8)
    figures.trade(0, 1_000 * E8, 5 * E8)
    figures.trade(SECOND_NS, 2_000 * E8, 5 * E8)
    assert figures.summary(70 * SECOND_NS) == Summary(last_e8=80_000 * E8, vwap_e8=80_000 * E8, vol_annual=None)


def test_trades_are_bounded() -> None:
    figures = Figures(Params(trades_max=2))
    for price in (1, 2, 4):
        figures.trade(0, price * E8, E8)
    assert figures.summary(0).vwap_e8 == 3 * E8


def test_the_volatility_is_that_of_the_prints() -> None:
    own = volatility.Params(returns_min=3, window_s=10)
    figures, prints = Figures(Params(volatility=own)), dict[int, int]()
    for second in range(100, 130):
        prints[second] = (80_000 + second * second % 17) * E8
        figures.printed(second, prints[second])
    expected = realised_vol(prints, 129, own)
    assert expected is not None
    assert expected == pytest.approx(figures.summary(0).vol_annual)
