"""Prices that cannot all be right: what is found gains whatever the settlement value is, and nothing is missed."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.contract import Comparison, Contract, settle
from fairstrike.core.fees import FeeSchedule, trade_fee_ud
from fairstrike.core.timing import WINDOW_SECONDS
from fairstrike.core.units import CC_PER_CONTRACT
from fairstrike.pricing.coherence import Quoted, Violation, parts_everything, violations
from tests.unit.pricing import contracts
from tests.unit.pricing.contracts import ABOVE, BELOW, BETWEEN

CENT_E8 = 10**6
EVENT = "KXBTC-26JUL0321"


def fee_ud(price_ticks: int) -> int:
    return trade_fee_ud(FeeSchedule(), price_ticks, CC_PER_CONTRACT, is_maker=False)


def contract(kind: Comparison, floor: float | None, cap: float | None, event: str = EVENT) -> Contract:
    return contracts.contract(f"{event}-{kind.value}-{floor}", kind, floor, cap, event=event)


PARTITION = (
    contract(BELOW, None, 60_000),
    contract(BETWEEN, 60_000, 60_099.99),
    contract(BETWEEN, 60_100, 60_199.99),
    contract(ABOVE, 60_199.99, None),
)
THRESHOLDS = tuple(contract(ABOVE, strike, None, "KXBTCD-26JUL0321") for strike in (60_000, 60_100, 60_200))
VALUES_E8 = [(5_999_950 + cents) * CENT_E8 for cents in range(0, 30_200, 50)] + [
    (round(dollars * 100) + cent) * CENT_E8 for dollars in (60_000, 60_100, 60_199.99, 60_200) for cent in (-1, 0, 1)
]


def quoted(contracts: tuple[Contract, ...], *prices: tuple[int | None, int | None]) -> list[Quoted]:
    return [
        Quoted(contract=one, bid_ticks=bid, ask_ticks=ask) for one, (bid, ask) in zip(contracts, prices, strict=True)
    ]


def gain_ud(violation: Violation, contracts: tuple[Contract, ...], value_e8: int) -> int:
    """What one contract of each leg gains after fees when the index settles there."""
    worth = {one.ticker: settle(one, [value_e8] * WINDOW_SECONDS) for one in contracts}
    return sum(
        leg.side.sign * (worth[leg.ticker] - leg.price_ticks) * CC_PER_CONTRACT - fee_ud(leg.price_ticks)
        for leg in violation.legs
    )


def test_a_partition_under_a_dollar_after_fees_is_bought() -> None:
    (found,) = violations(quoted(PARTITION, (None, 500), (None, 4_000), (None, 4_000), (None, 500)), fee_ud)
    fees = 2 * fee_ud(500) + 2 * fee_ud(4_000)
    assert (found.kind, len(found.legs), found.gain_ud) == ("partition bought", 4, 100_000 - fees)


def test_fees_can_eat_the_gain() -> None:
    assert violations(quoted(PARTITION, (None, 500), (None, 4_300), (None, 4_300), (None, 600)), fee_ud) == []


def test_a_partition_lacking_an_offer_cannot_be_bought() -> None:
    assert violations(quoted(PARTITION, (None, 100), (None, 100), (None, 100), (None, None)), fee_ud) == []


def test_bids_above_a_dollar_after_fees_are_sold_to() -> None:
    (found,) = violations(quoted(PARTITION, (10, 100), (6_000, 6_100), (5_500, 5_600), (None, None)), fee_ud)
    fees = fee_ud(10) + fee_ud(6_000) + fee_ud(5_500)
    assert (found.kind, found.gain_ud) == ("partition sold", 1_151_000 - 1_000_000 - fees)


def test_a_higher_strike_bid_above_a_lower_ones_ask() -> None:
    (found,) = violations(quoted(THRESHOLDS, (4_900, 5_000), (4_000, 4_100), (5_500, 5_600)), fee_ud)[:1]
    assert found.kind == "thresholds"
    assert [leg.price_ticks for leg in found.legs] == [5_000, 5_500]


@pytest.mark.parametrize(
    "broken",
    [
        PARTITION[1:],
        PARTITION[:-1],
        (PARTITION[0], *PARTITION[2:]),
        (*PARTITION[:2], contract(BETWEEN, 60_101, 60_199.99), PARTITION[3]),
        PARTITION[:1],
        THRESHOLDS,
    ],
    ids=["no lower tail", "no upper tail", "a hole", "a gap", "one market", "thresholds"],
)
def test_what_is_no_partition(broken: tuple[Contract, ...]) -> None:
    assert parts_everything(PARTITION)
    assert not parts_everything(broken)


def test_a_second_event_is_another_partition() -> None:
    other = tuple(msgspec.structs.replace(one, event_ticker="OTHER", ticker=f"x{one.ticker}") for one in PARTITION)
    prices = [(None, 1_000)] * 3 + [(None, None)] + [(None, 1_000)] * 4
    (found,) = violations(quoted((*PARTITION, *other), *prices), fee_ud)
    assert all(leg.ticker.startswith("x") for leg in found.legs)


PRICE = st.none() | st.integers(1, 99).map(lambda cents: cents * 100)


@given(st.lists(st.tuples(PRICE, PRICE), min_size=7, max_size=7))
def test_what_is_found_gains_at_every_settlement_value(prices: list[tuple[int | None, int | None]]) -> None:
    contracts = (*PARTITION, *THRESHOLDS)
    for found in violations(quoted(contracts, *prices), fee_ud):
        assert found.gain_ud > 0
        assert min(gain_ud(found, contracts, value) for value in VALUES_E8) >= found.gain_ud
