"""`fairstrike observe`: a trader that only looks, and what it sees, as a live table or as one JSON object a second.

The trader is a child process like any other run of `trade --mode observe`; this process follows its journal.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from fairstrike.app import runfile, trading
from fairstrike.app.children import Child, Children
from fairstrike.app.clock import SystemClock
from fairstrike.app.desk.follow import JOURNAL, read_new, until_signalled
from fairstrike.app.desk.sights import Ladder, Sight, Sights
from fairstrike.core.errors import FairstrikeError
from fairstrike.core.events import SpotFigures, SpotFunding
from fairstrike.core.order import Side
from fairstrike.core.records import RisklessFound
from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import PPM, format_cc, format_decimal, format_e8, format_ticks, format_ud
from fairstrike.store.following import Follower
from fairstrike.store.segments import DECISIONS, INPUTS

_LOOK_SECONDS, _SILENT_SECONDS = 0.1, 5.0
_SILENCE = "the trader is silent"
_OWN_WORDS = "fairstrike: "
_PPM_PLACES = len(str(PPM)) - 1


class TraderEnded(FairstrikeError):
    """The trader ended by itself. Cure: the message is its own, or names its log; the exit code is its own too."""

    def __init__(self, message: str, exit_code: int) -> None:
        """Keep the trader's exit code as this command's."""
        super().__init__(message)
        self.exit_code = exit_code


class ReferenceSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A reference price in dollars; a proxy is any that is not the official index."""

    value: str
    source: str
    is_proxy: bool
    age_s: float


class MarketSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One market: prices and differences in dollars, sizes in contracts, None where there is none.

    `book` is "stream", "rest" or "absent"; `absent` says why it is absent. `fitted` is the fair value moved as far as
    the quotes of the event's fit demanded.
    """

    ticker: str
    comparison: str
    floor_strike: str | None
    cap_strike: str | None
    book: str
    absent: str | None
    bid: str | None
    bid_size: str
    ask: str | None
    ask_size: str
    fair: str | None
    model_minus_market: str | None
    fitted: str | None
    model_minus_fitted: str | None


class FitSeen(msgspec.Struct, frozen=True, kw_only=True):
    """The distribution fitted to a settlement group: its age, and by how many dollars its quotes contradict another."""

    age_s: float
    contradiction: str


class LegSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One fill of a portfolio: `action` is "buy" or "sell", of YES contracts."""

    ticker: str
    action: str
    price: str
    size: str


class RisklessSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A portfolio that gains `gain` dollars or more after fees, whatever the settlement value: evidence, not advice."""

    age_s: float
    gain: str
    legs: tuple[LegSeen, ...]


class EventSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One event, its markets by strike. `fit` and `riskless` are of its settlement group, all series.

    `reference_absent` says why there is no reference, None when there is one; `fair_absent` for how long there is no
    fair value yet, for want of prints, None when they are enough; regime and level are None while unknown.
    """

    event_ticker: str
    asset: str
    settlement_group: str
    closes_in_s: float
    reference: ReferenceSeen | None
    reference_absent: str | None
    fair_absent: str | None
    regime: str | None
    vol_level: str | None
    fit: FitSeen | None
    riskless: RisklessSeen | None
    markets: tuple[MarketSeen, ...]


class SpotSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One spot venue: last trade and price of 60 s weighted by size in dollars, 30-minute volatility a year."""

    asset: str
    source: str
    last: str | None
    vwap_60s: str | None
    vol_annual: str | None


class FundingSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A perpetual's funding rate, its mark in dollars, and the seconds until it is paid."""

    asset: str
    source: str
    rate: str
    mark: str
    paid_in_s: float


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Everything at one instant of the venue's clock; events soonest first. `stream` is "up", or why it is not."""

    venue_ns: int
    environment: str
    stream: str
    events: tuple[EventSeen, ...]
    spot: tuple[SpotSeen, ...]
    funding: tuple[FundingSeen, ...]
    warnings: tuple[str, ...]


class Observation:
    """One observed run: its trader's process, its clock and what was seen so far."""

    def __init__(self, run_folder: Path, trader: Child, silent_s: float = _SILENT_SECONDS) -> None:
        """Follow the journal of a run folder, in which something is written each second of the venue's clock.

        After `silent_s` without a record nothing is shown as current any more.
        """
        run = runfile.read(run_folder)
        self.environment = run.settings.environment
        self.sights = Sights()
        self._clock = SystemClock(run.clock)
        self._trader = trader
        self._silent_s = silent_s if run.clock.factor else math.inf
        self._told_s = time.monotonic()
        self._chains = [Follower(run_folder / JOURNAL, chain) for chain in (INPUTS, DECISIONS)]

    @property
    def now_ns(self) -> int:
        """The venue's instant now."""
        return self._clock.now_ns()

    def look(self) -> None:
        """Fold what the trader wrote since the last look.

        Raises `TraderEnded` when it has ended by itself.
        """
        is_over = self._trader.process.poll() is not None
        while records := [record for chain in self._chains for record in read_new(chain)]:
            self.sights.fold(records)
            self._told_s = time.monotonic()
        self.sights.silence = _SILENCE if time.monotonic() - self._told_s > self._silent_s else ""
        if is_over:
            raise _end_of(self._trader)

    def seen(self) -> Seen:
        """Give all of it as it is printed as JSON."""
        now_ns = self.now_ns
        return Seen(
            venue_ns=now_ns,
            environment=self.environment,
            stream=self.sights.silence or self.sights.stream,
            events=tuple(_event(ladder, now_ns) for ladder in self.sights.ladders(now_ns)),
            spot=tuple(_spot(figures) for figures in self.sights.spot_figures(now_ns)),
            funding=tuple(_funding(told, now_ns) for told in self.sights.spot_fundings(now_ns)),
            warnings=tuple(self.sights.troubles),
        )


def observe(wanted: trading.Wanted, show: Callable[[Observation], None], every_s: float) -> None:
    """Start a trader that observes, its files in the folder that is wanted, and call `show` every so many seconds.

    Returns, the trader ended, after SIGINT, SIGTERM or SIGHUP. Raises what `trading.prepare` raises, and `TraderEnded`
    when the trader ended by itself.
    """
    run_folder = trading.prepare(wanted, below="run")
    with Children(run_folder.parent) as children, until_signalled() as is_stopping:
        trader = children.start("trader", [str(run_folder)], module="fairstrike.app.run")
        observation = Observation(run_folder, trader)
        due_s = time.monotonic()
        while not is_stopping():
            observation.look()
            if time.monotonic() >= due_s:
                due_s += every_s
                show(observation)
            time.sleep(_LOOK_SECONDS)


def _end_of(trader: Child) -> TraderEnded:
    code = trader.process.returncode
    last = next(iter(trader.tail().splitlines()[-1:]), "")
    if last.startswith(_OWN_WORDS):
        return TraderEnded(last.removeprefix(_OWN_WORDS), code)
    said = last or "nothing was said"
    return TraderEnded(f"the trader ended by itself with exit code {code} ({said}); see {trader.log}", max(1, code))


def _event(ladder: Ladder, now_ns: int) -> EventSeen:
    reference, regime, fit = ladder.reference, ladder.regime, ladder.fit
    return EventSeen(
        event_ticker=ladder.event_ticker,
        asset=ladder.asset,
        settlement_group=ladder.group,
        closes_in_s=round(ladder.closes_in_ns / SECOND_NS, 3),
        reference=None
        if reference is None
        else ReferenceSeen(
            value=format_e8(reference.value_e8),
            source=reference.source,
            is_proxy=reference.is_proxy,
            age_s=round((now_ns - reference.at_ns) / SECOND_NS, 3),
        ),
        reference_absent=ladder.no_reference or None,
        fair_absent=ladder.no_fair or None,
        regime=None if regime is None else regime.regime.value,
        vol_level=None if regime is None or regime.level is None else regime.level.value,
        fit=None
        if fit is None
        else FitSeen(
            age_s=round((now_ns - fit.asked_ns) / SECOND_NS, 3),
            contradiction=format_decimal(fit.slack_ppm, _PPM_PLACES),
        ),
        riskless=None if ladder.riskless is None else _riskless(ladder.riskless, now_ns),
        markets=tuple(_market(sight) for sight in ladder.sights),
    )


def _riskless(found: RisklessFound, now_ns: int) -> RisklessSeen:
    legs = tuple(
        LegSeen(
            ticker=leg.ticker,
            action="buy" if leg.side is Side.BID else "sell",
            price=format_ticks(leg.price_ticks),
            size=format_cc(leg.size_cc),
        )
        for leg in found.legs
    )
    return RisklessSeen(
        age_s=round((now_ns - found.asked_ns) / SECOND_NS, 3), gain=format_ud(found.worst_ud), legs=legs
    )


def _spot(figures: SpotFigures) -> SpotSeen:
    vol_ppm = figures.vol_ppm
    return SpotSeen(
        asset=figures.asset,
        source=figures.source,
        last=None if figures.last_e8 is None else format_e8(figures.last_e8),
        vwap_60s=None if figures.vwap_e8 is None else format_e8(figures.vwap_e8),
        vol_annual=None if vol_ppm is None else format_decimal(vol_ppm, _PPM_PLACES),
    )


def _funding(told: SpotFunding, now_ns: int) -> FundingSeen:
    return FundingSeen(
        asset=told.asset,
        source=told.source,
        rate=format_e8(told.rate_e8),
        mark=format_e8(told.mark_e8),
        paid_in_s=round((told.next_ns - now_ns) / SECOND_NS, 3),
    )


def _market(sight: Sight) -> MarketSeen:
    contract = sight.contract
    return MarketSeen(
        ticker=contract.ticker,
        comparison=contract.comparison.value,
        floor_strike=None if contract.floor_e8 is None else format_e8(contract.floor_e8),
        cap_strike=None if contract.cap_e8 is None else format_e8(contract.cap_e8),
        book="absent" if sight.absent else "rest" if sight.is_polled else "stream",
        absent=sight.absent or None,
        bid=None if sight.bid_ticks is None else format_ticks(sight.bid_ticks),
        bid_size=format_cc(sight.bid_cc),
        ask=None if sight.ask_ticks is None else format_ticks(sight.ask_ticks),
        ask_size=format_cc(sight.ask_cc),
        fair=_ppm(sight.fair_ppm),
        model_minus_market=_ppm(sight.edge_ppm),
        fitted=_ppm(sight.fitted_ppm),
        model_minus_fitted=_ppm(sight.unfitted_ppm),
    )


def _ppm(value: int | None) -> str | None:
    return None if value is None else format_decimal(value, _PPM_PLACES)
