"""Contracts for the tests of prices: a comparison with its strikes in dollars."""

from fairstrike.core.contract import Comparison, Contract

E8 = 100_000_000
ABOVE, AT_LEAST, BELOW, BETWEEN = Comparison.ABOVE, Comparison.AT_LEAST, Comparison.BELOW, Comparison.BETWEEN


def contract(
    ticker: str,
    comparison: Comparison,
    floor: float | None,
    cap: float | None = None,
    digits: int | None = None,
    event: str = "E",
) -> Contract:
    return Contract(
        ticker=ticker,
        event_ticker=event,
        series=event.partition("-")[0],
        asset="BTC",
        comparison=comparison,
        open_ns=0,
        close_ns=3_600 * 10**9,
        floor_e8=None if floor is None else round(floor * E8),
        cap_e8=None if cap is None else round(cap * E8),
        round_digits=digits,
    )


def contract_of(
    comparison: Comparison, floor: float | None, cap: float | None = None, digits: int | None = None
) -> Contract:
    """One whose name does not matter."""
    return contract("T", comparison, floor, cap, digits)
