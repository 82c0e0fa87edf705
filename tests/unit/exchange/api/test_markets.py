"""Public reads: markets, books, trades."""

import pytest

from fairstrike.core.order import Side
from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import E8_PER_DOLLAR
from tests.unit.exchange.api.client import CLOSE_NS, HOURLY, QUARTER, RANGE, START_NS, Client

OPEN_15M_SECOND = CLOSE_NS // SECOND_NS - 900


def tickers(client: Client, query: str) -> list[str]:
    return [row["ticker"] for row in client.get("/markets", query)["markets"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [HOURLY, RANGE, QUARTER]),
        ("series_ticker=KXBTCD", [HOURLY]),
        ("event_ticker=KXBTC-26NOV2117", [RANGE]),
        (f"tickers={QUARTER},{HOURLY},KXNONE", [QUARTER, HOURLY]),
        ("status=open", [HOURLY, RANGE]),
        ("status=unopened", [QUARTER]),
        ("status=paused", []),
        ("status=settled", []),
        (f"min_close_ts={CLOSE_NS // SECOND_NS + 1}", []),
        (f"max_close_ts={CLOSE_NS // SECOND_NS}", [HOURLY, RANGE, QUARTER]),
        ("mve_filter=exclude", [HOURLY, RANGE, QUARTER]),
        ("mve_filter=only", []),
        (f"min_created_ts={START_NS // SECOND_NS}&status=open", [HOURLY, RANGE]),
        (f"min_created_ts={START_NS // SECOND_NS + 1}", []),
        (f"max_created_ts={START_NS // SECOND_NS - 1}", []),
        (f"min_updated_ts={START_NS // SECOND_NS}", [HOURLY, RANGE, QUARTER]),
        (f"min_updated_ts={START_NS // SECOND_NS}&series_ticker=KXBTC&mve_filter=exclude", [RANGE]),
        ("max_settled_ts=2000000000", []),
    ],
)
def test_markets_are_filtered(query: str, expected: list[str]) -> None:
    assert expected == tickers(Client(), query)


@pytest.mark.parametrize(
    "query",
    [
        "limit=1001",
        "limit=0",
        "status=active",
        "mve_filter=none",
        "status=open&min_close_ts=1",
        "status=closed&min_created_ts=1",
        "status=open&min_settled_ts=1",
        "min_created_ts=1&max_close_ts=2",
        "min_updated_ts=1&status=open",
        "min_updated_ts=1&series_ticker=KXBTC",
        f"min_updated_ts=1&event_ticker=X&tickers={HOURLY}",
    ],
)
def test_parameters_out_of_range_are_refused(query: str) -> None:
    status, body = Client().call("GET", "/markets", query)
    assert (status, list(body)) == (400, ["msg"])


def test_markets_come_in_pages() -> None:
    client = Client()
    first = client.get("/markets", "limit=2")
    second = client.get("/markets", f"limit=2&cursor={first['cursor']}")
    assert [row["ticker"] for row in first["markets"] + second["markets"]] == [HOURLY, RANGE, QUARTER]
    assert second["cursor"] == ""


def test_a_page_goes_on_behind_a_market_that_is_wanted_no_more() -> None:
    client = Client()
    cursor = client.get("/markets", "limit=1")["cursor"]
    assert tickers(client, f"status=unopened&cursor={cursor}") == [QUARTER]


def test_status_follows_the_market_to_its_end() -> None:
    client = Client()
    client.publish_minute(CLOSE_NS // SECOND_NS, 80_050 * E8_PER_DOLLAR)
    client.now_ns = CLOSE_NS
    assert tickers(client, "status=closed&series_ticker=KXBTCD") == [HOURLY]
    client.now_ns = CLOSE_NS + 150 * SECOND_NS
    assert tickers(client, "status=settled&series_ticker=KXBTCD") == [HOURLY]
    assert tickers(client, f"status=settled&min_settled_ts={CLOSE_NS // SECOND_NS + 60}") == [HOURLY, RANGE]
    market = client.get(f"/markets/{RANGE}")["market"]
    assert (market["status"], market["result"], market["settlement_value_dollars"]) == (
        "finalized",
        "yes",
        "1.0000",
    )
    assert (market["expiration_value"], market["settlement_ts"]) == ("80050.00", "2026-11-21T22:02:00Z")


def test_an_empty_book_shows_prices_0_and_1_with_size_0() -> None:
    market = Client().get(f"/markets/{HOURLY}")["market"]
    assert (market["yes_bid_dollars"], market["yes_bid_size_fp"]) == ("0.0000", "0.00")
    assert (market["yes_ask_dollars"], market["yes_ask_size_fp"]) == ("1.0000", "0.00")
    assert (market["no_bid_dollars"], market["no_ask_dollars"]) == ("0.0000", "1.0000")
    assert "settlement_value_dollars" not in market


def test_best_prices_are_told_for_both_outcomes() -> None:
    client = Client()
    client.quote(Side.BID, 4_900, 1_000)
    client.quote(Side.ASK, 5_200, 2_050)
    market = client.get(f"/markets/{HOURLY}")["market"]
    assert (market["yes_bid_dollars"], market["no_ask_dollars"]) == ("0.4900", "0.5100")
    assert (market["yes_ask_dollars"], market["no_bid_dollars"]) == ("0.5200", "0.4800")
    assert (market["yes_bid_size_fp"], market["yes_ask_size_fp"]) == ("10.00", "20.50")


def test_strikes_are_numbers_and_the_15_minute_target_arrives_after_the_opening() -> None:
    client = Client()
    assert client.get(f"/markets/{HOURLY}")["market"]["floor_strike"] == 79_999.99
    between = client.get(f"/markets/{RANGE}")["market"]
    assert (between["floor_strike"], between["cap_strike"]) == (80_000, 80_099.99)
    assert between["yes_sub_title"] == "$80,000 to 80,099.99"
    before = client.get(f"/markets/{QUARTER}")["market"]
    assert (before["yes_sub_title"], "floor_strike" in before) == ("Target price: TBD", False)
    client.publish_minute(OPEN_15M_SECOND, 80_012 * E8_PER_DOLLAR + E8_PER_DOLLAR // 4)
    client.now_ns = (OPEN_15M_SECOND + 1) * SECOND_NS
    after = client.get(f"/markets/{QUARTER}")["market"]
    assert (after["yes_sub_title"], after["floor_strike"]) == ("Target Price: $80,012.25", 80_012.25)
    assert after["price_level_structure"] == "tapered_deci_cent"
    assert [row["step"] for row in after["price_ranges"]] == ["0.0010", "0.0100", "0.0010"]
    assert after["custom_strike"] == {"round_digits": "2"}


def test_books_are_bids_of_both_outcomes_best_last() -> None:
    client = Client()
    for price_ticks in (4_700, 4_900, 4_800):
        client.quote(Side.BID, price_ticks, price_ticks)
    for price_ticks in (5_300, 5_200):
        client.quote(Side.ASK, price_ticks, price_ticks)
    book = client.get(f"/markets/{HOURLY}/orderbook")["orderbook_fp"]
    assert book["yes_dollars"] == [["0.4700", "47.00"], ["0.4800", "48.00"], ["0.4900", "49.00"]]
    assert book["no_dollars"] == [["0.4700", "53.00"], ["0.4800", "52.00"]]
    shallow = client.get(f"/markets/{HOURLY}/orderbook", "depth=1")["orderbook_fp"]
    assert shallow == {"yes_dollars": [["0.4900", "49.00"]], "no_dollars": [["0.4800", "52.00"]]}
    assert client.get(f"/markets/{HOURLY}/orderbook", "depth=-1")["orderbook_fp"] == book
    assert client.call("GET", f"/markets/{HOURLY}/orderbook", "depth=101")[0] == 400
    several = client.get("/markets/orderbooks", f"tickers={RANGE}&tickers={HOURLY}")["orderbooks"]
    assert [row["ticker"] for row in several] == [RANGE, HOURLY]
    assert several[1]["orderbook_fp"] == book


@pytest.mark.parametrize("query", ["", "&".join(f"tickers=A{n}" for n in range(101))])
def test_one_to_a_hundred_books_at_a_time(query: str) -> None:
    assert Client().call("GET", "/markets/orderbooks", query)[0] == 400


def test_trades_come_newest_first() -> None:
    client = Client()
    client.quote(Side.ASK, 5_000, 400)
    client.place(count="1.00")
    client.now_ns += 5 * SECOND_NS
    client.place(count="2.00")
    newest, oldest = client.get("/markets/trades", f"ticker={HOURLY}")["trades"]
    assert (newest["count_fp"], oldest["count_fp"]) == ("2.00", "1.00")
    assert (newest["taker_outcome_side"], newest["taker_book_side"]) == ("yes", "bid")
    assert (newest["yes_price_dollars"], newest["no_price_dollars"]) == ("0.5000", "0.5000")
    late = client.get("/markets/trades", f"min_ts={START_NS // SECOND_NS + 1}")["trades"]
    assert late == [newest]
    assert client.get("/markets/trades", "ticker=KXNONE")["trades"] == []
    assert client.get("/markets/trades", "is_block_trade=true")["trades"] == []
    assert len(client.get("/markets/trades", "is_block_trade=false")["trades"]) == 2


@pytest.mark.parametrize("path", ["/markets/X", "/markets/X/orderbook"])
def test_what_is_not_listed_is_404(path: str) -> None:
    status, body = Client().call("GET", path)
    assert (status, body["error"]["code"]) == (404, "not_found")
