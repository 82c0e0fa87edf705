"""A fault in force: its dice, from when until when, and how often it struck."""

from enum import Enum, auto

import msgspec

from fairstrike.core.chance import Dice
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.exchange import faults as of

_DELAY_NS_MAX = 3_600 * SECOND_NS


class Phase(Enum):
    """What a fault does to the exchange at an instant."""

    BEGIN = auto()
    STRIKE = auto()
    END = auto()


class FaultView(msgspec.Struct, frozen=True, kw_only=True):
    """A fault as it stands: its number, from when until when (venue time), how often it struck."""

    id: int
    fault: of.Fault
    from_ns: int
    until_ns: int | None
    struck: int


class Live:
    """One fault with its dice. `due_ns` is when it does its next act to the exchange, None when never."""

    __slots__ = ("dice", "due_ns", "fault", "from_ns", "has_begun", "number", "struck", "until_ns")

    def __init__(self, number: int, fault: of.Fault, from_ns: int, dice: Dice) -> None:
        """Be in force from `from_ns` on."""
        self.number = number
        self.fault = fault
        self.dice = dice
        self.from_ns = from_ns
        self.until_ns = None if fault.duration_s is None else from_ns + round(fault.duration_s * SECOND_NS)
        self.struck = 0
        self.has_begun = False
        self.due_ns = from_ns if isinstance(fault, of.Staged | of.Disconnect) else None

    def is_in_force(self, now_ns: int) -> bool:
        """Whether the fault may strike at `now_ns`."""
        return self.from_ns <= now_ns and (self.until_ns is None or now_ns < self.until_ns)

    def strikes(self, probability: float, count: int | None) -> bool:
        """Whether the fault strikes what fits it now; counts that it did."""
        if count is not None and self.struck >= count:
            return False
        if probability < 1.0 and self.dice.uniform() >= probability:
            return False
        self.struck += 1
        return True

    def delay_ns(self, law: of.Law, ms: float, spread_ms: float) -> int:
        """Draw a delay."""
        wait_ms = ms
        if law == "uniform":
            wait_ms += spread_ms * self.dice.uniform()
        elif law == "exponential":
            wait_ms += self.dice.exponential(spread_ms)
        return min(round(wait_ms * MILLISECOND_NS), _DELAY_NS_MAX)

    def view(self) -> FaultView:
        """Give the fault as it stands, as a value."""
        return FaultView(
            id=self.number, fault=self.fault, from_ns=self.from_ns, until_ns=self.until_ns, struck=self.struck
        )
