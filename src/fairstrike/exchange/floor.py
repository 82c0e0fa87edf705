"""The exchange's floor: markets, books and accounts under one clock that is told the time.

Every call carries `now_ns`, venue time, which never goes back; what was scheduled up to then (openings,
strikes, closes, determinations, settlements, expiries) happens first, in order of (instant, arrangement).
What happened is collected for `drain`. Expected refusals are values of type `Rejection`.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from fairstrike.core.contract import Contract, Window
from fairstrike.core.events import Level
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side, TimeInForce
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.exchange.happenings import Filled, Happening, OrderSnapshot, SelfTrade, Traded


class MarketStatus(StrEnum):
    """The venue's market statuses that the box goes through."""

    INITIALIZED = "initialized"
    ACTIVE = "active"
    CLOSED = "closed"
    DETERMINED = "determined"
    FINALIZED = "finalized"


class Delays(msgspec.Struct, frozen=True, kw_only=True):
    """From close to determined, and from determined to settled."""

    determination_ns: int
    settlement_ns: int


class FloorParams(msgspec.Struct, frozen=True, kw_only=True):
    """The venue's switches. Source: the venue's behaviour where seen, its documented defaults elsewhere.

    `is_post_only_cross_accepted` chooses between refusing a crossing post-only order (400) and taking and
    cancelling it at once.
    """

    quarter_hour: Delays = Delays(determination_ns=5 * SECOND_NS, settlement_ns=SECOND_NS)
    hourly: Delays = Delays(determination_ns=60 * SECOND_NS, settlement_ns=60 * SECOND_NS)
    strike_delay_ns: int = 700 * MILLISECOND_NS
    close_cancel_delay_ns: int = SECOND_NS
    window: Window = Window.BEFORE_CLOSE
    is_post_only_cross_accepted: bool = False


class PlaceOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A request for one order. `exchange_index` None lets the ticker decide the shard."""

    ticker: str
    side: Side
    price_ticks: int
    size_cc: int
    tif: TimeInForce = TimeInForce.GTC
    self_trade: SelfTrade = SelfTrade.TAKER_AT_CROSS
    client_order_id: str | None = None
    expire_ns: int | None = None
    post_only: bool = False
    reduce_only: bool = False
    cancel_on_pause: bool = False
    exchange_index: int | None = None


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """The order was taken. `order` is its state after matching.

    `filled_value_ud` is YES price × size summed over its fills, `fee_ud` their fees.
    """

    instant_ns: int
    order: OrderSnapshot
    filled_value_ud: int
    fee_ud: int


class Reduced(msgspec.Struct, frozen=True, kw_only=True):
    """A cancel or decrease was done and took `reduced_cc` off; `order` is the state after it."""

    instant_ns: int
    order: OrderSnapshot
    reduced_cc: int


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """The venue's no: HTTP status, error code, message and details (None when it gives none)."""

    status: int
    code: str
    message: str
    details: str | None = None


class MarketView(msgspec.Struct, frozen=True, kw_only=True):
    """One market as it stands. Prices are None when a side is empty or nothing traded; `value_ticks` is
    what a YES contract pays, None until determined."""

    contract: Contract
    schedule: FeeSchedule
    status: MarketStatus
    bid: Level | None
    ask: Level | None
    last_price_ticks: int | None
    last_size_cc: int
    volume_cc: int
    volume_24h_cc: int
    open_interest_cc: int
    turnover_ud: int
    listed_ns: int
    updated_ns: int
    value_ticks: int | None = None
    expiration_value_e8: int | None = None
    settled_ns: int | None = None


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """One account's money. `balance_ud` is cash; `reserved_ud` of it is held by resting orders."""

    account: str
    key_id: str
    balance_ud: int
    reserved_ud: int

    @property
    def available_ud(self) -> int:
        """What a new order may still lock."""
        return self.balance_ud - self.reserved_ud


class PositionView(msgspec.Struct, frozen=True, kw_only=True):
    """One account's net position in one market: positive is YES, negative is NO.

    `cost_ud` is what the open contracts cost without fees, `traded_ud` the cost of all contracts ever filled.
    """

    ticker: str
    net_cc: int
    cost_ud: int
    realised_ud: int
    fees_ud: int
    traded_cc: int
    traded_ud: int
    updated_ns: int


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """One account's payout in one market; the costs are of the contracts held at the end, without fees."""

    instant_ns: int
    ticker: str
    event_ticker: str
    exchange_index: int
    value_ticks: int
    yes_cc: int
    yes_cost_ud: int
    no_cc: int
    no_cost_ud: int
    fees_ud: int
    revenue_ud: int


class Floor:
    """The whole exchange but its sockets."""

    def __init__(self, *, params: FloorParams | None = None, now_ns: int = 0) -> None:
        """Start with no markets and no accounts at venue time `now_ns`."""
        self.params = params or FloorParams()
        self.now_ns = now_ns

    # Set-up

    def open_account(
        self, account_id: str, *, key_id: str, balance_ud: int, is_house: bool = False
    ) -> AccountView:
        """Open an account. A house account's orders and fills stay untold and reserve nothing."""
        raise NotImplementedError

    def account_by_key(self, key_id: str) -> str | None:
        """Give the account id an API key belongs to, None for an unknown key."""
        raise NotImplementedError

    def list_market(self, contract: Contract, schedule: FeeSchedule, volume_24h_cc: int, now_ns: int) -> None:
        """Create a market and arrange its opening, strike, close, determination and settlement."""
        raise NotImplementedError

    # Acts

    def advance(self, now_ns: int) -> None:
        """Let everything arranged up to `now_ns` happen, in order."""
        raise NotImplementedError

    def publish_index(self, asset: str, second: int, value_e8: int, now_ns: int) -> None:
        """Publish the index's print of source second `second`."""
        raise NotImplementedError

    def place(self, account_id: str, wish: PlaceOrder, now_ns: int) -> Placed | Rejection:
        """Take, match and rest one order, or say why not."""
        raise NotImplementedError

    def cancel(self, account_id: str, order_id: str, now_ns: int) -> Reduced | Rejection:
        """Cancel a resting order; 404 when it does not rest (unknown, executed, cancelled before)."""
        raise NotImplementedError

    def decrease(self, account_id: str, order_id: str, reduce_by_cc: int, now_ns: int) -> Reduced | Rejection:
        """Take `reduce_by_cc` off a resting order, which keeps its place in the queue."""
        raise NotImplementedError

    def cancel_all(self, account_id: str, now_ns: int) -> tuple[Reduced, ...]:
        """Cancel every resting order of an account whose market still allows it."""
        raise NotImplementedError

    def drain(self) -> list[Happening]:
        """Give what happened since the last call, in order."""
        raise NotImplementedError

    # Reads

    def market(self, ticker: str) -> MarketView | None:
        """Give one market, None when unknown."""
        raise NotImplementedError

    def markets(self) -> tuple[MarketView, ...]:
        """Give all markets in order of listing."""
        raise NotImplementedError

    def levels(self, ticker: str, side: Side) -> tuple[Level, ...]:
        """Give one side of a book as (price, size), best first; empty for an unknown market."""
        raise NotImplementedError

    def order(self, account_id: str, order_id: str) -> OrderSnapshot | None:
        """Give one order of an account by the venue's id."""
        raise NotImplementedError

    def orders(self, account_id: str) -> tuple[OrderSnapshot, ...]:
        """Give all orders an account ever placed, oldest first."""
        raise NotImplementedError

    def fills(self, account_id: str) -> tuple[Filled, ...]:
        """Give all fills of an account, oldest first."""
        raise NotImplementedError

    def trades(self, ticker: str | None = None) -> tuple[Traded, ...]:
        """Give the last trades (bounded), oldest first."""
        raise NotImplementedError

    def positions(self, account_id: str) -> tuple[PositionView, ...]:
        """Give an account's unsettled positions (a flat one it traded in included) in order of first fill."""
        raise NotImplementedError

    def settlements(self, account_id: str) -> tuple[Settlement, ...]:
        """Give an account's settlements, oldest first."""
        raise NotImplementedError

    def account(self, account_id: str) -> AccountView | None:
        """Give an account's money, None when unknown."""
        raise NotImplementedError

    def prints(self, asset: str) -> Mapping[int, int]:
        """Give the known prints of an index: source second -> value in `_e8` (the last hours only)."""
        raise NotImplementedError

    def total_ud(self) -> int:
        """Give all money: balances, fee income and 1 dollar per open pair. Changes only by `open_account`."""
        raise NotImplementedError
