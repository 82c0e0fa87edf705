"""The floor's values in the venue's words: sides, prices, strikes, markets. Shared by answers and streams."""

import msgspec

from fairstrike.core.contract import CENT_GRID, TAPERED_GRID, Comparison, Contract, PriceRange
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side
from fairstrike.core.timing import DAY_NS, MINUTE_NS, SECOND_NS, format_rfc3339
from fairstrike.core.units import E8_PER_DOLLAR, PPM, TICKS_PER_DOLLAR, format_cc, format_decimal, format_ticks
from fairstrike.exchange.api.shapes import MarketShape, Number, PriceRangeShape, SourceShape
from fairstrike.exchange.floor import FloorParams, MarketStatus, MarketView

SOURCES = (SourceShape(name="CF Benchmarks", url="https://www.cfbenchmarks.com/"),)

_UD_PER_BALANCE_STEP = 100


def outcome(side: Side) -> str:
    """Give the outcome a side of the book exposes to: yes for bids, no for asks."""
    return "yes" if side is Side.BID else "no"


def no_price(price_ticks: int) -> str:
    """Give the NO price, in dollars, of a YES price in ticks."""
    return format_ticks(TICKS_PER_DOLLAR - price_ticks)


def own_price(side: Side, price_ticks: int) -> str:
    """Give the price a book level carries on the wire: the NO price for asks."""
    return format_ticks(price_ticks) if side is Side.BID else no_price(price_ticks)


def balance_dollars(amount_ud: int) -> str:
    """Give money in dollars with the four decimals of balances, rounded down."""
    return format_decimal(amount_ud // _UD_PER_BALANCE_STEP, 4)


def result_word(value_ticks: int | None) -> str:
    """Give a market's result from what YES pays: yes, no, scalar, or nothing while unknown."""
    if value_ticks is None:
        return ""
    return {TICKS_PER_DOLLAR: "yes", 0: "no"}.get(value_ticks, "scalar")


def index_id(asset: str) -> str:
    """Give the name of an asset's index on the wire. Source: the index publisher's list."""
    return "BRTI" if asset == "BTC" else f"{asset}USD_RTI"


def is_quarter_hour(contract: Contract) -> bool:
    """Whether a market is one of the 15-minute family, whose target is the opening mean."""
    return contract.comparison is Comparison.AT_LEAST


def fee_type(schedule: FeeSchedule) -> str:
    """Give the venue's name of a fee schedule."""
    return "quadratic_with_maker_fees" if schedule.maker_ppm else "quadratic"


def fee_multiplier(schedule: FeeSchedule) -> Number:
    """Give the multiplier of a fee schedule as the JSON number the venue sends."""
    whole, rest = divmod(schedule.multiplier_ppm, PPM)
    return schedule.multiplier_ppm / PPM if rest else whole


def strike_number(strike_e8: int | None) -> Number | msgspec.UnsetType:
    """Give a strike as the JSON number the venue sends, unset while unpublished."""
    if strike_e8 is None:
        return msgspec.UNSET
    whole, rest = divmod(strike_e8, E8_PER_DOLLAR)
    return strike_e8 / E8_PER_DOLLAR if rest else whole


def strike_text(contract: Contract) -> str:
    """Give the words that show a market's strike. Source: captured markets of July 2026."""
    floor, cap = contract.floor_e8, contract.cap_e8
    if is_quarter_hour(contract):
        return "Target price: TBD" if floor is None else f"Target Price: {_dollars(floor)}"
    cent = E8_PER_DOLLAR // 100
    if floor is not None and cap is not None:
        return f"{_dollars(floor)} to {_dollars(cap)[1:]}"
    if cap is not None:
        return f"{_dollars(cap - cent)} or below"
    return f"{_dollars(floor + cent)} or above" if floor is not None else ""


def structure_name(grid: tuple[PriceRange, ...]) -> str:
    """Give the venue's label of a price grid; the ranges, not the label, are the truth."""
    if grid == CENT_GRID:
        return "linear_cent"
    if grid == TAPERED_GRID:
        return "tapered_deci_cent"
    return {10: "deci_cent", 1: "center_centi_edge_centi"}.get(grid[0].step_ticks, "banded_centi_cent")


def price_ranges(grid: tuple[PriceRange, ...]) -> tuple[PriceRangeShape, ...]:
    """Give a price grid in dollars."""
    return tuple(
        PriceRangeShape(
            start=format_ticks(stretch.start_ticks),
            end=format_ticks(stretch.end_ticks),
            step=format_ticks(stretch.step_ticks),
        )
        for stretch in grid
    )


def custom_strike(contract: Contract) -> dict[str, str] | msgspec.UnsetType:
    """Give the rounding rule of a 15-minute market, unset for others."""
    return msgspec.UNSET if contract.round_digits is None else {"round_digits": str(contract.round_digits)}


def market_title(contract: Contract) -> str:
    """Give a market's title."""
    if is_quarter_hour(contract):
        return f"{contract.asset} price up in the next 15 minutes?"
    return f"{contract.asset} price at {format_rfc3339(contract.close_ns)}?"


def market_rules(contract: Contract) -> str:
    """Give the settlement rule in one sentence."""
    return (
        f"If the simple average of the sixty seconds of {index_id(contract.asset)} before"
        f" {format_rfc3339(contract.close_ns)} satisfies the strike, then the market resolves to Yes."
    )


def expiration_text(value_e8: int | None) -> str:
    """Give the settlement mean with its two decimals, "" until known."""
    return "" if value_e8 is None else format_decimal(value_e8 // (E8_PER_DOLLAR // 100), 2)


def market_shape(view: MarketView, params: FloorParams) -> MarketShape:
    """Give the market object. An empty side shows as price 0 or 1 with size 0. Source: captured markets."""
    contract = view.contract
    bid_ticks, bid_cc = view.bid or (0, 0)
    ask_ticks, ask_cc = view.ask or (TICKS_PER_DOLLAR, 0)
    delays = params.quarter_hour if is_quarter_hour(contract) else params.hourly
    is_final = view.status is MarketStatus.FINALIZED and view.settled_ns is not None
    return MarketShape(
        ticker=contract.ticker,
        event_ticker=contract.event_ticker,
        title=market_title(contract),
        yes_sub_title=strike_text(contract),
        no_sub_title="Target price: TBD" if is_quarter_hour(contract) else strike_text(contract),
        created_time=format_rfc3339(view.listed_ns),
        updated_time=format_rfc3339(view.updated_ns),
        open_time=format_rfc3339(contract.open_ns),
        close_time=format_rfc3339(contract.close_ns),
        expected_expiration_time=format_rfc3339(contract.close_ns + 5 * MINUTE_NS),
        latest_expiration_time=format_rfc3339(contract.close_ns + 7 * DAY_NS),
        settlement_timer_seconds=delays.settlement_ns // SECOND_NS,
        status=view.status.value,
        yes_bid_dollars=format_ticks(bid_ticks),
        yes_ask_dollars=format_ticks(ask_ticks),
        no_bid_dollars=no_price(ask_ticks),
        no_ask_dollars=no_price(bid_ticks),
        yes_bid_size_fp=format_cc(bid_cc),
        yes_ask_size_fp=format_cc(ask_cc),
        last_price_dollars=format_ticks(view.last_price_ticks or 0),
        previous_price_dollars=format_ticks(0),
        previous_yes_bid_dollars=format_ticks(0),
        previous_yes_ask_dollars=format_ticks(0),
        volume_fp=format_cc(view.volume_cc),
        volume_24h_fp=format_cc(view.volume_24h_cc),
        open_interest_fp=format_cc(view.open_interest_cc),
        result=result_word(view.value_ticks),
        expiration_value=expiration_text(view.expiration_value_e8),
        rules_primary=market_rules(contract),
        rules_secondary="",
        price_level_structure=structure_name(contract.grid),
        price_ranges=price_ranges(contract.grid),
        strike_type=contract.comparison.value,
        exchange_index=contract.exchange_index,
        settlement_value_dollars=(msgspec.UNSET if view.value_ticks is None else format_ticks(view.value_ticks)),
        settlement_ts=format_rfc3339(view.settled_ns) if is_final and view.settled_ns else msgspec.UNSET,
        floor_strike=strike_number(contract.floor_e8),
        cap_strike=strike_number(contract.cap_e8),
        custom_strike=custom_strike(contract),
    )


def _dollars(value_e8: int) -> str:
    whole, cents = divmod(value_e8 // (E8_PER_DOLLAR // 100), 100)
    return f"${whole:,}.{cents:02d}" if cents else f"${whole:,}"
