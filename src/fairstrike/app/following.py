"""Which markets are followed: those of each series' soonest events, the next ones a little before their time."""

from collections.abc import Iterable

import msgspec

from fairstrike.core.contract import Contract, Timeframe
from fairstrike.core.timing import MINUTE_NS, SECOND_NS


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """How many events of a series at a time, how long before their turn and how long after their close (ns)."""

    events: int
    timeframes: tuple[Timeframe, ...] = tuple(Timeframe)
    lead_ns: int = MINUTE_NS
    linger_ns: int = 10 * SECOND_NS


def followed(contracts: Iterable[Contract], now_ns: int, params: Params) -> tuple[str, ...]:
    """Give the tickers to follow at a venue instant, in order of close, series and ticker.

    An event counts from `lead_ns` before it opens; those that closed within `linger_ns` are still followed.
    """
    series: dict[str, list[Contract]] = {}
    for contract in (contract for contract in contracts if contract.timeframe in params.timeframes):
        if contract.open_ns <= now_ns + params.lead_ns and contract.close_ns + params.linger_ns > now_ns:
            series.setdefault(contract.series, []).append(contract)
    chosen: dict[str, Contract] = {}
    for members in series.values():
        wanted = {contract.close_ns for contract in members if contract.close_ns <= now_ns}
        for instant_ns in (now_ns, now_ns + params.lead_ns):
            wanted |= set(sorted({c.close_ns for c in members if c.close_ns > instant_ns})[: params.events])
        chosen |= {contract.ticker: contract for contract in members if contract.close_ns in wanted}
    return tuple(sorted(chosen, key=lambda ticker: (chosen[ticker].close_ns, chosen[ticker].series, ticker)))
