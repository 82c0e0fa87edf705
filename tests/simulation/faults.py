"""What goes wrong between the two sides of a stepped world: the exchange's own faults, each fit to one request."""

from fairstrike.core.timing import SECOND_NS
from fairstrike.exchange import faults as of
from fairstrike.venue.kalshi.rest import RestParams

_GIVEN_UP_MS = RestParams(origin="").timeout_ns / SECOND_NS * 1_000


def orders_unheard(share: float) -> of.Fault:
    """Orders never arrive."""
    return of.Timeout(method="POST", probability=share, is_done=False)


def orders_unanswered(share: float) -> of.Fault:
    """Orders are taken, and the answer is lost."""
    return of.Timeout(method="POST", probability=share)


def orders_late(share: float) -> of.Fault:
    """Orders arrive after they were given up."""
    return of.Latency(method="POST", probability=share, law="uniform", ms=_GIVEN_UP_MS, spread_ms=3_000)


def cancels_unheard(share: float) -> of.Fault:
    """Cancels never arrive."""
    return of.Timeout(method="DELETE", probability=share, is_done=False)


def cancels_unanswered(share: float) -> of.Fault:
    """Cancels are carried out, and the answer is lost."""
    return of.Timeout(method="DELETE", probability=share)


def reads_unanswered(share: float) -> of.Fault:
    """Reads are not answered."""
    return of.Timeout(method="GET", probability=share)


def deltas_dropped(share: float) -> of.Fault:
    """Changes of books are lost."""
    return of.DropFrame(channel="orderbook_delta", probability=share)


def account_frames_dropped(share: float) -> tuple[of.Fault, ...]:
    """News of fills and orders are lost."""
    return tuple(of.DropFrame(channel=channel, probability=share) for channel in ("fill", "user_orders"))


def account_frames_doubled(share: float) -> tuple[of.Fault, ...]:
    """News of fills and orders come twice."""
    return tuple(of.DuplicateFrame(channel=channel, probability=share) for channel in ("fill", "user_orders"))


def breaks(*seconds: int) -> tuple[of.Fault, ...]:
    """The stream breaks at these venue seconds after the start."""
    return tuple(of.Disconnect(at_s=second) for second in seconds)
