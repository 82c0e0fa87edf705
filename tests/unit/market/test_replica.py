"""The index replica: published vectors, the defining sum, screening, properties."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bench.replica import plain_index_e8, synthetic_books
from fairstrike.core.units import E8_PER_DOLLAR
from fairstrike.market.replica import Params, Replica, SpotLevel, VenueBook, size_cap

SECOND = 1_000_000_000
CENT_E8 = 1_000_000


class RawBook(msgspec.Struct):
    age: float
    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]

    def book(self) -> VenueBook:
        return VenueBook(bids=levels(self.bids), asks=levels(self.asks), age_ns=round(self.age * SECOND))


class Expected(msgspec.Struct):
    spacing: float
    D: float
    index: float
    index_unrounded: float
    cap: float
    utilized_depth: float
    n_points: int
    excluded: list[str]
    used: list[str]


class Flagged(msgspec.Struct):
    index: float
    excluded: list[str]
    utilized_depth: float | None = None


class Hysteresis(msgspec.Struct):
    if_previously_flagged: Flagged
    if_not_flagged: Flagged


class Toy(msgspec.Struct):
    books: dict[str, RawBook]
    results: list[Expected]
    hysteresis: Hysteresis


class CapCase(msgspec.Struct):
    sizes: str | list[float]
    cap: float


class Vectors(msgspec.Struct):
    rti_toy: Toy
    rti_size_cap: list[CapCase]


def levels(pairs: list[tuple[float, float]]) -> list[SpotLevel]:
    return [(round(price * E8_PER_DOLLAR), round(size * E8_PER_DOLLAR)) for price, size in pairs]


def book(bid: int, ask: int, size: int = E8_PER_DOLLAR, age_ns: int = 0) -> VenueBook:
    return VenueBook(bids=[(bid * E8_PER_DOLLAR, size)], asks=[(ask * E8_PER_DOLLAR, size)], age_ns=age_ns)


@pytest.fixture(scope="module")
def vectors(shared_facts: Path) -> Vectors:
    return msgspec.json.decode((shared_facts / "pricing_vectors.json").read_bytes(), type=Vectors)


@pytest.mark.parametrize("caps_merged", [False, True])
@pytest.mark.parametrize("case", range(4))
def test_toy_books(vectors: Vectors, case: int, caps_merged: bool) -> None:
    expected = vectors.rti_toy.results[case]
    spacing_e8 = round(expected.spacing * E8_PER_DOLLAR)
    replica = Replica(Params(spacing_e8=spacing_e8, deviation_max=expected.D, caps_merged=caps_merged))
    found = replica.compute({venue: raw.book() for venue, raw in vectors.rti_toy.books.items()})
    assert found is not None
    assert expected.index_unrounded == pytest.approx(found.exact_e8 / E8_PER_DOLLAR, abs=1e-6)
    assert round(expected.index * 100) * CENT_E8 == found.value_e8
    assert expected.cap == pytest.approx(found.cap_e8 / E8_PER_DOLLAR, abs=1e-6)
    assert (expected.n_points, round(expected.utilized_depth * E8_PER_DOLLAR)) == (found.points, found.depth_e8)
    assert (tuple(expected.used), frozenset(expected.excluded)) == (found.used, replica.flagged)


@pytest.mark.parametrize("was_flagged", [True, False])
def test_a_flagged_venue_comes_back_within_half_the_limit_only(vectors: Vectors, was_flagged: bool) -> None:
    toy = vectors.rti_toy
    books = {venue: raw.book() for venue, raw in toy.books.items()}
    replica = Replica(Params())
    if was_flagged:
        replica.compute(books)
    found = replica.compute(books | {"venueBad": book(77_500, 77_510, size=5 * E8_PER_DOLLAR)})
    expected = toy.hysteresis.if_previously_flagged if was_flagged else toy.hysteresis.if_not_flagged
    assert found is not None
    assert (round(expected.index * 100) * CENT_E8, frozenset(expected.excluded)) == (found.value_e8, replica.flagged)


@pytest.mark.parametrize("case", [0, 1])
def test_size_cap(vectors: Vectors, case: int) -> None:
    expected = vectors.rti_size_cap[case]
    sizes = [1.0] * 99 + [500.0] if isinstance(expected.sizes, str) else expected.sizes
    assert expected.cap == pytest.approx(size_cap(sizes), abs=1e-8)


def test_one_size_caps_itself() -> None:
    assert size_cap([3.0]) == 3.0


@pytest.mark.parametrize(
    "books",
    [
        {},
        {"empty": VenueBook(bids=[(1, 1)], asks=[], age_ns=0)},
        {"locked": book(80_000, 80_000)},
        {"stale": book(80_000, 80_001, age_ns=10 * SECOND)},
    ],
)
def test_without_a_sound_venue_there_is_no_value(books: dict[str, VenueBook]) -> None:
    assert Replica(Params()).compute(books) is None


def test_of_two_venues_that_disagree_none_is_right() -> None:
    low, near, far = book(80_000, 80_001), book(80_078, 80_079), book(86_400, 86_401)
    replica = Replica(Params())
    agreed = replica.compute({"a": low, "b": near})
    assert agreed is not None
    assert agreed.used == ("a", "b")
    # 8 % apart each is 4 % from their mean, within the limit of 5 %.
    assert replica.compute({"a": low, "b": far}) is None
    assert replica.compute({"a": low, "b": book(80_081, 80_082)}) is None
    # Three have a majority, and one has nobody to contradict it.
    assert replica.compute({"a": low, "b": near, "c": book(80_100, 80_101)}) is not None
    assert replica.compute({"a": low}) is not None


def test_two_that_are_left_when_a_third_strayed_have_to_agree() -> None:
    replica = Replica(Params())
    strayed = book(90_000, 90_001)
    assert replica.compute({"a": book(80_000, 80_001), "b": book(80_040, 80_041), "c": strayed}) is not None
    assert replica.compute({"a": book(80_000, 80_001), "b": book(80_400, 80_401), "c": strayed}) is None
    assert replica.flagged == {"c"}


def test_a_flag_outlives_silence() -> None:
    near = {"a": book(80_000, 80_001), "b": book(80_000, 80_002)}
    replica = Replica(Params())
    replica.compute(near | {"c": book(90_000, 90_001)})
    replica.compute(near)
    assert replica.flagged == {"c"}
    replica.compute(near | {"c": book(80_100, 80_101)})
    assert replica.flagged == frozenset()


def test_less_than_one_step_of_depth_still_gives_the_last_prices() -> None:
    found = Replica(Params()).compute({"a": book(80_000, 80_010, size=E8_PER_DOLLAR // 2)})
    assert found is not None
    assert (found.value_e8, found.points) == (80_005 * E8_PER_DOLLAR, 1)


def test_a_first_step_beyond_the_limit_still_counts() -> None:
    found = Replica(Params()).compute({"a": book(70_000, 80_000)})
    assert found is not None
    assert (found.value_e8, found.points) == (75_000 * E8_PER_DOLLAR, 1)


def test_at_most_a_thousand_depths() -> None:
    found = Replica(Params(spacing_e8=1)).compute({"a": book(80_000, 80_001)})
    assert found is not None
    assert found.points == 1_000


def test_a_venue_is_read_no_deeper_than_told() -> None:
    deep = VenueBook(
        bids=[(79_999 * E8_PER_DOLLAR, E8_PER_DOLLAR), (79_000 * E8_PER_DOLLAR, 9 * E8_PER_DOLLAR)],
        asks=[(80_001 * E8_PER_DOLLAR, E8_PER_DOLLAR), (80_002 * E8_PER_DOLLAR, 9 * E8_PER_DOLLAR)],
        age_ns=0,
    )
    found = Replica(Params(levels_max=1)).compute({"a": deep})
    assert found is not None
    assert (found.value_e8, found.points) == (80_000 * E8_PER_DOLLAR, 1)


def test_caps_act_on_a_price_together_or_on_each_venues_part() -> None:
    wall = [VenueBook(bids=[(79_999, 10)], asks=[(80_001, size), (80_003, 1_000)], age_ns=0) for size in (10, 10)]
    both = dict(zip("ab", wall, strict=True))
    apart, together = (Replica(Params(spacing_e8=1, caps_merged=merged)).compute(both) for merged in (False, True))
    assert apart is not None
    assert together is not None
    assert apart.cap_e8 != together.cap_e8


@pytest.mark.parametrize("spacing_e8", [E8_PER_DOLLAR, E8_PER_DOLLAR // 10, E8_PER_DOLLAR // 1_000])
def test_the_sum_is_its_definition_on_eight_venues(spacing_e8: int) -> None:
    params, books = Params(spacing_e8=spacing_e8), synthetic_books(60)
    found = Replica(params).compute(books)
    assert found is not None
    assert plain_index_e8(books, params) == pytest.approx(found.exact_e8, rel=1e-13)


sides = st.lists(st.tuples(st.integers(1, 400), st.integers(1, 500)), min_size=1, max_size=12)


def side_of(raw: list[tuple[int, int]], sign: int) -> list[SpotLevel]:
    return [((8_000_000 + sign * cents) * CENT_E8, size * CENT_E8) for cents, size in sorted(dict(raw).items())]


def made(bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> VenueBook:
    """A book of levels so many cents away from 80,000 dollars, sizes in hundredths of a coin."""
    return VenueBook(bids=side_of(bids, -1), asks=side_of(asks, 1), age_ns=0)


@given(st.lists(st.tuples(sides, sides), min_size=1, max_size=4), st.sampled_from([1, 3, 10, 100]))
def test_the_sum_is_its_definition(raw: list[tuple[list[tuple[int, int]], list[tuple[int, int]]]], step: int) -> None:
    books = {f"v{number}": made(*sides) for number, sides in enumerate(raw)}
    params = Params(spacing_e8=step * CENT_E8)
    found = Replica(params).compute(books)
    assert found is not None
    assume(found.points > 1)
    assert plain_index_e8(books, params) == pytest.approx(found.exact_e8, rel=1e-13)
    prices = [price for one in books.values() for price, _ in (*one.bids, *one.asks)]
    assert min(prices) <= found.exact_e8 <= max(prices)


@given(st.lists(st.tuples(sides, sides), min_size=1, max_size=3), st.permutations(["a", "b", "c"]))
def test_the_order_of_venues_does_not_matter(
    raw: list[tuple[list[tuple[int, int]], list[tuple[int, int]]]], names: list[str]
) -> None:
    books = [made(*sides) for sides in raw]
    straight = Replica(Params()).compute(dict(zip("abc", books, strict=False)))
    mixed = Replica(Params()).compute(dict(zip(names, books, strict=False)))
    assert straight is not None
    assert mixed is not None
    assert straight.exact_e8 == mixed.exact_e8
