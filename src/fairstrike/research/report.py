"""What a replay found, as figures: by market, by strategy, and in all."""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from fairstrike.core.units import TICKS_PER_DOLLAR, format_ticks, format_ud
from fairstrike.engine import Engine
from fairstrike.execution.ledger import StrategyResult
from fairstrike.research.importers.base import Recording


class MarketReport(msgspec.Struct, frozen=True, kw_only=True):
    """One market of a replay. Prices and money are decimal dollars; None is absent, empty or still open."""

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


class StrategyReport(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy over the settled markets: fills, fees and result after fees, decimal dollars."""

    fills: int
    fees: str
    pnl: str
    open_markets: int


class ReplayReport(msgspec.Struct, frozen=True, kw_only=True):
    """A whole replay. `pnl` is over settled markets; `digest` identifies the journal."""

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


def replay_report(
    engine: Engine, recordings: Sequence[Recording], derived: Mapping[str, bool], journal: str, digest: str
) -> ReplayReport:
    """Give the figures of a replay that ended. `derived` tells which results were not official."""
    frames = _frames(recordings)
    tickers = sorted({*engine.catalog.listings, *engine.books.shelves})
    traded = _traded(engine)
    markets = {ticker: _market(engine, frames, traded.get(ticker, ()), ticker, derived) for ticker in tickers}
    return ReplayReport(
        files=tuple(recording.path.name for recording in recordings),
        without_spot=tuple(recording.path.name for recording in recordings if not recording.is_priced),
        cut=tuple(f"{cut.name} after line {cut.line_count}" for recording in recordings for cut in recording.cuts),
        markets=markets,
        strategies=_strategies(engine),
        deltas=sum(market.deltas for market in markets.values()),
        fills=sum(market.fills for market in markets.values()),
        fees=format_ud(engine.clerk.ledger.fees_ud),
        pnl=format_ud(sum(engine.clerk.ledger.market_pnl_ud.values())),
        cash=format_ud(engine.clerk.ledger.cash_ud),
        open_cost=format_ud(engine.clerk.ledger.open_cost_ud()),
        gaps=sum(market.gaps for market in markets.values()),
        frozen=sum(market.frozen for market in markets.values()),
        seconds_without_book=round(sum(market.seconds_without_book for market in markets.values()), 3),
        journal=journal,
        digest=digest,
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


def _market(
    engine: Engine, frames: _Frames, results: Sequence[StrategyResult], ticker: str, derived: Mapping[str, bool]
) -> MarketReport:
    shelf = engine.books.shelves.get(ticker)
    bid, ask = (None, None) if shelf is None else shelf.final_bests
    value_ticks = engine.clerk.ledger.settled.get(ticker)
    position = engine.clerk.ledger.position(ticker)
    pnl_ud = engine.clerk.ledger.market_pnl_ud.get(ticker)
    if pnl_ud is None and not position.net_cc:
        pnl_ud = position.realised_ud - position.fees_ud
    return MarketReport(
        deltas=frames.deltas[ticker],
        snapshots=frames.snapshots[ticker],
        gaps=frames.gaps[ticker],
        frozen=0 if shelf is None else shelf.losses.get("frozen", 0),
        best_yes_bid=None if bid is None else format_ticks(bid),
        best_yes_ask=None if ask is None else format_ticks(ask),
        fills=sum(result.fills for result in results),
        fees=format_ud(position.fees_ud),
        pnl=None if pnl_ud is None else format_ud(pnl_ud),
        result=None if value_ticks is None else ("yes" if value_ticks == TICKS_PER_DOLLAR else "no"),
        is_derived=derived.get(ticker, False),
        seconds_without_book=0.0 if shelf is None else round(shelf.absent_ns / 1e9, 3),
    )


def _strategies(engine: Engine) -> dict[str, StrategyReport]:
    found: dict[str, StrategyReport] = {}
    for name in sorted({strategy for strategy, _ in engine.clerk.ledger.results}):
        mine = {
            ticker: result for (strategy, ticker), result in engine.clerk.ledger.results.items() if strategy == name
        }
        settled = [result for ticker, result in mine.items() if ticker in engine.clerk.ledger.settled]
        found[name] = StrategyReport(
            fills=sum(result.fills for result in mine.values()),
            fees=format_ud(sum(result.fees_ud for result in mine.values())),
            pnl=format_ud(sum(result.cash_ud for result in settled)),
            open_markets=len(mine) - len(settled),
        )
    return found
