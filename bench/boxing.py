"""Signed orders through the exchange without its sockets: the check of the signature, and the whole answer."""

import time

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from bench.measuring import Case, Figure, Progress, Scale, each_ns, figures, processor_ns, take
from fairstrike.core.order import Side
from fairstrike.core.timing import MILLISECOND_NS, MINUTE_NS
from fairstrike.core.units import UD_PER_DOLLAR, format_ticks
from fairstrike.exchange.api.call import BoxRequest
from fairstrike.exchange.box import Box, BoxParams
from fairstrike.exchange.floor import Placed, PlaceOrder
from fairstrike.exchange.liquidity import CENT_TICKS, GIVER
from fairstrike.exchange.verification import Identity, Keyring, SignedCall
from fairstrike.exchange.worlds import START_NS, World, WorldParams
from fairstrike.venue.kalshi.signing import Allowed, Signer
from fairstrike.venue.kalshi.wire.orders import TAKER_AT_CROSS, CreateOrder
from fairstrike.venue.kalshi.wire.transport import BASE_PATH

SECTION = "orders through the exchange in process, RSA-2048 (processor time)"
RATES = "orders a second of processor time"

ORDERS_PATH = f"{BASE_PATH}/portfolio/events/orders"
_VERIFY, _REST, _CROSS = "signature checked, nothing else", "signed order that rests", "signed order that fills"
_KEY_ID = "bench"
_MARKETS, _LEVELS = 4, 10
_ACTIVE_NS = 4 * MINUTE_NS


class Floor:
    """An exchange four minutes into its hour, and orders for it that were signed before."""

    def __init__(self, count: int) -> None:
        """Make a key and so many orders of each kind."""
        key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        signer = Signer(_KEY_ID, pem, Allowed.EVERYTHING)
        self._keyring = Keyring()
        self._keyring.add(_KEY_ID, "bench", public)
        self._wall_ms = time.time_ns() // MILLISECOND_NS
        self._headers = [signer.sign("POST", ORDERS_PATH, self._wall_ms) for _ in range(count)]
        self._opened = 0

    def verify(self) -> float:
        """Check every signature."""
        calls = [SignedCall(method="POST", path=ORDERS_PATH, headers=_lower(headers)) for headers in self._headers]
        began = processor_ns()
        verdicts = [self._keyring.verify(call, self._wall_ms) for call in calls]
        taken = each_ns(began, len(calls)) / 1_000
        assert all(isinstance(verdict, Identity) for verdict in verdicts), "the exchange takes the signatures"
        return taken

    def rest(self) -> float:
        """Have every order answered; all rest, at ten prices of four markets."""
        return self._answer(is_crossing=False)

    def cross(self) -> float:
        """Have every order answered; each takes one contract of a house's offer."""
        return self._answer(is_crossing=True)

    def _answer(self, *, is_crossing: bool) -> float:
        world = World(seed=1, params=WorldParams(gifts=0))
        world.floor.open_account("bench", key_id=_KEY_ID, balance_ud=10**9 * UD_PER_DOLLAR)
        box = Box(world, self._keyring, BoxParams(tier=None))
        now_ns = START_NS + _ACTIVE_NS
        box.advance(now_ns)
        quoted = [view for view in world.floor.markets() if view.bid and view.bid[0] > 20 * CENT_TICKS and view.ask]
        prices = {view.contract.ticker: view.ask[0] for view in quoted[:_MARKETS] if view.ask}
        if is_crossing:
            for ticker, ask_ticks in prices.items():
                offer = PlaceOrder(ticker=ticker, side=Side.ASK, price_ticks=ask_ticks, size_cc=10**9)
                assert isinstance(world.floor.place(GIVER, offer, now_ns), Placed), "the house offers"
            box.advance(now_ns)
        requests = []
        for number, headers in enumerate(self._headers):
            ticker = tuple(prices)[number % len(prices)]
            price_ticks = prices[ticker] if is_crossing else (1 + number % _LEVELS) * CENT_TICKS
            body = order_body(ticker, price_ticks)
            requests.append(BoxRequest(method="POST", path=ORDERS_PATH, headers=headers, body=body))
        began = processor_ns()
        answers = [box.answer(request, now_ns, self._wall_ms) for request in requests]
        taken = each_ns(began, len(requests)) / 1_000
        assert all(answer.status == 201 for answer in answers), "every order is accepted"
        return taken


def order_body(ticker: str, price_ticks: int) -> bytes:
    """Give the body of an order to buy one contract."""
    return msgspec.json.encode(
        CreateOrder(
            ticker=ticker,
            side="bid",
            count="1.00",
            price=format_ticks(price_ticks),
            time_in_force="good_till_canceled",
            self_trade_prevention_type=TAKER_AT_CROSS,
        )
    )


def measure(scale: Scale, progress: Progress) -> list[Figure]:
    """Give the figures of an order, and as many a second."""
    floor = Floor(scale.orders)
    cases: dict[str, Case] = {_VERIFY: floor.verify, _REST: floor.rest, _CROSS: floor.cross}
    taken = take(cases, scale.rounds, progress, "orders in process")
    found = figures(SECTION, taken, "us", {_REST: _VERIFY, _CROSS: _VERIFY})
    rates = {name: [1e6 / each for each in taken[name]] for name in (_REST, _CROSS)}
    return found + figures(RATES, rates, "/s", {})


def _lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
