"""The last resort: cancel everything on the account at the venue, and prove that nothing rests."""

import asyncio

import msgspec

from fairstrike.core.errors import VenueError
from fairstrike.venue.kalshi.rest import Rest
from fairstrike.venue.kalshi.wire.portfolio import OrdersPage
from fairstrike.venue.kalshi.wire.transport import Request

_TRIES = 10
_PAUSE_SECONDS = 0.5


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """Whether it is proved that nothing rests, and the sentence that tells how it went."""

    is_proved: bool
    told: str


async def cancel_everything(rest: Rest) -> Outcome:
    """Cancel all orders of the account; give how it went."""
    empty_lists = 0
    for _ in range(_TRIES):
        try:
            await rest.attempt(Request(method="DELETE", path="/portfolio/events/orders"))
            await asyncio.sleep(_PAUSE_SECONDS)
            query = (("status", "resting"),)
            answer = await rest.attempt(Request(method="GET", path="/portfolio/orders", query=query))
            if answer.is_success and not msgspec.json.decode(answer.body, type=OrdersPage).orders:
                empty_lists += 1
                if empty_lists == 2:
                    told = "every order was cancelled; two lists of resting orders came back empty"
                    return Outcome(is_proved=True, told=told)
            else:
                empty_lists = 0
        except (VenueError, msgspec.MsgspecError):
            await asyncio.sleep(_PAUSE_SECONDS)
    told = "it is NOT proved that no order rests: log in to the venue and cancel what is left by hand"
    return Outcome(is_proved=False, told=told)
