"""Whether a trader may begin: the venue is there and takes the key, and this machine's clock agrees with it."""

import asyncio
import time
from email.utils import parsedate_to_datetime

from fairstrike.app.clock import ClockOffset
from fairstrike.core.errors import ProtocolError, Refused
from fairstrike.venue.kalshi.rest import Rest
from fairstrike.venue.kalshi.wire.transport import Request, Response

_PROBES_MAX, _PROBE_SECONDS = 12, 0.1


async def check_venue(rest: Rest) -> None:
    """Return when a trader may begin; nothing but reads is sent.

    Raises `ClockError` on a machine whose clock is off, `VenueError` for a venue that cannot be reached or refuses
    the key.
    """
    offset, probes_left = ClockOffset(), _PROBES_MAX
    answer = await _probe(rest, offset)
    while answer.is_success and not offset.is_within and probes_left:
        probes_left -= 1
        await asyncio.sleep(_PROBE_SECONDS)
        answer = await _probe(rest, offset)
    if not answer.is_success:
        raise Refused(
            f"the venue refused the key with {answer.status}: {answer.body[:200].decode('utf-8', 'replace')}; "
            "check that key id and key file belong together and to this environment",
            status=answer.status,
        )


async def _probe(rest: Rest, offset: ClockOffset) -> Response:
    """Ask the venue for the time, and anything that takes a key."""
    sent_ns = time.time_ns()
    answer = await rest.attempt(Request(method="GET", path="/portfolio/balance"))
    date = {name.lower(): value for name, value in answer.headers}.get("date")
    if date is not None:
        try:
            date_s = int(parsedate_to_datetime(date).timestamp())
        except ValueError:
            raise ProtocolError(f"the venue's Date header {date[:40]!r} is no date; check the address") from None
        offset.narrow(date_s, sent_ns, time.time_ns())
    return answer
