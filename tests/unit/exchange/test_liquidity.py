"""Background makers and takers, one move at a time."""

from fairstrike.core.chance import Dice
from fairstrike.core.order import Side
from fairstrike.core.timing import SECOND_NS
from fairstrike.exchange.floor import Floor
from fairstrike.exchange.liquidity import (
    MAKERS,
    TAKER,
    Agenda,
    BackgroundMaker,
    FairBoard,
    LiquidityParams,
    NoiseTakers,
)
from tests.unit.exchange.floor_samples import (
    ASK,
    BID,
    CLOSE_NS,
    DOLLARS,
    OPEN_NS,
    TICKER,
    contract,
    open_floor,
    position_cc,
    take,
    wish,
)


def floor_with_house() -> Floor:
    floor = open_floor("a")
    for name in (*MAKERS, TAKER):
        floor.open_account(name, key_id=name, balance_ud=10**9 * DOLLARS, is_house=True)
    return floor


def maker_on(floor: Floor) -> BackgroundMaker:
    return BackgroundMaker(floor, contract(), Dice(1, 1), LiquidityParams())


def takers_on(floor: Floor, fair_ticks: int) -> NoiseTakers:
    board = FairBoard()
    board.ticks[TICKER] = fair_ticks
    return NoiseTakers(floor, board, Dice(1, 2), LiquidityParams())


def test_agenda_runs_in_order_of_instant_then_arrangement() -> None:
    agenda, done = Agenda(), list[tuple[str, int]]()
    agenda.arrange(5, lambda now: done.append(("late", now)))
    agenda.arrange(3, lambda now: done.append(("early", now)))
    agenda.arrange(3, lambda now: agenda.arrange(now + 1, lambda then: done.append(("between", then))))
    agenda.run(4)
    assert done == [("early", 3), ("between", 4)]
    agenda.run(9)
    assert done[-1] == ("late", 5)


def test_quotes_stand_around_fair_value() -> None:
    floor = floor_with_house()
    maker_on(floor).requote(6_000, OPEN_NS)
    bids, asks = floor.levels(TICKER, BID), floor.levels(TICKER, ASK)
    assert len(bids) == len(asks) == 4
    assert 200 <= asks[0][0] - bids[0][0] <= 600
    assert bids[0][0] < 6_000 < asks[0][0]
    assert all(2_000 <= size <= 48_000 for _, size in (*bids, *asks))


def test_quotes_follow_fair_value_and_leave_nothing_behind() -> None:
    floor = floor_with_house()
    maker = maker_on(floor)
    for second, fair_ticks in enumerate([6_000, 3_000, 9_990, 10_000, 5, 0, 5_000]):
        maker.requote(fair_ticks, OPEN_NS + second * SECOND_NS)
        bids, asks = floor.levels(TICKER, BID), floor.levels(TICKER, ASK)
        assert all(fair_ticks - 700 <= price < fair_ticks for price, _ in bids)
        assert all(fair_ticks < price <= fair_ticks + 700 for price, _ in asks)
        assert len(bids) <= 4
        assert len(asks) <= 4


def test_cap_keeps_bids_away_and_leaves_asks_alone() -> None:
    floor = floor_with_house()
    maker = maker_on(floor)
    maker.requote(9_600, OPEN_NS)
    asks = [price for price, _ in floor.levels(TICKER, ASK)]
    maker.cap_ticks = 8_700
    maker.requote(9_600, OPEN_NS + 1)
    assert floor.levels(TICKER, BID)[0][0] == 8_700
    assert [price for price, _ in floor.levels(TICKER, ASK)] == asks


def test_maker_is_due_by_age_or_by_move() -> None:
    maker = maker_on(floor_with_house())
    maker.requote(6_000, OPEN_NS)
    assert not maker.is_due(6_000, OPEN_NS + 3 * SECOND_NS)
    assert not maker.is_due(6_200, OPEN_NS + SECOND_NS)
    assert not maker.is_due(6_100, OPEN_NS + 2 * SECOND_NS)
    assert maker.is_due(6_101, OPEN_NS + 2 * SECOND_NS)
    assert maker.is_due(6_000, OPEN_NS + 9 * SECOND_NS)


def test_maker_has_time_where_nothing_is_in_doubt() -> None:
    maker = maker_on(floor_with_house())
    maker.requote(100, OPEN_NS)
    assert not maker.is_due(100, OPEN_NS + 23 * SECOND_NS)
    assert maker.is_due(100, OPEN_NS + 48 * SECOND_NS)


def test_maker_is_quiet_after_the_close() -> None:
    floor = floor_with_house()
    maker_on(floor).requote(6_000, CLOSE_NS)
    assert floor.levels(TICKER, BID) == ()


def test_taker_hits_whoever_is_best() -> None:
    floor = floor_with_house()
    maker_on(floor).requote(6_000, OPEN_NS)
    best, _ = floor.levels(TICKER, BID)[0]
    take(floor, "a", wish(BID, best + 100, 500))
    takers_on(floor, 6_000).take(TICKER, Side.ASK, 300, OPEN_NS)
    assert position_cc(floor, "a") == 300


def test_taker_leaves_silly_prices_alone() -> None:
    floor = floor_with_house()
    take(floor, "a", wish(BID, 3_900, 500))
    takers_on(floor, 6_000).take(TICKER, Side.ASK, 300, OPEN_NS)
    assert position_cc(floor, "a") == 0
    takers_on(floor, 5_900).take(TICKER, Side.ASK, 300, OPEN_NS)
    assert position_cc(floor, "a") == 300


def test_taker_finds_nothing_to_take() -> None:
    floor = floor_with_house()
    takers = takers_on(floor, 6_000)
    takers.take(TICKER, Side.BID, 300, OPEN_NS)
    takers.take("KXNONE", Side.BID, 300, OPEN_NS)
    assert floor.trades() == ()


def test_takers_of_favourites_mostly_sell() -> None:
    floor = floor_with_house()
    maker = maker_on(floor)
    takers = takers_on(floor, 9_300)
    for number in range(200):
        maker.requote(9_300, OPEN_NS + number)
        takers.arrive(OPEN_NS + number)
    sales = sum(trade.taker_side is ASK for trade in floor.trades())
    assert 120 <= sales <= 180
    assert len(floor.trades()) == 200


def test_takers_only_sell_where_they_are_told_to() -> None:
    floor = floor_with_house()
    maker_on(floor).requote(5_000, OPEN_NS)
    takers = takers_on(floor, 5_000)
    takers.selling_only.add(TICKER)
    for number in range(20):
        takers.arrive(OPEN_NS + number)
    assert {trade.taker_side for trade in floor.trades()} == {ASK}


def test_arrivals_slow_down_with_the_clock_factor() -> None:
    board = FairBoard()
    floor = floor_with_house()
    slow = NoiseTakers(floor, board, Dice(1, 2), LiquidityParams(factor=10))
    quick = NoiseTakers(floor, board, Dice(1, 2), LiquidityParams())
    means = [sum(takers.wait_ns() for _ in range(2_000)) / 2_000 / SECOND_NS for takers in (quick, slow)]
    assert abs(means[0] - 1 / 1.5) < 0.05
    assert abs(means[1] - 10 / 1.5) < 0.5
