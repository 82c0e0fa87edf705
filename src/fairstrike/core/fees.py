"""The only fee arithmetic. Exact integers; the venue's own rounding.

A fill's raw fee is rate × multiplier × contracts × price × (1 − price). It is rounded up to a microdollar;
then the fill's change of balance is rounded down to the account's precision and the difference is charged as
a rounding fee. Rounding fees add up per order; whole steps of precision are given back, never making a fill's
fee negative. Source: venue documentation of September 2026, reproduced on 32 of 33 real fills.

The three `calculate_` and `min_` helpers below speak dollars and the classic whole-cent schedule. They are for
people; nothing that books money may use them.
"""

import math
from decimal import ROUND_CEILING, Decimal

import msgspec

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.units import CC_PER_CONTRACT, PPM, TICKS_PER_DOLLAR

TAKER_PPM = 70_000
MAKER_PPM = 17_500
DIRECT_PRECISION_UD = 100
_SCALE = PPM * PPM * CC_PER_CONTRACT * TICKS_PER_DOLLAR**2 // 1_000_000


class FeeSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """Rates in parts per million of contracts × price × (1 − price), and the series' multiplier."""

    taker_ppm: int = TAKER_PPM
    maker_ppm: int = 0
    multiplier_ppm: int = PPM
    precision_ud: int = DIRECT_PRECISION_UD


class FillFee(msgspec.Struct, frozen=True, kw_only=True):
    """What one fill costs, and the order's rounding accumulator after it (both microdollars)."""

    fee_ud: int
    carry_ud: int


def trade_fee_ud(schedule: FeeSchedule, price_ticks: int, size_cc: int, *, is_maker: bool) -> int:
    """Give the fee of a fill before balance rounding, in microdollars, rounded up.

    `price_ticks` is the YES price; the NO price gives the same fee.
    """
    rate_ppm = schedule.maker_ppm if is_maker else schedule.taker_ppm
    raw = rate_ppm * schedule.multiplier_ppm * size_cc * price_ticks * (TICKS_PER_DOLLAR - price_ticks)
    return -(-raw // _SCALE)


def fill_fee(
    schedule: FeeSchedule, price_ticks: int, size_cc: int, *, is_maker: bool, is_bid: bool, carry_ud: int = 0
) -> FillFee:
    """Give the fee charged for one fill of an order whose accumulator stands at `carry_ud`.

    `is_bid` tells the direction of the cash: a bid pays price × size. An ask receives it (or pays the
    complement for NO, which differs by whole precision steps and so rounds the same).
    """
    trade_ud = trade_fee_ud(schedule, price_ticks, size_cc, is_maker=is_maker)
    cash_ud = -price_ticks * size_cc if is_bid else price_ticks * size_cc
    rounding_ud = (cash_ud - trade_ud) % schedule.precision_ud
    carry_ud += rounding_ud
    charged_ud = trade_ud + rounding_ud
    rebate_ud = min(carry_ud, charged_ud) // schedule.precision_ud * schedule.precision_ud
    return FillFee(fee_ud=charged_ud - rebate_ud, carry_ud=carry_ud - rebate_ud)


def calculate_fee(contracts: float, price: float, is_maker: bool = False) -> Decimal:
    """Give the classic fee in dollars of `contracts` at `price` dollars, rounded up to a whole cent.

    The maker rate is that of series which charge makers. Source: fee schedule of July 2026.
    """
    rate = Decimal(MAKER_PPM if is_maker else TAKER_PPM) / PPM
    cost = rate * Decimal(str(contracts)) * Decimal(str(price)) * (1 - Decimal(str(price)))
    return cost.quantize(Decimal("0.01"), rounding=ROUND_CEILING)


def calculate_net_profit(
    buy: float, sell: float, contracts: float, is_maker_buy: bool = False, is_maker_sell: bool = False
) -> Decimal:
    """Give the dollars left from buying at `buy` and selling at `sell` after both classic fees."""
    gross = (Decimal(str(sell)) - Decimal(str(buy))) * Decimal(str(contracts))
    return gross - calculate_fee(contracts, buy, is_maker_buy) - calculate_fee(contracts, sell, is_maker_sell)


def min_profitable_spread(price: float, contracts: float, is_maker: bool = True) -> Decimal:
    """Give the least whole-cent spread above `price` at which a round trip gains after classic fees.

    Raises `ArithmeticRefusal` when no sale up to a dollar gains: take more contracts or a lower price.
    """
    cent = Decimal("0.01")
    if 0.0 <= price < 1.0 and 0.0 < contracts < math.inf:
        for cents in range(1, 1 + int((1 - Decimal(str(price))) / cent)):
            sell = float(Decimal(str(price)) + cents * cent)
            if calculate_net_profit(price, sell, contracts, is_maker, is_maker) > 0:
                return cents * cent
    raise ArithmeticRefusal(
        f"buying {contracts} contracts at {price} gains at no price up to a dollar; take more, or at a lower price"
    )
