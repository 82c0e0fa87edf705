"""Real REST answers: every market, series, fill and settlement is read, exactly."""

import gzip
import json
from itertools import pairwise
from pathlib import Path
from typing import cast

import msgspec
import pytest

from fairstrike.core.contract import CENT_GRID, Comparison
from fairstrike.core.effects import Ask
from fairstrike.core.events import Event, MarketSettled, OrderFilled
from fairstrike.core.fees import FeeSchedule, fill_fee
from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import parse_e8
from fairstrike.venue.kalshi.asking import ask
from fairstrike.venue.kalshi.wire.amounts import price_ticks
from fairstrike.venue.kalshi.wire.markets import (
    Market,
    MarketAnswer,
    OrderbookAnswer,
    SeriesAnswer,
    WireRange,
    fee_schedule_of,
    grid_of,
)
from fairstrike.venue.kalshi.wire.portfolio import FillsPage, SettlementsPage
from fairstrike.venue.kalshi.wire.terms import terms_of
from fairstrike.venue.kalshi.wire.transport import Response

SCHEDULE = FeeSchedule()
EVENTS = (
    ("rest-markets-20260710T002212Z-kxbtckxbtc26jul0921", "BTC", 188),
    ("rest-markets-20260710T002212Z-kxethkxeth26jul0921", "ETH", 75),
    ("rest-markets-20260710T065446Z-kxbtckxbtc26jul1003", "BTC", 188),
    ("rest-markets-20260710T075511Z-kxethkxeth26jul1004", "ETH", 75),
)


def read(shared_data: Path, name: str) -> dict[str, object]:
    text = gzip.decompress((shared_data / "wire" / f"{name}.json.gz").read_bytes())
    # Numbers stay text, so that comparing with them is exact.
    return cast("dict[str, object]", json.loads(text, parse_float=str))


def raw(shared_data: Path, name: str) -> bytes:
    return gzip.decompress((shared_data / "wire" / f"{name}.json.gz").read_bytes())


@pytest.mark.parametrize(("name", "asset", "count"), EVENTS)
def test_every_market_of_a_real_event_is_a_contract(shared_data: Path, name: str, asset: str, count: int) -> None:
    markets = msgspec.json.decode(raw(shared_data, name), type=dict[str, Market])
    texts = cast("dict[str, dict[str, object]]", read(shared_data, name))
    assert len(markets) == count
    kinds = dict.fromkeys(Comparison, 0)
    for ticker, market in markets.items():
        contract = terms_of(market).contract
        assert contract is not None
        assert contract.is_struck
        assert (contract.ticker, contract.asset, contract.grid) == (ticker, asset, CENT_GRID)
        assert contract.close_ns - contract.open_ns == 3_600 * SECOND_NS
        for field, strike in (("floor_strike", contract.floor_e8), ("cap_strike", contract.cap_e8)):
            text = texts[ticker].get(field)
            assert strike == (None if text is None else parse_e8(str(text)))
        kinds[contract.comparison] += 1
    assert kinds == {
        Comparison.ABOVE: 1,
        Comparison.AT_LEAST: 0,
        Comparison.BELOW: 1,
        Comparison.BETWEEN: count - 2,
    }


def test_ranges_of_a_real_event_leave_no_gap(shared_data: Path) -> None:
    markets = msgspec.json.decode(raw(shared_data, EVENTS[0][0]), type=dict[str, Market])
    contracts = [contract for market in markets.values() if (contract := terms_of(market).contract)]
    ranges = sorted(
        (contract.floor_e8, contract.cap_e8)
        for contract in contracts
        if contract.floor_e8 is not None and contract.cap_e8 is not None
    )
    cent_e8 = 1_000_000
    assert all(first[1] + cent_e8 == second[0] for first, second in pairwise(ranges))


def test_single_market_and_its_book(shared_data: Path) -> None:
    whole = read(shared_data, "market_single")
    single = msgspec.json.decode(json.dumps(whole["single"]), type=MarketAnswer)
    assert single.market.ticker == whole["ticker"]
    assert terms_of(single.market).contract is None
    book = msgspec.json.decode(json.dumps(whole["orderbook"]), type=OrderbookAnswer).orderbook_fp
    assert book.yes_dollars
    assert book.no_dollars
    best_bid, best_no = book.yes_dollars[-1][0], book.no_dollars[-1][0]
    assert price_ticks(best_bid) == max(price_ticks(price) for price, _ in book.yes_dollars)
    assert price_ticks(best_bid) + price_ticks(best_no) < 10_000


def test_real_grids_are_grids(shared_data: Path) -> None:
    grids = cast("list[dict[str, object]]", read(shared_data, "price_grids")["grids"])
    for entry in grids:
        ranges = msgspec.convert(entry["price_ranges"], type=tuple[WireRange, ...])
        assert grid_of(ranges) == CENT_GRID


def test_fee_schedule_of_real_series(shared_data: Path) -> None:
    payloads = msgspec.json.decode(raw(shared_data, "series_fee_fields"), type=dict[str, msgspec.Raw])["payloads"]
    series = msgspec.json.decode(payloads, type=dict[str, SeriesAnswer])
    schedule = fee_schedule_of(series["KXMLBGAME"].series)
    assert (schedule.taker_ppm, schedule.maker_ppm, schedule.multiplier_ppm) == (70_000, 17_500, 500_000)
    assert all(fee_schedule_of(answer.series).taker_ppm == 70_000 for answer in series.values())


def answered(what: str, body: bytes) -> list[Event]:
    talk = ask(Ask(what=what), 0)
    next(talk)
    try:
        talk.send(Response(status=200, body=body, recv_ns=1))
    except StopIteration as end:
        events: list[Event] = end.value
        return events
    raise AssertionError("real captures have one page")


def test_real_fills_become_events_with_their_fees(shared_data: Path) -> None:
    body = json.dumps(read(shared_data, "portfolio_fills_redacted")["payload"]).encode()
    wire = msgspec.json.decode(body, type=FillsPage).fills
    fills = [event for event in answered("fills", body) if isinstance(event, OrderFilled)]
    assert len(fills) == len(wire) == 33
    reproduced = 0
    for fill in fills:
        charged = [
            fill_fee(
                msgspec.structs.replace(SCHEDULE, multiplier_ppm=ppm),
                fill.price_ticks,
                fill.size_cc,
                is_maker=not fill.is_taker,
                is_bid=fill.side.sign > 0,
            ).fee_ud
            for ppm in (500_000, 1_000_000)
        ]
        reproduced += fill.fee_ud in charged
    assert reproduced >= 32


def test_real_settlements_become_events(shared_data: Path) -> None:
    body = json.dumps(read(shared_data, "portfolio_settlements_redacted")["payload"]).encode()
    wire = {entry.ticker: entry for entry in msgspec.json.decode(body, type=SettlementsPage).settlements}
    settled = [event for event in answered("settlements", body) if isinstance(event, MarketSettled)]
    assert len(settled) == len(wire)
    for event in settled:
        assert event.value_ticks == (10_000 if wire[event.ticker].market_result == "yes" else 0)
        assert event.venue_ns is not None
    assert [event.venue_ns for event in settled] == sorted(event.venue_ns or 0 for event in settled)
