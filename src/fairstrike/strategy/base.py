"""The one shape of a strategy, and the wakes it declares.

A strategy is asked only when one of its wakes fired for a market it trades, or a long sum it wished for was answered.
It answers with signals (wishes for orders) and withdrawals of its own working orders, of which risk decides what
becomes; with wishes for long sums; and with findings, which are written down and do nothing.
"""

from collections import Counter
from typing import Protocol

import msgspec

from fairstrike.core.computing import Compute
from fairstrike.core.contract import Contract
from fairstrike.core.fees import FeeSchedule, trade_fee_ud
from fairstrike.core.order import Order, Side, Signal, Withdraw
from fairstrike.core.records import Finding
from fairstrike.core.units import CC_PER_CONTRACT, PPM, TICKS_PER_DOLLAR, UD_PER_DOLLAR, ppm_of_belief
from fairstrike.strategy.scene import Scene

Wish = Signal | Withdraw | Compute | Finding
"""What a strategy may answer with. Only a signal can become an order."""


class Wakes(msgspec.Struct, frozen=True, kw_only=True):
    """What wakes a strategy: None and False switch a wake off.

    `best_size_cc` fires when the size at a best price moved by at least that much; `depth` when anything
    within that many levels changed; `every_ns` when so much venue time passed since the market was looked at.
    """

    best_price: bool = False
    best_size_cc: int | None = None
    depth: int | None = None
    index: bool = False
    own_order: bool = False
    every_ns: int | None = None


class Strategy(Protocol):
    """One way to trade. `code` is its number in order ids, for ever; 0 to 255.

    `tally` counts each time a woken market was considered, by what came of it: a wish, or the reason for none.
    """

    name: str
    code: int
    wakes: Wakes
    tally: Counter[str]

    def trades(self, contract: Contract) -> bool:
        """Whether this strategy looks at a market at all."""

    def consider(self, scene: Scene) -> list[Wish]:
        """Give the wishes for the woken markets and the answers of the scene; there may be no market among them."""


WISHED = "an order was wished for"
"""What a strategy's tally says of a market that it made a signal for."""

POLLED = "the book came by REST: good for exits only"
"""What a strategy's tally says of a market that it would open in, were the stream not down."""


def own(working: tuple[Order, ...], strategy: str) -> tuple[Order, ...]:
    """Give the working orders of one strategy."""
    return tuple(order for order in working if order.strategy == strategy)


def edge_ppm(p_fair: float, side: Side, price_ticks: int, schedule: FeeSchedule, *, is_maker: bool) -> int:
    """Give the expected gain per contract after the fee, in 1/1 000 000 dollar.

    The fee is that of one contract, rounded up to a microdollar. A bid gains when the market is worth more
    than its price, an ask when it is worth less.
    """
    fee_ud = trade_fee_ud(schedule, price_ticks, CC_PER_CONTRACT, is_maker=is_maker)
    price_ppm = price_ticks * (PPM // TICKS_PER_DOLLAR)
    return side.sign * (ppm_of_belief(p_fair) - price_ppm) - fee_ud * (PPM // UD_PER_DOLLAR)
