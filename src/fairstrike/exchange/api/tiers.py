"""The two tiers of reads: live, and historical for what is older than the cutoff. Nothing is in both.

Source: the venue's page on its historical endpoints. How long the live tier keeps is a switch of the box.
"""

from fairstrike.exchange.api.call import Call, Desk, not_found
from fairstrike.exchange.floor import MarketView


def cutoff_ns(desk: Desk, call: Call) -> int:
    """Give the instant before which things are historical."""
    return call.now_ns - desk.live_tier_ns


def is_historical(desk: Desk, call: Call, view: MarketView) -> bool:
    """Whether a market settled before the cutoff."""
    return view.settled_ns is not None and view.settled_ns < cutoff_ns(desk, call)


def live_markets(desk: Desk, call: Call) -> tuple[MarketView, ...]:
    """Give the markets of the live tier in order of listing."""
    return tuple(view for view in desk.floor.markets() if not is_historical(desk, call, view))


def historical_markets(desk: Desk, call: Call) -> tuple[MarketView, ...]:
    """Give the markets of the historical tier in order of listing."""
    return tuple(view for view in desk.floor.markets() if is_historical(desk, call, view))


def live_market(desk: Desk, call: Call, ticker: str, series: str | None = None) -> MarketView:
    """Give a market of the live tier, and of `series` if named. Raises `CallRefused` (404) without one."""
    view = desk.floor.market(ticker)
    if view is None or is_historical(desk, call, view) or series not in (None, view.contract.series):
        not_found("market not found")
    return view


def historical_market(desk: Desk, call: Call, ticker: str) -> MarketView:
    """Give a market of the historical tier. Raises `CallRefused` (404) without one."""
    view = desk.floor.market(ticker)
    if view is None or not is_historical(desk, call, view):
        not_found("market not found")
    return view
