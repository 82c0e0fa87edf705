"""A replay's figures as tables and lines on the terminal."""

from collections.abc import Iterator, Mapping

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from fairstrike.app.desk.tables import put
from fairstrike.app.printing import counted, table
from fairstrike.research.money import Money
from fairstrike.research.report import AgreementReport, AgreementReports, MarketReport, ReplayReport
from fairstrike.research.scoring import Scores

_console = Console()
_MARKETS_MAX, _EVENTS_MAX = 60, 5


def replay(report: ReplayReport) -> None:
    """Print a replay's figures."""
    shown = report.markets
    if len(shown) > _MARKETS_MAX:
        shown = {ticker: market for ticker, market in shown.items() if market.fills or not market.is_clean}
    put(_console, _markets(report, shown))
    if len(shown) < len(report.markets):
        put(_console, f"and {counted(len(report.markets) - len(shown), 'market')} without a fill or a fault")
    for ticker, market in report.markets.items():
        if market.gaps or market.frozen:
            absent = f"{market.seconds_without_book:.1f} s without a book"
            lost = f"{counted(market.gaps, 'gap')}, {market.frozen} frozen, {absent}"
            put(_console, f"[yellow]{escape(ticker)}: {lost}[/]")
    if report.strategies:
        put(_console, Text())
        put(_console, _strategies(report))
    if report.scores is not None and report.scores.brier.model.count:
        put(_console, Text())
        put(_console, _scores(report.scores))
    if any(report.considered.values()):
        put(_console, Text())
        put(_console, _considered(report))
    put(_console, Text())
    for line in _replay_lines(report):
        put(_console, line)


def _markets(report: ReplayReport, shown: Mapping[str, MarketReport]) -> Table:
    made = table(f"{counted(len(report.markets), 'market')}, {counted(report.deltas, 'delta')}")
    made.add_column("market", no_wrap=True)
    for name in ("deltas", "fills", "fees $", "P&L $"):
        made.add_column(name, justify="right", no_wrap=True)
    made.add_column("result", no_wrap=True)
    for ticker, market in shown.items():
        gain = "open" if market.pnl is None else _signed(market.pnl)
        made.add_row(
            Text(ticker),
            f"{market.deltas:,}",
            *((str(market.fills), _cents(market.fees), gain) if market.fills else ("", "", "")),
            (market.result or "open") + ("*" if market.is_derived and market.result else ""),
        )
    if any(market.is_derived and market.result for market in shown.values()):
        made.caption = "* derived from the next window's strike, not official"
    return made


def _scores(scores: Scores) -> Table:
    made = table("Brier score by time to close (0 is perfect)")
    made.add_column("to close", no_wrap=True)
    for name in ("n", "events", "model", "market", "model − market", "95 % interval"):
        made.add_column(name, justify="right", no_wrap=True)
    for name, found in (*((bucket.name, bucket.brier) for bucket in scores.buckets), ("all", scores.brier)):
        difference = found.difference
        is_known = difference.low is not None and difference.high is not None
        made.add_row(
            name,
            f"{difference.count:,}",
            f"{difference.events:,}",
            "" if found.model.mean is None else f"{found.model.mean:.4f}",
            "" if found.market.mean is None else f"{found.market.mean:.4f}",
            _score(difference.mean),
            f"{_score(difference.low)} to {_score(difference.high)}" if is_known else "",
        )
    made.caption = "n forecasts; interval clustered by settlement event; below zero the model is better"
    return made


def _score(value: float | None) -> str:
    return "" if value is None else f"{value:+.4f}".replace("-", "−")


def _evidence_lines(report: ReplayReport) -> Iterator[str]:
    if report.scores is not None:
        yield escape(report.scores.verdict)
    for name, held in () if report.agreement is None else _agreements(report.agreement):
        if held.share_now is not None and held.share_recent is not None:
            shares = f"{held.share_now:.1%} at once, {held.share_recent:.1%} within 1.1 s"
            yield f"tickers of {counted(held.markets, 'market')}{name}: {shares} equal to the rebuilt book"
    if report.events:
        wakes = f"{counted(report.wakes, 'wake')}, {report.wakes / report.events:.3f} an event"
        yield f"{counted(report.events, 'event')} · {counted(report.decisions, 'moment')} of decision · {wakes}"
    for name, tally in (("refused by risk", report.refused), ("rejected by the venue", report.rejected)):
        if tally:
            yield f"{name}: {_tallied(tally)}"
    if report.ladders:
        found = counted(len(report.violations), "violation")
        whom = "itself" if report.ladders == 1 else "themselves"
        yield f"{counted(report.ladders, 'ladder')} held against {whom}: {found} across strikes, net of fees"
    for violation in report.violations:
        legs = ", ".join(violation.legs)
        yield f"{violation.at[:19]} {violation.kind}: {escape(legs)}: gain ${violation.gain} a contract of each leg"
    for event in report.open_events[:_EVENTS_MAX]:
        kept = ", ".join(f"{_side(contracts)} of {ticker}" for ticker, contracts in event.held.items())
        yield f"{escape(', '.join(event.events))}: no result; held {escape(kept) or 'nothing'}"
    if len(report.open_events) > _EVENTS_MAX:
        yield f"and {counted(len(report.open_events) - _EVENTS_MAX, 'more event')} without a result"


def _money_lines(found: Money) -> Iterator[str]:
    gain = found.gain
    if gain.mean is not None:
        known = gain.low is not None and gain.high is not None
        interval = f"95 % interval {_plain(gain.low)} to {_plain(gain.high)}" if known else "no interval"
        events = counted(gain.events, "settlement event")
        yield f"{_plain(gain.mean)} dollars a traded market, {interval} ({counted(gain.count, 'market')}, {events})"
    if float(found.held_cost) or float(found.realised_in_held):
        held = counted(found.traded_markets - found.decided_markets, "market")
        yield (
            f"cash {_plain(float(found.cash) - float(found.cash_start))}: decided {_plain(float(found.decided))}, "
            f"realised in {held} still held {_plain(float(found.realised_in_held))}, "
            f"cost of what is held {_plain(-float(found.held_cost))}"
        )


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:+,.2f}".replace("-", "−")


def _agreements(found: AgreementReports) -> tuple[tuple[str, AgreementReport], ...]:
    if found.clean == found.overall:
        return (("", found.overall),)
    return ((" whose book was never lost", found.clean), (" in all", found.overall))


def _side(contracts: str) -> str:
    """Give contracts held as people say them: a negative number is of NO."""
    return f"{contracts.removeprefix('-')} {'NO' if contracts.startswith('-') else 'YES'}"


def _tallied(tally: Mapping[str, int]) -> str:
    return " · ".join(f"{escape(name)} {count:,}" for name, count in tally.items())


def _replay_lines(report: ReplayReport) -> Iterator[str]:
    fees = _cents(report.fees) or "0.00"
    yield f"fills {report.fills} · fees ${fees} · P&L of decided markets {_signed(report.pnl)}"
    if report.money.traded_markets:
        yield from _money_lines(report.money)
    yield from _evidence_lines(report)
    yield f"gaps {report.gaps} · frozen {report.frozen} · without a book {report.seconds_without_book:.1f} s"
    for name in report.without_spot:
        yield f"{escape(name)}: no reference prices beside it, so no fair values and no trading: books and gaps only"
    for note in report.notes:
        yield escape(note)
    for cut in report.cut:
        yield f"the recording ends in the middle: {escape(cut)}; what stands before it was read"
    if report.page is not None:
        yield f"page {escape(report.page)}"
    yield f"journal {escape(report.journal)} · digest {report.digest[:16]}"


def _strategies(report: ReplayReport) -> Table:
    made = table("Strategies")
    for name in ("strategy", "fills", "fees $", "P&L $", "open markets"):
        made.add_column(name, justify="left" if name == "strategy" else "right")
    for name, figures in report.strategies.items():
        made.add_row(
            Text(name), str(figures.fills), _cents(figures.fees), _signed(figures.pnl), str(figures.open_markets or "")
        )
    return made


def _considered(report: ReplayReport) -> Table:
    """Give what came of each woken market, by strategy."""
    made = table("What came of being woken for a market")
    made.add_column("outcome")
    names = list(report.considered)
    for name in names:
        made.add_column(Text(name), justify="right", no_wrap=True)
    outcomes = {outcome: None for name in names for outcome in report.considered[name]}
    for outcome in outcomes:
        counts = [report.considered[name].get(outcome, 0) for name in names]
        made.add_row(escape(outcome), *(f"{count:,}" if count else "" for count in counts))
    return made


def _cents(text: str) -> str:
    return f"{float(text):,.2f}" if float(text) else ""


def _signed(text: str) -> str:
    value = float(text)
    colour = "green" if value > 0 else "red" if value < 0 else "dim"
    # The desk's own minus, as wide as its plus; what rounds to nothing has no sign.
    shown = f"{value:+,.2f}".replace("-", "−")
    return f"[{colour}]{shown if shown[1:] != '0.00' else '0.00'}[/]"
