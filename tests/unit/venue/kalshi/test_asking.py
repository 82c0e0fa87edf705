"""Reads: which pages are asked for, and what the answers mean."""

import json
from collections.abc import Sequence

import pytest

from fairstrike.core.effects import Ask
from fairstrike.core.errors import Unreachable
from fairstrike.core.events import (
    AskFailed,
    BalanceRead,
    BookSnapshot,
    BooksRead,
    ContractListed,
    Event,
    HeldPosition,
    ListRead,
    MarketSettled,
    OrderFilled,
    OrdersRead,
    PositionsRead,
    TermsDoubted,
    TradingRead,
)
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side
from fairstrike.venue.kalshi import asking
from fairstrike.venue.kalshi.wire.transport import Request, Response, Unanswered

ASKED = 1_787_000_000_000_000_000
Reply = object


def talk(effect: Ask, replies: Sequence[Reply], shard: int | None = None) -> tuple[list[Request], list[Event]]:
    """The requests and the events of a conversation whose answers are given, a status alone being one."""
    requests: list[Request] = []
    conversation = asking.ask(effect, ASKED, shard)
    try:
        request = next(conversation)
        for number, reply in enumerate(replies, start=1):
            requests.append(request)
            if isinstance(reply, Unreachable):
                request = conversation.throw(reply)
                continue
            status, body = (reply, {}) if isinstance(reply, int) else (200, reply)
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            request = conversation.send(Response(status=status, body=data, recv_ns=ASKED + number))
    except StopIteration as end:
        events: list[Event] = end.value
        return requests, events
    raise AssertionError(f"one more request: {request}")


SERIES = {"series": {"ticker": "KXBTC15M", "fee_type": "quadratic", "fee_multiplier": 1}}


def market(ticker: str, **changes: object) -> dict[str, object]:
    return {
        "ticker": ticker,
        "event_ticker": "KXBTC15M-26AUG170100",
        "status": "active",
        "open_time": "2026-08-17T04:45:00Z",
        "close_time": "2026-08-17T05:00:00Z",
        "strike_type": "greater_or_equal",
        "floor_strike": 63650.03,
        "volume_24h_fp": "12.50",
        **changes,
    }


def test_markets_of_a_series_are_listed_over_all_pages() -> None:
    pages = [
        {"markets": [market("A"), market("S", status="finalized")], "cursor": "next"},
        {"markets": [market("B", status="initialized", floor_strike=None)], "cursor": ""},
    ]
    requests, events = talk(Ask(what="markets", key="KXBTC15M"), [SERIES, *pages])
    since = ("min_close_ts", str(1_787_000_000 - 7_200))
    query = (("series_ticker", "KXBTC15M"), since, ("limit", "1000"))
    assert [(request.path, request.query) for request in requests] == [
        ("/series/KXBTC15M", ()),
        ("/markets", query),
        ("/markets", (*query, ("cursor", "next"))),
    ]
    listed = [event for event in events if isinstance(event, ContractListed)]
    assert [(event.contract.ticker, event.status) for event in listed] == [("A", "active"), ("B", "initialized")]
    assert listed[0].schedule == FeeSchedule()
    assert listed[0].volume_24h_cc == 1_250
    assert listed[0].recv_ns == ASKED + 3
    assert not listed[1].contract.is_struck


def test_unclear_markets_are_told_together_by_reason() -> None:
    odd = [market("A", strike_type="custom"), market("B", strike_type="custom"), market("D", strike_type=None)]
    far = market("E", yes_sub_title="Target Price: $70,000.00")
    _, events = talk(Ask(what="markets", key="KXBTC15M"), [SERIES, {"markets": [*odd, market("C"), far]}])
    listed = [event.contract.ticker for event in events if isinstance(event, ContractListed)]
    doubted = [event for event in events if isinstance(event, TermsDoubted)]
    assert listed == ["C", "E"]
    assert [(event.tickers, event.is_left_out) for event in doubted] == [
        (("A", "B"), True),
        (("D",), True),
        (("E",), False),
    ]
    assert doubted[0].reason == "its strike_type is 'custom'"


@pytest.mark.parametrize(
    "broken",
    [
        {"floor_strike": "sixty"},
        {"floor_strike": {}},
        {"yes_sub_title": 7},
        {"close_time": None},
        {"volume_24h_fp": "many"},
        {"volume_24h_fp": "1" * 40},
        {"custom_strike": {"round_digits": 2.5}},
        {"price_ranges": [{"start": 0}]},
        {"price_ranges": [], "price_level_structure": "banded_centi_cent"},
    ],
    ids=str,
)
def test_a_market_out_of_shape_does_not_hide_the_others(broken: dict[str, object]) -> None:
    page = {"markets": [market("A"), market("B", **broken), market("C")]}
    _, events = talk(Ask(what="markets", key="KXBTC15M"), [SERIES, page])
    assert [event.contract.ticker for event in events if isinstance(event, ContractListed)] == ["A", "C"]
    (doubted,) = (event for event in events if isinstance(event, TermsDoubted))
    assert doubted.tickers == ("B",)
    assert doubted.is_left_out


@pytest.mark.parametrize("described", [b"7", b"{}", b'"A"', b"null", b'{"ticker": 7}'])
def test_what_is_no_market_at_all_has_no_ticker(described: bytes) -> None:
    ticker, read, terms = asking.read_market(described)
    assert (ticker, read, terms.contract) == ("a market without a ticker", None, None)


def test_fields_nobody_knows_are_let_be_and_absurd_numbers_are_refused() -> None:
    page = {
        "markets": [market("A", brand_new={"x": [1]}), market("B", floor_strike=10**30), market("C", cap_strike=-1)]
    }
    _, events = talk(Ask(what="markets", key="KXBTC15M"), [SERIES, page])
    assert [event.contract.ticker for event in events if isinstance(event, ContractListed)] == ["A", "C"]
    assert [event.tickers for event in events if isinstance(event, TermsDoubted)] == [("B",)]


def test_thousands_of_markets_are_read_page_by_page_and_each_is_told_once() -> None:
    names = [f"M{number:04}" for number in range(3_000)]
    shown = [[market(name) for name in names[first:last]] for first, last in ((0, 1_000), (998, 1_998), (1_998, 3_000))]
    shown[1][1] = market("M0999", close_time="2026-08-17T05:15:00Z")
    pages = [{"markets": page, "cursor": cursor} for page, cursor in zip(shown, ("one", "two", None), strict=True)]
    requests, events = talk(Ask(what="markets", key="KXBTC15M"), [SERIES, *pages])
    assert [dict(request.query).get("cursor") for request in requests[1:]] == [None, "one", "two"]
    contracts = [event.contract for event in events if isinstance(event, ContractListed)]
    assert [contract.ticker for contract in contracts] == names
    assert [contract.ticker for contract in contracts if contract.close_ns != contracts[0].close_ns] == ["M0999"]


def test_series_of_unknown_fee_is_not_listed() -> None:
    series = {"series": {"ticker": "X", "fee_type": "flat", "fee_multiplier": 1}}
    _, (event,) = talk(Ask(what="markets", key="X"), [series])
    assert isinstance(event, AskFailed)


@pytest.mark.parametrize(
    ("changes", "ticks"),
    [
        ({"status": "finalized", "result": "yes", "settlement_value_dollars": "1.0000"}, 10_000),
        ({"status": "finalized", "result": "scalar", "settlement_value_dollars": "0.4300"}, 4_300),
        ({"status": "finalized", "result": "no"}, 0),
        ({"status": "determined", "result": "yes"}, None),
        ({"status": "active"}, None),
    ],
)
def test_one_market_is_told_when_it_is_settled(changes: dict[str, object], ticks: int | None) -> None:
    answer = {"market": market("A", settlement_ts="2026-08-17T05:05:00Z", **changes)}
    requests, events = talk(Ask(what="market", key="A"), [answer])
    assert requests[0].path == "/markets/A"
    if ticks is None:
        assert events == []
    else:
        venue_ns = 1_786_943_100_000_000_000
        expected = MarketSettled(ticker="A", value_ticks=ticks, recv_ns=ASKED + 1, venue_ns=venue_ns)
        assert events == [expected]


def order(order_id: str) -> dict[str, object]:
    return {
        "order_id": order_id,
        "client_order_id": f"c{order_id}",
        "ticker": "A",
        "status": "resting",
        "book_side": "bid",
        "yes_price_dollars": "0.5200",
        "fill_count_fp": "1.00",
        "remaining_count_fp": "9.00",
        "created_time": "2026-08-17T05:00:00Z",
    }


def test_resting_orders_are_read_to_the_last_page_once_each() -> None:
    pages = [
        {"orders": [order("1"), order("2")], "cursor": "x"},
        {"orders": [order("2"), order("3")], "cursor": None},
    ]
    requests, (event,) = talk(Ask(what="orders"), pages)
    assert requests[0].query == (("status", "resting"), ("limit", "1000"))
    assert isinstance(event, OrdersRead)
    assert [report.client_order_id for report in event.orders] == ["c1", "c2", "c3"]
    assert (event.asked_ns, event.recv_ns) == (ASKED, ASKED + 2)
    assert (event.orders[0].filled_cc, event.orders[0].remaining_cc) == (100, 900)


def fill(trade_id: str, time: str) -> dict[str, object]:
    return {
        "trade_id": trade_id,
        "order_id": "o",
        "ticker": "A",
        "book_side": "ask",
        "count_fp": "227.27",
        "yes_price_dollars": "0.0010",
        "is_taker": True,
        "fee_cost": "0.015930",
        "created_time": time,
    }


def test_fills_are_told_oldest_first_without_client_id() -> None:
    newest_first = [
        fill("3", "2026-08-17T05:00:01Z"),
        fill("2", "2026-08-17T05:00:00.5Z"),
        fill("1", "2026-08-17T05:00:00.5Z"),
    ]
    requests, events = talk(Ask(what="fills", key="1786000000"), [{"fills": newest_first, "cursor": ""}])
    assert requests[0].query == (("min_ts", "1786000000"), ("limit", "1000"))
    fills = [event for event in events if isinstance(event, OrderFilled)]
    assert [event.trade_id for event in fills] == ["1", "2", "3"]
    first = fills[0]
    assert (first.client_order_id, first.side, first.fee_ud, first.size_cc) == (None, Side.ASK, 15_930, 22_727)


def test_all_fills_are_asked_for_without_a_key() -> None:
    requests, events = talk(Ask(what="fills"), [{"fills": [], "cursor": ""}])
    assert requests[0].query == (("limit", "1000"),)
    (ended,) = events
    assert isinstance(ended, ListRead)
    assert ended.what == "fills"


def test_positions_are_told_with_their_cost() -> None:
    page = {
        "market_positions": [
            {"ticker": "A", "position_fp": "-5.00", "market_exposure_dollars": "2.500000"},
            {"ticker": "B", "position_fp": "0.00"},
        ],
        "cursor": "",
    }
    _, (told,) = talk(Ask(what="positions"), [page])
    assert isinstance(told, PositionsRead)
    assert told.positions == (HeldPosition(ticker="A", net_cc=-500, cost_ud=2_500_000),)


BALANCE = {
    "balance": 12_345,
    "balance_dollars": "123.4567",
    "balance_breakdown": [{"exchange_index": 0, "balance": "100.0000"}, {"exchange_index": 2, "balance": "23.4567"}],
}


@pytest.mark.parametrize(
    ("body", "key", "shard", "balance_ud"),
    [
        (BALANCE, "", None, 123_456_700),
        (BALANCE, "", 2, 23_456_700),
        (BALANCE, "0", 2, 100_000_000),
        (BALANCE, "", 1, 0),
        ({"balance": 12_345}, "", 2, 123_450_000),
        ({"balance": 12_345, "balance_dollars": "123.4567", "balance_breakdown": None}, "", 2, 123_456_700),
    ],
)
def test_balance_is_that_of_the_shard(body: dict[str, object], key: str, shard: int | None, balance_ud: int) -> None:
    _, events = talk(Ask(what="balance", key=key), [body], shard)
    assert events == [BalanceRead(balance_ud=balance_ud, recv_ns=ASKED + 1)]


def settlement(ticker: str, result: str, value: int | None) -> dict[str, object]:
    return {
        "ticker": ticker,
        "market_result": result,
        "value": value,
        "settled_time": f"2026-08-17T05:00:0{ticker}Z",
    }


def test_settlements_are_told_oldest_first() -> None:
    body = {
        "settlements": [
            settlement("4", "scalar", None),
            settlement("3", "scalar", 43),
            settlement("2", "yes", None),
            settlement("1", "no", 0),
        ]
    }
    _, events = talk(Ask(what="settlements"), [body])
    settled = [event for event in events if isinstance(event, MarketSettled)]
    assert [(event.ticker, event.value_ticks, event.is_paid) for event in settled] == [
        ("1", 0, True),
        ("2", 10_000, True),
        ("3", 4_300, True),
    ]


def shard(index: int, *, is_active: bool = True, is_trading: bool = True) -> dict[str, object]:
    return {"exchange_index": index, "exchange_active": is_active, "trading_active": is_trading}


@pytest.mark.parametrize(
    ("shards", "shut"),
    [
        ([], (0,)),
        ([shard(0), shard(2)], ()),
        ([shard(0, is_trading=False), shard(1), shard(2, is_active=False)], (0, 2)),
    ],
)
def test_shards_that_take_no_orders_are_told(shards: list[dict[str, object]], shut: tuple[int, ...]) -> None:
    status = {"exchange_active": True, "trading_active": False, "exchange_index_statuses": shards}
    requests, events = talk(Ask(what="trading"), [status])
    assert [request.path for request in requests] == ["/exchange/status"]
    assert events == [TradingRead(shut_shards=shut, recv_ns=ASKED + 1)]


@pytest.mark.parametrize(
    "what", ["markets", "market", "orders", "order_states", "fills", "positions", "balance", "settlements"]
)
@pytest.mark.parametrize("reply", [500, 429, 401, b"{", b"", b"[]", Unanswered("reset", recv_ns=ASKED + 1)])
def test_read_that_comes_to_nothing_says_so(what: str, reply: Reply) -> None:
    _, (event,) = talk(Ask(what=what, key="1"), [reply])
    assert isinstance(event, AskFailed)
    assert (event.what, event.recv_ns) == (what, ASKED + 1)


def test_unknown_question_fails_without_a_request() -> None:
    requests, (event,) = talk(Ask(what="weather"), [])
    assert requests == []
    assert isinstance(event, AskFailed)


def test_cursor_that_repeats_ends_the_reading() -> None:
    page = {"fills": [], "cursor": "same"}
    requests, _ = talk(Ask(what="fills"), [page, page])
    assert len(requests) == 2


def test_endless_pages_are_given_up() -> None:
    pages = [{"fills": [], "cursor": str(number)} for number in range(asking.PAGES_MAX)]
    _, (event,) = talk(Ask(what="fills"), pages)
    assert isinstance(event, AskFailed)


def test_settlement_outside_its_range_fails() -> None:
    _, (event,) = talk(Ask(what="settlements"), [{"settlements": [settlement("1", "yes", 101)]}])
    assert isinstance(event, AskFailed)


def book(ticker: str, **sides: object) -> dict[str, object]:
    return {"ticker": ticker, "orderbook_fp": sides}


def test_books_are_read_a_hundred_at_a_time() -> None:
    tickers = [f"T{number}" for number in range(101)]
    first = book("T0", yes_dollars=[["0.4000", "5.00"]], no_dollars=[["0.5800", "7.50"]])
    empty = book("T100", yes_dollars=None, no_dollars=[])
    requests, events = talk(
        Ask(what="books", key=",".join(tickers)), [{"orderbooks": [first]}, {"orderbooks": [empty]}]
    )
    assert {request.path for request in requests} == {"/markets/orderbooks"}
    assert [value for request in requests for _, value in request.query] == tickers
    assert [len(request.query) for request in requests] == [100, 1]
    one = BookSnapshot(ticker="T0", bids=((4_000, 500),), asks=((4_200, 750),), recv_ns=ASKED + 1)
    other = BookSnapshot(ticker="T100", bids=(), asks=(), recv_ns=ASKED + 2)
    assert events == [
        BooksRead(books=(one,), asked_ns=ASKED, recv_ns=ASKED + 1),
        BooksRead(books=(other,), asked_ns=ASKED + 1, recv_ns=ASKED + 2),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        {"orderbooks": [{"orderbook_fp": {}}]},
        {"orderbooks": [book("T", yes_dollars=[["0.4000", "x"]])]},
        {"orderbook": []},
    ],
)
def test_books_that_cannot_be_read_are_no_books(answer: object) -> None:
    _, (event,) = talk(Ask(what="books", key="T"), [answer])
    assert isinstance(event, AskFailed)
    assert event.reason.startswith("the answer cannot be read: ")
