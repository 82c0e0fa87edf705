"""The hall: what is folded, when it decides, and what comes out."""

import msgspec
import pytest

from fairstrike.core.contract import CENT_GRID, Comparison, PriceRange
from fairstrike.core.effects import (
    Ask,
    CancelOrder,
    Resubscribe,
    SendOrder,
    SetTimer,
    Unwatch,
    Warn,
    Watch,
)
from fairstrike.core.events import (
    AskFailed,
    BooksRead,
    CancelAnswered,
    CancelFailed,
    Event,
    FrameRefused,
    MarketPaused,
    MarketSettled,
    OffsetStepped,
    OrderDoubted,
    OrderRejected,
    SpotSummed,
    SpotTold,
    StreamChanged,
    TermsChanged,
    TermsDoubted,
    TickerSeen,
    TradePrinted,
    TradingRead,
)
from fairstrike.core.order import Intent, Refused, Withdraw
from fairstrike.core.records import (
    WAKE_BEST_PRICE,
    WAKE_BEST_SIZE,
    WAKE_INDEX,
    WAKE_OWN_ORDER,
    Booked,
    CloseAudited,
    Decided,
    Ordered,
    OrderMoved,
    Row,
    Settled,
)
from fairstrike.execution.clerk import Outcome
from fairstrike.risk.limits import Params as LimitsParams
from fairstrike.strategy.base import Wakes
from tests.unit.engine_samples import (
    ASK,
    BID,
    CASH_UD,
    RUN,
    SECOND,
    Hall,
    T,
    U,
    acked,
    at,
    balance,
    batch,
    command,
    computed,
    delta,
    filled,
    fills_read,
    key_of,
    listed,
    lost,
    of,
    positions,
    printed,
    read,
    resting,
    signal,
    snapshot,
    timer,
)


def rows(outcome: Outcome) -> list[Row]:
    return [row for decided in of(Decided, outcome.records) for row in decided.rows]


def bests(outcome: Outcome) -> list[tuple[int | None, int | None]]:
    return [(row.bid_ticks, row.ask_ticks) for row in rows(outcome)]


# Moments

DECIDES: tuple[Event, ...] = (
    batch(50),
    printed(50),
    timer(50, "orders"),
    acked(50, key_of(0)),
    filled(50, key_of(0)),
    read(50),
    OrderRejected(client_order_id="x", code="c", message="m", recv_ns=at(50)),
    OrderDoubted(client_order_id="x", reason="r", recv_ns=at(50)),
    CancelAnswered(client_order_id="x", reduced_cc=0, recv_ns=at(50)),
    CancelFailed(client_order_id="x", reason="r", recv_ns=at(50)),
    resting(50, "x"),
    command(50, "pause"),
    MarketSettled(ticker=T, value_ticks=0, recv_ns=at(50)),
    computed(50, 1),
    BooksRead(books=(), asked_ns=at(49), recv_ns=at(50)),
)
WAITS: tuple[Event, ...] = (
    delta(50, BID, 4_000, 100),
    snapshot(50),
    TickerSeen(ticker=T, bid_ticks=4_000, ask_ticks=4_200, volume_cc=0, recv_ns=at(50)),
    TradePrinted(ticker=T, price_ticks=4_000, size_cc=1, taker_side=BID, recv_ns=at(50)),
    lost(50, "gap"),
    listed(seconds=50),
    balance(50),
    positions(50),
    fills_read(50),
    MarketPaused(ticker=T, is_paused=True, recv_ns=at(50)),
    TermsDoubted(tickers=(T,), reason="r", is_left_out=True, recv_ns=at(50)),
    TermsChanged(ticker=T, close_ns=at(90), recv_ns=at(50)),
    TradingRead(shut_shards=(2,), recv_ns=at(50)),
    OffsetStepped(source="kalshi", offset_ns=5, recv_ns=at(50)),
    StreamChanged(source="kalshi", is_up=False, reason="r", recv_ns=at(50)),
    AskFailed(what="orders", reason="r", recv_ns=at(50)),
    FrameRefused(source="kalshi", reason="r", recv_ns=at(50)),
    SpotTold(candles=(), fundings=(), recv_ns=at(50)),
    SpotSummed(figures=(), recv_ns=at(50)),
)


@pytest.mark.parametrize("event", DECIDES, ids=lambda event: type(event).__name__)
def test_these_are_moments_of_decision(event: Event) -> None:
    assert Hall().opened().engine.fold(event)


@pytest.mark.parametrize("event", WAITS, ids=lambda event: type(event).__name__)
def test_these_wait_for_the_next_moment(event: Event) -> None:
    assert not Hall().opened().engine.fold(event)


def test_every_kind_of_event_is_one_or_the_other() -> None:
    assert {type(event) for event in (*DECIDES, *WAITS)} == set(Event.__args__)


# Start

START_ASKS = [("markets", "KXBTCD"), ("markets", "KXBTC15M"), ("orders", ""), ("fills", str(RUN // SECOND - 120))]


def test_a_run_begins_with_reading_markets_and_what_rests() -> None:
    (first,) = Hall().outcomes
    assert [(ask.what, ask.key) for ask in of(Ask, first.effects)] == START_ASKS
    due = {effect.name: (effect.due_ns - RUN) // SECOND for effect in of(SetTimer, first.effects)}
    assert due == {"catalog": 60, "windows": 15, "orders": 60}
    assert first.records == []


def test_a_listed_market_is_watched_once() -> None:
    hall = Hall()
    assert of(Watch, hall.feed(listed(), batch(1)).effects) == [Watch(tickers=(T,))]
    assert of(Watch, hall.feed(listed(seconds=2), batch(2)).effects) == []


@pytest.mark.parametrize(("seconds", "count"), [(-3_601, 0), (-3_600, 1), (3_599, 1), (3_600, 0)])
def test_a_market_is_watched_within_two_hours_of_its_close(seconds: float, count: int) -> None:
    outcome = Hall().feed(listed(seconds=seconds), batch(seconds))
    assert len(of(Watch, outcome.effects)) == count


# Wakes


def test_a_best_price_that_moves_wakes() -> None:
    outcome = Hall().opened().feed(delta(50, BID, 4_100, 300), batch(50))
    assert rows(outcome) == [Row(T, WAKE_BEST_PRICE, 4_100, 300, 4_200, 50_000, None)]


def test_a_size_wakes_only_those_who_said_so() -> None:
    change = (delta(50, BID, 4_000, 300), batch(50))
    assert rows(Hall().opened().feed(*change)) == []
    assert [row.wakes for row in rows(Hall(Wakes(best_size_cc=300)).opened().feed(*change))] == [WAKE_BEST_SIZE]
    assert rows(Hall(Wakes(best_size_cc=301)).opened().feed(*change)) == []


def test_a_print_wakes_every_market_of_its_asset_that_has_a_book() -> None:
    hall = Hall().opened()
    hall.feed(listed(U, 41), listed("KXBTCD-26MAY1417-T82000", 41), snapshot(41, ticker=U), batch(41))
    outcome = hall.feed(printed(42))
    assert [(row.ticker, row.wakes) for row in rows(outcome)] == [(T, WAKE_INDEX), (U, WAKE_INDEX)]
    assert hall.asking.asked[-1] == (T, U)
    assert [row.fair_ppm is not None for row in rows(outcome)] == [True, True]


def test_a_print_seen_before_wakes_nobody() -> None:
    hall = Hall().opened()
    hall.feed(printed(41))
    assert hall.feed(printed(41)).records == []


def test_nothing_new_writes_nothing() -> None:
    assert Hall().opened().feed(batch(50), batch(51)) == Outcome(records=[], effects=[])


def test_a_delta_that_is_undone_within_a_batch_wakes_nobody() -> None:
    hall = Hall().opened()
    assert hall.feed(delta(50, BID, 4_100, 300), delta(50, BID, 4_100, -300), batch(50)).records == []


def test_a_stale_index_gives_no_fair_value() -> None:
    outcome = Hall().opened().feed(delta(44, BID, 4_100, 300), batch(44))
    assert [row.fair_ppm for row in rows(outcome)] == [None]


def test_a_book_that_was_there_before_its_market_was_traded_is_shown() -> None:
    hall = Hall(Wakes(index=True)).opened()
    hall.feed(snapshot(41, ticker=U), batch(41), listed(U, 42), batch(42))
    assert [(row.ticker, row.bid_ticks) for row in rows(hall.feed(printed(43)))] == [(T, 4_000), (U, 4_000)]


def test_nothing_of_a_settled_market_is_kept_for_the_next_decision() -> None:
    hall = Hall(Wakes(best_price=True, depth=3, every_ns=SECOND)).opened()
    hall.feed(delta(50, BID, 4_100, 300), batch(50))
    assert hall.engine.attention.remembered == {T}
    hall.feed(MarketSettled(ticker=T, value_ticks=0, recv_ns=at(3_700)))
    hall.feed(delta(3_701, BID, 4_150, 300), batch(3_701))
    assert hall.engine.attention.remembered == set()


# Books that cannot be vouched for


def test_a_crossed_book_is_held_and_then_served() -> None:
    hall = Hall().opened()
    outcome = hall.feed(delta(50, BID, 4_300, 100), batch(50))
    assert (rows(outcome), of(SetTimer, outcome.effects)) == ([], [SetTimer(name="crossed", due_ns=at(50.005) + 1)])
    outcome = hall.feed(delta(50.001, BID, 4_300, -100, 50), delta(50.001, ASK, 4_200, -100, 50), batch(50.001))
    assert rows(outcome) == []
    outcome = hall.feed(delta(50.002, BID, 4_100, 100), batch(50.002))
    assert bests(outcome) == [(4_100, 4_200)]


def test_a_crossing_that_outlives_its_instant_is_a_fault() -> None:
    hall = Hall().opened()
    hall.feed(delta(50, BID, 4_300, 100), batch(50))
    assert of(Resubscribe, hall.feed(delta(50.004, BID, 3_000, 100), batch(50.004)).effects) == []
    outcome = hall.feed(timer(50.006, "crossed"))
    assert of(Resubscribe, outcome.effects) == [Resubscribe(tickers=(T,), reason="crossed")]
    assert bests(outcome) == [(None, None)]


def test_a_crossing_that_outlives_the_hold_is_a_fault_without_another_frame() -> None:
    hall = Hall().opened()
    hall.feed(delta(50, BID, 4_300, 100), batch(50))
    assert of(SetTimer, hall.feed(batch(50.003)).effects) == [SetTimer(name="crossed", due_ns=at(50.005) + 1)]
    outcome = hall.feed(timer(50.006, "crossed"))
    assert of(Resubscribe, outcome.effects) == [Resubscribe(tickers=(T,), reason="crossed")]


@pytest.mark.parametrize("reason", ["gap", "overflow"])
def test_a_lost_book_is_asked_for_again_and_shown_to_nobody(reason: str) -> None:
    outcome = Hall().opened().feed(lost(50, reason), batch(50))
    assert of(Resubscribe, outcome.effects) == [Resubscribe(tickers=(T,), reason=reason)]
    assert bests(outcome) == [(None, None)]


@pytest.mark.parametrize("reason", ["disconnected", "reconnected"])
def test_a_connection_that_ended_asks_by_itself(reason: str) -> None:
    outcome = Hall().opened().feed(lost(50, reason), batch(50))
    assert of(Resubscribe, outcome.effects) == []
    assert bests(outcome) == [(None, None)]


def test_a_stream_that_is_down_shows_no_book() -> None:
    down = StreamChanged(source="kalshi", is_up=False, reason="broken", recv_ns=at(50))
    assert bests(Hall().opened().feed(down, batch(50))) == [(None, None)]


def test_an_impossible_delta_drops_the_book() -> None:
    outcome = Hall().opened().feed(delta(50, BID, 4_000, -60_000), batch(50))
    assert of(Resubscribe, outcome.effects) == [Resubscribe(tickers=(T,), reason="impossible")]
    assert bests(outcome) == [(None, None)]


def test_a_frozen_book_is_dropped() -> None:
    seen = TickerSeen(ticker=T, bid_ticks=3_000, ask_ticks=4_200, volume_cc=0, recv_ns=at(50))
    outcome = Hall().opened().feed(seen, batch(50))
    assert of(Resubscribe, outcome.effects) == [Resubscribe(tickers=(T,), reason="frozen")]
    assert bests(outcome) == [(None, None)]


def test_a_snapshot_brings_a_lost_book_back() -> None:
    hall = Hall().opened()
    hall.feed(lost(50, "gap"), batch(50))
    assert bests(hall.feed(snapshot(51), batch(51))) == [(4_000, 4_200)]


# Wishes


def test_records_come_in_the_order_in_which_things_came_about() -> None:
    hall = Hall().opened()
    hall.asking.wishes = [signal()]
    outcome = hall.feed(printed(41))
    assert [type(record) for record in outcome.records] == [Decided, Ordered, OrderMoved]
    (sent,) = of(SendOrder, outcome.effects)
    assert (sent.client_order_id, sent.price_ticks, sent.size_cc, sent.post_only) == (key_of(0), 4_000, 100, True)
    assert of(Ordered, outcome.records) == [Ordered(client_order_id=key_of(0), signal=signal())]


def test_a_close_whose_prints_contradict_its_official_value_is_an_alarm() -> None:
    hall = Hall()
    hall.feed(*(printed(second, 80_000) for second in range(100, 162)))
    later = msgspec.structs.replace(
        listed(T).contract,
        series="KXBTC15M",
        comparison=Comparison.AT_LEAST,
        open_ns=at(161),
        floor_e8=79_990 * 10**8,
    )
    outcome = hall.feed(msgspec.structs.replace(listed(), contract=later, recv_ns=at(165)), batch(165))
    (audit,) = of(CloseAudited, outcome.records)
    (warning,) = of(Warn, outcome.effects)
    assert audit.complaint == warning.text


def test_a_refusal_is_written_down() -> None:
    hall = Hall(limits=LimitsParams(size_cc_max=99)).opened()
    hall.asking.wishes = [signal()]
    outcome = hall.feed(printed(41))
    assert of(Refused, outcome.records) == [Refused(signal=signal(), rule="size_max", value=100, limit=99)]
    assert of(SendOrder, outcome.effects) == []


def test_each_wish_sees_what_the_one_before_it_ordered() -> None:
    hall = Hall().opened()
    hall.asking.wishes = [signal(), signal(ASK, 4_000)]
    outcome = hall.feed(printed(41))
    assert [type(record) for record in outcome.records] == [Decided, Ordered, OrderMoved, Refused]
    assert of(Refused, outcome.records)[0].rule == "self_cross"


def test_a_withdrawal_cancels() -> None:
    hall = Hall().opened()
    key = hall.ordered()
    withdraw = Withdraw(strategy="asking", ticker=T, client_order_id=key, reason="done")
    hall.asking.wishes = [withdraw]
    outcome = hall.feed(printed(42))
    assert [type(record) for record in outcome.records] == [Decided, Withdraw, OrderMoved]
    assert [effect.client_order_id for effect in of(CancelOrder, outcome.effects)] == [key]


def test_an_answer_wakes_and_moves_the_order_first() -> None:
    hall = Hall().opened()
    hall.asking.wishes = [signal()]
    hall.feed(printed(41))
    outcome = hall.feed(acked(41.1, key_of(0)))
    assert {type(record) for record in outcome.records[:-1]} == {OrderMoved}
    assert [row.wakes for row in rows(outcome)] == [WAKE_OWN_ORDER]


def test_a_fill_is_booked_before_anyone_is_asked() -> None:
    hall = Hall().opened()
    outcome = hall.feed(filled(42, hall.ordered(), 40))
    assert [type(record) for record in outcome.records] == [Booked, OrderMoved, Decided]
    (booked,) = of(Booked, outcome.records)
    assert (booked.net_cc, booked.cash_ud) == (40, CASH_UD - 160_000)


def test_a_fill_told_twice_is_booked_once() -> None:
    hall = Hall().opened()
    key = hall.ordered()
    assert len(of(Booked, hall.feed(filled(42, key), filled(43, key)).records)) == 1


def test_a_settlement_is_booked_once_and_ends_the_watch() -> None:
    hall = Hall().opened()
    hall.feed(filled(42, hall.ordered()))
    settled = MarketSettled(ticker=T, value_ticks=10_000, recv_ns=at(3_700))
    outcome = hall.feed(settled, settled)
    (record,) = of(Settled, outcome.records)
    assert (record.payout_ud, record.pnl_ud, record.cash_ud) == (1_000_000, 600_000, CASH_UD + 600_000)
    assert of(Unwatch, outcome.effects) == [Unwatch(tickers=(T,))]


def test_a_result_that_is_not_paid_yet_books_nothing() -> None:
    settled = MarketSettled(ticker=T, value_ticks=10_000, recv_ns=at(3_700), is_paid=False)
    assert of(Settled, Hall().opened().feed(settled).records) == []


# Commands


def test_a_pause_refuses_what_opens_until_resumed() -> None:
    hall = Hall().opened()
    hall.feed(command(40.5, "pause"))
    hall.asking.wishes = [signal()]
    assert [refused.rule for refused in of(Refused, hall.feed(printed(41)).records)] == ["paused"]
    hall.feed(command(41.5, "resume"))
    hall.asking.wishes = [signal()]
    assert len(of(SendOrder, hall.feed(printed(42)).effects)) == 1


def test_a_pause_lets_reducing_through() -> None:
    hall = Hall().opened()
    hall.feed(filled(42, hall.ordered()), command(42.5, "pause"))
    hall.asking.wishes = [signal(ASK, 4_300, intent=Intent.REDUCE)]
    assert len(of(SendOrder, hall.feed(printed(43)).effects)) == 1


def test_cancel_cancels_what_rests_and_goes_on() -> None:
    hall = Hall().opened()
    key = hall.ordered()
    outcome = hall.feed(command(42, "cancel"))
    assert [effect.client_order_id for effect in of(CancelOrder, outcome.effects)] == [key]
    hall.feed(CancelAnswered(client_order_id=key, reduced_cc=100, recv_ns=at(42.1)))
    hall.asking.wishes = [signal(price=3_900)]
    assert len(of(SendOrder, hall.feed(printed(43)).effects)) == 1


def test_an_unknown_command_is_answered_with_a_warning() -> None:
    outcome = Hall().opened().feed(command(42, "dance"))
    assert of(Warn, outcome.effects) == [Warn(text="there is no command 'dance'")]


# Failures, terms, determinism


def test_a_refused_frame_is_a_warning() -> None:
    outcome = Hall().opened().feed(FrameRefused(source="kalshi", reason="torn", recv_ns=at(50)), batch(50))
    assert of(Warn, outcome.effects) == [Warn(text="kalshi: a frame was refused: torn")]


def test_an_unclear_market_is_one_warning_however_often_it_is_read() -> None:
    hall = Hall().opened()
    unclear = TermsDoubted(tickers=(U,), reason="its strike_type is 'custom'", is_left_out=True, recv_ns=at(50))
    texts = [of(Warn, hall.feed(unclear, batch(second)).effects) for second in (50, 110, 170)]
    assert texts == [
        [Warn(text=f"{U} cannot be traded: its strike_type is 'custom'; see `fairstrike markets`")],
        [],
        [],
    ]


TENTHS = (PriceRange(start_ticks=0, end_ticks=10_000, step_ticks=10),)


def test_another_price_grid_counts_at_once() -> None:
    hall = Hall().opened()
    assert not hall.engine.view(at(50), T).contract.is_on_grid(4_010)
    hall.feed(TermsChanged(ticker=T, grid=TENTHS, recv_ns=at(50)), batch(50))
    assert hall.engine.view(at(50), T).contract.is_on_grid(4_010)
    hall.feed(TermsChanged(ticker=T, grid=CENT_GRID, recv_ns=at(51)), batch(51))
    assert not hall.engine.view(at(51), T).contract.is_on_grid(4_010)


def test_a_strike_told_by_the_stream_counts_at_once() -> None:
    hall = Hall().opened()
    unstruck = msgspec.structs.replace(listed(U).contract, floor_e8=None)
    hall.feed(msgspec.structs.replace(listed(U, 50), contract=unstruck), batch(50))
    assert not hall.engine.view(at(50), U).is_open
    hall.feed(TermsChanged(ticker=U, floor_e8=81_000 * 10**8, recv_ns=at(51)), batch(51))
    assert hall.engine.view(at(51), U).is_open
    hall.feed(msgspec.structs.replace(listed(U, 55), contract=unstruck), batch(55))
    assert hall.engine.view(at(55), U).contract.floor_e8 == 81_000 * 10**8


def story(hall: Hall) -> bytes:
    """Everything an hour's trading has, in small."""
    hall.opened()
    key = hall.ordered()
    hall.feed(filled(42, key, 40), lost(43, "gap"), batch(43), snapshot(44), batch(44), listed(U, 44), batch(44.5))
    hall.asking.wishes = [signal(price=3_900), signal(ASK, 4_300)]
    hall.feed(printed(45), command(46, "stop"), read(46.5), read(47), timer(47.5, "orders"))
    hall.feed(CancelAnswered(client_order_id=key, reduced_cc=60, recv_ns=at(48)), read(49), read(50))
    hall.feed(timer(90, "orders"))
    return hall.bytes()


def test_the_same_events_give_the_same_bytes() -> None:
    first = story(Hall())
    assert first == story(Hall())
    outcomes = msgspec.msgpack.decode(first)
    kinds = {effect["type"] for outcome in outcomes for effect in outcome["effects"]}
    assert {"send_order", "cancel_order", "watch", "halt", "ask", "set_timer", "resubscribe"} <= kinds
