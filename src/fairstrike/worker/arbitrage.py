"""The riskless portfolio as a linear programme, solved by HiGHS and solved again where it stood when prices move.

Of offer j x_j contracts are taken, gaining g_js a contract in state s of the settlement mean, fees counted. With t the
gain that is certain and u_s ≥ 0 what state s gives beyond it,

    max t    t + u_0 − Σ_j g_j0 x_j = 0,    u_s − u_(s−1) − Σ_j (g_js − g_j,s−1) x_j = 0,    0 ≤ x_j ≤ depth_j,

and what the legs bind stays within the cash. Rows are differences of neighbouring states: a contract pays in one run of
states, so it is in three rows at most and the matrix is sparse. An arbitrage is t > 0. The reduced costs of the u_s are
state prices q ≥ 0 that add up to 1: Σ_j depth_j · max(Σ_s q_s g_js, 0) is t (with cash to spare), so with t = 0 they
price every offer at no gain, which proves that nothing is to be had.

Depths are whole contracts, and so is the best portfolio then: each column is one run of states, what an offer costs is
the same in all of them, and such a matrix is totally unimodular. Only the row of the cash can leave parts of contracts.
The solution then lies on an edge between two whole portfolios, all whose sizes differ by the same number, and is moved
to the one that the cash pays for. Where that buys few contracts, and much is lost so, the best whole portfolio is
searched for. Every state is reckoned exactly in the end, with the venue's own rounding of fees.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter

import highspy
import msgspec
import numpy as np

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.fees import FeeSchedule, trade_fee_ud
from fairstrike.core.order import Side
from fairstrike.core.units import CC_PER_CONTRACT, TICKS_PER_DOLLAR, UD_PER_DOLLAR
from fairstrike.pricing.computations import Offer, Riskless, gains_ud, leg_gains_ud
from fairstrike.pricing.distribution import Ladder, gap_states

LEVELS_MIN = 3
_ROUNDING = 1e-4
"""Dollars a fill may cost beyond its fee, for the balance's last digit."""

_GAIN_LEAST = 1e-7
_PART_LEAST = 1e-6
_ENOUGH = 0.9
"""A portfolio that gains so much of the bound is not searched for a better one."""

_FEW, _NODES_MAX = 20, 20
"""Contracts up to which is searched, and how far: by branches and not by time, which would differ from run to run."""

_ALWAYS: dict[str, str | int] = {"output_flag": False, "threads": 1, "mip_max_nodes": _NODES_MAX}
_SOLVING: dict[str, str | int] = {"presolve": "off", "solver": "simplex"}
_SEARCHING: dict[str, str | int] = {"presolve": "on", "solver": "choose"}

_PRICE = attrgetter("price_ticks")


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A place for one level of one side of a market."""

    ticker: str
    side: Side
    level: int


class RisklessPortfolio:
    """One ladder's programme. `solve` may be called again with other offers: only what changed is changed."""

    def __init__(self, ladder: Ladder, levels: int = LEVELS_MIN, *, counts_gaps: bool = True) -> None:
        """Lay out a column for each of `levels` levels of both sides of every market, all empty."""
        self.ladder = ladder
        self.levels = levels
        self._gaps = frozenset(gap_states(ladder))
        self._counts_gaps = counts_gaps
        self._columns = [
            Column(ticker=ticker, side=side, level=level)
            for ticker in ladder.spans
            for side in (Side.BID, Side.ASK)
            for level in range(levels)
        ]
        self._states = len(ladder.edges) + 1
        self._cash_row = self._states
        self._placed: list[Offer | None] = [None] * len(self._columns)
        self._schedules: dict[str, FeeSchedule] = {}
        self._cash = 0.0
        self._highs = highspy.Highs()  # type: ignore[no-untyped-call]
        self._set(_ALWAYS | _SOLVING)
        status = self._highs.passModel(self._model())
        assert status == highspy.HighsStatus.kOk, "each column names its rows once"

    def solve(self, offers: Sequence[Offer], schedules: dict[str, FeeSchedule], cash_ud: int) -> Riskless:
        """Give the best portfolio of `offers`, at most `levels` a side and market, the best of them.

        Raises `ArithmeticRefusal` for an offer of a market that the ladder or `schedules` does not have, or at no
        price, for cash below 0, and when the solver ends without a solution.
        """
        if cash_ud < 0:
            raise ArithmeticRefusal(f"the cash is {cash_ud} microdollars; give what legs may bind, 0 or more")
        self._place(self._sorted(offers, schedules), schedules, cash_ud / UD_PER_DOLLAR)
        self._highs.run()
        status = self._highs.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            raise ArithmeticRefusal(f"the solver ended as {status}; leave out offers of extreme size")
        solution = self._highs.getSolution()
        count = len(self._columns)
        taken, duals = solution.col_value[:count], solution.col_dual[count : count + self._states]
        bound = max(float(solution.col_value[count + self._states]), 0.0)
        legs = self._whole(taken, bound, schedules, cash_ud) if bound > _GAIN_LEAST else ()
        return self._told(legs, schedules, bound, [abs(float(dual)) for dual in duals])

    def _model(self) -> highspy.HighsLp:
        """Give the programme with every level empty: gains of 0 in the row of state 0, differences elsewhere."""
        model, count, states = highspy.HighsLp(), len(self._columns), self._states
        starts: list[int] = [0]
        rows: list[int] = []
        values: list[float] = []

        def column(*entries: tuple[int, float]) -> None:
            rows.extend(row for row, _ in entries)
            values.extend(value for _, value in entries)
            starts.append(len(rows))

        for one in self._columns:
            first, after = self.ladder.spans[one.ticker]
            change = float(one.side.sign)
            entries = [(0, 0.0)]
            # What never pays has no run; a row may stand in a column but once.
            if 0 < first < after:
                entries.append((first, -change))
            if first < after < states:
                entries.append((after, change))
            # The zeros keep a place for what prices will put there.
            column(*entries, (self._cash_row, 0.0))
        for state in range(states):
            column((state, 1.0), *([(state + 1, -1.0)] if state + 1 < states else []))
        column((0, 1.0))
        free = [-highspy.kHighsInf if state in self._gaps and not self._counts_gaps else 0.0 for state in range(states)]
        model.num_col_, model.num_row_ = count + states + 1, states + 1
        model.col_cost_ = np.array([0.0] * (count + states) + [1.0])
        model.col_lower_ = np.array([0.0] * count + free + [-highspy.kHighsInf])
        model.col_upper_ = np.array([0.0] * count + [highspy.kHighsInf] * (states + 1))
        model.row_lower_ = np.array([0.0] * states + [-highspy.kHighsInf])
        model.row_upper_ = np.array([0.0] * (states + 1))
        model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        model.a_matrix_.start_ = np.array(starts)
        model.a_matrix_.index_ = np.array(rows)
        model.a_matrix_.value_ = np.array(values)
        model.sense_ = highspy.ObjSense.kMaximize
        return model

    def _sorted(
        self, offers: Sequence[Offer], schedules: dict[str, FeeSchedule]
    ) -> dict[tuple[str, Side], list[Offer]]:
        """Give the offers of each side of each market, the best prices first."""
        sides: dict[tuple[str, Side], list[Offer]] = {}
        for offer in offers:
            if offer.ticker not in self.ladder.spans or not 0 < offer.price_ticks < TICKS_PER_DOLLAR:
                raise ArithmeticRefusal(f"{offer} is no offer on this ladder; leave it out")
            if offer.ticker not in schedules:
                raise ArithmeticRefusal(f"{offer.ticker} has an offer and no fee schedule; give both or neither")
            if offer.size_cc >= CC_PER_CONTRACT:
                sides.setdefault((offer.ticker, offer.side), []).append(offer)
        for (_, side), found in sides.items():
            found.sort(key=_PRICE, reverse=side is Side.ASK)
        return sides

    def _place(
        self, sides: dict[tuple[str, Side], list[Offer]], schedules: dict[str, FeeSchedule], cash: float
    ) -> None:
        """Put each offer into its column and change what differs from the programme as it stands."""
        if cash != self._cash:
            self._highs.changeRowBounds(self._cash_row, -highspy.kHighsInf, cash)
            self._cash = cash
        is_new, moved = schedules != self._schedules, []
        self._schedules = dict(schedules)
        for number, one in enumerate(self._columns):
            found = sides.get((one.ticker, one.side), ())
            offer = found[one.level] if one.level < len(found) else None
            before = self._placed[number]
            if not is_new and (offer is before or offer == before):
                continue
            self._placed[number] = offer
            moved.append(number)
            if offer is not None:
                self._price(number, one, offer, schedules[one.ticker])
        if moved:
            depths = [0.0 if (offer := self._placed[at]) is None else offer.size_cc // CC_PER_CONTRACT for at in moved]
            status = self._highs.changeColsBounds(
                len(moved), np.array(moved, dtype=np.int32), np.zeros(len(moved)), np.array(depths)
            )
            assert status == highspy.HighsStatus.kOk, "the columns are named once, in order"

    def _price(self, number: int, one: Column, offer: Offer, schedule: FeeSchedule) -> None:
        """Write what a contract of a column gains in the lowest state, and what it binds."""
        price = offer.price_ticks / TICKS_PER_DOLLAR
        fee = trade_fee_ud(schedule, offer.price_ticks, CC_PER_CONTRACT, is_maker=False) / UD_PER_DOLLAR
        extra = fee + _ROUNDING / (offer.size_cc // CC_PER_CONTRACT)
        is_paid_first = self.ladder.spans[one.ticker][0] == 0
        self._highs.changeCoeff(0, number, extra - one.side.sign * (float(is_paid_first) - price))
        self._highs.changeCoeff(self._cash_row, number, (price if one.side is Side.BID else 1.0 - price) + extra)

    def _whole(
        self, taken: Sequence[float], bound: float, schedules: dict[str, FeeSchedule], cash_ud: int
    ) -> tuple[Offer, ...]:
        """Give the legs in whole contracts."""
        legs, worst_ud = self._best(self._ends(taken), schedules, cash_ud)
        if worst_ud < _ENOUGH * bound * UD_PER_DOLLAR and math.fsum(taken) < _FEW:
            found = [round(contracts) for contracts in self._searched()]
            legs, _ = self._best((legs, self._legs(found)), schedules, cash_ud)
        return legs

    def _best(
        self, portfolios: Iterable[tuple[Offer, ...]], schedules: dict[str, FeeSchedule], cash_ud: int
    ) -> tuple[tuple[Offer, ...], int]:
        """Give the portfolio with the best worst state of those that the cash pays for, and that state's gain."""
        best: tuple[tuple[Offer, ...], int] = ((), 0)
        for legs in portfolios:
            binds_ud = sum(-min(leg_gains_ud(leg, schedules[leg.ticker])) for leg in legs)
            worst_ud = self._worst(legs, schedules)
            if worst_ud > best[1] and binds_ud <= cash_ud:
                best = (legs, worst_ud)
        return best

    def _ends(self, taken: Sequence[float]) -> Iterator[tuple[Offer, ...]]:
        """Give the two whole portfolios at the ends of the edge: what grows along it has one part of a contract more
        than whole ones, what shrinks that much less.
        """
        wholes = [math.floor(contracts + _PART_LEAST) for contracts in taken]
        parts = [contracts - whole for contracts, whole in zip(taken, wholes, strict=True)]
        first = next((part for part in parts if part > _PART_LEAST), 0.0)
        is_part = [part > _PART_LEAST for part in parts]
        is_like_first = [abs(part - first) <= _PART_LEAST for part in parts]
        yield self._legs([whole + (a and not b) for whole, a, b in zip(wholes, is_part, is_like_first, strict=True)])
        yield self._legs([whole + (a and b) for whole, a, b in zip(wholes, is_part, is_like_first, strict=True)])

    def _legs(self, contracts: Sequence[int]) -> tuple[Offer, ...]:
        return tuple(
            msgspec.structs.replace(offer, size_cc=count * CC_PER_CONTRACT)
            for offer, count in zip(self._placed, contracts, strict=True)
            if offer is not None and count
        )

    def _searched(self) -> Sequence[float]:
        """Give the best whole portfolio by branch and bound, and leave the programme where it stood."""
        count, basis = len(self._columns), self._highs.getBasis()
        columns = np.arange(count, dtype=np.int32)
        self._set(_SEARCHING)
        self._highs.changeColsIntegrality(count, columns, np.full(count, highspy.HighsVarType.kInteger))
        self._highs.run()
        found = self._highs.getSolution().col_value[:count]
        self._highs.changeColsIntegrality(count, columns, np.full(count, highspy.HighsVarType.kContinuous))
        self._set(_SOLVING)
        self._highs.setBasis(basis)
        return found

    def _set(self, options: Mapping[str, str | int]) -> None:
        for option, value in options.items():
            self._highs.setOptionValue(option, value)

    def _worst(self, legs: Sequence[Offer], schedules: dict[str, FeeSchedule]) -> int:
        gains = gains_ud(self.ladder, legs, schedules)
        return min(gain for state, gain in enumerate(gains) if self._counts_gaps or state not in self._gaps)

    def _told(
        self, legs: tuple[Offer, ...], schedules: dict[str, FeeSchedule], bound: float, duals: Sequence[float]
    ) -> Riskless:
        gains = gains_ud(self.ladder, legs, schedules)
        total = math.fsum(duals)
        return Riskless(
            legs=legs,
            gains_ud=tuple(gains),
            worst_ud=self._worst(legs, schedules),
            worst_gap_ud=min((gains[state] for state in self._gaps), default=None),
            bound=bound,
            state_prices=tuple(dual / total for dual in duals) if total else tuple(duals),
        )


def levels_of(offers: Sequence[Offer]) -> int:
    """Give how many levels the deepest side of these offers has, three at least."""
    counts: dict[tuple[str, Side], int] = {}
    for offer in offers:
        counts[offer.ticker, offer.side] = counts.get((offer.ticker, offer.side), 0) + 1
    return max(LEVELS_MIN, *counts.values()) if counts else LEVELS_MIN
