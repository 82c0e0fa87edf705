"""A clock that runs as fast as the market usually moves: by minute of the hour and by hour of the week.

The index moves more in the first minute of an hour, when many things begin, and more in some hours of the week than in
others. f(t) is the usual variance a second at t over its long-run mean: a factor for the minute times a factor for the
hour, each with mean 1. Time by this clock is ∫f, and a volatility measured by it is the same at all hours.

Factors are learned, for each asset, from |r|/√dt, whose mean a jump moves less than that of squares; its square stands
for the variance. Old ones fade by half in `half_life_weeks`, and few observations leave a factor near 1. Without any
the clock runs evenly.
"""

import math
from collections.abc import Sequence
from itertools import accumulate

import msgspec

from fairstrike.core.bounds import PositiveFloat
from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.timing import SECOND_NS
from fairstrike.pricing.digital import VOL_MAX
from fairstrike.pricing.estimators import RETURN_MAX
from fairstrike.pricing.settlement import SECONDS_AHEAD_MAX, SettlementInputs
from fairstrike.pricing.updown import UpDownInputs

MINUTES, HOURS = 60, 168
WEEK_S = HOURS * 3_600
_FACTOR_MAX = 20.0


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How fast factors fade, and how many observations of a minute or hour weigh as much as the belief in 1."""

    half_life_weeks: PositiveFloat = 2.0
    belief_minute: PositiveFloat = 240.0
    belief_hour: PositiveFloat = 3_600.0


class VarianceClock:
    """Seconds as the market counts them. `minutes` and `hours` are factors with mean 1.

    Hours are counted from Thursday 00:00 UTC, the week of the epoch.
    """

    __slots__ = ("_hours_before", "_minutes_before", "hours", "minutes")

    def __init__(self, minutes: Sequence[float] = (1.0,) * MINUTES, hours: Sequence[float] = (1.0,) * HOURS) -> None:
        """Take 60 and 168 factors; their means are made 1.

        Raises `ArithmeticRefusal` for another number of factors, or one outside (0, 20] times the mean.
        """
        self.minutes = _normalised(minutes, MINUTES)
        self.hours = _normalised(hours, HOURS)
        self._minutes_before = (0.0, *accumulate(60.0 * factor for factor in self.minutes))
        self._hours_before = (0.0, *accumulate(3_600.0 * factor for factor in self.hours))

    def factor(self, instant_ns: int) -> float:
        """Give f at an instant (UTC)."""
        second = instant_ns // SECOND_NS
        return self.hours[second // 3_600 % HOURS] * self.minutes[second // 60 % MINUTES]

    def seconds(self, from_ns: int, to_ns: int) -> float:
        """Give ∫f in seconds from one instant to another, negative when that is earlier."""
        return self._since_epoch(to_ns) - self._since_epoch(from_ns)

    def applied(self, inputs: SettlementInputs, now_ns: int, close_ns: int) -> SettlementInputs:
        """Give the inputs of a settlement law by this clock; `vol_annual` is one measured by it too.

        The window, the last minute before the close, runs at one speed g: the law is that of volatility σ√g with a
        first print ∫f/g seconds away. `now_ns` is on the source's clock. A volatility beyond `VOL_MAX` is that,
        and a time beyond `SECONDS_AHEAD_MAX`.
        """
        speed = self.factor(close_ns - SECOND_NS)
        first_ns = now_ns + round(inputs.first_s * SECOND_NS)
        return msgspec.structs.replace(
            inputs,
            vol_annual=min(inputs.vol_annual * math.sqrt(speed), VOL_MAX),
            first_s=min(max(self.seconds(now_ns, first_ns), 0.0) / speed, SECONDS_AHEAD_MAX),
        )

    def applied_before_open(self, inputs: UpDownInputs, now_ns: int, close_ns: int) -> UpDownInputs:
        """Give the inputs of an up/down market's law by this clock, as `applied` does.

        The minute of its strike is taken to run at the speed of the minute of its settlement.
        """
        speed = self.factor(close_ns - SECOND_NS)

        def counted(seconds: float) -> float:
            return max(self.seconds(now_ns, now_ns + round(seconds * SECOND_NS)), 0.0) / speed

        first_s = min(counted(inputs.first_s), SECONDS_AHEAD_MAX - inputs.left)
        return msgspec.structs.replace(
            inputs,
            vol_annual=min(inputs.vol_annual * math.sqrt(speed), VOL_MAX),
            first_s=first_s,
            settles_s=min(max(counted(inputs.settles_s), first_s + inputs.left), SECONDS_AHEAD_MAX),
        )

    def _since_epoch(self, instant_ns: int) -> float:
        weeks, rest_ns = divmod(instant_ns, WEEK_S * SECOND_NS)
        hour, rest_ns = divmod(rest_ns, 3_600 * SECOND_NS)
        minute, rest_ns = divmod(rest_ns, 60 * SECOND_NS)
        inside = self._minutes_before[minute] + self.minutes[minute] * rest_ns / SECOND_NS
        return weeks * WEEK_S + self._hours_before[hour] + self.hours[hour] * inside


class ClockEstimator:
    """Learns one asset's clock from returns as they come."""

    __slots__ = ("_at", "_hours", "_minutes", "_params")

    def __init__(self, params: Params) -> None:
        """Start without a return: an even clock."""
        self._params = params
        self._minutes = [_Faded() for _ in range(MINUTES)]
        self._hours = [_Faded() for _ in range(HOURS)]
        self._at = 0

    def update(self, second: int, dt: int, log_return: float) -> None:
        """Take a return over the `dt` seconds that ended at epoch second `second`; in order of time.

        One that spans more than a minute tells no minute and is left out.
        Raises `ArithmeticRefusal` for a return that is no number within ±`RETURN_MAX` or no time: leave it out.
        """
        if dt <= 0 or not abs(log_return) <= RETURN_MAX:
            raise ArithmeticRefusal(f"a return of {log_return!r} over {dt} seconds says nothing; leave it out")
        if dt > 60:
            return
        self._at = max(self._at, second)
        size, middle = abs(log_return) / math.sqrt(dt), second - (dt + 1) // 2
        for bucket in (self._minutes[middle // 60 % MINUTES], self._hours[middle // 3_600 % HOURS]):
            bucket.add(size, float(dt), self._weeks(), self._params.half_life_weeks)

    def clock(self) -> VarianceClock:
        """Give the clock learned so far."""
        params = self._params
        return VarianceClock(
            self._factors(self._minutes, params.belief_minute), self._factors(self._hours, params.belief_hour)
        )

    def _weeks(self) -> float:
        return self._at / WEEK_S

    def _factors(self, buckets: "Sequence[_Faded]", belief: float) -> list[float]:
        faded = [bucket.at(self._weeks(), self._params.half_life_weeks) for bucket in buckets]
        weight = math.fsum(weight for weight, _ in faded)
        mean = math.fsum(total for _, total in faded) / weight if weight else 0.0
        if mean == 0.0:
            return [1.0] * len(buckets)
        return [((total + belief * mean) / ((weight + belief) * mean)) ** 2 for weight, total in faded]


class _Faded:
    """A weighted sum that fades with the weeks."""

    __slots__ = ("_total", "_weeks", "_weight")

    def __init__(self) -> None:
        self._weeks = self._weight = self._total = 0.0

    def add(self, value: float, weight: float, weeks: float, half_life: float) -> None:
        self._weight, self._total = self.at(weeks, half_life)
        self._weeks = weeks
        self._weight += weight
        self._total += weight * value

    def at(self, weeks: float, half_life: float) -> tuple[float, float]:
        left = 2.0 ** (-(weeks - self._weeks) / half_life) if self._weight else 0.0
        return self._weight * left, self._total * left


def _normalised(factors: Sequence[float], count: int) -> tuple[float, ...]:
    total = math.fsum(factors)
    if len(factors) != count or not 0.0 < total < math.inf:
        raise ArithmeticRefusal(f"give {count} factors above 0, not {len(factors)} that add up to {total!r}")
    mean = total / count
    if not all(0.0 < factor / mean <= _FACTOR_MAX for factor in factors):
        raise ArithmeticRefusal(f"a factor is outside (0, {_FACTOR_MAX:g}] times the mean {mean:g}; correct it")
    return tuple(factor / mean for factor in factors)
