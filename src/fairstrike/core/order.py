"""Wishes, orders, fills and positions, all in YES terms.

A signal is what a strategy wants. Only the risk door turns one into an `Approved`, and only an `Approved`
becomes an order. A bid buys YES; an ask sells YES or buys NO: the venue keeps one book and one net position.
"""

from enum import StrEnum

import msgspec

from fairstrike.core.units import TICKS_PER_DOLLAR


class Side(StrEnum):
    """The side of the one book an order rests on or would rest on."""

    BID = "bid"
    ASK = "ask"

    @property
    def sign(self) -> int:
        """+1 for a bid, −1 for an ask: the sign of the position a fill adds."""
        return 1 if self is Side.BID else -1

    @property
    def opposite(self) -> "Side":
        """The other side."""
        return Side.ASK if self is Side.BID else Side.BID


class TimeInForce(StrEnum):
    """How long an order lives; the venue's own values."""

    GTC = "good_till_canceled"
    IOC = "immediate_or_cancel"
    FOK = "fill_or_kill"


class Intent(StrEnum):
    """Why an order is wanted. Reducing and unwinding pass limits that opening does not."""

    OPEN = "open"
    REDUCE = "reduce"
    UNWIND = "unwind"


class OrderState(StrEnum):
    """Where an order stands; `execution.lifecycle` has the table of moves between these."""

    SENDING = "sending"
    UNKNOWN = "unknown"
    RESTING = "resting"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    EXECUTED = "executed"
    REJECTED = "rejected"


TERMINAL_STATES = frozenset({OrderState.CANCELLED, OrderState.EXECUTED, OrderState.REJECTED})


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """What a strategy wants done, with its reason. Beliefs are parts per million so that they journal.

    `edge_ppm` is the expected gain per contract after fees in 1/1 000 000 dollar; `features` are the
    numbers the reason rests on, in the units their names say.
    """

    strategy: str
    ticker: str
    side: Side
    price_ticks: int
    size_cc: int
    intent: Intent
    tif: TimeInForce
    post_only: bool
    edge_ppm: int
    confidence_ppm: int
    reason: str
    expire_ns: int | None = None
    features: dict[str, int] = {}


class Withdraw(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy's wish that a working order of its own be cancelled."""

    strategy: str
    ticker: str
    client_order_id: str
    reason: str


class Approved(msgspec.Struct, frozen=True, kw_only=True):
    """A signal that passed the risk door, which alone makes these. Only an `Approved` becomes an order."""

    signal: Signal
    reduce_only: bool


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A signal that did not pass: which rule, the value it had and the limit."""

    signal: Signal
    rule: str
    value: int
    limit: int


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One order of ours, as far as we know. `order_id` is the venue's, None until it told us.

    `final_cc` is what the venue says was filled in all when the order ended; until the fills themselves have
    arrived the order stays working.
    """

    client_order_id: str
    strategy: str
    ticker: str
    side: Side
    price_ticks: int
    size_cc: int
    tif: TimeInForce
    post_only: bool
    reduce_only: bool
    intent: Intent
    state: OrderState
    created_ns: int
    filled_cc: int = 0
    final_cc: int | None = None
    order_id: str | None = None
    expire_ns: int | None = None

    @property
    def remaining_cc(self) -> int:
        """What may still fill."""
        return 0 if self.state in TERMINAL_STATES else self.size_cc - self.filled_cc

    @property
    def is_working(self) -> bool:
        """Whether the order may still be filled, as far as we know."""
        return self.state not in TERMINAL_STATES


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Net contracts in one market: positive is YES, negative is NO.

    `cost_ud` is what the open contracts cost without fees (of NO contracts: the NO prices paid).
    """

    ticker: str
    net_cc: int = 0
    cost_ud: int = 0
    realised_ud: int = 0
    fees_ud: int = 0


def collateral_ud(side: Side, price_ticks: int, size_cc: int) -> int:
    """Give what an opening order of this side locks: price for YES, the complement for NO."""
    return size_cc * (price_ticks if side is Side.BID else TICKS_PER_DOLLAR - price_ticks)
