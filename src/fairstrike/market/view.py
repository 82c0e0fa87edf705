"""What strategies and risk are shown of one market."""

import msgspec

from fairstrike.core.contract import Contract
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Order, Position
from fairstrike.core.regime import RegimeSeen
from fairstrike.market.book import BookView
from fairstrike.market.index import Reference


class MarketView(msgspec.Struct, frozen=True, kw_only=True):
    """One market now. `book` and `p_fair` are None when they cannot be vouched for.

    A book that `is_polled` came by REST while the stream was down: good for display, valuation and exits only.
    `closes_in_ns` is venue time to the close; `working` are the orders of every strategy, oldest first; `shares` are
    the strategies' parts of the position, net `_cc` by name. `regime` is its asset's, None while unknown.
    """

    contract: Contract
    schedule: FeeSchedule
    is_open: bool
    volume_24h_cc: int
    now_ns: int
    closes_in_ns: int
    book: BookView | None
    p_fair: float | None
    reference: Reference | None
    position: Position
    working: tuple[Order, ...]
    shares: dict[str, int] = {}
    is_polled: bool = False
    regime: RegimeSeen | None = None

    def share_cc(self, strategy: str) -> int:
        """Give a strategy's own net contracts (`_cc`), zero when it has none."""
        return self.shares.get(strategy, 0)
