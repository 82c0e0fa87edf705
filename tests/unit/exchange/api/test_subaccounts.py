"""Subaccounts over the protocol: their money, positions and orders are apart, their user is one."""

import pytest

from fairstrike.core.order import Side
from fairstrike.exchange.api.budgets import BASIC
from fairstrike.exchange.box import BoxParams
from tests.unit.exchange.api.client import Client

ROOT = "/portfolio/subaccounts"
IDS = [f"2a0e3fc9-b593-4aa3-96e5-82f7f7566c{number:02d}" for number in range(9)]


def move(client: Client, cents: int, *, number: int = 0, source: int = 0, target: int = 1, shard: int = 2) -> int:
    body = {
        "client_transfer_id": IDS[number],
        "from_subaccount": source,
        "to_subaccount": target,
        "amount_cents": cents,
        "exchange_index": shard,
    }
    return client.call("POST", f"{ROOT}/transfer", body=body)[0]


def funded(cents: int = 10_000) -> Client:
    """A client with one subaccount that holds `cents`."""
    client = Client()
    assert client.call("POST", ROOT) == (201, {"subaccount_number": 1})
    assert move(client, cents) == 200
    return client


def money(client: Client) -> list[str]:
    return [row["balance"] for row in client.get(f"{ROOT}/balances")["subaccount_balances"]]


def test_numbers_count_up_to_63() -> None:
    client = Client()
    numbers = [client.call("POST", ROOT, body={"exchange_index": 2})[1].get("subaccount_number") for _ in range(64)]
    assert numbers == [*range(1, 64), None]


def test_the_basic_tier_has_none() -> None:
    status, body = Client(BoxParams(tier=BASIC)).call("POST", ROOT)
    assert (status, body["error"]["code"]) == (403, "forbidden")


def test_a_transfer_moves_money_once() -> None:
    client = funded()
    assert money(client) == ["9900.0000", "100.0000"]
    assert move(client, 10_000) == 200
    assert move(client, 4_000, number=1, source=1, target=0) == 200
    assert money(client) == ["9940.0000", "60.0000"]
    rows = client.get(f"{ROOT}/transfers")["transfers"]
    assert [(row["transfer_id"], row["from_subaccount"], row["amount_cents"]) for row in rows] == [
        (IDS[1], 1, 4_000),
        (IDS[0], 0, 10_000),
    ]
    first = client.get(f"{ROOT}/transfers", "limit=1")
    assert client.get(f"{ROOT}/transfers", f"cursor={first['cursor']}")["transfers"] == rows[1:]


def test_impossible_transfers_are_refused() -> None:
    client = funded()
    assert move(client, 0, number=1) == 400
    assert move(client, -5, number=1) == 400
    assert move(client, 1, number=1, target=0) == 400
    assert move(client, 1, number=1, target=2) == 400
    assert move(client, 10_001, number=1, source=1, target=0) == 400
    assert move(client, 1, number=1, shard=0) == 404
    body = {"client_transfer_id": "no uuid", "from_subaccount": 0, "to_subaccount": 1, "amount_cents": 1}
    status, answer = client.call("POST", f"{ROOT}/transfer", body=body)
    assert (status, answer["error"]["code"]) == (400, "invalid_UUID")
    assert money(client) == ["9900.0000", "100.0000"]


def test_what_orders_lock_cannot_be_moved() -> None:
    client = funded()
    client.place(subaccount=1, count="100.00", price="0.9000")
    assert move(client, 2_000, number=1, source=1, target=0) == 400


def test_a_subaccount_spends_only_its_own_money() -> None:
    client = funded()
    status, body = client.place(subaccount=1, count="200.00")
    assert (status, body["error"]["code"]) == (400, "insufficient_balance")
    assert client.place(subaccount=1)[0] == 201
    assert client.place(subaccount=2)[1]["error"]["details"] == "subaccount does not exist"


def test_positions_and_balances_are_apart_and_lists_tell_them_together() -> None:
    client = funded()
    client.quote(Side.ASK, 5_000, 2_000)
    client.place(subaccount=1)
    client.place()
    for query, size in (("", "10.00"), ("subaccount=1", "10.00")):
        (position,) = client.get("/portfolio/positions", query)["market_positions"]
        assert position["position_fp"] == size
    assert float(client.get("/portfolio/balance", "subaccount=1")["balance_dollars"]) < 95.0
    for path, rows in (("/portfolio/fills", "fills"), ("/portfolio/orders", "orders")):
        assert [row["subaccount_number"] for row in client.get(path)[rows]] == [0, 1]
        assert [row["subaccount_number"] for row in client.get(path, "subaccount=1")[rows]] == [1]


@pytest.mark.parametrize(("query", "status"), [("", 404), ("&subaccount=0", 404), ("&subaccount=1", 200)])
def test_a_subaccounts_order_is_changed_only_in_its_name(query: str, status: int) -> None:
    client = funded()
    _, placed = client.place(subaccount=1)
    path = f"/portfolio/events/orders/{placed['order_id']}"
    answer, _ = client.call("DELETE", path, "exchange_index=2" + query)
    assert answer == status


def test_cancel_all_ends_every_subaccounts_orders_or_those_of_one() -> None:
    client = funded()
    for subaccount in (0, 1, 1):
        client.place(subaccount=subaccount)
    client.call("DELETE", "/portfolio/events/orders", "subaccount=1")
    (left,) = client.get("/portfolio/orders", "status=resting")["orders"]
    assert left["subaccount_number"] == 0
    client.place(subaccount=1)
    client.call("DELETE", "/portfolio/events/orders")
    assert client.get("/portfolio/orders", "status=resting")["orders"] == []


def test_subaccounts_do_not_trade_with_each_other() -> None:
    client = funded()
    client.place(side="ask", price="0.5000")
    _, placed = client.place(subaccount=1, price="0.5000")
    assert (placed["fill_count"], placed["remaining_count"]) == ("0.00", "0.00")


def test_a_client_order_id_is_used_for_all_subaccounts() -> None:
    client = funded()
    client.place(client_order_id="one")
    assert client.place(subaccount=1, client_order_id="one")[0] == 409
