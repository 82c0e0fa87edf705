"""What is told of markets, events and indices."""

import json

import msgspec
import pytest

from fairstrike.core.contract import TAPERED_GRID
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.core.units import E8_PER_DOLLAR
from fairstrike.exchange.box import BoxParams
from tests.unit.exchange.api.client import (
    CLOSE_NS,
    HOURLY,
    HOURLY_CONTRACT,
    QUARTER,
    Client,
)
from tests.unit.exchange.api.stream import Stream


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def stream(client: Client) -> Stream:
    return Stream(client)


def test_a_market_lives_on_the_lifecycle_channel(client: Client, stream: Stream) -> None:
    stream.subscribe("market_lifecycle_v2")
    stream.subscribe("orderbook_delta", QUARTER)
    client.quote(Side.BID, 4_900, 1_000)
    open_second = CLOSE_NS // SECOND_NS - 900
    client.publish_minute(open_second, 80_000 * E8_PER_DOLLAR)
    client.publish_minute(CLOSE_NS // SECOND_NS, 80_000 * E8_PER_DOLLAR)
    client.now_ns = CLOSE_NS + 10 * SECOND_NS
    frames = stream.frames()
    news = [row for row in frames if row["type"] == "market_lifecycle_v2" and row["msg"]["market_ticker"] == QUARTER]
    assert [row["msg"]["event_type"] for row in news] == ["metadata_updated", "determined", "settled"]
    assert (news[0]["msg"]["floor_strike"], news[0]["msg"]["yes_sub_title"]) == (80_000, "Target Price: $80,000")
    assert (news[1]["msg"]["result"], news[1]["msg"]["settlement_value"]) == ("yes", "1.0000")
    assert [row["seq"] for row in frames if row["sid"] == 1] == list(range(1, 1 + len(news)))
    (empty,) = [row for row in frames if row["type"] == "orderbook_snapshot"]
    assert set(empty["msg"]) == {"market_ticker", "market_id"}, "the close ends with a book without levels"


def test_a_new_event_is_told_before_its_markets(client: Client, stream: Stream) -> None:
    stream.subscribe("market_lifecycle_v2")
    for strike in (81_000, 82_000):
        contract = msgspec.structs.replace(
            HOURLY_CONTRACT,
            ticker=f"KXBTCD-26NOV2118-T{strike}",
            event_ticker="KXBTCD-26NOV2118",
            open_ns=CLOSE_NS,
            close_ns=CLOSE_NS + 3_600 * SECOND_NS,
        )
        client.floor.list_market(contract, FeeSchedule(), 0, client.now_ns)
    event, *markets = stream.frames()
    assert (event["type"], event["seq"], event["msg"]["event_ticker"]) == ("event_lifecycle", 1, "KXBTCD-26NOV2118")
    assert (event["msg"]["collateral_return_type"], event["msg"]["series_ticker"]) == ("DIRECNET", "KXBTCD")
    assert [(row["type"], row["seq"], row["msg"]["event_type"]) for row in markets] == [
        ("market_lifecycle_v2", 2, "created"),
        ("market_lifecycle_v2", 3, "created"),
    ]


def test_the_index_comes_every_second_with_its_means(client: Client, stream: Stream) -> None:
    stream.subscribe("cfbenchmarks_value", index_ids=["BRTI", "ETHUSD_RTI"])
    client.publish_minute(CLOSE_NS // SECOND_NS, 80_000 * E8_PER_DOLLAR)
    first, *_, last = stream.frames()
    assert "seq" not in last
    assert (last["msg"]["index_id"], json.loads(last["msg"]["data"])["value"]) == ("BRTI", "80000.00")
    assert json.loads(last["msg"]["data"])["time"] == CLOSE_NS // MILLISECOND_NS - 1_000
    assert last["msg"]["avg_60s_data"]["value"] == "80000.00000000"
    assert last["msg"]["last_60s_windowed_average_15min"]["window_size"] == 59
    assert "last_60s_windowed_average_15min" not in first["msg"]


def test_five_values_a_second_follow_a_print(client: Client, stream: Stream) -> None:
    stream.subscribe("cfbenchmarks_value_5hz", index_ids=["BRTI"])
    start_ms, second = client.now_ns // MILLISECOND_NS, client.now_ns // SECOND_NS
    fifths_e8 = tuple((80_000 + fifth) * E8_PER_DOLLAR for fifth in range(5))
    client.floor.publish_index("BTC", second, fifths_e8[0], client.now_ns, fifths_e8=fifths_e8)
    (first,) = stream.frames()
    assert (first["type"], "seq" in first) == ("cfbenchmarks_value_5hz", False)
    assert json.loads(first["msg"].pop("data"))["value"] == "80000.00"
    assert first["msg"] == {
        "index_id": "BRTI",
        "value_usd": "80000.00000000",
        "source_ts_ms": second * 1_000,
        "received_at": start_ms,
    }
    client.now_ns += 450 * MILLISECOND_NS
    moved = [(row["msg"]["received_at"] - start_ms, json.loads(row["msg"]["data"])["value"]) for row in stream.frames()]
    assert moved == [(200, "80001.00"), (400, "80002.00")]
    client.now_ns += 600 * MILLISECOND_NS
    client.floor.publish_index("BTC", second + 1, 80_001 * E8_PER_DOLLAR, client.now_ns)
    later = [(row["msg"]["received_at"] - start_ms, row["msg"]["value_usd"][:5]) for row in stream.frames()]
    assert later == [(600, "80003"), (800, "80004"), (1_050, "80001")]
    client.now_ns += 60 * SECOND_NS
    assert len(stream.frames()) == 4, "no print, no more values"
    (listed,) = stream.say("update_subscription", sid=1, action="indexlist")
    assert listed["type"] == "cfbenchmarks_value_5hz_indexlist"


def test_indices_are_added_listed_and_removed(client: Client, stream: Stream) -> None:
    stream.subscribe("cfbenchmarks_value")
    client.floor.publish_index("BTC", client.now_ns // SECOND_NS, 8 * E8_PER_DOLLAR, client.now_ns)
    assert stream.frames() == []
    (ok,) = stream.say("update_subscription", sid=1, action="subscribe_indices", index_ids=["BRTI"])
    assert ok["type"] == "ok"
    client.floor.publish_index("BTC", client.now_ns // SECOND_NS + 1, 8 * E8_PER_DOLLAR, client.now_ns)
    assert len(stream.frames()) == 1
    (listed,) = stream.say("update_subscription", sid=1, action="indexlist")
    assert (listed["type"], listed["msg"]["index_ids"]) == ("cfbenchmarks_value_indexlist", ["BRTI"])
    stream.say("update_subscription", sid=1, action="unsubscribe_indices", index_ids=["BRTI"])
    client.floor.publish_index("BTC", client.now_ns // SECOND_NS + 2, 8 * E8_PER_DOLLAR, client.now_ns)
    assert stream.frames() == []


def test_the_index_channel_can_be_refused() -> None:
    stream = Stream(Client(BoxParams(tier=None, is_index_granted=False)))
    for channel in ("cfbenchmarks_value", "cfbenchmarks_value_5hz"):
        (answer,) = stream.subscribe(channel, index_ids=["BRTI"])
        assert (answer["type"], answer["msg"]["code"]) == ("error", 9)


def test_a_pause_is_told_and_its_end(client: Client, stream: Stream) -> None:
    stream.subscribe("market_lifecycle_v2")
    client.floor.deactivate(HOURLY, client.now_ns)
    client.floor.reactivate(HOURLY, client.now_ns)
    told = [(row["msg"]["event_type"], row["msg"]["is_deactivated"]) for row in stream.frames()]
    assert told == [("deactivated", True), ("activated", False)]


def test_another_grid_is_told_with_its_ranges(client: Client, stream: Stream) -> None:
    stream.subscribe("market_lifecycle_v2")
    client.floor.change_grid(HOURLY, TAPERED_GRID, client.now_ns)
    (row,) = stream.frames()
    assert row["msg"]["event_type"] == "price_level_structure_updated"
    assert row["msg"]["price_level_structure"] == "tapered_deci_cent"
    assert [each["step"] for each in row["msg"]["price_ranges"]] == ["0.0010", "0.0100", "0.0010"]


def test_an_override_of_fees_is_told_and_its_end(client: Client, stream: Stream) -> None:
    stream.subscribe("market_lifecycle_v2")
    event = HOURLY_CONTRACT.event_ticker
    for schedule in (FeeSchedule(multiplier_ppm=500_000), FeeSchedule()):
        client.floor.change_fees(event, schedule, client.now_ns)
    first, second = stream.frames()
    assert (first["type"], first["seq"]) == ("event_fee_update", 1)
    assert first["msg"] == {"event_ticker": event, "fee_type_override": "quadratic", "fee_multiplier_override": 0.5}
    assert second["msg"] == {"event_ticker": event, "fee_type_override": None, "fee_multiplier_override": None}
