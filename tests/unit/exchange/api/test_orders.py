"""Writes: what is taken, what is refused and how, where cancels find orders."""

from typing import Any

import pytest

from fairstrike.core.order import Side
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.exchange.api.budgets import BASIC
from fairstrike.exchange.box import BoxParams
from fairstrike.exchange.floor import FloorParams
from fairstrike.exchange.happenings import ShardState
from tests.unit.exchange.api.client import HOURLY, QUARTER, RANGE, START_NS, Client, order_body

CANCEL = "/portfolio/events/orders/"


def test_a_resting_order_answers_201_without_averages() -> None:
    client = Client()
    status, body = client.place(client_order_id="one")
    assert status == 201
    order_id = body.pop("order_id")
    assert body == {
        "client_order_id": "one",
        "fill_count": "0.00",
        "remaining_count": "10.00",
        "ts_ms": START_NS // MILLISECOND_NS,
    }
    assert [row["order_id"] for row in client.get("/portfolio/orders")["orders"]] == [order_id]


def test_a_fill_answers_with_average_price_and_fee() -> None:
    client = Client()
    client.quote(Side.ASK, 5_000, 400)
    client.quote(Side.ASK, 5_200, 600)
    _, body = client.place(time_in_force="immediate_or_cancel")
    assert (body["fill_count"], body["remaining_count"]) == ("10.00", "0.00")
    assert body["average_fill_price"] == "0.5120"
    (balance,) = client.get("/portfolio/balance")["balance_breakdown"]
    fees = sum(float(row["fee_cost"]) for row in client.get("/portfolio/fills")["fills"])
    assert balance["balance"] == f"{10_000 - 4 * 0.5 - 6 * 0.52 - fees:.4f}"
    assert float(body["average_fee_paid"]) == pytest.approx(fees / 10, abs=1e-6)


def test_an_ioc_without_a_fill_leaves_nothing() -> None:
    status, body = Client().place(time_in_force="immediate_or_cancel")
    assert (status, body["fill_count"], body["remaining_count"]) == (201, "0.00", "0.00")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"price": "0.5250"}, 400, "invalid_price"),
        ({"price": "0.0000"}, 400, "invalid_price"),
        ({"price": "1.0000"}, 400, "invalid_price"),
        ({"price": "0.52001"}, 400, "invalid_price"),
        ({"price": "half"}, 400, "invalid_price"),
        ({"count": "0.00"}, 400, "invalid_order_size"),
        ({"count": "-1.00"}, 400, "invalid_order_size"),
        ({"count": "1.001"}, 400, "invalid_order_size"),
        ({"side": "yes"}, 400, "invalid_parameters"),
        ({"time_in_force": "good_till_time"}, 400, "invalid_parameters"),
        ({"self_trade_prevention_type": "none"}, 400, "invalid_parameters"),
        ({"subaccount": 1}, 400, "invalid_parameters"),
        ({"time_in_force": "immediate_or_cancel", "expiration_time": 4_000_000_000}, 400, "invalid_order"),
        ({"time_in_force": "immediate_or_cancel", "post_only": True}, 400, "invalid_order"),
        ({"reduce_only": True}, 400, "invalid_order"),
        ({"expiration_time": START_NS // SECOND_NS - 1}, 400, "invalid_order"),
        ({"ticker": QUARTER}, 400, "market_inactive"),
        ({"count": "100000.00"}, 400, "insufficient_balance"),
        ({"time_in_force": "fill_or_kill"}, 409, "fill_or_kill_insufficient_resting_volume"),
        ({"ticker": "KXNONE"}, 404, "not_found"),
        ({"exchange_index": 0}, 404, "not_found"),
        ({"order_group_id": "group"}, 404, "not_found"),
    ],
)
def test_refused_orders_name_the_rule(changes: dict[str, object], status: int, code: str) -> None:
    answer, body = Client().place(**changes)
    assert (answer, body["error"]["code"]) == (status, code)


@pytest.mark.parametrize(
    "changes", [{"price": 0.52}, {"count": 10}, {"ticker": None}, {"side": None}, {"post_only": "yes"}]
)
def test_bodies_of_the_wrong_types_are_bad_requests(changes: dict[str, object]) -> None:
    status, body = Client().place(**changes)
    assert (status, body["code"]) == (400, "bad_request")


def test_a_crossing_post_only_order_is_refused() -> None:
    client = Client()
    client.quote(Side.ASK, 5_000, 100)
    status, body = client.place(post_only=True)
    assert (status, body["error"]["details"]) == (400, "post only cross")


def test_a_client_order_id_is_never_usable_twice() -> None:
    client = Client()
    _, first = client.place(client_order_id="one")
    client.call("DELETE", CANCEL + first["order_id"], "exchange_index=2")
    status, body = client.place(client_order_id="one")
    assert (status, body["error"]["code"]) == (409, "order_already_exists")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 404),
        ("exchange_index=0", 404),
        ("exchange_index=-1", 404),
        ("market_ticker=KXNONE", 404),
        ("exchange_index=2", 200),
        (f"market_ticker={HOURLY}", 200),
        (f"exchange_index=-1&market_ticker={HOURLY}", 200),
        ("exchange_index=two", 400),
    ],
)
def test_a_cancel_finds_its_order_only_on_the_right_shard(query: str, status: int) -> None:
    client = Client()
    _, placed = client.place()
    answer, _ = client.call("DELETE", CANCEL + placed["order_id"], query)
    resting = client.get("/portfolio/orders", "status=resting")["orders"]
    assert (answer, len(resting)) == (status, 0 if status == 200 else 1)


def test_a_second_cancel_is_404() -> None:
    client = Client()
    _, placed = client.place(client_order_id="one")
    status, body = client.call("DELETE", CANCEL + placed["order_id"], "exchange_index=2")
    assert (status, body["reduced_by"], body["client_order_id"]) == (200, "10.00", "one")
    status, body = client.call("DELETE", CANCEL + placed["order_id"], "exchange_index=2")
    assert (status, body["error"]["code"]) == (404, "not_found")


def test_another_accounts_order_is_not_found() -> None:
    client = Client()
    _, placed = client.place()
    status, _ = client.call("DELETE", CANCEL + placed["order_id"], "exchange_index=2", key="other-key")
    assert status == 404


def test_cancel_all_answers_204_and_leaves_nothing_resting() -> None:
    client = Client()
    for cents in (40, 41, 42):
        client.place(price=f"0.{cents}00")
    assert client.call("DELETE", "/portfolio/events/orders") == (204, None)
    assert client.get("/portfolio/orders", "status=resting")["orders"] == []
    assert len(client.get("/portfolio/orders", "status=canceled")["orders"]) == 3


def test_batches_succeed_and_fail_item_by_item() -> None:
    client = Client()
    good, bad = order_body(client_order_id="one"), order_body(client_order_id="two", price="0.5250")
    status, body = client.call("POST", "/portfolio/events/orders/batched", body={"orders": [good, bad]})
    assert (status, len(body["orders"])) == (201, 2)
    first, second = body["orders"]
    assert (first["remaining_count"], "error" in first) == ("10.00", False)
    assert (second["client_order_id"], second["error"]["code"]) == ("two", "invalid_price")
    items = [{"order_id": first["order_id"], "exchange_index": 2}, {"order_id": "none", "exchange_index": 2}]
    status, body = client.call("DELETE", "/portfolio/events/orders/batched", body={"orders": items})
    assert status == 200
    assert [row["reduced_by"] for row in body["orders"]] == ["10.00", "0.00"]
    assert body["orders"][1]["error"]["code"] == "not_found"


@pytest.mark.parametrize("body", [{"orders": []}, {}, [], "orders"])
def test_batches_without_orders_are_bad_requests(body: object) -> None:
    status, answer = Client().call("POST", "/portfolio/events/orders/batched", body=body)
    assert (status, answer["code"]) == (400, "bad_request")


@pytest.mark.parametrize(("change", "left"), [({"reduce_by": "4.00"}, "6.00"), ({"reduce_to": "4.00"}, "4.00")])
def test_decrease_by_and_to(change: dict[str, str], left: str) -> None:
    client = Client()
    _, placed = client.place()
    path = f"{CANCEL}{placed['order_id']}/decrease"
    status, body = client.call("POST", path, body={**change, "exchange_index": 2})
    assert (status, body["remaining_count"]) == (200, left)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"exchange_index": 2}, 400),
        ({"reduce_by": "1.00", "reduce_to": "1.00", "exchange_index": 2}, 400),
        ({"reduce_by": "many", "exchange_index": 2}, 400),
        ({"reduce_by": "11.00", "exchange_index": 2}, 400),
        ({"reduce_by": "1.00"}, 404),
    ],
)
def test_refused_decreases(body: dict[str, object], status: int) -> None:
    client = Client()
    _, placed = client.place()
    assert client.call("POST", f"{CANCEL}{placed['order_id']}/decrease", body=body)[0] == status


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/portfolio/orders"), ("DELETE", "/portfolio/orders/x"), ("POST", "/portfolio/orders/x/amend")],
)
def test_the_first_generation_is_gone(method: str, path: str) -> None:
    status, body = Client().call(method, path, body=order_body())
    assert (status, body["error"]["code"]) == (410, "deprecated_v1_order_endpoint")


def test_ten_orders_a_venue_second_and_then_429() -> None:
    client = Client(BoxParams(tier=BASIC))
    assert [client.place(price="0.0100")[0] for _ in range(11)] == [201] * 10 + [429]
    client.now_ns += 100 * MILLISECOND_NS
    assert client.place(price="0.0100")[0] == 201
    assert client.place(price="0.0100")[0] == 429


def test_a_batch_beyond_the_bucket_is_refused_whole() -> None:
    client = Client(BoxParams(tier=BASIC))
    body = {"orders": [order_body(price="0.0100")] * 11}
    assert client.call("POST", "/portfolio/events/orders/batched", body=body)[0] == 429
    assert client.get("/portfolio/orders")["orders"] == []


def test_what_the_box_lacks_is_501_and_not_a_missing_path() -> None:
    status, body = Client().call("GET", "/communications/id")
    assert (status, body["error"]["code"]) == (501, "not_implemented")


def amend_body(**changes: object) -> dict[str, object]:
    return {"ticker": HOURLY, "side": "bid", "price": "0.5200", "count": "10.00", **changes}


def amend(client: Client, order_id: str, **changes: object) -> tuple[int, Any]:
    return client.call("POST", f"{CANCEL}{order_id}/amend", body=amend_body(**changes))


def test_an_amend_tells_what_remains_and_nothing_of_fills() -> None:
    client = Client()
    _, placed = client.place(client_order_id="one")
    status, body = amend(client, placed["order_id"], price="0.5300", count="12.00", updated_client_order_id="two")
    assert (status, body) == (
        200,
        {
            "order_id": placed["order_id"],
            "remaining_count": "12.00",
            "fill_count": "0.00",
            "average_fill_price": None,
            "average_fee_paid": None,
            "ts_ms": START_NS // MILLISECOND_NS,
            "client_order_id": "two",
        },
    )
    (order,) = client.get("/portfolio/orders")["orders"]
    assert (order["client_order_id"], order["yes_price_dollars"]) == ("two", "0.5300")
    assert (order["initial_count_fp"], order["remaining_count_fp"]) == ("12.00", "12.00")


def test_an_amend_of_the_expiry_alone_tells_no_counts() -> None:
    client = Client()
    _, placed = client.place()
    later = START_NS // SECOND_NS + 60
    status, body = amend(client, placed["order_id"], expiration_time=later)
    assert (status, body["remaining_count"], body["fill_count"]) == (200, None, None)
    client.now_ns = later * SECOND_NS
    assert client.get("/portfolio/orders", "status=resting")["orders"] == []


def test_an_amend_that_crosses_tells_the_fills_it_caused() -> None:
    client = Client()
    _, placed = client.place()
    client.quote(Side.ASK, 5_500, 400)
    status, body = amend(client, placed["order_id"], price="0.5600")
    assert (status, body["fill_count"], body["remaining_count"]) == (200, "4.00", "6.00")
    assert body["average_fill_price"] == "0.5500"
    (fill,) = client.get("/portfolio/fills")["fills"]
    assert (fill["is_taker"], fill["yes_price_dollars"]) == (True, "0.5500")
    assert float(body["average_fee_paid"]) == pytest.approx(float(fill["fee_cost"]) / 4, abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"side": "ask"}, 400, "order_side_mismatch"),
        ({"side": "yes"}, 400, "invalid_parameters"),
        ({"ticker": RANGE}, 400, "order_ticker_mismatch"),
        ({"client_order_id": "other"}, 400, "order_id_and_client_order_id_mismatch"),
        ({"updated_client_order_id": "used"}, 409, "order_already_exists"),
        ({"price": "0.5250"}, 400, "invalid_price"),
        ({"price": "half"}, 400, "invalid_price"),
        ({"count": "0.00"}, 400, "invalid_order_size"),
        ({"count": "some"}, 400, "invalid_order_size"),
        ({"count": "100000.00"}, 400, "insufficient_balance"),
        ({"expiration_time": START_NS // SECOND_NS}, 400, "invalid_order"),
        ({"exchange_index": 0}, 404, "not_found"),
        ({"ticker": "KXNONE"}, 404, "not_found"),
    ],
)
def test_refused_amends_name_the_rule_and_change_nothing(changes: dict[str, object], status: int, code: str) -> None:
    client = Client()
    client.place(client_order_id="used", price="0.0100")
    _, placed = client.place(client_order_id="one")
    before = client.get("/portfolio/orders")
    answer, body = amend(client, placed["order_id"], **changes)
    assert (answer, body["error"]["code"]) == (status, code)
    assert client.get("/portfolio/orders") == before


def test_paused_trading_takes_cancels_only_and_a_paused_exchange_nothing() -> None:
    client = Client()
    ids = [client.place(price=f"0.{cents}00")[1]["order_id"] for cents in (40, 41)]
    client.floor.set_shard(2, ShardState.TRADING_PAUSED, START_NS)
    assert [answer[0] for answer in (client.place(), amend(client, ids[0]))] == [409, 409]
    assert client.place()[1]["error"]["code"] == "trading_is_paused"
    assert client.call("DELETE", CANCEL + ids[0], "exchange_index=2")[0] == 200
    client.floor.set_shard(2, ShardState.EXCHANGE_PAUSED, START_NS)
    status, body = client.call("DELETE", CANCEL + ids[1], "exchange_index=2")
    assert (status, body["error"]["code"]) == (409, "exchange_is_paused")
    client.floor.set_shard(2, ShardState.OPEN, START_NS)
    assert client.call("DELETE", CANCEL + ids[1], "exchange_index=2")[0] == 200


def test_a_paused_market_refuses_everything_and_is_listed_as_paused() -> None:
    client = Client()
    _, placed = client.place()
    client.floor.deactivate(HOURLY, START_NS)
    answers = [
        client.place(),
        amend(client, placed["order_id"]),
        client.call("DELETE", CANCEL + placed["order_id"], "exchange_index=2"),
    ]
    assert [(status, body["error"]["code"]) for status, body in answers] == [(400, "market_inactive")] * 3
    (market,) = client.get("/markets", "status=paused")["markets"]
    assert (market["ticker"], market["status"]) == (HOURLY, "inactive")


def test_a_market_on_a_shard_without_money_knows_no_user() -> None:
    status, body = Client(floor=FloorParams(money_shard=0)).place()
    assert (status, body["error"]["code"]) == (404, "user_not_found")
