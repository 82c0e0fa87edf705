"""What an account's first money, keys, volume and resting orders are."""

from fairstrike.core.order import Side
from fairstrike.core.timing import DAY_NS, SECOND_NS
from fairstrike.exchange.box import BoxParams
from tests.unit.exchange.api.client import HOURLY, START_NS, Client

RESTING = "/portfolio/summary/total_resting_order_value"


def test_resting_orders_cost_their_collateral() -> None:
    client = Client()
    assert client.get(RESTING) == {"total_resting_order_value": 0, "resting_order_value_breakdown": []}
    client.place(price="0.5000", count="10.00")
    client.place(side="ask", price="0.9900", count="0.50")
    assert client.get(RESTING) == {
        "total_resting_order_value": 500,
        "resting_order_value_breakdown": [{"exchange_index": 2, "balance": "5.0050"}],
    }
    client.call("DELETE", "/portfolio/events/orders")
    assert client.get(RESTING)["total_resting_order_value"] == 0


def test_the_opening_balance_is_the_one_deposit() -> None:
    client = Client()
    page = client.get("/portfolio/deposits")
    (deposit,) = page["deposits"]
    assert (deposit["amount_cents"], deposit["status"], deposit["created_ts"]) == (
        1_000_000,
        "applied",
        START_NS // SECOND_NS,
    )
    assert client.get("/portfolio/withdrawals")["withdrawals"] == []


def test_the_account_has_its_key_and_no_other() -> None:
    (key,) = Client().get("/api_keys")["api_keys"]
    assert (key["api_key_id"], key["name"], key["scopes"]) == ("client-key", "client", ["read", "write"])


def test_volume_counts_own_fills_of_thirty_days_and_promises_nothing() -> None:
    client = Client(BoxParams(tier=None))
    client.quote(Side.ASK, 5_000, 400)
    client.place(price="0.5000", count="4.00")
    (row,) = client.get("/account/api_usage_level/volume_progress")["volume_progress"]
    assert (row["trailing_30d_volume_fp"], row["goals"]) == ("4.00", [])
    client.now_ns += 31 * DAY_NS
    (row,) = client.get("/account/api_usage_level/volume_progress")["volume_progress"]
    assert row["trailing_30d_volume_fp"] == "0.00"


def test_netting_is_off_until_it_is_put_on() -> None:
    client = Client()
    rows = client.get("/portfolio/subaccounts/netting")["netting_configs"]
    assert rows == [{"subaccount_number": 0, "enabled": False, "exchange_index": 2}]
    body = {"subaccount_number": 0, "enabled": True}
    assert client.call("PUT", "/portfolio/subaccounts/netting", body=body)[0] == 200
    assert client.get("/portfolio/subaccounts/netting")["netting_configs"][0]["enabled"]
    assert client.floor.market(HOURLY) is not None
