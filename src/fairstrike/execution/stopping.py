"""Stopping: cancel everything, then prove that nothing rests by asking twice.

A stop is proved when two lists of resting orders, asked for at least `lag_ns` apart, held none of ours, the fills
were read after the first of them and its lag, and no order of ours is working. A stop that cannot be proved in time
says so.
"""

import msgspec

from fairstrike.core.bounds import Count, Positive
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often the lists are asked for while stopping, how far apart, and when the stop is given up."""

    every_ns: Positive = 500 * MILLISECOND_NS
    lag_ns: Count = 250 * MILLISECOND_NS
    give_up_ns: Positive = 30 * SECOND_NS


class Stopping:
    """The state of one stop: when it began and which empty lists were read since."""

    def __init__(self, params: Params, began_ns: int, reason: str) -> None:
        """Begin a stop."""
        self.reason = reason
        self._params = params
        self._began_ns = began_ns
        self._first_empty_ns: int | None = None
        self._fills_ns = 0
        self._is_empty = False

    @property
    def is_proved(self) -> bool:
        """Whether nothing rests and no fill can have been missed."""
        first_ns = self._first_empty_ns
        return self._is_empty and first_ns is not None and self._fills_ns >= first_ns + self._params.lag_ns

    def saw_fills(self, asked_ns: int) -> None:
        """Take in that the fills were read to their end."""
        self._fills_ns = max(self._fills_ns, asked_ns)

    def saw_list(self, asked_ns: int, resting: int) -> None:
        """Take in one list of resting orders of ours."""
        if resting:
            self._first_empty_ns = None
            self._is_empty = False
        elif asked_ns < self._began_ns:
            return
        elif self._first_empty_ns is None:
            self._first_empty_ns = asked_ns
        elif asked_ns - self._first_empty_ns >= self._params.lag_ns:
            self._is_empty = True

    def is_given_up(self, now_ns: int) -> bool:
        """Whether the stop took longer than it may."""
        return now_ns - self._began_ns > self._params.give_up_ns
