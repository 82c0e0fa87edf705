"""The risk door: each rule at its boundary, with the value and the limit it reports."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Approved, Intent, Order, OrderState, Position, Refused, Side, Signal, TimeInForce
from fairstrike.core.regime import Regime, RegimeSeen
from fairstrike.market.book import Book
from fairstrike.market.index import Divergence, Reference
from fairstrike.market.view import MarketView
from fairstrike.risk.limits import Door, Exposure, Pace, Params, order_charge_ud
from tests.unit import engine_samples
from tests.unit.risk.samples import ASK, BID, DOLLAR, NOW, SECOND, T, exposure, order, signal, view

Refusal = tuple[str, int, int]
LONG, SHORT = Position(ticker=T, net_cc=500), Position(ticker=T, net_cc=-500)


def judged(
    one: Signal, where: MarketView | None = None, stake: Exposure | None = None, params: Params | None = None
) -> Refusal | None:
    """Rule, value and limit of a refusal by a fresh door; None when approved."""
    return verdict(Door(params or Params()), one, where, stake)


def verdict(door: Door, one: Signal, where: MarketView | None = None, stake: Exposure | None = None) -> Refusal | None:
    found = door.judge(one, where or view(), stake or exposure())
    assert one is found.signal
    return (found.rule, found.value, found.limit) if isinstance(found, Refused) else None


def test_a_sound_signal_is_approved() -> None:
    assert Approved(signal=signal(), reduce_only=False) == Door(Params()).judge(signal(), view(), exposure())


@pytest.mark.parametrize(
    ("reduce_only", "intent", "tif"),
    [
        (False, Intent.OPEN, TimeInForce.IOC),
        (True, Intent.REDUCE, TimeInForce.IOC),
        (True, Intent.UNWIND, TimeInForce.IOC),
        (False, Intent.REDUCE, TimeInForce.GTC),
    ],
)
def test_what_closes_at_once_may_only_reduce(reduce_only: bool, intent: Intent, tif: TimeInForce) -> None:
    found = Door(Params()).judge(signal(intent=intent, tif=tif), view(position=SHORT), exposure())
    assert isinstance(found, Approved)
    assert reduce_only is found.reduce_only


# The order itself

BOUNDS = Params(price_ticks_min=500, price_ticks_max=9_500, size_cc_min=10, size_cc_max=200)
EMPTY = view(book=Book(), position=Position(ticker=T, net_cc=-9_999))


@pytest.mark.parametrize("intent", list(Intent))
@pytest.mark.parametrize(
    ("refusal", "price", "size"),
    [
        (None, 500, 10),
        (("price_min", 499, 500), 499, 100),
        (None, 9_500, 10),
        (("price_max", 9_501, 9_500), 9_501, 10),
        (("tick_grid", 4_050, 4_000), 4_050, 10),
        (("size_min", 9, 10), 4_000, 9),
        (None, 4_000, 200),
    ],
)
def test_form(refusal: Refusal | None, price: int, size: int, intent: Intent) -> None:
    assert refusal == judged(signal(price=price, size=size, intent=intent), EMPTY, params=BOUNDS)


@pytest.mark.parametrize(
    ("refusal", "intent"), [(("size_max", 201, 200), Intent.OPEN), (None, Intent.REDUCE), (None, Intent.UNWIND)]
)
def test_only_opening_has_a_largest_size(refusal: Refusal | None, intent: Intent) -> None:
    assert refusal == judged(signal(size=201, intent=intent), EMPTY, params=BOUNDS)


# The state of the market


@pytest.mark.parametrize("intent", list(Intent))
@pytest.mark.parametrize(
    ("refusal", "changes"),
    [
        (None, {"closes_in_ns": 1}),
        (("market_open", 0, 0), {"closes_in_ns": 0}),
        (("market_open", -2, 0), {"closes_in_ns": -2 * SECOND}),
        (("market_open", 7, 0), {"is_open": False, "closes_in_ns": 7 * SECOND}),
        (("stale_book", 0, 1), {"book": None}),
    ],
)
def test_market_and_book(refusal: Refusal | None, changes: dict[str, object], intent: Intent) -> None:
    assert refusal == judged(signal(intent=intent), view(position=SHORT, **changes))


def test_only_opening_needs_a_book_of_the_stream() -> None:
    assert judged(signal(), view(is_polled=True)) == ("polled_book", 1, 0)
    assert judged(signal(intent=Intent.REDUCE), view(is_polled=True, position=SHORT)) is None


@pytest.mark.parametrize("changes", [{"p_fair": None}, {"reference": None}])
def test_only_opening_needs_the_index(changes: dict[str, object]) -> None:
    assert judged(signal(), view(**changes)) == ("stale_index", 0, 1)
    assert judged(signal(intent=Intent.REDUCE), view(position=SHORT, **changes)) is None


@pytest.mark.parametrize("regime", [None, Regime.CALM, Regime.TRENDING])
def test_other_regimes_open(regime: Regime | None) -> None:
    seen = None if regime is None else RegimeSeen(asset="BTC", source="official", regime=regime, level=None)
    assert judged(signal(), view(regime=seen)) is None


def test_nothing_is_opened_in_a_spiky_market_and_exits_pass() -> None:
    spiky = RegimeSeen(asset="BTC", source="official", regime=Regime.SPIKY, level=None)
    assert judged(signal(), view(regime=spiky)) == ("spiky_regime", 1, 0)
    for intent in (Intent.REDUCE, Intent.UNWIND):
        assert judged(signal(intent=intent), view(position=SHORT, regime=spiky)) is None


def test_nothing_is_opened_while_the_two_venues_contradict_each_other() -> None:
    apart = Reference(
        value_e8=1, sd_e8=0, source="official", at_ns=NOW, divergence=Divergence(ppm=1_200, limit_ppm=1_000)
    )
    assert judged(signal(), view(reference=apart)) == ("divergence", 1_200, 1_000)
    assert judged(signal(intent=Intent.REDUCE), view(position=SHORT, reference=apart)) is None


@pytest.mark.parametrize(
    ("refusal", "side", "price", "rests_on", "rests_at"),
    [
        (("self_cross", 4_000, 4_000), BID, 4_000, ASK, 4_000),
        (("self_cross", 4_100, 4_000), BID, 4_100, ASK, 4_000),
        (None, BID, 3_900, ASK, 4_000),
        (("self_cross", 4_000, 4_000), ASK, 4_000, BID, 4_000),
        (None, ASK, 4_100, BID, 4_000),
        (None, BID, 4_000, BID, 4_000),
    ],
)
@pytest.mark.parametrize("state", [OrderState.SENDING, OrderState.UNKNOWN, OrderState.RESTING, OrderState.CANCELLING])
def test_self_cross(
    refusal: Refusal | None, side: Side, price: int, rests_on: Side, rests_at: int, state: OrderState
) -> None:
    where = view(working=(order(rests_on, rests_at, state=state),))
    assert refusal == judged(signal(side, price), where)


@pytest.mark.parametrize(
    ("refusal", "side", "price", "post_only"),
    [
        (None, BID, 4_700, False),
        (("slippage", 600, 500), BID, 4_800, False),
        (None, BID, 4_800, True),
        (None, ASK, 3_500, False),
        (("slippage", 600, 500), ASK, 3_400, False),
    ],
)
def test_slippage_past_the_touch(refusal: Refusal | None, side: Side, price: int, post_only: bool) -> None:
    assert refusal == judged(signal(side, price, post_only=post_only))


def test_an_empty_side_cannot_slip() -> None:
    assert judged(signal(price=9_900), view(book=Book())) is None


# Opening

SHARES = Params(
    order_share_max=0.10, strike_share_max=0.15, group_share_max=0.30, total_share_max=0.75, cash_buffer_share=0.25
)


@pytest.mark.parametrize(
    ("refusal", "size", "changes"),
    [
        # A contract at 0.40 costs 0.40; ten dollars an order are 25 contracts.
        (None, 2_500, {}),
        (("order_share", 10_004_000, 10 * DOLLAR), 2_501, {}),
        (None, 2_500, {"strike_ud": 5 * DOLLAR}),
        (("strike_share", 15 * DOLLAR + 1, 15 * DOLLAR), 2_500, {"strike_ud": 5 * DOLLAR + 1}),
        (None, 2_500, {"group_ud": 20 * DOLLAR}),
        (("group_share", 30 * DOLLAR + 1, 30 * DOLLAR), 2_500, {"group_ud": 20 * DOLLAR + 1}),
        (None, 2_500, {"total_ud": 65 * DOLLAR}),
        (("total_share", 75 * DOLLAR + 1, 75 * DOLLAR), 2_500, {"total_ud": 65 * DOLLAR + 1}),
        (None, 2_500, {"available_ud": 35 * DOLLAR}),
        (("cash_buffer", 10 * DOLLAR, 10 * DOLLAR - 1), 2_500, {"available_ud": 35 * DOLLAR - 1}),
        (("cash_buffer", 400_000, -5 * DOLLAR), 100, {"available_ud": 20 * DOLLAR}),
        (("order_share", 400_000, 0), 100, {"equity_day_ud": 0}),
    ],
)
def test_share(refusal: Refusal | None, size: int, changes: dict[str, object]) -> None:
    assert refusal == judged(signal(size=size), stake=exposure(**changes), params=SHARES)


@pytest.mark.parametrize(
    ("refusal", "params", "total_ud"),
    [
        (None, Params(order_dollars_max=0.4), 0),
        (("order_dollars", 400_000, 399_999), Params(order_dollars_max=0.399999), 0),
        (None, Params(total_dollars_max=1.4), DOLLAR),
        (("total_dollars", 1_400_001, 1_400_000), Params(total_dollars_max=1.4), DOLLAR + 1),
    ],
)
def test_absolute_cap(refusal: Refusal | None, params: Params, total_ud: int) -> None:
    assert refusal == judged(signal(), stake=exposure(total_ud=total_ud), params=params)


@pytest.mark.parametrize(
    ("refusal", "groups"),
    [(None, "abc"), (("positions_max", 5, 4), "abcd"), (None, "abcg"), (None, "abcdefg")],
)
def test_number_of_positions(refusal: Refusal | None, groups: str) -> None:
    stake = exposure(markets=frozenset(groups))
    assert refusal == judged(signal(), stake=stake, params=Params(positions_max=4))


@pytest.mark.parametrize(
    ("charge", "side", "price", "schedule"),
    [
        (400_000, BID, 4_000, FeeSchedule(taker_ppm=0)),
        (600_000, ASK, 4_000, FeeSchedule(taker_ppm=0)),
        (416_800, BID, 4_000, FeeSchedule()),
        (616_800, ASK, 4_000, FeeSchedule()),
    ],
)
def test_the_charge_is_collateral_and_the_takers_fee(
    charge: int, side: Side, price: int, schedule: FeeSchedule
) -> None:
    assert charge == order_charge_ud(side, price, 100, view(schedule=schedule))


def test_a_pause_stops_opening_only() -> None:
    door = Door(Params())
    door.is_paused = True
    assert verdict(door, signal()) == ("paused", 1, 0)
    assert verdict(door, signal(intent=Intent.REDUCE), view(position=SHORT)) is None
    door.is_paused = False
    assert verdict(door, signal(size=101)) is None


# Reducing and unwinding


@pytest.mark.parametrize("intent", [Intent.REDUCE, Intent.UNWIND])
@pytest.mark.parametrize(
    ("refusal", "side", "size", "position"),
    [
        (None, ASK, 500, LONG),
        (("larger_than_position", 501, 500), ASK, 501, LONG),
        (("larger_than_position", 1, 0), BID, 1, LONG),
        (None, BID, 500, SHORT),
        (("larger_than_position", 501, 500), BID, 501, SHORT),
        (("larger_than_position", 1, 0), ASK, 1, SHORT),
        (("larger_than_position", 1, 0), ASK, 1, Position(ticker=T)),
    ],
)
def test_never_larger_than_the_position(
    refusal: Refusal | None, side: Side, size: int, position: Position, intent: Intent
) -> None:
    assert refusal == judged(signal(side, size=size, intent=intent), view(position=position))


@pytest.mark.parametrize("intent", [Intent.REDUCE, Intent.UNWIND])
@pytest.mark.parametrize(
    ("refusal", "size", "working"),
    [
        (None, 200, (order(ASK, size=300, intent=Intent.REDUCE),)),
        (("larger_than_position", 201, 200), 201, (order(ASK, size=300, intent=Intent.REDUCE),)),
        (None, 300, (order(ASK, size=300, filled=100, intent=Intent.UNWIND),)),
        (("larger_than_position", 301, 300), 301, (order(ASK, size=300, filled=100, intent=Intent.UNWIND),)),
        (
            ("larger_than_position", 1, 0),
            1,
            (order(ASK, size=300, intent=Intent.REDUCE), order(ASK, size=201, intent=Intent.UNWIND)),
        ),
        (None, 500, (order(ASK, size=300),)),
        (None, 500, (order(BID, price=3_900, size=300, intent=Intent.REDUCE),)),
        (None, 500, (order(ASK, size=300, intent=Intent.REDUCE, state=OrderState.CANCELLED),)),
    ],
)
def test_working_closing_orders_and_a_new_one_are_never_larger_than_the_position(
    refusal: Refusal | None, size: int, working: tuple[Order, ...], intent: Intent
) -> None:
    assert refusal == judged(signal(ASK, size=size, intent=intent), view(position=LONG, working=working))


@pytest.mark.parametrize("intent", [Intent.REDUCE, Intent.UNWIND])
def test_reducing_passes_where_nothing_may_be_opened(intent: Intent) -> None:
    broke = exposure(equity_day_ud=0, available_ud=-1, total_ud=10**12, markets=frozenset("abcdefghijklm"))
    where = view(position=LONG, p_fair=None, reference=None)
    door = Door(Params(order_dollars_max=0.0, pace=Pace(per_second_max=0, per_minute_max=0)))
    door.is_paused = True
    for _ in range(3):
        assert verdict(door, signal(ASK, intent=intent), where, broke) is None


# Pace


@pytest.mark.parametrize(
    ("refusal", "after_ns"),
    [
        (("identical_order", 0, 1_000), 0),
        (("identical_order", 999, 1_000), SECOND - 1),
        (None, SECOND),
    ],
)
def test_an_identical_order_within_a_second(refusal: Refusal | None, after_ns: int) -> None:
    door = Door(Params())
    assert verdict(door, signal()) is None
    assert refusal == verdict(door, signal(), view(now_ns=NOW + after_ns))


@pytest.mark.parametrize(
    "other",
    [signal(strategy="other"), signal(ticker="other"), signal(ASK), signal(price=3_900), signal(size=101)],
)
def test_what_is_not_identical(other: Signal) -> None:
    door = Door(Params())
    assert verdict(door, signal()) is None
    assert verdict(door, other) is None


def test_a_refused_order_is_not_remembered() -> None:
    door = Door(Params())
    assert verdict(door, signal(), view(book=None)) is not None
    assert verdict(door, signal()) is None


def paced(door: Door, number: int, at_ns: int, strategy: str = "taker") -> Refusal | None:
    return verdict(door, signal(size=100 + number, strategy=strategy), view(now_ns=NOW + at_ns))


def test_orders_per_second() -> None:
    door = Door(Params(pace=Pace(per_second_max=2)))
    assert [paced(door, n, n) for n in range(2)] == [None, None]
    assert paced(door, 2, SECOND - 1) == ("orders_per_second", 3, 2)
    assert paced(door, 3, SECOND) is None


def test_orders_per_minute() -> None:
    door = Door(Params(pace=Pace(per_minute_max=3)))
    assert [paced(door, n, n * SECOND) for n in range(3)] == [None] * 3
    assert paced(door, 3, 60 * SECOND - 1) == ("orders_per_minute", 4, 3)
    assert paced(door, 4, 60 * SECOND) is None


def test_each_strategy_has_its_own_pace() -> None:
    door = Door(Params(pace=Pace(per_second_max=1), paces={"fast": Pace(per_second_max=2)}))
    assert paced(door, 0, 0, "slow") is None
    assert paced(door, 1, 0, "slow") == ("orders_per_second", 2, 1)
    assert [paced(door, n, 0, "fast") for n in (2, 3)] == [None, None]
    assert paced(door, 4, 0, "fast") == ("orders_per_second", 3, 2)


def test_reducing_orders_count_towards_the_pace_of_opening() -> None:
    door = Door(Params(pace=Pace(per_second_max=1)))
    assert verdict(door, signal(intent=Intent.REDUCE), view(position=SHORT)) is None
    assert verdict(door, signal(size=50)) == ("orders_per_second", 2, 1)


STEPS = st.lists(st.tuples(st.integers(0, 400), st.sampled_from("ab"), st.integers(1, 3)), max_size=40)


@given(STEPS)
def test_pace_agrees_with_a_plain_log(steps: list[tuple[int, str, int]]) -> None:
    door, now_ns = Door(Params(pace=Pace(per_second_max=3, per_minute_max=6))), 0
    log: list[tuple[int, str, int]] = []
    for gap_ms, strategy, number in steps:
        now_ns += gap_ms * 10 * SECOND // 1_000
        since = [(now_ns - at, size) for at, who, size in log if who == strategy]
        last = min((age for age, size in since if size == number), default=SECOND)
        minute, second = (sum(1 for age, _ in since if age < span * SECOND) for span in (60, 1))
        expected: Refusal | None = None
        if last < SECOND:
            expected = ("identical_order", last // 1_000_000, 1_000)
        elif minute >= 6:
            expected = ("orders_per_minute", minute + 1, 6)
        elif second >= 3:
            expected = ("orders_per_second", second + 1, 3)
        assert expected == paced(door, number, now_ns, strategy)
        if expected is None:
            log.append((now_ns, strategy, number))


def test_nothing_is_opened_for_five_seconds_after_coinbase_and_kraken_contradict_each_other() -> None:
    hall = engine_samples.Hall().opened()

    def wished(second: int, kraken: int, intent: Intent = Intent.OPEN) -> list[str]:
        hall.feed(
            engine_samples.printed(second, source="coinbase"), engine_samples.printed(second, kraken, source="kraken")
        )
        hall.asking.wishes = [engine_samples.signal(intent=intent)]
        return [
            refused.rule for refused in engine_samples.of(Refused, hall.feed(engine_samples.printed(second)).records)
        ]

    assert wished(41, 80_081) == ["divergence"]
    assert wished(45, 80_000) == ["divergence"]
    # What reduces is not stopped by it; there is nothing to reduce here.
    assert wished(45, 80_000, Intent.REDUCE) != ["divergence"]
    assert wished(46, 80_000) == []
    # Binance is quoted in another dollar and contradicts nobody.
    hall.feed(engine_samples.printed(47, 90_000, source="binance"))
    assert wished(47, 80_000) == []
