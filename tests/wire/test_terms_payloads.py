"""Real descriptions of markets: fields, words and tickers tell the same, and an event's strikes leave no gap."""

import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fairstrike.core.contract import Comparison, Contract, Timeframe
from fairstrike.core.units import E8_PER_DOLLAR
from fairstrike.venue.kalshi.wire.markets import Market
from fairstrike.venue.kalshi.wire.terms import terms_of
from fairstrike.venue.kalshi.wire.wording import named_closes_ns, read_level, read_rule, read_words

CENT = E8_PER_DOLLAR // 100
FIELDS = ("strike_type", "floor_strike", "cap_strike")

Described = dict[str, Any]


@pytest.fixture(scope="module")
def described(shared_data: Path) -> list[Described]:
    """Four whole events as REST described them in July 2026."""
    found: list[Described] = []
    for path in sorted((shared_data / "wire").glob("rest-markets-*.json.gz")):
        found += json.loads(gzip.decompress(path.read_bytes()), parse_float=Decimal).values()
    return found


@pytest.fixture(scope="module")
def ladders(shared_data: Path) -> dict[str, list[Described]]:
    """Every hourly event of ten days of July 2026, as first captured: titles, tickers and fields, without words."""
    events: dict[str, list[Described]] = {}
    for path in sorted((shared_data / "hourly-ladders").glob("*.jsonl.gz")):
        for line in gzip.decompress(path.read_bytes()).splitlines():
            shown = json.loads(line, parse_float=Decimal)["current"]
            if shown.get("outcomes") and shown["event_ticker"] not in events:
                events[shown["event_ticker"]] = list(_outcomes(shown))
    return events


def _outcomes(shown: Described) -> Iterator[Described]:
    event = {name: shown[name] for name in ("event_ticker", "open_time", "close_time")}
    for outcome in shown["outcomes"]:
        yield {**event, "status": "active", **{name: outcome.get(name) for name in (*FIELDS, "ticker", "title")}}


def market(described: Described, *without: str) -> Market:
    return msgspec.convert({name: value for name, value in described.items() if name not in without}, Market)


def clear(described: Described, *without: str) -> Contract:
    """The contract of a description, which must leave no doubt."""
    terms = terms_of(market(described, *without))
    assert terms.doubt == ""
    assert terms.contract is not None
    return terms.contract


def test_words_alone_tell_what_the_fields_tell(described: list[Described]) -> None:
    assert len(described) == 526
    texts = ("yes_sub_title", "subtitle", "rules_primary")
    for one in described:
        expected = clear(one)
        assert expected.is_struck
        assert expected.timeframe is Timeframe.HOURLY
        for kept in texts:
            others = (name for name in texts if name != kept)
            assert clear(one, *FIELDS, *others) == expected
        assert read_words(one["title"]) is None, "a title speaks of day and hour only"


def test_each_text_is_read_and_ends_where_the_strikes_are(described: list[Described]) -> None:
    for one in described:
        contract = clear(one)
        shown, ruled = read_words(one["subtitle"]), read_rule(one["rules_primary"])
        assert shown is not None
        assert ruled is not None
        low = (
            None if contract.floor_e8 is None else contract.floor_e8 + CENT * (contract.comparison is Comparison.ABOVE)
        )
        high = None if contract.cap_e8 is None else contract.cap_e8 - CENT * (contract.comparison is Comparison.BELOW)
        assert (low, high) == (shown.low_e8, shown.high_e8) == (ruled.low_e8, ruled.high_e8)


def test_tickers_agree_with_the_fields_in_every_event(ladders: dict[str, list[Described]]) -> None:
    read = tails = 0
    for event_ticker, outcomes in ladders.items():
        for one in outcomes:
            contract = clear(one)
            read += 1
            assert read_words(one["title"]) is None
            assert read_level(contract.ticker) is not None
            assert (contract.close_ns,) == named_closes_ns(event_ticker)
            if contract.comparison is not Comparison.BETWEEN:
                # What the kind leaves open the ticker tells; of a range it tells the middle and not the width.
                tails += 1
                assert clear(one, "floor_strike", "cap_strike") == contract
            else:
                assert terms_of(market(one, "floor_strike", "cap_strike")).contract is None
            assert terms_of(market(one, "strike_type")).contract is None
    assert (len(ladders), read, tails) == (292, 47_173, 584)


def test_strikes_of_an_event_leave_no_gap_and_end_in_tails(
    described: list[Described], ladders: dict[str, list[Described]]
) -> None:
    events = dict(ladders)
    for one in described:
        events.setdefault(f"{one['event_ticker']} by REST", []).append(one)
    assert len(events) == 296
    for outcomes in events.values():
        contracts = sorted(map(clear, outcomes), key=lambda one: (one.floor_e8 or 0, one.cap_e8 is None))
        kinds = [one.comparison for one in contracts]
        assert kinds == [Comparison.BELOW, *[Comparison.BETWEEN] * (len(kinds) - 2), Comparison.ABOVE]
        assert len({one.group for one in contracts}) == 1
        first, *ranges, last = contracts
        assert first.cap_e8 == ranges[0].floor_e8
        assert last.floor_e8 == ranges[-1].cap_e8
        assert all((upper.floor_e8 or 0) - (lower.cap_e8 or 0) == CENT for lower, upper in pairwise(ranges))


def test_tickers_of_quarter_hours_name_their_close(shared_data: Path) -> None:
    lines = (shared_data / "btc15m" / "results.csv").read_text().splitlines()[1:]
    assert len(lines) > 30
    for line in lines:
        _, ticker, close_time, strike, *_ = line.split(",")
        one = {
            "ticker": ticker,
            "event_ticker": ticker.rpartition("-")[0],
            "status": "active",
            "open_time": "2026-05-01T00:00:00Z",
            "close_time": close_time,
            "strike_type": "greater_or_equal",
            "floor_strike": Decimal(strike),
            "custom_strike": {"round_digits": "2"},
            "yes_sub_title": f"Target Price: ${Decimal(strike):,.2f}",
        }
        contract = clear(one)
        assert contract.timeframe is Timeframe.QUARTER_HOUR
        assert clear(one, "floor_strike") == clear(one, *FIELDS) == contract
