"""The maker: skew, inventory cap, strikes at the money, the last minutes, and the mirror of YES and NO."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.contract import Comparison
from fairstrike.core.events import Level
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Intent, OrderState, Side, Signal, TimeInForce
from fairstrike.core.regime import Regime
from fairstrike.market.book import Book
from fairstrike.market.view import MarketView
from fairstrike.strategy.base import Wish
from fairstrike.strategy.caution import RESTRAINED, Caution, Multipliers
from fairstrike.strategy.market_maker import MarketMaker, Params
from tests.unit.strategy.samples import (
    ASK,
    BID,
    NOW,
    SECOND,
    T,
    consider,
    contract,
    held,
    order,
    reference,
    regime,
    signals,
    view,
    withdrawn,
)

PARAMS = Params(half_spread_cents=2.0, skew_cents=0.1, size_cc=1_000, position_cc_max=10_000)


def maker(**changes: object) -> MarketMaker:
    return MarketMaker(msgspec.structs.replace(PARAMS, **changes))


def wide(p_fair: float | None = 0.5, **changes: object) -> MarketView:
    """A market whose book leaves the maker all the room."""
    return view(bids=((1_000, 1),), asks=((9_000, 1),), p_fair=p_fair, **changes)


def quotes(wishes: list[Wish]) -> dict[Side, tuple[int, int]]:
    return {signal.side: (signal.price_ticks, signal.size_cc) for signal in signals(wishes)}


def quoted(one: MarketView, **changes: object) -> dict[Side, tuple[int, int]]:
    return quotes(consider(maker(**changes), one))


def test_quotes_both_sides_of_fair() -> None:
    assert quoted(wide(0.5)) == {BID: (4_800, 1_000), ASK: (5_200, 1_000)}


def test_belief_between_grid_prices_is_rounded_away_from_fair() -> None:
    assert quoted(wide(0.505)) == {BID: (4_800, 1_000), ASK: (5_300, 1_000)}


@pytest.mark.parametrize(
    ("bid", "ask", "net_cc"), [(4_800, 5_200, 0), (4_700, 5_100, 1_000), (4_300, 4_700, 5_000), (4_900, 5_300, -1_000)]
)
def test_skew_leans_against_the_inventory(bid: int, ask: int, net_cc: int) -> None:
    # At half a spread of 2 cents and a skew of 5 the ask would stand under fair: no edge, no ask.
    expected = {BID: (bid, 1_000), ASK: (ask, 1_000)}
    if ask <= 5_000:
        del expected[ASK]
    assert expected == quoted(wide(0.5, position=held(net_cc)))


@pytest.mark.parametrize(
    ("bid_cc", "ask_cc", "net_cc"),
    [
        (1_000, 1_000, 9_000),
        (500, 1_000, 9_500),
        (1, 1_000, 9_999),
        (0, 1_000, 10_000),
        (0, 1_000, 20_000),
        (1_000, 500, -9_500),
        (1_000, 0, -10_000),
    ],
)
def test_the_inventory_cap_stops_the_side_that_adds(bid_cc: int, ask_cc: int, net_cc: int) -> None:
    found = quoted(wide(0.5, position=held(net_cc)), skew_cents=0.0)
    assert (bid_cc, ask_cc) == (found.get(BID, (0, 0))[1], found.get(ASK, (0, 0))[1])


def test_a_quote_stays_off_the_other_side() -> None:
    found = quoted(view(bids=((4_900, 1),), asks=((5_000, 1),), p_fair=0.7))
    assert found == {BID: (4_900, 1_000), ASK: (7_200, 1_000)}


def test_a_quote_that_gains_nothing_after_the_makers_fee_is_not_made() -> None:
    schedule = FeeSchedule(maker_ppm=70_000)
    assert quoted(wide(0.5, schedule=schedule)) == {BID: (4_800, 1_000), ASK: (5_200, 1_000)}
    assert quoted(wide(0.5, schedule=schedule), half_spread_cents=1.0) == {}


@pytest.mark.parametrize(
    "blind", [wide(None), wide(is_open=False), wide(book=None), wide(reference=None), wide(volume_24h_cc=-1)]
)
def test_no_quotes_without_what_they_rest_on(blind: MarketView) -> None:
    working = msgspec.structs.replace(blind, working=(order("market_maker", price=4_800),))
    assert quoted(blind) == {}
    assert withdrawn(consider(maker(), working)) == ["k"]


# At the money

LADDER = [78_000, 79_000, 80_000, 81_000, 82_000]


@pytest.mark.parametrize(
    ("near", "index"),
    [
        ([79_000, 80_000, 81_000], 80_000),
        ([79_000, 80_000, 81_000], 80_499),
        ([80_000, 81_000, 82_000], 80_501),
        ([78_000, 79_000], 1_000),
        ([81_000, 82_000], 99_000),
    ],
)
def test_the_strike_at_the_money_and_one_either_side(near: list[int], index: int) -> None:
    rungs = tuple(wide(contract=contract(str(strike), floor=strike), reference=reference(index)) for strike in LADDER)
    found = {int(signal.ticker) for signal in signals(consider(maker(), *rungs))}
    assert near == sorted(found)


def test_strikes_of_another_series_are_no_neighbours() -> None:
    other = wide(contract=contract("other", floor=80_001, series="KXBTC"), reference=reference(80_001))
    mine = wide(contract=contract("mine", floor=82_000), reference=reference(80_001))
    assert {"mine"} == {signal.ticker for signal in signals(consider(maker(strikes_each_side=0), mine, among=(other,)))}


def test_a_15_minute_market_is_always_near_and_has_its_own_spread() -> None:
    window = contract(comparison=Comparison.AT_LEAST, floor=1, series="KXBTC15M")
    found = quoted(wide(0.5, contract=window, reference=reference(99_000)), quote_edge_cents=5.0)
    assert found == {BID: (4_500, 1_000), ASK: (5_500, 1_000)}


def test_an_hourly_market_is_none_of_15_minutes_whatever_its_comparison() -> None:
    hourly = contract(comparison=Comparison.AT_LEAST)
    assert quoted(wide(0.5, contract=hourly), quote_edge_cents=5.0) == {BID: (4_800, 1_000), ASK: (5_200, 1_000)}


def test_a_market_too_quiet_is_left() -> None:
    assert quoted(wide(volume_24h_cc=999), volume_24h_cc_min=1_000) == {}
    assert quoted(wide(volume_24h_cc=1_000), volume_24h_cc_min=1_000)


@pytest.mark.parametrize(
    ("is_traded", "comparison"),
    [(True, Comparison.ABOVE), (True, Comparison.AT_LEAST), (False, Comparison.BETWEEN), (False, Comparison.BELOW)],
)
def test_what_is_traded(is_traded: bool, comparison: Comparison) -> None:
    assert is_traded is maker().trades(contract(comparison=comparison))


# The last minutes


@pytest.mark.parametrize(("is_quoting", "left_ns"), [(True, 120 * SECOND + 1), (False, 120 * SECOND)])
def test_no_quotes_in_the_last_two_minutes(is_quoting: bool, left_ns: int) -> None:
    assert is_quoting is bool(quoted(wide(closes_in_ns=left_ns)))
    working = (order("market_maker", price=4_800),)
    assert (not is_quoting) is bool(withdrawn(consider(maker(), wide(closes_in_ns=left_ns, working=working))))


@pytest.mark.parametrize(
    ("is_flattening", "left_ns"), [(False, 75 * SECOND + 1), (True, 75 * SECOND), (True, 1), (False, 0)]
)
def test_inventory_is_flattened_in_the_last_75_seconds(is_flattening: bool, left_ns: int) -> None:
    found = signals(consider(maker(), view(p_fair=0.45, closes_in_ns=left_ns, position=held(700))))
    expected = Signal(
        strategy="market_maker",
        ticker=T,
        side=ASK,
        price_ticks=4_000,
        size_cc=700,
        intent=Intent.REDUCE,
        tif=TimeInForce.IOC,
        post_only=False,
        edge_ppm=-50_000,
        confidence_ppm=1_000_000,
        reason="the flatten window has begun; inventory is sold at the touch",
        features={"net_cc": 700, "fair_ppm": 450_000},
    )
    assert ([expected] if is_flattening else []) == found


def test_contracts_of_another_strategy_are_not_flattened() -> None:
    others = view(closes_in_ns=SECOND, position=held(700), shares={"momentum_scalp": 700})

    assert consider(maker(), others) == []


def test_a_short_position_is_bought_back_at_the_ask() -> None:
    (signal,) = signals(consider(maker(), view(p_fair=None, closes_in_ns=SECOND, position=held(-300))))
    assert (signal.side, signal.price_ticks, signal.size_cc, signal.edge_ppm) == (BID, 4_200, 300, 0)


def test_flattening_first_withdraws_and_waits() -> None:
    resting = view(closes_in_ns=SECOND, position=held(700), working=(order("market_maker"),))
    cancelling = msgspec.structs.replace(resting, working=(order("market_maker", state=OrderState.CANCELLING),))
    assert (withdrawn(consider(maker(), resting)), signals(consider(maker(), resting))) == (["k"], [])
    assert consider(maker(), cancelling) == []


@pytest.mark.parametrize(
    "stuck",
    [
        view(closes_in_ns=SECOND, position=held(0)),
        view(closes_in_ns=SECOND, position=held(5), bids=()),
        view(closes_in_ns=SECOND, position=held(-5), asks=()),
        view(closes_in_ns=SECOND, position=held(5), is_open=False),
        view(closes_in_ns=SECOND, position=held(5), book=None),
    ],
)
def test_nothing_to_flatten_or_nowhere_to(stuck: MarketView) -> None:
    assert consider(maker(), stuck) == []


# Refresh


def test_a_better_price_waits_for_the_refresh_a_lost_edge_does_not() -> None:
    made = maker(refresh_seconds=2.0)
    assert len(consider(made, wide(0.5))) == 2
    resting = (order("market_maker", BID, 4_800, key="b"), order("market_maker", ASK, 5_200, key="a"))
    soon = msgspec.structs.replace(wide(0.53, working=resting), now_ns=NOW + 2 * SECOND - 1)
    assert withdrawn(consider(made, soon)) == ["a"]
    due = msgspec.structs.replace(soon, now_ns=NOW + 2 * SECOND)
    assert withdrawn(consider(made, due)) == ["b", "a"]


# The mirror


def mirrored(levels: tuple[Level, ...]) -> tuple[Level, ...]:
    return tuple((10_000 - price, size) for price, size in levels)


@given(st.integers(3, 97), st.integers(-99, 99), st.integers(2, 97), st.integers(1, 20))
def test_the_no_side_is_the_mirror_of_the_yes_side(fair: int, contracts: int, bid: int, spread: int) -> None:
    bids, asks = ((bid * 100, 5),), ((min(9_900, (bid + spread) * 100), 5),)
    yes = view(p_fair=fair / 100, position=held(contracts * 100))
    yes = msgspec.structs.replace(yes, book=Book(bids, asks))
    no = view(p_fair=(100 - fair) / 100, position=held(-contracts * 100))
    no = msgspec.structs.replace(no, book=Book(mirrored(asks), mirrored(bids)))
    found = {side.opposite: (10_000 - price, size) for side, (price, size) in quoted(no).items()}
    assert found == quoted(yes)


@pytest.mark.parametrize(
    ("series", "now", "bid", "ask", "size"),
    [
        ("KXBTCD", Regime.CALM, 4_800, 5_200, 1_000),
        ("KXBTCD", Regime.TRENDING, 4_700, 5_300, 700),
        ("KXBTC15M", Regime.CALM, 4_600, 5_400, 1_000),
        ("KXBTC15M", Regime.TRENDING, 4_500, 5_500, 700),
    ],
)
def test_a_trend_widens_quotes_and_makes_them_smaller(series: str, now: Regime, bid: int, ask: int, size: int) -> None:
    """2 cents × 1.25 are 2.5, rounded away from the fair value to whole cents; 4 × 1.25 are 5."""
    one = wide(regime=regime(now), contract=contract(series=series))
    found = {signal.side: signal for signal in signals(consider(maker(quote_edge_cents=4.0), one))}
    assert (found[BID].price_ticks, found[ASK].price_ticks) == (bid, ask)
    assert (found[BID].size_cc, found[ASK].size_cc) == (size, size)


def test_multipliers_are_settings() -> None:
    caution = Caution(trending=Multipliers(size=0.2, half_spread=2.0))
    found = signals(consider(maker(caution=caution), wide(regime=regime(Regime.TRENDING))))
    assert [(one.price_ticks, one.size_cc) for one in found] == [(4_600, 200), (5_400, 200)]


def test_in_a_spiky_market_quotes_go_and_the_way_out_stays() -> None:
    strategy, spiky = maker(), regime(Regime.SPIKY)
    quote = order("market_maker", price=4_800)
    assert withdrawn(consider(strategy, wide(regime=spiky, working=(quote,)))) == ["k"]
    assert strategy.tally == {RESTRAINED: 1}
    late = wide(regime=spiky, position=held(500), closes_in_ns=60 * SECOND)
    (out,) = signals(consider(strategy, late))
    assert (out.intent, out.side, out.size_cc) == (Intent.REDUCE, ASK, 500)
