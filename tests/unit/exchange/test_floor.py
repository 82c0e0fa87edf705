"""The floor: orders, money, a market's life; random streams keep every promise."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairstrike.core.contract import TAPERED_GRID, Comparison, Contract
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.timing import MILLISECOND_NS, MINUTE_NS, SECOND_NS
from fairstrike.exchange.floor import (
    Delays,
    Floor,
    FloorParams,
    MarketStatus,
    MarketView,
    Reduced,
    Rejection,
)
from fairstrike.exchange.happenings import (
    BalanceChanged,
    Filled,
    LevelChanged,
    MarketActivated,
    MarketClosed,
    MarketDetermined,
    MarketListed,
    MarketSettled,
    OrderChanged,
    OrderStatus,
    SelfTrade,
    StrikePublished,
    Traded,
    UpdateReason,
)
from tests.unit.exchange.floor_samples import (
    ASK,
    BID,
    CLOSE_NS,
    DOLLARS,
    FOK,
    IOC,
    OPEN_NS,
    TICKER,
    contract,
    money,
    open_floor,
    position_cc,
    take,
    wish,
)
from tests.unit.exchange.streams import ACCOUNTS, STREAMS, Move, Watch


def market(floor: Floor, ticker: str = TICKER) -> MarketView:
    view = floor.market(ticker)
    assert view is not None
    return view


# Orders


def test_match_is_told_in_order() -> None:
    floor = open_floor("a", "b")
    take(floor, "a", wish(ASK, 4_000, 100, client_order_id="ask"))
    floor.drain()
    take(floor, "b", wish(BID, 4_500, 150, client_order_id="bid"))
    told = floor.drain()
    assert [type(happening) for happening in told] == [
        Traded,
        LevelChanged,
        Filled,
        BalanceChanged,
        Filled,
        BalanceChanged,
        OrderChanged,
        LevelChanged,
        OrderChanged,
    ]
    levels = [(h.side, h.price_ticks, h.delta_cc, h.account) for h in told if isinstance(h, LevelChanged)]
    assert levels == [(ASK, 4_000, -100, "a"), (BID, 4_500, 50, "b")]
    fills = [h for h in told if isinstance(h, Filled)]
    assert [(h.account, h.price_ticks, h.is_taker, h.post_position_cc) for h in fills] == [
        ("a", 4_000, False, -100),
        ("b", 4_000, True, 100),
    ]
    assert fills[0].trade_id == fills[1].trade_id


def test_filled_orders_are_executed_and_reserve_nothing() -> None:
    floor = open_floor("a", "b")
    maker = take(floor, "a", wish(ASK, 4_000, 100)).order
    taker = take(floor, "b", wish(BID, 4_000, 100)).order
    filled = floor.order("a", maker.order_id)
    assert filled is not None
    for order in (filled, taker):
        assert (order.status, order.reason) == (OrderStatus.EXECUTED, UpdateReason.TRADE)
        assert (order.filled_cc, order.remaining_cc) == (100, 0)
    assert (money(floor, "a").reserved_ud, money(floor, "b").reserved_ud) == (0, 0)
    assert floor.cancel_all("a", OPEN_NS) == ()


def test_ioc_remainder_is_gone() -> None:
    floor = open_floor("a", "b")
    take(floor, "a", wish(ASK, 4_000, 100))
    placed = take(floor, "b", wish(BID, 4_000, 150, tif=IOC))
    assert (placed.order.status, placed.order.filled_cc, placed.order.remaining_cc) == (
        OrderStatus.CANCELED,
        100,
        0,
    )
    assert placed.filled_value_ud == 400_000
    assert floor.levels(TICKER, BID) == ()


def test_ioc_without_a_match_is_taken_and_gone() -> None:
    placed = take(open_floor("a"), "a", wish(BID, 4_000, 150, tif=IOC))
    assert (placed.order.filled_cc, placed.order.remaining_cc) == (0, 0)


@pytest.mark.parametrize(("expected_cc", "size_cc"), [(100, 100), (60, 60), (0, 101)])
def test_fok_fills_whole_or_not_at_all(expected_cc: int, size_cc: int) -> None:
    floor = open_floor("a", "b")
    take(floor, "a", wish(ASK, 4_000, 50))
    take(floor, "a", wish(ASK, 4_100, 50))
    floor.place("b", wish(BID, 4_100, size_cc, tif=FOK), OPEN_NS)
    assert position_cc(floor, "b") == expected_cc


def test_fok_that_meets_its_own_order_acts_like_ioc() -> None:
    floor = open_floor("a", "b")
    take(floor, "a", wish(ASK, 4_000, 50))
    take(floor, "b", wish(ASK, 4_100, 50))
    placed = take(floor, "b", wish(BID, 4_100, 100, tif=FOK))
    assert (placed.order.filled_cc, placed.order.reason) == (50, UpdateReason.SELF_TRADE_CANCEL)
    assert floor.levels(TICKER, ASK) == ((4_100, 50),)


def test_gtc_remainder_does_not_rest_before_its_own_order() -> None:
    floor = open_floor("a")
    take(floor, "a", wish(ASK, 4_000, 50))
    placed = take(floor, "a", wish(BID, 4_000, 100))
    assert (placed.order.status, placed.order.remaining_cc) == (OrderStatus.CANCELED, 0)
    assert floor.levels(TICKER, BID) == ()


def test_own_order_gives_way_and_is_told_cancelled() -> None:
    floor = open_floor("a")
    own = take(floor, "a", wish(ASK, 4_000, 50)).order
    placed = take(floor, "a", wish(BID, 4_000, 100, self_trade=SelfTrade.MAKER))
    assert placed.order.remaining_cc == 100
    assert floor.levels(TICKER, ASK) == ()
    cancelled = floor.order("a", own.order_id)
    assert cancelled is not None
    assert (cancelled.status, cancelled.reason) == (OrderStatus.CANCELED, UpdateReason.SELF_TRADE_CANCEL)


def test_second_cancel_is_not_found() -> None:
    floor = open_floor("a", "b")
    order_id = take(floor, "a", wish(BID, 4_000, 100)).order.order_id
    foreign = floor.cancel("b", order_id, OPEN_NS)
    assert isinstance(foreign, Rejection)
    first = floor.cancel("a", order_id, OPEN_NS)
    assert isinstance(first, Reduced)
    assert (first.reduced_cc, first.order.status, first.order.remaining_cc) == (100, OrderStatus.CANCELED, 0)
    second = floor.cancel("a", order_id, OPEN_NS)
    assert isinstance(second, Rejection)
    assert (second.status, second.code) == (404, "not_found")


@pytest.mark.parametrize(("expected_cc", "by_cc"), [(60, 40), (0, 100)])
def test_decrease(expected_cc: int, by_cc: int) -> None:
    floor = open_floor("a")
    order_id = take(floor, "a", wish(BID, 4_000, 100)).order.order_id
    reduced = floor.decrease("a", order_id, by_cc, OPEN_NS)
    assert isinstance(reduced, Reduced)
    assert (reduced.order.remaining_cc, reduced.order.reason) == (expected_cc, UpdateReason.DECREASE)
    assert floor.open_cc(order_id) == expected_cc


@pytest.mark.parametrize("by_cc", [0, -1, 101])
def test_impossible_decrease_is_refused(by_cc: int) -> None:
    floor = open_floor("a")
    order_id = take(floor, "a", wish(BID, 4_000, 100)).order.order_id
    assert isinstance(floor.decrease("a", order_id, by_cc, OPEN_NS), Rejection)


def test_cancel_all_takes_off_what_rests() -> None:
    floor = open_floor("a", "b")
    for price in (3_000, 4_000):
        take(floor, "a", wish(BID, price, 100))
    take(floor, "b", wish(BID, 2_000, 100))
    assert [each.reduced_cc for each in floor.cancel_all("a", OPEN_NS)] == [100, 100]
    assert floor.levels(TICKER, BID) == ((2_000, 100),)
    assert money(floor, "a").reserved_ud == 0


def crowded() -> Floor:
    """A floor whose account "a" holds a position and rests beside it on both sides, at prices in no order."""
    floor = open_floor("a", "b")
    take(floor, "b", wish(BID, 5_000, 700))
    take(floor, "a", wish(ASK, 5_000, 700))
    for number in range(40):
        side = BID if number % 3 else ASK
        take(floor, "a", wish(side, 5_000 - side.sign * (number * 7 % 20 + 1) * 100, 100 + number))
    floor.drain()
    return floor


def test_cancel_all_is_every_cancel_one_after_the_other() -> None:
    at_once, one_by_one = crowded(), crowded()
    ended = at_once.cancel_all("a", OPEN_NS)
    singly = [one_by_one.cancel("a", each.order.order_id, OPEN_NS) for each in ended]
    assert len(ended) == 40
    assert list(ended) == singly
    assert at_once.drain() == one_by_one.drain()
    assert money(at_once, "a") == money(one_by_one, "a")
    assert money(at_once, "a").reserved_ud == 0


def test_expired_order_leaves_at_its_instant() -> None:
    floor = open_floor("a")
    take(floor, "a", wish(BID, 4_000, 100, expire_ns=OPEN_NS + 5))
    floor.advance(OPEN_NS + 4)
    assert floor.levels(TICKER, BID) == ((4_000, 100),)
    floor.advance(OPEN_NS + 9)
    assert floor.levels(TICKER, BID) == ()
    last = floor.drain()[-1]
    assert isinstance(last, OrderChanged)
    assert (last.instant_ns, last.reason) == (OPEN_NS + 5, UpdateReason.EXPIRY_CANCEL)


# Money


def test_resting_orders_reserve_and_release() -> None:
    floor = open_floor("a")
    order_id = take(floor, "a", wish(BID, 4_000, 10_000)).order.order_id
    # 100 × 0.40, the taker fee 0.07 × 100 × 0.24 and the rounding room.
    assert money(floor, "a").reserved_ud == 40_000_000 + 1_680_000 + 198
    assert money(floor, "a").available_ud == 1_000 * DOLLARS - 41_680_198
    floor.cancel("a", order_id, OPEN_NS)
    assert money(floor, "a").reserved_ud == 0


def test_buying_no_while_long_releases_a_dollar_a_pair() -> None:
    floor = open_floor("a", "b")
    take(floor, "b", wish(ASK, 4_000, 1_000))
    take(floor, "a", wish(BID, 4_000, 1_000))
    before_ud = money(floor, "a").balance_ud
    take(floor, "b", wish(BID, 3_900, 1_000))
    placed = take(floor, "a", wish(ASK, 3_900, 1_000, tif=IOC))
    assert money(floor, "a").balance_ud == before_ud + 3_900_000 - placed.fee_ud
    assert (position_cc(floor, "a"), market(floor).open_interest_cc) == (0, 0)


def test_closing_ask_needs_no_cash() -> None:
    floor = open_floor("a", "b", dollars=11)
    take(floor, "b", wish(ASK, 9_000, 1_000))
    take(floor, "a", wish(BID, 9_000, 1_000))
    take(floor, "a", wish(ASK, 9_500, 1_000))
    assert money(floor, "a").reserved_ud == 0
    # Ten of these close; ninety would open NO at six cents, and the ten at 95 at five: more than is left.
    assert isinstance(floor.place("a", wish(ASK, 9_400, 10_000), OPEN_NS), Rejection)


def test_house_account_is_not_told_of() -> None:
    floor = open_floor("a")
    floor.open_account("house", key_id="house", balance_ud=DOLLARS, is_house=True)
    take(floor, "house", wish(ASK, 4_000, 10_000, client_order_id="x"))
    take(floor, "a", wish(BID, 4_000, 100))
    private = [h for h in floor.drain() if isinstance(h, Filled | OrderChanged | BalanceChanged)]
    assert {h.account for h in private} == {"a"}
    assert (floor.orders("house"), floor.fills("house")) == ((), ())


# A market's life


def quarter_hour(close_ns: int) -> Contract:
    return Contract(
        ticker="KXBTC15M-00",
        event_ticker="KXBTC15M",
        series="KXBTC15M",
        asset="BTC",
        comparison=Comparison.AT_LEAST,
        open_ns=close_ns - 15 * MINUTE_NS,
        close_ns=close_ns,
        round_digits=2,
        grid=TAPERED_GRID,
    )


def publish(floor: Floor, start_ns: int, end_ns: int, value_e8: int) -> None:
    for instant_ns in range(start_ns, end_ns, SECOND_NS):
        floor.publish_index("BTC", instant_ns // SECOND_NS, value_e8, instant_ns)


def test_quarter_hour_gets_its_strike_after_the_opening_and_a_tie_is_yes() -> None:
    opens = OPEN_NS
    floor = Floor(now_ns=opens - 2 * MINUTE_NS)
    floor.list_market(quarter_hour(opens + 15 * MINUTE_NS), FeeSchedule(), 0, floor.now_ns)
    publish(floor, opens - MINUTE_NS, opens, 8_000_000_500_000)
    floor.advance(opens + 699 * MILLISECOND_NS)
    assert market(floor, "KXBTC15M-00").contract.floor_e8 is None
    floor.advance(opens + 700 * MILLISECOND_NS)
    # 80 000.005 is rounded half up to cents.
    assert market(floor, "KXBTC15M-00").contract.floor_e8 == 8_000_001_000_000
    close = opens + 15 * MINUTE_NS
    publish(floor, close - MINUTE_NS, close, 8_000_000_500_000)
    floor.advance(close + 6 * SECOND_NS)
    told = [
        (type(h), h.instant_ns - opens)
        for h in floor.drain()
        if isinstance(
            h,
            MarketListed | MarketActivated | StrikePublished | MarketClosed | MarketDetermined | MarketSettled,
        )
    ]
    assert told == [
        (MarketListed, -2 * MINUTE_NS),
        (MarketActivated, 0),
        (StrikePublished, 700 * MILLISECOND_NS),
        (MarketClosed, 15 * MINUTE_NS),
        (MarketDetermined, 15 * MINUTE_NS + 5 * SECOND_NS),
        (MarketSettled, 15 * MINUTE_NS + 6 * SECOND_NS),
    ]
    view = market(floor, "KXBTC15M-00")
    assert (view.value_ticks, view.expiration_value_e8) == (10_000, 8_000_001_000_000)


@pytest.mark.parametrize(
    ("expected_ticks", "value_e8"), [(10_000, 10_100_000_000), (0, 10_099_000_000), (0, 10_000_000_000)]
)
def test_settlement_pays_the_holders(expected_ticks: int, value_e8: int) -> None:
    floor = open_floor("a", "b")
    take(floor, "a", wish(ASK, 4_000, 1_000))
    take(floor, "b", wish(BID, 4_000, 1_000))
    cash = {name: money(floor, name).balance_ud for name in "ab"}
    publish(floor, CLOSE_NS - MINUTE_NS, CLOSE_NS, value_e8)
    floor.advance(CLOSE_NS + 119 * SECOND_NS)
    assert {name: money(floor, name).balance_ud for name in "ab"} == cash
    assert market(floor).status is MarketStatus.DETERMINED
    floor.advance(CLOSE_NS + 120 * SECOND_NS)
    assert money(floor, "b").balance_ud == cash["b"] + 1_000 * expected_ticks
    assert money(floor, "a").balance_ud == cash["a"] + 1_000 * (10_000 - expected_ticks)
    assert market(floor).status is MarketStatus.FINALIZED
    assert floor.positions("a") == ()
    assert [each.revenue_ud for each in floor.settlements("b")] == [1_000 * expected_ticks]


def test_market_without_its_prints_resolves_no() -> None:
    floor = open_floor("a")
    publish(floor, CLOSE_NS - 59 * SECOND_NS, CLOSE_NS, 10_100_000_000)
    floor.advance(CLOSE_NS + 60 * SECOND_NS)
    assert (market(floor).value_ticks, market(floor).expiration_value_e8) == (0, None)


def test_close_refuses_at_once_and_cancels_a_second_later() -> None:
    floor = open_floor("a")
    order_id = take(floor, "a", wish(BID, 4_000, 100)).order.order_id
    answer = floor.cancel("a", order_id, CLOSE_NS)
    assert isinstance(answer, Rejection)
    assert answer.code == "market_inactive"
    assert floor.cancel_all("a", CLOSE_NS) == ()
    assert floor.open_cc(order_id) == 100
    floor.drain()
    floor.advance(CLOSE_NS + SECOND_NS)
    changed = [h for h in floor.drain() if isinstance(h, OrderChanged)]
    assert [(h.reason, h.instant_ns) for h in changed] == [(UpdateReason.CLOSE_CANCEL, CLOSE_NS + SECOND_NS)]
    assert money(floor, "a").reserved_ud == 0


def test_delays_are_parameters() -> None:
    quick = Delays(determination_ns=SECOND_NS, settlement_ns=2 * SECOND_NS)
    floor = open_floor("a", params=FloorParams(hourly=quick))
    floor.advance(CLOSE_NS + 3 * SECOND_NS)
    assert market(floor).settled_ns == CLOSE_NS + 3 * SECOND_NS


def test_statistics_follow_the_trades() -> None:
    floor = open_floor("a", "b")
    take(floor, "a", wish(ASK, 4_000, 100))
    take(floor, "a", wish(ASK, 4_200, 100))
    take(floor, "b", wish(BID, 4_200, 150))
    view = market(floor)
    assert (view.bid, view.ask) == (None, (4_200, 50))
    assert (view.last_price_ticks, view.last_size_cc) == (4_200, 50)
    assert (view.volume_cc, view.volume_24h_cc, view.open_interest_cc) == (150, 150, 150)
    assert view.turnover_ud == 100 * 4_000 + 50 * 4_200
    assert [trade.size_cc for trade in floor.trades(TICKER)] == [100, 50]


def test_time_never_goes_back() -> None:
    floor = open_floor("a")
    with pytest.raises(AssertionError):
        floor.advance(OPEN_NS - 1)


# Random streams


@settings(max_examples=200)
@given(STREAMS, st.integers(20, 80), st.booleans())
def test_every_promise_under_random_streams(moves: list[Move], dollars: int, is_yes: bool) -> None:
    floor = open_floor(*ACCOUNTS, dollars=dollars)
    watch = Watch(floor)
    for number, move in enumerate(moves):
        watch.act(number, move)
    publish(floor, CLOSE_NS - MINUTE_NS, CLOSE_NS, 10_100_000_000 if is_yes else 0)
    floor.advance(CLOSE_NS + 2 * MINUTE_NS)
    watch.check_end(10_000 if is_yes else 0)
    assert market(floor).open_interest_cc == 0


def test_unknown_market_has_no_view() -> None:
    floor = open_floor("a")
    assert floor.market("KXNONE") is None
    assert floor.levels("KXNONE", BID) == ()
    assert contract().ticker == TICKER
