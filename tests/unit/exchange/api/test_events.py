"""Public reads: series and events."""

import pytest

from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side
from fairstrike.core.timing import SECOND_NS
from tests.unit.exchange.api.client import CLOSE_NS, HOURLY, START_NS, Client

START_SECOND, CLOSE_SECOND = START_NS // SECOND_NS, CLOSE_NS // SECOND_NS


@pytest.mark.parametrize(
    ("event", "collateral", "is_exclusive"),
    [
        ("KXBTCD-26NOV2117", "DIRECNET", False),
        ("KXBTC-26NOV2117", "MECNET", True),
        ("KXBTC15M-26NOV211700", "", False),
    ],
)
def test_events_tell_their_collateral(event: str, collateral: str, is_exclusive: bool) -> None:
    body = Client().get(f"/events/{event}")
    assert body["event"]["collateral_return_type"] == collateral
    assert body["event"]["mutually_exclusive"] is is_exclusive
    assert len(body["markets"]) == 1


def test_events_nest_their_markets_when_asked() -> None:
    client = Client()
    (event,) = client.get("/events", "series_ticker=KXBTCD&with_nested_markets=true")["events"]
    assert [row["ticker"] for row in event["markets"]] == [HOURLY]
    (event,) = client.get("/events", "series_ticker=KXBTCD")["events"]
    assert "markets" not in event
    nested = client.get("/events/KXBTCD-26NOV2117", "with_nested_markets=true")
    assert ([row["ticker"] for row in nested["event"]["markets"]], nested["markets"]) == ([HOURLY], [])
    assert client.get("/events", "status=settled")["events"] == []
    assert client.call("GET", "/events", "limit=201")[0] == 400


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", 3),
        ("tickers=KXBTC-26NOV2117,KXBTCD-26NOV2117", 2),
        ("status=open", 2),
        (f"min_close_ts={CLOSE_SECOND}", 3),
        (f"min_close_ts={CLOSE_SECOND + 1}", 0),
        (f"min_updated_ts={START_SECOND}", 3),
        (f"min_updated_ts={START_SECOND + 1}", 0),
    ],
)
def test_events_are_filtered(query: str, expected: int) -> None:
    assert len(Client().get("/events", query)["events"]) == expected


def test_milestones_are_an_empty_list_when_asked_for() -> None:
    assert Client().get("/events", "with_milestones=true")["milestones"] == []
    assert "milestones" not in Client().get("/events")


def test_metadata_name_every_market() -> None:
    body = Client().get("/events/KXBTCD-26NOV2117/metadata")
    assert [row["market_ticker"] for row in body["market_details"]] == [HOURLY]
    assert body["settlement_sources"][0]["name"] == "CF Benchmarks"


def test_events_come_in_pages() -> None:
    client = Client()
    first = client.get("/events", "limit=2")
    second = client.get("/events", f"limit=2&cursor={first['cursor']}")
    assert len(first["events"] + second["events"]) == 3
    assert second["cursor"] == ""


def test_series_tell_their_fees() -> None:
    client = Client()
    series = client.get("/series/KXBTC15M")["series"]
    assert (series["frequency"], series["fee_type"], series["fee_multiplier"]) == (
        "fifteen_min",
        "quadratic",
        1,
    )
    listed = client.get("/series", "category=Crypto")["series"]
    assert [row["ticker"] for row in listed] == ["KXBTCD", "KXBTC", "KXBTC15M"]
    assert client.get("/series", "category=crypto")["series"] == []
    assert client.get("/series/fee_changes")["series_fee_change_arr"] == []


def test_series_tell_volume_and_metadata_only_when_asked() -> None:
    client = Client()
    client.quote(Side.ASK, 5_000, 400)
    client.place(count="1.50")
    plain = client.get("/series/KXBTCD")["series"]
    assert ("volume_fp" in plain, "product_metadata" in plain) == (False, False)
    full = client.get("/series/KXBTCD", "include_volume=true")["series"]
    assert full["volume_fp"] == "1.50"
    assert client.get("/series", "include_product_metadata=true")["series"][0]["product_metadata"] == {}


@pytest.mark.parametrize(
    ("query", "expected"),
    [("tags=ETH,BTC", 3), ("tags=ETH", 0), (f"min_updated_ts={START_SECOND + 1}", 0), ("category=Sports", 0)],
)
def test_series_are_filtered(query: str, expected: int) -> None:
    assert len(Client().get("/series", query)["series"]) == expected


def test_no_fee_changes_are_scheduled() -> None:
    client = Client()
    assert client.get("/events/fee_changes") == {"event_fee_changes": [], "cursor": ""}
    assert client.call("GET", "/events/fee_changes", "limit=x")[0] == 400


@pytest.mark.parametrize("path", ["/events/X", "/series/X", "/events/X/metadata"])
def test_what_is_not_listed_is_404(path: str) -> None:
    status, body = Client().call("GET", path)
    assert (status, body["error"]["code"]) == (404, "not_found")


def test_an_event_tells_its_override_and_the_series_its_own_fees() -> None:
    client = Client()
    plain = client.get("/events/KXBTCD-26NOV2117")["event"]
    assert "fee_multiplier_override" not in plain
    client.floor.change_fees("KXBTCD-26NOV2117", FeeSchedule(multiplier_ppm=500_000), client.now_ns)
    event = client.get("/events/KXBTCD-26NOV2117")["event"]
    assert (event["fee_type_override"], event["fee_multiplier_override"]) == ("quadratic", 0.5)
    assert client.get("/series/KXBTCD")["series"]["fee_multiplier"] == 1
