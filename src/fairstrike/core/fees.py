"""The only fee arithmetic. Exact integers; the venue's own rounding.

A fill's raw fee is rate × multiplier × contracts × price × (1 − price). It is rounded up to a microdollar;
then the fill's change of balance is rounded down to the account's precision and the difference is charged as
a rounding fee. Rounding fees add up per order; whole steps of precision are given back, never making a fill's
fee negative. Source: venue documentation of September 2026, reproduced on 32 of 33 real fills.

The three `calculate_` and `min_` helpers below speak dollars and the classic whole-cent schedule. They are for
people; nothing that books money may use them.
"""

from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal

import msgspec

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.units import CC_PER_CONTRACT, PPM, TICKS_PER_DOLLAR, UD_PER_CENT

TAKER_PPM = 70_000
MAKER_PPM = 17_500
DIRECT_PRECISION_UD, INTERMEDIATED_PRECISION_UD = 100, UD_PER_CENT
"""What the balance of a direct member, and of one behind a broker, is kept in."""
EFFICIENT_CONTRACTS_MAX = 10_000
CONTRACTS_MAX = 1e12
_DECIMALS = 9
_SCALE = PPM * PPM * CC_PER_CONTRACT * TICKS_PER_DOLLAR**2 // 1_000_000


class FeeSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """Rates in parts per million of contracts × price × (1 − price), and the series' multiplier.

    Raises `ArithmeticRefusal` for a precision below 1 microdollar.
    """

    taker_ppm: int = TAKER_PPM
    maker_ppm: int = 0
    multiplier_ppm: int = PPM
    precision_ud: int = DIRECT_PRECISION_UD

    def __post_init__(self) -> None:
        """Refuse what nothing can be rounded to."""
        if not self.precision_ud >= 1:
            raise ArithmeticRefusal(f"a balance kept in steps of {self.precision_ud} microdollars; give 1 or more")


PUBLISHED = {
    "crypto": FeeSchedule(),
    "with maker fees": FeeSchedule(maker_ppm=MAKER_PPM),
    "combinations": FeeSchedule(maker_ppm=2 * MAKER_PPM),
    "S&P 500, Nasdaq-100": FeeSchedule(taker_ppm=TAKER_PPM // 2, maker_ppm=MAKER_PPM),
}
"""The published schedule by kind of series, for people: what is traded pays what its own series says."""


class FillFee(msgspec.Struct, frozen=True, kw_only=True):
    """What one fill costs, and the order's rounding accumulator after it (both microdollars)."""

    fee_ud: int
    carry_ud: int


def trade_fee_ud(schedule: FeeSchedule, price_ticks: int, size_cc: int, *, is_maker: bool) -> int:
    """Give the fee of a fill before balance rounding, in microdollars, rounded up.

    `price_ticks` is the YES price, 0 to 10 000; the NO price gives the same fee.
    Raises `ArithmeticRefusal` for another price or a negative size.
    """
    return rounded_fee_ud(schedule, price_ticks, size_cc, 1, is_maker=is_maker)


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


def order_fees(schedule: FeeSchedule, fills: Iterable[tuple[int, int, bool]], *, is_bid: bool) -> tuple[FillFee, ...]:
    """Give the fee of each fill of one order, `fills` being (price in ticks, size in cc, is maker) in their order.

    The accumulator goes from fill to fill, also when the order begins to rest.
    """
    found: list[FillFee] = []
    carry_ud = 0
    for price_ticks, size_cc, is_maker in fills:
        found.append(fill_fee(schedule, price_ticks, size_cc, is_maker=is_maker, is_bid=is_bid, carry_ud=carry_ud))
        carry_ud = found[-1].carry_ud
    return tuple(found)


def rounded_fee_ud(schedule: FeeSchedule, price_ticks: int, size_cc: int, step_ud: int, *, is_maker: bool) -> int:
    """Give the fee of a fill rounded up to whole steps: 1 is today's trade fee, 100 that of before August 2026,
    10 000 the classic whole cent.

    Raises `ArithmeticRefusal` for a step below 1, a price outside 0 to 10 000 ticks or a negative size.
    """
    if step_ud < 1:
        raise ArithmeticRefusal(f"a step of {step_ud} microdollars rounds nothing; give 1 or more")
    if not 0 <= price_ticks <= TICKS_PER_DOLLAR or size_cc < 0:
        raise ArithmeticRefusal(
            f"{size_cc} cc at {price_ticks} ticks: give a price up to a dollar, and no negative size"
        )
    rate_ppm = schedule.maker_ppm if is_maker else schedule.taker_ppm
    raw = rate_ppm * schedule.multiplier_ppm * size_cc * price_ticks * (TICKS_PER_DOLLAR - price_ticks)
    return -(-raw // (_SCALE * step_ud)) * step_ud


def break_even_ppm(schedule: FeeSchedule, price_ticks: int, size_cc: int, *, is_maker: bool) -> int:
    """Give the least probability, rounded up, at which buying `size_cc` at a price loses nothing after the fee.

    Raises `ArithmeticRefusal` as `trade_fee_ud`, and for no size.
    """
    if size_cc < 1:
        raise ArithmeticRefusal(f"a size of {size_cc} buys nothing; give 1 or more hundredths of a contract")
    fee_ud = fill_fee(schedule, price_ticks, size_cc, is_maker=is_maker, is_bid=True).fee_ud
    paid_ud = price_ticks * size_cc + fee_ud
    return -(-paid_ud * CC_PER_CONTRACT // size_cc)


def least_spread_ticks(
    schedule: FeeSchedule, price_ticks: int, size_cc: int, *, is_maker: bool, step_ticks: int = 100
) -> int | None:
    """Give the least spread over a bid at `price_ticks`, in whole steps, that gains after the fees of both fills.

    None when no price below a dollar does. Raises `ArithmeticRefusal` as `trade_fee_ud`, and for a step below 1.
    """
    if step_ticks < 1:
        raise ArithmeticRefusal(f"a step of {step_ticks} ticks leads nowhere; give 1 or more")
    bought = fill_fee(schedule, price_ticks, size_cc, is_maker=is_maker, is_bid=True)
    for sold_ticks in range(price_ticks + step_ticks, TICKS_PER_DOLLAR, step_ticks):
        sold = fill_fee(schedule, sold_ticks, size_cc, is_maker=is_maker, is_bid=False)
        if (sold_ticks - price_ticks) * size_cc > bought.fee_ud + sold.fee_ud:
            return sold_ticks - price_ticks
    return None


def efficient_size_cc(schedule: FeeSchedule, price_ticks: int, size_cc_max: int, *, is_maker: bool) -> int:
    """Give the whole contracts, at most `size_cc_max`, that pay the least fee each in one fill; of equals the most.

    Rounding to a whole cent makes one contract at 50 cents pay 2 cents and four pay 7. Zero when not even one fits;
    more than ten thousand contracts are not looked at, where rounding is nothing.
    Raises `ArithmeticRefusal` for a price outside 0 to 10 000 ticks.
    """
    best_cc, best_ud = 0, trade_fee_ud(schedule, price_ticks, 0, is_maker=is_maker)
    for contracts in range(1, min(size_cc_max // CC_PER_CONTRACT, EFFICIENT_CONTRACTS_MAX) + 1):
        size_cc = contracts * CC_PER_CONTRACT
        fee_ud = fill_fee(schedule, price_ticks, size_cc, is_maker=is_maker, is_bid=True).fee_ud
        if not best_cc or fee_ud * best_cc <= best_ud * size_cc:
            best_cc, best_ud = size_cc, fee_ud
    return best_cc


def calculate_fee(contracts: float, price: float, is_maker: bool = False) -> Decimal:
    """Give the classic fee in dollars of `contracts` at `price` dollars, rounded up to a whole cent.

    Both are read to nine decimals, so that 1 − 0.7 costs what 0.3 does.
    The maker rate is that of series which charge makers. Raises `ArithmeticRefusal` for contracts below 0, a price
    outside [0, 1] or what is no number: correct what the message names. Source: fee schedule of July 2026.
    """
    if not (0.0 <= contracts <= CONTRACTS_MAX and 0.0 <= price <= 1.0):
        raise ArithmeticRefusal(
            f"{contracts!r} contracts at {price!r}: give contracts from 0 to {CONTRACTS_MAX:g} and dollars from 0 to 1"
        )
    rate = Decimal(MAKER_PPM if is_maker else TAKER_PPM) / PPM
    cost = rate * _decimal(contracts) * _decimal(price) * (1 - _decimal(price))
    return cost.quantize(Decimal("0.01"), rounding=ROUND_CEILING)


def calculate_net_profit(
    buy: float, sell: float, contracts: float, is_maker_buy: bool = False, is_maker_sell: bool = False
) -> Decimal:
    """Give the dollars left from buying at `buy` and selling at `sell` after both classic fees.

    Raises `ArithmeticRefusal` as `calculate_fee`.
    """
    fees = calculate_fee(contracts, buy, is_maker_buy) + calculate_fee(contracts, sell, is_maker_sell)
    return (_decimal(sell) - _decimal(buy)) * _decimal(contracts) - fees


def min_profitable_spread(price: float, contracts: float, is_maker: bool = True) -> Decimal:
    """Give the least whole-cent spread above `price` at which a round trip gains after classic fees.

    Raises `ArithmeticRefusal` when no sale up to a dollar gains: take more contracts or a lower price.
    """
    cent = Decimal("0.01")
    if 0.0 <= price < 1.0 and 0.0 < contracts <= CONTRACTS_MAX:
        for cents in range(1, 1 + int((1 - _decimal(price)) / cent)):
            sell = float(_decimal(price) + cents * cent)
            if calculate_net_profit(price, sell, contracts, is_maker, is_maker) > 0:
                return cents * cent
    raise ArithmeticRefusal(
        f"buying {contracts} contracts at {price} gains at no price up to a dollar; take more, or at a lower price"
    )


def _decimal(value: float) -> Decimal:
    """Give a float as it was meant: 1 − 0.7 is 0.3, its last digit would cost a cent."""
    return Decimal(str(round(value, _DECIMALS)))
