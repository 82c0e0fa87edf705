"""The risk door: every signal becomes `Approved` or `Refused(rule, value, limit)`, never anything else.

Limits are shares of the day's starting equity and absolute caps, per order, strike, settlement group and in
total. Opening needs a book of the stream, a fresh index, a market that is not spiky and room under every limit.
Reducing and unwinding, with what already works to close the same position, are never larger than it and pass everything
but what makes an order wrong in itself: price range and grid, least size, a closed market, an absent book, a cross with
an order of ours, slippage.
"""

import msgspec

from fairstrike.core.bounds import Amount, Count, Positive, PriceTicks, Share
from fairstrike.core.fees import trade_fee_ud
from fairstrike.core.order import (
    Approved,
    Intent,
    Order,
    Refused,
    Side,
    Signal,
    TimeInForce,
    collateral_ud,
)
from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import CC_PER_CONTRACT, PPM, TICKS_PER_DOLLAR, UD_PER_DOLLAR
from fairstrike.market.view import MarketView


class Pace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many orders a strategy may send."""

    per_second_max: Count = 5
    per_minute_max: Count = 300


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Shares are of the equity at the day's start; `_dollars_max` are absolute; None switches a cap off.

    `pace` holds for each strategy's own orders, unless `paces` states another for it.
    """

    order_share_max: Share = 0.10
    strike_share_max: Share = 0.15
    group_share_max: Share = 0.30
    total_share_max: Share = 0.75
    cash_buffer_share: Share = 0.25
    positions_max: Count = 10
    order_dollars_max: Amount | None = None
    total_dollars_max: Amount | None = None
    price_ticks_min: PriceTicks = 1
    price_ticks_max: PriceTicks = TICKS_PER_DOLLAR - 1
    size_cc_min: Positive = 1
    size_cc_max: Positive = 1_000 * CC_PER_CONTRACT
    slippage_ticks_max: Count = 500
    identical_within_ns: Count = SECOND_NS
    pace: Pace = Pace()
    paces: dict[str, Pace] = {}


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """What is at stake now, in microdollars: open cost plus collateral of opening orders.

    `markets` are the settlement groups that are touched, each counted as one position; `key` is the signal's.
    """

    equity_day_ud: int
    cash_start_ud: int
    available_ud: int
    strike_ud: int
    group_ud: int
    total_ud: int
    markets: frozenset[str]
    key: str


class Door:
    """Judges signals one by one, remembering only recent orders for the pace rules."""

    def __init__(self, params: Params) -> None:
        """Keep the parameters."""
        self._params = params
        self._recent: dict[str, list[int]] = {}
        self._identical: dict[tuple[str, str, str, int, int], int] = {}
        self.is_paused = False

    def judge(self, signal: Signal, view: MarketView, exposure: Exposure) -> Approved | Refused:
        """Give the verdict on one signal at the view's instant."""
        found = self._shape(signal, view) or self._state(signal, view)
        if found is None and signal.intent is Intent.OPEN:
            found = self._opening(signal, view, exposure) or self._pace(signal, view.now_ns)
        elif found is None:
            found = self._closing(signal, view)
        if found is not None:
            rule, value, limit = found
            return Refused(signal=signal, rule=rule, value=value, limit=limit)
        self._remember(signal, view.now_ns)
        closes = signal.intent is not Intent.OPEN and signal.tif is TimeInForce.IOC
        return Approved(signal=signal, reduce_only=closes)

    def _shape(self, signal: Signal, view: MarketView) -> tuple[str, int, int] | None:
        params = self._params
        if signal.price_ticks < params.price_ticks_min:
            return ("price_min", signal.price_ticks, params.price_ticks_min)
        if signal.price_ticks > params.price_ticks_max:
            return ("price_max", signal.price_ticks, params.price_ticks_max)
        if not view.contract.is_on_grid(signal.price_ticks):
            return ("tick_grid", signal.price_ticks, view.contract.grid_down(signal.price_ticks) or 0)
        if signal.size_cc < params.size_cc_min:
            return ("size_min", signal.size_cc, params.size_cc_min)
        if signal.size_cc > params.size_cc_max and signal.intent is Intent.OPEN:
            return ("size_max", signal.size_cc, params.size_cc_max)
        return None

    def _state(self, signal: Signal, view: MarketView) -> tuple[str, int, int] | None:
        if not view.is_open or view.closes_in_ns <= 0:
            return ("market_open", view.closes_in_ns // SECOND_NS, 0)
        if view.book is None:
            return ("stale_book", 0, 1)
        for order in view.working:
            if order.side is not signal.side and _crosses(signal, order):
                return ("self_cross", signal.price_ticks, order.price_ticks)
        touch = view.book.ask_ticks if signal.side is Side.BID else view.book.bid_ticks
        if signal.post_only or touch is None:
            return None
        slip = signal.side.sign * (signal.price_ticks - touch)
        if slip > self._params.slippage_ticks_max:
            return ("slippage", slip, self._params.slippage_ticks_max)
        return None

    def _opening(self, signal: Signal, view: MarketView, exposure: Exposure) -> tuple[str, int, int] | None:
        params = self._params
        if self.is_paused:
            return ("paused", 1, 0)
        if view.is_polled:
            return ("polled_book", 1, 0)
        if view.p_fair is None or view.reference is None:
            return ("stale_index", 0, 1)
        if view.reference.divergence is not None:
            return ("divergence", view.reference.divergence.ppm, view.reference.divergence.limit_ppm)
        if view.regime is not None and view.regime.is_spiky:
            return ("spiky_regime", 1, 0)
        if exposure.key not in exposure.markets and len(exposure.markets) >= params.positions_max:
            return ("positions_max", len(exposure.markets) + 1, params.positions_max)
        charge = order_charge_ud(signal.side, signal.price_ticks, signal.size_cc, view)
        buffer_ud = _share(params.cash_buffer_share, exposure.cash_start_ud)
        rules = [
            ("order_share", charge, _share(params.order_share_max, exposure.equity_day_ud)),
            ("strike_share", exposure.strike_ud + charge, _share(params.strike_share_max, exposure.equity_day_ud)),
            ("group_share", exposure.group_ud + charge, _share(params.group_share_max, exposure.equity_day_ud)),
            ("total_share", exposure.total_ud + charge, _share(params.total_share_max, exposure.equity_day_ud)),
            ("cash_buffer", charge, exposure.available_ud - buffer_ud),
        ]
        if params.order_dollars_max is not None:
            rules.append(("order_dollars", charge, round(params.order_dollars_max * UD_PER_DOLLAR)))
        if params.total_dollars_max is not None:
            rules.append(("total_dollars", exposure.total_ud + charge, round(params.total_dollars_max * UD_PER_DOLLAR)))
        return next((rule for rule in rules if rule[1] > rule[2]), None)

    def _closing(self, signal: Signal, view: MarketView) -> tuple[str, int, int] | None:
        held_cc = -signal.side.sign * view.position.net_cc
        for order in view.working:
            if order.side is signal.side and order.intent is not Intent.OPEN:
                held_cc -= order.remaining_cc
        if signal.size_cc > held_cc:
            return ("larger_than_position", signal.size_cc, max(0, held_cc))
        return None

    def _pace(self, signal: Signal, now_ns: int) -> tuple[str, int, int] | None:
        params = self._params
        last_ns = self._identical.get(_likeness(signal))
        if last_ns is not None and now_ns - last_ns < params.identical_within_ns:
            return ("identical_order", (now_ns - last_ns) // 1_000_000, params.identical_within_ns // 1_000_000)
        recent = self._of_last_minute(signal.strategy, now_ns)
        pace = params.paces.get(signal.strategy, params.pace)
        if len(recent) >= pace.per_minute_max:
            return ("orders_per_minute", len(recent) + 1, pace.per_minute_max)
        in_second = sum(1 for t in recent if now_ns - t < SECOND_NS)
        if in_second >= pace.per_second_max:
            return ("orders_per_second", in_second + 1, pace.per_second_max)
        return None

    def _of_last_minute(self, strategy: str, now_ns: int) -> list[int]:
        return [t for t in self._recent.get(strategy, ()) if now_ns - t < 60 * SECOND_NS]

    def _remember(self, signal: Signal, now_ns: int) -> None:
        self._recent[signal.strategy] = [*self._of_last_minute(signal.strategy, now_ns), now_ns]
        stale_ns = now_ns - self._params.identical_within_ns
        self._identical = {key: t for key, t in self._identical.items() if t > stale_ns}
        self._identical[_likeness(signal)] = now_ns


def order_charge_ud(side: Side, price_ticks: int, size_cc: int, view: MarketView) -> int:
    """Give what an opening order puts at stake: its collateral and the dearest fee it can meet."""
    fee_ud = trade_fee_ud(view.schedule, price_ticks, size_cc, is_maker=False)
    return collateral_ud(side, price_ticks, size_cc) + fee_ud


def _share(share: float, of_ud: int) -> int:
    return round(share * PPM) * of_ud // PPM


def _crosses(signal: Signal, order: Order) -> bool:
    return signal.side.sign * (signal.price_ticks - order.price_ticks) >= 0


def _likeness(signal: Signal) -> tuple[str, str, str, int, int]:
    return (signal.strategy, signal.ticker, signal.side.value, signal.price_ticks, signal.size_cc)
