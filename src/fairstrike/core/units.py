"""Integers for what is counted, and the only place where decimal text becomes an integer or back.

Unit names are suffixes: `_ticks` 1/10 000 dollar (a price, in YES terms), `_cc` 1/100 contract,
`_ud` 1/1 000 000 dollar (one tick times one centicontract, exactly), `_e8` 1/100 000 000 dollar
(index values and strikes), `_ppm` parts per million, `_ns` nanoseconds.
"""

from fairstrike.core.errors import ArithmeticRefusal

TICKS_PER_DOLLAR = 10_000
TICKS_PER_CENT = 100
CC_PER_CONTRACT = 100
UD_PER_DOLLAR = 1_000_000
UD_PER_CENT = 10_000
E8_PER_DOLLAR = 100_000_000
PPM = 1_000_000

_LONGEST_TEXT = 40
_POWERS = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)


def parse_decimal(text: str, places: int) -> int:
    """Give `text`, a plain decimal such as "-12.50", times ten to the power `places`, exactly.

    Digits beyond `places` are accepted only when they are zeros.
    Raises `ArithmeticRefusal` when the text is not a plain decimal or is finer than the unit:
    the sender must round first.
    """
    body = text[1:] if text[:1] in ("-", "+") else text
    whole, _, fraction = body.partition(".")
    digits = whole + fraction
    if not (digits.isascii() and digits.isdigit()) or len(text) > _LONGEST_TEXT:
        raise ArithmeticRefusal(f"{text[:_LONGEST_TEXT]!r} is not a plain decimal number")
    if len(fraction) > places:
        if fraction[places:].strip("0"):
            raise ArithmeticRefusal(f"{text!r} is finer than the {places} decimals of its unit")
        fraction = fraction[:places]
    value = int(whole or "0") * _POWERS[places] + int(fraction.ljust(places, "0") or "0")
    return -value if text[:1] == "-" else value


def format_decimal(value: int, places: int) -> str:
    """Give integer `value` divided by ten to the power `places` as text with all `places` decimals."""
    if not places:
        return str(value)
    digits = str(abs(value)).zfill(places + 1)
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def parse_ticks(text: str) -> int:
    """Give the ticks of a price in dollars, e.g. "0.5200" -> 5200.

    Raises `ArithmeticRefusal` for text finer than 0.0001 dollar: send a price on the venue's grid.
    """
    if len(text) == 6 and text[1] == "." and text.isascii():
        digits = text[0] + text[2:]
        if digits.isdigit():
            return int(digits)
    return parse_decimal(text, 4)


def parse_cc(text: str) -> int:
    """Give the centicontracts of a count of contracts, e.g. "-150.00" -> -15000.

    Raises `ArithmeticRefusal` for text finer than 0.01 contract: send a whole number of hundredths.
    """
    if text[-3:-2] == "." and len(text) <= _LONGEST_TEXT and text.isascii():
        digits = text[:-3] + text[-2:]
        if digits.isdigit():
            return int(digits)
        if digits[0] == "-" and digits[1:].isdigit():
            return int(digits)
    return parse_decimal(text, 2)


def parse_ud(text: str) -> int:
    """Give the microdollars of an amount in dollars, e.g. "0.015930" -> 15930.

    Raises `ArithmeticRefusal` for text finer than a microdollar: round it first.
    """
    return parse_decimal(text, 6)


def parse_e8(text: str) -> int:
    """Give the 1/100 000 000 dollars of an index value or strike, e.g. "79487.86".

    Raises `ArithmeticRefusal` for text finer than that: round it first.
    """
    return parse_decimal(text, 8)


def format_ticks(ticks: int) -> str:
    """Give a price as dollars with four decimals, e.g. 5200 -> "0.5200"."""
    return format_decimal(ticks, 4)


def format_cc(cc: int) -> str:
    """Give a size as contracts with two decimals, e.g. 1050 -> "10.50"."""
    return format_decimal(cc, 2)


def format_ud(ud: int) -> str:
    """Give money as dollars with six decimals, e.g. 15930 -> "0.015930"."""
    return format_decimal(ud, 6)


def format_e8(e8: int) -> str:
    """Give an index value as dollars with eight decimals."""
    return format_decimal(e8, 8)


def ticks_of_belief_down(p: float) -> int:
    """Give the highest whole tick not above probability `p` in [0, 1]: what a buyer may pay.

    Raises `ArithmeticRefusal` outside [0, 1]: a probability is needed.
    """
    return ppm_of_belief(p) // (PPM // TICKS_PER_DOLLAR)


def ticks_of_belief_up(p: float) -> int:
    """Give the lowest whole tick not below probability `p` in [0, 1]: what a seller may take.

    Raises `ArithmeticRefusal` outside [0, 1]: a probability is needed.
    """
    return -(-ppm_of_belief(p) // (PPM // TICKS_PER_DOLLAR))


def ppm_of_belief(p: float) -> int:
    """Give a probability as parts per million, half up: how a belief enters the journal.

    Raises `ArithmeticRefusal` outside [0, 1] and for NaN: a probability is needed.
    """
    if not 0.0 <= p <= 1.0:
        raise ArithmeticRefusal(f"{p!r} is not a probability; it must lie in [0, 1]")
    return int(p * PPM + 0.5)
