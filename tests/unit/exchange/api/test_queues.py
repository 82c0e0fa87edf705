"""Queue positions: contracts ahead by price, then time."""

import pytest

from fairstrike.core.order import Side
from tests.unit.exchange.api.client import HOURLY, RANGE, Client

ONE = "/portfolio/orders/{}/queue_position"
SEVERAL = "/portfolio/orders/queue_positions"


def busy() -> tuple[Client, str]:
    """A client whose bid at 40 cents stands behind 3 contracts at 41 and 2 at 40, and before 7 at 40."""
    client = Client()
    client.quote(Side.BID, 4_100, 300)
    client.quote(Side.BID, 4_000, 200)
    _, placed = client.place(price="0.4000")
    client.quote(Side.BID, 4_000, 700)
    return client, placed["order_id"]


def test_better_prices_and_earlier_orders_are_ahead() -> None:
    client, order_id = busy()
    assert client.get(ONE.format(order_id), "exchange_index=2") == {"queue_position_fp": "5.00"}


def test_the_front_is_zero() -> None:
    client, _ = busy()
    _, placed = client.place(price="0.4200")
    assert client.get(ONE.format(placed["order_id"]), f"market_ticker={HOURLY}")["queue_position_fp"] == "0.00"


def test_what_does_not_rest_has_no_position() -> None:
    client, order_id = busy()
    assert client.call("GET", ONE.format(order_id))[0] == 404
    assert client.call("GET", ONE.format("none"), "exchange_index=2")[0] == 404
    client.call("DELETE", "/portfolio/events/orders")
    assert client.call("GET", ONE.format(order_id), "exchange_index=2")[0] == 404


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [HOURLY, RANGE]),
        (f"market_tickers={RANGE}", [RANGE]),
        (f"market_tickers={RANGE},{HOURLY}", [HOURLY, RANGE]),
        ("event_ticker=KXBTCD-26NOV2117", [HOURLY]),
        ("event_ticker=KXNONE", []),
        ("subaccount=1", []),
    ],
)
def test_the_list_is_filtered_by_market_event_and_subaccount(query: str, expected: list[str]) -> None:
    client, order_id = busy()
    client.place(ticker=RANGE, side="ask", price="0.9000")
    rows = client.get(SEVERAL, query)["queue_positions"]
    assert [row["market_ticker"] for row in rows] == expected
    ahead = {row["order_id"]: row["queue_position_fp"] for row in rows}
    assert ahead.get(order_id, "5.00") == "5.00"


def test_the_list_says_what_each_order_says() -> None:
    client, _ = busy()
    for price in ("0.3000", "0.4100", "0.3000"):
        client.place(price=price)
        client.place(side="ask", price="0.9000")
    rows = client.get(SEVERAL)["queue_positions"]
    single = [client.get(ONE.format(row["order_id"]), "exchange_index=2")["queue_position_fp"] for row in rows]
    assert [row["queue_position_fp"] for row in rows] == single
    assert len(set(single)) > 4
