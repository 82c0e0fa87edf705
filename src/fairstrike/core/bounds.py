"""Types of settings that have bounds: what lies outside is refused where settings are read."""

from typing import Annotated

from msgspec import Meta

from fairstrike.core.units import TICKS_PER_DOLLAR

Share = Annotated[float, Meta(ge=0, le=1)]
"""A part of a whole, 0 to 1."""

Amount = Annotated[float, Meta(ge=0)]
"""Dollars, cents, hours or seconds, not negative."""

Period = Annotated[float, Meta(gt=0)]
"""Seconds that must pass, more than none."""

PositiveFloat = Annotated[float, Meta(gt=0)]
"""A rate, volatility or scale above zero."""

Count = Annotated[int, Meta(ge=0)]
"""A number of things, ticks, centicontracts or nanoseconds, not negative."""

Positive = Annotated[int, Meta(ge=1)]
"""The same, at least one."""

Digits = Annotated[int, Meta(ge=0, le=8)]
"""Decimals of a dollar, as many as a price has at most."""

PriceTicks = Annotated[int, Meta(ge=1, le=TICKS_PER_DOLLAR - 1)]
"""A price at which something can trade."""
