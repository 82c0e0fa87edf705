"""What a replay prints for people."""

import msgspec
import pytest

from fairstrike.app import replay_printing
from fairstrike.research.money import Money
from fairstrike.research.report import (
    AgreementReport,
    AgreementReports,
    MarketReport,
    OpenEvent,
    ReplayReport,
    StrategyReport,
    ViolationReport,
)
from fairstrike.research.scoring import Estimate, Forecast, scores

IDLE = MarketReport(
    deltas=1,
    snapshots=1,
    gaps=0,
    frozen=0,
    best_yes_bid=None,
    best_yes_ask=None,
    fills=0,
    fees="0.0000",
    pnl="0.0000",
    result="yes",
    is_derived=False,
    seconds_without_book=0.0,
)
TRADED = msgspec.structs.replace(IDLE, deltas=1_234, fills=3, fees="0.0700", pnl="-5.1200", result="no")

ACCOUNT = Money(
    cash_start="1000.000000",
    cash="984.700000",
    decided="-5.120000",
    realised_in_held="1.820000",
    held_cost="12.000000",
    fees="0.070000",
    traded_markets=4,
    decided_markets=3,
    gain=Estimate(count=3, events=3, mean=-1.71, low=-4.0, high=0.58),
)


def report(strategies: dict[str, StrategyReport], **markets: MarketReport) -> ReplayReport:
    return ReplayReport(
        files=("a.jsonl",),
        without_spot=(),
        cut=(),
        markets=markets,
        strategies=strategies,
        deltas=sum(market.deltas for market in markets.values()),
        fills=3,
        fees="0.0700",
        pnl="-5.1200",
        cash="994.8800",
        open_cost="0.0000",
        gaps=0,
        frozen=0,
        seconds_without_book=0.0,
        journal="runs/[odd] name",
        digest="0123456789abcdef0123",
        money=ACCOUNT,
    )


def test_replay_report_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    taker = StrategyReport(fills=3, fees="0.0700", pnl="-5.1200", open_markets=0)
    replay_printing.replay(report({"taker": taker}, IDLE=IDLE, TRADED=TRADED))
    lines = capsys.readouterr().out.splitlines()
    assert lines == [line.rstrip() for line in lines]
    assert lines[0] == "2 markets, 1,235 deltas"
    rows = {line.split()[0]: line.split()[1:] for line in lines if line}
    assert rows["IDLE"] == ["1", "yes"]
    assert rows["TRADED"] == ["1,234", "3", "0.07", "−5.12", "no"]
    assert rows["taker"] == ["3", "0.07", "−5.12"]
    assert not lines[lines.index("Strategies") - 1]
    assert "fills 3 · fees $0.07 · P&L of decided markets −5.12" in lines
    assert "−1.71 dollars a traded market, 95 % interval −4.00 to +0.58 (3 markets, 3 settlement events)" in lines
    account = "decided −5.12, realised in 1 market still held +1.82, cost of what is held −12.00"
    assert f"cash −15.30: {account}" in " ".join(lines)
    assert lines[-1] == "journal runs/[odd] name · digest 0123456789abcdef"


def test_one_market_is_no_plural(capsys: pytest.CaptureFixture[str]) -> None:
    replay_printing.replay(report({}, IDLE=IDLE))
    text = capsys.readouterr().out
    assert text.startswith("1 market, 1 delta\n")
    assert "Strategies" not in text


SHARES = AgreementReport(markets=1, tickers=10, absent=0, equal_now=9, equal_recent=10, share_now=0.9, share_recent=1.0)


VIOLATION = ViolationReport(
    at="2026-07-04T04:55:10.5Z",
    seconds_to_close=290.0,
    kind="partition sold",
    events=("E",),
    legs=("sell E-1 at 0.6000", "sell E-2 at 0.9000"),
    gain="0.470000",
)


def evidence() -> ReplayReport:
    """A report with forecasts of three events, tickers, wakes and reasons."""
    found = [
        Forecast(group=f"g{n}", closes_in_ns=60_000_000_000 * (n + 1), p_model=0.8, p_market=0.7 - n / 50, outcome=1.0)
        for n in range(3)
    ]
    open_event = OpenEvent(group="BTC@1", events=("E",), closes="c", markets=1, held={"E-1": "-3.00"}, cost="1.8000")
    return msgspec.structs.replace(
        report({}, IDLE=IDLE),
        scores=scores(found),
        agreement=AgreementReports(overall=SHARES, clean=SHARES),
        events=1_000,
        decisions=400,
        wakes=250,
        considered={"taker": {"no [edge]": 240, "wished": 10}, "maker": {}},
        refused={"pace": 3},
        ladders=4,
        violations=(VIOLATION,),
        notes=("a.jsonl: [odd] note",),
        open_events=(open_event,) * 7,
        page="runs/x/report.html",
    )


def test_replay_evidence_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    replay_printing.replay(evidence())
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "all 3 3 0.0400 0.1027 −0.0627 −0.0945 to −0.0309" in lines
    assert "last minute 1 1 0.0400 0.0900 −0.0500" in lines
    assert "tickers of 1 market: 90.0% at once, 100.0% within 1.1 s equal to the rebuilt book" in lines
    assert "1,000 events · 400 moments of decision · 250 wakes, 0.250 an event" in lines
    assert lines[lines.index("outcome taker maker") + 2 :][:2] == ["no [edge] 240", "wished 10"]
    assert "4 ladders held against themselves: 1 violation across strikes, net of fees" in lines
    assert (
        "2026-07-04T04:55:10 partition sold: sell E-1 at 0.6000, sell E-2 at 0.9000: "
        "gain $0.470000 a contract of each leg" in lines
    )
    assert "a.jsonl: [odd] note" in lines
    assert "refused by risk: pace 3" in lines
    assert lines.count("E: no result; held 3.00 NO of E-1") == 5
    assert "and 2 more events without a result" in lines
    assert "page runs/x/report.html" in lines


def test_a_very_long_list_of_markets_is_cut_to_those_that_matter(capsys: pytest.CaptureFixture[str]) -> None:
    lost = msgspec.structs.replace(IDLE, crossed=1)
    replay_printing.replay(report({}, **{f"M{n}": IDLE for n in range(99)}, LOST=lost, TRADED=TRADED))
    text = capsys.readouterr().out
    assert text.startswith("101 markets, 1,334 deltas\n")
    assert "and 99 markets without a fill or a fault\n" in text
    assert "LOST" in text
    assert "M7" not in text


@pytest.mark.parametrize("ticker", ["KXBTC15M-[/]", "KXBTC15M-[red]", "KXBTC15M-:x:"])
def test_a_name_is_printed_as_it_is(capsys: pytest.CaptureFixture[str], ticker: str) -> None:
    market = msgspec.structs.replace(IDLE, gaps=1)
    replay_printing.replay(msgspec.structs.replace(report({}), markets={ticker: market}))
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" ")[0] for line in lines if "KXBTC15M" in line] == [ticker, f"{ticker}:"]
