"""Netting across an event: what is returned is certain, and nobody who uses it ends in debt, whatever fills."""

from typing import assert_never

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairstrike.core.contract import Comparison, Contract
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side, TimeInForce, collateral_ud
from fairstrike.core.timing import MINUTE_NS, SECOND_NS
from fairstrike.core.units import E8_PER_DOLLAR
from fairstrike.exchange.floor import Allocation, Floor, FloorParams, Rejection, Reservation, Transfer, TransferKind
from fairstrike.exchange.happenings import SelfTrade
from fairstrike.exchange.netting import MUTUALLY_EXCLUSIVE, NESTED, basket_of, collateral_return
from tests.unit.exchange.floor_samples import (
    ASK,
    BID,
    CLOSE_NS,
    DOLLARS,
    GTC,
    IOC,
    OPEN_NS,
    contract,
    money,
    position_cc,
    refused,
    take,
    wish,
)
from tests.unit.exchange.streams import DUST_UD, resting

CENT_E8 = E8_PER_DOLLAR // 100
LOW, MIDDLE, HIGH, OTHER = "T100", "T101", "T102", "ETH"
NESTS = [
    contract(ticker, floor_e8=dollars * E8_PER_DOLLAR) for ticker, dollars in ((LOW, 100), (MIDDLE, 101), (HIGH, 102))
]
RANGES = [
    msgspec.structs.replace(
        contract(f"B{dollars}", floor_e8=dollars * E8_PER_DOLLAR),
        event_ticker="KXBTC",
        comparison=Comparison.BETWEEN,
        cap_e8=(dollars + 1) * E8_PER_DOLLAR - CENT_E8,
    )
    for dollars in (100, 101, 102)
]
TAIL = msgspec.structs.replace(
    contract("TAIL", floor_e8=None),
    event_ticker="KXBTC",
    comparison=Comparison.BELOW,
    cap_e8=100 * E8_PER_DOLLAR,
)
ELSEWHERE = msgspec.structs.replace(contract(OTHER), event_ticker="KXETHD", exchange_index=0)
QUARTER = msgspec.structs.replace(contract("Q"), event_ticker="KXBTC15M", comparison=Comparison.AT_LEAST)
MARKETS = (*NESTS, *RANGES, TAIL, ELSEWHERE)
TICKERS = tuple(each.ticker for each in MARKETS)


def netting_floor(*accounts: str, dollars: int = 100, is_netting: bool = True) -> Floor:
    floor = Floor(params=FloorParams(is_netting=is_netting), now_ns=OPEN_NS - SECOND_NS)
    for each in MARKETS:
        floor.list_market(each, FeeSchedule(), 0, floor.now_ns)
    for name in accounts:
        floor.open_account(name, key_id=name, balance_ud=dollars * DOLLARS)
    floor.advance(OPEN_NS)
    return floor


def trade(floor: Floor, buyer: str, seller: str, ticker: str, price_ticks: int, size_cc: int) -> None:
    """Let one account buy YES of another."""
    take(floor, seller, wish(ASK, price_ticks, size_cc, ticker=ticker))
    take(floor, buyer, wish(BID, price_ticks, size_cc, ticker=ticker))


def settle(floor: Floor, value_e8: int | None) -> None:
    for second in range(CLOSE_NS // SECOND_NS - 60, CLOSE_NS // SECOND_NS if value_e8 is not None else 0):
        floor.publish_index("BTC", second, value_e8 or 0, max(floor.now_ns, second * SECOND_NS))
    floor.advance(CLOSE_NS + 2 * MINUTE_NS)


@pytest.mark.parametrize(
    ("contracts", "kind", "outcomes"),
    [
        (NESTS, NESTED, [set(), {LOW}, {LOW, MIDDLE}, {LOW, MIDDLE, HIGH}]),
        ([*RANGES, TAIL], MUTUALLY_EXCLUSIVE, [set(), {"TAIL"}, {"B100"}, {"B101"}, {"B102"}]),
    ],
)
def test_outcomes_of_an_event(contracts: list[Contract], kind: str, outcomes: list[set[str]]) -> None:
    assert collateral_return(contracts) == kind
    basket = basket_of(contracts)
    assert basket is not None
    assert basket.outcomes == {frozenset(each) for each in outcomes}


@pytest.mark.parametrize("contracts", [[QUARTER], NESTS[:1], [NESTS[0], contract("TBD", floor_e8=None)]])
def test_a_market_alone_nets_with_nothing(contracts: list[Contract]) -> None:
    assert basket_of(contracts) is None


@pytest.mark.parametrize(
    ("expected_cc", "deals"),
    [
        # YES of the lower and NO of the higher threshold: one of them pays for sure.
        (100, [(LOW, BID, 100), (HIGH, ASK, 100)]),
        (50, [(LOW, BID, 100), (HIGH, ASK, 50)]),
        (0, [(LOW, ASK, 100), (HIGH, BID, 100)]),
        # NO of three ranges that exclude each other: at least two pay.
        (200, [("B100", ASK, 100), ("B101", ASK, 100), ("B102", ASK, 100)]),
        # YES of every range and of the tail pays nothing for sure: with prints missing all resolve NO.
        (0, [("B100", BID, 100), ("B101", BID, 100), ("B102", BID, 100), ("TAIL", BID, 100)]),
        # Markets of different events have nothing to do with each other.
        (0, [("B100", ASK, 100), (LOW, BID, 100)]),
    ],
)
def test_what_is_returned(expected_cc: int, deals: list[tuple[str, Side, int]]) -> None:
    floor = netting_floor("a", "b", dollars=1_000)
    for ticker, side, size_cc in deals:
        buyer, seller = ("a", "b") if side is BID else ("b", "a")
        trade(floor, buyer, seller, ticker, 5_000, size_cc)
    view = money(floor, "a")
    assert view.returned_ud == expected_cc * 10_000
    assert view.available_ud == view.balance_ud + view.returned_ud


def test_a_closing_order_holds_what_it_would_take() -> None:
    floor = netting_floor("a", "b", dollars=1_000)
    trade(floor, "a", "b", LOW, 5_000, 100)
    trade(floor, "b", "a", HIGH, 5_000, 100)
    take(floor, "a", wish(ASK, 8_000, 100, ticker=LOW))
    # Sold at 80, the YES leg brings 80 cents less the worst fee instead of a dollar for sure.
    assert money(floor, "a").returned_ud == 800_000 - 11_200 - 198
    assert money(floor, "a").reserved_ud == 0


def test_returned_collateral_buys_and_full_collateral_does_not() -> None:
    for is_netting in (True, False):
        floor = netting_floor("a", dollars=105, is_netting=is_netting)
        floor.open_account("b", key_id="b", balance_ud=10_000 * DOLLARS)
        trade(floor, "a", "b", LOW, 4_900, 10_000)
        trade(floor, "b", "a", HIGH, 5_100, 10_000)
        bid = wish(BID, 9_000, 5_000, ticker="B100")
        if is_netting:
            take(floor, "a", bid)
        else:
            assert refused(floor, "a", bid).code == "insufficient_balance"


def test_netting_ends_only_when_nothing_of_it_is_in_use() -> None:
    floor = netting_floor("a", dollars=105)
    floor.open_account("b", key_id="b", balance_ud=10_000 * DOLLARS)
    trade(floor, "a", "b", LOW, 4_900, 10_000)
    trade(floor, "b", "a", HIGH, 5_100, 10_000)
    order = take(floor, "a", wish(BID, 9_000, 5_000, ticker="B100")).order
    stopped = floor.set_netting("a", 0, floor.now_ns, is_netting=False)
    assert isinstance(stopped, Rejection)
    assert stopped.code == "insufficient_balance"
    floor.cancel("a", order.order_id, floor.now_ns)
    assert floor.set_netting("a", 0, floor.now_ns, is_netting=False) is None
    assert (money(floor, "a").returned_ud, money(floor, "a").is_netting) == (0, False)
    assert floor.set_netting("a", 0, floor.now_ns, is_netting=True) is None
    assert money(floor, "a").returned_ud == 100 * DOLLARS
    assert isinstance(floor.set_netting("a", 9, floor.now_ns, is_netting=True), Rejection)


def test_an_order_is_paid_by_the_money_of_its_shard() -> None:
    floor = netting_floor("a", "b")
    assert refused(floor, "a", wish(BID, 5_000, 100, ticker=OTHER)).code == "user_not_found"
    for name in ("a", "b"):
        assert not isinstance(floor.transfer(name, between(floor, 2, 0, 10 * DOLLARS)), Rejection)
    trade(floor, "a", "b", OTHER, 5_000, 1_000)
    assert refused(floor, "b", wish(ASK, 4_000, 1_000, ticker=OTHER)).code == "insufficient_balance"
    here, there = money(floor, "b").on(0), money(floor, "b").on(2)
    assert here is not None
    assert there is not None
    assert (here.balance_ud, there.balance_ud) == (5 * DOLLARS, 90 * DOLLARS)
    settle(floor, None)
    assert [money(floor, name).balance_ud for name in "ab"] == [95 * DOLLARS - 175_000, 105 * DOLLARS]
    assert [each.exchange_index for each in money(floor, "a").shards] == [0, 2]


# Random streams over several markets, shards and subaccounts


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order for a share of what the account can still lock; `is_met` lets the street stand against it first."""

    is_met: bool
    account: str
    subaccount: int
    ticker: str
    side: Side
    price_ticks: int
    percent: int
    tif: TimeInForce


class Close(msgspec.Struct, frozen=True, kw_only=True):
    """An order that would end the account's `index`-th position."""

    account: str
    subaccount: int
    index: int
    price_ticks: int


class Sweep(msgspec.Struct, frozen=True, kw_only=True):
    """The street takes all that rests on one side of a market."""

    ticker: str
    side: Side


class Cancel(msgspec.Struct, frozen=True, kw_only=True):
    account: str
    index: int


class Move(msgspec.Struct, frozen=True, kw_only=True):
    account: str
    source: tuple[int, int]
    target: tuple[int, int]
    amount_ud: int


class Net(msgspec.Struct, frozen=True, kw_only=True):
    account: str
    subaccount: int
    is_netting: bool


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    account: str
    percent: int | None
    reservation: Reservation


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    seconds: int


Act = Order | Close | Sweep | Cancel | Move | Net | Spread | Wait
ACCOUNTS = ("a", "b", "c")
STREET = "street"
_ACCOUNT = st.sampled_from(ACCOUNTS)
_PRICE = st.sampled_from([100, 2_000, 5_000, 8_000, 9_900])
_SUBACCOUNT = st.sampled_from([0, 0, 0, 1])
_PURSE = st.tuples(st.integers(0, 1), st.sampled_from([0, 2, 3]))
_ORDERS = st.builds(
    Order,
    is_met=st.booleans(),
    account=_ACCOUNT,
    subaccount=_SUBACCOUNT,
    ticker=st.sampled_from(TICKERS),
    side=st.sampled_from([BID, ASK]),
    price_ticks=_PRICE,
    percent=st.sampled_from([10, 50, 90]),
    tif=st.sampled_from([GTC, GTC, IOC]),
)
_MOVES = st.builds(Move, account=_ACCOUNT, source=_PURSE, target=_PURSE, amount_ud=st.integers(1, 20 * DOLLARS))
_SPREADS = st.builds(
    Spread, account=_ACCOUNT, percent=st.none() | st.integers(0, 100), reservation=st.sampled_from(list(Reservation))
)
_KINDS: list[st.SearchStrategy[Act]] = [
    *[_ORDERS] * 20,
    *[st.builds(Close, account=_ACCOUNT, subaccount=_SUBACCOUNT, index=st.integers(0, 8), price_ticks=_PRICE)] * 4,
    *[st.builds(Sweep, ticker=st.sampled_from(TICKERS), side=st.sampled_from([BID, ASK]))] * 3,
    st.builds(Cancel, account=_ACCOUNT, index=st.integers(0, 20)),
    _MOVES,
    _MOVES,
    st.builds(Net, account=_ACCOUNT, subaccount=st.integers(0, 1), is_netting=st.sampled_from([True, True, False])),
    _SPREADS,
    st.builds(Wait, seconds=st.integers(1, 16)),
]
ACTS = st.lists(st.sampled_from(range(len(_KINDS))).flatmap(lambda kind: _KINDS[kind]), min_size=40, max_size=80)


def between(floor: Floor, source_shard: int, target_shard: int, amount_ud: int) -> Transfer:
    return Transfer(
        instant_ns=floor.now_ns,
        transfer_id="",
        source=0,
        target=0,
        amount_ud=amount_ud,
        source_shard=source_shard,
        target_shard=target_shard,
        kind=TransferKind.SHARDS,
    )


def place(floor: Floor, act: Order) -> None:
    view = floor.account(act.account, act.subaccount)
    purse = view.on(0 if act.ticker == OTHER else 2) if view else None
    if purse is None:
        return
    size_cc = max(purse.available_ud * act.percent // 100 // collateral_ud(act.side, act.price_ticks, 1), 1)
    wanted = wish(act.side, act.price_ticks, size_cc, tif=act.tif, ticker=act.ticker, subaccount=act.subaccount)
    if act.is_met:
        floor.place(STREET, wish(act.side.opposite, act.price_ticks, size_cc, ticker=act.ticker), floor.now_ns)
    floor.place(act.account, wanted, floor.now_ns)


def close(floor: Floor, act: Close) -> None:
    held = [each for each in floor.positions(act.account, act.subaccount) if each.net_cc]
    if held:
        one = held[act.index % len(held)]
        side = ASK if one.net_cc > 0 else BID
        wanted = wish(side, act.price_ticks, abs(one.net_cc), ticker=one.ticker, subaccount=act.subaccount)
        floor.place(act.account, wanted, floor.now_ns)


def do(floor: Floor, act: Act) -> None:
    now_ns = floor.now_ns
    match act:
        case Order():
            place(floor, act)
        case Close():
            close(floor, act)
        case Sweep():
            size_cc = sum(size for _, size in floor.levels(act.ticker, act.side)) or 1
            worst_ticks = 100 if act.side is BID else 9_900
            sweep = wish(act.side.opposite, worst_ticks, size_cc, tif=IOC, ticker=act.ticker)
            floor.place(STREET, msgspec.structs.replace(sweep, self_trade=SelfTrade.MAKER), now_ns)
        case Cancel():
            orders = resting(floor, act.account)
            if orders:
                order = orders[act.index % len(orders)]
                floor.cancel(act.account, order.order_id, now_ns, subaccount=order.subaccount)
        case Move():
            moved = msgspec.structs.replace(
                between(floor, act.source[1], act.target[1], act.amount_ud), source=act.source[0], target=act.target[0]
            )
            floor.transfer(act.account, moved)
        case Net():
            floor.set_netting(act.account, act.subaccount, now_ns, is_netting=act.is_netting)
        case Spread():
            percents = {} if act.percent is None else {0: act.percent, 2: 100 - act.percent}
            floor.allocate(act.account, Allocation(percents=percents, reservation=act.reservation), now_ns)
        case Wait():
            floor.advance(now_ns + act.seconds * SECOND_NS)
        case _:
            assert_never(act)


def check(floor: Floor, total_ud: int) -> None:
    """No money comes or goes, and no shard of anybody has locked more than it has."""
    assert floor.total_ud() == total_ud
    for name in ACCOUNTS:
        for view in floor.subaccounts(name):
            assert sum(each.balance_ud for each in view.shards) == view.balance_ud
            for shard in view.shards:
                assert shard.available_ud >= -DUST_UD


@settings(max_examples=150)
@given(ACTS, st.integers(5, 30), st.sampled_from([None, 99, 100, 101, 102, 103]))
def test_nobody_ends_in_debt_on_any_shard(acts: list[Act], dollars: int, mean_dollars: int | None) -> None:
    floor = netting_floor(*ACCOUNTS, dollars=dollars)
    floor.open_account(STREET, key_id=STREET, balance_ud=0, is_house=True)
    for name in ACCOUNTS:
        assert floor.open_subaccount(name) == 1
    total_ud = floor.total_ud()
    for act in acts:
        do(floor, act)
        check(floor, total_ud)
    settle(floor, None if mean_dollars is None else mean_dollars * E8_PER_DOLLAR + CENT_E8)
    check(floor, total_ud)
    for name in ACCOUNTS:
        assert position_cc(floor, name) == 0
        for view in floor.subaccounts(name):
            assert (view.reserved_ud, view.returned_ud) == (0, 0)
            assert min(each.balance_ud for each in view.shards) >= -DUST_UD
