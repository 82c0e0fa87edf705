"""What a price costs: one strike, a hundred, ten thousand, a whole ladder, and the long sums of the worker.

`python -m bench.pricing` measures this alone.

Beside ours, on the same strikes: SciPy's normal law called for each strike, its vectorised function called for each
strike, vollib (py_vollib by its new name) called for each strike and, where Numba is installed, a bare compiled loop.
Where vollib is not installed a stand-in does what it does: NumPy's functions on single numbers, then one of SciPy's.
"""

import importlib.util
import math
import random
import sys
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from scipy.special import erfc, ndtr
from scipy.stats import norm

from bench import alone
from bench.measuring import Case, Figure, Progress, Scale, each_ns, figures, processor_ns, take
from fairstrike.core.contract import Comparison, Contract
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side
from fairstrike.pricing.computations import Offer
from fairstrike.pricing.digital import digital_above, digitals_above
from fairstrike.pricing.distribution import band_of, fitted, ladder_of, model_weights, prices, reservation_prices
from fairstrike.pricing.settlement import SettlementInputs, probabilities_above, probability_above, settlement_law
from fairstrike.research import arrays
from fairstrike.worker.arbitrage import RisklessPortfolio

ONE = "a price, one strike (processor time)"
MANY = "a price, {} strikes (processor time)"
LADDER = "a ladder (processor time)"
PROGRAMME = "linear programme, 200 thresholds and 201 ranges, three levels (processor time)"
SPOT, VOL, YEARS = 80_000.0, 0.5, 1.0 / 8_760
KNOWN = SettlementInputs(spot=SPOT, vol_annual=VOL, first_s=3_540.0, left=60)
_CASH_UD = 10**12
_REPEATS = 2_000


def measure(scale: Scale, progress: Progress) -> list[Figure]:
    """Give the figures of pricing."""
    repeats = max(scale.ticks * _REPEATS // 1_000, 1)
    found = _one(scale, progress, repeats)
    for count in (100, 10_000):
        found += _many(count, scale, progress, max(repeats * 10 // count, 1))
    return found + _ladder(scale, progress, max(repeats // 20, 1)) + _programme(scale, progress, max(repeats // 100, 1))


def repeated(work: Callable[[], object], times: int, units: int = 1) -> Case:
    """Give a case that does `work` so often; one unit is a share of it."""

    def case() -> float:
        began = processor_ns()
        for _ in range(times):
            work()
        return each_ns(began, times * units)

    return case


def _d2(strike: float) -> float:
    sd = VOL * math.sqrt(YEARS)
    return math.log(SPOT / strike) / sd - 0.5 * sd


def library() -> tuple[str, Callable[[float], float]]:
    """Give an option library's name and its N(d2) by strike: vollib's, or a stand-in's where it is not installed."""
    if importlib.util.find_spec("vollib") is None:
        return "stand-in for vollib: NumPy, SciPy's erfc", _stand_in
    from vollib.lets_be_rational import norm_cdf  # type: ignore[import-not-found,import-untyped,unused-ignore]
    from vollib.ref_python.black_scholes import d2  # type: ignore[import-not-found,import-untyped,unused-ignore]

    return "vollib: norm_cdf(d2(...))", lambda strike: float(norm_cdf(d2(SPOT, strike, YEARS, 0.0, VOL)))


def _stand_in(strike: float) -> float:
    sd = VOL * np.sqrt(YEARS)
    d1 = (np.log(np.float64(SPOT) / np.float64(strike)) + 0.5 * VOL * VOL * YEARS) / sd
    return float(0.5 * erfc((sd - d1) * math.sqrt(0.5)))


def _one(scale: Scale, progress: Progress, times: int) -> list[Figure]:
    law, strike = settlement_law(KNOWN), 80_100.0
    one = np.array([strike])
    name, by_library = library()
    assert abs(by_library(strike) - digital_above(SPOT, strike, VOL, YEARS)) < 1e-12, "the same price"
    assert abs(digital_above(SPOT, strike, VOL, YEARS) - float(norm.cdf(_d2(strike)))) < 1e-12, "the same price"
    scipy_one = "scipy.stats.norm.cdf"
    cases: dict[str, Case] = {
        scipy_one: repeated(lambda: norm.cdf(_d2(strike)), max(times // 20, 1)),
        "scipy.special.ndtr": repeated(lambda: ndtr(_d2(strike)), times),
        name: repeated(lambda: by_library(strike), times),
        "point digital": repeated(lambda: digital_above(SPOT, strike, VOL, YEARS), times),
        "settlement mean, its law made": repeated(lambda: probability_above(law, strike), times),
        "settlement mean, law and price": repeated(lambda: probability_above(settlement_law(KNOWN), strike), times),
        "array of one": repeated(lambda: arrays.digital_above(SPOT, one, VOL, YEARS), times),
    }
    against = dict.fromkeys([name for name in cases if name != scipy_one], scipy_one)
    return figures(ONE, take(cases, scale.rounds, progress, "prices"), "ns", against)


def _many(count: int, scale: Scale, progress: Progress, times: int) -> list[Figure]:
    strikes = [SPOT * (0.95 + 0.1 * at / count) for at in range(count)]
    array, law = np.array(strikes), settlement_law(KNOWN)
    assert np.allclose(arrays.digital_above(SPOT, array, VOL, YEARS), digitals_above(SPOT, strikes, VOL, YEARS))
    each = "scipy.special.ndtr for each strike"
    name, by_library = library()
    cases: dict[str, Case] = {
        each: repeated(lambda: [ndtr(_d2(strike)) for strike in strikes], max(times // 10, 1), count),
        name: repeated(lambda: [by_library(strike) for strike in strikes], max(times // 10, 1), count),
        "point digital, lists": repeated(lambda: digitals_above(SPOT, strikes, VOL, YEARS), times, count),
        "settlement mean, lists": repeated(lambda: probabilities_above(law, strikes), times, count),
        "point digital, arrays": repeated(lambda: arrays.digital_above(SPOT, array, VOL, YEARS), times, count),
        "settlement mean, arrays": repeated(lambda: arrays.probability_above(law, array), times, count),
    }
    reference, loop = each, compiled_loop()
    if loop is not None:
        reference = "Numba, a bare loop"
        assert np.allclose(loop(SPOT, array, VOL * math.sqrt(YEARS)), arrays.digital_above(SPOT, array, VOL, YEARS))
        cases[reference] = repeated(lambda: loop(SPOT, array, VOL * math.sqrt(YEARS)), times, count)
    taken = take(cases, scale.rounds, progress, f"{count} strikes")
    against = dict.fromkeys([name for name in cases if name != reference], reference)
    return figures(MANY.format(f"{count:,}"), taken, "ns", against)


def compiled_loop() -> Callable[[float, arrays.Array, float], arrays.Array] | None:
    """Give the point digital as a loop that Numba compiled, None where Numba is not installed."""
    if importlib.util.find_spec("numba") is None:
        return None
    import numba  # type: ignore[import-not-found,import-untyped,unused-ignore]

    def loop(spot: float, strikes: arrays.Array, sd: float) -> arrays.Array:
        found = np.empty(strikes.size)
        for at in range(strikes.size):
            found[at] = 0.5 * math.erfc((0.5 * sd - math.log(spot / strikes[at]) / sd) * 0.7071067811865476)
        return found

    compiled: Callable[[float, arrays.Array, float], arrays.Array] = numba.njit(loop)
    compiled(SPOT, np.array([SPOT]), 0.01)
    return compiled


def _contract(ticker: str, kind: Comparison, floor: float | None, cap: float | None = None) -> Contract:
    return Contract(
        ticker=ticker,
        event_ticker="E",
        series="S",
        asset="BTC",
        comparison=kind,
        open_ns=0,
        close_ns=3_600 * 10**9,
        floor_e8=None if floor is None else round(floor * 10**8),
        cap_e8=None if cap is None else round(cap * 10**8),
    )


THRESHOLDS = [_contract(f"T{at}", Comparison.ABOVE, 75_000 + 50 * at - 0.01) for at in range(200)]
RANGES = [
    _contract("low", Comparison.BELOW, None, 75_000.0),
    *(_contract(f"B{at}", Comparison.BETWEEN, 75_000 + 50 * at, 75_000 + 50 * at + 49.99) for at in range(199)),
    _contract("high", Comparison.ABOVE, 84_949.99),
]


def _ladder(scale: Scale, progress: Progress, times: int) -> list[Figure]:
    law, small, whole = settlement_law(KNOWN), ladder_of(THRESHOLDS), ladder_of([*THRESHOLDS, *RANGES])
    held = {f"T{at}": float(at % 7 - 3) for at in range(90, 110)}

    def live() -> object:
        return reservation_prices(small, model_weights(small, law), held, 0.01)

    prior, schedule = model_weights(whole, law), FeeSchedule()
    bands = {ticker: band_of(*_quote(p, at), schedule) for at, (ticker, p) in enumerate(prices(whole, prior).items())}
    other = model_weights(whole, settlement_law(msgspec.structs.replace(KNOWN, spot=80_030.0, vol_annual=0.6)))
    fit = fitted(whole, bands, other)
    assert fit.slack == 0.0, "the quotes contradict nothing"
    cases: dict[str, Case] = {
        "200 prices of the settlement law": repeated(lambda: probabilities_above(law, small.edges), times),
        "200 strikes: distribution, reservation prices": repeated(live, times),
        "distribution fitted to the quotes of 401 markets": repeated(
            lambda: fitted(whole, bands, other), max(times // 10, 1)
        ),
    }
    taken = take(cases, scale.rounds, progress, "a ladder")
    return figures(LADDER, {name: [run / 1e3 for run in runs] for name, runs in taken.items()}, "us", {})


def _quote(p: float, at: int) -> tuple[int | None, int | None]:
    """Give a bid and ask in whole cents around a probability."""
    bid, ask = int(p * 100 - 0.5 - at % 2) * 100, int(p * 100 + 1.5 + at % 2) * 100
    return bid if bid > 0 else None, ask if ask < 10_000 else None


def _offers(seed: int) -> list[Offer]:
    dice, ladder = random.Random(seed), ladder_of([*THRESHOLDS, *RANGES])
    found: list[Offer] = []
    for at, (ticker, p) in enumerate(prices(ladder, model_weights(ladder, settlement_law(KNOWN))).items()):
        bid, ask = _quote(p, at)
        for level in range(3):
            size_cc = dice.randint(1, 500) * 100
            if ask is not None and ask + 100 * level < 10_000:
                found.append(Offer(ticker=ticker, side=Side.BID, price_ticks=ask + 100 * level, size_cc=size_cc))
            if bid is not None and bid - 100 * level > 0:
                found.append(Offer(ticker=ticker, side=Side.ASK, price_ticks=bid - 100 * level, size_cc=size_cc))
    return found


def _programme(scale: Scale, progress: Progress, times: int) -> list[Figure]:
    ladder, offers = ladder_of([*THRESHOLDS, *RANGES]), _offers(7)
    schedules = dict.fromkeys(ladder.spans, FeeSchedule())
    warm = RisklessPortfolio(ladder)
    warm.solve(offers, schedules, _CASH_UD)
    turn = [0]

    def again() -> object:
        turn[0] += 1
        return warm.solve(_moved(offers, turn[0]), schedules, _CASH_UD)

    cases: dict[str, Case] = {
        "from nothing": repeated(lambda: RisklessPortfolio(ladder).solve(offers, schedules, _CASH_UD), times),
        "again, ten levels moved": repeated(again, times * 10),
    }
    taken = take(cases, scale.rounds, progress, "the linear programme")
    in_ms = {name: [run / 1e6 for run in runs] for name, runs in taken.items()}
    return figures(PROGRAMME, in_ms, "ms", {"again, ten levels moved": "from nothing"})


def _moved(offers: Sequence[Offer], turn: int) -> list[Offer]:
    """Give the offers with ten of them a cent away and other sizes."""
    found = list(offers)
    for step in range(10):
        at = (turn * 131 + step * 17) % len(found)
        price = found[at].price_ticks + (100 if found[at].side is Side.BID else -100)
        if 0 < price < 10_000:
            found[at] = msgspec.structs.replace(found[at], price_ticks=price, size_cc=found[at].size_cc + 100 * turn)
    return found


if __name__ == "__main__":
    sys.exit(alone.run("bench.pricing", __doc__, "none, one spot price and its strikes", measure))
