"""Every answer of the exchange is one that the client's own types read, to the same values."""

import msgspec
import pytest

from fairstrike.core.contract import Contract
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side
from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import E8_PER_DOLLAR
from fairstrike.venue.kalshi.wire import markets, orders, portfolio
from fairstrike.venue.kalshi.wire.terms import terms_of
from tests.unit.exchange.api.client import (
    CLOSE_NS,
    HOURLY,
    HOURLY_CONTRACT,
    QUARTER_CONTRACT,
    RANGE_CONTRACT,
    Client,
)

ANSWERS: list[tuple[str, type[msgspec.Struct]]] = [
    ("/exchange/status", markets.ExchangeStatus),
    ("/series/KXBTCD", markets.SeriesAnswer),
    ("/series", markets.SeriesPage),
    ("/events", markets.EventsPage),
    ("/events/KXBTCD-26NOV2117", markets.EventAnswer),
    ("/markets", markets.MarketsPage),
    (f"/markets/{HOURLY}", markets.MarketAnswer),
    (f"/markets/{HOURLY}/orderbook", markets.OrderbookAnswer),
    ("/markets/trades", markets.TradesPage),
    ("/portfolio/balance", portfolio.Balance),
    ("/portfolio/positions", portfolio.PositionsPage),
    ("/portfolio/fills", portfolio.FillsPage),
    ("/portfolio/orders", portfolio.OrdersPage),
    ("/portfolio/settlements", portfolio.SettlementsPage),
    ("/account/limits", portfolio.AccountLimits),
    ("/account/endpoint_costs", portfolio.EndpointCosts),
]


@pytest.fixture
def client() -> Client:
    """A client with a fill, a resting order, and after the close a settlement."""
    client = Client()
    client.quote(Side.ASK, 5_000, 400)
    client.place(count="6.00", expiration_time=CLOSE_NS // SECOND_NS - 60)
    return client


@pytest.mark.parametrize(("path", "shape"), ANSWERS)
@pytest.mark.parametrize("is_settled", [False, True])
def test_the_client_reads_every_answer(
    client: Client, path: str, shape: type[msgspec.Struct], is_settled: bool
) -> None:
    if is_settled:
        client.publish_minute(CLOSE_NS // SECOND_NS, 80_100 * E8_PER_DOLLAR)
        client.now_ns = CLOSE_NS + 200 * SECOND_NS
    msgspec.convert(client.get(path), shape)


@pytest.mark.parametrize("contract", [HOURLY_CONTRACT, RANGE_CONTRACT, QUARTER_CONTRACT])
def test_a_contract_survives_the_wire(client: Client, contract: Contract) -> None:
    body = client.get(f"/markets/{contract.ticker}")
    read = terms_of(msgspec.convert(body, markets.MarketAnswer).market).contract
    assert read == contract


def test_a_published_target_survives_the_wire(client: Client) -> None:
    client.publish_minute(CLOSE_NS // SECOND_NS - 900, 80_012 * E8_PER_DOLLAR + 7 * E8_PER_DOLLAR // 100)
    client.now_ns = CLOSE_NS - 800 * SECOND_NS
    body = client.get(f"/markets/{QUARTER_CONTRACT.ticker}")
    read = terms_of(msgspec.convert(body, markets.MarketAnswer).market).contract
    assert read is not None
    assert read.floor_e8 == 80_012 * E8_PER_DOLLAR + 7 * E8_PER_DOLLAR // 100


def test_the_fee_schedule_survives_the_wire(client: Client) -> None:
    series = msgspec.convert(client.get("/series/KXBTCD"), markets.SeriesAnswer).series
    assert markets.fee_schedule_of(series) == FeeSchedule()


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/nowhere", "not_found"),
        ("POST", "/portfolio/orders", "deprecated_v1_order_endpoint"),
        ("POST", "/portfolio/events/orders", "bad_request"),
    ],
)
def test_the_client_reads_refusals(client: Client, method: str, path: str, code: str) -> None:
    status, body = client.call(method, path)
    assert orders.error_of(status, msgspec.json.encode(body))[0] == code
