"""Recordings by hand: which markets count, which are left out, and where polled books go."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fairstrike.core.contract import Comparison, Contract
from fairstrike.core.events import BookDelta, BookLost, BookSnapshot, ContractListed, Event, TickerSeen, TradePrinted
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side
from fairstrike.core.timing import MINUTE_NS, SECOND_NS
from fairstrike.research.survey import Survey
from fairstrike.research.tally import Tally

START_NS = 1_778_718_000 * SECOND_NS
A, B = "KXBTC15M-26MAY132030-30", "KXBTC15M-26MAY132045-45"


class Made:
    """A recording that is a list of events; what it counts is what it was told."""

    def __init__(self, events: list[Event], gaps: dict[str, int] | None = None) -> None:
        self.path = Path("made.jsonl")
        self.gaps = gaps or {}
        self.deltas: dict[str, int] = {}
        for event in events:
            if isinstance(event, BookDelta):
                self.deltas[event.ticker] = self.deltas.get(event.ticker, 0) + 1
        self._events = events

    def units(self) -> Iterator[tuple[int, list[Event]]]:
        for event in self._events:
            yield event.recv_ns, [event]


def at(seconds: float) -> int:
    return START_NS + round(seconds * 1_000) * 1_000_000


def listed(seconds: float, ticker: str, closes: float) -> Event:
    contract = Contract(
        ticker=ticker,
        event_ticker=ticker.rpartition("-")[0],
        series="KXBTC15M",
        asset="BTC",
        comparison=Comparison.AT_LEAST,
        open_ns=at(closes) - 15 * MINUTE_NS,
        close_ns=at(closes),
    )
    return ContractListed(
        contract=contract, schedule=FeeSchedule(), status="active", volume_24h_cc=0, recv_ns=at(seconds)
    )


def book(seconds: float, ticker: str) -> Event:
    return BookSnapshot(ticker=ticker, bids=((4_000, 1_000),), asks=((4_200, 1_000),), recv_ns=at(seconds))


def delta(seconds: float, ticker: str, change_cc: int = 100) -> Event:
    return BookDelta(
        ticker=ticker,
        is_bid=True,
        price_ticks=3_900,
        delta_cc=change_cc,
        recv_ns=at(seconds),
        venue_ns=at(seconds),
    )


def ticker_seen(seconds: float, ticker: str, bid: int = 4_000) -> Event:
    return TickerSeen(
        ticker=ticker, bid_ticks=bid, ask_ticks=4_200, volume_cc=0, recv_ns=at(seconds), venue_ns=at(seconds)
    )


def stream(ticker: str, seconds: float = 0) -> list[Event]:
    """A whole little market: three deltas."""
    return [
        listed(seconds, ticker, seconds + 60),
        book(seconds, ticker),
        *(delta(seconds + n, ticker) for n in (1, 2, 3)),
    ]


def surveyed(*sources: Made, trades: dict[str, Tally] | None = None) -> Survey:
    survey = Survey()
    for source in sources:
        survey.read(source, trades or {}, lambda: None)
    return survey


def verdicts(survey: Survey) -> dict[str, bool]:
    return {market.ticker: market.is_counted for market in survey.markets}


def test_whole_markets_count() -> None:
    survey = surveyed(Made(stream(A)), Made(stream(B)))
    assert verdicts(survey) == {A: True, B: True}
    assert (survey.pool.deltas, [market.deltas for market in survey.markets]) == (6, [3, 3])
    assert (survey.ladders.captures, survey.polled_series) == (0, set())


def test_a_market_with_a_gap_is_left_out_and_its_neighbour_counts() -> None:
    survey = surveyed(Made([*stream(A), *stream(B)], gaps={A: 2, B: 0}))
    assert verdicts(survey) == {A: False, B: True}
    assert (survey.pool.deltas, survey.markets[0].gaps) == (3, 2)


def test_a_gap_in_a_market_that_gave_no_event_is_told() -> None:
    survey = surveyed(Made(stream(B), gaps={A: 1}))
    assert verdicts(survey) == {B: True, A: False}


@pytest.mark.parametrize(
    ("fault", "event"),
    [
        ("frozen", ticker_seen(9, A, bid=4_100)),
        ("impossible", delta(9, A, -9_999)),
        ("overflow", BookLost(ticker=A, reason="overflow", recv_ns=at(9))),
    ],
)
def test_faults_of_a_book(fault: str, event: Event) -> None:
    survey = surveyed(Made([*stream(A), event]))
    assert verdicts(survey) == {A: False}
    assert getattr(survey.markets[0], fault) == 1
    assert survey.pool.deltas == 0


def test_a_reconnection_is_no_fault() -> None:
    lost = BookLost(ticker=A, reason="reconnected", recv_ns=at(9))
    survey = surveyed(Made([*stream(A), lost, delta(9.5, A), book(10, A), delta(11, A)]))
    assert verdicts(survey) == {A: True}
    assert survey.pool.deltas == 4


def test_a_market_is_summed_up_a_minute_after_its_close() -> None:
    later = [listed(121, B, 900), delta(122, A), ticker_seen(123, A)]
    survey = surveyed(Made([*stream(A), *later]))
    assert [market.ticker for market in survey.markets] == [A]
    assert survey.pool.deltas == 3


def test_sizes_of_trades_come_from_tickers() -> None:
    sizes = Tally()
    sizes.add(700)
    survey = surveyed(Made(stream(A)), trades={A: sizes})
    assert (survey.pool.trades.weights, survey.has_printed_trades) == ({700: 1}, False)


def test_printed_trades_go_before_those_of_tickers() -> None:
    sizes = Tally()
    sizes.add(700)
    printed = TradePrinted(ticker=A, price_ticks=4_000, size_cc=300, taker_side=Side.BID, recv_ns=at(5))
    survey = surveyed(Made([*stream(A), printed]), trades={A: sizes})
    assert (survey.pool.trades.weights, survey.has_printed_trades) == ({300: 1}, True)


def test_a_recording_without_deltas_is_polled_books() -> None:
    survey = surveyed(Made([listed(0, A, 600), book(0, A), book(300, A)]))
    assert (survey.markets, survey.ladders.captures, survey.ladders.two_sided) == ([], 2, 2)
    assert len(survey.polled_series) == 1


def test_progress_is_told() -> None:
    calls: list[None] = []
    Survey().read(Made(stream(A)), {}, lambda: calls.append(None))
    assert calls
