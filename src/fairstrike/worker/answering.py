"""Which sum is behind each kind: inputs in, result out, as bytes. Pure; the process around it is `__main__`."""

from typing import TYPE_CHECKING

import msgspec

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.pricing.computations import (
    ARBITRAGE,
    DISTRIBUTION,
    ArbitrageInputs,
    DistributionFitted,
    DistributionInputs,
    Riskless,
    encoded,
)
from fairstrike.pricing.distribution import band_of, fitted, ladder_of, model_weights
from fairstrike.pricing.settlement import settlement_law

if TYPE_CHECKING:
    from fairstrike.worker.arbitrage import RisklessPortfolio

_PROGRAMMES_MAX = 8


class Answers:
    """Does what is asked. Keeps the linear programmes of the ladders asked of last, to solve them again from there."""

    def __init__(self) -> None:
        """Start with no programme; nothing heavy is imported before it is needed."""
        self._arbitrage = _Arbitrage()

    def __call__(self, kind: str, inputs: bytes) -> bytes:
        """Give the result of one computation.

        Raises `ArithmeticRefusal` for a kind that is unknown, inputs that cannot be read, and what the sum refuses.
        """
        try:
            if kind == ARBITRAGE:
                return encoded(self._arbitrage(msgspec.msgpack.decode(inputs, type=ArbitrageInputs)))
            if kind == DISTRIBUTION:
                return encoded(distribution(msgspec.msgpack.decode(inputs, type=DistributionInputs)))
        except msgspec.MsgspecError as error:
            raise ArithmeticRefusal(
                f"the inputs of {kind!r} cannot be read ({error}); encode them as its type"
            ) from error
        raise ArithmeticRefusal(f"there is no computation {kind!r}; ask for {ARBITRAGE!r} or {DISTRIBUTION!r}")


def distribution(inputs: DistributionInputs) -> DistributionFitted:
    """Give the distribution nearest to the model's that a group's quotes allow."""
    ladder = ladder_of(inputs.contracts)
    bands = {
        ticker: band_of(bid, ask, inputs.schedules[ticker])
        for ticker, (bid, ask) in inputs.quotes.items()
        if ticker in ladder.spans and ticker in inputs.schedules
    }
    prior = model_weights(ladder, settlement_law(inputs.known))
    return DistributionFitted(ladder=ladder, prior=tuple(prior), fit=fitted(ladder, bands, prior))


class _Arbitrage:
    def __init__(self) -> None:
        self._programmes: dict[tuple[object, ...], RisklessPortfolio] = {}

    def __call__(self, inputs: ArbitrageInputs) -> Riskless:
        # HiGHS and NumPy take a tenth of a second to import; a worker that only fits is spared it.
        from fairstrike.worker.arbitrage import RisklessPortfolio, levels_of

        ladder, levels = ladder_of(inputs.contracts), levels_of(inputs.offers)
        key = (ladder.edges, tuple(ladder.spans.items()), levels, inputs.counts_gaps)
        programme = self._programmes.pop(key, None)
        if programme is None:
            programme = RisklessPortfolio(ladder, levels, counts_gaps=inputs.counts_gaps)
        self._programmes[key] = programme
        if len(self._programmes) > _PROGRAMMES_MAX:
            del self._programmes[next(iter(self._programmes))]
        return programme.solve(inputs.offers, inputs.schedules, inputs.cash_ud)
