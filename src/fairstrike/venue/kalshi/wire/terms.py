"""What is traded in a market, from what the venue says of it; nothing when that is not beyond doubt.

The structured fields decide: `strike_type`, `floor_strike`, `cap_strike`, the times and the series. Words and ticker
(`wording.py`) are read for what those fields leave out, and held against them: where they contradict, the structured
fields are taken and the doubt is said. A market that is not understood has no contract and a reason.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Protocol, assert_never

import msgspec

from fairstrike.core.contract import Comparison, Contract, PriceRange
from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.timing import format_rfc3339
from fairstrike.core.units import E8_PER_DOLLAR
from fairstrike.venue.kalshi.wire.amounts import number_e8, time_ns
from fairstrike.venue.kalshi.wire.markets import CustomStrike, Market, asset_of, grid_of
from fairstrike.venue.kalshi.wire.wording import (
    CENT_E8,
    Level,
    Words,
    named_closes_ns,
    read_level,
    read_rule,
    read_words,
)

_MEAN_SUFFIXES = frozenset({"", "D", "E", "15M"})
_COMPARISONS = {comparison.value: comparison for comparison in Comparison}
_CENT_ASSETS = frozenset({"BTC", "ETH"})
"""Assets whose settlement values have two decimals. Source: 618 of 618 hourly and daily events of July 2026."""

_DIGITS_MAX = 8
_QUOTED_LONGEST = 40
_NOT_BORNE_OUT = "its words are not borne out by its ticker"


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """A market's contract, or None and why; with a contract, `doubt` is what contradicts it, empty for nothing."""

    contract: Contract | None = None
    doubt: str = ""


class _Described(Protocol):
    @property
    def floor_strike(self) -> Decimal | None: ...
    @property
    def cap_strike(self) -> Decimal | None: ...


Strikes = tuple[int | None, int | None]
"""Floor and cap, `_e8`; None for one that the comparison lacks or that is not published."""


def terms_of(market: Market) -> Terms:
    """Give what is traded in a market; no contract when its description does not say it beyond doubt.

    Only series that settle on the mean of the last minute are contracts (thresholds, ranges, up/down). Strikes of an
    up/down market that are not published yet stay None.
    """
    try:
        series = market.event_ticker.partition("-")[0]
        asset = asset_of(series)
        if asset is None or series.removeprefix("KX" + asset) not in _MEAN_SUFFIXES or market.market_type != "binary":
            raise ArithmeticRefusal("it is none of the markets that settle on the mean of the last minute")
        words = tuple(_words_of(market))
        contract = _contract(market, *_terms(market, words))
    except ArithmeticRefusal as refused:
        return Terms(doubt=str(refused))
    return Terms(contract=contract, doubt=next(_doubts(contract, words, read_level(market.ticker)), ""))


def comparison_of(strike_type: str | None) -> Comparison | None:
    """Give the comparison that a `strike_type` means, None when there is none.

    Raises `ArithmeticRefusal` for one that is not known: a market must not be traded on it.
    """
    if not strike_type:
        return None
    if strike_type not in _COMPARISONS:
        raise ArithmeticRefusal(f"its strike_type is {strike_type[:_QUOTED_LONGEST]!r}")
    return _COMPARISONS[strike_type]


def strikes_of(comparison: Comparison, described: _Described) -> Strikes:
    """Give the strikes that a comparison needs, as far as the structured fields tell them.

    Raises `ArithmeticRefusal` for a number that is no index value.
    """
    floor = cap = None
    if comparison is not Comparison.BELOW and described.floor_strike is not None:
        floor = number_e8(described.floor_strike)
    if comparison in (Comparison.BELOW, Comparison.BETWEEN) and described.cap_strike is not None:
        cap = number_e8(described.cap_strike)
    return floor, cap


def round_digits_of(custom: CustomStrike | None) -> int | None:
    """Give the decimals that the mean is rounded to before it is compared, None for none.

    Raises `ArithmeticRefusal` for what is no number of decimals.
    """
    if custom is None or custom.round_digits is None:
        return None
    text = str(custom.round_digits)
    if not (text.isascii() and text.isdigit() and len(text) < 3 and int(text) <= _DIGITS_MAX):
        raise ArithmeticRefusal(f"{text[:_QUOTED_LONGEST]!r} is not a number of decimals")
    return int(text)


def _words_of(market: Market) -> Iterator[Words]:
    for text in (market.yes_sub_title, market.subtitle, market.title):
        if (words := read_words(text)) is not None:
            yield words
    if (words := read_rule(market.rules_primary)) is not None:
        yield words


def _terms(market: Market, words: tuple[Words, ...]) -> tuple[Comparison, Strikes]:
    """Give comparison and strikes: as the structured fields say, and what they leave out as words and ticker say."""
    comparison, level = comparison_of(market.strike_type), read_level(market.ticker)
    if comparison is None:
        return _said(market, words, level)
    floor, cap = strikes_of(comparison, market)
    is_floor_missing = floor is None and comparison is not Comparison.BELOW
    is_cap_missing = cap is None and comparison in (Comparison.BELOW, Comparison.BETWEEN)
    if not (is_floor_missing or is_cap_missing):
        return comparison, (floor, cap)
    if any(one.low_e8 is not None or one.high_e8 is not None for one in words):
        return _said(market, words, level)
    if comparison in (Comparison.ABOVE, Comparison.BELOW) and level is not None and not level.is_middle:
        # The kind being told, the ticker of such a market holds its very strike.
        told = level.level_e8
        return comparison, (told, None) if comparison is Comparison.ABOVE else (None, told)
    if comparison is Comparison.AT_LEAST:
        return comparison, (None, None)
    raise ArithmeticRefusal("it has no strike, in its fields or in its words")


def _said(market: Market, words: tuple[Words, ...], level: Level | None) -> tuple[Comparison, Strikes]:
    """Give comparison and strikes by words that the ticker bears out and no structured field contradicts."""
    ends = {(one.low_e8, one.high_e8, one.is_target) for one in words}
    if not ends:
        raise ArithmeticRefusal("it has no strike_type, and its words are not understood")
    if len(ends) > 1:
        raise ArithmeticRefusal("its words contradict each other")
    low, high, is_target = next(iter(ends))
    if is_target is not market.event_ticker.partition("-")[0].endswith("15M"):
        raise ArithmeticRefusal("its words are those of another kind of market")
    if is_target:
        told: tuple[Comparison, Strikes] = Comparison.AT_LEAST, (_target(market, words), None)
    elif low is not None and high is not None:
        told = Comparison.BETWEEN, _range(market, low, high, level)
    else:
        told = _threshold(market, low, high, level)
    comparison, strikes = told
    if comparison_of(market.strike_type) not in (None, comparison):
        raise ArithmeticRefusal("its words contradict its strike_type")
    for given, strike in zip(strikes_of(Comparison.BETWEEN, market), strikes, strict=True):
        if given is not None and given != strike:
            raise ArithmeticRefusal("its words contradict its strikes")
    return comparison, strikes


def _target(market: Market, words: tuple[Words, ...]) -> int | None:
    """Give the target, when it is shown with all the decimals that count."""
    digits = round_digits_of(market.custom_strike)
    shown = words[0]
    if shown.low_e8 is None or digits is None or shown.place_e8 > E8_PER_DOLLAR // 10**digits:
        return None
    return shown.low_e8


def _range(market: Market, low: int, high: int, level: Level | None) -> Strikes:
    """Give a range by its words, whose last cent is its cap only where settlement values end in cents."""
    is_cent = asset_of(market.event_ticker) in _CENT_ASSETS
    if not is_cent or level is None or not _is_middle(level, low, high):
        raise ArithmeticRefusal(_NOT_BORNE_OUT)
    return low, high


def _threshold(market: Market, low: int | None, high: int | None, level: Level | None) -> tuple[Comparison, Strikes]:
    """Give a threshold whose words begin, or end, to pay one unit beside the strike that the ticker tells.

    The ticker tells the unit; without it a cent is known to be one for some assets only.
    """
    is_cent = asset_of(market.event_ticker) in _CENT_ASSETS
    told = None if level is None or level.is_middle else level.level_e8
    end = low if low is not None else high
    assert end is not None, "words that were read name at least one end"
    beside = -CENT_E8 if low is not None else CENT_E8
    if told is not None and 0 < (told - end) * beside <= CENT_E8**2:
        strike = told
    elif is_cent and told in (None, end) and not (level is not None and level.is_middle) and end + beside >= 0:
        strike = end + beside
    else:
        raise ArithmeticRefusal(_NOT_BORNE_OUT)
    return (Comparison.ABOVE, (strike, None)) if low is not None else (Comparison.BELOW, (None, strike))


def _contract(market: Market, comparison: Comparison, strikes: Strikes) -> Contract:
    """Raises `ArithmeticRefusal` for times or strikes that are upside down, and for anything out of its bounds."""
    series = market.event_ticker.partition("-")[0]
    asset = asset_of(series)
    assert asset is not None, "only series of a known asset are described"
    open_ns, close_ns = time_ns(market.open_time), time_ns(market.close_time)
    if open_ns is None or close_ns is None or open_ns >= close_ns:
        raise ArithmeticRefusal("it has no times, or closes before it opens")
    floor, cap = strikes
    if floor is not None and cap is not None and floor > cap:
        raise ArithmeticRefusal("its floor strike is above its cap strike")
    return Contract(
        ticker=market.ticker,
        event_ticker=market.event_ticker,
        series=series,
        asset=asset,
        comparison=comparison,
        open_ns=open_ns,
        close_ns=close_ns,
        floor_e8=floor,
        cap_e8=cap,
        round_digits=round_digits_of(market.custom_strike),
        grid=_grid(market),
        exchange_index=market.exchange_index or 0,
    )


def _grid(market: Market) -> tuple[PriceRange, ...]:
    """Give the price grid; without ranges only whole cents are known by their name.

    Source: the venue names structures, banded_centi_cent among them, whose ranges it tells nowhere but in the market.
    """
    structure = market.price_level_structure
    if not market.price_ranges and structure not in ("", "linear_cent"):
        raise ArithmeticRefusal(f"it has no price ranges, and its structure is {structure[:_QUOTED_LONGEST]!r}")
    return grid_of(market.price_ranges)


def _doubts(contract: Contract, words: Iterable[Words], level: Level | None) -> Iterator[str]:
    """Give what of words and ticker contradicts a contract."""
    for one in words:
        if not _is_meant(one, contract):
            yield f"its strikes are not what {one.text[:_QUOTED_LONGEST]!r} says"
    if level is not None and not _is_level_of(level, contract):
        yield "its strikes are not what its ticker says"
    closes_ns = named_closes_ns(contract.event_ticker)
    if closes_ns and contract.close_ns not in closes_ns:
        yield f"it closes at {format_rfc3339(contract.close_ns)}, which is not what its ticker says"


def _is_meant(words: Words, contract: Contract) -> bool:
    """Whether words mean a contract: ends within the cent that words and strikes may lie apart."""
    low, high, floor, cap = words.low_e8, words.high_e8, contract.floor_e8, contract.cap_e8
    match contract.comparison:
        case Comparison.AT_LEAST:
            return high is None and (low is None or floor is None or _is_within_a_cent(low, floor))
        case Comparison.ABOVE:
            return not words.is_target and high is None and _is_beside(low, floor)
        case Comparison.BELOW:
            return low is None and _is_beside(cap, high)
        case Comparison.BETWEEN:
            return _is_within_a_cent(low, floor) and _is_within_a_cent(high, cap)
        case _:
            assert_never(contract.comparison)


def _is_within_a_cent(shown_e8: int | None, strike_e8: int | None) -> bool:
    return shown_e8 is not None and strike_e8 is not None and abs(shown_e8 - strike_e8) < CENT_E8


def _is_beside(upper_e8: int | None, lower_e8: int | None) -> bool:
    return upper_e8 is not None and lower_e8 is not None and 0 < upper_e8 - lower_e8 <= CENT_E8


def _is_level_of(level: Level, contract: Contract) -> bool:
    floor, cap = contract.floor_e8, contract.cap_e8
    if contract.comparison is Comparison.BETWEEN:
        return floor is not None and cap is not None and _is_middle(level, floor, cap)
    return not level.is_middle and level.level_e8 == (cap if contract.comparison is Comparison.BELOW else floor)


def _is_middle(level: Level, floor_e8: int, cap_e8: int) -> bool:
    return level.is_middle and abs(2 * level.level_e8 - floor_e8 - cap_e8) <= level.place_e8
