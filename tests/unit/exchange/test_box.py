"""The box as a whole: the same calls give the same bytes, and answers and frames agree."""

import json

from fairstrike.core.timing import MINUTE_NS, SECOND_NS
from fairstrike.core.units import UD_PER_DOLLAR
from fairstrike.exchange.api.call import BoxRequest
from fairstrike.exchange.box import Box, BoxParams
from fairstrike.exchange.verification import Keyring
from fairstrike.exchange.worlds import START_NS, World
from fairstrike.venue.kalshi.wire.stream import decode_frame
from tests.unit.exchange.api.client import PUBLIC_PEM, WALL_MS, order_body, signed_headers

ORDERS = "/trade-api/v2/portfolio/events/orders"


def run_session(seed: int) -> list[bytes]:
    """Give every byte of a session: four venue minutes of a world, one order at 1 cent a minute."""
    keyring = Keyring()
    keyring.add("client-key", "client", PUBLIC_PEM)
    world = World(seed=seed)
    world.floor.open_account("client", key_id="client-key", balance_ud=10_000 * UD_PER_DOLLAR)
    box = Box(world, keyring, BoxParams(tier=None))
    connection = box.connect(signed_headers("GET", "/trade-api/ws/v2"), WALL_MS)
    assert isinstance(connection, int)
    tickers = [view.contract.ticker for view in world.floor.markets()]
    subscribe = {
        "channels": ["orderbook_delta", "ticker", "trade", "fill", "user_orders"],
        "market_tickers": tickers,
    }
    said = json.dumps({"id": 1, "cmd": "subscribe", "params": subscribe}).encode()
    box.command(connection, said, START_NS)
    said_bytes: list[bytes] = []
    for minute in range(4):
        now_ns = START_NS + minute * MINUTE_NS
        body = json.dumps(order_body(ticker=tickers[0], price="0.0100", client_order_id=f"order {minute}"))
        request = BoxRequest(method="POST", path=ORDERS, headers=signed_headers("POST", ORDERS), body=body.encode())
        said_bytes.append(box.answer(request, now_ns, WALL_MS).body)
        box.advance(now_ns + 30 * SECOND_NS)
        said_bytes += box.frames(connection)
    return said_bytes


def test_a_session_repeats_byte_for_byte() -> None:
    first = run_session(3)
    assert len(first) > 500
    assert first == run_session(3)
    assert first != run_session(4)


def test_the_instants_of_frames_do_not_go_back() -> None:
    instants = [
        message.ts_ms
        for frame in map(decode_frame, (each for each in run_session(5) if b'"type":"orderbook_delta"' in each))
        if (message := getattr(frame, "msg", None)) is not None
    ]
    assert len(instants) > 100
    assert instants == sorted(instants)
