"""Which source a fair value rests on: one at a time, with its own prints and volatility; and the audit of a close."""

import msgspec

from fairstrike.core.contract import Comparison
from fairstrike.core.events import ContractListed, IndexPrinted
from fairstrike.market.index import Params as IndexParams
from fairstrike.pricing.fair import Fairs, Params
from fairstrike.pricing.volatility import Params as VolatilityParams
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
