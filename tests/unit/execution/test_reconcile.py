"""Finding the truth after doubt: what one list of resting orders implies."""

import pytest

from fairstrike.core.contract import Comparison, Contract
from fairstrike.core.effects import CancelOrder
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.ids import OrderIdParts, account_tag, pack_order_id
from fairstrike.core.order import OrderState
from fairstrike.execution.lifecycle import Move
from fairstrike.execution.reconcile import Finding, Params, cancel_of, findings, ours, strangers
from fairstrike.market.catalog import Listing
from tests.unit.execution.samples import TICKER, order, reported

PARAMS = Params(lag_ns=100)
TAG = account_tag("key")


def found(
    state: OrderState, *, is_listed: bool, missed: int | None = None, asked: int = 500, told: int = 10**6
) -> list[Move]:
    """The moves that a list asked for at `asked` implies for one order made at 10; fills were told up to `told`."""
    missing = {} if missed is None else {"a": missed}
    reports = (reported("a", "resting"),) if is_listed else ()
    return [one.move for one in findings({"a": order(state, created_ns=10)}, missing, reports, asked, told, PARAMS)]


@pytest.mark.parametrize("state", [OrderState.SENDING, OrderState.UNKNOWN])
def test_listed_order_rests(state: OrderState) -> None:
    assert found(state, is_listed=True) == [Move.FOUND_RESTING]


def test_finding_carries_the_venues_words() -> None:
    report = reported("a", "resting")
    (one,) = findings({"a": order(OrderState.UNKNOWN)}, {}, (report,), 500, 500, PARAMS)
    assert Finding(client_order_id="a", move=Move.FOUND_RESTING, report=report) == one


@pytest.mark.parametrize("state", [OrderState.RESTING, OrderState.CANCELLING, OrderState.CANCELLED])
def test_listed_order_that_we_know_of_says_nothing_new(state: OrderState) -> None:
    assert found(state, is_listed=True) == []


@pytest.mark.parametrize("state", [OrderState.UNKNOWN, OrderState.RESTING, OrderState.CANCELLING])
@pytest.mark.parametrize(
    ("moves", "missed", "asked"),
    [([], None, 500), ([], 401, 500), ([Move.FOUND_GONE], 400, 500), ([Move.FOUND_GONE], 10, 500)],
)
def test_two_lists_apart_without_it_mean_gone(
    state: OrderState, moves: list[Move], missed: int | None, asked: int
) -> None:
    assert moves == found(state, is_listed=False, missed=missed, asked=asked)


@pytest.mark.parametrize(("moves", "told"), [([], 0), ([], 499), ([Move.FOUND_GONE], 500)])
def test_nothing_is_gone_before_its_fills_had_their_chance(moves: list[Move], told: int) -> None:
    assert moves == found(OrderState.UNKNOWN, is_listed=False, missed=400, asked=900, told=told)


def test_no_list_says_that_an_order_on_its_way_is_gone() -> None:
    assert found(OrderState.SENDING, is_listed=False, missed=10) == []


def test_an_order_whose_fill_is_missing_waits_for_it() -> None:
    waiting = order(OrderState.CANCELLING, final=300)
    assert findings({"a": waiting}, {"a": 10}, (), 500, 500, PARAMS) == []


@pytest.mark.parametrize("state", [OrderState.CANCELLED, OrderState.EXECUTED, OrderState.REJECTED])
def test_an_ended_order_is_not_looked_for(state: OrderState) -> None:
    assert found(state, is_listed=False, missed=10) == []


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_list_from_before_the_order_says_nothing(is_listed: bool) -> None:
    assert found(OrderState.UNKNOWN, is_listed=is_listed, missed=0, asked=9) == []


# Orders that must not rest


def test_ours_carry_product_and_account() -> None:
    mine = pack_order_id(OrderIdParts(tag=TAG, run_ms=1, strategy=1, counter=1))
    other = pack_order_id(OrderIdParts(tag=account_tag("other"), run_ms=1, strategy=1, counter=1))
    reports = tuple(reported(key, "resting") for key in (other, mine, "", "by hand"))
    assert (mine,) == tuple(report.client_order_id for report in ours(reports, TAG))


def test_strangers_are_unknown_or_held_for_ended_unfilled() -> None:
    held = {state.value: order(state, key=state.value) for state in OrderState}
    reports = tuple(reported(key, "resting") for key in (*held, "never heard of"))
    expected = ["cancelled", "rejected", "never heard of"]
    assert expected == [report.client_order_id for report in strangers(held, reports)]


@pytest.mark.parametrize(("shard", "is_known"), [(3, True), (-1, False)])
def test_cancel_of_a_stranger_names_its_shard(shard: int, is_known: bool) -> None:
    contract = Contract(
        ticker=TICKER,
        event_ticker="e",
        series="s",
        asset="BTC",
        comparison=Comparison.AT_LEAST,
        open_ns=0,
        close_ns=1,
        exchange_index=3,
    )
    listing = Listing(contract=contract, schedule=FeeSchedule(), status="active", volume_24h_cc=0)
    listings = {TICKER: listing} if is_known else {}
    expected = CancelOrder(client_order_id="a", order_id="v1", ticker=TICKER, exchange_index=shard)
    assert expected == cancel_of(reported("a", "resting"), listings)
