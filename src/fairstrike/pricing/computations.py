"""The long sums that a worker does, as words: what `StartComputation` carries in and `ComputationDone` brings back.

    arbitrage      the portfolio of offers whose worst outcome gains most
    distribution   the distribution fitted to a settlement group's quotes

Both travel as msgpack. Who asks encodes the inputs (`encoded`) and decodes the result; who computes is elsewhere, in a
process of its own.
"""

from collections.abc import Sequence

import msgspec

from fairstrike.core.contract import Contract
from fairstrike.core.fees import FeeSchedule, fill_fee
from fairstrike.core.order import Side
from fairstrike.core.units import TICKS_PER_DOLLAR
from fairstrike.pricing.distribution import Fit, Ladder
from fairstrike.pricing.settlement import SettlementInputs

ARBITRAGE, DISTRIBUTION = "arbitrage", "distribution"


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What can be had of a market: a bid buys what is asked, an ask sells to who bids; YES ticks, at most so much."""

    ticker: str
    side: Side
    price_ticks: int
    size_cc: int


class ArbitrageInputs(msgspec.Struct, frozen=True, kw_only=True):
    """Offers on the markets of one settlement group. `schedules` by ticker; `cash_ud` bounds what the legs may bind.

    `counts_gaps`: the cent between a range's cap and the next floor must not lose either.
    """

    contracts: tuple[Contract, ...]
    offers: tuple[Offer, ...]
    schedules: dict[str, FeeSchedule]
    cash_ud: int
    counts_gaps: bool = True


class Riskless(msgspec.Struct, frozen=True, kw_only=True):
    """The best portfolio in whole contracts, no legs when none gains.

    `gains_ud` are exact, by state, fees rounded as the venue rounds them; `worst_ud` is the least of those counted,
    `worst_gap_ud` the least in the states between two cents. `bound` is the most dollars any portfolio of whole
    contracts of these offers can gain for certain, and `state_prices` prove it: at them no offer but those of `bound`
    is worth its price.
    """

    legs: tuple[Offer, ...]
    gains_ud: tuple[int, ...]
    worst_ud: int
    worst_gap_ud: int | None
    bound: float
    state_prices: tuple[float, ...]


class DistributionInputs(msgspec.Struct, frozen=True, kw_only=True):
    """Best prices (bid, ask; YES ticks, None without) and schedules by ticker, and what is known of the mean."""

    contracts: tuple[Contract, ...]
    quotes: dict[str, tuple[int | None, int | None]]
    schedules: dict[str, FeeSchedule]
    known: SettlementInputs


class DistributionFitted(msgspec.Struct, frozen=True, kw_only=True):
    """The ladder's states, their weights by the model, and those fitted to the quotes."""

    ladder: Ladder
    prior: tuple[float, ...]
    fit: Fit


def encoded(body: msgspec.Struct) -> bytes:
    """Give inputs or a result as msgpack."""
    return msgspec.msgpack.encode(body)


def leg_gains_ud(leg: Offer, schedule: FeeSchedule) -> tuple[int, int]:
    """Give what a leg taken whole gains, in microdollars, in states where its market pays and where it does not."""
    is_bid = leg.side is Side.BID
    fee_ud = fill_fee(schedule, leg.price_ticks, leg.size_cc, is_maker=False, is_bid=is_bid).fee_ud
    sign = leg.side.sign
    paid = sign * (TICKS_PER_DOLLAR - leg.price_ticks) * leg.size_cc - fee_ud
    unpaid = -sign * leg.price_ticks * leg.size_cc - fee_ud
    return paid, unpaid


def gains_ud(ladder: Ladder, legs: Sequence[Offer], schedules: dict[str, FeeSchedule]) -> list[int]:
    """Give what legs gain together in each state, exactly, each leg being one fill."""
    states = len(ladder.edges) + 1
    steps = [0] * (states + 1)
    for leg in legs:
        paid, unpaid = leg_gains_ud(leg, schedules[leg.ticker])
        first, after = ladder.spans[leg.ticker]
        steps[0] += unpaid
        steps[first] += paid - unpaid
        steps[after] -= paid - unpaid
    found, total = [], 0
    for step in steps[:states]:
        total += step
        found.append(total)
    return found
