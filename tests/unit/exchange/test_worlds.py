"""Generated worlds: the same again from the same seed, quick, whole, and never without their gifts."""

from itertools import pairwise

import pytest

from fairstrike.core.chance import Dice
from fairstrike.core.contract import Comparison, settle
from fairstrike.core.errors import ConfigError
from fairstrike.core.order import Side
from fairstrike.core.timing import MILLISECOND_NS, MINUTE_NS, SECOND_NS, parse_rfc3339_ns
from fairstrike.core.units import E8_PER_DOLLAR
from fairstrike.exchange.floor import MarketStatus, Placed, PlaceOrder
from fairstrike.exchange.happenings import Filled, Happening, IndexPublished, LevelChanged, Traded
from fairstrike.exchange.liquidity import GIVER, LiquidityParams
from fairstrike.exchange.worlds import (
    LEAD_NS,
    START_NS,
    IndexPath,
    World,
    WorldParams,
    ladder,
    plan_gifts,
    quarter_hour,
)
from tests.unit.exchange.floor_samples import DOLLARS

CLIENT = "client"
CLOSE_NS = START_NS + LEAD_NS


def run(world: World, until_ns: int) -> list[Happening]:
    told: list[Happening] = []
    while world.floor.now_ns < until_ns:
        world.advance(min(world.floor.now_ns + 10 * SECOND_NS, until_ns))
        told += world.floor.drain()
    return told


def told_with_client(seed: int) -> list[Happening]:
    """What a world tells while a client joins the first market's best bid now and then."""
    world = World(seed=seed)
    world.floor.open_account(CLIENT, key_id=CLIENT, balance_ud=1_000 * DOLLARS)
    told: list[Happening] = []
    for second in range(10, 400, 10):
        now_ns = START_NS + second * SECOND_NS
        world.advance(now_ns)
        view = world.floor.markets()[second % 40]
        if view.bid is not None:
            wish = PlaceOrder(ticker=view.contract.ticker, side=Side.BID, price_ticks=view.bid[0], size_cc=500)
            world.floor.place(CLIENT, wish, now_ns)
        told += world.floor.drain()
    return told


def test_same_seed_and_acts_tell_the_same() -> None:
    first = told_with_client(3)
    assert any(isinstance(happening, Filled) for happening in first)
    assert first == told_with_client(3)


def test_other_seed_tells_something_else() -> None:
    until_ns = START_NS + 10 * SECOND_NS
    assert run(World(seed=1), until_ns) != run(World(seed=2), until_ns)


def test_step_of_the_clock_does_not_matter() -> None:
    coarse, fine = World(seed=5), World(seed=5)
    until_ns = START_NS + 30 * SECOND_NS
    coarse.advance(until_ns)
    told: list[Happening] = []
    for now_ns in range(START_NS, until_ns + 1, 7 * MILLISECOND_NS):
        fine.advance(now_ns)
        told += fine.floor.drain()
    fine.advance(until_ns)
    assert coarse.floor.drain() == told + fine.floor.drain()


def test_stands_still_until_it_is_next_due() -> None:
    world, coarse, until_ns = World(seed=5), World(seed=5), START_NS + 30 * SECOND_NS
    for each in (world, coarse):
        each.advance(START_NS)
        each.floor.drain()
    told: list[Happening] = []
    while (due_ns := world.next_due_ns()) <= until_ns:
        assert due_ns > world.floor.now_ns
        world.advance(due_ns - 1)
        assert world.floor.drain() == []
        world.advance(due_ns)
        told += world.floor.drain()
    coarse.advance(until_ns)
    assert told == coarse.floor.drain()


@pytest.mark.parametrize("seed", range(3))
def test_whole_world(seed: int) -> None:
    world = World(seed=seed)
    total_ud = world.floor.total_ud()
    told = run(world, world.close_ns + 3 * MINUTE_NS)
    assert world.floor.total_ud() == total_ud
    assert all(view.status is MarketStatus.FINALIZED for view in world.floor.markets())
    assert all(view.open_interest_cc == 0 for view in world.floor.markets())
    instants = [happening.instant_ns for happening in told]
    assert instants == sorted(instants)
    prints = [happening.second for happening in told if isinstance(happening, IndexPublished)]
    assert prints == list(range(START_NS // SECOND_NS, START_NS // SECOND_NS + 21 * 60 + 1))
    assert 5_000 < sum(isinstance(happening, LevelChanged) for happening in told) < 100_000
    assert 500 < sum(isinstance(happening, Traded) for happening in told) < 5_000


def test_markets_are_named_and_struck_like_the_venue() -> None:
    world = World(seed=1)
    views = world.floor.markets()
    *ladder, quarter = [view.contract for view in views]
    assert len(ladder) == 40
    assert {contract.event_ticker for contract in ladder} == {"KXBTCD-26NOV2117"}
    assert {contract.comparison for contract in ladder} == {Comparison.ABOVE}
    for contract in ladder:
        assert contract.floor_e8 is not None
        assert contract.floor_e8 % E8_PER_DOLLAR == 99 * E8_PER_DOLLAR // 100
        assert contract.ticker == f"KXBTCD-26NOV2117-T{contract.floor_e8 // E8_PER_DOLLAR}.99"
    assert quarter.ticker == "KXBTC15M-26NOV211700-00"
    assert quarter.floor_e8 is None
    assert {contract.exchange_index for contract in (*ladder, quarter)} == {2}
    assert {contract.close_ns for contract in (*ladder, quarter)} == {world.close_ns}
    assert all(view.volume_24h_cc >= 1_000_000 for view in views)


def test_markets_of_the_hour_that_is_lived_twice_have_names_of_their_own() -> None:
    closes = [parse_rfc3339_ns(f"2026-11-01T0{hour}:15:00Z") for hour in (4, 5, 6, 7)]
    assert [quarter_hour(close_ns, WorldParams()).ticker for close_ns in closes] == [
        "KXBTC15M-26NOV010015-15",
        "KXBTC15M-26NOV010115-15",
        "KXBTC15M-26NOV010115B-15",
        "KXBTC15M-26NOV010215-15",
    ]


def test_quarter_hour_is_struck_on_the_minute_before_its_open() -> None:
    world = World(seed=1)
    opens_ns = world.close_ns - 15 * MINUTE_NS
    run(world, opens_ns + 700 * MILLISECOND_NS)
    view = world.floor.markets()[-1]
    minute = range(opens_ns // SECOND_NS - 60, opens_ns // SECOND_NS)
    total = sum(world.floor.prints("BTC")[second] for second in minute)
    cent_e8 = E8_PER_DOLLAR // 100
    assert view.contract.floor_e8 == (total + 30 * cent_e8) // (60 * cent_e8) * cent_e8
    run(world, opens_ns + 30 * SECOND_NS)
    assert world.floor.levels(view.contract.ticker, Side.BID)


def test_start_must_be_eighteen_minutes_before_the_hour() -> None:
    with pytest.raises(ConfigError):
        World(seed=1, start_ns=START_NS + SECOND_NS)


@pytest.mark.parametrize("vol_annual", [0.1, 0.35, 1.0])
def test_index_moves_as_volatile_as_asked(vol_annual: float) -> None:
    params = WorldParams(vol_annual=vol_annual)
    path = IndexPath(Dice(7, 1_000), params, 0)
    prints = [path.print_e8(second) / E8_PER_DOLLAR for second in range(20_001)]
    steps = [after / before - 1.0 for before, after in pairwise(prints)]
    measured = (sum(step * step for step in steps) / len(steps) * 31_557_600) ** 0.5
    assert measured == pytest.approx(vol_annual, rel=0.03)
    assert all(round(value * 100) == pytest.approx(value * 100, abs=1e-6) for value in prints)


def test_five_values_a_second_are_the_same_motion_and_leave_the_prints_alone() -> None:
    params = WorldParams(vol_annual=0.35)
    path, untouched = IndexPath(Dice(7, 1_000), params, 0), IndexPath(Dice(7, 1_000), params, 0)
    values = [value / E8_PER_DOLLAR for second in range(10_000) for value in path.fifths_e8(second)]
    assert [path.print_e8(second) for second in range(10_000)] == [
        untouched.print_e8(second) for second in range(10_000)
    ]
    assert values[::5] == [path.print_e8(second) / E8_PER_DOLLAR for second in range(10_000)]
    steps = [after / before - 1.0 for before, after in pairwise(values)]
    measured = (sum(step * step for step in steps) / len(steps) * 5 * 31_557_600) ** 0.5
    assert measured == pytest.approx(0.35, rel=0.03)
    assert path.fifths_e8(5_000) == path.fifths_e8(5_000)


# Gifts


@pytest.mark.parametrize("seed", range(60))
def test_every_seed_has_its_gifts(seed: int) -> None:
    world = World(seed=seed)
    assert len(world.plants) >= 3
    free_ns = world.close_ns - 15 * MINUTE_NS
    for plant in world.plants:
        assert free_ns <= plant.start_ns <= world.close_ns - 5 * MINUTE_NS + SECOND_NS
        assert plant.end_ns == plant.start_ns + 90 * SECOND_NS
        assert 9_500 <= plant.fair_ticks <= 9_700
        assert 500 <= plant.fair_ticks - plant.ask_ticks <= 800
        assert plant.ask_ticks <= 9_200
        assert plant.size_cc == 4_000
        free_ns = plant.end_ns


@pytest.mark.parametrize("seed", range(10))
def test_more_gifts_wait_for_each_other(seed: int) -> None:
    path = IndexPath(Dice(seed, 1), WorldParams(), START_NS // SECOND_NS)
    plants = plan_gifts(path, START_NS, WorldParams(gifts=8), Dice(seed, 2))
    assert len(plants) > 2
    assert all(before.end_ns < after.start_ns for before, after in pairwise(plants))


def test_gifts_are_worth_what_is_said() -> None:
    paid = given = 0
    for seed in range(250):
        path = IndexPath(Dice(seed, 1), WorldParams(), START_NS // SECOND_NS)
        strikes = {each.ticker: each for each in ladder(path.print_e8(START_NS // SECOND_NS), CLOSE_NS, WorldParams())}
        prints = [path.print_e8(second) for second in range(CLOSE_NS // SECOND_NS - 60, CLOSE_NS // SECOND_NS)]
        for plant in plan_gifts(path, START_NS, WorldParams(), Dice(seed, 2)):
            given += 1
            paid += settle(strikes[plant.ticker], prints) == 10_000
    # Worth 0.96 on average; gifts of one world fall together, so the share of a thousand is wide.
    assert given > 900
    assert 0.935 < paid / given < 0.985


@pytest.mark.parametrize(("seed", "factor"), [(0, 1), (1, 1), (2, 1), (3, 10), (4, 20)])
def test_who_joins_the_bid_at_a_gift_is_filled_in_parts(seed: int, factor: int) -> None:
    params = WorldParams(liquidity=LiquidityParams(factor=factor))
    world = World(seed=seed, params=params)
    world.floor.open_account(CLIENT, key_id=CLIENT, balance_ud=1_000 * DOLLARS)
    plant = world.plants[0]
    run(world, plant.start_ns)
    assert world.floor.levels(plant.ticker, Side.ASK)[0] == (plant.ask_ticks, 4_000)
    bid, _ = world.floor.levels(plant.ticker, Side.BID)[0]
    assert bid <= plant.ask_ticks - 300
    wish = PlaceOrder(ticker=plant.ticker, side=Side.BID, price_ticks=bid + 100, size_cc=1_500, post_only=True)
    assert isinstance(world.floor.place(CLIENT, wish, world.floor.now_ns), Placed)
    run(world, plant.end_ns)
    assert len(world.floor.fills(CLIENT)) >= 2
    assert all(not fill.is_taker for fill in world.floor.fills(CLIENT))


def test_makers_keep_away_while_a_gift_stands_and_come_back() -> None:
    world = World(seed=1)
    plant = world.plants[0]
    run(world, plant.start_ns)
    while world.floor.now_ns < plant.end_ns - SECOND_NS:
        bids = world.floor.levels(plant.ticker, Side.BID)
        assert bids
        assert bids[0][0] <= plant.ask_ticks - 300
        assert plant.ask_ticks in dict(world.floor.levels(plant.ticker, Side.ASK))
        run(world, world.floor.now_ns + SECOND_NS)
    run(world, plant.end_ns)
    assert world.floor.positions(GIVER) == ()
    assert plant.ask_ticks not in dict(world.floor.levels(plant.ticker, Side.ASK))
