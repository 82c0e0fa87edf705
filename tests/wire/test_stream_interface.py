"""Every frame of the box is held against the published schemas of the stream, and the facts where those are silent.

The schemas are what a well-kept client reads. They differ from the wire in known places: a book's side is an array of
pairs and absent when empty. What is seen on the wire wins; each difference stands in `correct` with its reason.
"""

import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from fairstrike.core.contract import TAPERED_GRID
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side
from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import E8_PER_DOLLAR
from fairstrike.exchange.api.connection import Fault
from fairstrike.exchange.streaming import CHANNELS, UNSERVED
from tests.conftest import REPOSITORY
from tests.unit.exchange.api.client import CLOSE_NS, HOURLY, HOURLY_CONTRACT, QUARTER, RANGE, Client
from tests.unit.exchange.api.stream import Stream
from tests.wire.published import Schema, adapt, complaints

GUIDE = REPOSITORY / "docs/guides/exchange.md"
PAIRS = {"type": "array", "items": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2}}
WORD, NUMBER = {"type": "string"}, {"type": "integer"}

SCHEMAS = {
    "subscribed": "SubscribedMessage",
    "ok": "OkMessage",
    "unsubscribed": "UnsubscribedMessage",
    "error": "ErrorMessage",
    "orderbook_snapshot": "OrderbookSnapshotMessage",
    "orderbook_delta": "OrderbookDeltaMessage",
    "ticker": "TickerMessage",
    "trade": "TradeMessage",
    "fill": "FillMessage",
    "user_order": "UserOrdersMessage",
    "market_position": "MarketPositionsMessage",
    "market_lifecycle_v2": "MarketLifecycleMessage",
    "event_lifecycle": "EventLifecycleMessage",
    "event_fee_update": "EventFeeUpdateMessage",
    "order_group_updates": "OrderGroupMessage",
    "cfbenchmarks_value": "CFBenchmarksValueMessage",
    "cfbenchmarks_value_indexlist": "CFBenchmarksIndexListMessage",
    "cfbenchmarks_value_5hz": "CFBenchmarksValue5HzMessage",
    "cfbenchmarks_value_5hz_indexlist": "CFBenchmarks5HzIndexListMessage",
}
"""The type of every frame the box sends, and the schema it is held against."""

NOT_SENT = {
    "BaseMessage": "what all frames share",
    "CommunicationsMessage": "quotes and block trades are not served",
    "MultivariateLifecycleMessage": "combinations are not served",
}
"""Published messages that the box never sends."""

UNNUMBERED = {"ticker", "fill", "user_order", "market_position", "cfbenchmarks_value", "cfbenchmarks_value_5hz"}
ANSWERS = {"subscribed", "error"}


def correct(schemas: dict[str, Schema]) -> dict[str, Schema]:
    """Give the schemas as the wire has them, each change with its reason."""
    book = schemas["OrderbookSnapshotPayload"]
    # Captured frames hold arrays of pairs, and no key for an empty side.
    book["properties"] |= {"yes_dollars_fp": PAIRS, "no_dollars_fp": PAIRS}
    book["required"] = ["market_ticker", "market_id"]
    # An RFC 3339 text beside the epoch second, in captured tickers.
    schemas["TickerPayload"]["properties"]["time"] = {"type": "string", "format": "date-time"}
    # Announced for October 2026, newer than the client.
    schemas["UserOrdersPayload"]["properties"]["last_update_reason"] = WORD
    # The first print of a world, and the first after an hour's silence, have no minute behind them.
    schemas["CFBenchmarksValuePayload"]["required"].remove("avg_60s_data")
    # Described by the venue and read by no client yet.
    names = ("event_ticker", "title", "subtitle", "collateral_return_type", "series_ticker", "strike_date")
    payload = {"type": "object", "properties": dict.fromkeys(names, WORD) | {"exchange_index": NUMBER}}
    schemas["EventLifecyclePayload"] = payload | {"required": [*names, "exchange_index"]}
    schemas["EventLifecycleMessage"] = {
        "type": "object",
        "properties": {
            "type": WORD,
            "sid": NUMBER,
            "seq": NUMBER,
            "msg": {"$ref": "#/$defs/EventLifecyclePayload"},
        },
        "required": ["type", "sid", "seq", "msg"],
    }
    return schemas


def close(schema: Any) -> Any:
    """Give a schema without the client's leave for fields it does not list; a free object stays free."""
    if isinstance(schema, list):
        return [close(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    is_listed = "properties" in schema
    return {word: close(value) for word, value in schema.items() if not (word == "additionalProperties" and is_listed)}


@pytest.fixture(scope="module")
def schemas(shared_specs: Path) -> dict[str, Schema]:
    text = (shared_specs / "kalshi-ws-kalshi-sdk-22.4.0.json").read_text("utf-8")
    return {name: adapt(each) for name, each in correct(close(json.loads(text)["$defs"])).items()}


def all_frames() -> list[dict[str, Any]]:
    """Give every frame of a market's life, told to a client that subscribed to everything and said many things."""
    client = Client()
    stream = Stream(client)
    client.floor.publish_index("BTC", client.now_ns // SECOND_NS - 1, 80_000 * E8_PER_DOLLAR, client.now_ns)
    said = [
        *stream.say("subscribe", channels=["ticker"], send_initial_snapshot=True),
        *stream.say("subscribe", channels=["trade", "fill", "user_orders", "market_positions", "order_group_updates"]),
        *stream.say("subscribe", channels=["market_lifecycle_v2"]),
        *stream.subscribe("orderbook_delta", HOURLY, QUARTER),
        *stream.say("subscribe", channels=["cfbenchmarks_value", "cfbenchmarks_value_5hz"], index_ids=["BRTI"]),
        *stream.subscribe("orderbook_delta", RANGE),
        *stream.say("list_subscriptions"),
        *stream.say("update_subscription", 5, sid=8, action="get_snapshot", market_tickers=[HOURLY]),
        *stream.say("update_subscription", 6, sids=[8], action="delete_markets", market_tickers=[RANGE]),
        *stream.say("update_subscription", 7, sid=9, action="indexlist"),
        *stream.say("update_subscription", 8, sid=10, action="indexlist"),
        *stream.say("update_subscription", 9, sid=9, action="subscribe_indices", index_ids=["ETHUSD_RTI"]),
        *stream.say("update_subscription", 10, sid=8, action="add_markets", market_tickers=["X"]),
        *stream.say("subscribe", 11, channels=["communications"]),
    ]
    later = msgspec.structs.replace(
        HOURLY_CONTRACT, ticker="KXBTCD-26NOV2118-T1", event_ticker="KXBTCD-26NOV2118", close_ns=2 * CLOSE_NS
    )
    client.floor.list_market(later, FeeSchedule(), 0, client.now_ns)
    client.quote(Side.ASK, 5_000, 400)
    client.quote(Side.BID, 4_000, 400)
    client.place(expiration_time=client.now_ns // SECOND_NS + 30, client_order_id="mine")
    client.place(side="ask", price="0.4000", count="0.50", time_in_force="immediate_or_cancel")
    groups = "/portfolio/order_groups"
    _, made = client.call("POST", f"{groups}/create", body={"contracts_limit": 5, "exchange_index": 2})
    client.place(price="0.1000", order_group_id=made["order_group_id"])
    client.call("PUT", f"{groups}/{made['order_group_id']}/trigger", "exchange_index=2")
    client.call("POST", "/portfolio/subaccounts")
    moved = {"client_transfer_id": str(UUID(int=1)), "from_subaccount": 0, "to_subaccount": 1, "amount_cents": 100}
    client.call("POST", "/portfolio/subaccounts/transfer", body={**moved, "exchange_index": 2})
    client.quote(Side.ASK, 6_000, 100)
    client.place(price="0.6000", count="1.00", subaccount=1)
    client.floor.deactivate(RANGE, client.now_ns)
    client.floor.reactivate(RANGE, client.now_ns)
    client.floor.change_grid(RANGE, TAPERED_GRID, client.now_ns)
    client.floor.change_fees("KXBTC-26NOV2117", FeeSchedule(multiplier_ppm=500_000), client.now_ns)
    client.floor.change_fees("KXBTC-26NOV2117", FeeSchedule(), client.now_ns)
    client.now_ns += 2 * SECOND_NS
    client.publish_minute(CLOSE_NS // SECOND_NS - 900, 80_000 * E8_PER_DOLLAR)
    client.publish_minute(CLOSE_NS // SECOND_NS, 80_000 * E8_PER_DOLLAR)
    client.now_ns = CLOSE_NS + 200 * SECOND_NS
    said += stream.frames()
    return said + stream.say("unsubscribe", 12, sids=[8])


def test_every_frame_is_one_the_schemas_know(schemas: dict[str, Schema]) -> None:
    seen = set()
    for frame in all_frames():
        kind = frame["type"]
        seen.add(kind)
        assert complaints(schemas[SCHEMAS[kind]], {"$defs": schemas}, frame) == [], frame
    assert seen == set(SCHEMAS), "every type has an example here"


def test_every_published_message_is_sent_or_said_not_to_be(schemas: dict[str, Schema]) -> None:
    messages = {name for name in schemas if name.endswith("Message")}
    assert messages == set(SCHEMAS.values()) | set(NOT_SENT)


def test_numbers_are_per_subscription_and_without_gaps() -> None:
    numbers: dict[int, list[int]] = {}
    for frame in all_frames():
        if frame["type"] in UNNUMBERED | ANSWERS or "sid" not in frame:
            assert "seq" not in frame
        else:
            numbers.setdefault(frame["sid"], []).append(frame["seq"])
    assert numbers
    for found in numbers.values():
        assert found == list(range(1, len(found) + 1))


def test_prices_and_counts_are_decimal_text() -> None:
    for frame in all_frames():
        message = frame.get("msg")
        for name, value in message.items() if isinstance(message, dict) else ():
            if name.endswith("_dollars"):
                assert re.fullmatch(r"-?\d+\.\d{4}(\d\d)?", value), (name, value)
            if name.endswith("_fp") and isinstance(value, str):
                assert re.fullmatch(r"-?\d+\.\d\d", value), (name, value)


def test_codes_are_the_published_ones() -> None:
    published = {1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28}
    assert {fault.value for fault in Fault} <= published


def test_the_guide_lists_every_channel() -> None:
    (part,) = re.findall(r"## Channels\n(.*?)\n## ", GUIDE.read_text("utf-8"), re.DOTALL)
    named = set(re.findall(r"^\| `(\w+)`", part, re.MULTILINE))
    assert named == CHANNELS
    refused = set(re.findall(r"`(\w+)`", part.partition("Not served:")[2].partition(".")[0]))
    assert refused == UNSERVED
