"""Strikes as people read them: from the words a market is shown with, and from its ticker.

Words name what pays, both ends included: "$70,500 or above", "$52,199.99 or below", "$70,500 to 70,999.99",
"Target Price: $63,441.03". A rule names the strike itself: "is above 70799.99 at", which begins to pay a cent later.
A text is read whole or not at all, and says nothing when anything in it is not understood.

The ticker of a market ends in "-T" and its strike, in "-B" and the middle of its range to the last place that is
written, or in a quarter of an hour. "-T" does not tell the direction. Source: 47 173 tickers of July 2026.
"""

import re
from datetime import datetime

import msgspec

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.timing import from_new_york, new_york
from fairstrike.core.units import E8_PER_DOLLAR, parse_e8

CENT_E8 = E8_PER_DOLLAR // 100

_LONGEST = 400
_E8_MAX = 10**18
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d{1,12})(?:\.\d{1,8})?"
_PHRASE = (
    rf"(?:\$(?P<low>{_NUMBER}) (?:to|-|–) \$?(?P<high>{_NUMBER})"
    rf"|\$(?P<least>{_NUMBER}) or (?:above|higher|more)"
    rf"|\$(?P<most>{_NUMBER}) or (?:below|lower|less))"
)
_SHOWN = re.compile(rf"(?P<about>(?:[A-Za-z']+ ){{0,12}}){_PHRASE}(?P<when>(?: (?:on|at) [^$]*)?)\??")
_TARGET = re.compile(rf"target price: (?:\$(?P<target>{_NUMBER})|tbd)", re.IGNORECASE)
_RULE = re.compile(
    r"If the simple average of the sixty seconds of [^$%<>]* is "
    rf"(?P<said>above (?P<over>{_NUMBER})|below (?P<under>{_NUMBER})|between (?P<low>{_NUMBER})-(?P<high>{_NUMBER}))"
    r" at [^$%<>]*, then the market resolves to Yes\."
)
_TURNS = frozenset({"not", "no", "never", "outside", "except", "unless", "without", "less", "more", "below", "above"})
_WORD = re.compile(r"[a-z]+")
_SUFFIX = re.compile(r"(?P<kind>[TB])(?P<level>\d{1,12}(?:\.\d{1,8})?)")
_NAMED_TIME = re.compile(r"(\d{2})([A-Z]{3})(\d{2})(\d{2})(\d{2})?")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The lowest and the highest index value that pays (`_e8`), None without such an end.

    A target is an up/down market's; one not published yet has no ends at all. `place_e8` is the last place shown,
    `text` what was read.
    """

    text: str
    low_e8: int | None = None
    high_e8: int | None = None
    is_target: bool = False
    place_e8: int = CENT_E8


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """The level in a ticker (`_e8`): a strike, or the middle of a range; it was rounded to `place_e8`."""

    level_e8: int
    is_middle: bool
    place_e8: int


def read_words(text: str | None) -> Words | None:
    """Give what a title or subtitle says of the strikes, None when it says nothing that is understood."""
    if not text or len(text) > _LONGEST:
        return None
    if (found := _TARGET.fullmatch(text)) is not None:
        target = found["target"]
        return Words(text=text, low_e8=_e8(target), is_target=True, place_e8=_place_e8(target))
    found = _SHOWN.fullmatch(text)
    if found is None or _TURNS & set(_WORD.findall(f"{found['about']}{found['when']}".lower())):
        return None
    return _words(text, _e8(found["low"] or found["least"]), _e8(found["high"] or found["most"]))


def read_rule(text: str | None) -> Words | None:
    """Give what a rule in one sentence says of the strikes, None when it says nothing that is understood."""
    if not text or len(text) > _LONGEST:
        return None
    found = _RULE.fullmatch(text)
    if found is None:
        return None
    over, under = _e8(found["over"]), _e8(found["under"])
    low = over + CENT_E8 if over is not None else _e8(found["low"])
    high = under - CENT_E8 if under is not None else _e8(found["high"])
    return _words(found["said"], low, high)


def read_level(ticker: str) -> Level | None:
    """Give the level that a market's ticker ends in, None when it ends in none."""
    found = _SUFFIX.fullmatch(ticker.rpartition("-")[2])
    if found is None:
        return None
    level_e8 = _e8(found["level"])
    assert level_e8 is not None, "a suffix that matches has a level"
    return Level(
        level_e8=level_e8,
        is_middle=found["kind"] == "B",
        place_e8=_place_e8(found["level"]),
    )


def named_closes_ns(event_ticker: str) -> tuple[int, ...]:
    """Give the instants that the time in an event's ticker may mean, New York time; none when there is no such time.

    "26JUL0921" is 21:00 on the ninth, 01:00 UTC on the tenth; an hour that is lived twice means two instants.
    """
    found = _NAMED_TIME.fullmatch(event_ticker.partition("-")[2])
    if found is None or not event_ticker.isascii() or found[2] not in _MONTHS:
        return ()
    year, month, day = 2_000 + int(found[1]), _MONTHS.index(found[2]) + 1, int(found[3])
    try:
        wall = datetime(year, month, day, int(found[4]), int(found[5] or "0"))
    except ValueError:
        return ()
    return from_new_york(wall)


def named_time(close_ns: int, *, with_minutes: bool) -> str:
    """Give a close as an event's ticker names it, such as "26JUL0921".

    How the venue tells apart the closes of the hour that is lived twice has not been seen; the second is marked "B".
    """
    wall = new_york(close_ns)
    hour = f"{wall:%y}{_MONTHS[wall.month - 1]}{wall:%d%H}"
    is_second = from_new_york(wall)[1:] == (close_ns,)
    return hour + (f"{wall:%M}" if with_minutes else "") + ("B" if is_second else "")


def _words(text: str, low_e8: int | None, high_e8: int | None) -> Words | None:
    if low_e8 is not None and high_e8 is not None and low_e8 > high_e8:
        return None
    return Words(text=text, low_e8=low_e8, high_e8=high_e8)


def _e8(number: str | None) -> int | None:
    """Give a number of a text, None for None. Raises `ArithmeticRefusal` for one that is no index value."""
    if number is None:
        return None
    e8 = parse_e8(number.replace(",", ""))
    if e8 >= _E8_MAX:
        raise ArithmeticRefusal(f"{number} is not an index value")
    return e8


def _place_e8(number: str | None) -> int:
    """Give the unit of a number's last place."""
    return E8_PER_DOLLAR // int(10 ** len((number or "").partition(".")[2]))
