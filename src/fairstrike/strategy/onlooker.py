"""The strategy of who only observes: it looks at every market and wishes no order.

Being woken is what it is for: each decision in which it is leaves the woken markets' best prices, sizes and fair values
in the journal, which is where a display reads them.

Of the settlement groups that close soonest it has two long sums done again and again: the distribution that their
quotes allow, with all series of a group as one ladder, and the portfolio of their offers that cannot lose. What came of
them is written down for the same display. Books by REST are moments apart and make no portfolio.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from fairstrike.core.bounds import Count, Positive
from fairstrike.core.computing import Answer, Compute
from fairstrike.core.contract import Contract
from fairstrike.core.order import Side
from fairstrike.core.records import Finding, GroupFitted, Leg, RisklessFound
from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import PPM, UD_PER_DOLLAR, ppm_of_belief
from fairstrike.market.view import MarketView
from fairstrike.pricing.computations import (
    ARBITRAGE,
    DISTRIBUTION,
    ArbitrageInputs,
    DistributionFitted,
    DistributionInputs,
    Offer,
    Riskless,
    encoded,
)
from fairstrike.pricing.distribution import prices
from fairstrike.pricing.settlement import SettlementInputs
from fairstrike.strategy.base import Wakes, Wish
from fairstrike.strategy.scene import Scene

_KINDS = (DISTRIBUTION, ARBITRAGE)


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of how many settlement groups, those closing soonest, each sum is asked for, how often, and how long it is good.

    The distribution is asked for every `fit_every_ns`, the portfolio every `riskless_every_ns`; that binds at most
    `cash_ud`.
    """

    groups_max: Count = 4
    fit_every_ns: Positive = 2 * SECOND_NS
    riskless_every_ns: Positive = 5 * SECOND_NS
    good_for_ns: Positive = 10 * SECOND_NS
    cash_ud: Positive = 1_000 * UD_PER_DOLLAR


class _Group(msgspec.Struct, frozen=True, kw_only=True):
    """A settlement group by one of its markets; `ends_ns` is its close on our clock."""

    contract: Contract
    ends_ns: int


class Onlooker:
    """Woken by every best price that moves, and once a second. Its code never enters an order id."""

    name = "onlooker"
    code = 0
    wakes = Wakes(best_price=True, every_ns=SECOND_NS)

    def __init__(self, params: Params) -> None:
        """Start with nothing looked at."""
        self._params = params
        self._every_ns = {DISTRIBUTION: params.fit_every_ns, ARBITRAGE: params.riskless_every_ns}
        self.tally: Counter[str] = Counter()
        self._groups: dict[str, _Group] = {}
        self._asked_ns: dict[tuple[str, str], int] = {}
        self._riskless: set[str] = set()

    def trades(self, contract: Contract) -> bool:
        """Look at every market."""
        return True

    def consider(self, scene: Scene) -> list[Wish]:
        """Give what came of the sums, and the wish for one more when one is due: a decision has time for one."""
        self.tally["looked at"] += len(scene.woken)
        wishes: list[Wish] = [found for one in scene.answers if (found := self._finding(one)) is not None]
        self._note(scene)
        if (wish := self._due(scene)) is not None:
            wishes.append(wish)
        return wishes

    def _note(self, scene: Scene) -> None:
        """Learn of the woken markets' groups, and forget those that closed."""
        for ticker in scene.woken:
            view = scene.market(ticker)
            group = view.contract.group
            self._groups[group] = _Group(contract=view.contract, ends_ns=scene.now_ns + view.closes_in_ns)
        for group in [group for group, known in self._groups.items() if known.ends_ns <= scene.now_ns]:
            del self._groups[group]
            self._riskless.discard(group)
            for kind in _KINDS:
                self._asked_ns.pop((kind, group), None)

    def _due(self, scene: Scene) -> Compute | None:
        """Give the wish for the sum that is due longest, if one is and can be done."""
        nearest = sorted(self._groups, key=lambda group: (self._groups[group].ends_ns, group))
        dues = [
            (self._asked_ns.get((kind, group), 0) + self._every_ns[kind], group, kind)
            for group in nearest[: self._params.groups_max]
            for kind in _KINDS
        ]
        for due_ns, group, kind in sorted(dues, key=lambda one: one[0]):
            if due_ns > scene.now_ns:
                break
            known = scene.known(self._groups[group].contract)
            if kind == DISTRIBUTION and known is None:
                continue
            self._asked_ns[kind, group] = scene.now_ns
            views = _with_books(scene, group)
            inputs = self._portfolio(views) if known is None or kind == ARBITRAGE else _distribution(views, known)
            if inputs is None:
                continue
            body, good_for_ns = encoded(inputs), self._params.good_for_ns
            return Compute(strategy=self.name, kind=kind, group=group, inputs=body, good_for_ns=good_for_ns)
        return None

    def _portfolio(self, views: Sequence[MarketView]) -> ArbitrageInputs | None:
        """Give the best offers of the stream's books; None when they are of less than two markets."""
        streamed = [view for view in views if not view.is_polled]
        if len(streamed) < 2:
            return None
        return ArbitrageInputs(
            contracts=tuple(view.contract for view in streamed),
            offers=tuple(offer for view in streamed for offer in _offers(view)),
            schedules={view.contract.ticker: view.schedule for view in streamed},
            cash_ud=self._params.cash_ud,
        )

    def _finding(self, answer: Answer) -> Finding | None:
        """Give what an answer says; None for an empty portfolio after none or another empty one."""
        if answer.kind == DISTRIBUTION:
            return _fitted(answer)
        found = msgspec.msgpack.decode(answer.result, type=Riskless)
        if not found.legs and answer.group not in self._riskless:
            return None
        (self._riskless.add if found.legs else self._riskless.discard)(answer.group)
        return RisklessFound(
            group=answer.group,
            asked_ns=answer.asked_ns,
            good_until_ns=answer.good_until_ns,
            worst_ud=found.worst_ud if found.legs else 0,
            legs=tuple(Leg(leg.ticker, leg.side, leg.price_ticks, leg.size_cc) for leg in found.legs),
        )


def _with_books(scene: Scene, group: str) -> list[MarketView]:
    """Give a group's markets whose strikes are known and whose books are there."""
    views = [scene.market(contract.ticker) for contract in scene.rungs(group) if contract.is_struck]
    return [view for view in views if view.book is not None]


def _distribution(views: Sequence[MarketView], known: SettlementInputs) -> DistributionInputs | None:
    """Give the quotes of a group's markets; None when there are none."""
    books = {view.contract.ticker: view.book for view in views if view.book is not None}
    if not books:
        return None
    return DistributionInputs(
        contracts=tuple(view.contract for view in views),
        quotes={ticker: (book.bid_ticks, book.ask_ticks) for ticker, book in books.items()},
        schedules={view.contract.ticker: view.schedule for view in views},
        known=known,
    )


def _offers(view: MarketView) -> Iterator[Offer]:
    """Give what can be had of a market at its best prices: who asks is bought from, to who bids is sold."""
    ticker, book = view.contract.ticker, view.book
    if book is None:
        return
    for side, price_ticks in ((Side.BID, book.ask_ticks), (Side.ASK, book.bid_ticks)):
        if price_ticks is not None:
            size_cc = book.size_cc(side.opposite, price_ticks)
            yield Offer(ticker=ticker, side=side, price_ticks=price_ticks, size_cc=size_cc)


def _fitted(answer: Answer) -> GroupFitted:
    found = msgspec.msgpack.decode(answer.result, type=DistributionFitted)
    worth, model = prices(found.ladder, found.fit.weights), prices(found.ladder, found.prior)
    return GroupFitted(
        group=answer.group,
        asked_ns=answer.asked_ns,
        good_until_ns=answer.good_until_ns,
        slack_ppm=round(found.fit.slack * PPM),
        moved_ppm={ticker: moved for ticker, p in worth.items() if (moved := _ppm(p) - _ppm(model[ticker]))},
    )


def _ppm(p: float) -> int:
    # A sum of weights may pass a bound by the last digit of a float.
    return ppm_of_belief(min(max(p, 0.0), 1.0))
