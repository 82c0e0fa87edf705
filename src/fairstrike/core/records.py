"""What the decision chain of the journal holds, besides effects: one struct a kind; the kind is its class's name."""

import msgspec

from fairstrike.core.events import HeldPosition, OrderFilled
from fairstrike.core.order import OrderState, Side, Signal
from fairstrike.core.regime import RegimeSeen

WAKE_BEST_PRICE, WAKE_BEST_SIZE, WAKE_DEPTH, WAKE_INDEX, WAKE_OWN_ORDER, WAKE_EVERY = 1, 2, 4, 8, 16, 32


class TapeFile(msgspec.Struct, frozen=True, kw_only=True):
    """A recording that a replay reads: its file name, without folder, and the SHA-256 of its bytes.

    `beside_sha256` is that of what lies beside the file and is read with it, empty when nothing does.
    """

    name: str
    sha256: str
    beside_sha256: str = ""


class RunStarted(msgspec.Struct, frozen=True, kw_only=True):
    """The first record of a run: everything that decides what it will do, secrets replaced by their names.

    `settings` is JSON text of the run's settings, `settings_digest` its SHA-256.
    """

    program: str
    execution: str
    environment: str
    account_tag: int
    run_ns: int
    seed: int
    settings: str
    settings_digest: str
    tape: tuple[TapeFile, ...] = ()


class Row(msgspec.Struct, frozen=True, array_like=True):
    """One market in one decision: which wakes fired (bits), best prices and sizes, fair value; None is absent."""

    ticker: str
    wakes: int
    bid_ticks: int | None
    bid_cc: int
    ask_ticks: int | None
    ask_cc: int
    fair_ppm: int | None


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """One decision in which a declared wake fired: the woken markets."""

    rows: tuple[Row, ...]


class Ordered(msgspec.Struct, frozen=True, kw_only=True):
    """A signal was approved and became the order of this id."""

    client_order_id: str
    signal: Signal


class OrderMoved(msgspec.Struct, frozen=True, kw_only=True):
    """An order's state, filled size or venue id changed."""

    client_order_id: str
    ticker: str
    state: OrderState
    filled_cc: int
    order_id: str | None


class Booked(msgspec.Struct, frozen=True, kw_only=True):
    """A fill entered the ledger; cash and position are those after it."""

    fill: OrderFilled
    client_order_id: str
    strategy: str
    cash_ud: int
    net_cc: int
    cost_ud: int
    realised_ud: int


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """A market's settlement entered the ledger; cash is that after it. A second one corrects the first."""

    ticker: str
    value_ticks: int
    net_cc: int
    payout_ud: int
    pnl_ud: int
    cash_ud: int
    is_derived: bool


class SourceMean(msgspec.Struct, frozen=True, kw_only=True):
    """The mean of one source's sixty prints (`_e8`) in both readings of a window; None where one is missing."""

    source: str
    before_close_e8: int | None
    up_to_close_e8: int | None


class CloseAudited(msgspec.Struct, frozen=True, kw_only=True):
    """A close whose official value is known, beside what our prints came to; `complaint` is empty when they agree."""

    asset: str
    close_ns: int
    official_e8: int
    means: tuple[SourceMean, ...]
    complaint: str = ""


class ComputationAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy's wish became the long sum of this number. It stands for the effect, whose inputs are long."""

    strategy: str
    kind: str
    group: str
    number: int
    inputs_sha256: str
    deadline_ns: int


class ComputationDropped(msgspec.Struct, frozen=True, kw_only=True):
    """A long sum, or a result of that number, came to nothing: late, unanswered, or unknown."""

    number: int
    reason: str


class GroupFitted(msgspec.Struct, frozen=True, kw_only=True):
    """The distribution that a settlement group's quotes allow and that is nearest to the model's, against the model.

    `moved_ppm` is a market's fitted probability less the model's of the same instant, by ticker; one whose quotes allow
    what the model has is left out. `slack_ppm` is how far every quote had to be widened, in 1/1 000 000 dollar: above 0
    the quotes contradict each other.
    """

    group: str
    asked_ns: int
    good_until_ns: int
    slack_ppm: int
    moved_ppm: dict[str, int]


class Leg(msgspec.Struct, frozen=True, array_like=True):
    """One fill of a portfolio: a bid buys what is asked, an ask sells to who bids."""

    ticker: str
    side: Side
    price_ticks: int
    size_cc: int


class RisklessFound(msgspec.Struct, frozen=True, kw_only=True):
    """The portfolio of a settlement group's offers that gained most in its worst outcome, `worst_ud`, after fees.

    It has no legs when none gained.
    """

    group: str
    asked_ns: int
    good_until_ns: int
    worst_ud: int
    legs: tuple[Leg, ...]


Finding = GroupFitted | RisklessFound
"""What a strategy found out: it is written down, and nothing comes of it."""


class CashSet(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger was opened with the account's cash, and with what an earlier run had left it holding."""

    cash_ud: int
    positions: tuple[HeldPosition, ...] = ()


class RunEnded(msgspec.Struct, frozen=True, kw_only=True):
    """The last record of a run that ended in good order."""

    reason: str
    cash_ud: int
    fees_ud: int
    resting: int


Record = (
    Decided
    | Ordered
    | OrderMoved
    | Booked
    | Settled
    | CloseAudited
    | RegimeSeen
    | ComputationAsked
    | ComputationDropped
    | Finding
    | CashSet
    | RunEnded
)
"""What a decision may write besides refusals, withdrawals and effects."""
