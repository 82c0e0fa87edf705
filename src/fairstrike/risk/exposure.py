"""What is at stake now: cost of open positions plus collateral of working orders that would open more."""

from collections.abc import Callable, Iterable, Mapping

from fairstrike.core.order import Intent, Order, Position, Signal, collateral_ud
from fairstrike.risk.limits import Exposure


def exposure_of(
    signal: Signal,
    positions: Mapping[str, Position],
    working: Iterable[Order],
    group_of: Callable[[str], str],
    capital: tuple[int, int, int],
) -> Exposure:
    """Give the exposure that `signal` would add to.

    `capital` is (equity at the day's start, cash at the run's start, cash now), microdollars. All markets of one
    settlement group in which one strategy works count as one position, so a maker's strikes count once.
    """
    equity_day_ud, cash_start_ud, cash_ud = capital
    group = group_of(signal.ticker)
    strike = in_group = total = reserved = 0
    markets: set[str] = set()
    for ticker, position in positions.items():
        if position.net_cc:
            its_group = group_of(ticker)
            total += position.cost_ud
            in_group += position.cost_ud if its_group == group else 0
            strike += position.cost_ud if ticker == signal.ticker else 0
            markets.add(its_group)
    for order in working:
        charge = collateral_ud(order.side, order.price_ticks, order.remaining_cc)
        reserved += charge
        if order.intent is not Intent.OPEN:
            continue
        its_group = group_of(order.ticker)
        total += charge
        in_group += charge if its_group == group else 0
        strike += charge if order.ticker == signal.ticker else 0
        markets.add(its_group)
    return Exposure(
        equity_day_ud=equity_day_ud,
        cash_start_ud=cash_start_ud,
        available_ud=cash_ud - reserved,
        strike_ud=strike,
        group_ud=in_group,
        total_ud=total,
        markets=frozenset(markets),
        key=group,
    )
