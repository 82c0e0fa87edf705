"""The index replica from the books of eight venues, and the same sum taken depth by depth beside it."""

import math

from bench.measuring import Case, Figure, Progress, Scale, each_ns, figures, processor_ns, take
from fairstrike.core.chance import Dice
from fairstrike.core.units import E8_PER_DOLLAR
from fairstrike.market.replica import Params, Replica, SpotLevel, VenueBook, size_cap

SECTION = "index replica, eight venues (processor time)"

_VENUES = 8
_PLAIN = "100 levels a side, depth by depth"
_CASES = {
    "100 levels a side": (100, Params()),
    "100 levels a side, a thousand depths": (100, Params(spacing_e8=E8_PER_DOLLAR // 10)),
    "100 levels a side, caps merged": (100, Params(caps_merged=True)),
    "250 levels a side": (250, Params(levels_max=250)),
}


def measure(scale: Scale, progress: Progress) -> list[Figure]:
    """Give the figures of one update: all venues' levels to one index value."""
    updates = max(1, scale.ticks // 10)
    cases: dict[str, Case] = {_PLAIN: _plain_case(updates)}
    for name, (levels, params) in _CASES.items():
        cases[name] = _case(synthetic_books(levels), params, updates)
    taken = take(cases, scale.rounds, progress, "index replica")
    in_us = {name: [took / 1_000 for took in runs] for name, runs in taken.items()}
    return figures(SECTION, in_us, "us", dict.fromkeys(_CASES, _PLAIN))


def synthetic_books(levels: int) -> dict[str, VenueBook]:
    """Give eight books around 80,000 dollars, a level about every dollar, half a coin at each on average."""
    dice = Dice(1, 1)
    return {
        f"venue{number}": VenueBook(bids=_side(dice, levels, -1), asks=_side(dice, levels, 1), age_ns=0)
        for number in range(_VENUES)
    }


def plain_index_e8(books: dict[str, VenueBook], params: Params) -> float:
    """Give the index by its definition, depth by depth, venues being sound: what `Replica` must agree with."""
    bids = sorted((level for book in books.values() for level in book.bids), reverse=True)
    asks = sorted(level for book in books.values() for level in book.asks)
    near = [size for price, size in bids[:50] if price >= 0.95 * bids[0][0]]
    near += [size for price, size in asks[:50] if price <= 1.05 * asks[0][0]]
    cap_e8 = round(size_cap(near))
    mids: list[float] = []
    for point in range(1, 1_001):
        bid, ask = (_price_at(side, cap_e8, point * params.spacing_e8) for side in (bids, asks))
        if bid is None or ask is None or ask / ((bid + ask) / 2) - 1.0 > params.deviation_max:
            break
        mids.append((bid + ask) / 2)
    rate = 1.0 / (0.3 * len(mids))
    weights = [rate * math.exp(-rate * point) for point in range(1, len(mids) + 1)]
    return math.fsum(weight * mid for weight, mid in zip(weights, mids, strict=True)) / math.fsum(weights)


def _price_at(side: list[SpotLevel], cap_e8: int, depth_e8: int) -> int | None:
    reached = 0
    for price, size in side:
        reached += min(size, cap_e8)
        if reached >= depth_e8:
            return price
    return None


def _side(dice: Dice, levels: int, sign: int) -> list[SpotLevel]:
    cents = 8_000_000
    return [
        (
            (cents + sign * (50 + 100 * number + int(100 * dice.uniform()))) * (E8_PER_DOLLAR // 100),
            1 + round(dice.exponential(E8_PER_DOLLAR / 2)),
        )
        for number in range(levels)
    ]


def _case(books: dict[str, VenueBook], params: Params, updates: int) -> Case:
    expected = plain_index_e8(books, params)

    def case() -> float:
        replica = Replica(params)
        began = processor_ns()
        found = [replica.compute(books) for _ in range(updates)]
        took = each_ns(began, updates)
        assert found[0] is not None, "eight sound venues give an index"
        if not params.caps_merged:
            assert abs(found[0].exact_e8 - expected) < 1.0, "the sum agrees with its definition"
        return took

    return case


def _plain_case(updates: int) -> Case:
    books, params, few = synthetic_books(100), Params(), max(1, updates // 50)

    def case() -> float:
        began = processor_ns()
        for _ in range(few):
            plain_index_e8(books, params)
        return each_ns(began, few)

    return case
