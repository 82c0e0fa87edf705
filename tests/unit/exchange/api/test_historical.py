"""What is older than the cutoff is in the historical tier, and nowhere else."""

import pytest

from fairstrike.core.order import Side
from fairstrike.core.timing import MINUTE_NS, SECOND_NS
from fairstrike.core.units import E8_PER_DOLLAR
from fairstrike.exchange.box import BoxParams
from tests.unit.exchange.api.client import CLOSE_NS, HOURLY, QUARTER, RANGE, Client


@pytest.fixture
def client() -> Client:
    """A client an hour after the close: a trade, an executed and a cancelled order lie behind the cutoff."""
    client = Client(BoxParams(tier=None, live_tier_ns=MINUTE_NS))
    client.quote(Side.ASK, 5_000, 400)
    client.place(count="1.00")
    client.place(count="1.00", price="0.0100")
    client.publish_minute(CLOSE_NS // SECOND_NS, 80_050 * E8_PER_DOLLAR)
    client.now_ns = CLOSE_NS + 60 * MINUTE_NS
    return client


def test_the_cutoff_is_a_minute_ago(client: Client) -> None:
    assert set(client.get("/historical/cutoff").values()) == {"2026-11-21T22:59:00Z"}


def test_settled_markets_move(client: Client) -> None:
    assert client.get("/markets")["markets"] == []
    assert client.call("GET", f"/markets/{HOURLY}")[0] == 404
    assert [row["ticker"] for row in client.get("/historical/markets")["markets"]] == [HOURLY, RANGE, QUARTER]
    market = client.get(f"/historical/markets/{HOURLY}")["market"]
    assert (market["status"], market["expiration_value"]) == ("finalized", "80050.00")
    (event,) = client.get("/events", "series_ticker=KXBTCD&with_nested_markets=true")["events"]
    assert event["markets"] == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (f"tickers={QUARTER},{RANGE}", [RANGE, QUARTER]),
        ("event_ticker=KXBTC-26NOV2117", [RANGE]),
        ("series_ticker=KXBTCD", [HOURLY]),
        ("mve_filter=only", []),
    ],
)
def test_historical_markets_are_filtered(client: Client, query: str, expected: list[str]) -> None:
    assert [row["ticker"] for row in client.get("/historical/markets", query)["markets"]] == expected


def test_filters_exclude_each_other(client: Client) -> None:
    assert client.call("GET", "/historical/markets", "series_ticker=A&event_ticker=B")[0] == 400


def test_trades_fills_and_orders_move(client: Client) -> None:
    assert client.get("/markets/trades")["trades"] == []
    assert [row["count_fp"] for row in client.get("/historical/trades")["trades"]] == ["1.00"]
    assert [row["count_fp"] for row in client.get("/historical/fills", f"ticker={HOURLY}")["fills"]] == ["1.00"]
    assert client.get("/historical/fills", "ticker=X")["fills"] == []
    orders = client.get("/historical/orders")["orders"]
    assert [row["status"] for row in orders] == ["canceled", "executed"]
    first = client.get("/historical/orders", "limit=1")
    assert client.get("/historical/orders", f"limit=1&cursor={first['cursor']}")["orders"] == orders[1:]


def test_positions_of_old_settlements_are_flat_and_tell_what_they_brought(client: Client) -> None:
    answer = client.get("/historical/positions", f"ticker={HOURLY}")
    (row,), (event,) = answer["market_positions"], answer["event_positions"]
    (settled,) = client.get("/portfolio/settlements")["settlements"]
    bought, fee = float(settled["yes_total_cost_dollars"]), settled["fee_cost"]
    assert (row["position_fp"], row["market_exposure_dollars"], row["fees_paid_dollars"]) == ("0.00", "0.000000", fee)
    assert float(row["total_traded_dollars"]) == bought
    assert float(row["realized_pnl_dollars"]) == settled["revenue"] / 100 - bought
    assert event["realized_pnl_dollars"] == row["realized_pnl_dollars"]
    assert client.get("/portfolio/positions")["market_positions"] == []
    assert client.get("/historical/positions", "event_ticker=KXNONE")["market_positions"] == []


def test_what_is_young_is_not_historical() -> None:
    client = Client()
    client.quote(Side.ASK, 5_000, 400)
    client.place(count="1.00")
    for kind in ("markets", "trades", "fills", "orders"):
        assert client.get(f"/historical/{kind}")[kind] == []
    assert client.get("/historical/positions")["market_positions"] == []
    assert client.call("GET", f"/historical/markets/{HOURLY}")[0] == 404
