"""Changes as conversations: what is asked, and what an answer or none of it means."""

import json
from collections.abc import Callable
from typing import TypeVar

import msgspec
import pytest

from fairstrike.core.errors import Unreachable
from fairstrike.venue.kalshi import changes, refusals
from fairstrike.venue.kalshi.changes import Declined, Done, Doubted, Gone, is_repeatable
from fairstrike.venue.kalshi.wire.orders import (
    AmendOrder,
    CancelItem,
    CreateGroup,
    CreateOrder,
    DecreaseOrder,
    GroupCreated,
    OrderAmended,
    OrderCreated,
    OrderDecreased,
    UpdateGroupLimit,
)
from fairstrike.venue.kalshi.wire.portfolio import ApplySubaccountTransfer, CreateSubaccount, SubaccountCreated
from fairstrike.venue.kalshi.wire.transfers import (
    EVENT_CONTRACTS,
    Allocations,
    ShardTransferStarted,
    StartShardTransfer,
    UpdateNetting,
)
from fairstrike.venue.kalshi.wire.transport import Request, Response, Talk

T = TypeVar("T")
AMEND = AmendOrder(ticker="T", side="bid", price="0.5000", count="3.00", exchange_index=2)
DECREASE = DecreaseOrder(reduce_by="1.00", exchange_index=2)
MOVE = ApplySubaccountTransfer(
    client_transfer_id="u", from_subaccount=0, to_subaccount=1, amount_cents=5, exchange_index=2
)
SHARDS = StartShardTransfer(
    amount=100, source=EVENT_CONTRACTS, destination=EVENT_CONTRACTS, destination_exchange_shard=2
)


def held(talk: Talk[T], *answers: tuple[int, object] | None) -> tuple[list[Request], T]:
    """Drive a talk with answers, None being no answer; what it asked and what it came to."""
    asked = [next(talk)]
    try:
        for answer in answers:
            if answer is None:
                asked.append(talk.throw(Unreachable("nothing came")))
            else:
                body = b"" if answer[1] is None else json.dumps(answer[1]).encode()
                asked.append(talk.send(Response(status=answer[0], body=body)))
    except StopIteration as end:
        outcome: T = end.value
        return asked, outcome
    raise AssertionError("the talk goes on")


def order(name: str) -> CreateOrder:
    return CreateOrder(
        ticker="T",
        side="bid",
        count="1.00",
        price="0.5000",
        time_in_force="good_till_canceled",
        self_trade_prevention_type="taker_at_cross",
        client_order_id=name,
        exchange_index=2,
    )


def test_amend() -> None:
    asked, outcome = held(
        changes.amend("o/1", AMEND), (200, {"order_id": "o/1", "remaining_count": "3.00", "ts_ms": 5})
    )
    (request,) = asked
    assert (request.method, request.path) == ("POST", "/portfolio/events/orders/o%2F1/amend")
    assert msgspec.json.decode(request.body, type=AmendOrder) == AMEND
    assert outcome == OrderAmended(order_id="o/1", remaining_count="3.00", ts_ms=5)


def test_decrease() -> None:
    asked, outcome = held(changes.decrease("o", DECREASE), (200, {"order_id": "o", "remaining_count": "2.00"}))
    assert (asked[0].method, asked[0].path) == ("POST", "/portfolio/events/orders/o/decrease")
    assert outcome == OrderDecreased(order_id="o", remaining_count="2.00")


@pytest.mark.parametrize(
    "body", [DecreaseOrder(exchange_index=2), DecreaseOrder(reduce_by="1", reduce_to="1"), DecreaseOrder(reduce_by="1")]
)
def test_a_decrease_says_one_thing_and_where(body: DecreaseOrder) -> None:
    with pytest.raises(AssertionError):
        next(changes.decrease("o", body))


CHANGES: dict[str, Callable[[], Talk[object]]] = {
    "amend": lambda: changes.amend("o", AMEND),
    "decrease": lambda: changes.decrease("o", DECREASE),
    "cancel all": changes.cancel_all,
    "create group": lambda: changes.create_group(CreateGroup(contracts_limit=5, exchange_index=2)),
    "reset": lambda: changes.reset_group("g", 2),
    "trigger": lambda: changes.trigger_group("g", 2),
    "limit": lambda: changes.limit_group("g", UpdateGroupLimit(contracts_limit=3), 2),
    "delete": lambda: changes.delete_group("g", 2),
    "create subaccount": lambda: changes.create_subaccount(CreateSubaccount(exchange_index=2)),
    "transfer": lambda: changes.transfer(MOVE),
    "netting": lambda: changes.set_netting(UpdateNetting(subaccount_number=1, enabled=False)),
    "allocation": lambda: changes.allocate(Allocations(allocations=())),
    "shards": lambda: changes.transfer_between_shards(SHARDS),
}
ONCE = ("amend", "decrease", "create group", "create subaccount", "transfer", "allocation", "shards")
"""What does more when it is sent again."""


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("answer", [None, (500, {}), (502, None), (504, {}), (408, {})])
def test_without_a_usable_answer_a_change_is_doubted(name: str, answer: tuple[int, object] | None) -> None:
    asked, outcome = held(CHANGES[name](), answer)
    assert len(asked) == 1
    assert isinstance(outcome, Doubted)


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((400, {"error": {"code": "order_side_mismatch", "message": "m"}}), refusals.OrderMismatched),
        ((404, {"error": {"code": "user_not_found", "message": "m"}}), refusals.AccountAbsent),
        ((429, {"error": "too many requests"}), refusals.RateLimited),
    ],
)
def test_a_refused_change_is_declined(name: str, answer: tuple[int, object], kind: type[refusals.VenueRefusal]) -> None:
    _, outcome = held(CHANGES[name](), answer)
    assert isinstance(outcome, Declined)
    assert type(outcome.error) is kind


def test_between_subaccounts_and_shards() -> None:
    assert held(CHANGES["create subaccount"](), (201, {"subaccount_number": 3}))[1] == SubaccountCreated(
        subaccount_number=3
    )
    asked, outcome = held(CHANGES["transfer"](), (200, {}))
    assert (asked[0].method, asked[0].path) == ("POST", "/portfolio/subaccounts/transfer")
    assert outcome == held(CHANGES["netting"](), (200, None))[1] == Done()
    asked, started = held(CHANGES["shards"](), (200, {"transfer_id": "t"}))
    assert json.loads(asked[0].body) == {
        "amount": 100,
        "source": "event_contract",
        "destination": "event_contract",
        "destination_exchange_shard": 2,
    }
    assert started == ShardTransferStarted(transfer_id="t")


def test_a_transfer_names_its_shard() -> None:
    with pytest.raises(AssertionError):
        next(changes.transfer(msgspec.structs.replace(MOVE, exchange_index=None)))


@pytest.mark.parametrize("name", ["amend", "decrease", "create group", "create subaccount", "shards"])
def test_an_answer_that_cannot_be_read_leaves_doubt(name: str) -> None:
    _, outcome = held(CHANGES[name](), (200, {"order": 1}))
    assert isinstance(outcome, Doubted)


def test_a_batch_is_divided_and_each_order_has_its_outcome() -> None:
    refused = {"client_order_id": "b", "error": {"code": "insufficient_balance", "message": "m"}}
    placed = {"client_order_id": "a", "order_id": "1", "fill_count": "0.00", "remaining_count": "1.00"}
    talk = changes.create_batch([order(name) for name in "abcd"], 3)
    asked, outcomes = held(talk, (201, {"orders": [refused, placed]}), None)
    assert [(request.method, request.path, request.items) for request in asked] == [
        ("POST", "/portfolio/events/orders/batched", 3),
        ("POST", "/portfolio/events/orders/batched", 1),
    ]
    first, second, third, fourth = outcomes
    assert first == OrderCreated(order_id="1", client_order_id="a", fill_count="0.00", remaining_count="1.00")
    assert isinstance(second, Declined)
    assert isinstance(second.error, refusals.BalanceShort)
    assert isinstance(third, Doubted)
    assert fourth == Doubted(reason="nothing came")


def test_a_batch_needs_an_id_for_each_order() -> None:
    with pytest.raises(AssertionError):
        next(changes.create_batch([order("a"), order("a")], 3))


def test_a_batch_of_cancels() -> None:
    items = [CancelItem(order_id=name, exchange_index=2) for name in ("1", "2", "3", "4")]
    rows = [
        {"order_id": "1", "reduced_by": "5.00"},
        {"order_id": "2", "reduced_by": "0.00", "error": {"code": "not_found", "message": "m"}},
        {"order_id": "3", "reduced_by": "0.00", "error": {"code": "market_inactive", "message": "m"}},
    ]
    asked, outcomes = held(changes.cancel_batch(items, 10), (200, {"orders": rows}))
    assert [(request.method, request.items) for request in asked] == [("DELETE", 4)]
    assert outcomes[:2] == (Gone(order_id="1", reduced_by="5.00"), Gone(order_id="2"))
    assert isinstance(outcomes[2], Declined)
    assert isinstance(outcomes[2].error, refusals.MarketInactive)
    assert isinstance(outcomes[3], Doubted)


def test_a_cancel_names_its_shard() -> None:
    with pytest.raises(AssertionError):
        next(changes.cancel_batch([CancelItem(order_id="1")], 10))


def test_groups() -> None:
    asked, made = held(CHANGES["create group"](), (201, {"order_group_id": "g", "subaccount": 0, "exchange_index": 2}))
    assert made == GroupCreated(order_group_id="g", exchange_index=2)
    assert (asked[0].path, asked[0].body) == (
        "/portfolio/order_groups/create",
        b'{"contracts_limit":5,"exchange_index":2}',
    )
    for name, method, path in (
        ("reset", "PUT", "/portfolio/order_groups/g/reset"),
        ("trigger", "PUT", "/portfolio/order_groups/g/trigger"),
        ("limit", "PUT", "/portfolio/order_groups/g/limit"),
        ("delete", "DELETE", "/portfolio/order_groups/g"),
    ):
        (request,), outcome = held(CHANGES[name](), (200, {}))
        assert (request.method, request.path, request.query) == (method, path, (("exchange_index", "2"),))
        assert outcome == Done()


def test_a_group_that_is_not_there_is_deleted() -> None:
    _, outcome = held(CHANGES["delete"](), (404, {"error": {"code": "not_found", "message": "m"}}))
    assert outcome == Done()


def test_a_group_needs_a_shard() -> None:
    with pytest.raises(AssertionError):
        next(changes.create_group(CreateGroup(contracts_limit=5)))


@pytest.mark.parametrize("name", CHANGES)
def test_only_what_is_harmless_twice_is_repeatable(name: str) -> None:
    assert is_repeatable(next(CHANGES[name]())) is (name not in ONCE)


def test_creating_is_never_repeatable() -> None:
    assert not is_repeatable(next(changes.create_batch([order("a")], 1)))
