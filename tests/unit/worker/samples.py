"""Ladders and offers for the worker's tests."""

from pathlib import Path

import msgspec

from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side
from fairstrike.pricing.computations import ArbitrageInputs, Offer
from tests.unit.pricing.contracts import ABOVE, AT_LEAST, BETWEEN, contract

CASH_UD = 10**12

CONTRACTS = (
    contract("KXBTCD T79999.99", ABOVE, 79_999.99),
    contract("KXBTCD T80099.99", ABOVE, 80_099.99),
    contract("KXBTCD T80199.99", ABOVE, 80_199.99),
    contract("KXBTC B80000-80099.99", BETWEEN, 80_000.0, 80_099.99),
    contract("KXBTC B80100-80199.99", BETWEEN, 80_100.0, 80_199.99),
    contract("KXBTC15M >=80050.00", AT_LEAST, 80_050.0, digits=2),
)
SCHEDULES = {one.ticker: FeeSchedule() for one in CONTRACTS}


class Instrument(msgspec.Struct, frozen=True):
    name: str
    side: str
    price: float
    depth: int


class Case(msgspec.Struct, frozen=True):
    instruments: list[Instrument]
    guaranteed_profit_t: float
    guaranteed_profit_ignoring_fees: float
    pnl_in_unrounded_gap_states: dict[str, float]


class Vectors(msgspec.Struct, frozen=True):
    lp_arbitrage: Case


def case_of(facts: Path) -> Case:
    """The worked example of the reference figures."""
    return msgspec.json.decode((facts / "pricing_vectors.json").read_bytes(), type=Vectors).lp_arbitrage


def offers_of(case: Case) -> tuple[Offer, ...]:
    """Its instruments as offers: NO bought at a price is YES sold at the rest of a dollar."""
    return tuple(
        Offer(
            ticker=one.name,
            side=Side.BID if one.side == "YES" else Side.ASK,
            price_ticks=round(10_000 * (one.price if one.side == "YES" else 1.0 - one.price)),
            size_cc=one.depth * 100,
        )
        for one in case.instruments
    )


def inputs_of(offers: tuple[Offer, ...], *, counts_gaps: bool = True, cash_ud: int = CASH_UD) -> ArbitrageInputs:
    return ArbitrageInputs(
        contracts=CONTRACTS, offers=offers, schedules=SCHEDULES, cash_ud=cash_ud, counts_gaps=counts_gaps
    )
