"""The taker: edge after the fee on both sides, one order at a time, a cap on the position."""

import msgspec
import pytest

from fairstrike.core.events import Level
from fairstrike.core.order import Intent, OrderState, Side, Signal, TimeInForce
from fairstrike.core.regime import Regime
from fairstrike.market.view import MarketView
from fairstrike.strategy.base import edge_ppm
from fairstrike.strategy.caution import RESTRAINED
from fairstrike.strategy.taker import Params, Taker
from tests.unit.strategy.samples import ASK, BID, FREE, T, consider, contract, held, order, regime, signals, view

TAKER = Taker(Params(edge_cents=3.0, size_cc=1_000, position_cc_max=10_000))


def taken(one: MarketView, taker: Taker = TAKER) -> Signal | None:
    found = signals(consider(taker, one))
    assert len(found) <= 1
    return found[0] if found else None


def summary(signal: Signal | None) -> tuple[Side, int, int] | None:
    return None if signal is None else (signal.side, signal.price_ticks, signal.size_cc)


def test_takes_what_is_offered_below_its_worth() -> None:
    expected = Signal(
        strategy="taker",
        ticker=T,
        side=BID,
        price_ticks=4_200,
        size_cc=1_000,
        intent=Intent.OPEN,
        tif=TimeInForce.IOC,
        post_only=False,
        edge_ppm=80_000 - 17_052,
        confidence_ppm=500_000 + 5 * (80_000 - 17_052),
        reason="the best price offers the stated edge after the fee",
        features={"fair_ppm": 500_000, "best_ticks": 4_200},
    )
    assert expected == taken(view(p_fair=0.5))


# The fee of one contract at 0.42 is 1.7052 cents, at 0.40 it is 1.68 cents.
@pytest.mark.parametrize(
    ("expected", "p_fair"),
    [
        ((BID, 4_200, 1_000), 0.467052),
        (None, 0.467051),
        ((ASK, 4_000, 1_000), 0.353200),
        (None, 0.353201),
        (None, 0.41),
        (None, None),
    ],
)
def test_edge_after_the_fee_decides(expected: tuple[Side, int, int] | None, p_fair: float | None) -> None:
    assert expected == summary(taken(view(p_fair=p_fair)))


@pytest.mark.parametrize(
    ("expected", "net_cc"),
    [(1_000, 0), (1_000, 9_000), (999, 9_001), (1, 9_999), (None, 10_000), (None, 12_000), (1_000, -10_000)],
)
def test_the_cap_on_the_position_bounds_a_purchase(expected: int | None, net_cc: int) -> None:
    found = taken(view(p_fair=0.5, position=held(net_cc)))
    assert expected == (None if found is None else found.size_cc)


@pytest.mark.parametrize(("expected", "net_cc"), [(1_000, -9_000), (1, -9_999), (None, -10_000), (1_000, 10_000)])
def test_the_cap_on_the_position_bounds_a_sale(expected: int | None, net_cc: int) -> None:
    found = taken(view(p_fair=0.3, position=held(net_cc)))
    assert expected == (None if found is None else found.size_cc)


@pytest.mark.parametrize("state", [OrderState.SENDING, OrderState.UNKNOWN, OrderState.RESTING, OrderState.CANCELLING])
def test_one_order_at_a_time(state: OrderState) -> None:
    assert taken(view(working=(order("taker", state=state),))) is None
    assert taken(view(working=(order("market_maker", state=state),))) is not None


@pytest.mark.parametrize(
    ("expected", "asks"),
    [
        # The first level suffices.
        ((BID, 4_200, 1_000), ((4_200, 1_000), (4_300, 5_000))),
        # It does not, and the next still has the edge.
        ((BID, 4_300, 1_000), ((4_200, 400), (4_300, 5_000))),
        ((BID, 4_300, 450), ((4_200, 400), (4_300, 50))),
        # 0.46 has 2.26 cents after the fee: not enough.
        ((BID, 4_200, 400), ((4_200, 400), (4_600, 5_000))),
        ((BID, 4_500, 410), ((4_200, 400), (4_500, 10), (4_600, 5_000))),
        (None, ()),
    ],
)
def test_the_limit_is_the_worst_level_that_is_needed_and_has_the_edge(
    expected: tuple[Side, int, int] | None, asks: tuple[Level, ...]
) -> None:
    assert expected == summary(taken(view(asks=asks, p_fair=0.5)))


def test_a_sale_walks_down_the_bids() -> None:
    bids = ((4_000, 300), (3_900, 300), (3_300, 9_000))
    assert summary(taken(view(bids=bids, p_fair=0.3))) == (ASK, 3_900, 600)


def test_every_level_within_the_limit_has_the_edge() -> None:
    asks = tuple((price, 100) for price in range(4_000, 5_000, 10))
    found = taken(view(asks=asks, p_fair=0.5, bids=()))
    assert found is not None
    edges = [edge_ppm(0.5, BID, price, view().schedule, is_maker=False) for price, _ in asks[:10]]
    assert (found.price_ticks, found.size_cc) == (4_090, 1_000)
    assert min(edges) >= 30_000


@pytest.mark.parametrize("broken", [view(book=None), view(is_open=False)])
def test_nothing_without_a_book_or_in_a_closed_market(broken: MarketView) -> None:
    assert taken(broken) is None


def test_confidence_is_a_probability() -> None:
    found = taken(view(asks=((100, 5_000),), bids=(), p_fair=0.99, schedule=FREE))
    assert found is not None
    assert found.confidence_ppm == 1_000_000


def test_every_woken_market_is_looked_at() -> None:
    other = view(contract=contract("other"))
    assert [signal.ticker for signal in signals(consider(TAKER, view(), other))] == [T, "other"]
    assert TAKER.trades(contract())


def test_a_trend_asks_for_more_edge_and_takes_less() -> None:
    trend = regime(Regime.TRENDING)
    assert summary(taken(view(p_fair=0.5, regime=trend))) == (BID, 4_200, 700)
    # Offered at 0.42 without a fee: 3.5 cents are enough in a calm market, 3.75 are asked for in a trend.
    assert summary(taken(view(p_fair=0.455, schedule=FREE, regime=regime(Regime.CALM)))) == (BID, 4_200, 1_000)
    assert taken(view(p_fair=0.455, schedule=FREE, regime=trend)) is None
    assert summary(taken(view(p_fair=0.458, schedule=FREE, regime=trend))) == (BID, 4_200, 700)


def test_what_lies_behind_the_best_price_must_have_that_edge_too() -> None:
    asks: tuple[Level, ...] = ((4_200, 200), (4_250, 5_000))
    one = view(asks=asks, p_fair=0.46, schedule=FREE)
    assert summary(taken(one)) == (BID, 4_250, 1_000)
    assert summary(taken(msgspec.structs.replace(one, regime=regime(Regime.TRENDING)))) == (BID, 4_200, 200)


def test_nothing_is_taken_in_a_spiky_market() -> None:
    taker = Taker(Params())
    assert taken(view(p_fair=0.5, regime=regime(Regime.SPIKY)), taker) is None
    assert taker.tally == {RESTRAINED: 1}
