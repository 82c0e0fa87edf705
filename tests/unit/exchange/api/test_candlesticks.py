"""Candles over REST: spans, gaps, carried candles and refusals."""

from typing import Any

import pytest

from fairstrike.core.order import Side
from fairstrike.core.timing import MINUTE_NS, SECOND_NS
from fairstrike.core.units import E8_PER_DOLLAR
from fairstrike.exchange.box import BoxParams
from tests.unit.exchange.api.client import CLOSE_NS, HOURLY, QUARTER, RANGE, START_NS, Client

START = START_NS // SECOND_NS
SPAN = f"start_ts={START}&end_ts={START + 1_200}&period_interval=1"
ONE = f"/series/KXBTCD/markets/{HOURLY}/candlesticks"


def traded_client(params: BoxParams | None = None) -> Client:
    """A client of a market that was quoted in the first minute and traded in the third."""
    client = Client(params)
    client.now_ns += 10 * SECOND_NS
    client.quote(Side.ASK, 5_000, 400)
    client.box.advance(client.now_ns)
    client.now_ns += 2 * MINUTE_NS
    client.place(count="1.00")
    return client


def candles(client: Client, query: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.get(ONE, query)["candlesticks"]
    return rows


def test_a_candle_exists_only_where_something_moved() -> None:
    body = traded_client().get(ONE, SPAN)
    assert body["ticker"] == HOURLY
    first, third = body["candlesticks"]
    assert (first["end_period_ts"], third["end_period_ts"]) == (START + 60, START + 180)
    assert first["yes_ask"] == {
        "open_dollars": "1.0000",
        "low_dollars": "0.5000",
        "high_dollars": "1.0000",
        "close_dollars": "0.5000",
    }
    assert (first["price"], first["volume_fp"]) == ({}, "0.00")
    assert (third["price"]["mean_dollars"], third["volume_fp"], third["open_interest_fp"]) == ("0.5000", "1.00", "1.00")
    assert "previous_dollars" not in third["price"]


def test_the_latest_candle_is_carried_to_the_first_period() -> None:
    later = f"start_ts={START + 190}&end_ts={START + 600}&period_interval=1"
    client = traded_client()
    assert candles(client, later) == []
    (carried,) = candles(client, later + "&include_latest_before_start=true")
    assert carried["end_period_ts"] == START + 240
    assert (carried["price"], carried["volume_fp"]) == ({"previous_dollars": "0.5000"}, "0.00")
    assert set(carried["yes_ask"].values()) == {"0.5000"}
    assert len(candles(client, SPAN + "&include_latest_before_start=true")) == 2, "nothing came before"


def test_hours_join_their_minutes() -> None:
    (hour,) = candles(traded_client(), f"start_ts={START}&end_ts={START + 3_600}&period_interval=60")
    assert hour["end_period_ts"] % 3_600 == 0
    assert (hour["volume_fp"], hour["price"]["close_dollars"]) == ("1.00", "0.5000")


def test_several_markets_at_a_time_leave_unknown_ones_out() -> None:
    body = traded_client().get("/markets/candlesticks", f"market_tickers={RANGE},KXNONE,{HOURLY}&{SPAN}")
    assert [(row["market_ticker"], len(row["candlesticks"])) for row in body["markets"]] == [(RANGE, 0), (HOURLY, 2)]


def test_an_event_has_all_its_markets_and_says_where_it_was_cut() -> None:
    client = traded_client()
    body = client.get("/series/KXBTCD/events/KXBTCD-26NOV2117/candlesticks", SPAN)
    assert (body["market_tickers"], body["adjusted_end_ts"]) == ([HOURLY], START + 1_200)
    assert len(body["market_candlesticks"][0]) == 2
    long = f"start_ts={START}&end_ts={START + 60 * 6_000}&period_interval=1"
    cut = client.get("/series/KXBTCD/events/KXBTCD-26NOV2117/candlesticks", long)
    assert cut["adjusted_end_ts"] == START + 60 * 4_999


@pytest.mark.parametrize(
    "query",
    [
        "",
        "start_ts=0&end_ts=60",
        "start_ts=0&end_ts=60&period_interval=5",
        "start_ts=60&end_ts=0&period_interval=1",
        "start_ts=-1&end_ts=0&period_interval=1",
        "start_ts=x&end_ts=0&period_interval=1",
        "start_ts=0&end_ts=300000&period_interval=1",
    ],
)
def test_wrong_spans_are_refused(query: str) -> None:
    assert Client().call("GET", ONE, query)[0] == 400


@pytest.mark.parametrize("tickers", ["", ",", ",".join(f"A{n}" for n in range(101))])
def test_one_to_a_hundred_markets_at_a_time(tickers: str) -> None:
    assert Client().call("GET", "/markets/candlesticks", f"market_tickers={tickers}&{SPAN}")[0] == 400


def test_ten_thousand_candles_are_the_most_of_several() -> None:
    tickers = ",".join(f"A{n}" for n in range(100))
    span = "start_ts=60&end_ts={}&period_interval=1"
    assert Client().call("GET", "/markets/candlesticks", f"market_tickers={tickers}&{span.format(6_000)}")[0] == 200
    status, body = Client().call("GET", "/markets/candlesticks", f"market_tickers={tickers}&{span.format(6_060)}")
    assert (status, body["error"]["details"]) == (400, "requested candlesticks: 10100, max candlesticks: 10000")


@pytest.mark.parametrize(
    "path",
    [
        f"/series/KXBTC/markets/{HOURLY}/candlesticks",
        "/series/KXBTCD/markets/X/candlesticks",
        "/series/KXBTCD/events/X/candlesticks",
        "/series/KXBTC/events/KXBTCD-26NOV2117/candlesticks",
        f"/historical/markets/{HOURLY}/candlesticks",
    ],
)
def test_what_is_not_there_is_404(path: str) -> None:
    assert Client().call("GET", path, SPAN)[0] == 404


def test_historical_candles_have_plain_names_and_nulls() -> None:
    client = traded_client(BoxParams(tier=None, live_tier_ns=MINUTE_NS))
    client.publish_minute(CLOSE_NS // SECOND_NS, 80_050 * E8_PER_DOLLAR)
    client.now_ns = CLOSE_NS + 5 * MINUTE_NS
    body = client.get(f"/historical/markets/{HOURLY}/candlesticks", SPAN)
    first, third = body["candlesticks"]
    assert first["price"] == dict.fromkeys(("open", "low", "high", "close", "mean", "previous"))
    assert (third["price"]["close"], third["volume"], third["open_interest"]) == ("0.5000", "1.00", "1.00")
    assert client.call("GET", ONE, SPAN)[0] == 404, "the live tier has it no more"
    assert client.call("GET", f"/series/KXBTC15M/markets/{QUARTER}/candlesticks", SPAN)[0] == 404
