"""Broken descriptions of markets: a contract that makes sense, or a reason; never an exception, never a strike made up.

The number of descriptions is FAIRSTRIKE_FUZZ_FRAMES (or FAIRSTRIKE_FRAMES), 10 000 unless told.
"""

import json

from fairstrike.core.chance import Dice
from fairstrike.core.contract import Comparison
from fairstrike.venue.kalshi.asking import read_market
from tests.fuzz.test_frames import FRAMES, broken

RULE = (
    "If the simple average of the sixty seconds of CF Benchmarks' Bitcoin Real-Time Index (BRTI) before 2 AM EDT is {} "
    "at 2 AM EDT on Jul 10, 2026, then the market resolves to Yes."
)
COMMON = {
    "event_ticker": "KXBTC-26JUL1002",
    "market_type": "binary",
    "status": "active",
    "open_time": "2026-07-10T05:00:00Z",
    "close_time": "2026-07-10T06:00:00Z",
    "volume_24h_fp": "12.50",
    "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0100"}],
}
SAID = (
    ("-B53250", "$53,200 to 53,299.99", "between 53200-53299.99", ("between", 53200, 53299.99)),
    ("-T70799.99", "$70,800 or above", "above 70799.99", ("greater", 70799.99, None)),
    ("-T52200", "$52,199.99 or below", "below 52200", ("less", None, 52200)),
)
STRIKES_E8 = {5_320_000_000_000, 5_329_999_000_000, 7_079_999_000_000, 5_220_000_000_000}


def descriptions() -> list[bytes]:
    """Whole descriptions: with fields and words, with fields only, with words only."""
    found = []
    for end, shown, ruled, (kind, floor, cap) in SAID:
        ticker = {"ticker": f"KXBTC-26JUL1002{end}"}
        fields = {"strike_type": kind, "floor_strike": floor, "cap_strike": cap}
        words = {"yes_sub_title": shown, "subtitle": shown, "rules_primary": RULE.format(ruled)}
        found += [{**COMMON, **ticker, **more} for more in (fields | words, fields, words)]
    return [json.dumps(one, separators=(",", ":")).encode() for one in found]


def test_a_broken_description_is_a_market_that_makes_sense_or_none() -> None:
    dice, corpus = Dice(20_261_121, 2), descriptions()
    read = 0
    for _ in range(FRAMES):
        data = corpus[dice.below(len(corpus))]
        for _ in range(dice.below(4)):
            data = broken(data, dice, corpus)
        _, market, terms = read_market(data)
        assert terms.contract is not None or terms.doubt
        if market is None or terms.contract is None:
            continue
        contract = terms.contract
        assert contract.is_struck or contract.comparison is Comparison.AT_LEAST
        assert contract.open_ns < contract.close_ns
        read += 1
    assert read >= FRAMES // 4


def test_one_changed_digit_of_the_words_is_never_another_strike() -> None:
    """Without structured fields: whatever digit is changed, the ticker or another text tells, or nothing changes."""
    for data in descriptions()[2::3]:
        for place in (place for place, byte in enumerate(data) if chr(byte).isdigit()):
            for digit in b"0123456789":
                _, _, terms = read_market(data[:place] + bytes([digit]) + data[place + 1 :])
                if terms.contract is not None:
                    assert {terms.contract.floor_e8, terms.contract.cap_e8} - {None} <= STRIKES_E8


def test_whole_descriptions_leave_no_doubt() -> None:
    for data in descriptions():
        _, _, terms = read_market(data)
        assert terms.contract is not None
        assert terms.doubt == ""
