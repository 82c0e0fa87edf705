"""The clerk in the engine's hands: money, strangers, doubt, and spikes, how a run stops."""

import msgspec

from fairstrike.core.effects import Ask, CancelOrder, Halt, SendOrder, SetTimer, Warn
from fairstrike.core.events import (
    AskFailed,
    CancelAnswered,
    HeldPosition,
    MarketPaused,
    MarketSettled,
    OrderDoubted,
    OrderRejected,
    StreamChanged,
    TradingRead,
)
from fairstrike.core.order import Intent, OrderState, Refused
from fairstrike.core.records import CashSet, Decided, RunEnded, Settled
from fairstrike.core.regime import Regime, RegimeSeen
from fairstrike.pricing.regimes import Params as RegimeParams
from tests.unit.engine_samples import (
    ASK,
    BID,
    CASH_UD,
    RUN,
    SECOND,
    Hall,
    T,
    account,
    acked,
    at,
    balance,
    batch,
    command,
    delta,
    filled,
    fills_read,
    key_of,
    listed,
    of,
    positions,
    printed,
    read,
    resting,
    signal,
    snapshot,
    timer,
    working,
)

# Money, and what an earlier run left


def test_cash_is_asked_for_when_the_account_is_clear() -> None:
    hall = Hall()
    assert of(Ask, hall.feed(listed(), batch(0.1)).effects) == []
    assert of(Ask, hall.feed(read(0.2)).effects) == [Ask(what="positions")]
    assert of(Ask, hall.feed(read(0.3)).effects) == []
    outcome = hall.feed(positions(0.4), batch(0.4))
    assert outcome.effects == [SetTimer(name="account", due_ns=at(1.4))]
    assert hall.feed(timer(1.4, "account")).effects == [Ask(what="balance", key="0")]
    assert hall.feed(balance(1.5), batch(1.5)).effects == [SetTimer(name="account", due_ns=at(2.5))]
    assert hall.feed(timer(2.5, "account")).effects == [Ask(what="positions")]
    assert not hall.engine.clerk.is_open
    assert hall.feed(positions(2.6), batch(2.6)).records == [CashSet(cash_ud=CASH_UD)]


def test_cash_between_positions_that_differ_is_read_again() -> None:
    hall, held = Hall(), HeldPosition(ticker=T, net_cc=-500, cost_ud=3_000_000)
    hall.feed(listed(), read(0.1), positions(0.2, held), balance(0.3), batch(0.3))
    outcome = hall.feed(positions(0.4), batch(0.4))
    assert of(Warn, outcome.effects) == [
        Warn(text="the account changed while it was read for the start; it is read again")
    ]
    assert hall.feed(timer(1.4, "account")).effects == [Ask(what="balance", key="0")]
    hall.feed(balance(1.5, 7), batch(1.5))
    assert hall.feed(positions(1.6), batch(1.6)).records == [CashSet(cash_ud=7)]


def test_a_market_that_is_known_to_have_settled_is_not_taken_over() -> None:
    hall, held = Hall(), HeldPosition(ticker=T, net_cc=-500, cost_ud=3_000_000)
    hall.feed(listed(), read(0.1), positions(0.2, held), balance(0.3))
    hall.feed(MarketSettled(ticker=T, value_ticks=0, recv_ns=at(0.4)))
    assert hall.feed(positions(0.5, held), batch(0.5)).records == []
    outcome = hall.feed(*account(2, cash_ud=CASH_UD + 5_000_000), batch(2))
    assert outcome.records == [CashSet(cash_ud=CASH_UD + 5_000_000)]


def test_positions_of_an_earlier_run_are_ours_and_settle() -> None:
    hall, held = Hall(), HeldPosition(ticker=T, net_cc=-500, cost_ud=3_000_000)
    outcome = hall.feed(listed(), read(0.2), *account(0.4, held), batch(0.4))
    ledger = hall.engine.clerk.ledger
    assert of(CashSet, outcome.records) == [CashSet(cash_ud=CASH_UD, positions=(held,))]
    assert ledger.equity_start_ud == CASH_UD + 3_000_000
    assert [warning.text[:44] for warning in of(Warn, outcome.effects)] == [
        "the account holds positions of an earlier ru"
    ]
    hall.feed(MarketSettled(ticker=T, value_ticks=0, recv_ns=at(9)))
    assert ledger.cash_ud == CASH_UD + 5_000_000
    assert sum(result.cash_ud for result in ledger.results.values()) == ledger.market_pnl_ud[T] == 2_000_000


def test_cash_is_asked_for_again_after_a_failure() -> None:
    hall = Hall()
    hall.feed(listed(), read(0.2))
    outcome = hall.feed(AskFailed(what="positions", reason="late", recv_ns=at(0.3)), read(0.4))
    assert of(Ask, outcome.effects) == [Ask(what="positions")]
    assert of(Warn, outcome.effects) == [Warn(text="reading positions failed: late")]
    hall.feed(positions(0.5), AskFailed(what="balance", reason="late", recv_ns=at(0.6)), batch(0.6))
    assert of(Ask, hall.feed(read(0.7)).effects) == [Ask(what="balance", key="0")]


def test_cash_is_opened_once() -> None:
    hall = Hall()
    outcome = hall.feed(read(0.1), listed(), *account(0.2), *account(0.3, cash_ud=5), batch(0.4))
    assert of(CashSet, outcome.records) == [CashSet(cash_ud=CASH_UD)]
    assert hall.engine.clerk.ledger.cash_ud == CASH_UD


def test_nobody_is_consulted_before_the_cash_is_known() -> None:
    hall = Hall()
    hall.feed(read(0.1), listed(), snapshot(0.2), batch(0.2), printed(1))
    assert hall.asking.asked == []


def test_orders_of_an_earlier_run_are_cancelled_before_cash_is_read() -> None:
    hall, key = Hall(), key_of(7, RUN - 3_600 * SECOND)
    outcome = hall.feed(listed(), read(0.1, resting(0.1, key)))
    expected = CancelOrder(client_order_id=key, order_id="old", ticker=T, exchange_index=0)
    assert of(CancelOrder, outcome.effects) == [expected]
    assert of(Ask, outcome.effects) == []
    assert of(Ask, hall.feed(read(2)).effects) == [Ask(what="positions")]


def test_orders_of_another_account_are_left_alone() -> None:
    outcome = Hall().feed(read(0.1, resting(0.1, key_of(7, tag=0xFA5999)), resting(0.1, "by hand")))
    assert of(CancelOrder, outcome.effects) == []


# Doubt and settlement


def test_lists_are_read_sooner_while_an_order_is_in_doubt() -> None:
    hall = Hall().opened()
    hall.asking.wishes = [signal()]
    hall.feed(printed(41))
    outcome = hall.feed(OrderDoubted(client_order_id=key_of(0), reason="timeout", recv_ns=at(42)))
    assert of(SetTimer, outcome.effects) == [SetTimer(name="orders", due_ns=at(44))]


def test_fills_are_asked_for_again_from_where_they_were_last_read() -> None:
    hall = Hall().opened()
    hall.feed(fills_read(0))
    keys = []
    for seconds in (60, 120, 180, 240):
        keys += [ask.key for ask in of(Ask, hall.feed(timer(seconds, "orders")).effects) if ask.what == "fills"]
        if seconds == 120:
            hall.feed(AskFailed(what="fills", reason="late", recv_ns=at(121)), batch(121))
        elif seconds != 180:
            hall.feed(fills_read(seconds))
    # Those of 120 failed, those of 180 are under way still at 240.
    assert keys == [str(RUN // SECOND - 120), str(RUN // SECOND - 60), str(RUN // SECOND - 60)]


def test_settlements_are_asked_for_while_a_closed_market_is_held() -> None:
    hall = Hall().opened()
    hall.feed(filled(42, hall.ordered()))
    assert Ask(what="settlements") not in hall.feed(timer(3_600, "catalog")).effects
    assert Ask(what="settlements") in hall.feed(timer(3_601, "catalog")).effects


def test_a_corrected_settlement_is_written_down_again() -> None:
    hall = Hall().opened()
    hall.feed(filled(42, hall.ordered()))
    paid, corrected, repeated = (
        of(Settled, hall.feed(MarketSettled(ticker=T, value_ticks=ticks, recv_ns=at(3_700))).records)
        for ticks in (10_000, 0, 0)
    )
    assert [(one.value_ticks, one.payout_ud) for one in (*paid, *corrected)] == [(10_000, 1_000_000), (0, 0)]
    assert paid[0].net_cc == corrected[0].net_cc == 100
    assert paid[0].cash_ud - corrected[0].cash_ud == paid[0].pnl_ud - corrected[0].pnl_ud == 1_000_000
    assert repeated == []


def test_a_stream_that_is_back_may_have_missed_a_correction() -> None:
    hall = Hall().opened()
    hall.feed(MarketSettled(ticker=T, value_ticks=0, recv_ns=at(3_700)))
    for is_up in (False, True):
        outcome = hall.feed(StreamChanged(source="kalshi", is_up=is_up, reason="x", recv_ns=at(3_800)), batch(3_800))
        assert (Ask(what="settlements") in outcome.effects) is is_up


# Pauses


def rejected(seconds: float, code: str) -> OrderRejected:
    return OrderRejected(client_order_id=key_of(0), code=code, message="", recv_ns=at(seconds))


def test_a_pause_that_refuses_an_order_is_looked_into_until_it_is_over() -> None:
    hall = Hall().opened()
    hall.asking.wishes = [signal()]
    hall.feed(printed(41))
    ask = Ask(what="trading")
    assert ask in hall.feed(rejected(42, "trading_is_paused")).effects
    assert ask not in hall.feed(timer(43, "windows")).effects
    hall.feed(TradingRead(shut_shards=(0,), recv_ns=at(44)))
    assert not hall.engine.view(at(44), T).is_open
    assert ask in hall.feed(timer(45, "windows")).effects
    hall.feed(AskFailed(what="trading", reason="late", recv_ns=at(46)))
    assert ask in hall.feed(timer(47, "windows")).effects
    hall.feed(TradingRead(shut_shards=(), recv_ns=at(48)))
    assert hall.engine.view(at(48), T).is_open
    assert ask not in hall.feed(timer(49, "windows")).effects


def test_an_order_refused_for_anything_else_is_no_pause() -> None:
    hall = Hall().opened()
    hall.asking.wishes = [signal()]
    hall.feed(printed(41))
    assert Ask(what="trading") not in hall.feed(rejected(42, "invalid_order")).effects


def test_a_market_that_is_paused_is_not_open_until_it_is_again() -> None:
    hall = Hall().opened()
    for is_paused in (True, False):
        hall.feed(MarketPaused(ticker=T, is_paused=is_paused, recv_ns=at(41)))
        assert hall.engine.view(at(41), T).is_open is not is_paused
    hall.feed(MarketPaused(ticker="KXBTCD-NEVER-LISTED", is_paused=True, recv_ns=at(42)))


# Stopping


def test_a_stop_cancels_proves_and_halts() -> None:
    hall = Hall().opened()
    key = hall.ordered()
    hall.feed(fills_read(49))
    began = hall.feed(command(50, "stop", "SIGTERM"))
    assert [effect.client_order_id for effect in of(CancelOrder, began.effects)] == [key]
    assert [ask.what for ask in of(Ask, began.effects)] == ["orders", "fills"]
    hall.feed(read(50.1, resting(50.1, key)))
    hall.feed(CancelAnswered(client_order_id=key, reduced_cc=100, recv_ns=at(50.2)), read(50.3), fills_read(50.3))
    assert of(Halt, hall.feed(read(50.5), fills_read(50.5)).effects) == []
    assert of(Halt, hall.feed(read(50.6)).effects) == []
    outcome = hall.feed(fills_read(50.6), batch(50.7))
    ended = RunEnded(reason="SIGTERM", cash_ud=CASH_UD, fees_ud=0, resting=0)
    assert (outcome.records, of(Halt, outcome.effects)) == ([ended], [Halt(reason="SIGTERM", is_clean=True)])


def test_nothing_new_is_wanted_while_stopping() -> None:
    hall = Hall().opened()
    hall.feed(command(50, "stop"))
    hall.asking.wishes = [signal()]
    outcome = hall.feed(printed(51), delta(51, BID, 4_100, 100), batch(51))
    assert (of(SendOrder, outcome.effects), of(Decided, outcome.records)) == ([], [])


def test_an_order_on_its_way_is_cancelled_when_it_arrives() -> None:
    hall = Hall().opened()
    hall.asking.wishes = [signal()]
    hall.feed(printed(41))
    assert of(CancelOrder, hall.feed(command(42, "stop")).effects) == []
    assert len(of(CancelOrder, hall.feed(acked(42.1, key_of(0))).effects)) == 1


def test_a_list_that_shows_an_order_begins_the_proof_anew() -> None:
    hall, stranger = Hall().opened(), key_of(7, RUN - SECOND)
    hall.feed(command(50, "stop"), read(50.1), read(50.2, resting(50.2, stranger)))
    assert of(Halt, hall.feed(read(50.4)).effects) == []
    assert of(Halt, hall.feed(fills_read(50.7), read(50.7)).effects) == [Halt(reason="stop", is_clean=True)]


def test_a_stop_that_cannot_be_proved_says_so() -> None:
    hall = Hall().opened()
    key = hall.ordered()
    hall.feed(command(50, "stop"))
    assert of(Halt, hall.feed(timer(80, "orders")).effects) == []
    outcome = hall.feed(timer(80.001, "orders"))
    assert of(Halt, outcome.effects) == [Halt(reason="stop", is_clean=False)]
    assert [ended.resting for ended in of(RunEnded, outcome.records)] == [1]
    assert [order.state for order in working(hall)] == [OrderState.CANCELLING]
    assert key == working(hall)[0].client_order_id


def test_a_run_halts_once() -> None:
    hall = Hall().opened()
    outcome = hall.feed(command(50, "stop"), read(50.1), fills_read(50.4), read(50.4), read(50.7), read(52))
    assert len(of(Halt, outcome.effects)) == len(of(RunEnded, outcome.records)) == 1


# Regimes

SHARP = RegimeParams(step_s=1, returns_min=10, vol_usual={})


def seen(regime: Regime, asset: str = "BTC") -> RegimeSeen:
    return RegimeSeen(asset=asset, source="official", regime=regime, level=None)


def test_a_regime_is_written_down_where_it_changes_and_shown() -> None:
    hall = Hall(regimes=SHARP).opened()
    assert hall.engine.view(at(40), T).regime == seen(Regime.CALM)
    told = [record for outcome in hall.outcomes for record in outcome.records if isinstance(record, RegimeSeen)]
    assert told == [seen(Regime.CALM)]
    assert of(RegimeSeen, hall.feed(printed(41, 80_500)).records) == [seen(Regime.SPIKY)]
    assert of(RegimeSeen, hall.feed(printed(42, 80_501)).records) == []
    assert hall.engine.view(at(42), T).regime == seen(Regime.SPIKY)


def test_a_spike_cancels_what_rests_and_nothing_is_opened_after_it() -> None:
    hall = Hall(regimes=SHARP).opened()
    key = hall.ordered()
    hall.asking.wishes = [signal(price=3_900)]
    outcome = hall.feed(printed(42, 80_500))
    assert [cancel.client_order_id for cancel in of(CancelOrder, outcome.effects)] == [key]
    assert [(one.rule, one.value) for one in of(Refused, outcome.records)] == [("spiky_regime", 1)]
    assert of(SendOrder, outcome.effects) == []


def test_an_order_that_arrives_in_a_spike_is_cancelled_too() -> None:
    hall = Hall(regimes=SHARP).opened()
    hall.asking.wishes = [signal()]
    hall.feed(printed(41))
    assert of(CancelOrder, hall.feed(printed(42, 80_500)).effects) == []
    hall.feed(acked(42.5, key_of(0)))
    assert [one.client_order_id for one in of(CancelOrder, hall.feed(printed(43, 80_500)).effects)] == [key_of(0)]


def test_a_spike_lets_exits_through_and_leaves_them() -> None:
    hall = Hall(regimes=SHARP).opened()
    hall.ordered()
    hall.feed(filled(41.5, key_of(0)))
    hall.feed(printed(42, 80_500))
    hall.asking.wishes = [signal(ASK, 4_100, intent=Intent.REDUCE)]
    (sent,) = of(SendOrder, hall.feed(printed(43, 80_500)).effects)
    hall.feed(acked(43.1, sent.client_order_id))
    assert of(CancelOrder, hall.feed(printed(44, 80_500)).effects) == []
    assert [order.client_order_id for order in working(hall)] == [sent.client_order_id]


def test_a_spike_of_another_asset_is_none_of_ours() -> None:
    hall = Hall(regimes=SHARP).opened()
    hall.ordered()
    prints = [msgspec.structs.replace(printed(second, 2_000 + second % 7), asset="ETH") for second in range(42, 60)]
    outcome = hall.feed(*prints, msgspec.structs.replace(printed(60, 2_500), asset="ETH"))
    assert of(RegimeSeen, outcome.records)[-1] == seen(Regime.SPIKY, "ETH")
    assert of(CancelOrder, outcome.effects) == []
