"""The display state says what the ledger says."""

import pytest

from fairstrike.app.desk.facts import Body, Fact
from fairstrike.app.desk.state import EQUITY_MAX, FILLS_MAX, QUOTES_MAX, DeskState, Quote
from fairstrike.core.order import OrderState
from fairstrike.core.records import CashSet, Decided, OrderMoved, Row
from fairstrike.core.regime import Regime, RegimeSeen
from fairstrike.execution.ledger import Ledger
from tests.unit.app.desk.sample import CASH_UD, Said, SampleRun


def folded(said: list[Said], state: DeskState | None = None) -> DeskState:
    state = state or DeskState()
    for n, (instant_ns, body) in enumerate(said, start=1):
        if isinstance(body, Body):
            state.fold(Fact(n=n, instant_ns=instant_ns, body=body))
    return state


def assert_equal_books(state: DeskState, ledger: Ledger) -> None:
    assert state.cash_ud == ledger.cash_ud
    assert state.fees_ud == ledger.fees_ud
    assert state.open_cost_ud == ledger.open_cost_ud()
    shares = {key: result.net_cc for key, result in ledger.results.items() if result.net_cc}
    assert state.shares == shares
    for name in {owner for owner, _ in ledger.results}:
        own = [result for (owner, _), result in ledger.results.items() if owner == name]
        assert state.strategies[name].cash_ud == sum(result.cash_ud for result in own)
        assert state.strategies[name].fees_ud == sum(result.fees_ud for result in own)
        assert state.strategies[name].fills == sum(result.fills for result in own)


@pytest.mark.parametrize("seed", range(10))
def test_state_equals_the_ledger(seed: int) -> None:
    run = SampleRun(seed, 60)
    state = folded(run.said)
    assert_equal_books(state, run.ledger)
    assert state.pnl_ud == run.ledger.cash_ud - CASH_UD
    assert sum(sums.cash_ud for sums in state.strategies.values()) == state.pnl_ud
    assert state.positions == {}
    assert (state.equity[0][1], state.equity[-1][1]) == (CASH_UD, run.ledger.cash_ud)
    assert state.ended is not None


@pytest.mark.parametrize("seed", range(5))
def test_corrected_settlements_are_counted_once(seed: int) -> None:
    run = SampleRun(seed, 60)
    settled = len(run.ledger.settled)
    run.correct()
    state = folded(run.said)
    assert_equal_books(state, run.ledger)
    assert state.settlements_count == settled
    assert state.wins == sum(pnl_ud > 0 for pnl_ud in run.ledger.market_pnl_ud.values())


def test_regimes_are_those_told_last_and_end_with_the_run() -> None:
    said = SampleRun(3, 5).said
    seen = [
        RegimeSeen(asset="BTC", source="official", regime=regime, level=None) for regime in (Regime.CALM, Regime.SPIKY)
    ]
    state = folded([*said, *((1, one) for one in seen)])
    assert state.regimes == {"BTC": seen[-1]}
    assert folded(said, state).regimes == {}


def test_equity_is_cash_and_open_cost() -> None:
    said = SampleRun(3, 60).said
    middle = folded(said[: len(said) // 2])
    assert middle.positions
    assert middle.equity_ud == middle.cash_ud + sum(position.cost_ud for position in middle.positions.values())
    assert middle.equity[-1][1] == middle.equity_ud


def test_a_new_run_starts_afresh() -> None:
    state = folded(SampleRun(1, 40).said)
    second = SampleRun(2, 40, "b")
    folded(second.said, state)
    assert_equal_books(state, second.ledger)
    assert state.runs == 2


def test_orders_are_counted_where_they_stand() -> None:
    said = SampleRun(5, 60).said
    state = folded(said)
    last = {body.client_order_id: body.state for _, body in said if isinstance(body, OrderMoved)}
    assert state.sent == len(last)
    assert state.ends[OrderState.EXECUTED] == sum(1 for end in last.values() if end is OrderState.EXECUTED)
    assert set(state.working) == {key for key, end in last.items() if end is OrderState.RESTING}
    assert sum(state.refusals.values()) == sum(sums.refused for sums in state.strategies.values())


def test_histories_are_bounded() -> None:
    state = folded(SampleRun(5, 4_000).said)
    for n in range(EQUITY_MAX * 3):
        state.fold(Fact(n=n, instant_ns=n, body=CashSet(cash_ud=n)))
        state.fold(Fact(n=n, instant_ns=n, body=Decided(rows=(Row(f"T{n}", 1, 1, 1, 2, 1, None),))))
    assert len(state.fills) <= FILLS_MAX
    assert len(state.quotes) == QUOTES_MAX
    assert f"T{EQUITY_MAX * 3 - 1}" in state.quotes
    assert len(state.equity) <= EQUITY_MAX
    assert state.equity[-1] == (EQUITY_MAX * 3 - 1, EQUITY_MAX * 3 - 1)


@pytest.mark.parametrize(
    ("expected", "bid", "ask", "fair"),
    [(5_100, 5_000, 5_200, 1), (6_000, None, 5_200, 600_000), (5_200, None, 5_200, None), (None, None, None, None)],
)
def test_a_mark_is_the_middle_else_fair_else_what_there_is(
    expected: int | None, bid: int | None, ask: int | None, fair: int | None
) -> None:
    assert Quote(instant_ns=1, bid_ticks=bid, ask_ticks=ask, fair_ppm=fair).mark_ticks == expected


def test_marked_result_values_open_contracts() -> None:
    state = folded(SampleRun(1, 1).said[:2])
    state.strategy("taker").cash_ud = -5_000 * 100
    state.shares["taker", "T"] = 100
    assert state.marked_ud("taker") is None
    state.fold(Fact(n=9, instant_ns=9, body=Decided(rows=(Row("T", 1, 5_400, 1, 5_600, 1, None),))))
    assert state.marked_ud("taker") == 500 * 100


def test_state_before_the_first_record_is_empty() -> None:
    state = DeskState()
    assert (state.run, state.equity_ud, state.pnl_ud) == (None, 0, 0)
