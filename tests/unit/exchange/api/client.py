"""A signed client of a box with three markets, for the tests of the exchange's protocol."""

import json
from base64 import b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fairstrike.core.contract import TAPERED_GRID, Comparison, Contract
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side
from fairstrike.core.timing import HOUR_NS, MINUTE_NS, SECOND_NS, parse_rfc3339_ns
from fairstrike.core.units import E8_PER_DOLLAR, UD_PER_DOLLAR
from fairstrike.exchange.api.call import BoxRequest, BoxResponse
from fairstrike.exchange.box import Box, BoxParams
from fairstrike.exchange.floor import Floor, FloorParams, Placed, PlaceOrder
from fairstrike.exchange.verification import Keyring

WALL_MS = 1_790_000_000_000
CLOSE_NS = parse_rfc3339_ns("2026-11-21T22:00:00Z")
START_NS = CLOSE_NS - 30 * MINUTE_NS
HOURLY = "KXBTCD-26NOV2117-T79999.99"
RANGE = "KXBTC-26NOV2117-B80050"
QUARTER = "KXBTC15M-26NOV211700-00"
PRIVATE_KEY = Ed25519PrivateKey.generate()
PUBLIC_PEM = PRIVATE_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

HOURLY_CONTRACT = Contract(
    ticker=HOURLY,
    event_ticker="KXBTCD-26NOV2117",
    series="KXBTCD",
    asset="BTC",
    comparison=Comparison.ABOVE,
    open_ns=CLOSE_NS - HOUR_NS,
    close_ns=CLOSE_NS,
    floor_e8=80_000 * E8_PER_DOLLAR - E8_PER_DOLLAR // 100,
    exchange_index=2,
)
RANGE_CONTRACT = Contract(
    ticker=RANGE,
    event_ticker="KXBTC-26NOV2117",
    series="KXBTC",
    asset="BTC",
    comparison=Comparison.BETWEEN,
    open_ns=CLOSE_NS - HOUR_NS,
    close_ns=CLOSE_NS,
    floor_e8=80_000 * E8_PER_DOLLAR,
    cap_e8=80_100 * E8_PER_DOLLAR - E8_PER_DOLLAR // 100,
    exchange_index=2,
)
QUARTER_CONTRACT = Contract(
    ticker=QUARTER,
    event_ticker="KXBTC15M-26NOV211700",
    series="KXBTC15M",
    asset="BTC",
    comparison=Comparison.AT_LEAST,
    open_ns=CLOSE_NS - 15 * MINUTE_NS,
    close_ns=CLOSE_NS,
    round_digits=2,
    grid=TAPERED_GRID,
    exchange_index=2,
)


class PlainStage:
    """A floor on which nobody moves but the test."""

    def __init__(self, params: FloorParams | None = None) -> None:
        self.floor = Floor(params=params, now_ns=START_NS)
        for contract in (HOURLY_CONTRACT, RANGE_CONTRACT, QUARTER_CONTRACT):
            self.floor.list_market(contract, FeeSchedule(), 0, START_NS)
        self.floor.open_account("client", key_id="client-key", balance_ud=10_000 * UD_PER_DOLLAR)
        self.floor.open_account("other", key_id="other-key", balance_ud=10_000 * UD_PER_DOLLAR)
        self.floor.open_account("maker", key_id="maker-key", balance_ud=10**15, is_house=True)

    def advance(self, now_ns: int) -> None:
        self.floor.advance(now_ns)

    def next_due_ns(self) -> int | None:
        return self.floor.next_due_ns()


class Client:
    """One account's REST client; its clock stands still unless a test moves `now_ns`."""

    def __init__(self, params: BoxParams | None = None, *, floor: FloorParams | None = None) -> None:
        keyring = Keyring()
        for name in ("client", "other"):
            keyring.add(f"{name}-key", name, PUBLIC_PEM)
        self.stage = PlainStage(floor)
        self.floor = self.stage.floor
        self.box = Box(self.stage, keyring, params or BoxParams(tier=None))
        self.now_ns = START_NS

    def send(self, request: BoxRequest) -> BoxResponse:
        return self.box.answer(request, self.now_ns, WALL_MS)

    def call(
        self, method: str, path: str, query: str = "", body: object = None, *, key: str = "client-key"
    ) -> tuple[int, Any]:
        """Give status and decoded body (None without one) of a signed request below the root."""
        full = "/trade-api/v2" + path
        sent = BoxRequest(
            method=method,
            path=full,
            query=query,
            headers=signed_headers(method, full, key),
            body=b"" if body is None else json.dumps(body).encode(),
        )
        answer = self.send(sent)
        return answer.status, json.loads(answer.body) if answer.body else None

    def get(self, path: str, query: str = "") -> Any:
        """Give the body of a GET that must succeed."""
        status, body = self.call("GET", path, query)
        assert status == 200, (status, body)
        return body

    def place(self, **changes: object) -> tuple[int, Any]:
        return self.call("POST", "/portfolio/events/orders", body=order_body(**changes))

    def quote(self, side: Side, price_ticks: int, size_cc: int, ticker: str = HOURLY) -> str:
        """Rest a house order and give its id."""
        wish = PlaceOrder(ticker=ticker, side=side, price_ticks=price_ticks, size_cc=size_cc)
        placed = self.floor.place("maker", wish, self.now_ns)
        assert isinstance(placed, Placed)
        return placed.order.order_id

    def publish_minute(self, until_second: int, value_e8: int) -> None:
        """Publish sixty equal prints of the index up to and without `until_second`."""
        for second in range(until_second - 60, until_second):
            self.floor.publish_index("BTC", second, value_e8, max(self.floor.now_ns, second * SECOND_NS))
        self.now_ns = self.floor.now_ns


def signed_headers(method: str, path: str, key: str = "client-key", stamp_ms: int = WALL_MS) -> dict[str, str]:
    signature = PRIVATE_KEY.sign(f"{stamp_ms}{method}{path}".encode())
    return {
        "KALSHI-ACCESS-KEY": key,
        "KALSHI-ACCESS-TIMESTAMP": str(stamp_ms),
        "KALSHI-ACCESS-SIGNATURE": b64encode(signature).decode(),
    }


def order_body(**changes: object) -> dict[str, object]:
    """Give the body of a good order, changed; a field set to None is left out."""
    body: dict[str, object] = {
        "ticker": HOURLY,
        "side": "bid",
        "count": "10.00",
        "price": "0.5200",
        "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "taker_at_cross",
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}
