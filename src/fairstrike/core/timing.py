"""Arithmetic on instants and durations, all in integer nanoseconds UTC. Reads no clock.

`VenueClock` maps the machine's time to the venue's: the identity except against a simulated exchange
whose clock runs faster or was set to another moment. New York time is computed from the rule in force
since 2007 (second Sunday of March to first Sunday of November, changes at 02:00 local).
"""

from datetime import UTC, datetime, timedelta

import msgspec

from fairstrike.core.errors import ArithmeticRefusal

MILLISECOND_NS = 1_000_000
SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS
WINDOW_SECONDS = 60
WINDOW_NS = WINDOW_SECONDS * SECOND_NS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class VenueClock(msgspec.Struct, frozen=True, kw_only=True):
    """Venue time = `anchor_venue_ns` + `factor` × (system time − `anchor_system_ns`).

    With a factor above one, real delays cost `factor` times as much venue time, so every bound on
    staleness, silence, holding and offset is widened here, once, to at least factor × 500 ms.
    """

    anchor_venue_ns: int = 0
    anchor_system_ns: int = 0
    factor: int = 1

    def venue_ns(self, system_ns: int) -> int:
        """Give the venue's instant at the machine's instant `system_ns`."""
        return self.anchor_venue_ns + self.factor * (system_ns - self.anchor_system_ns)

    def system_ns(self, venue_ns: int) -> int:
        """Give the machine's instant at the venue's instant `venue_ns`."""
        return self.anchor_system_ns + (venue_ns - self.anchor_venue_ns) // self.factor

    def bound_ns(self, bound_ns: int) -> int:
        """Give a staleness bound as it must be applied under this clock, in venue nanoseconds."""
        return bound_ns if self.factor == 1 else max(bound_ns, self.factor * 500 * MILLISECOND_NS)


def parse_rfc3339_ns(text: str) -> int:
    """Give the instant of an RFC 3339 text such as "2026-05-14T00:30:00.123456Z".

    Raises `ArithmeticRefusal` when the text has no date, time and zone: send a complete one.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArithmeticRefusal(f"{text[:40]!r} is not an RFC 3339 time") from None
    if moment.tzinfo is None:
        raise ArithmeticRefusal(f"{text[:40]!r} names no time zone")
    gone = moment - _EPOCH
    return (gone.days * 86_400 + gone.seconds) * SECOND_NS + gone.microseconds * 1_000


def format_rfc3339(instant_ns: int) -> str:
    """Give an instant as RFC 3339 UTC text, to the microsecond when it has a fraction of a second."""
    seconds, nanos = divmod(instant_ns, SECOND_NS)
    moment = _EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1_000)
    return moment.isoformat().replace("+00:00", "Z")


def new_york(instant_ns: int) -> datetime:
    """Give the wall time in New York at an instant, without zone: tickers are written in it."""
    moment = (_EPOCH + timedelta(seconds=instant_ns // SECOND_NS)).replace(tzinfo=None)
    starts = _sunday(moment.year, 3, 2) + timedelta(hours=7)
    ends = _sunday(moment.year, 11, 1) + timedelta(hours=6)
    return moment - timedelta(hours=4 if starts <= moment < ends else 5)


def from_new_york(wall: datetime) -> tuple[int, ...]:
    """Give the instants at which clocks in New York show `wall`, which has no zone.

    There is one; two in the hour that is lived twice in November; none in the hour that is left out in March.
    """
    gone = wall - _EPOCH.replace(tzinfo=None)
    local_ns = (gone.days * 86_400 + gone.seconds) * SECOND_NS
    possible = (local_ns + hours * HOUR_NS for hours in (4, 5))
    return tuple(instant_ns for instant_ns in possible if new_york(instant_ns) == wall.replace(microsecond=0))


def _sunday(year: int, month: int, nth: int) -> datetime:
    first = datetime(year, month, 1)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (nth - 1))
