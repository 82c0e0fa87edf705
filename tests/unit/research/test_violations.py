"""Violations on recorded books: looked for where several books are told at once, and only on books that are served."""

import msgspec

from fairstrike.core.events import ContractListed, Event, Level
from fairstrike.research.violations import Violations
from tests.unit.engine_samples import BID, Hall, T, U, at, batch, listed, snapshot

Sides = tuple[tuple[Level, ...], tuple[Level, ...]]
TIGHT: Sides = (((4_000, 100),), ((4_200, 100),))
DEAR: Sides = (((5_000, 100),), ((5_200, 100),))


def strikes() -> list[ContractListed]:
    higher = listed(U)
    return [
        listed(T),
        msgspec.structs.replace(higher, contract=msgspec.structs.replace(higher.contract, floor_e8=81_000 * 10**8)),
    ]


def looked(*units: list[Event]) -> Violations:
    hall, violations = Hall(), Violations()
    hall.feed(*strikes(), batch(1))
    for events in units:
        hall.feed(*events)
        violations(events[-1].recv_ns, events, hall.engine)
    return violations


def books(seconds: float, low: Sides, high: Sides) -> list[Event]:
    return [snapshot(seconds, *low, ticker=T), snapshot(seconds, *high, ticker=U), batch(seconds)]


def test_a_higher_strike_bid_above_a_lower_ones_ask_is_found_with_its_time() -> None:
    (found,) = looked(books(2, TIGHT, DEAR)).found
    assert (found.kind, found.events, found.at_ns) == ("thresholds", ("KXBTCD-26MAY1417",), at(2))
    assert found.closes_in_ns == 3_598 * 10**9
    assert [(leg.ticker, leg.side is BID, leg.price_ticks) for leg in found.legs] == [
        (T, True, 4_200),
        (U, False, 5_000),
    ]
    assert found.gain_ud == 80_000 - 17_052 - 17_500


def test_prices_in_order_are_no_violation() -> None:
    violations = looked(books(2, DEAR, TIGHT), books(3, DEAR, TIGHT))
    assert (violations.looked, violations.found) == (2, [])


def test_one_book_alone_is_not_looked_at() -> None:
    assert looked([snapshot(2, *TIGHT, ticker=T), batch(2)], [snapshot(3, *DEAR, ticker=U), batch(3)]).looked == 0


def test_a_market_nobody_knows_is_left_out() -> None:
    strange: list[Event] = [snapshot(2, *TIGHT, ticker="X"), snapshot(2, *DEAR, ticker="Y"), batch(2)]
    assert looked(strange).looked == 0
