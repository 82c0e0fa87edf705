"""Two clean captures as evidence: books agree with the venue's tickers, scores have intervals, the page repeats."""

from pathlib import Path

import msgspec
import pytest

from fairstrike.research.observer import Agreement
from fairstrike.research.report import ReplayReport
from tests.replay.commands import fairstrike

CAPTURES = ("rv600_next_evidence_shadow_20260514T130107Z", "rv600_next_evidence_shadow_20260515T091646Z")
EQUAL_NOW_LEAST, EQUAL_RECENT_LEAST = 0.85, 0.97
TICKERS_LEAST = 1_500


def replayed(folder: Path, captures: list[Path]) -> ReplayReport:
    printed = fairstrike("replay", *captures, "--json", "--folder", folder)
    return msgspec.json.decode(printed, type=ReplayReport)


@pytest.fixture(scope="module")
def captures(shared_data: Path) -> list[Path]:
    return [shared_data / "btc15m" / f"{name}.jsonl.gz" for name in CAPTURES]


@pytest.fixture(scope="module")
def report(captures: list[Path], tmp_path_factory: pytest.TempPathFactory) -> ReplayReport:
    return replayed(tmp_path_factory.mktemp("evidence"), captures)


def test_books_agree_with_the_venues_tickers(report: ReplayReport) -> None:
    assert report.agreement is not None
    assert report.agreement.clean == report.agreement.overall
    shares = report.agreement.clean
    assert (shares.markets, shares.absent) == (4, 0)
    assert shares.tickers >= TICKERS_LEAST
    assert shares.share_now is not None
    assert shares.share_recent is not None
    assert shares.share_now >= EQUAL_NOW_LEAST
    assert shares.share_recent >= EQUAL_RECENT_LEAST


def test_each_market_agrees_and_was_traded(report: ReplayReport) -> None:
    for market in report.markets.values():
        found: Agreement = market.agreement
        assert found.equal_recent >= EQUAL_RECENT_LEAST * found.tickers
        assert market.is_clean
        assert market.ticker_volume is not None
        assert float(market.ticker_volume) > 1_000


def test_model_and_market_are_scored_on_every_settled_event(report: ReplayReport) -> None:
    assert report.scores is not None
    for one in (report.scores.brier.model, report.scores.brier.market):
        assert one.events == 4
        assert one.count >= 15
        assert one.mean is not None
        assert 0 < one.mean < 0.5
    difference = report.scores.brier.difference
    assert difference.mean is not None
    assert difference.low is not None
    assert difference.high is not None
    assert difference.low < difference.mean < difference.high
    assert report.open_events == ()


def test_what_was_counted_adds_up(report: ReplayReport) -> None:
    assert sum(report.kinds.values()) == report.events
    assert report.kinds["BookDelta"] == report.deltas
    assert report.kinds["OrderFilled"] == report.fills
    assert 0 < report.wakes < report.decisions < report.events
    assert sum(report.rejected.values()) == report.kinds.get("OrderRejected", 0)
    # A decision may wake two strategies for one market.
    considered = sum(count for tally in report.considered.values() for count in tally.values())
    assert report.wakes <= considered <= 2 * report.wakes


def test_equity_ends_with_the_cash(report: ReplayReport) -> None:
    assert report.equity[0].equity == "10000.000000"
    assert report.equity[-1].equity == report.cash
    assert [point.at_ns for point in report.equity] == sorted({point.at_ns for point in report.equity})


def test_the_page_is_the_same_twice(report: ReplayReport, captures: list[Path], tmp_path: Path) -> None:
    again = replayed(tmp_path / "again", captures)
    assert again.digest == report.digest
    assert report.page is not None
    assert (tmp_path / "again" / "report.html").read_bytes() == Path(report.page).read_bytes()
