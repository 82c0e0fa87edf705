"""The last resort: cancel everything on the account at the venue, and prove that nothing rests."""

import asyncio

import msgspec

from fairstrike.core.errors import VenueError
from fairstrike.venue.kalshi.rest import Rest
from fairstrike.venue.kalshi.wire.portfolio import OrdersPage
from fairstrike.venue.kalshi.wire.transport import Request

_TRIES = 10
_PAUSE_SECONDS = 0.5


async def cancel_everything(rest: Rest) -> str:
    """Cancel all orders of the account; give the sentence that tells how it went."""
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
                    return "every order was cancelled; two lists of resting orders came back empty"
            else:
                empty_lists = 0
        except (VenueError, msgspec.MsgspecError):
            await asyncio.sleep(_PAUSE_SECONDS)
    return "it is NOT proved that no order rests: log in to the venue and cancel what is left by hand"
