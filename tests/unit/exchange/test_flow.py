"""The flow of one market: its orders are ordinary ones around fair value, and it stops when it must."""

from itertools import pairwise

import pytest

from fairstrike.core.chance import Dice
from fairstrike.core.contract import TAPERED_GRID, Comparison, Contract
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side
from fairstrike.core.timing import MINUTE_NS, SECOND_NS
from fairstrike.exchange.floor import Floor, Placed, PlaceOrder
from fairstrike.exchange.flow import FLOW_MAKER, FLOW_TAKER, Flow, FlowParams
from fairstrike.exchange.happenings import Filled, Traded

OPEN_NS = 2_000_000 * 15 * MINUTE_NS
CLOSE_NS = OPEN_NS + 15 * MINUTE_NS
TICKER = "KXBTC15M-1"
CONTRACT = Contract(
    ticker=TICKER,
    event_ticker="KXBTC15M-1",
    series="KXBTC15M",
    asset="BTC",
    comparison=Comparison.AT_LEAST,
    open_ns=OPEN_NS,
    close_ns=CLOSE_NS,
    floor_e8=80_000 * 10**8,
    grid=TAPERED_GRID,
    exchange_index=2,
)


def open_flow(
    seed: int = 1, fair_ticks: float | None = 5_000.0, params: FlowParams | None = None
) -> tuple[Floor, Flow]:
    """A floor at the opening of its one market, and its flow, begun."""
    floor = Floor(now_ns=OPEN_NS - SECOND_NS)
    floor.list_market(CONTRACT, FeeSchedule(), 0, floor.now_ns)
    for name in (FLOW_MAKER, FLOW_TAKER):
        floor.open_account(name, key_id=name, balance_ud=10**18, is_house=True)
    flow = Flow(floor, CONTRACT, Dice(seed, 1), params or FlowParams())
    flow.fair_ticks = fair_ticks
    floor.advance(OPEN_NS)
    flow.begin(OPEN_NS)
    return floor, flow


def run(floor: Floor, flow: Flow, seconds: float) -> list[int]:
    """Let the flow act for so long; give its instants."""
    until_ns, instants = floor.now_ns + int(seconds * SECOND_NS), list[int]()
    while (now_ns := floor.now_ns + flow.wait_ns()) < until_ns:
        flow.act(now_ns)
        instants.append(now_ns)
    return instants


@pytest.mark.parametrize("fair_cents", [2.5, 8.0, 50.0, 93.3, 97.5])
def test_quotes_stand_around_fair_value_on_the_grid(fair_cents: float) -> None:
    floor, flow = open_flow(fair_ticks=fair_cents * 100.0)
    run(floor, flow, 20.0)
    market = floor.market(TICKER)
    assert market is not None
    assert market.bid is not None
    assert market.ask is not None
    assert 0 < market.ask[0] - market.bid[0] <= 400
    assert abs((market.ask[0] + market.bid[0]) / 2.0 - fair_cents * 100.0) <= 250.0
    prices = [price for side in Side for price, _ in floor.levels(TICKER, side)]
    assert len(prices) > 40
    assert all(CONTRACT.is_on_grid(price) for price in prices)


def test_quotes_follow_when_fair_value_moves() -> None:
    floor, flow = open_flow(fair_ticks=3_000.0)
    run(floor, flow, 5.0)
    flow.fair_ticks = 6_000.0
    run(floor, flow, 20.0)
    market = floor.market(TICKER)
    assert market is not None
    assert market.bid is not None
    assert abs(market.bid[0] - 6_000) <= 300


def test_the_pace_is_about_what_the_parameters_say() -> None:
    """With bursts left out 60 instants a second come in 20 seconds: 1,200, give or take four standard deviations."""
    floor, flow = open_flow(params=FlowParams(instants_per_second=60.0, slow_sd=0.0, quick_sd=0.0))
    instants = run(floor, flow, 20.0)
    assert 1_000 <= len(instants) <= 1_340
    assert all(later - before >= 1_000_000 for before, later in pairwise(instants))


def test_its_takers_meet_clients_in_the_queue() -> None:
    floor, flow = open_flow()
    floor.open_account("a", key_id="a", balance_ud=10**10)
    run(floor, flow, 2.0)
    total_ud = floor.total_ud()
    market = floor.market(TICKER)
    assert market is not None
    assert market.bid is not None
    wish = PlaceOrder(ticker=TICKER, side=Side.BID, price_ticks=market.bid[0], size_cc=100)
    assert isinstance(floor.place("a", wish, floor.now_ns), Placed)
    floor.drain()
    run(floor, flow, 60.0)
    told = floor.drain()
    assert any(isinstance(each, Filled) and each.account == "a" for each in told)
    assert sum(isinstance(each, Traded) for each in told) > 60
    assert floor.total_ud() == total_ud


def test_the_same_chance_gives_the_same_flow() -> None:
    told = []
    for seed in (4, 4, 5):
        floor, flow = open_flow(seed)
        run(floor, flow, 5.0)
        told.append(floor.drain())
    assert told[0] == told[1]
    assert told[0] != told[2]


def test_without_a_fair_value_or_an_open_market_it_does_nothing() -> None:
    floor, flow = open_flow(fair_ticks=None)
    run(floor, flow, 1.0)
    assert floor.levels(TICKER, Side.BID) == ()
    floor, flow = open_flow()
    run(floor, flow, 1.0)
    floor.deactivate(TICKER, floor.now_ns)
    floor.drain()
    run(floor, flow, 1.0)
    assert floor.drain() == []
    floor.advance(CLOSE_NS)
    floor.drain()
    flow.act(CLOSE_NS)
    assert floor.drain() == []
