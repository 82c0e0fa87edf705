"""Any number at every public function of pricing, sizing and fees: a number comes back, or a refusal; never NaN.

One table says how each function is called; numbers come from the whole line, and often enough from where they make
sense for a call to get through. A public function that is not in the table is an error.
"""

import importlib
import inspect
import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import ModuleType

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairstrike.core import fees
from fairstrike.core.contract import Comparison, Contract
from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side
from fairstrike.market.ladder import Rung
from fairstrike.pricing import (
    coherence,
    computations,
    decided,
    digital,
    distribution,
    diurnal,
    estimators,
    implied,
    last_minute,
    learned,
    regimes,
    reservation,
    settlement,
    tails,
    updown,
    volatility,
)
from fairstrike.strategy import caution, sizing

WILD = st.floats() | st.sampled_from(
    (math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, -5e-324, 1e-300, 1e308, -1e308, 1.0, -1.0, 1e16)
)
WILD_INT = st.integers(-(2**63), 2**63) | st.sampled_from((0, 1, -1, 60, 10_000))
FOREST = (Path(__file__).parents[1] / "unit/pricing/boosted/regression.txt").read_text("utf-8")


class Numbers:
    """Draws arguments: at times those given as making sense, at times any."""

    def __init__(self, draw: Callable[[st.SearchStrategy[object]], object]) -> None:
        self._draw = draw
        self.is_tame = self.one(True, True, False)

    def real(self, *sane: float) -> float:
        found = self._draw(st.sampled_from(sane) if self.is_tame or self.one(True, False) else WILD)
        assert isinstance(found, float)
        return found

    def whole(self, *sane: int) -> int:
        found = self._draw(st.sampled_from(sane) if self.is_tame or self.one(True, False) else WILD_INT)
        assert isinstance(found, int)
        return found

    def one(self, *choices: bool) -> bool:
        return bool(self._draw(st.sampled_from(choices)))

    def reals(self, *sane: float, count: int = 5) -> list[float]:
        return [self.real(*sane) for _ in range(self.whole(count) if self.is_tame else count)]

    def tails(self) -> tails.Tails:
        if self.one(True, False):
            return tails.StudentTails(freedom=self.real(4.0, 2.1))
        return tails.MixtureTails(weight=self.real(0.05, 0.0, 1.0), ratio=self.real(4.0, 1.0))

    def contract(self) -> Contract:
        comparison = Comparison.BETWEEN if self.one(True, False) else Comparison.AT_LEAST
        return Contract(
            ticker="T",
            event_ticker="E",
            series="KXBTC",
            asset="BTC",
            comparison=comparison,
            open_ns=0,
            close_ns=10**12,
            floor_e8=self.whole(8 * 10**12),
            cap_e8=self.whole(9 * 10**12) if comparison is Comparison.BETWEEN else None,
            round_digits=2 if self.one(True, False) else None,
        )

    def inputs(self) -> settlement.SettlementInputs:
        left = self.whole(60, 20, 0)
        return settlement.SettlementInputs(
            spot=self.real(80_000.0),
            vol_annual=self.real(0.5, 0.0),
            first_s=self.real(0.4, 900.0),
            left=left,
            seen_sum=self.real((60 - min(max(left, 0), 60)) * 80_000.0),
            sd_dollars=self.real(0.0, 5.3),
            bridge_s=self.real(0.0, 2.0),
            tails=self.tails() if self.one(True, False) else None,
        )

    def law(self) -> settlement.SettlementLaw:
        return settlement.settlement_law(self.inputs())

    def up_down(self) -> updown.UpDownInputs:
        left = self.whole(60, 20)
        return updown.UpDownInputs(
            spot=self.real(80_000.0),
            vol_annual=self.real(0.5, 0.0),
            first_s=self.real(0.4, 10.0),
            left=left,
            settles_s=self.real(1_000.0),
            seen_sum=self.real((60 - min(max(left, 0), 60)) * 80_000.0),
        )

    def ladder(self) -> distribution.Ladder:
        return distribution.ladder_of([msgspec.structs.replace(self.contract(), ticker=name) for name in "ABC"])

    def weights(self, ladder: distribution.Ladder) -> list[float]:
        states = len(ladder.edges) + 1
        return [self.real(1.0 / states, 0.0) for _ in range(states)]

    def prints(self, count: int = 40) -> dict[int, int]:
        return {second: self.whole(8 * 10**12, 8 * 10**12 + 10**9) for second in range(count)}

    def schedule(self) -> FeeSchedule:
        return FeeSchedule(maker_ppm=self.whole(0, 17_500) if self.is_tame else 17_500)

    def clock(self) -> diurnal.VarianceClock:
        return diurnal.VarianceClock([self.real(1.0, 4.0), *[1.0] * 59])

    def price(self) -> tuple[FeeSchedule, int, int]:
        return self.schedule(), self.whole(5_000, 9_900), self.whole(100, 20_000)


def forecast(numbers: Numbers) -> list[float]:
    """Both kinds of learned models, and the numbers of their own files."""
    model = learned.Logistic(
        features=("move", "flow"),
        coefficients=(numbers.real(0.8), numbers.real(-0.5)),
        means=(numbers.real(0.1), 0.0),
        scales=(numbers.real(2.0), numbers.real(1.0)),
        intercept=numbers.real(0.05),
        damping=learned.Damping(shrinkage=1.0, low=0.0, high=1.0),
    )
    features = {name: numbers.real(0.4, 1.0) for name in ("move", "vol", "flow", "hour")}
    forest = learned.forest_of(FOREST)
    boosted = learned.Boosted(trees="", mean=0.2, shrinkage=0.5)
    return [model.raw(features), model.predict(features), boosted.predict(forest, features)]


def metered(numbers: Numbers) -> object:
    """A regime meter and an average over prints in any order."""
    meter, ewma = regimes.RegimeMeter(regimes.Params(returns_min=3, step_s=1), 0.5), volatility.Ewma(FEW)
    for second, value_e8 in numbers.prints().items():
        at = numbers.whole(second)
        meter.update(at, value_e8)
        ewma.update(at, value_e8)
    return [ewma.vol_annual(), meter.regime, meter.level]


def learned_clock(numbers: Numbers) -> object:
    """A variance clock's estimator."""
    estimator = diurnal.ClockEstimator(diurnal.Params())
    for second in range(5):
        estimator.update(second * 60, numbers.whole(60, 1), numbers.real(1e-4))
    return [*estimator.clock().minutes, *estimator.clock().hours]


def fitted(numbers: Numbers) -> object:
    """A distribution fitted to bands."""
    ladder = numbers.ladder()
    bands = {name: distribution.Band(low=numbers.real(0.2), high=numbers.real(0.6)) for name in "ABC"}
    return distribution.fitted(ladder, bands, numbers.weights(ladder))


def joint(numbers: Numbers) -> object:
    """Joint Kelly over two states."""
    claims = [sizing.Claim(cost=numbers.real(0.4, 0.6), payoff=(numbers.real(1.0), numbers.real(0.0))) for _ in "ab"]
    return sizing.joint_kelly((numbers.real(0.5), numbers.real(0.5)), claims)


def ladder_fit(numbers: Numbers) -> object:
    """A volatility of a ladder's own prices."""
    params = implied.Params(strikes_min=2, vol_prior=abs(numbers.real(0.4)) or 0.4, vol_prior_log_sd=0.7)
    rungs = [
        Rung(contract=msgspec.structs.replace(numbers.contract(), ticker=name), bid_ticks=4_000, ask_ticks=4_400)
        for name in "ABC"
    ]
    fit = implied.LadderFit(params, numbers.inputs(), rungs)
    law = fit.law("A")
    return [fit.vol_annual("A"), None if law is None else settlement.probability(rungs[0].contract, law)]


FEW = volatility.Params(returns_min=3, window_s=30)
OF_INTEGERS = {
    coherence.violations,
    coherence.parts_everything,
    settlement.pays,
    computations.encoded,
    computations.leg_gains_ud,
    computations.gains_ud,
    distribution.ladder_of,
    learned.model_of,
    learned.forest_of,
    regimes.level_of,
}
"""Functions that are given no float, text that has a fuzz of its own, or what the table calls through another."""

CALLS: dict[Callable[..., object], Callable[[Numbers], object]] = {
    digital.normal_cdf: lambda n: digital.normal_cdf(n.real(1.0)),
    digital.normal_density: lambda n: digital.normal_density(n.real(1.0)),
    digital.log_sd: lambda n: digital.log_sd(n.real(8e4), n.real(0.5), n.real(0.01)),
    digital.digitals_above: lambda n: digital.digitals_above(n.real(8e4), n.reals(8e4, 7e4), n.real(0.5), n.real(0.01)),
    digital.digital_above: lambda n: digital.digital_above(n.real(8e4), n.real(8e4, 7e4), n.real(0.5), n.real(0.01)),
    digital.digital_greeks: lambda n: digital.digital_greeks(n.real(8e4), n.real(8e4, 7e4), n.real(0.5), n.real(0.01)),
    digital.hours_to_years: lambda n: digital.hours_to_years(n.real(6.0)),
    digital.binary_call_price: lambda n: digital.binary_call_price(n.real(8e4), n.real(7e4), n.real(0.5), n.real(0.1)),
    digital.binary_put_price: lambda n: digital.binary_put_price(n.real(8e4), n.real(7e4), n.real(0.5), n.real(0.1)),
    digital.calculate_fair_value: lambda n: digital.calculate_fair_value(
        n.real(8e4), n.real(7e4), n.real(0.5), n.real(6.0), "range", n.real(9e4)
    ),
    settlement.variance_multiplier: lambda n: settlement.variance_multiplier(n.real(900.0), n.whole(60, 0)),
    settlement.settlement_law: lambda n: n.law(),
    settlement.probabilities_above: lambda n: settlement.probabilities_above(n.law(), n.reals(8e4, 7e4)),
    settlement.probability_above: lambda n: settlement.probability_above(n.law(), n.real(8e4)),
    digital.expit: lambda n: digital.expit(n.real(0.3, -2.0)),
    settlement.slope_above: lambda n: settlement.slope_above(n.law(), n.real(8e4)),
    settlement.probability_within: lambda n: settlement.probability_within(
        n.law(), settlement.PayoffInterval(low=n.real(7e4), high=n.real(9e4))
    ),
    settlement.probability: lambda n: settlement.probability(n.contract(), n.law()),
    settlement.payoff_interval: lambda n: settlement.payoff_interval(n.contract()),
    settlement.seen_prints: lambda n: settlement.seen_prints(n.prints(), range(n.whole(0, 30, -5) % 40, 45)),
    updown.difference: lambda n: updown.difference(n.up_down()),
    updown.probability_up: lambda n: updown.probability_up(n.up_down(), n.whole(2, 0)),
    decided.required_mean: lambda n: decided.required_mean(n.inputs(), n.real(8e4)),
    decided.decided: lambda n: decided.decided(n.contract(), n.inputs(), n.real(0.01)),
    reservation.reservation_price: lambda n: reservation.reservation_price(n.real(0.5), n.real(10.0), n.real(0.01)),
    reservation.indifference_bid: lambda n: reservation.indifference_bid(
        n.real(0.5, 0.0), n.real(10.0), n.real(0.01), n.real(1.0)
    ),
    reservation.indifference_ask: lambda n: reservation.indifference_ask(
        n.real(0.5, 1.0), n.real(10.0), n.real(0.01), n.real(1.0)
    ),
    reservation.half_spread: lambda n: reservation.half_spread(n.real(0.01, 0.0), n.real(50.0)),
    reservation.stale_quote_cost: lambda n: reservation.stale_quote_cost(n.real(1e-4), n.real(5.0), n.real(0.2)),
    distribution.gap_states: lambda n: distribution.gap_states(n.ladder(), n.real(0.01)),
    distribution.model_weights: lambda n: distribution.model_weights(n.ladder(), n.law()),
    distribution.prices: lambda n: distribution.prices(ladder := n.ladder(), n.weights(ladder)),
    distribution.payoffs: lambda n: distribution.payoffs(n.ladder(), {"A": n.real(10.0), "B": n.real(-5.0)}),
    distribution.tilted: lambda n: distribution.tilted(n.reals(0.2), n.reals(1.0, -3.0), n.real(0.1, 0.0)),
    distribution.reservation_prices: lambda n: distribution.reservation_prices(
        ladder := n.ladder(), n.weights(ladder), {"A": n.real(10.0), "C": n.real(-5.0)}, n.real(0.1)
    ),
    distribution.band_of: lambda n: distribution.band_of(n.whole(4_000, 0), n.whole(4_200, 10_000), n.schedule()),
    distribution.fitted: fitted,
    estimators.log_returns: lambda n: estimators.log_returns(n.reals(8e4, 8.1e4)),
    estimators.annualised: lambda n: estimators.annualised(n.real(1e-6, 0.0), n.real(900.0)),
    estimators.realised_variance: lambda n: estimators.realised_variance(n.reals(1e-4, -2e-4)),
    estimators.bipower_variance: lambda n: estimators.bipower_variance(n.reals(1e-4, -2e-4)),
    estimators.median_variance: lambda n: estimators.median_variance(n.reals(1e-4, -2e-4)),
    estimators.two_scale_variance: lambda n: estimators.two_scale_variance(n.reals(1e-4, -2e-4), n.whole(2, 3)),
    estimators.noise_variance: lambda n: estimators.noise_variance(n.reals(1e-4, -2e-4)),
    estimators.lag_corrected_variance: lambda n: estimators.lag_corrected_variance(n.reals(1e-4, -2e-4), n.whole(1, 3)),
    estimators.autocorrelation: lambda n: estimators.autocorrelation(n.reals(1e-4, -2e-4), n.whole(1, 3)),
    estimators.smoothing_loss: lambda n: estimators.smoothing_loss(n.real(0.3)),
    volatility.realised_vol: lambda n: volatility.realised_vol(n.prints(), n.whole(39), FEW),
    volatility.returns_missing: lambda n: volatility.returns_missing(n.prints(), n.whole(39), FEW),
    last_minute.brownian_seconds: lambda n: last_minute.brownian_seconds(n.whole(20)),
    last_minute.last_minute_vol: lambda n: last_minute.last_minute_vol(
        n.prints(), n.whole(39), n.whole(3), last_minute.Params(stretches_min=1, window_s=40)
    ),
    regimes.judged: lambda n: regimes.judged(n.reals(1e-4, -2e-4), regimes.Params(returns_min=3)),
    tails.tail: lambda n: tails.tail(n.real(1.0), n.tails()),
    tails.fattened: lambda n: tails.fattened(n.real(0.3), n.tails()),
    tails.density: lambda n: tails.density(n.real(1.0), n.tails()),
    learned.bracket: lambda n: learned.bracket(n.real(0.5), n.real(1e-3), n.real(-1e-3), n.real(1e-3), n.tails()),
    sizing.kelly_fraction: lambda n: sizing.kelly_fraction(n.real(0.6, 0.0, 1.0), n.real(0.5)),
    sizing.growth: lambda n: -math.exp(sizing.growth(n.real(0.6, 0.0, 1.0), n.real(0.5), n.real(0.1, 1.0))),
    sizing.cost_of: lambda n: sizing.cost_of(n.schedule(), Side.BID, n.whole(5_000), is_maker=n.one(True, False)),
    sizing.kelly_size_cc: lambda n: sizing.kelly_size_cc(n.real(0.6), n.real(0.5), n.whole(10**9), n.real(0.5)),
    sizing.joint_kelly: joint,
    fees.trade_fee_ud: lambda n: fees.trade_fee_ud(*n.price(), is_maker=n.one(True, False)),
    fees.rounded_fee_ud: lambda n: fees.rounded_fee_ud(*n.price(), n.whole(1, 100), is_maker=n.one(True, False)),
    fees.fill_fee: lambda n: fees.fill_fee(*n.price(), is_maker=True, is_bid=n.one(True, False), carry_ud=n.whole(50)),
    fees.order_fees: lambda n: fees.order_fees(n.schedule(), [(n.whole(5_000), n.whole(100), False)], is_bid=True),
    fees.break_even_ppm: lambda n: fees.break_even_ppm(*n.price(), is_maker=n.one(True, False)),
    fees.least_spread_ticks: lambda n: fees.least_spread_ticks(*n.price(), is_maker=False, step_ticks=n.whole(100)),
    fees.efficient_size_cc: lambda n: fees.efficient_size_cc(
        n.schedule(), n.whole(5_000), min(n.whole(400), 10_000), is_maker=False
    ),
    fees.calculate_fee: lambda n: fees.calculate_fee(n.real(100.0), n.real(0.95), n.one(True, False)),
    fees.calculate_net_profit: lambda n: fees.calculate_net_profit(n.real(0.4), n.real(0.5), n.real(100.0)),
    fees.min_profitable_spread: lambda n: fees.min_profitable_spread(n.real(0.5), n.real(100.0)),
}
CLASSES: dict[str, Callable[[Numbers], object]] = {
    "learned.Logistic, learned.Forest": forecast,
    "regimes.RegimeMeter, volatility.Ewma": metered,
    "diurnal.ClockEstimator": learned_clock,
    "diurnal.VarianceClock.applied": lambda n: n.clock().applied(n.inputs(), n.whole(0), n.whole(10**12)),
    "diurnal.VarianceClock.applied_before_open": lambda n: n.clock().applied_before_open(
        n.up_down(), 0, n.whole(10**12)
    ),
    "implied.LadderFit": ladder_fit,
    "learned.Damping": lambda n: learned.Damping(shrinkage=0.3, low=n.real(0.35), high=n.real(0.65))(n.real(0.7)),
    "sizing.Ramp": lambda n: sizing.Ramp().multiple(n.real(0.08, 0.0)),
    "regimes.level_of": lambda n: regimes.level_of(n.real(0.5), n.real(0.4), regimes.Params()).value,
    "caution.Multipliers": lambda n: caution.Multipliers(size=0.7, least_edge=1.25).size_of(n.whole(1_000)),
}
TABLE = {f"{call.__module__.rpartition('.')[2]}.{call.__name__}": how for call, how in CALLS.items()} | CLASSES


@pytest.mark.parametrize("name", TABLE)
def test_any_number_gives_a_number_or_a_refusal(name: str) -> None:
    answered = 0

    @settings(max_examples=60, deadline=None)
    @given(st.data())
    def run(data: st.DataObject) -> None:
        nonlocal answered
        try:
            found = TABLE[name](Numbers(data.draw))
        except ArithmeticRefusal:
            return
        answered += 1
        assert all(map(math.isfinite, numbers_in(found))), found

    run()
    assert answered, "nothing but refusals tests nothing"


def test_every_public_function_is_in_the_table() -> None:
    modules = [fees, sizing, *(module for module in pricing_modules())]
    public = {
        function
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    }
    assert public == CALLS.keys() | OF_INTEGERS


def pricing_modules() -> Iterator[ModuleType]:
    folder = Path(inspect.getfile(digital)).parent
    for path in sorted(folder.glob("*.py")):
        if path.stem != "__init__":
            yield importlib.import_module(f"fairstrike.pricing.{path.stem}")


def numbers_in(found: object) -> Iterator[float]:
    """Every number of an answer, however deep."""
    match found:
        case None | bool() | str() | Enum():
            return
        case float() | int() | Decimal():
            yield float(found)
        case msgspec.Struct():
            for name in found.__struct_fields__:
                yield from numbers_in(getattr(found, name))
        case dict():
            yield from (number for one in found.values() for number in numbers_in(one))
        case list() | tuple():
            yield from (number for one in found for number in numbers_in(one))
        case _:
            raise AssertionError(f"{type(found).__name__} holds no numbers")
