"""Decimal text of the wire to bounded integers.

Every number that leaves the wire fits 64 bits and its own domain: a price lies in [0, 1] dollar, a size
below ten billion contracts, an amount below ten billion dollars, a time before the year 2255. Anything else
is refused here, so that nothing behind this door needs to ask again. Prices and sizes repeat a great deal,
so their texts are remembered, up to a maximum.
"""

from decimal import Decimal
from functools import lru_cache
from typing import Annotated

from msgspec import Meta

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS, parse_rfc3339_ns
from fairstrike.core.units import PPM, TICKS_PER_DOLLAR, parse_cc, parse_decimal, parse_ticks, parse_ud

Milliseconds = Annotated[int, Meta(ge=0, le=9_000_000_000_000)]
"""Epoch milliseconds on the wire."""

Seconds = Annotated[int, Meta(ge=0, le=9_000_000_000)]
"""Epoch seconds on the wire."""

Count = Annotated[int, Meta(ge=-(2**53), le=2**53)]
"""A whole number on the wire."""

_CC_MAX = 10**12
_UD_MAX = 10**16
_E8_MAX = 10**18
_NUMBER_LONGEST = 30
_PRICES_KEPT = 16_384
_SIZES_KEPT = 65_536


@lru_cache(maxsize=_PRICES_KEPT)
def price_ticks(text: str) -> int:
    """Give the ticks, in [0, 10 000], of a price in dollars such as "0.5200".

    Raises `ArithmeticRefusal` for text that is no such price: treat its frame as unreadable.
    """
    ticks = parse_ticks(text)
    if not 0 <= ticks <= TICKS_PER_DOLLAR:
        raise ArithmeticRefusal(f"{text!r} is not a price between 0 and 1 dollar")
    return ticks


@lru_cache(maxsize=_SIZES_KEPT)
def size_cc(text: str) -> int:
    """Give the centicontracts of a count, or of a change of one, such as "-150.00".

    Raises `ArithmeticRefusal` for text that is no such count: treat its frame as unreadable.
    """
    cc = parse_cc(text)
    if not -_CC_MAX < cc < _CC_MAX:
        raise ArithmeticRefusal(f"{text!r} is not a count of contracts")
    return cc


def money_ud(text: str) -> int:
    """Give the microdollars of an amount in dollars such as "0.015930".

    Raises `ArithmeticRefusal` for text that is no such amount: treat its answer as unreadable.
    """
    ud = parse_ud(text)
    if not -_UD_MAX < ud < _UD_MAX:
        raise ArithmeticRefusal(f"{text!r} is not an amount of dollars")
    return ud


def number_text(number: Decimal) -> str:
    """Give a JSON number as plain decimal text, without exponent and exactly.

    Raises `ArithmeticRefusal` for NaN, infinity and numbers of more than thirty digits.
    """
    if not number.is_finite() or abs(number.adjusted()) > _NUMBER_LONGEST:
        raise ArithmeticRefusal("a number of the wire is not finite or far too long")
    exponent = number.as_tuple().exponent
    if isinstance(exponent, str) or exponent < -_NUMBER_LONGEST:
        raise ArithmeticRefusal("a number of the wire is not finite or far too long")
    return format(number, "f")


def number_e8(number: Decimal) -> int:
    """Give a strike or index value that came as a JSON number, exactly, in 1/100 000 000 dollar.

    Raises `ArithmeticRefusal` when it is finer than that, negative or too large.
    """
    e8 = parse_decimal(number_text(number), 8)
    if not 0 <= e8 < _E8_MAX:
        raise ArithmeticRefusal(f"{number_text(number)} is not an index value")
    return e8


def number_ticks(number: Decimal) -> int:
    """Give the ticks, in [0, 10 000], of a price or settlement value that came as number or text.

    Raises `ArithmeticRefusal` outside that range.
    """
    return price_ticks(number_text(number))


def number_ppm(number: Decimal) -> int:
    """Give a multiplier such as 0.5 in parts per million, exactly.

    Raises `ArithmeticRefusal` when it is finer than that, negative or above one thousand.
    """
    ppm = parse_decimal(number_text(number), 6)
    if not 0 <= ppm <= 1000 * PPM:
        raise ArithmeticRefusal(f"{number_text(number)} is not a fee multiplier")
    return ppm


def milliseconds_ns(milliseconds: int | None) -> int | None:
    """Give the instant of epoch milliseconds, None for None."""
    return None if milliseconds is None else milliseconds * MILLISECOND_NS


def seconds_ns(seconds: int | None) -> int | None:
    """Give the instant of epoch seconds, None for None."""
    return None if seconds is None else seconds * SECOND_NS


def time_ns(text: str | None) -> int | None:
    """Give the instant of an RFC 3339 text, None for None, for empty text and before 1970.

    Raises `ArithmeticRefusal` for any other text that is not such a time.
    """
    if not text:
        return None
    instant_ns = parse_rfc3339_ns(text)
    return instant_ns if 0 <= instant_ns <= 9_000_000_000 * SECOND_NS else None
