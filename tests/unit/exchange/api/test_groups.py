"""Order groups over the protocol: where they live, what they refuse, what changes them."""

from typing import Any

import pytest

from fairstrike.core.order import Side
from tests.unit.exchange.api.client import Client

GROUPS = "/portfolio/order_groups"


def make(client: Client, **changes: object) -> str:
    status, body = client.call("POST", f"{GROUPS}/create", body={"contracts_limit": 5, "exchange_index": 2, **changes})
    assert status == 201, body
    group_id: str = body["order_group_id"]
    return group_id


def change(client: Client, group_id: str, name: str, query: str = "exchange_index=2", body: Any = None) -> int:
    return client.call("PUT", f"{GROUPS}/{group_id}/{name}", query, body)[0]


def test_a_group_is_listed_with_its_limit_and_told_with_its_orders() -> None:
    client = Client()
    group_id = make(client)
    _, placed = client.place(order_group_id=group_id)
    assert client.get(GROUPS)["order_groups"] == [
        {"id": group_id, "is_auto_cancel_enabled": True, "contracts_limit_fp": "5.00", "exchange_index": 2}
    ]
    assert client.get(f"{GROUPS}/{group_id}")["orders"] == [placed["order_id"]]
    (order,) = client.get("/portfolio/orders")["orders"]
    assert order["order_group_id"] == group_id


@pytest.mark.parametrize(
    "body",
    [
        {"contracts_limit": 0},
        {"contracts_limit": 1_000_001},
        {"contracts_limit_fp": "1.50"},
        {"contracts_limit_fp": "many"},
        {"contracts_limit": 5, "contracts_limit_fp": "6.00"},
        {},
        {"contracts_limit": 5, "subaccount": 1},
    ],
)
def test_impossible_groups_are_refused(body: dict[str, object]) -> None:
    status, answer = Client().call("POST", f"{GROUPS}/create", body=body)
    assert (status, answer["error"]["code"]) == (400, "invalid_parameters")


def test_a_number_and_an_equal_text_are_one_limit() -> None:
    client = Client()
    make(client, contracts_limit_fp="5.00")
    assert client.get(GROUPS)["order_groups"][0]["contracts_limit_fp"] == "5.00"


def test_a_group_on_the_default_shard_takes_no_crypto_order() -> None:
    client = Client()
    group_id = make(client, exchange_index=None)
    status, body = client.place(order_group_id=group_id)
    assert (status, body["error"]["code"]) == (404, "not_found")


def test_the_limit_ends_the_groups_orders_and_refuses_new_ones_until_a_reset() -> None:
    client = Client()
    group_id = make(client)
    client.quote(Side.ASK, 5_000, 500)
    _, first = client.place(price="0.4000", order_group_id=group_id)
    _, second = client.place(price="0.5000", count="6.00", order_group_id=group_id)
    assert (second["fill_count"], second["remaining_count"]) == ("5.00", "0.00")
    orders = client.get("/portfolio/orders", "status=canceled")["orders"]
    assert {order["order_id"] for order in orders} == {first["order_id"], second["order_id"]}
    status, body = client.place(order_group_id=group_id)
    assert (status, body["error"]["code"]) == (409, "order_group_triggered")
    assert change(client, group_id, "reset") == 200
    assert client.place(order_group_id=group_id)[0] == 201


def test_trigger_limit_and_delete_end_the_groups_orders() -> None:
    client = Client()
    for act in ("trigger", "delete"):
        group_id = make(client)
        client.place(order_group_id=group_id)
        if act == "delete":
            assert client.call("DELETE", f"{GROUPS}/{group_id}", "exchange_index=2") == (200, {})
            assert client.call("GET", f"{GROUPS}/{group_id}")[0] == 404
        else:
            assert change(client, group_id, act) == 200
            assert client.get(f"{GROUPS}/{group_id}")["orders"] == []
        assert client.get("/portfolio/orders", "status=resting")["orders"] == []


def test_a_limit_below_what_matched_triggers_at_once() -> None:
    client = Client()
    group_id = make(client)
    client.quote(Side.ASK, 5_000, 300)
    client.place(price="0.5000", order_group_id=group_id)
    assert len(client.get(f"{GROUPS}/{group_id}")["orders"]) == 1
    assert change(client, group_id, "limit", body={"contracts_limit": 4}) == 200
    assert len(client.get(f"{GROUPS}/{group_id}")["orders"]) == 1
    assert change(client, group_id, "limit", body={"contracts_limit_fp": "3.00"}) == 200
    assert client.get(f"{GROUPS}/{group_id}")["orders"] == []


@pytest.mark.parametrize(("query", "status"), [("", 404), ("exchange_index=0", 404), ("exchange_index=2", 200)])
def test_a_group_is_changed_only_on_its_shard(query: str, status: int) -> None:
    client = Client()
    assert change(client, make(client), "trigger", query) == status


def test_another_accounts_group_is_not_found() -> None:
    client = Client()
    group_id = make(client)
    path = f"{GROUPS}/{group_id}"
    assert client.call("GET", path, key="other-key")[0] == 404
    assert client.call("PUT", f"{path}/reset", "exchange_index=2", key="other-key")[0] == 404
    assert client.call("DELETE", path, "exchange_index=2", key="other-key")[0] == 404
