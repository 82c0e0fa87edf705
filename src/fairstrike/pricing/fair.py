"""Fair value of every market now: reference price, volatility and settlement window put together.

One settlement law serves all strikes of one close at one instant. A fair value is absent while the reference is
stale, while there are too few returns to know the volatility, and while a market's strike is unpublished; that of an
up/down market is a mean of prints, of which the law is known too. Where the prints give no volatility it may be fitted
to the ladder's own prices, each market's without its own.

The law may be refined by a realised volatility, a variance clock, the last minute's own volatility and fat tails. None
of them had a proven effect on recordings (docs/evidence/pricing.md), so all are off as shipped. The regime of each
asset is kept beside its volatility: that of the reference source, and the last one known while that source is silent.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated, Literal

import msgspec

from fairstrike.core.bounds import Positive, PositiveFloat
from fairstrike.core.contract import Comparison, Contract, Window, window_seconds
from fairstrike.core.effects import Warn
from fairstrike.core.events import ContractListed, IndexPrinted
from fairstrike.core.records import CloseAudited
from fairstrike.core.regime import RegimeSeen
from fairstrike.core.timing import MINUTE_NS, SECOND_NS, WINDOW_SECONDS
from fairstrike.core.units import E8_PER_DOLLAR
from fairstrike.market.index import Index, Reference
from fairstrike.market.index import Params as IndexParams
from fairstrike.market.ladder import Rung
from fairstrike.market.spot import SpotNews
from fairstrike.market.window import audit_close, close_of_strike, window_state
from fairstrike.pricing.diurnal import HOURS, MINUTES, VarianceClock
from fairstrike.pricing.implied import LadderFit
from fairstrike.pricing.implied import Params as ImpliedParams
from fairstrike.pricing.last_minute import Params as LastMinuteParams
from fairstrike.pricing.measures import Measures
from fairstrike.pricing.regimes import Params as RegimeParams
from fairstrike.pricing.settlement import SettlementInputs, SettlementLaw, probability, seen_prints, settlement_law
from fairstrike.pricing.tails import Tails, fattened
from fairstrike.pricing.updown import UpDownInputs, probability_up
from fairstrike.pricing.volatility import Params as VolatilityParams

_AUDIT_AFTER_NS = 2 * SECOND_NS
"""The print stamped at the close itself, which one reading counts, has come by then."""


class Clock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An asset's variance clock: a factor for each minute of the hour and each hour of the week (from Thursday 00 UTC).

    Only their ratios count. Raises `ArithmeticRefusal` for a factor outside (0, 20] times the mean.
    """

    minutes: Annotated[tuple[PositiveFloat, ...], msgspec.Meta(min_length=MINUTES, max_length=MINUTES)] = (
        1.0,
    ) * MINUTES
    hours: Annotated[tuple[PositiveFloat, ...], msgspec.Meta(min_length=HOURS, max_length=HOURS)] = (1.0,) * HOURS

    def __post_init__(self) -> None:
        """Refuse a table that makes no clock."""
        self.made()

    def made(self) -> VarianceClock:
        """Give the clock."""
        return VarianceClock(self.minutes, self.hours)


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which sixty source seconds settle a market, how long before a close a proxy is told of, and what refines the law.

    `vol` "realised" weighs all of the last half hour alike instead of `half_life_s`. `clocks` are by asset: volatility
    is measured and spent by them. `last_minute` lets the volatility of so many prints ahead, where enough of it was
    seen, take the place of any other inside the settlement window. `tails` are those of every law.
    """

    window: Window = Window.BEFORE_CLOSE
    proxy_told_within_ns: Positive = 5 * MINUTE_NS
    vol: Literal["weighted", "realised"] = "weighted"
    clocks: dict[str, Clock] = {}
    last_minute: LastMinuteParams | None = None
    tails: Tails | None = None


class Fairs:
    """Each asset's index and volatility, and the laws made from them at the current instant.

    `spot` holds what spot venues tell besides prices.
    """

    def __init__(
        self,
        params: Params,
        index: IndexParams,
        volatility: VolatilityParams,
        implied: ImpliedParams = ImpliedParams(),  # noqa: B008
        regimes: RegimeParams = RegimeParams(),  # noqa: B008
    ) -> None:
        """Keep the parameters; assets appear with their first print."""
        self._params = params
        self._index_params = index
        self._volatility_params = volatility
        self._regime_params = regimes
        self._measures: dict[tuple[str, str], Measures] = {}
        self._implied_params = implied
        self._clocks = {asset: clock.made() for asset, clock in params.clocks.items()}
        self._laws: dict[tuple[str, int, int], SettlementLaw | LadderFit | None] = {}
        self._laws_at = -1
        self._audited: dict[str, int] = {}
        self._proxies_told: dict[str, int] = {}
        self.index: dict[str, Index] = {}
        self.spot = SpotNews()
        self.regimes: dict[str, RegimeSeen] = {}

    def fold(self, event: IndexPrinted, offset_ns: int) -> bool:
        """Take a print in; `offset_ns` is its source's clock offset. Gives whether the asset's reference is new."""
        index = self.index.get(event.asset)
        if index is None:
            index = self.index[event.asset] = Index(self._index_params)
        self._laws_at = -1
        printed = index.fold(event, offset_ns)
        for source in printed:
            measures = self._measures.get((event.asset, source))
            if measures is None:
                measures = self._measures[event.asset, source] = self._measures_of(event.asset, source)
            measures.update(event.second)
        reference = index.fresh(event.recv_ns)
        if reference is None or reference.source not in printed:
            return False
        self._note_regime(event.asset, reference.source)
        return True

    def audit(self, event: ContractListed) -> CloseAudited | None:
        """Give the audit of the close that a listed contract tells the official value of, once it can be made."""
        contract, index = event.contract, self.index.get(event.contract.asset)
        close_ns = close_of_strike(contract)
        if index is None or close_ns is None or event.recv_ns < close_ns + _AUDIT_AFTER_NS:
            return None
        if self._audited.get(contract.asset, 0) >= close_ns:
            return None
        found = audit_close(contract, index.series, self._params.window)
        if found is not None:
            self._audited[contract.asset] = close_ns
        return found

    def proxies(self, contracts: Iterable[Contract], now_ns: int, offset_ns: int) -> Iterator[Warn]:
        """Give a warning for each event that nears its close on a reference which is not the official index, once.

        `now_ns` is our clock's instant, `offset_ns` how far it is ahead of the market's.
        """
        venue_now_ns = now_ns - offset_ns
        self._proxies_told = {event: close for event, close in self._proxies_told.items() if close > venue_now_ns}
        for contract in contracts:
            event, left_ns = contract.event_ticker, contract.close_ns - venue_now_ns
            if not 0 < left_ns <= self._params.proxy_told_within_ns or event in self._proxies_told:
                continue
            reference = self.reference(contract.asset, now_ns)
            if reference is not None and reference.is_proxy:
                self._proxies_told[event] = contract.close_ns
                yield Warn(
                    text=f"{event}: {left_ns // SECOND_NS} s before its close {contract.asset} is priced by "
                    f"{reference.source}, a proxy for the official index"
                )

    def reference(self, asset: str, now_ns: int) -> Reference | None:
        """Give an asset's reference price when it is fresh at `now_ns` (our clock)."""
        index = self.index.get(asset)
        return None if index is None else index.fresh(now_ns)

    def vol_annual(self, asset: str, source: str) -> float | None:
        """Give the volatility of one source's prints as a fraction a year.

        None while there are too few returns, and beyond `VOL_MAX`: a print was broken, and no price rests on it.
        """
        measures = self._measures.get((asset, source))
        return None if measures is None else measures.vol_annual()

    def known(self, asset: str, close_ns: int, now_ns: int) -> SettlementInputs | None:
        """Give what is known at `now_ns` (our clock) of the mean that settles an asset's markets of one close.

        None while the reference is stale and while there are too few returns to know the volatility. Refined as fair
        values are.
        """
        reference = self.reference(asset, now_ns)
        if reference is None:
            return None
        found = self._inputs(reference, (asset, close_ns), now_ns - reference.offset_ns)
        return found[0] if found is not None and found[1] else None

    def p_fair(
        self, contract: Contract, now_ns: int, offset_ns: int, rungs: Callable[[], Sequence[Rung]] = tuple
    ) -> float | None:
        """Give the probability that a contract pays, None when it cannot be vouched for.

        `offset_ns` is the index source's clock offset: its time is `now_ns` less that. `rungs` gives the two-sided
        markets of the contract's settlement group; it is asked once an instant, and only when they are needed.
        """
        if not contract.is_struck:
            return self._p_unstruck(contract, now_ns, now_ns - offset_ns)
        if self._laws_at != now_ns:
            self._laws.clear()
            self._laws_at = now_ns
        key = (contract.asset, contract.close_ns, offset_ns)
        if key not in self._laws:
            self._laws[key] = self._law(contract.asset, contract.close_ns, now_ns - offset_ns, now_ns, rungs)
        law = self._laws[key]
        if isinstance(law, LadderFit):
            law = law.law(contract.ticker)
        return None if law is None else probability(contract, law)

    def _measures_of(self, asset: str, source: str) -> Measures:
        regimes = self._regime_params
        return Measures(
            self.index[asset].series[source].prints,
            self._volatility_params,
            (regimes, regimes.vol_usual.get(asset)),
            self._clocks.get(asset),
            is_realised=self._params.vol == "realised",
        )

    def _note_regime(self, asset: str, source: str) -> None:
        """Keep the asset's regime by its reference source; while that one does not know, what was known stands."""
        meter = self._measures[asset, source].regime
        if meter.regime is not None:
            self.regimes[asset] = RegimeSeen(asset=asset, source=source, regime=meter.regime, level=meter.level)

    def _p_unstruck(self, contract: Contract, now_ns: int, source_ns: int) -> float | None:
        """Give the fair value of an up/down market whose strike, a mean of prints itself, is not published yet."""
        reference = self.reference(contract.asset, now_ns)
        if contract.comparison is not Comparison.AT_LEAST or reference is None:
            return None
        vol_annual = self.vol_annual(contract.asset, reference.source)
        if vol_annual is None:
            return None
        prints = self.index[contract.asset].series[reference.source].prints
        window = window_state(prints, contract.open_ns, source_ns, self._params.window)
        seen = seen_prints(prints, window.over)
        settles_s = (window_seconds(contract.close_ns, self._params.window).start * SECOND_NS - source_ns) / SECOND_NS
        if seen is None or settles_s < window.first_s + window.left:
            return None
        inputs = UpDownInputs(
            spot=reference.value_e8 / E8_PER_DOLLAR,
            vol_annual=vol_annual,
            first_s=window.first_s,
            left=window.left,
            settles_s=settles_s,
            seen_sum=seen.seen_sum,
            bridge_s=seen.bridge_s,
        )
        clock, tails = self._clocks.get(contract.asset), self._params.tails
        if clock is not None:
            inputs = clock.applied_before_open(inputs, source_ns, contract.close_ns)
        p_up = probability_up(inputs, contract.round_digits)
        return p_up if tails is None else fattened(p_up, tails)

    def _law(
        self, asset: str, close_ns: int, source_ns: int, now_ns: int, rungs: Callable[[], Sequence[Rung]]
    ) -> SettlementLaw | LadderFit | None:
        reference = self.reference(asset, now_ns)
        found = None if reference is None else self._inputs(reference, (asset, close_ns), source_ns)
        if found is None:
            return None
        inputs, has_vol = found
        if has_vol:
            return settlement_law(inputs)
        implied = self._implied_params
        return LadderFit(implied, inputs, rungs()) if implied.strikes_min else None

    def _inputs(
        self, reference: Reference, settles: tuple[str, int], source_ns: int
    ) -> tuple[SettlementInputs, bool] | None:
        """Give what is known of an asset's mean of one close, and whether its volatility is: without, it says 0."""
        asset, close_ns = settles
        prints = self.index[asset].series[reference.source].prints
        params = self._params
        window = window_state(prints, close_ns, source_ns, params.window)
        seen = seen_prints(prints, window.over)
        if seen is None:
            return None
        ending_vol = None
        if params.last_minute is not None and 0 < window.left < WINDOW_SECONDS:
            ending_vol = self._measures[asset, reference.source].ending_vol(window.left, params.last_minute)
        vol_annual = self.vol_annual(asset, reference.source) if ending_vol is None else ending_vol
        inputs = SettlementInputs(
            spot=reference.value_e8 / E8_PER_DOLLAR,
            vol_annual=vol_annual or 0.0,
            first_s=window.first_s,
            left=window.left,
            seen_sum=seen.seen_sum,
            sd_dollars=reference.sd_e8 / E8_PER_DOLLAR,
            bridge_s=seen.bridge_s,
            tails=params.tails,
        )
        clock = self._clocks.get(asset)
        if clock is not None and ending_vol is None:
            inputs = clock.applied(inputs, source_ns, close_ns)
        return inputs, vol_annual is not None
