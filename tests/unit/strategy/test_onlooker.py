"""Who only observes: looks at every market, wishes no order and has long sums done, in an engine built for it."""

from itertools import pairwise

import msgspec
import pytest

from fairstrike.app import build, config
from fairstrike.core.contract import Comparison, Contract
from fairstrike.core.effects import Ask, Halt, StartComputation, Watch
from fairstrike.core.events import BookSnapshot, BooksRead, ComputationDone, ContractListed, Event, StreamChanged
from fairstrike.core.order import Side
from fairstrike.core.records import (
    WAKE_BEST_PRICE,
    WAKE_EVERY,
    ComputationAsked,
    Decided,
    GroupFitted,
    Leg,
    RisklessFound,
    RunEnded,
)
from fairstrike.execution.clerk import Outcome
from fairstrike.pricing.computations import ARBITRAGE, DISTRIBUTION, ArbitrageInputs, DistributionInputs
from fairstrike.worker.answering import Answers
from tests.unit.engine_samples import RUN, T, at, batch, command, contract, listed, of, printed, snapshot, timer


class Observed:
    """An engine as it is built for observing."""

    def __init__(self, **onlooker: int) -> None:
        settings = config.observe_profile("box")
        changed = msgspec.structs.replace(settings.strategies.onlooker, **onlooker)
        settings = msgspec.structs.replace(settings, strategies=config.Strategies(onlooker=changed))
        self.engine = build.engine(build.run_started(settings, "observe", RUN), settings)
        self.begun = self.engine.start(RUN)

    def feed(self, *events: Event) -> Outcome:
        """What all decisions among these events gave, as one."""
        made = [self.engine.decide(event.recv_ns) for event in events if self.engine.fold(event)]
        return Outcome(
            records=[record for one in made for record in one.records],
            effects=[effect for one in made for effect in one.effects],
        )


def test_nothing_is_read_of_an_account() -> None:
    hall = Observed()
    outcome = hall.feed(listed(), timer(60, "orders"), timer(60, "catalog"), batch(60))
    asked = {ask.what for ask in of(Ask, [*hall.begun.effects, *outcome.effects])}
    assert asked == {"markets"}
    assert of(Watch, outcome.effects) == [Watch(tickers=(T,))]


def test_best_prices_and_every_second_are_written_down() -> None:
    hall = Observed()
    first = hall.feed(listed(), snapshot(1), batch(1), printed(1))
    later = hall.feed(timer(2, "pulse"), timer(2.5, "pulse"), timer(3, "pulse"))
    rows = [
        (row.wakes, row.bid_ticks, row.ask_ticks)
        for one in of(Decided, first.records + later.records)
        for row in one.rows
    ]
    assert rows == [
        (WAKE_BEST_PRICE | WAKE_EVERY, 4_000, 4_200),
        (WAKE_EVERY, 4_000, 4_200),
        (WAKE_EVERY, 4_000, 4_200),
    ]
    assert [type(record) for record in first.records + later.records] == [Decided] * 3


def test_a_stop_has_nothing_to_prove() -> None:
    outcome = Observed().feed(command(5, "stop", "SIGTERM"))
    assert of(Halt, outcome.effects) == [Halt(reason="SIGTERM", is_clean=True)]
    assert of(RunEnded, outcome.records) == [RunEnded(reason="SIGTERM", cash_ud=0, fees_ud=0, resting=0)]


# Long sums

E8 = 100_000_000
RANGE, ABOVE, UP, COMING = "KXBTC-B80050", "KXBTCD-T80099.99", "KXBTC15M-UP", "KXBTC15M-COMING"


def of_the_group(ticker: str, kind: Comparison, floor: float | None, cap: float | None = None) -> Contract:
    """A market of the settlement group of `T`, whose threshold is 80,000."""
    return msgspec.structs.replace(
        contract(ticker),
        series=ticker.partition("-")[0],
        comparison=kind,
        floor_e8=None if floor is None else round(floor * E8),
        cap_e8=None if cap is None else round(cap * E8),
        round_digits=2 if kind is Comparison.AT_LEAST else None,
    )


GROUP = (
    contract(T),
    of_the_group(RANGE, Comparison.BETWEEN, 80_000.0, 80_099.99),
    of_the_group(ABOVE, Comparison.ABOVE, 80_099.99),
    of_the_group(UP, Comparison.AT_LEAST, 80_050.0),
    of_the_group(COMING, Comparison.AT_LEAST, None),
)


def listing(one: Contract) -> ContractListed:
    return msgspec.structs.replace(listed(), contract=one)


def books(seconds: float, **quotes: tuple[int, int]) -> list[BookSnapshot]:
    """Books of the group's struck markets that agree, some quotes put otherwise."""
    agreed = {
        T: (5_000, 5_200),
        RANGE: (3_000, 3_200),
        ABOVE: (1_900, 2_100),
        UP: (3_500, 3_700),
        COMING: (4_900, 5_100),
    }
    agreed |= {{"low": T, "above": ABOVE}[name]: quote for name, quote in quotes.items()}
    return [snapshot(seconds, ((bid, 5_000),), ((ask, 7_000),), ticker) for ticker, (bid, ask) in agreed.items()]


def prints(until: int) -> list[Event]:
    return [printed(second, 80_000 + 10 * (second % 7)) for second in range(1, until)]


def asked(outcome: Outcome) -> list[tuple[str, str]]:
    return [(one.kind, one.group) for one in of(ComputationAsked, outcome.records)]


def answered(hall: Observed, outcome: Outcome, seconds: float) -> Outcome:
    """What came of the sums of an outcome, done as the worker does them."""
    answers = Answers()
    done = [
        ComputationDone(kind=one.kind, number=one.number, result=answers(one.kind, one.inputs), recv_ns=at(seconds))
        for one in of(StartComputation, outcome.effects)
    ]
    return hall.feed(*done)


def test_a_groups_series_are_fitted_as_one_ladder_but_what_has_no_strike() -> None:
    hall = Observed()
    outcome = hall.feed(*map(listing, GROUP), *prints(200), *books(200), batch(200))
    (effect,) = of(StartComputation, outcome.effects)
    assert asked(outcome) == [(DISTRIBUTION, GROUP[0].group)]
    inputs = msgspec.msgpack.decode(effect.inputs, type=DistributionInputs)
    assert [one.ticker for one in inputs.contracts] == [RANGE, UP, T, ABOVE]
    assert inputs.quotes[T] == (5_000, 5_200)
    (fit,) = of(GroupFitted, answered(hall, outcome, 200.05).records)
    assert (fit.group, fit.asked_ns, fit.good_until_ns, fit.slack_ppm) == (GROUP[0].group, at(200), at(210), 0)
    (decided,) = of(Decided, outcome.records)
    fair_ppm = {row.ticker: row.fair_ppm or 0 for row in decided.rows if row.ticker != COMING}
    assert fit.moved_ppm.keys() <= fair_ppm.keys()
    p_ppm = {ticker: fair + fit.moved_ppm.get(ticker, 0) for ticker, fair in fair_ppm.items()}
    # One distribution: above 80,000 is the range, the cent after it and what is above that.
    assert 0 <= p_ppm[T] - p_ppm[RANGE] - p_ppm[ABOVE] < 1_000
    assert p_ppm[ABOVE] < p_ppm[UP] < p_ppm[T]
    # The model has less for it than its quotes allow, a fee of at most two cents counted.
    bid_ticks, ask_ticks = inputs.quotes[T]
    assert bid_ticks is not None
    assert ask_ticks is not None
    assert 100 * bid_ticks - 20_000 <= p_ppm[T] <= 100 * ask_ticks + 20_000
    assert fit.moved_ppm[T] != 0


def test_each_sum_has_its_pace_and_a_decision_asks_for_one() -> None:
    hall = Observed()
    hall.feed(*map(listing, GROUP), *prints(200))
    found = []
    for second in range(200, 212):
        outcome = hall.feed(*books(second), printed(second, 80_010), timer(second, "pulse"))
        while kinds := [kind for kind, _ in asked(outcome)]:
            found.append((second, kinds))
            outcome = answered(hall, outcome, second + 0.05)
    for kind, every in ((DISTRIBUTION, 2), (ARBITRAGE, 5)):
        seconds = [second for second, kinds in found if kinds == [kind]]
        assert seconds[0] == 200
        assert {later - earlier for earlier, later in pairwise(seconds)} <= {every, every + 1}
    assert {len(kinds) for _, kinds in found} == {1}


@pytest.mark.parametrize(("groups_max", "expected"), [(0, set()), (1, {"soon"}), (2, {"soon", "late"})])
def test_the_groups_that_close_soonest_are_asked_about(groups_max: int, expected: set[str]) -> None:
    hall = Observed(groups_max=groups_max)
    soon, late = contract(T), msgspec.structs.replace(contract("late"), close_ns=at(3_900))
    names = {soon.group: "soon", late.group: "late"}
    hall.feed(listing(soon), timer(301, "catalog"), msgspec.structs.replace(listing(late), recv_ns=at(301)))
    hall.feed(*(printed(second, 80_000 + second % 7) for second in range(302, 500)))
    found = [hall.feed(snapshot(500), snapshot(500, ticker="late"), batch(500))]
    found += [hall.feed(timer(second, "pulse")) for second in (501, 502, 503)]
    assert {names[group] for one in found for _, group in asked(one)} == expected


def test_a_group_that_closed_is_asked_about_no_more() -> None:
    hall = Observed()
    hall.feed(listing(GROUP[0]), *books(3_500)[:1], batch(3_500))
    hall.feed(*(printed(second, 80_000 + second % 7) for second in range(3_300, 3_600)))
    assert asked(hall.feed(printed(3_601), timer(3_601, "pulse"))) == []


def test_without_a_reference_price_there_is_no_prior_and_no_fit() -> None:
    hall = Observed()
    outcome = hall.feed(*map(listing, GROUP), *books(200), batch(200), timer(201, "pulse"))
    assert [kind for kind, _ in asked(outcome)] == [ARBITRAGE]


def test_a_portfolio_that_cannot_lose_is_told_and_so_is_its_end() -> None:
    hall = Observed()
    # Above 80,099.99 is bid far beyond what above 80,000 costs.
    crossed = hall.feed(*map(listing, GROUP), *books(10, low=(3_800, 4_000), above=(6_000, 6_200)), batch(10))
    (effect,) = of(StartComputation, crossed.effects)
    inputs = msgspec.msgpack.decode(effect.inputs, type=ArbitrageInputs)
    assert (inputs.cash_ud, len(inputs.offers)) == (1_000_000_000, 8)
    (found,) = of(RisklessFound, answered(hall, crossed, 10.1).records)
    assert {Leg(T, Side.BID, 4_000, 7_000), Leg(ABOVE, Side.ASK, 6_000, 5_000)} & set(found.legs)
    assert (found.worst_ud > 5_000_000, found.good_until_ns) == (True, at(20))
    for second, expected in ((20, [(0, ())]), (30, [])):
        outcome = answered(hall, hall.feed(*books(second), batch(second)), second + 0.1)
        assert [(one.worst_ud, one.legs) for one in of(RisklessFound, outcome.records)] == expected


def test_books_by_rest_make_no_portfolio() -> None:
    hall = Observed()
    down = StreamChanged(source="kalshi", is_up=False, reason="no key", recv_ns=at(0))
    polled = BooksRead(books=tuple(books(10)), asked_ns=at(10), recv_ns=at(10))
    assert asked(hall.feed(down, *map(listing, GROUP), polled, timer(11, "pulse"))) == []
