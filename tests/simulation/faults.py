"""What goes wrong between the two sides, drawn from a seed: answers, requests, frames and connections get lost."""

from enum import Enum, auto

import msgspec

from fairstrike.core.chance import Dice
from fairstrike.venue.kalshi.wire.transport import Request

_PERMILLE = 1_000
_BOOK, _FILL, _ORDER = b'"type":"orderbook_delta"', b'"type":"fill"', b'"type":"user_order"'


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """How often what goes wrong, of a thousand; and when, in seconds after the start, the stream breaks.

    An unheard request never arrives; of an unanswered one only the answer is lost. A late order arrives after it
    was given up.
    """

    orders_unheard: int = 0
    orders_unanswered: int = 0
    orders_late: int = 0
    cancels_unheard: int = 0
    cancels_unanswered: int = 0
    reads_unanswered: int = 0
    deltas_dropped: int = 0
    account_frames_dropped: int = 0
    account_frames_doubled: int = 0
    breaks_s: tuple[int, ...] = ()


class Fate(Enum):
    """What becomes of one request."""

    DONE = auto()
    UNHEARD = auto()
    UNANSWERED = auto()
    LATE = auto()


class Mishaps:
    """Draws what happens, and counts it by name."""

    def __init__(self, faults: Faults, dice: Dice) -> None:
        """Draw by `faults` from `dice`."""
        self.counts: dict[str, int] = {}
        self._faults = faults
        self._dice = dice

    def fate(self, request: Request) -> Fate:
        """Give what becomes of a request that is sent now."""
        faults = self._faults
        match request.method:
            case "POST":
                if self._strikes("orders_unheard", faults.orders_unheard):
                    return Fate.UNHEARD
                if self._strikes("orders_late", faults.orders_late):
                    return Fate.LATE
                is_lost = self._strikes("orders_unanswered", faults.orders_unanswered)
            case "DELETE":
                if self._strikes("cancels_unheard", faults.cancels_unheard):
                    return Fate.UNHEARD
                is_lost = self._strikes("cancels_unanswered", faults.cancels_unanswered)
            case _:
                is_lost = self._strikes("reads_unanswered", faults.reads_unanswered)
        return Fate.UNANSWERED if is_lost else Fate.DONE

    def frames(self, frames: list[bytes]) -> list[bytes]:
        """Give the frames that arrive of those sent."""
        faults = self._faults
        if not (faults.deltas_dropped or faults.account_frames_dropped or faults.account_frames_doubled):
            return frames
        return [frame for sent in frames for frame in self._copies(sent)]

    def _copies(self, frame: bytes) -> list[bytes]:
        faults = self._faults
        if _BOOK in frame:
            return [] if self._strikes("deltas_dropped", faults.deltas_dropped) else [frame]
        if _FILL in frame or _ORDER in frame:
            if self._strikes("account_frames_dropped", faults.account_frames_dropped):
                return []
            if self._strikes("account_frames_doubled", faults.account_frames_doubled):
                return [frame, frame]
        return [frame]

    def _strikes(self, name: str, permille: int) -> bool:
        if not permille or self._dice.below(_PERMILLE) >= permille:
            return False
        self.counts[name] = self.counts.get(name, 0) + 1
        return True
