"""Everything we can ask for. One closed union, `Effect`; shells carry them out and answer with events."""

import msgspec

from fairstrike.core.order import Side, TimeInForce


class SendOrder(msgspec.Struct, frozen=True, kw_only=True, tag="send_order"):
    """Place one order. Answered by `OrderAcked`, `OrderRejected` or `OrderDoubted`."""

    client_order_id: str
    ticker: str
    side: Side
    price_ticks: int
    size_cc: int
    tif: TimeInForce
    post_only: bool
    reduce_only: bool
    exchange_index: int
    expire_ns: int | None = None


class CancelOrder(msgspec.Struct, frozen=True, kw_only=True, tag="cancel_order"):
    """Cancel one order. Answered by `CancelAnswered` or `CancelFailed`. May be repeated."""

    client_order_id: str
    order_id: str
    ticker: str
    exchange_index: int


class SetTimer(msgspec.Struct, frozen=True, kw_only=True, tag="set_timer"):
    """Wake the engine with `TimerFired(name)` at `due_ns`; a timer of the same name is replaced."""

    name: str
    due_ns: int


class Watch(msgspec.Struct, frozen=True, kw_only=True, tag="watch"):
    """Stream the books, trades and tickers of these markets from now on."""

    tickers: tuple[str, ...]


class Unwatch(msgspec.Struct, frozen=True, kw_only=True, tag="unwatch"):
    """Stop streaming these markets."""

    tickers: tuple[str, ...]


class Resubscribe(msgspec.Struct, frozen=True, kw_only=True, tag="resubscribe"):
    """Ask for a fresh snapshot of these markets: their books could not be vouched for."""

    tickers: tuple[str, ...]
    reason: str


class Ask(msgspec.Struct, frozen=True, kw_only=True, tag="ask"):
    """Read something by REST: `what` is markets, books, orders (resting), order_states, fills, positions, balance,
    settlements or trading (which shards take orders).

    `key` narrows it: a series for markets, tickers with commas between them for books, a shard for balance, the
    earliest epoch second for the others, or nothing. Answers are events of what was read.
    """

    what: str
    key: str = ""


class StartComputation(msgspec.Struct, frozen=True, kw_only=True, tag="start_computation"):
    """Have a worker compute something longer than a decision may take."""

    kind: str
    number: int
    inputs: bytes
    deadline_ns: int


class Warn(msgspec.Struct, frozen=True, kw_only=True, tag="warn"):
    """Tell the operator something."""

    text: str


class Halt(msgspec.Struct, frozen=True, kw_only=True, tag="halt"):
    """End the run: everything is cancelled and proved gone, or it cannot be and the text says so."""

    reason: str
    is_clean: bool


Effect = SendOrder | CancelOrder | SetTimer | Watch | Unwatch | Resubscribe | Ask | StartComputation | Warn | Halt
"""What `Engine.decide` gives."""
