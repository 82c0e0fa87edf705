"""Orders: answers in every order, twice, late; each fill booked once; the right end."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairstrike.core.effects import CancelOrder, SendOrder
from fairstrike.core.events import (
    CancelAnswered,
    CancelFailed,
    OrderDoubted,
    OrderRejected,
    OrdersRead,
)
from fairstrike.core.ids import OrderIdParts, account_tag, unpack_order_id
from fairstrike.core.order import TERMINAL_STATES, Approved, Order, OrderState, Side, TimeInForce
from fairstrike.core.records import Booked, OrderMoved
from fairstrike.execution import orders as orders_module
from fairstrike.execution.ledger import Ledger
from fairstrike.execution.orders import OrderEvent, Orders
from fairstrike.execution.reconcile import Params
from tests.unit.execution.samples import (
    ASK,
    BID,
    GTC,
    IOC,
    SECOND,
    TICKER,
    acked,
    approved,
    fill,
    listed,
    reported,
)
from tests.unit.execution.unruly_venue import FewRolls, UnrulyVenue, flow_ud

TAG = account_tag("key")


def tell_whole(orders: Orders, event: OrderEvent) -> None:
    """Fills and ended orders are read beside each list of resting ones, and told whole."""
    if isinstance(event, OrdersRead):
        for what in ("fills", "order_states"):
            orders.read(what, event.asked_ns)


class Desk:
    """Orders with a ledger and one order placed."""

    def __init__(self, wish: Approved | None = None) -> None:
        self.ledger = Ledger()
        self.orders = Orders(TAG, 7, self.ledger, Params())
        self.key = self.orders.place(wish or approved(), 1, 0, 0).client_order_id

    @property
    def order(self) -> Order:
        return self.orders.by_id[self.key]

    def hear(self, *events: OrderEvent) -> "Desk":
        for event in events:
            tell_whole(self.orders, event)
            self.orders.fold(event)
        return self

    def stands(self, state: OrderState, filled_cc: int) -> bool:
        """Whether the order stands so, and the ledger holds exactly what it filled."""
        assert filled_cc == self.ledger.position(TICKER).net_cc
        return (state, filled_cc) == (self.order.state, self.order.filled_cc)


def resting() -> Desk:
    desk = Desk()
    return desk.hear(acked(desk.key, 0, 1_000))


def cancelling() -> Desk:
    desk = resting()
    assert desk.orders.cancel(desk.key, 0) is not None
    return desk


def answered(key: str, reduced: int, recv_ns: int = 0) -> CancelAnswered:
    return CancelAnswered(client_order_id=key, reduced_cc=reduced, recv_ns=recv_ns)


def doubted(key: str, recv_ns: int = 0) -> OrderDoubted:
    return OrderDoubted(client_order_id=key, reason="time-out", recv_ns=recv_ns)


# Placing and cancelling


def test_place_gives_the_effect_of_the_signal() -> None:
    orders = Orders(TAG, 7, Ledger(), Params())
    effect = orders.place(approved(ASK, 5_100, 300, IOC), 9, 4, 55)
    expected = SendOrder(
        client_order_id=effect.client_order_id,
        ticker=TICKER,
        side=ASK,
        price_ticks=5_100,
        size_cc=300,
        tif=IOC,
        post_only=False,
        reduce_only=False,
        exchange_index=4,
    )
    assert expected == effect
    (order,) = orders.all_working()
    assert (order.state, order.created_ns, order.remaining_cc) == (OrderState.SENDING, 55, 300)


def test_ids_name_run_and_strategy_and_never_repeat() -> None:
    orders = Orders(TAG, 7, Ledger(), Params())
    ids = [orders.place(approved(), code, 0, 0).client_order_id for code in (3, 3, 250)]
    expected = [OrderIdParts(tag=TAG, run_ms=7, strategy=code, counter=n) for n, code in enumerate((3, 3, 250))]
    assert expected == [unpack_order_id(key) for key in ids]


def test_cancel_of_a_resting_order() -> None:
    desk = resting()
    expected = CancelOrder(client_order_id=desk.key, order_id="v1", ticker=TICKER, exchange_index=3)
    assert expected == desk.orders.cancel(desk.key, 3)
    assert desk.stands(OrderState.CANCELLING, 0)
    assert desk.orders.cancel(desk.key, 3) is None


def test_what_does_not_rest_cannot_be_cancelled() -> None:
    assert Desk().orders.cancel("never heard of", 0) is None
    desk = Desk()
    assert desk.orders.cancel(desk.key, 0) is None
    desk.hear(doubted(desk.key))
    assert desk.orders.cancel(desk.key, 0) is None


# Fills before, with and after answers


def test_fill_before_ack() -> None:
    desk = Desk()
    desk.hear(fill("t1", 400, desk.key))
    assert desk.stands(OrderState.SENDING, 400)
    desk.hear(acked(desk.key, 400, 600))
    assert desk.stands(OrderState.RESTING, 400)


def test_acknowledged_as_resting_after_its_last_fill() -> None:
    desk = Desk()
    desk.hear(fill("t1", 1_000, desk.key), acked(desk.key, 0, 1_000))
    assert desk.stands(OrderState.EXECUTED, 1_000)
    assert not desk.orders.all_working()


def test_a_fill_that_names_only_the_venues_id_waits_for_it() -> None:
    desk = Desk()
    desk.hear(fill("t1", 400))
    assert desk.stands(OrderState.SENDING, 0)
    desk.hear(acked(desk.key, 400, 600))
    assert desk.stands(OrderState.RESTING, 400)
    desk.hear(fill("t2", 600))
    assert desk.stands(OrderState.EXECUTED, 1_000)


def test_a_fill_is_booked_once_whichever_way_it_came() -> None:
    desk = Desk()
    desk.hear(fill("t1", 400), fill("t1", 400), fill("t1", 400, desk.key), acked(desk.key, 400, 600))
    desk.hear(fill("t1", 400), fill("t1", 400, desk.key))
    assert desk.stands(OrderState.RESTING, 400)
    assert [one.fill.trade_id for one in desk.orders.drain() if isinstance(one, Booked)] == ["t1"]


def test_strange_fills_are_kept_once_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders_module, "_ORPHANS_MAX", 3)
    desk = Desk()
    for _ in range(5):
        desk.hear(*(fill(f"t{number}", 1, order_id=f"w{number}") for number in range(10)))
    desk.hear(fill("t10", 400), acked(desk.key, 400, 600))
    assert desk.stands(OrderState.RESTING, 400)
    desk.hear(reported(desk.key, "resting", order_id="w9"))
    assert desk.stands(OrderState.RESTING, 401)
    desk.hear(reported(desk.key, "resting", order_id="w0"))
    assert desk.stands(OrderState.RESTING, 401)


def test_a_strange_fill_with_a_foreign_client_id_is_not_ours() -> None:
    desk = Desk().hear(fill("t1", 400, "by hand", order_id="w"))
    assert desk.stands(OrderState.SENDING, 0)
    assert desk.ledger.cash_ud == 0


def test_filled_beyond_its_size_is_an_error() -> None:
    desk = Desk()
    with pytest.raises(AssertionError, match="filled beyond its size"):
        desk.hear(fill("t1", 1_001, desk.key))


# Immediate or cancel


def test_ioc_partly_filled_ends_with_its_fills() -> None:
    desk = Desk(approved(tif=IOC))
    desk.hear(acked(desk.key, 700, 0))
    assert desk.stands(OrderState.SENDING, 0)
    assert desk.orders.has_unknown()
    desk.hear(fill("t1", 300))
    assert desk.stands(OrderState.SENDING, 300)
    desk.hear(fill("t2", 400))
    assert desk.stands(OrderState.CANCELLED, 700)
    assert not desk.orders.has_unknown()


@pytest.mark.parametrize(
    ("state", "filled"), [(OrderState.CANCELLED, 0), (OrderState.CANCELLED, 700), (OrderState.EXECUTED, 1_000)]
)
def test_ioc_whose_fills_came_first(state: OrderState, filled: int) -> None:
    desk = Desk(approved(tif=IOC))
    if filled:
        desk.hear(fill("t1", filled, desk.key))
    assert desk.hear(acked(desk.key, filled, 0)).stands(state, filled)


# Cancels


def test_cancel_answered_before_the_ack() -> None:
    desk = Desk()
    desk.hear(reported(desk.key, "resting"))
    assert desk.orders.cancel(desk.key, 0) is not None
    desk.hear(answered(desk.key, 1_000), acked(desk.key, 0, 1_000))
    assert desk.stands(OrderState.CANCELLED, 0)


def test_a_cancelled_order_waits_for_the_fills_it_had() -> None:
    desk = cancelling()
    desk.hear(answered(desk.key, 600))
    assert desk.stands(OrderState.CANCELLING, 0)
    assert [desk.key] == [order.client_order_id for order in desk.orders.all_working()]
    assert desk.hear(fill("t1", 400)).stands(OrderState.CANCELLED, 400)


def test_a_cancel_that_found_nothing_waits_for_what_ended_it() -> None:
    desk = cancelling()
    desk.hear(answered(desk.key, 0))
    assert desk.stands(OrderState.UNKNOWN, 0)
    assert desk.order.remaining_cc == 1_000
    assert desk.hear(fill("t1", 1_000)).stands(OrderState.EXECUTED, 1_000)


def test_a_cancel_that_found_nothing_ends_with_the_report() -> None:
    desk = cancelling()
    desk.hear(answered(desk.key, 0), reported(desk.key, "canceled", 300))
    assert desk.stands(OrderState.UNKNOWN, 0)
    assert desk.hear(fill("t1", 300)).stands(OrderState.CANCELLED, 300)


def test_a_cancel_that_found_nothing_is_over_when_two_lists_lack_it() -> None:
    desk = cancelling()
    desk.hear(answered(desk.key, 0, recv_ns=5), listed(5), listed(5 + SECOND))
    assert desk.stands(OrderState.CANCELLED, 0)


def test_a_failed_cancel_can_be_asked_again() -> None:
    desk = cancelling()
    failed = CancelFailed(client_order_id=desk.key, reason="time-out", recv_ns=0)
    assert desk.hear(failed, failed).stands(OrderState.RESTING, 0)
    assert desk.orders.cancel(desk.key, 0) is not None


def test_a_fill_after_the_end_counts_in_the_ledger() -> None:
    desk = cancelling()
    desk.hear(reported(desk.key, "canceled", 0), fill("t1", 400))
    assert desk.stands(OrderState.CANCELLED, 400)


# Doubt


def test_doubt_after_the_stream_has_shown_it() -> None:
    desk = Desk()
    desk.hear(reported(desk.key, "resting"), doubted(desk.key))
    assert desk.stands(OrderState.RESTING, 0)


def test_doubt_while_it_is_being_cancelled() -> None:
    desk = Desk()
    desk.hear(reported(desk.key, "resting"))
    desk.orders.cancel(desk.key, 0)
    assert desk.hear(doubted(desk.key)).stands(OrderState.CANCELLING, 0)


def test_rejected_after_the_stream_told_of_its_end() -> None:
    desk = Desk()
    refused = OrderRejected(client_order_id=desk.key, code="post_only_cross", message="", recv_ns=0)
    assert desk.hear(reported(desk.key, "canceled"), refused).stands(OrderState.CANCELLED, 0)


def test_unknown_is_found_resting_in_a_list() -> None:
    desk = Desk()
    desk.hear(doubted(desk.key), fill("t1", 100), listed(1, reported(desk.key, "resting", 100)))
    assert desk.stands(OrderState.RESTING, 100)
    assert desk.orders.cancel(desk.key, 0) is not None


def test_unknown_is_gone_when_two_lists_after_the_doubt_lack_it() -> None:
    desk = Desk()
    desk.hear(doubted(desk.key, recv_ns=SECOND))
    # Asked for before the doubt: the request may have been on its way still.
    desk.hear(listed(SECOND - 1, recv_ns=SECOND + 1), listed(2 * SECOND))
    assert desk.stands(OrderState.UNKNOWN, 0)
    desk.hear(listed(3 * SECOND - 1))
    assert desk.stands(OrderState.UNKNOWN, 0)
    assert desk.hear(listed(3 * SECOND)).stands(OrderState.CANCELLED, 0)


@pytest.mark.parametrize("unread", ["fills", "order_states"])
def test_unknown_is_not_gone_while_its_fills_cannot_be_read(unread: str) -> None:
    desk = Desk()
    desk.hear(doubted(desk.key, recv_ns=SECOND))
    for asked_ns in (2 * SECOND, 4 * SECOND, 90 * SECOND):
        desk.orders.read("fills" if unread == "order_states" else "order_states", asked_ns)
        desk.orders.fold(listed(asked_ns))
    assert desk.stands(OrderState.UNKNOWN, 0)


def test_lists_while_the_request_is_under_way_count_for_nothing() -> None:
    desk = Desk()
    desk.hear(listed(SECOND), listed(3 * SECOND))
    assert desk.stands(OrderState.SENDING, 0)
    desk.hear(acked(desk.key, 0, 1_000, recv_ns=3 * SECOND + 5), listed(4 * SECOND))
    assert desk.stands(OrderState.RESTING, 0)


def test_a_list_that_shows_it_starts_the_search_anew() -> None:
    desk = resting()
    shown = reported(desk.key, "resting")
    desk.hear(listed(SECOND), listed(2 * SECOND - 1, shown), listed(3 * SECOND - 2))
    assert desk.stands(OrderState.RESTING, 0)
    assert desk.hear(listed(4 * SECOND - 2)).stands(OrderState.CANCELLED, 0)


def test_a_list_does_not_end_an_order_whose_fill_is_missing() -> None:
    desk = Desk(approved(tif=IOC))
    desk.hear(acked(desk.key, 700, 0, recv_ns=1), listed(2), listed(2 * SECOND))
    assert desk.stands(OrderState.SENDING, 0)
    assert desk.hear(fill("t1", 700)).stands(OrderState.CANCELLED, 700)


# What is kept


def test_events_of_strangers_touch_nothing() -> None:
    orders = Orders(TAG, 7, Ledger(), Params())
    events: list[OrderEvent] = [acked("x", 0, 1), reported("x", "resting"), doubted("x"), answered("x", 1)]
    events += [listed(1, reported("x", "resting")), OrderRejected(client_order_id="x", code="", message="", recv_ns=0)]
    assert [orders.fold(event) for event in events] == [[]] * 6
    assert not orders.by_id
    assert not orders.drain()


def test_fold_gives_the_markets_concerned() -> None:
    desk = Desk()
    assert desk.orders.fold(acked(desk.key, 0, 1_000)) == [TICKER]
    assert desk.orders.fold(fill("t1", 1)) == [TICKER]
    assert desk.orders.fold(fill("t1", 1)) == []


def test_working_orders_by_market_and_age() -> None:
    orders = Orders(TAG, 7, Ledger(), Params())
    keys = [orders.place(approved(ticker=ticker), 1, 0, 0).client_order_id for ticker in ("B", "A", "B")]
    assert [keys[1], keys[0], keys[2]] == [order.client_order_id for order in orders.all_working()]
    assert [keys[0], keys[2]] == [order.client_order_id for order in orders.of_market("B")]
    for number, key in enumerate(keys):
        orders.fold(acked(key, 0, 0, order_id=f"v{number}"))
    assert ({}, keys, ()) == (orders.working, orders.ended, orders.of_market("B"))


def test_moves_are_told_once_and_only_when_something_shown_changed() -> None:
    desk = Desk()
    desk.hear(acked(desk.key, 0, 1_000), acked(desk.key, 0, 1_000), fill("t1", 1_000))
    told = desk.orders.drain()
    assert not desk.orders.drain()
    moves = [(one.state, one.filled_cc, one.order_id) for one in told if isinstance(one, OrderMoved)]
    expected = [
        (OrderState.SENDING, 0, None),
        (OrderState.SENDING, 0, "v1"),
        (OrderState.RESTING, 0, "v1"),
        (OrderState.EXECUTED, 1_000, "v1"),
    ]
    assert expected == moves


def test_ended_orders_are_forgotten_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders_module, "_ENDED_KEPT", 4)
    orders = Orders(TAG, 7, Ledger(), Params())
    keys = []
    for number in range(5):
        keys.append(orders.place(approved(), 1, 0, 0).client_order_id)
        orders.fold(acked(keys[-1], 0, 0, order_id=f"v{number}"))
    assert keys[2:] == orders.ended == list(orders.by_id)


# Any order of everything

WISH = st.tuples(st.sampled_from([BID, ASK]), st.sampled_from([4_000, 6_000]), st.sampled_from([4, 10, 41]))
WISHES = st.lists(st.tuples(WISH, st.sampled_from([GTC, GTC, IOC])), min_size=1, max_size=3)
OVER = {"executed": OrderState.EXECUTED, "canceled": OrderState.CANCELLED, "lost": OrderState.CANCELLED}
ENDS = {**OVER, "resting": OrderState.RESTING}


def hold_together(orders: Orders, ledger: Ledger, booked: list[str], before: dict[str, Order]) -> None:
    """What must be true after every event."""
    assert len(booked) == len(set(booked))
    net_cc = sum(order.side.sign * order.filled_cc for order in orders.by_id.values())
    assert net_cc == ledger.position(TICKER).net_cc
    for key, order in orders.by_id.items():
        assert (order.filled_cc == order.size_cc) is (order.state is OrderState.EXECUTED)
        assert (key in orders.working.get(TICKER, {})) is (order.state not in TERMINAL_STATES)
        was = before.get(key)
        if was is not None and was.state in TERMINAL_STATES:
            assert order.state in (was.state, OrderState.EXECUTED)


@settings(max_examples=400)
@given(WISHES, st.integers(0, 2**32), st.integers(0, 400))
def test_any_order_of_words_ends_in_the_truth(
    wishes: list[tuple[tuple[Side, int, int], TimeInForce]], seed: int, rolls: int
) -> None:
    dice = FewRolls(seed, rolls)
    venue, ledger = UnrulyVenue(dice), Ledger()
    orders = Orders(TAG, 7, ledger, Params())
    booked: list[str] = []

    def hear(event: OrderEvent) -> None:
        before = dict(orders.by_id)
        tell_whole(orders, event)
        orders.fold(event)
        booked.extend(one.fill.trade_id for one in orders.drain() if isinstance(one, Booked))
        hold_together(orders, ledger, booked, before)

    left = [approved(side, price, size, tif) for (side, price, size), tif in wishes]
    while not dice.is_used_up or left:
        act = dice.roll(4)
        if left and act == 0:
            venue.take(orders.place(left.pop(), 1, 0, venue.now_ns))
        elif act == 1:
            venue.move_on()
        elif act == 2:
            event = venue.speak()
            if event is not None:
                hear(event)
        elif orders.by_id:
            key = list(orders.by_id)[dice.roll(len(orders.by_id))]
            effect = orders.cancel(key, 0)
            if effect is not None:
                venue.take(effect)
    for event in venue.calm_down():
        hear(event)

    assert sorted(one.trade_id for one in venue.fills) == sorted(booked)
    by_trade = {one.trade_id: one for one in venue.fills}
    assert flow_ud([by_trade[trade] for trade in booked]) == ledger.cash_ud
    for key, truth in venue.truths.items():
        order = orders.by_id[key]
        assert truth.filled_cc == order.filled_cc
        if truth.status == "rejected":
            assert order.state in (OrderState.REJECTED, OrderState.CANCELLED)
        else:
            assert ENDS[truth.status] is order.state
