"""Own orders against a recorded book."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.effects import Ask, Effect, SetTimer
from fairstrike.core.events import (
    BalanceRead,
    BatchEnded,
    BookSnapshot,
    CancelAnswered,
    Event,
    ListRead,
    MarketSettled,
    OrderAcked,
    OrderFilled,
    OrderRejected,
    OrdersRead,
    PositionsRead,
    TimerFired,
)
from fairstrike.core.fees import FeeSchedule, fill_fee
from fairstrike.core.order import Side, TimeInForce
from fairstrike.exchange.replay import Params, Unit
from tests.unit.exchange.replay_samples import (
    ASK,
    BID,
    DELAY_MS,
    FOK,
    GTC,
    IOC,
    TICKER,
    Honest,
    Recorded,
    at,
    batch,
    cancel,
    delta,
    expiring,
    reduce,
    send,
    snapshot,
    tick,
)

BOOK = snapshot(0, bids=((4_000, 500),), asks=((4_500, 300), (4_600, 400), (4_800, 900)))


def kinds(world: Recorded) -> list[tuple[int, type[Event]]]:
    return [(ms, type(event)) for ms, event in world.answers()]


# Latency


def test_an_order_meets_the_frames_received_up_to_its_arrival() -> None:
    frames = [BOOK, batch(DELAY_MS, (ASK, 4_500, -300)), tick(200)]
    world = Recorded(frames, {0: [send("a", BID, 4_500, 100, IOC)]}).run()
    assert [(DELAY_MS, OrderAcked)] == kinds(world)


def test_a_frame_after_the_arrival_comes_too_late() -> None:
    frames = [BOOK, batch(DELAY_MS + 1, (ASK, 4_500, -300)), tick(200)]
    world = Recorded(frames, {0: [send("a", BID, 4_500, 100, IOC)]}).run()
    assert world.fills() == [(DELAY_MS, "a", 4_500, 100)]


def test_latencies_are_settings() -> None:
    params = Params(entry_latency_ns=7_000_000, feed_latency_ns=3_000_000)
    world = Recorded([BOOK, tick(200)], {0: [send("a", BID, 4_500, 100, IOC)]}, params).run()
    assert world.fills() == [(10, "a", 4_500, 100)]


def test_an_order_sent_at_the_end_of_the_feed_is_still_answered() -> None:
    world = Recorded([BOOK], {0: [send("a", BID, 4_500, 100, IOC)]}).run()
    assert [(DELAY_MS, OrderAcked), (DELAY_MS, OrderFilled)] == kinds(world)


# Taking


def test_a_taker_walks_the_depth_within_its_limit() -> None:
    world = Recorded([BOOK, tick(200)], {0: [send("a", BID, 4_600, 2_000, IOC)]}).run()
    assert world.fills() == [(DELAY_MS, "a", 4_500, 300), (DELAY_MS, "a", 4_600, 400)]


def test_a_seller_walks_the_bids_downwards() -> None:
    book = snapshot(0, bids=((4_000, 100), (3_900, 100), (3_800, 100)), asks=())
    world = Recorded([book, tick(200)], {0: [send("a", ASK, 3_900, 500, IOC)]}).run()
    assert world.fills() == [(DELAY_MS, "a", 4_000, 100), (DELAY_MS, "a", 3_900, 100)]


def test_the_same_size_is_not_taken_twice() -> None:
    orders = [send("a", BID, 4_500, 200, IOC), send("b", BID, 4_500, 200, IOC)]
    world = Recorded([BOOK, tick(200)], {0: orders}).run()
    assert world.fills() == [(DELAY_MS, "a", 4_500, 200), (DELAY_MS, "b", 4_500, 100)]


def test_a_level_that_vanished_and_came_back_is_new() -> None:
    frames = [BOOK, batch(100, (ASK, 4_500, -300)), batch(101, (ASK, 4_500, 300)), tick(300)]
    orders = {0: [send("a", BID, 4_500, 300, IOC)], 101: [send("b", BID, 4_500, 300, IOC)]}
    assert [(key, size) for _, key, _, size in Recorded(frames, orders).run().fills()] == [("a", 300), ("b", 300)]


def test_a_level_that_vanishes_by_two_deltas_of_one_instant_is_gone() -> None:
    frames = [BOOK, batch(100, (ASK, 4_500, -100), (ASK, 4_500, -200)), batch(101, (ASK, 4_500, 300)), tick(300)]
    orders = {0: [send("a", BID, 4_500, 300, IOC)], 101: [send("b", BID, 4_500, 300, IOC)]}
    assert [(key, size) for _, key, _, size in Recorded(frames, orders).run().fills()] == [("a", 300), ("b", 300)]


def test_a_level_that_is_gone_and_back_within_one_group_is_not_new() -> None:
    middle: Unit = (at(100), [delta(100, ASK, 4_500, -300)])
    frames = [BOOK, middle, batch(101, (ASK, 4_500, 300)), tick(300)]
    orders = {0: [send("a", BID, 4_500, 300, IOC)], 101: [send("b", BID, 4_500, 300, IOC)]}
    assert [(key, size) for _, key, _, size in Recorded(frames, orders).run().fills()] == [("a", 300)]


def test_an_order_that_arrives_while_the_book_is_crossed_takes_nothing() -> None:
    frames = [BOOK, batch(50, (ASK, 3_900, 30)), batch(100, (ASK, 3_900, -30)), tick(200)]
    orders = [send("a", BID, 4_500, 100, IOC), send("b", BID, 4_500, 100, FOK)]
    world = Recorded(frames, {0: orders}).run()
    assert [(DELAY_MS, OrderAcked), (DELAY_MS, OrderRejected)] == kinds(world)


# Only reducing


def acks(world: Recorded) -> list[tuple[str, int, int]]:
    found = [event for _, event in world.answers() if isinstance(event, OrderAcked)]
    return [(event.client_order_id, event.filled_cc, event.remaining_cc) for event in found]


@pytest.mark.parametrize("tif", [GTC, IOC, FOK])
def test_a_reduce_only_order_takes_no_more_than_we_hold(tif: TimeInForce) -> None:
    orders = [send("a", BID, 4_500, 100, IOC), reduce("b", ASK, 4_000, 300, tif), reduce("c", ASK, 4_000, 300, tif)]
    world = Recorded([BOOK, tick(200)], {0: orders}).run()
    assert acks(world) == [("a", 100, 0), ("b", 100, 0), ("c", 0, 0)]


def test_a_reduce_only_order_on_the_side_we_hold_takes_nothing() -> None:
    orders = [send("a", BID, 4_500, 100, IOC), reduce("b", BID, 4_600, 100)]
    assert acks(Recorded([BOOK, tick(200)], {0: orders}).run()) == [("a", 100, 0), ("b", 0, 0)]


def test_what_rested_and_filled_can_be_reduced() -> None:
    frames = [BOOK, batch(100, (BID, 4_000, -500), (ASK, 4_100, 30)), batch(101, (ASK, 4_100, -30), (BID, 4_000, 90))]
    orders = {0: [send("a", BID, 4_200, 100)], 101: [reduce("b", ASK, 4_000, 90)]}
    assert acks(Recorded([*frames, tick(300)], orders).run()) == [("a", 0, 100), ("b", 30, 0)]


def test_a_level_that_grows_before_it_shrinks_within_one_instant_is_not_gone() -> None:
    frames = [BOOK, batch(100, (ASK, 4_500, 200), (ASK, 4_500, -300)), tick(300)]
    orders = {0: [send("a", BID, 4_500, 300, IOC)], 100: [send("b", BID, 4_500, 300, IOC)]}
    assert [(key, size) for _, key, _, size in Recorded(frames, orders).run().fills()] == [("a", 300)]


@pytest.mark.parametrize(("size_after", "expected"), [(300, 0), (450, 150), (0, 0)])
def test_a_snapshot_does_not_bring_back_what_was_taken(size_after: int, expected: int) -> None:
    frames = [BOOK, snapshot(100, asks=((4_500, size_after),)), tick(300)]
    orders = {0: [send("a", BID, 4_500, 300, IOC)], 100: [send("b", BID, 4_500, 900, IOC)]}
    assert expected == sum(fill[3] for fill in Recorded(frames, orders).run().fills() if fill[1] == "b")


def test_fill_or_kill_fills_whole() -> None:
    world = Recorded([BOOK, tick(200)], {0: [send("a", BID, 4_600, 700, FOK)]}).run()
    assert world.fills() == [(DELAY_MS, "a", 4_500, 300), (DELAY_MS, "a", 4_600, 400)]


def test_a_killed_order_takes_nothing_from_the_next() -> None:
    orders = [send("a", BID, 4_600, 701, FOK), send("b", BID, 4_500, 300, IOC)]
    world = Recorded([BOOK, tick(200)], {0: orders}).run()
    assert [(DELAY_MS, OrderRejected), (DELAY_MS, OrderAcked), (DELAY_MS, OrderFilled)] == kinds(world)
    assert world.fills() == [(DELAY_MS, "b", 4_500, 300)]


@pytest.mark.parametrize(("tif", "remaining"), [(GTC, 200), (IOC, 0)])
def test_what_an_order_does_not_take_rests_only_if_good_till_cancelled(tif: TimeInForce, remaining: int) -> None:
    world = Recorded([BOOK, tick(200)], {0: [send("a", BID, 4_500, 500, tif)]}).run()
    acked = next(event for _, event in world.answers() if isinstance(event, OrderAcked))
    assert (300, remaining) == (acked.filled_cc, acked.remaining_cc)


def test_the_rest_of_a_taker_does_not_fill_again_from_what_it_took() -> None:
    world = Recorded([BOOK, batch(100, (BID, 3_000, 100)), tick(200)], {0: [send("a", BID, 4_500, 500)]}).run()
    assert world.fills() == [(DELAY_MS, "a", 4_500, 300)]


@pytest.mark.parametrize("tif", [GTC, IOC, FOK])
def test_without_a_book_nothing_fills(tif: TimeInForce) -> None:
    world = Recorded([tick(0), tick(200)], {0: [send("a", BID, 9_900, 100, tif)]}).run()
    assert world.fills() == []


# Resting


def test_a_post_only_order_that_would_cross_is_refused() -> None:
    orders = [send("a", BID, 4_500, 100, post_only=True), send("b", BID, 4_499, 100, post_only=True)]
    world = Recorded([BOOK, tick(200)], {0: orders}).run()
    assert [(DELAY_MS, OrderRejected), (DELAY_MS, OrderAcked)] == kinds(world)
    assert next(e.code for _, e in world.answers() if isinstance(e, OrderRejected)) == "post only cross"


@pytest.mark.parametrize(("best", "filled"), [(4_201, 0), (4_200, 0), (4_199, 100)])
def test_a_resting_order_fills_only_when_the_other_side_goes_through_it(best: int, filled: int) -> None:
    frames = [BOOK, batch(100, (BID, 4_000, -500), (ASK, best, 1_000)), tick(200)]
    world = Recorded(frames, {0: [send("a", BID, 4_200, 100)]}).run()
    assert filled == sum(size for *_, size in world.fills())


def test_a_resting_sale_fills_when_a_bid_goes_through_it() -> None:
    frames = [BOOK, batch(100, (ASK, 4_500, -300), (BID, 4_501, 30)), tick(200)]
    world = Recorded(frames, {0: [send("a", ASK, 4_500, 100, post_only=True)]}).run()
    assert world.fills() == [(100, "a", 4_500, 30)]


def test_a_maker_fills_at_its_own_price_for_at_most_what_went_through() -> None:
    frames = [BOOK, batch(100, (BID, 4_000, -500), (ASK, 4_100, 30), (ASK, 4_150, 40), (ASK, 4_200, 500)), tick(200)]
    world = Recorded(frames, {0: [send("a", BID, 4_200, 1_000)]}).run()
    assert world.fills() == [(100, "a", 4_200, 70)]
    assert [event.is_taker for _, event in world.answers() if isinstance(event, OrderFilled)] == [False]


def test_standing_size_does_not_fill_a_maker_again() -> None:
    through = batch(100, (BID, 4_000, -500), (ASK, 4_100, 30))
    frames = [BOOK, through, batch(101, (BID, 3_000, 1)), batch(102, (ASK, 4_100, 5)), tick(200)]
    world = Recorded(frames, {0: [send("a", BID, 4_200, 1_000)]}).run()
    assert world.fills() == [(100, "a", 4_200, 30), (102, "a", 4_200, 5)]


def test_what_a_maker_got_is_not_there_for_a_taker() -> None:
    frames = [BOOK, batch(100, (BID, 4_000, -500), (ASK, 4_100, 30)), tick(300)]
    orders = {0: [send("a", BID, 4_200, 30)], 100: [send("b", BID, 4_100, 30, IOC)]}
    assert Recorded(frames, orders).run().fills() == [(100, "a", 4_200, 30)]


def test_a_new_order_fills_from_new_size_after_an_old_one_was_filled() -> None:
    frames = [BOOK, batch(100, (BID, 4_000, -500), (ASK, 4_100, 30)), batch(101, (ASK, 4_100, -30)), tick(110)]
    frames += [batch(300, (ASK, 4_100, 20)), tick(400)]
    orders = {0: [send("a", BID, 4_200, 30)], 110: [send("b", BID, 4_200, 30)]}
    assert Recorded(frames, orders).run().fills() == [(100, "a", 4_200, 30), (300, "b", 4_200, 20)]


def test_the_better_price_fills_first_then_the_older_order() -> None:
    orders = [send("a", BID, 4_200, 30), send("b", BID, 4_300, 30), send("c", BID, 4_300, 30)]
    frames = [BOOK, batch(100, (BID, 4_000, -500), (ASK, 4_100, 70)), tick(200)]
    world = Recorded(frames, {0: orders}).run()
    assert [(key, size) for _, key, _, size in world.fills()] == [("b", 30), ("c", 30), ("a", 10)]


def test_nothing_fills_in_the_middle_of_a_group() -> None:
    middle: Unit = (at(100), [delta(100, ASK, 4_100, 30)])
    end = batch(101, (ASK, 4_100, -30), (BID, 4_000, -10))
    world = Recorded([BOOK, middle, end, tick(200)], {0: [send("a", BID, 4_200, 30)]}).run()
    assert world.fills() == []


def test_a_crossed_book_fills_nobody() -> None:
    frames = [BOOK, batch(100, (ASK, 3_900, 30)), tick(200)]
    assert Recorded(frames, {0: [send("a", BID, 4_200, 30)]}).run().fills() == []


# Cancels and ends


def test_a_cancel_takes_off_what_is_left() -> None:
    frames = [BOOK, batch(100, (BID, 4_000, -500), (ASK, 4_100, 30)), tick(300)]
    world = Recorded(frames, {0: [send("a", BID, 4_200, 100)], 100: [cancel("a")]}).run()
    answered = [(ms, event.reduced_cc) for ms, event in world.answers() if isinstance(event, CancelAnswered)]
    assert answered == [(100 + DELAY_MS, 70)]


def test_a_fill_before_the_cancel_arrives_wins() -> None:
    frames = [BOOK, tick(90), batch(90 + DELAY_MS, (BID, 4_000, -500), (ASK, 4_100, 100)), tick(300)]
    world = Recorded(frames, {0: [send("a", BID, 4_200, 100)], 90: [cancel("a")]}).run()
    answered = [(ms, event.reduced_cc) for ms, event in world.answers() if isinstance(event, CancelAnswered)]
    assert world.fills() == [(165, "a", 4_200, 100)]
    assert answered == [(165, 0)]


def test_a_cancelled_order_fills_no_more() -> None:
    frames = [BOOK, tick(90), batch(91 + DELAY_MS, (BID, 4_000, -500), (ASK, 4_100, 100)), tick(300)]
    world = Recorded(frames, {0: [send("a", BID, 4_200, 100)], 90: [cancel("a")]}).run()
    assert world.fills() == []


@pytest.mark.parametrize(("decided_ms", "kind"), [(899_924, OrderAcked), (899_925, OrderRejected)])
def test_an_order_that_arrives_at_the_close_is_refused(decided_ms: int, kind: type[Event]) -> None:
    world = Recorded([BOOK, tick(decided_ms)], {decided_ms: [send("a", BID, 4_000, 100)]}).run()
    assert [kind] == [found for _, found in kinds(world)]


@pytest.mark.parametrize(("close_ms", "filled"), [(899_999, 30), (900_000, 0), (900_001, 0)])
def test_nothing_fills_at_or_after_the_close(close_ms: int, filled: int) -> None:
    frames = [BOOK, tick(500), batch(close_ms, (BID, 4_000, -500), (ASK, 4_100, 30)), tick(900_500)]
    world = Recorded(frames, {0: [send("a", BID, 4_200, 100)]}).run()
    answered = [(ms, event.reduced_cc) for ms, event in world.answers() if isinstance(event, CancelAnswered)]
    assert filled == sum(size for *_, size in world.fills())
    assert answered == ([] if filled else [(close_ms, 100)])


def test_what_rests_is_cancelled_once_by_close_and_settlement() -> None:
    settled: Unit = (at(901_000), [MarketSettled(ticker=TICKER, value_ticks=0, recv_ns=at(901_000))])
    frames = [BOOK, snapshot(900_000), snapshot(900_000), settled, tick(902_000)]
    world = Recorded(frames, {0: [send("a", BID, 4_000, 100)]}).run()
    assert [(75, OrderAcked), (900_000, CancelAnswered), (901_000, MarketSettled)] == kinds(world)


def test_an_order_ends_at_its_expiry() -> None:
    frames = [BOOK, tick(90), batch(121, (BID, 4_000, -500), (ASK, 4_100, 30)), tick(200)]
    world = Recorded(frames, {0: [expiring(send("a", BID, 4_200, 100), 120)]}).run()
    answered = [(ms, event.reduced_cc) for ms, event in world.answers() if isinstance(event, CancelAnswered)]
    assert (world.fills(), answered) == ([], [(120, 100)])


def test_an_order_that_is_gone_does_not_expire() -> None:
    frames = [BOOK, batch(100, (BID, 4_000, -500), (ASK, 4_100, 100)), tick(300)]
    world = Recorded(frames, {0: [expiring(send("a", BID, 4_200, 100), 120)]}).run()
    assert [(DELAY_MS, OrderAcked), (100, OrderFilled)] == kinds(world)


def test_an_order_that_arrives_at_its_expiry_is_refused() -> None:
    world = Recorded([BOOK, tick(200)], {0: [expiring(send("a", BID, 4_200, 100), DELAY_MS)]}).run()
    assert [e.code for _, e in world.answers() if isinstance(e, OrderRejected)] == ["invalid_order"]


def test_an_order_in_a_market_nobody_knows_is_refused() -> None:
    world = Recorded([BOOK, tick(200)], {0: [send("a", BID, 4_000, 100, ticker="KXOTHER")]}).run()
    assert [e.code for _, e in world.answers() if isinstance(e, OrderRejected)] == ["market_inactive"]


def test_settlement_cancels_what_rests() -> None:
    settled = MarketSettled(ticker=TICKER, value_ticks=0, recv_ns=at(901_000))
    end: Unit = (at(901_000), [settled])
    frames = [BOOK, tick(500), end, tick(902_000)]
    world = Recorded(frames, {0: [send("a", BID, 4_000, 100)], 901_000: [send("b", BID, 4_000, 100)]}).run()
    expected = [(75, OrderAcked), (901_000, MarketSettled), (901_000, CancelAnswered), (901_075, OrderRejected)]
    assert expected == kinds(world)


@pytest.mark.parametrize("order", [1, -1], ids=["first", "last"])
def test_every_market_of_a_unit_is_judged_whatever_their_order(order: int) -> None:
    def poll(ms: int, ask: int) -> Unit:
        book, *end = snapshot(ms, asks=((ask, 300),))[1]
        other = BookSnapshot(ticker="OTHER", bids=(), asks=(), recv_ns=at(ms))
        return at(ms), [*[book, other][::order], *end]

    sent: dict[int, list[Effect]] = {0: [send("a", BID, 4_000, 100)]}
    assert Recorded([poll(0, 4_500), poll(200, 3_900), tick(300)], sent).run().fills() == [(200, "a", 4_000, 100)]


# Order of events, lists, timers, money


def test_recorded_events_come_first_then_arrivals_then_timers() -> None:
    due = SetTimer(name="t", due_ns=at(DELAY_MS))
    world = Recorded([BOOK, tick(DELAY_MS), tick(200)], {0: [due, send("a", BID, 4_500, 100, IOC)]}).run()
    meant = [type(event) for instant, events in world.told if instant == at(DELAY_MS) for event in events]
    assert [BatchEnded, OrderAcked, OrderFilled, TimerFired] == meant


def test_orders_of_one_instant_arrive_in_order_of_submission() -> None:
    orders = [send(key, BID, 4_000, 100) for key in ("z", "a", "m")]
    world = Recorded([BOOK, tick(200)], {0: orders}).run()
    assert [e.client_order_id for _, e in world.answers() if isinstance(e, OrderAcked)] == ["z", "a", "m"]


def test_instants_never_go_back() -> None:
    first: list[Effect] = [send("a", BID, 4_500, 100, IOC), SetTimer(name="t", due_ns=at(30))]
    orders: dict[int, list[Effect]] = {0: first, 30: [send("b", BID, 4_000, 1)]}
    world = Recorded([BOOK, tick(30), tick(60), tick(90)], orders).run()
    assert all(before <= after for (before, _), (after, _) in pairwise(world.told))
    assert all(event.recv_ns == instant for instant, events in world.told for event in events)


def test_a_timer_of_the_same_name_is_replaced() -> None:
    timers = [SetTimer(name="t", due_ns=at(50)), SetTimer(name="t", due_ns=at(60)), SetTimer(name="u", due_ns=at(55))]
    world = Recorded([BOOK, tick(200)], {0: timers}).run()
    assert [(ms, e.name) for ms, e in world.answers() if isinstance(e, TimerFired)] == [(55, "u"), (60, "t")]


def test_a_timer_in_the_past_fires_at_once() -> None:
    assert [(0, TimerFired)] == kinds(Recorded([BOOK, tick(200)], {0: [SetTimer(name="t", due_ns=at(-10))]}).run())


def test_a_timer_due_where_nothing_was_recorded_waits_until_the_recording_goes_on() -> None:
    timers = [SetTimer(name=str(ms), due_ns=at(ms)) for ms in (600_000, 600_001)]
    order = expiring(send("a", BID, 4_000, 100), 700_000)
    late = kinds(Recorded([BOOK, tick(900_000)], {0: [*timers, order]}).run())[-3:]
    assert late == [(600_000, TimerFired), (700_000, CancelAnswered), (900_000, TimerFired)]


def test_timers_do_not_keep_an_ended_recording_alive() -> None:
    world = Recorded([BOOK], {0: [SetTimer(name="t", due_ns=at(60_001))]}).run()
    assert kinds(world) == []


def test_the_balance_is_the_stated_cash() -> None:
    world = Recorded([BOOK, tick(200)], {0: [Ask(what="balance", key="0")]}, Params(cash_ud=77)).run()
    assert [event.balance_ud for _, event in world.answers() if isinstance(event, BalanceRead)] == [77]


def test_the_account_holds_nothing_at_first() -> None:
    world = Recorded([BOOK, tick(200)], {0: [Ask(what="positions")]}).run()
    assert [(ms, e.positions) for ms, e in world.answers() if isinstance(e, PositionsRead)] == [(0, ())]


@pytest.mark.parametrize("what", ["fills", "order_states"])
def test_a_list_that_was_told_before_is_read_at_once(what: str) -> None:
    world = Recorded([BOOK, tick(200)], {0: [Ask(what=what, key="0")]}).run()
    (read,) = [event for _, event in world.answers() if isinstance(event, ListRead)]
    assert (what, at(0), at(0)) == (read.what, read.asked_ns, read.recv_ns)
    assert [type(event) for event in world.told[1][1]] == [ListRead, BatchEnded]


def test_the_list_of_orders_holds_what_rests() -> None:
    frames = [BOOK, batch(100, (BID, 4_000, -500), (ASK, 4_100, 30)), tick(200)]
    sent: list[Effect] = [send("a", BID, 4_200, 100), send("b", BID, 4_500, 10, IOC)]
    orders: dict[int, list[Effect]] = {0: sent, 100: [Ask(what="orders")]}
    listed = next(e for _, e in Recorded(frames, orders).run().answers() if isinstance(e, OrdersRead))
    assert [(o.client_order_id, o.filled_cc, o.remaining_cc) for o in listed.orders] == [("a", 30, 70)]
    assert at(100) == listed.asked_ns


def test_the_rounding_of_fees_is_carried_from_fill_to_fill_of_an_order() -> None:
    schedule = FeeSchedule()
    book = snapshot(0, asks=tuple((4_510 + 10 * n, 7) for n in range(8)))
    world = Recorded([book, tick(200)], {0: [send("a", BID, 4_600, 1_000, IOC)]}, schedule=schedule).run()
    carry, expected = 0, []
    for n in range(8):
        fee = fill_fee(schedule, 4_510 + 10 * n, 7, is_maker=False, is_bid=True, carry_ud=carry)
        carry = fee.carry_ud
        expected.append(fee.fee_ud)
    assert expected == [event.fee_ud for _, event in world.answers() if isinstance(event, OrderFilled)]


def test_a_snapshot_in_the_feed_is_handed_on_as_it_is() -> None:
    assert [BookSnapshot, BatchEnded] == [type(event) for event in Recorded([BOOK]).run().told[0][1]]


# Whatever is recorded and sent


PRICES = (4_100, 4_200, 4_300)
STEP_MS = 50
SIDES = st.sampled_from((BID, ASK))
CHANGE = st.tuples(SIDES, st.sampled_from(PRICES), st.integers(-400, 400))
ORDER = st.tuples(SIDES, st.sampled_from(PRICES), st.integers(1, 500), st.sampled_from((GTC, IOC, FOK)))


def possible(groups: list[list[tuple[Side, int, int]]]) -> list[Unit]:
    """Groups of deltas cut to what the sizes allow, so that none makes a level negative."""
    sizes: dict[tuple[Side, int], int] = {}
    units = []
    for number, changes in enumerate(groups):
        kept = []
        for side, price, change in changes:
            change = max(change, -sizes.get((side, price), 0))
            sizes[side, price] = sizes.get((side, price), 0) + change
            if change:
                kept.append((side, price, change))
        units.append(batch(number * STEP_MS, *kept))
    return units


@given(st.lists(st.lists(CHANGE, max_size=6), min_size=1, max_size=12), st.lists(ORDER, max_size=12))
def test_nothing_is_taken_that_was_not_recorded(
    groups: list[list[tuple[Side, int, int]]], orders: list[tuple[Side, int, int, TimeInForce]]
) -> None:
    decisions: dict[int, list[Effect]] = {}
    for number, (side, price, size, tif) in enumerate(orders):
        decisions.setdefault(number * STEP_MS, []).append(send(f"o{number}", side, price, size, tif))
    units = [snapshot(0), *possible(groups), tick((len(groups) + 20) * STEP_MS)]
    world = Recorded(units, decisions).run(Honest())
    bought: dict[str, int] = {}
    for _, key, _, size in world.fills():
        bought[key] = bought.get(key, 0) + size
    assert all(size <= orders[int(key[1:])][2] for key, size in bought.items())


@given(st.lists(ORDER, max_size=12))
def test_nothing_fills_while_the_book_is_absent(orders: list[tuple[Side, int, int, TimeInForce]]) -> None:
    sent: list[Effect] = [send(f"o{n}", *order) for n, order in enumerate(orders)]
    assert Recorded([tick(0), tick(200), tick(400)], {0: sent}).run().fills() == []
