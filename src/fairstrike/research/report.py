"""What a replay found, as figures: by market, by strategy, and in all."""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from fairstrike.core.order import Side
from fairstrike.core.timing import format_rfc3339
from fairstrike.core.units import TICKS_PER_DOLLAR, format_cc, format_ticks, format_ud
from fairstrike.engine import Engine
from fairstrike.execution.ledger import StrategyResult
from fairstrike.research.importers.base import Recording
from fairstrike.research.money import Money, decided_ud, money
from fairstrike.research.observer import Agreement, Observer, thinned
from fairstrike.research.scoring import Scores, forecasts, scores
from fairstrike.research.violations import Found, Violations

POINTS_MAX = 2_000
"""More points of equity than this and only every so many is reported."""


class MarketReport(msgspec.Struct, frozen=True, kw_only=True):
    """One market of a replay. Prices and money are decimal dollars, volume is contracts; None is absent or still open.

    `crossed` and `impossible` count losses of the book for these reasons, as `frozen` does; `ticker_volume` is what
    was traded between the first and the last of the venue's tickers.
    """

    deltas: int
    snapshots: int
    gaps: int
    frozen: int
    best_yes_bid: str | None
    best_yes_ask: str | None
    fills: int
    fees: str
    pnl: str | None
    result: str | None
    is_derived: bool
    seconds_without_book: float
    crossed: int = 0
    impossible: int = 0
    ticker_volume: str | None = None
    agreement: Agreement = Agreement()

    @property
    def is_clean(self) -> bool:
        """Whether no frame was missing and no book was lost."""
        return not (self.gaps or self.frozen or self.crossed or self.impossible)


class StrategyReport(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy: fills, fees and the result after fees of its decided markets, decimal dollars.

    A market is decided for it when it settled or when its part of the position is closed; `open_markets` are not.
    """

    fills: int
    fees: str
    pnl: str
    open_markets: int


class AgreementReport(msgspec.Struct, frozen=True, kw_only=True):
    """How often the venue's tickers equal the rebuilt best prices; shares are of those that met a book."""

    markets: int
    tickers: int
    absent: int
    equal_now: int
    equal_recent: int
    share_now: float | None
    share_recent: float | None


class AgreementReports(msgspec.Struct, frozen=True, kw_only=True):
    """Agreement over all markets, and over those whose books were never lost."""

    overall: AgreementReport
    clean: AgreementReport


class OpenEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A settlement event whose result never appeared: what is held in it, contracts by market, and at what cost."""

    group: str
    events: tuple[str, ...]
    closes: str
    markets: int
    held: dict[str, str]
    cost: str


class PointReport(msgspec.Struct, frozen=True, kw_only=True):
    """Cash and open contracts at one moment, decimal dollars."""

    at_ns: int
    equity: str


class ViolationReport(msgspec.Struct, frozen=True, kw_only=True):
    """Prices that were a sure gain after taker fees: legs in words, decimal dollars for one contract of each."""

    at: str
    seconds_to_close: float
    kind: str
    events: tuple[str, ...]
    legs: tuple[str, ...]
    gain: str


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What a run's turn counted: events folded, moments of decision, markets woken for, refusals by rule."""

    events: int = 0
    decisions: int = 0
    wakes: int = 0
    refused: dict[str, int] = {}


class ReplayReport(msgspec.Struct, frozen=True, kw_only=True):
    """A whole replay. `pnl` is over decided markets, `money` accounts for the rest; `digest` identifies the journal.

    `page` is the file that shows the same to people; `kinds` are the events by kind; `considered` says by strategy
    what came of each woken market, `refused` what risk refused by rule, `rejected` what the venue rejected by code;
    `violations` were found in `ladders` looked at; `notes` are what the recordings say of themselves.
    """

    files: tuple[str, ...]
    without_spot: tuple[str, ...]
    cut: tuple[str, ...]
    markets: dict[str, MarketReport]
    strategies: dict[str, StrategyReport]
    deltas: int
    fills: int
    fees: str
    pnl: str
    cash: str
    open_cost: str
    gaps: int
    frozen: int
    seconds_without_book: float
    journal: str
    digest: str
    money: Money
    page: str | None = None
    scores: Scores | None = None
    agreement: AgreementReports | None = None
    events: int = 0
    decisions: int = 0
    wakes: int = 0
    kinds: dict[str, int] = {}
    considered: dict[str, dict[str, int]] = {}
    refused: dict[str, int] = {}
    rejected: dict[str, int] = {}
    open_events: tuple[OpenEvent, ...] = ()
    equity: tuple[PointReport, ...] = ()
    ladders: int = 0
    violations: tuple[ViolationReport, ...] = ()
    notes: tuple[str, ...] = ()


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """A replay that ended, with all that saw it. `derived` tells which results were not official."""

    engine: Engine
    observer: Observer
    violations: Violations
    counts: Counts
    recordings: Sequence[Recording]
    derived: Mapping[str, bool]
    journal: str
    digest: str


def replay_report(run: Finished) -> ReplayReport:
    """Give the figures of a replay."""
    engine, observer, counts, recordings = run.engine, run.observer, run.counts, run.recordings
    frames = _frames(recordings)
    tickers = sorted({*engine.catalog.listings, *engine.books.shelves})
    traded = _traded(engine)
    markets = {ticker: _market(run, frames, traded.get(ticker, ()), ticker) for ticker in tickers}
    account = money(engine)
    return ReplayReport(
        files=tuple(recording.path.name for recording in recordings),
        without_spot=tuple(recording.path.name for recording in recordings if not recording.is_priced),
        cut=tuple(f"{cut.name} after line {cut.line_count}" for recording in recordings for cut in recording.cuts),
        markets=markets,
        strategies=_strategies(engine),
        deltas=sum(market.deltas for market in markets.values()),
        fills=sum(market.fills for market in markets.values()),
        fees=format_ud(engine.clerk.ledger.fees_ud),
        pnl=account.decided,
        cash=format_ud(engine.clerk.ledger.cash_ud),
        open_cost=format_ud(engine.clerk.ledger.open_cost_ud()),
        gaps=sum(market.gaps for market in markets.values()),
        frozen=sum(market.frozen for market in markets.values()),
        seconds_without_book=round(sum(market.seconds_without_book for market in markets.values()), 3),
        journal=run.journal,
        digest=run.digest,
        money=account,
        scores=scores(forecasts(observer.samples, engine.clerk.ledger.settled)),
        agreement=_agreements(markets),
        events=counts.events,
        decisions=counts.decisions,
        wakes=counts.wakes,
        kinds=observer.kinds(counts.events),
        considered={strategy.name: _most_first(strategy.tally) for strategy in engine.strategies},
        refused=_most_first(counts.refused),
        rejected=_most_first(observer.rejected),
        open_events=_open_events(engine),
        equity=tuple(
            PointReport(at_ns=point.at_ns, equity=format_ud(point.equity_ud))
            for point in thinned(observer.equity, POINTS_MAX)
        ),
        ladders=run.violations.looked,
        violations=tuple(_violation(found) for found in run.violations.found),
        notes=tuple(note for recording in recordings for note in recording.notes),
    )


def _violation(found: Found) -> ViolationReport:
    return ViolationReport(
        at=format_rfc3339(found.at_ns),
        seconds_to_close=round(found.closes_in_ns / 1e9, 3),
        kind=found.kind,
        events=found.events,
        legs=tuple(
            f"{'buy' if leg.side is Side.BID else 'sell'} {leg.ticker} at {format_ticks(leg.price_ticks)}"
            for leg in found.legs
        ),
        gain=format_ud(found.gain_ud),
    )


class _Frames(msgspec.Struct, frozen=True):
    """Book frames and runs of missing ones over all recordings, by market."""

    deltas: Counter[str]
    snapshots: Counter[str]
    gaps: Counter[str]


def _frames(recordings: Sequence[Recording]) -> _Frames:
    found = _Frames(Counter(), Counter(), Counter())
    for recording in recordings:
        found.deltas.update(recording.deltas)
        found.snapshots.update(recording.snapshots)
        found.gaps.update(recording.gaps)
    return found


def _traded(engine: Engine) -> dict[str, list[StrategyResult]]:
    found: dict[str, list[StrategyResult]] = {}
    for (_, ticker), result in engine.clerk.ledger.results.items():
        found.setdefault(ticker, []).append(result)
    return found


def _market(run: Finished, frames: _Frames, results: Sequence[StrategyResult], ticker: str) -> MarketReport:
    engine, volume_cc = run.engine, run.observer.volume_cc(ticker)
    shelf = engine.books.shelves.get(ticker)
    bid, ask = (None, None) if shelf is None else shelf.final_bests
    losses = {} if shelf is None else shelf.losses
    value_ticks = engine.clerk.ledger.settled.get(ticker)
    position = engine.clerk.ledger.position(ticker)
    pnl_ud = decided_ud(engine, ticker)
    return MarketReport(
        deltas=frames.deltas[ticker],
        snapshots=frames.snapshots[ticker],
        gaps=frames.gaps[ticker],
        frozen=losses.get("frozen", 0),
        best_yes_bid=None if bid is None else format_ticks(bid),
        best_yes_ask=None if ask is None else format_ticks(ask),
        fills=sum(result.fills for result in results),
        fees=format_ud(position.fees_ud),
        pnl=None if pnl_ud is None else format_ud(pnl_ud),
        result=None if value_ticks is None else ("yes" if value_ticks == TICKS_PER_DOLLAR else "no"),
        is_derived=value_ticks is not None and run.derived.get(ticker, False),
        seconds_without_book=0.0 if shelf is None else round(shelf.absent_ns / 1e9, 3),
        crossed=losses.get("crossed", 0),
        impossible=losses.get("impossible", 0),
        ticker_volume=None if volume_cc is None else format_cc(volume_cc),
        agreement=run.observer.agreement(ticker),
    )


def _strategies(engine: Engine) -> dict[str, StrategyReport]:
    found: dict[str, StrategyReport] = {}
    for name in sorted({strategy.name for strategy in engine.strategies}):
        mine = {
            ticker: result for (strategy, ticker), result in engine.clerk.ledger.results.items() if strategy == name
        }
        settled = engine.clerk.ledger.settled
        decided = [result for ticker, result in mine.items() if ticker in settled or not result.net_cc]
        found[name] = StrategyReport(
            fills=sum(result.fills for result in mine.values()),
            fees=format_ud(sum(result.fees_ud for result in mine.values())),
            pnl=format_ud(sum(result.cash_ud for result in decided)),
            open_markets=len(mine) - len(decided),
        )
    return found


def _agreements(markets: Mapping[str, MarketReport]) -> AgreementReports:
    clean = [market.agreement for market in markets.values() if market.is_clean]
    return AgreementReports(
        overall=_agreement([market.agreement for market in markets.values()]), clean=_agreement(clean)
    )


def _agreement(found: Sequence[Agreement]) -> AgreementReport:
    told = [one for one in found if one.tickers]
    tickers, absent = sum(one.tickers for one in told), sum(one.absent for one in told)
    now, recent = sum(one.equal_now for one in told), sum(one.equal_recent for one in told)
    met = tickers - absent
    return AgreementReport(
        markets=len(told),
        tickers=tickers,
        absent=absent,
        equal_now=now,
        equal_recent=recent,
        share_now=round(now / met, 6) if met else None,
        share_recent=round(recent / met, 6) if met else None,
    )


def _most_first(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _open_events(engine: Engine) -> tuple[OpenEvent, ...]:
    """Give the settlement events with a market that has no result, by close."""
    ledger = engine.clerk.ledger
    groups: dict[tuple[int, str], list[str]] = {}
    for ticker, listing in engine.catalog.listings.items():
        if ticker not in ledger.settled:
            groups.setdefault((listing.contract.close_ns, listing.contract.group), []).append(ticker)
    found: list[OpenEvent] = []
    for (close_ns, group), tickers in sorted(groups.items()):
        positions = [ledger.position(ticker) for ticker in sorted(tickers)]
        found.append(
            OpenEvent(
                group=group,
                events=tuple(sorted({engine.catalog.contract(ticker).event_ticker for ticker in tickers})),
                closes=format_rfc3339(close_ns),
                markets=len(tickers),
                held={position.ticker: format_cc(position.net_cc) for position in positions if position.net_cc},
                cost=format_ud(sum(position.cost_ud for position in positions)),
            )
        )
    return tuple(found)
