"""Whether a trader may begin: the venue is there and takes the key, this machine's clock agrees with it, and how much
the account may ask.
"""

import asyncio
import time
from collections.abc import Callable

from fairstrike.app.clock import ClockOffset, date_s
from fairstrike.core.errors import ProtocolError, Refused
from fairstrike.venue.kalshi import calls
from fairstrike.venue.kalshi.budget import Budget
from fairstrike.venue.kalshi.calls import call
from fairstrike.venue.kalshi.parameters import Nothing
from fairstrike.venue.kalshi.reads import Reads
from fairstrike.venue.kalshi.refusals import refusal
from fairstrike.venue.kalshi.rest import Rest, persist
from fairstrike.venue.kalshi.wire.portfolio import AccountLimits
from fairstrike.venue.kalshi.wire.transport import Request, Response

_PROBES_MAX, _PROBE_SECONDS = 12, 0.1


_SIGNED, _PUBLIC = "/portfolio/balance", "/exchange/status"


async def check_venue(rest: Rest, budget: Budget, *, has_key: bool = True) -> None:
    """Return when a trader may begin; nothing but reads is sent, and nothing signed without a key.

    A venue that fails for a moment is asked again, as by any read. Raises `ClockError` on a machine whose clock is off,
    `VenueError` for a venue that cannot be reached or refuses the key.
    """
    offset, probes_left = ClockOffset(), _PROBES_MAX
    path = _SIGNED if has_key else _PUBLIC
    answer = await _probe(rest, budget, path, offset)
    while answer.is_success and not offset.is_within and probes_left:
        probes_left -= 1
        await asyncio.sleep(_PROBE_SECONDS)
        answer = await _probe(rest, budget, path, offset)
    if not answer.is_success:
        raise refusal(answer)


async def take_limits(reads: Reads, budget: Budget, now_ns: Callable[[], int]) -> AccountLimits | str:
    """Read the account's limits and the costs of operations, and keep to them from now on.

    Gives the limits, or the sentence that says why the documented ones of the lowest tier stay in force. Raises
    `Unreachable` for a venue that does not answer.
    """
    try:
        limits = await reads.call(call(calls.LIMITS, Nothing()))
        costs = await reads.call(call(calls.COSTS, Nothing()))
    except (Refused, ProtocolError) as error:
        return f"the account's limits could not be read ({error}); requests keep to those of the lowest tier"
    if min(limits.read.refill_rate, limits.write.refill_rate, costs.default_cost) < 1:
        return "the venue told limits or costs that are none; requests keep to those of the lowest tier"
    budget.set_costs(costs.default_cost, costs.endpoint_costs)
    budget.set_limits(limits.read, limits.write, now_ns())
    return limits


async def _probe(rest: Rest, budget: Budget, path: str, offset: ClockOffset) -> Response:
    """Ask the venue for anything, and with it for the time; each wait before the answer adds to the doubt."""
    sent_ns = time.time_ns()
    answer = await persist(rest, budget, Request(method="GET", path=path))
    date = {name.lower(): value for name, value in answer.headers}.get("date")
    if date is not None:
        offset.narrow(date_s(date), sent_ns, time.time_ns())
    return answer
