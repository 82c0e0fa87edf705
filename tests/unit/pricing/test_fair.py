"""Which source a fair value rests on; audits; up or down before its strike is told; refinements; regimes."""

import math
from itertools import pairwise
from statistics import NormalDist

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairstrike.core.chance import Dice
from fairstrike.core.contract import Comparison, Contract
from fairstrike.core.effects import Warn
from fairstrike.core.events import ContractListed, IndexPrinted
from fairstrike.core.regime import Regime, RegimeSeen, VolLevel
from fairstrike.market.index import OFFICIAL
from fairstrike.market.index import Params as IndexParams
from fairstrike.pricing.distribution import ladder_of, model_weights, prices
from fairstrike.pricing.fair import Clock, Fairs, Params
from fairstrike.pricing.last_minute import Params as LastMinuteParams
from fairstrike.pricing.last_minute import last_minute_vol
from fairstrike.pricing.settlement import SettlementInputs, SettlementLaw, probability, settlement_law
from fairstrike.pricing.tails import MixtureTails, StudentTails, fattened
from fairstrike.pricing.volatility import Params as VolatilityParams
from fairstrike.pricing.volatility import realised_vol
from tests.unit import engine_samples
from tests.unit.engine_samples import Hall, of, snapshot, timer
from tests.unit.market.samples import SECOND, contract, listed
from tests.unit.pricing.paths import prints_of, returns_of, smoothed

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
UP = msgspec.structs.replace(
    contract("KXBTC15M-T", None, OPEN_S + 900, Comparison.AT_LEAST, "KXBTC15M"),
    open_ns=OPEN_S * SECOND,
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


# Refinements: each off as shipped

QUIET_S = OPEN_S + 1_800
"""Half past the hour, the end of twenty minutes of prints; a new hour begins 1 800 seconds later."""

BURST = Clock(minutes=(5.0,) + (1.0,) * 59)
LAST = LastMinuteParams(stretches_min=5)
FAT = StudentTails(freedom=4.0)


def walked(params: Params, until_s: int = QUIET_S, smoothing: float = 0.0) -> Fairs:
    """Fairs that heard twenty minutes of official prints up to a second."""
    made = Fairs(params, IndexParams(), VolatilityParams())
    for second, value_e8 in prints_of(smoothed(returns_of(5, 1_200), smoothing), until_s - 1_200).items():
        at_ns = second * SECOND
        made.fold(
            IndexPrinted(asset="BTC", second=second, value_e8=value_e8, source=OFFICIAL, venue_ns=at_ns, recv_ns=at_ns),
            0,
        )
    return made


def rung(close_s: int, floor: float | None, cap: float | None = None) -> Contract:
    """A range market, or a tail of its ladder, by its strikes in dollars."""
    comparison = Comparison.BETWEEN if None not in (floor, cap) else Comparison.BELOW if cap else Comparison.ABOVE
    return msgspec.structs.replace(
        contract(f"{floor}-{cap}", floor=None, close_s=close_s, comparison=comparison),
        floor_e8=None if floor is None else round(floor * E8),
        cap_e8=None if cap is None else round(cap * E8),
    )


def spot_of(made: Fairs) -> float:
    reference = made.reference("BTC", QUIET_S * SECOND)
    assert reference is not None
    return reference.value_e8 / E8


def worth(made: Fairs, one: Contract) -> float:
    found = made.p_fair(one, QUIET_S * SECOND, 0)
    assert found is not None
    return found


def law_of(made: Fairs, vol: float, first_s: float, left: int = 60, seen_sum: float = 0.0) -> SettlementLaw:
    return settlement_law(
        SettlementInputs(spot=spot_of(made), vol_annual=vol, first_s=first_s, left=left, seen_sum=seen_sum)
    )


def test_realised_volatility_is_that_of_the_prints() -> None:
    made, plain = walked(Params(vol="realised")), walked(Params())
    prints = made.index["BTC"].series[OFFICIAL].prints
    vol = realised_vol(prints, QUIET_S, VolatilityParams())
    assert vol is not None
    assert made.vol_annual("BTC", OFFICIAL) == vol
    assert pytest.approx(0.5, rel=0.05) == vol
    assert plain.vol_annual("BTC", OFFICIAL) != vol
    one = rung(QUIET_S + 900, spot_of(made) + 60.0)
    assert worth(made, one) == probability(one, law_of(made, vol, 840.0))
    assert worth(made, one) != worth(plain, one)


def test_by_the_clock_a_loud_minute_counts_for_five() -> None:
    """A close 20 minutes into the next hour: 1 800 quiet seconds, 60 loud ones, then quiet again."""
    made, plain = walked(Params(clocks={"BTC": BURST})), walked(Params())
    vol = plain.vol_annual("BTC", OFFICIAL)
    assert vol is not None
    # All prints were in quiet minutes, of which the clock counts each second as less than one.
    quiet = 60.0 / 64.0
    counted = made.vol_annual("BTC", OFFICIAL)
    assert counted == pytest.approx(vol / math.sqrt(quiet), rel=1e-9)
    one = rung(QUIET_S + 3_000, spot_of(made) + 200.0)
    expected = probability(one, law_of(made, vol, 2_940.0 + 60.0 * 4.0))
    assert worth(made, one) == pytest.approx(expected, abs=1e-9)
    assert worth(made, one) > worth(plain, one)


def test_by_the_clock_nothing_changes_where_all_is_quiet_and_for_other_assets() -> None:
    made, plain = walked(Params(clocks={"BTC": BURST})), walked(Params())
    one = rung(QUIET_S + 900, spot_of(made) + 60.0)
    assert worth(made, one) == pytest.approx(worth(plain, one), abs=1e-9)
    late = rung(QUIET_S + 3_000, spot_of(made) + 200.0)
    assert worth(walked(Params(clocks={"ETH": BURST})), late) == worth(plain, late)


def test_by_the_clock_an_unstruck_market_is_worth_what_its_minutes_say() -> None:
    """Thirty strike prints are seen, below the price now: a loud hour makes it less certain to end above them."""
    now_s = QUIET_S + 1_770
    market = msgspec.structs.replace(UP, open_ns=(QUIET_S + 1_800) * SECOND, close_ns=(QUIET_S + 2_700) * SECOND)
    found = []
    for params in (Params(), Params(clocks={"BTC": BURST})):
        made = walked(params, now_s)
        vol = made.vol_annual("BTC", OFFICIAL)
        p = made.p_fair(market, now_s * SECOND, 0)
        assert vol is not None
        assert p is not None
        found.append((p, vol))
    assert abs(found[1][0] - 0.5) < abs(found[0][0] - 0.5)
    # The distance in standard deviations shrinks as 60 of some 840 seconds become 300.
    z = [NormalDist().inv_cdf(p) for p, _ in found]
    assert z[1] / z[0] == pytest.approx(math.sqrt(850.0 / (850.0 + 240.0)), rel=0.02)


def test_the_last_minute_has_its_own_volatility_inside_the_window_only() -> None:
    made, plain = (walked(Params(last_minute=last), smoothing=0.5) for last in (LAST, None))
    far = rung(QUIET_S + 300, spot_of(made) + 30.0)
    assert worth(made, far) == worth(plain, far)
    prints = made.index["BTC"].series[OFFICIAL].prints
    close_s = QUIET_S + 21
    seen = [prints[second] for second in range(close_s - 60, QUIET_S + 1)]
    own = last_minute_vol(prints, QUIET_S, 20, LAST)
    assert own is not None
    near = rung(close_s, sum(seen) / len(seen) / E8 + 5.0)
    assert len(seen) == 40
    expected = probability(near, law_of(made, own, 1.0, 20, sum(seen) / E8))
    assert worth(made, near) == pytest.approx(expected, abs=1e-9)
    assert worth(made, near) != worth(plain, near)


def test_the_last_minute_goes_before_the_clock_and_falls_back_to_it() -> None:
    near = rung(QUIET_S + 21, 80_000.0)
    both = walked(Params(last_minute=LAST, clocks={"BTC": BURST}))
    assert worth(both, near) == worth(walked(Params(last_minute=LAST)), near)
    never = LastMinuteParams(stretches_min=10_000)
    fallen = walked(Params(last_minute=never, clocks={"BTC": BURST}))
    assert worth(fallen, near) == worth(walked(Params(clocks={"BTC": BURST})), near)


def test_fat_tails_are_those_of_the_plain_probability() -> None:
    made, plain = walked(Params(tails=FAT)), walked(Params())
    for away in (-300.0, -50.0, 0.0, 50.0, 300.0):
        one = rung(QUIET_S + 900, spot_of(made) + away)
        assert worth(made, one) == pytest.approx(fattened(worth(plain, one), FAT), abs=1e-12)
    unstruck = msgspec.structs.replace(UP, open_ns=(QUIET_S + 20) * SECOND, close_ns=(QUIET_S + 920) * SECOND)
    assert worth(made, unstruck) == pytest.approx(fattened(worth(plain, unstruck), FAT), abs=1e-12)


def test_a_volatility_that_cannot_be_gives_no_fair_value() -> None:
    """A print a hundred times too high, as a broken source might send it, and the same back."""
    made = walked(Params())
    for second, dollars in ((QUIET_S + 1, 8_000_000), (QUIET_S + 2, 80_000)):
        made.fold(printed(second, dollars=dollars), 0)
    assert made.vol_annual("BTC", OFFICIAL) is None
    assert made.p_fair(rung(QUIET_S + 900, 80_000.0), (QUIET_S + 2) * SECOND, 0) is None
    assert made.regimes["BTC"].is_spiky


CHOICES = st.builds(
    Params,
    vol=st.sampled_from(("weighted", "realised")),
    clocks=st.sampled_from(({}, {"BTC": BURST})),
    last_minute=st.sampled_from((None, LAST)),
    tails=st.sampled_from((None, FAT, MixtureTails(weight=0.05, ratio=4.0))),
)


@settings(max_examples=40, deadline=None)
@given(CHOICES, st.integers(1, 4_000), st.floats(-500.0, 500.0), st.floats(0.01, 300.0))
def test_every_choice_keeps_the_ladder_whole(params: Params, left_s: int, away: float, step: float) -> None:
    made = walked(params)
    strikes = [spot_of(made) + away + number * step for number in range(6)]
    close_s = QUIET_S + left_s
    above = [worth(made, rung(close_s, strike)) for strike in strikes]
    ranges = [worth(made, rung(close_s, low, high)) for low, high in pairwise(strikes)]
    assert all(0.0 <= p <= 1.0 for p in (*above, *ranges))
    assert above == sorted(above, reverse=True)
    assert ranges == pytest.approx([low - high for low, high in pairwise(above)], abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(CHOICES, st.integers(1, 4_000), st.floats(-500.0, 500.0), st.floats(0.01, 300.0))
def test_the_models_distribution_is_that_of_the_fair_values(
    params: Params, left_s: int, away: float, step: float
) -> None:
    made = walked(params)
    strikes = [spot_of(made) + away + number * step for number in range(4)]
    struck = [
        rung(QUIET_S + left_s, low, high) for low, high in (*pairwise(strikes), *((one, None) for one in strikes))
    ]
    contracts = [msgspec.structs.replace(one, ticker=str(at)) for at, one in enumerate(struck)]
    known = made.known("BTC", contracts[0].close_ns, QUIET_S * SECOND)
    assert known is not None
    ladder = ladder_of(contracts)
    model = prices(ladder, model_weights(ladder, settlement_law(known)))
    assert model == pytest.approx({one.ticker: worth(made, one) for one in contracts}, abs=1e-9)


# Regimes


def test_the_regime_is_the_reference_sources_and_stays_while_another_does_not_know() -> None:
    made = walked(Params())
    assert made.regimes["BTC"] == RegimeSeen(asset="BTC", source=OFFICIAL, regime=Regime.CALM, level=VolLevel.MEDIUM)
    made.fold(printed(QUIET_S + 1, dollars=90_000), 0)
    assert made.regimes["BTC"].is_spiky
    # Coinbase takes over, and has too few prints to know.
    other = Fairs(Params(), KNOWN, VolatilityParams())
    other.regimes.update(made.regimes)
    assert other.fold(printed(QUIET_S + 10, "coinbase"), 0)
    assert other.regimes["BTC"].is_spiky
