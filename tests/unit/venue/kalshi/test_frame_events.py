"""What each frame means, through a session; and single messages."""

import json
from typing import Any

import pytest

from fairstrike.core.contract import CENT_GRID, Comparison, PriceRange
from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.events import (
    Event,
    FrameRefused,
    IndexPrinted,
    MarketPaused,
    MarketSettled,
    OffsetStepped,
    OrderFilled,
    OrderReported,
    TermsChanged,
    TickerSeen,
    TradePrinted,
)
from fairstrike.core.order import Side
from fairstrike.venue.kalshi import frame_events
from fairstrike.venue.kalshi.session import Session
from fairstrike.venue.kalshi.wire.stream import LifecycleMessage, TickerMessage
from tests.unit.venue.kalshi.fakes import TICKER, frame

NOW = 1_786_085_189_000_000_000


def told(session: Session, data: bytes) -> list[Event]:
    """The events of a frame, without those about the clock."""
    return [event for event in session.receive(data, NOW) if not isinstance(event, OffsetStepped)]


def test_no_levels_are_asks_at_the_complement() -> None:
    assert frame_events.no_levels((("0.3700", "5.00"), ("0.0010", "1.25"))) == ((6_300, 500), (9_990, 125))


@pytest.mark.parametrize(
    "level",
    [
        ("1.0001", "1.00"),
        ("1.0000", "1.00"),
        ("0.0000", "1.00"),
        ("-0.0100", "1.00"),
        ("0.5000", "-0.01"),
        ("0.5000", "x"),
        ("", "1"),
    ],
)
def test_level_outside_its_domain_is_refused(level: tuple[str, str]) -> None:
    with pytest.raises(ArithmeticRefusal):
        frame_events.yes_levels((level,))


@pytest.mark.parametrize(
    ("price", "size", "ticks"),
    [
        ("0.5000", "1.00", 5_000),
        ("1.0000", "0.00", None),
        ("0.0000", "0.00", None),
        ("0.5000", "0.00", None),
        ("0.5000", None, 5_000),
        ("0.0000", None, None),
        ("1.0000", None, None),
        (None, "5.00", None),
    ],
)
def test_size_decides_whether_a_side_is_empty(price: str | None, size: str | None, ticks: int | None) -> None:
    message = TickerMessage(market_ticker="T", yes_ask_dollars=price, yes_ask_size_fp=size)
    assert frame_events.ticker_seen(message, 1).ask_ticks == ticks


@pytest.mark.parametrize(("result", "ticks"), [("yes", 10_000), ("no", 0), ("scalar", None), ("", None)])
def test_result_without_value(result: str, ticks: int | None) -> None:
    message = LifecycleMessage(event_type="determined", market_ticker="T", result=result)
    assert frame_events.determined_ticks(message) == ticks


def test_ticker_side_without_size_is_none() -> None:
    message = {
        "market_ticker": TICKER,
        "yes_bid_dollars": "0.5400",
        "yes_bid_size_fp": "753.53",
        "yes_ask_dollars": "1.0000",
        "yes_ask_size_fp": "0.00",
        "volume_fp": "151879.42",
        "ts": 1_778_813_263,
        "ts_ms": 1_778_813_263_925,
    }
    assert told(Session(), frame("ticker", message, sid=2)) == [
        TickerSeen(
            ticker=TICKER,
            bid_ticks=5_400,
            ask_ticks=None,
            volume_cc=15_187_942,
            recv_ns=NOW,
            venue_ns=1_778_813_263_925_000_000,
        )
    ]


def test_fill_is_told_in_yes_terms() -> None:
    message = {
        "trade_id": "t",
        "order_id": "o",
        "client_order_id": "c",
        "market_ticker": TICKER,
        "book_side": "ask",
        "outcome_side": "no",
        "yes_price_dollars": "0.8400",
        "count_fp": "10.00",
        "fee_cost": "0.094100",
        "is_taker": True,
        "ts_ms": 1_000,
    }
    assert told(Session(), frame("fill", message, sid=3)) == [
        OrderFilled(
            trade_id="t",
            order_id="o",
            client_order_id="c",
            ticker=TICKER,
            side=Side.ASK,
            price_ticks=8_400,
            size_cc=1_000,
            fee_ud=94_100,
            is_taker=True,
            recv_ns=NOW,
            venue_ns=1_000_000_000,
        )
    ]


def test_user_order_is_reported() -> None:
    message = {
        "order_id": "o",
        "ticker": TICKER,
        "status": "canceled",
        "book_side": "bid",
        "yes_price_dollars": "0.5200",
        "fill_count_fp": "3.00",
        "remaining_count_fp": "0.00",
        "client_order_id": "c",
        "created_ts_ms": 1_000,
        "last_updated_ts_ms": 2_000,
    }
    assert told(Session(), frame("user_order", message, sid=4)) == [
        OrderReported(
            client_order_id="c",
            order_id="o",
            ticker=TICKER,
            side=Side.BID,
            price_ticks=5_200,
            status="canceled",
            filled_cc=300,
            remaining_cc=0,
            recv_ns=NOW,
            venue_ns=2_000_000_000,
        )
    ]


@pytest.mark.parametrize(
    ("taker", "side"),
    [
        ({"taker_book_side": "bid"}, Side.BID),
        ({"taker_book_side": "ask", "taker_outcome_side": "no"}, Side.ASK),
        ({"taker_outcome_side": "yes"}, Side.BID),
        ({"taker_side": "no"}, Side.ASK),
    ],
)
def test_trade_is_told_with_its_taker(taker: dict[str, str], side: Side) -> None:
    message = {"market_ticker": TICKER, "yes_price_dollars": "0.3300", "count_fp": "2.50", "ts_ms": 5, **taker}
    assert told(Session(), frame("trade", message, sid=7, seq=1)) == [
        TradePrinted(ticker=TICKER, price_ticks=3_300, size_cc=250, taker_side=side, recv_ns=NOW, venue_ns=5_000_000)
    ]


def test_block_trade_never_met_the_book() -> None:
    message = {
        "market_ticker": TICKER,
        "yes_price_dollars": "0.3300",
        "count_fp": "2.50",
        "taker_side": "no",
        "is_block_trade": True,
    }
    assert told(Session(), frame("trade", message, sid=7, seq=1)) == []


def lifecycle(**fields: object) -> bytes:
    return frame("market_lifecycle_v2", {"market_ticker": TICKER, **fields}, sid=8, seq=None)


@pytest.mark.parametrize(
    ("fields", "ticks"),
    [
        ({"result": "yes", "settlement_value": "1.0000"}, 10_000),
        ({"result": "no", "settlement_value": 0}, 0),
        ({"result": "scalar", "settlement_value": 0.4567}, 4_567),
        ({"result": "yes"}, 10_000),
    ],
)
def test_determined_then_settled(fields: dict[str, object], ticks: int) -> None:
    session = Session()
    assert told(session, lifecycle(event_type="determined", determination_ts=7, **fields)) == [
        MarketSettled(ticker=TICKER, value_ticks=ticks, recv_ns=NOW, is_paid=False, venue_ns=7_000_000_000)
    ]
    assert told(session, lifecycle(event_type="settled", settled_ts=9)) == [
        MarketSettled(ticker=TICKER, value_ticks=ticks, recv_ns=NOW, is_paid=True, venue_ns=9_000_000_000)
    ]


def test_settlement_of_unknown_value_and_other_lives_are_silent() -> None:
    session = Session()
    assert told(session, lifecycle(event_type="settled", settled_ts=9)) == []
    assert told(session, lifecycle(event_type="created", open_ts=1, floor_strike=63650.03)) == []
    sports = {"market_ticker": "KXMLBGAME-1", "event_type": "determined", "result": "yes"}
    assert told(session, frame("market_lifecycle_v2", sports)) == []


METADATA = {"event_type": "metadata_updated", "market_ticker": TICKER}
TARGET = {"strike_type": "greater_or_equal", "floor_strike": 63441.03}
CLOSE = 1_786_085_100


@pytest.mark.parametrize(
    ("told_of_it", "expected"),
    [
        (
            {
                **METADATA,
                "strike_type": "greater_or_equal",
                "floor_strike": 63441.03,
                "custom_strike": {"round_digits": 2},
            },
            {"comparison": Comparison.AT_LEAST, "floor_e8": 6_344_103_000_000, "round_digits": 2},
        ),
        ({**METADATA, "floor_strike": 1, "cap_strike": 2}, {"floor_e8": 10**8, "cap_e8": 2 * 10**8}),
        ({**METADATA, "strike_type": "less", "floor_strike": 1}, {"comparison": Comparison.BELOW}),
        ({**METADATA, "yes_sub_title": "Target Price: $1.00"}, {}),
        (
            {**METADATA, "event_type": "close_date_updated", "close_ts": 1_786_085_100},
            {"close_ns": 1_786_085_100 * 10**9},
        ),
        (
            {
                **METADATA,
                "event_type": "price_level_structure_updated",
                "price_level_structure": "brand_new",
                "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0010"}],
            },
            {"grid": (PriceRange(start_ticks=0, end_ticks=10_000, step_ticks=10),)},
        ),
        ({**METADATA, "event_type": "price_level_structure_updated"}, {"grid": CENT_GRID}),
    ],
)
def test_new_terms_of_a_market(told_of_it: dict[str, object], expected: dict[str, Any]) -> None:
    heard = told(Session(), frame("market_lifecycle_v2", told_of_it, sid=3, seq=1))
    assert heard == [TermsChanged(ticker=TICKER, recv_ns=NOW, **expected)]


@pytest.mark.parametrize(
    "broken",
    [
        {"strike_type": "less_or_equal"},
        {"floor_strike": -1},
        {"custom_strike": {"round_digits": "x"}},
        {"event_type": "price_level_structure_updated", "price_ranges": [{"start": "1", "end": "0", "step": "0.01"}]},
    ],
)
def test_new_terms_that_are_not_understood_are_refused(broken: dict[str, object]) -> None:
    (refused,) = told(Session(), frame("market_lifecycle_v2", {**METADATA, **broken}, sid=3, seq=1))
    assert isinstance(refused, FrameRefused)


def test_new_terms_of_other_markets_are_not_ours() -> None:
    message = {**METADATA, "market_ticker": "KXMLBGAME-26AUG07", "strike_type": "structured"}
    assert told(Session(), frame("market_lifecycle_v2", message, sid=3, seq=1)) == []


@pytest.mark.parametrize(("word", "is_paused"), [("deactivated", True), ("activated", False)])
def test_a_pause_of_a_market_is_told(word: str, is_paused: bool) -> None:
    message = {"event_type": word, "market_ticker": TICKER, "is_deactivated": is_paused}
    paused = MarketPaused(ticker=TICKER, is_paused=is_paused, recv_ns=NOW)
    assert told(Session(), frame("market_lifecycle_v2", message)) == [paused]
    assert told(Session(), frame("market_lifecycle_v2", message | {"market_ticker": "KXMLBGAME-X"})) == []


@pytest.mark.parametrize(("index", "asset"), [("BRTI", "BTC"), ("ETHUSD_RTI", "ETH"), ("SOLUSD_RTI", "SOL")])
def test_index_value_is_json_inside_json(index: str, asset: str) -> None:
    data = json.dumps({"type": "value", "id": index, "time": 1_790_000_000_999, "value": "85850.67"})
    message = {"index_id": index, "received_at": 1_790_000_001_020, "data": data}
    assert told(Session(), frame("cfbenchmarks_value", message, sid=6)) == [
        IndexPrinted(
            asset=asset,
            source="official",
            second=1_790_000_000,
            value_e8=8_585_067_000_000,
            recv_ns=NOW,
            venue_ns=1_790_000_000_999_000_000,
        )
    ]


def test_index_we_do_not_use_is_silent() -> None:
    assert told(Session(), frame("cfbenchmarks_value", {"index_id": "XRPUSD_RTI", "data": "{}"}, sid=6)) == []
