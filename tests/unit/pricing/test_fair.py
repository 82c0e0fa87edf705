"""Which source a fair value rests on, one at a time; the audit of a close; up or down before its strike is told."""

import math

import msgspec
import pytest

from fairstrike.core.chance import Dice
from fairstrike.core.contract import Comparison, Contract
from fairstrike.core.effects import Warn
from fairstrike.core.events import ContractListed, IndexPrinted
from fairstrike.market.index import OFFICIAL
from fairstrike.market.index import Params as IndexParams
from fairstrike.pricing.fair import Fairs, Params
from fairstrike.pricing.volatility import Params as VolatilityParams
from tests.unit import engine_samples
from tests.unit.engine_samples import Hall, of, snapshot, timer
from tests.unit.market.samples import SECOND, contract, listed

E8 = 100_000_000
KNOWN = IndexParams(proxy_sd_e8={"coinbase/BTC": 5 * E8, "consensus/BTC": 4 * E8})


def fairs() -> Fairs:
    return Fairs(Params(), KNOWN, VolatilityParams(returns_min=5))


def printed(second: int, source: str = "official", dollars: int = 80_000) -> IndexPrinted:
    return IndexPrinted(
        asset="BTC", source=source, second=second, value_e8=dollars * E8, recv_ns=second * SECOND, venue_ns=None
    )


def p_fair(made: Fairs, second: int) -> float | None:
    return made.p_fair(contract(floor=80_050), second * SECOND, 0)


def test_only_the_best_source_moves_the_reference() -> None:
    made = fairs()
    assert made.fold(printed(5, "coinbase"), 0)
    assert made.fold(printed(6), 0)
    assert not made.fold(printed(6, "coinbase"), 0)
    assert not made.fold(printed(6, "gemini"), 0)
    assert made.fold(printed(10, "coinbase"), 0)


def test_a_second_half_of_the_consensus_moves_it() -> None:
    made = fairs()
    made.fold(printed(5, "coinbase"), 0)
    assert made.fold(printed(5, "kraken"), 0)
    reference = made.reference("BTC", 5 * SECOND)
    assert reference is not None
    assert (reference.source, reference.sd_e8) == ("consensus", 4 * E8)


def test_volatility_is_not_made_of_the_distance_between_sources() -> None:
    """The two sources stand still, fifty dollars apart; taken in turn they would seem to jump."""
    made = fairs()
    for second in range(10):
        made.fold(printed(second), 0)
        made.fold(printed(second, "coinbase", 80_050), 0)
    assert made.vol_annual("BTC", "official") == made.vol_annual("BTC", "coinbase") == 0.0
    assert made.vol_annual("BTC", "kraken") is None


def test_when_the_best_source_falls_silent_the_next_is_ready() -> None:
    made = fairs()
    for second in range(10):
        made.fold(printed(second, dollars=80_000 + second % 3), 0)
        made.fold(printed(second, "coinbase", 80_100 + second % 3), 0)
    below = p_fair(made, 9)
    for second in range(10, 14):
        made.fold(printed(second, "coinbase", 80_100 + second % 3), 0)
    above = p_fair(made, 13)
    assert below is not None
    assert above is not None
    assert below < 0.5 < above
    assert p_fair(made, 17) is None


def chained(at_s: int, floor: int = 80_000) -> ContractListed:
    """An up/down market that opened at second 100, told at an instant."""
    market = contract(floor=floor, close_s=1_000, comparison=Comparison.AT_LEAST, series="KXBTC15M")
    opened = msgspec.structs.replace(market, open_ns=100 * SECOND)
    return msgspec.structs.replace(listed(opened), recv_ns=at_s * SECOND)


def test_a_close_is_audited_once_and_not_before_its_last_print_can_be_there() -> None:
    made = fairs()
    assert made.audit(chained(110)) is None
    for second in range(40, 101):
        made.fold(printed(second), 0)
    assert made.audit(chained(101)) is None
    found = made.audit(chained(102))
    assert found is not None
    assert (found.official_e8, found.complaint) == (80_000 * E8, "")
    assert made.audit(chained(110)) is None


def test_a_close_without_a_whole_window_is_not_audited() -> None:
    made = fairs()
    for second in range(60, 101):
        made.fold(printed(second), 0)
    assert made.audit(chained(110)) is None


# An up/down market before its strike is published

OPEN_S = 1_800_000_000
UP = Contract(
    ticker="KXBTC15M-T",
    event_ticker="KXBTC15M",
    series="KXBTC15M",
    asset="BTC",
    comparison=Comparison.AT_LEAST,
    open_ns=OPEN_S * SECOND,
    close_ns=(OPEN_S + 900) * SECOND,
    round_digits=2,
)


def told(until_s: int) -> tuple[Fairs, list[int]]:
    """Fairs that heard twenty minutes of prints up to a second, and those of the strike window among them."""
    fairs = Fairs(Params(), IndexParams(), VolatilityParams())
    dice, value, window = Dice(5, 1), 80_000.0, []
    for second in range(OPEN_S - 1_200, until_s + 1):
        value *= math.exp(0.5 / math.sqrt(31_536_000) * dice.normal())
        at_ns = second * SECOND
        value_e8 = round(value * 100) * (E8 // 100)
        if OPEN_S - 60 <= second < OPEN_S:
            window.append(value_e8)
        fairs.fold(
            IndexPrinted(asset="BTC", second=second, value_e8=value_e8, source=OFFICIAL, venue_ns=at_ns, recv_ns=at_ns),
            0,
        )
    return fairs, window


def test_strike_of_prints_and_published_strike_agree_at_the_open() -> None:
    fairs, window = told(OPEN_S)
    now_ns = OPEN_S * SECOND
    strike_cents = round(sum(window) / 60 * 100 / E8)
    struck = msgspec.structs.replace(UP, floor_e8=strike_cents * (E8 // 100))
    before, after = fairs.p_fair(UP, now_ns, 0), fairs.p_fair(struck, now_ns, 0)
    assert before is not None
    assert after is not None
    assert pytest.approx(after, abs=1e-4) == before
    assert before != 0.5


def test_long_before_the_open_it_is_even() -> None:
    fairs, _ = told(OPEN_S - 300)
    assert pytest.approx(0.5, abs=1e-3) == fairs.p_fair(UP, (OPEN_S - 300) * SECOND, 0)


def test_no_value_without_returns_or_a_fresh_price() -> None:
    few, _ = told(OPEN_S - 1_199)
    assert few.p_fair(UP, (OPEN_S - 1_199) * SECOND, 0) is None
    fairs, _ = told(OPEN_S)
    assert fairs.p_fair(UP, (OPEN_S + 60) * SECOND, 0) is None


def test_other_markets_have_no_value_before_their_strike() -> None:
    fairs, _ = told(OPEN_S)
    threshold = msgspec.structs.replace(UP, comparison=Comparison.ABOVE)
    assert fairs.p_fair(threshold, OPEN_S * SECOND, 0) is None


def test_a_proxy_is_told_of_once_an_event_in_the_last_five_minutes() -> None:
    hall = Hall().opened()

    def told(closes_in_s: int, source: str) -> list[str]:
        second = 3_600 - closes_in_s
        told = (snapshot(second), engine_samples.printed(second, source=source), timer(second, "pulse"))
        outcome = hall.feed(*told)
        return [warning.text for warning in of(Warn, outcome.effects)]

    assert told(301, "coinbase") == []
    assert told(300, "official") == []
    assert told(290, "coinbase") == [
        "KXBTCD-26MAY1417: 290 s before its close BTC is priced by coinbase, a proxy for the official index"
    ]
    assert told(289, "coinbase") == told(280, "official") == told(270, "coinbase") == []
