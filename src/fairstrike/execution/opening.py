"""Opening: the account's cash and positions, read so that they belong together.

No read tells both, and a market may settle between two: then its payout is in the cash and its contracts are in the
positions as well, or neither is. So the positions are read before the cash and after it, a lag apart from it on either
side because reads trail. Two equal answers say that nothing settled between them, and are taken over with the cash.
Otherwise the later one becomes the earlier, and cash and positions are read again; so too when an answer still holds a
market whose settlement was told meanwhile.
"""

from collections.abc import Container

from fairstrike.core.events import HeldPosition
from fairstrike.core.records import CashSet


class Opening:
    """What was read of the account so far. `wants` says what to read next."""

    def __init__(self) -> None:
        """Start with nothing read."""
        self._held: tuple[HeldPosition, ...] | None = None
        self._cash_ud: int | None = None

    @property
    def wants(self) -> str:
        """The next read: positions, balance, then positions again."""
        return "balance" if self._held is not None and self._cash_ud is None else "positions"

    @property
    def has_cash(self) -> bool:
        """Whether the positions read next may confirm the cash that was read."""
        return self._cash_ud is not None

    def saw_cash(self, cash_ud: int) -> None:
        """Take the cash in."""
        self._cash_ud = cash_ud

    def saw_positions(self, held: tuple[HeldPosition, ...], settled: Container[str]) -> CashSet | None:
        """Take positions in; `settled` are the markets known to have settled. Gives what can be taken over, if any."""
        is_settling = any(one.ticker in settled for one in held)
        if self._cash_ud is not None and held == self._held and not is_settling:
            return CashSet(cash_ud=self._cash_ud, positions=held)
        self._held, self._cash_ud = held, None
        return None
