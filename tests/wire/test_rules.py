"""Rules of matching as clients see them over REST, where the box's own tests hold them below the protocol only."""

from typing import Any

import pytest

from fairstrike.core.order import Side
from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import E8_PER_DOLLAR
from tests.unit.core.test_fees import REAL_FILLS, WHOLE
from tests.unit.exchange.api.client import CLOSE_NS, HOURLY, QUARTER, Client

OPEN = CLOSE_NS // SECOND_NS - 900
IOC = "immediate_or_cancel"


def tapered() -> Client:
    """A client while the 15-minute market, whose grid is tapered, trades."""
    client = Client()
    client.publish_minute(OPEN, 80_000 * E8_PER_DOLLAR)
    client.now_ns = (OPEN + 1) * SECOND_NS
    return client


def bought(client: Client, price_ticks: int, size_cc: int, **order: Any) -> dict[str, Any]:
    """Let the house stand against an order, send it, and give its fill."""
    side = Side.ASK if order.get("side", "bid") == "bid" else Side.BID
    client.quote(side, price_ticks, size_cc, QUARTER)
    status, placed = client.place(ticker=QUARTER, time_in_force=IOC, **order)
    assert (status, placed["remaining_count"]) == (201, "0.00")
    fill: dict[str, Any] = client.get("/portfolio/fills")["fills"][0]
    return fill


@pytest.mark.parametrize(
    ("price", "status"),
    [
        ("0.0010", 201),
        ("0.0990", 201),
        ("0.0995", 400),
        ("0.1000", 201),
        ("0.1050", 400),
        ("0.8900", 201),
        ("0.9010", 201),
        ("0.9990", 201),
        ("0.0000", 400),
        ("1.0000", 400),
    ],
)
def test_a_tapered_grid_is_fine_at_its_ends_only(price: str, status: int) -> None:
    answer, body = tapered().place(ticker=QUARTER, price=price, count="1.00")
    assert answer == status
    assert status == 201 or body["error"]["code"] == "invalid_price"


@pytest.mark.parametrize(
    ("count", "status"), [("0.01", 201), ("0.27", 201), ("0.00", 400), ("0.001", 400), ("1.005", 400)]
)
def test_contracts_come_in_hundredths(count: str, status: int) -> None:
    answer, body = Client().place(count=count)
    assert answer == status
    assert status == 201 or body["error"]["code"] == "invalid_order_size"


# Prices between two cents in the middle of the grid are those of other series.
REAL = [row for row in REAL_FILLS if row[3] == WHOLE and row[2] != "0.2280"]


@pytest.mark.parametrize(("fee", "count", "price", "multiplier_ppm", "is_bid"), REAL)
def test_real_fills_cost_what_they_cost(fee: str, count: str, price: str, multiplier_ppm: int, is_bid: bool) -> None:
    assert multiplier_ppm == WHOLE
    side = "bid" if is_bid else "ask"
    ticks, size_cc = round(float(price) * 10_000), round(float(count) * 100)
    fill = bought(tapered(), ticks, size_cc, price=price, count=count, side=side)
    assert (fill["fee_cost"], fill["count_fp"], fill["is_taker"]) == (fee, count, True)


def test_rounding_comes_back_in_whole_steps_and_the_balance_agrees() -> None:
    client = tapered()
    for _ in range(4):
        client.quote(Side.ASK, 5_000, 1, QUARTER)
    status, placed = client.place(ticker=QUARTER, price="0.5000", count="0.04")
    assert (status, placed["fill_count"]) == (201, "0.04")
    fees = [row["fee_cost"] for row in reversed(client.get("/portfolio/fills")["fills"])]
    # Each fill's fee is 0.000175, rounded to 0.0002; what was rounded makes a step of 0.0001 with the fourth.
    assert fees == ["0.000200", "0.000200", "0.000200", "0.000100"]
    assert client.get("/portfolio/balance")["balance_dollars"] == "9999.9793"
    assert client.get("/portfolio/orders")["orders"][0]["taker_fees_dollars"] == "0.000700"


def test_a_partial_fill_rests_and_its_maker_pays_nothing() -> None:
    client = Client()
    client.quote(Side.ASK, 5_000, 300)
    _, placed = client.place(price="0.5000", count="10.00")
    assert (placed["fill_count"], placed["remaining_count"]) == ("3.00", "7.00")
    client.quote(Side.ASK, 5_000, 200)
    order = client.get(f"/portfolio/orders/{placed['order_id']}", "exchange_index=2")["order"]
    assert (order["status"], order["fill_count_fp"], order["remaining_count_fp"]) == ("resting", "5.00", "5.00")
    assert (order["maker_fees_dollars"], order["maker_fill_cost_dollars"]) == ("0.000000", "1.000000")
    assert [row["is_taker"] for row in client.get("/portfolio/fills")["fills"]] == [False, True]


def test_yes_and_no_meet_in_one_book() -> None:
    client = Client()
    _, no = client.place(side="ask", price="0.4000", count="5.00")
    book = client.get(f"/markets/{HOURLY}/orderbook")["orderbook_fp"]
    assert book == {"yes_dollars": [], "no_dollars": [["0.6000", "5.00"]]}
    _, yes = client.call("POST", "/portfolio/events/orders", body=meeting(), key="other-key")
    assert (yes["fill_count"], yes["average_fill_price"]) == ("5.00", "0.4000")
    assert client.get("/portfolio/positions")["market_positions"][0]["position_fp"] == "-5.00"
    assert client.get(f"/markets/{HOURLY}")["market"]["open_interest_fp"] == "5.00"
    assert client.get(f"/portfolio/orders/{no['order_id']}", "exchange_index=2")["order"]["status"] == "executed"


def meeting() -> dict[str, object]:
    return {
        "ticker": HOURLY,
        "side": "bid",
        "count": "5.00",
        "price": "0.4500",
        "time_in_force": "fill_or_kill",
        "self_trade_prevention_type": "taker_at_cross",
    }


@pytest.mark.parametrize(("kind", "filled", "resting"), [("taker_at_cross", "2.00", 1), ("maker", "5.00", 0)])
def test_nobody_trades_with_himself(kind: str, filled: str, resting: int) -> None:
    client = Client()
    client.quote(Side.ASK, 4_900, 200)
    client.place(side="ask", price="0.5000", count="4.00")
    client.quote(Side.ASK, 5_100, 300)
    _, placed = client.place(price="0.5100", count="5.00", self_trade_prevention_type=kind)
    assert (placed["fill_count"], placed["remaining_count"]) == (filled, "0.00")
    assert len(client.get("/portfolio/orders", "status=resting")["orders"]) == resting


def test_reduce_only_closes_and_never_turns() -> None:
    client = Client()
    client.quote(Side.ASK, 5_000, 300)
    client.place(price="0.5000", count="3.00", time_in_force=IOC)
    client.quote(Side.BID, 4_000, 900)
    _, placed = client.place(side="ask", price="0.4000", count="9.00", time_in_force=IOC, reduce_only=True)
    assert (placed["fill_count"], placed["remaining_count"]) == ("3.00", "0.00")
    assert client.get("/portfolio/positions")["market_positions"][0]["position_fp"] == "0.00"
    status, body = client.place(reduce_only=True)
    assert (status, body["error"]["code"]) == (400, "invalid_order")


def test_an_order_leaves_at_its_expiry_and_none_expires_in_the_past() -> None:
    client = Client()
    now = client.now_ns // SECOND_NS
    _, placed = client.place(expiration_time=now + 5)
    client.now_ns += 5 * SECOND_NS - 1
    path = f"/portfolio/orders/{placed['order_id']}"
    assert client.get(path, "exchange_index=2")["order"]["status"] == "resting"
    client.now_ns += 1
    assert client.get(path, "exchange_index=2")["order"]["status"] == "canceled"
    assert client.place(expiration_time=now)[0] == 400
    assert client.place(expiration_time=now + 60, time_in_force=IOC)[0] == 400
