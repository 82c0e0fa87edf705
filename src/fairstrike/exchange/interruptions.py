"""Pauses, maintenance and corrections: what faults do to the floor, begun and ended."""

from fnmatch import fnmatchcase
from typing import assert_never

from fairstrike.core.errors import ConfigError
from fairstrike.core.timing import SECOND_NS
from fairstrike.exchange import faults as of
from fairstrike.exchange.api.budgets import SHARDS
from fairstrike.exchange.floor import Floor, MarketStatus, ShardState
from fairstrike.exchange.inforce import Live

_BY_SEVERITY = (ShardState.OPEN, ShardState.TRADING_PAUSED, ShardState.EXCHANGE_PAUSED)


class Interruptions:
    """What is interrupted now. A shard is as far shut as the worst fault on it says."""

    def __init__(self, floor: Floor) -> None:
        """Interrupt `floor`."""
        self._floor = floor
        self._begun: dict[int, of.Staged] = {}

    def check(self, fault: of.Fault) -> None:
        """Raises `ConfigError` for a fault of a market that is not listed: name one that is."""
        if isinstance(fault, of.MarketPause | of.SettlementCorrection) and not self._tickers(fault.market):
            raise ConfigError(f"no market is called {fault.market}; GET /trade-api/v2/markets lists them")

    def begin(self, live: Live, now_ns: int) -> None:
        """Let a pause or maintenance begin."""
        assert isinstance(live.fault, of.Staged), "other faults have no beginning"
        self._begun[live.number] = live.fault
        self._follow(live.fault, now_ns)

    def end(self, live: Live, now_ns: int) -> None:
        """Let it end; what another fault still holds shut stays so."""
        fault = self._begun.pop(live.number, None)
        if fault is not None:
            self._follow(fault, now_ns)

    def correct(self, live: Live, now_ns: int) -> None:
        """Correct the markets that have paid out; the fault is done when all it names are."""
        fault = live.fault
        assert isinstance(fault, of.SettlementCorrection), "only a correction corrects"
        views = [view for view in self._floor.markets() if fnmatchcase(view.contract.ticker, fault.market)]
        if any(view.status is not MarketStatus.FINALIZED for view in views):
            return
        paid_ns = max(view.settled_ns or 0 for view in views)
        if now_ns < paid_ns + round(fault.after_s * SECOND_NS):
            return
        live.due_ns = None
        for view in views:
            live.struck += int(self._floor.correct(view.contract.ticker, fault.value_ticks, now_ns))

    def _follow(self, fault: of.Staged, now_ns: int) -> None:
        match fault:
            case of.ExchangePause():
                self._set_shard(fault.shard, now_ns)
            case of.Maintenance():
                for shard in SHARDS:
                    self._set_shard(shard, now_ns)
            case of.MarketPause():
                for ticker in self._tickers(fault.market):
                    if self._is_paused(ticker):
                        self._floor.deactivate(ticker, now_ns)
                    else:
                        self._floor.reactivate(ticker, now_ns)
            case of.SettlementCorrection():
                pass
            case _:
                assert_never(fault)

    def _set_shard(self, shard: int, now_ns: int) -> None:
        states = [ShardState.OPEN]
        for fault in self._begun.values():
            if isinstance(fault, of.ExchangePause) and fault.shard == shard:
                states.append(ShardState.TRADING_PAUSED if fault.is_trading_only else ShardState.EXCHANGE_PAUSED)
            elif isinstance(fault, of.Maintenance):
                states.append(ShardState.TRADING_PAUSED)
        self._floor.set_shard(shard, max(states, key=_BY_SEVERITY.index), now_ns)

    def _is_paused(self, ticker: str) -> bool:
        pauses = (fault for fault in self._begun.values() if isinstance(fault, of.MarketPause))
        return any(fnmatchcase(ticker, fault.market) for fault in pauses)

    def _tickers(self, pattern: str) -> list[str]:
        tickers = (view.contract.ticker for view in self._floor.markets())
        return [ticker for ticker in tickers if fnmatchcase(ticker, pattern)]
