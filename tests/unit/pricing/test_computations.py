"""Legs and what they gain, state by state, against the settlement rule and the fees of each fill."""

from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.fees import FeeSchedule, fill_fee
from fairstrike.core.order import Side
from fairstrike.pricing.computations import Offer, gains_ud
from fairstrike.pricing.distribution import ladder_of
from tests.unit.pricing.contracts import ABOVE, contract

STRIKES = (79_900, 80_000, 80_100)
LADDER = ladder_of([contract(f"T{strike}", ABOVE, strike) for strike in STRIKES])
SCHEDULES = {f"T{strike}": FeeSchedule() for strike in STRIKES}
LEGS = st.lists(
    st.builds(
        Offer,
        ticker=st.sampled_from(sorted(SCHEDULES)),
        side=st.sampled_from(list(Side)),
        price_ticks=st.integers(1, 9_999),
        size_cc=st.integers(1, 10_000),
    ),
    max_size=6,
)


@given(LEGS)
def test_gains_are_payoff_less_price_and_fee(legs: list[Offer]) -> None:
    gains = gains_ud(LADDER, legs, SCHEDULES)
    for state, value in enumerate((79_850, 79_950, 80_050, 80_150)):
        expected = 0
        for leg in legs:
            fee = fill_fee(FeeSchedule(), leg.price_ticks, leg.size_cc, is_maker=False, is_bid=leg.side is Side.BID)
            pays = 10_000 if value > int(leg.ticker[1:]) else 0
            expected += leg.side.sign * (pays - leg.price_ticks) * leg.size_cc - fee.fee_ud
        assert expected == gains[state]
