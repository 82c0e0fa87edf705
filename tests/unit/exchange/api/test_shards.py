"""Money on several shards over the protocol: moved once, seen where it is, and never out of thin air."""

from typing import Any

import pytest

from fairstrike.core.timing import SECOND_NS
from fairstrike.exchange.happenings import ShardState
from tests.unit.exchange.api.client import Client

TRANSFER = "/portfolio/intra_exchange_instance_transfer"
TRANSFERS = "/portfolio/intra_exchange_instance_transfers"
TARGET = "/portfolio/target_balance_allocation"
ID = "2a0e3fc9-b593-4aa3-96e5-82f7f7566c00"


def move(client: Client, units: int, **changes: object) -> tuple[int, Any]:
    """Move hundredths of a cent from shard 2 to shard 0."""
    body = {"source": "event_contract", "destination": "event_contract", "amount": units}
    return client.call(
        "POST", TRANSFER, body={**body, "source_exchange_shard": 2, "destination_exchange_shard": 0, **changes}
    )


def shards(client: Client) -> dict[int, str]:
    return {row["exchange_index"]: row["balance"] for row in client.get("/portfolio/balance")["balance_breakdown"]}


def test_money_moves_once_and_the_list_says_so() -> None:
    client = Client()
    status, made = move(client, 12_345, client_transfer_id=ID)
    assert (status, made) == (200, {"transfer_id": ID})
    assert move(client, 12_345, client_transfer_id=ID)[0] == 200
    assert shards(client) == {0: "1.2345", 2: "9998.7655"}
    assert client.get("/portfolio/balance")["balance_dollars"] == "10000.0000"
    assert client.get("/portfolio/balance", "exchange_index=0")["balance"] == 123
    row = client.get(f"{TRANSFERS}/{ID}")["transfer"]
    assert (row["amount"], row["status"], row["source_exchange_shard"]) == ("1.234500", "complete", 2)
    _, later = move(client, 1)
    assert [each["transfer_id"] for each in client.get(TRANSFERS)["transfers"]] == [later["transfer_id"], ID]


def test_shards_default_to_0_which_has_nothing() -> None:
    status, body = move(Client(), 1, source_exchange_shard=None, destination_exchange_shard=2)
    assert (status, body["error"]["code"]) == (404, "user_not_found")


@pytest.mark.parametrize(
    ("status", "code", "units", "changes"),
    [
        (400, "insufficient_balance", 100_000_001, {}),
        (400, "invalid_parameters", 0, {}),
        (400, "invalid_parameters", -5, {}),
        (400, "invalid_parameters", 1, {"destination_exchange_shard": 2}),
        (400, "invalid_parameters", 1, {"destination_exchange_shard": 4}),
        (400, "invalid_parameters", 1, {"destination": "margined"}),
        (400, "invalid_parameters", 1, {"destination_subaccount": 1}),
        (400, "invalid_UUID", 1, {"client_transfer_id": "mine"}),
    ],
)
def test_impossible_moves_are_refused(status: int, code: str, units: int, changes: dict[str, object]) -> None:
    client = Client()
    answer = move(client, units, **changes)
    assert (answer[0], answer[1]["error"]["code"]) == (status, code)
    assert shards(client) == {2: "10000.0000"}


def test_a_paused_exchange_moves_nothing() -> None:
    client = Client()
    client.floor.set_shard(0, ShardState.EXCHANGE_PAUSED, client.now_ns)
    assert move(client, 1)[1]["error"]["code"] == "exchange_is_paused"


def test_a_transfer_can_change_subaccount_too() -> None:
    client = Client()
    client.call("POST", "/portfolio/subaccounts")
    assert move(client, 10_000, destination_subaccount=1)[0] == 200
    rows = client.get("/portfolio/subaccounts/balances")["subaccount_balances"]
    assert [(row["subaccount_number"], row["exchange_index"], row["balance"]) for row in rows] == [
        (0, 2, "9999.0000"),
        (1, 0, "1.0000"),
        (1, 2, "0.0000"),
    ]


def test_a_target_allocation_is_kept_and_reached() -> None:
    client = Client()
    assert client.get(TARGET) == {"allocations": [], "resting_margin_reservation": "sum"}
    wanted = [{"exchange_index": 0, "percent": 25}, {"exchange_index": 2, "percent": 75}]
    assert client.call("POST", TARGET, body={"allocations": wanted, "resting_margin_reservation": "max"})[0] == 200
    assert client.get(TARGET) == {"allocations": wanted, "resting_margin_reservation": "max"}
    client.now_ns += 10 * SECOND_NS
    assert shards(client) == {0: "2500.0000", 2: "7500.0000"}


@pytest.mark.parametrize("percents", [(50, 49), (50, 51), (100, 0, 0, 0, 0)])
def test_an_allocation_sums_to_100_on_shards_there_are(percents: tuple[int, ...]) -> None:
    rows = [{"exchange_index": shard, "percent": each} for shard, each in enumerate(percents)]
    status, body = Client().call("POST", TARGET, body={"allocations": rows})
    assert (status, body["error"]["code"]) == (400, "invalid_parameters")


def test_an_allocation_names_a_shard_once() -> None:
    rows = [{"exchange_index": 2, "percent": 50}] * 2
    assert Client().call("POST", TARGET, body={"allocations": rows})[0] == 400
