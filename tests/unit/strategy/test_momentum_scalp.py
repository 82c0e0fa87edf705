"""Momentum scalp: every condition at its boundary, the best five, both ways in, the way out."""

import pytest

from fairstrike.core.contract import TAPERED_GRID, Comparison
from fairstrike.core.order import Intent, OrderState, Signal, TimeInForce
from fairstrike.core.regime import Regime
from fairstrike.market.view import MarketView
from fairstrike.strategy.caution import RESTRAINED
from fairstrike.strategy.momentum_scalp import MomentumScalp, Params
from tests.unit.strategy.samples import (
    ASK,
    BID,
    FREE,
    HOUR,
    NOW,
    SECOND,
    T,
    consider,
    contract,
    held,
    order,
    regime,
    signals,
    view,
    withdrawn,
)

RESTS = MomentumScalp(Params(prefer_maker=True))
TAKES = MomentumScalp(Params(prefer_maker=False))


def cheap(
    p_fair: float | None = 0.95, ask: int = 9_000, ask_cc: int = 2_000, bid: int = 8_800, **changes: object
) -> MarketView:
    """A favourite offered under its worth."""
    return view(bids=((bid, 1),), asks=((ask, ask_cc),), p_fair=p_fair, **changes)


def entered(one: MarketView, strategy: MomentumScalp = TAKES) -> Signal | None:
    found = signals(consider(strategy, one))
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize(
    ("strategy", "price", "tif", "post_only", "edge"),
    [
        (RESTS, 8_900, TimeInForce.GTC, True, 60_000),
        (TAKES, 9_000, TimeInForce.IOC, False, 50_000 - 6_300),
    ],
)
def test_entry(strategy: MomentumScalp, price: int, tif: TimeInForce, post_only: bool, edge: int) -> None:
    expected = Signal(
        strategy="momentum_scalp",
        ticker=T,
        side=BID,
        price_ticks=price,
        size_cc=2_000,
        intent=Intent.OPEN,
        tif=tif,
        post_only=post_only,
        edge_ppm=edge,
        confidence_ppm=950_000,
        reason="a favourite is offered under its worth",
        features={"fair_ppm": 950_000, "ask_ticks": 9_000},
    )
    assert expected == entered(cheap(), strategy)


@pytest.mark.parametrize(
    ("is_entered", "one"),
    [
        (True, cheap(p_fair=0.90, ask=8_000)),
        (False, cheap(p_fair=0.899, ask=8_000)),
        (True, cheap(p_fair=0.99, ask=9_300)),
        (False, cheap(p_fair=0.999, ask=9_310)),
        (True, cheap(p_fair=0.93, ask=9_000, schedule=FREE)),
        (False, cheap(p_fair=0.929999, ask=9_000, schedule=FREE)),
        (True, cheap(p_fair=0.9363, ask=9_000)),
        (False, cheap(p_fair=0.936299, ask=9_000)),
        (True, cheap(ask_cc=2_000)),
        (False, cheap(ask_cc=1_999)),
        (True, cheap(closes_in_ns=8 * HOUR)),
        (False, cheap(closes_in_ns=8 * HOUR + 1)),
        (True, cheap(closes_in_ns=90 * SECOND)),
        (False, cheap(closes_in_ns=90 * SECOND - 1)),
        (False, cheap(p_fair=None)),
        (False, cheap(is_open=False)),
        (False, cheap(book=None)),
        (False, view(bids=((8_800, 1),), asks=(), p_fair=0.95)),
        (False, cheap(working=(order("momentum_scalp"),))),
        (True, cheap(working=(order("taker"),))),
        (False, cheap(position=held(4_000))),
    ],
)
def test_condition_at_its_boundary(is_entered: bool, one: MarketView) -> None:
    assert is_entered is (entered(one) is not None)


@pytest.mark.parametrize(("size", "net_cc"), [(2_000, 2_000), (1_999, 2_001), (1, 3_999), (2_000, -5_000)])
def test_size_leaves_the_position_under_its_cap(size: int, net_cc: int) -> None:
    signal = entered(cheap(position=held(net_cc)))
    assert signal is not None
    assert size == signal.size_cc


@pytest.mark.parametrize(
    ("price", "bid", "ask"), [(8_900, 8_800, 9_000), (None, 8_900, 9_000), (None, 8_950, 9_000), (8_100, 8_000, 9_000)]
)
def test_maker_rests_one_cent_over_the_bid_and_under_the_ask(price: int | None, bid: int, ask: int) -> None:
    signal = entered(cheap(bid=bid, ask=ask), RESTS)
    assert price == (None if signal is None else signal.price_ticks)


def test_maker_needs_a_bid_to_be_over() -> None:
    assert entered(view(bids=(), asks=((9_000, 2_000),), p_fair=0.95), RESTS) is None


def test_maker_rests_on_the_tapered_grid() -> None:
    signal = entered(cheap(bid=9_010, ask=9_290, p_fair=0.97, contract=contract(grid=TAPERED_GRID)), RESTS)
    assert signal is not None
    assert signal.price_ticks == 9_110


def test_maker_edge_is_that_of_its_own_price() -> None:
    assert entered(cheap(p_fair=0.92, ask=9_000, bid=8_800), RESTS) is not None
    assert entered(cheap(p_fair=0.919, ask=9_000, bid=8_800), RESTS) is None


def test_the_best_five_by_edge() -> None:
    views = [cheap(p_fair=0.94 + n / 100, contract=contract(f"t{n}")) for n in (0, 1, 2, 3, 4, 5)]
    assert [signal.ticker for signal in signals(consider(TAKES, *views))] == ["t5", "t4", "t3", "t2", "t1"]


def test_equal_edges_go_by_ticker() -> None:
    views = [cheap(contract=contract(ticker)) for ticker in "gfedcba"]
    assert list("abcde") == [signal.ticker for signal in signals(consider(TAKES, *views))]


@pytest.mark.parametrize(
    ("is_withdrawn", "changes"),
    [
        (False, {"now_ns": NOW + 60 * SECOND}),
        (True, {"now_ns": NOW + 60 * SECOND + 1}),
        (False, {"closes_in_ns": 90 * SECOND}),
        (True, {"closes_in_ns": 90 * SECOND - 1}),
        (False, {"p_fair": 0.90}),
        (True, {"p_fair": 0.899}),
        (False, {"p_fair": None}),
        (False, {"book": None}),
        (True, {"book": None, "now_ns": NOW + 61 * SECOND}),
    ],
)
def test_withdrawal(is_withdrawn: bool, changes: dict[str, object]) -> None:
    one = cheap(**{"working": (order("momentum_scalp"),), **changes})  # type: ignore[arg-type]
    assert (["k"] if is_withdrawn else []) == withdrawn(consider(RESTS, one))


@pytest.mark.parametrize("state", [OrderState.SENDING, OrderState.UNKNOWN, OrderState.CANCELLING])
def test_only_a_resting_order_of_its_own_is_withdrawn(state: OrderState) -> None:
    working = (order("momentum_scalp", state=state), order("taker", ASK, key="other"))
    assert withdrawn(consider(RESTS, cheap(now_ns=NOW + 99 * SECOND, working=working))) == []


@pytest.mark.parametrize(("is_traded", "comparison"), [(one is Comparison.ABOVE, one) for one in Comparison])
def test_only_thresholds_are_traded(is_traded: bool, comparison: Comparison) -> None:
    assert is_traded is RESTS.trades(contract(comparison=comparison))


def test_it_looks_every_30_seconds_and_at_what_matters() -> None:
    wakes = RESTS.wakes
    assert (wakes.every_ns, wakes.best_size_cc, wakes.depth) == (30 * SECOND, 2_000, None)
    assert wakes.best_price
    assert wakes.index
    assert wakes.own_order


def test_a_trend_asks_for_more_edge_and_buys_less() -> None:
    trend = regime(Regime.TRENDING)
    found = entered(cheap(regime=trend))
    assert found is not None
    assert found.size_cc == 1_400
    # Edge after the fee of 0.63 cents: 3.07 cents, then 3.87.
    assert entered(cheap(p_fair=0.937)) is not None
    assert entered(cheap(p_fair=0.937, regime=trend)) is None
    assert entered(cheap(p_fair=0.945, regime=trend)) is not None


def test_nothing_is_bought_in_a_spiky_market_and_entries_age_as_ever() -> None:
    strategy, spiky = MomentumScalp(Params()), regime(Regime.SPIKY)
    assert entered(cheap(regime=spiky), strategy) is None
    assert strategy.tally == {RESTRAINED: 1}
    old = order("momentum_scalp", price=8_900, created_ns=NOW - 61 * SECOND)
    assert withdrawn(consider(strategy, cheap(regime=spiky, working=(old,)))) == ["k"]
