"""Typed calls: which request each makes, and how its answer is read."""

import re
from pathlib import Path

import msgspec
import pytest

from fairstrike.core.errors import ProtocolError
from fairstrike.venue.kalshi import calls, refusals
from fairstrike.venue.kalshi import parameters as ask
from fairstrike.venue.kalshi.calls import READS, Operation, call
from fairstrike.venue.kalshi.wire.transport import Response


@pytest.mark.parametrize(
    ("made", "path", "query"),
    [
        (call(calls.STATUS, ask.Nothing()), "/exchange/status", ()),
        (
            call(calls.MARKETS, ask.Markets(series_ticker="KXBTCD", status="open", limit=1_000)),
            "/markets",
            (("series_ticker", "KXBTCD"), ("status", "open"), ("limit", "1000")),
        ),
        (call(calls.MARKETS, ask.Markets(tickers=("A", "B"))), "/markets", (("tickers", "A,B"),)),
        (
            call(calls.ORDERBOOKS, ask.Books(tickers=("A", "B"))),
            "/markets/orderbooks",
            (("tickers", "A"), ("tickers", "B")),
        ),
        (call(calls.ORDERBOOK, ask.Book(ticker="A/B", depth=20)), "/markets/A%2FB/orderbook", (("depth", "20"),)),
        (
            call(calls.ONE_EVENT, ask.OneEvent(event_ticker="E", with_nested_markets=True)),
            "/events/E",
            (("with_nested_markets", "true"),),
        ),
        (
            call(
                calls.CANDLESTICKS,
                ask.Candles(series_ticker="S", ticker="T", start_ts=1, end_ts=2, period_interval=60),
            ),
            "/series/S/markets/T/candlesticks",
            (("start_ts", "1"), ("end_ts", "2"), ("period_interval", "60")),
        ),
        (
            call(calls.ONE_ORDER, ask.OneOrder(order_id="o", market_ticker="T")),
            "/portfolio/orders/o",
            (("market_ticker", "T"),),
        ),
    ],
)
def test_requests(made: calls.Call[object], path: str, query: tuple[tuple[str, str], ...]) -> None:
    assert (made.request.method, made.request.path, made.request.query) == ("GET", path, query)
    assert made.request.body == b""


def test_the_table_holds_every_operation_once() -> None:
    declared = [value for value in vars(calls).values() if isinstance(value, Operation)]
    assert list(READS) == declared
    assert len({read.path for read in READS}) == len(READS)


@pytest.mark.parametrize("read", READS, ids=lambda read: str(read.path))
def test_names_in_a_path_are_parameters_that_must_be_given(read: Operation[msgspec.Struct, object]) -> None:
    fields = {field.name: field for field in msgspec.structs.fields(read.parameters)}
    for name in re.findall(r"\{(\w+)\}", read.path):
        assert fields[name].required


def test_a_result_is_typed() -> None:
    balance = call(calls.BALANCE, ask.OfShard()).result(Response(status=200, body=b'{"balance":7}'))
    assert balance.balance == 7


def test_a_refusal_is_typed() -> None:
    with pytest.raises(refusals.NotFound):
        call(calls.ONE_MARKET, ask.OneMarket(ticker="T")).result(Response(status=404, body=b"{}"))


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", b'{"balance":"7"}', b"[" * 3_000])
def test_an_unreadable_result_is_a_protocol_error(body: bytes) -> None:
    with pytest.raises(ProtocolError, match="/portfolio/balance cannot be read"):
        call(calls.BALANCE, ask.OfShard()).result(Response(status=200, body=body))


def test_the_status_is_read_from_an_error_answer_too() -> None:
    closed = b'{"exchange_active":false,"trading_active":false}'
    status = call(calls.STATUS, ask.Nothing()).result(Response(status=503, body=closed))
    assert not status.exchange_active
    with pytest.raises(refusals.VenueDown):
        call(calls.STATUS, ask.Nothing()).result(Response(status=503, body=b"<html>"))


def test_the_next_page_replaces_the_cursor() -> None:
    first = call(calls.FILLS, ask.Fills(limit=5))
    second = first.after("a").after("b")
    assert second.request.query == (("limit", "5"), ("cursor", "b"))
    assert second.kind is first.kind


def test_no_read_is_anything_but_a_get() -> None:
    text = Path(calls.__file__).read_text("utf-8")
    assert not re.search(r'"(POST|PUT|DELETE|PATCH)"', text)
