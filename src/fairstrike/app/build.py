"""The only place where parts are joined: settings in, a run ready to turn out."""

from collections.abc import Iterator, Sequence

import fairstrike
from fairstrike.app import config
from fairstrike.core.ids import account_tag
from fairstrike.core.records import RunStarted, TapeFile
from fairstrike.engine import Engine
from fairstrike.exchange import replay
from fairstrike.strategy.base import Strategy
from fairstrike.strategy.market_maker import MarketMaker
from fairstrike.strategy.momentum_scalp import MomentumScalp
from fairstrike.strategy.taker import Taker


def strategies(chosen: config.Strategies) -> list[Strategy]:
    """Give the strategies that are on, in order of their codes."""
    found: list[Strategy] = []
    if chosen.taker is not None:
        found.append(Taker(chosen.taker))
    if chosen.momentum_scalp is not None:
        found.append(MomentumScalp(chosen.momentum_scalp))
    if chosen.market_maker is not None:
        found.append(MarketMaker(chosen.market_maker))
    return found


def engine(started: RunStarted, settings: config.Settings) -> Engine:
    """Give a fresh engine for a run."""
    return Engine(settings.rooms, strategies(settings.strategies), started.account_tag, started.run_ns)


def run_started(
    settings: config.Settings, account: str, run_ns: int, tape: Sequence[TapeFile] = (), execution: str | None = None
) -> RunStarted:
    """Give the first record of a run of `account` beginning at `run_ns` (venue time)."""
    return RunStarted(
        program=fairstrike.__version__,
        execution=execution or settings.execution,
        environment=settings.environment,
        account_tag=account_tag(account),
        run_ns=run_ns,
        seed=settings.seed,
        settings=config.encode(settings),
        settings_digest=config.settings_digest(settings),
        tape=tuple(tape),
    )


def simulation(engine: Engine, settings: config.Settings, feed: Iterator[replay.Unit]) -> replay.Replay:
    """Give the recorded world with our orders in it, reading the books that `engine` folds."""

    def market(ticker: str) -> replay.Market | None:
        listing = engine.catalog.listings.get(ticker)
        if listing is None:
            return None
        shelf = engine.books.shelves.get(ticker)
        book = None if shelf is None else shelf.book
        return replay.Market(contract=listing.contract, schedule=listing.schedule, book=book)

    return replay.Replay(feed, market, settings.replay)
