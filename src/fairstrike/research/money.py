"""Where a replay's money went: every dollar between the first cash and the last, and how sure the result is.

A market is decided for us when it settled, or when we hold nothing of it any more: its result after fees is certain.
In a market that is still held some may have been realised already, and what is held cost something. These three and
nothing else make the change of cash, to the microdollar:

    cash at the end − cash at the start = decided + realised in held markets − cost of what is held
"""

import msgspec

from fairstrike.core.units import UD_PER_DOLLAR, format_ud
from fairstrike.engine import Engine
from fairstrike.research.scoring import Estimate, clustered_mean


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """Decimal dollars after fees. `gain` is the mean of a traded, decided market, clustered by settlement event."""

    cash_start: str
    cash: str
    decided: str
    realised_in_held: str
    held_cost: str
    fees: str
    traded_markets: int
    decided_markets: int
    gain: Estimate


def decided_ud(engine: Engine, ticker: str) -> int | None:
    """Give a market's certain result after fees in microdollars; None while contracts of it are held."""
    ledger = engine.clerk.ledger
    if ticker in ledger.settled:
        return ledger.market_pnl_ud[ticker]
    position = ledger.position(ticker)
    return None if position.net_cc else position.realised_ud - position.fees_ud


def money(engine: Engine) -> Money:
    """Give the account of a replay that ended."""
    ledger = engine.clerk.ledger
    traded = sorted({ticker for _, ticker in ledger.results})
    results = {ticker: decided_ud(engine, ticker) for ticker in traded}
    decided = {ticker: result for ticker, result in results.items() if result is not None}
    held = [ledger.position(ticker) for ticker in traded if ticker not in decided]
    realised_ud = sum(position.realised_ud - position.fees_ud for position in held)
    total_ud = sum(decided.values())
    assert ledger.cash_ud - ledger.cash_start_ud == total_ud + realised_ud - ledger.open_cost_ud(), "money is missing"
    return Money(
        cash_start=format_ud(ledger.cash_start_ud),
        cash=format_ud(ledger.cash_ud),
        decided=format_ud(total_ud),
        realised_in_held=format_ud(realised_ud),
        held_cost=format_ud(ledger.open_cost_ud()),
        fees=format_ud(ledger.fees_ud),
        traded_markets=len(traded),
        decided_markets=len(decided),
        gain=clustered_mean(
            [result / UD_PER_DOLLAR for result in decided.values()],
            [engine.catalog.group_of(ticker) for ticker in decided],
        ),
    )
