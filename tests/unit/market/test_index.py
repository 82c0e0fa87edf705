"""The reference price: whose, how old, with what error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.events import IndexPrinted
from fairstrike.market.index import Index, Params, Reference
from tests.unit.market.samples import SECOND

DOLLAR_E8 = 10**8


def printed(
    second: int,
    value: int = 80_000,
    source: str = "official",
    recv: int = 0,
    venue: int | None = None,
    asset: str = "BTC",
) -> IndexPrinted:
    return IndexPrinted(
        asset=asset,
        source=source,
        second=second,
        value_e8=value * DOLLAR_E8,
        recv_ns=recv or second * SECOND,
        venue_ns=venue,
    )


def index(*prints: IndexPrinted, offset_ns: int = 0) -> Index:
    made = Index(Params())
    for one in prints:
        made.fold(one, offset_ns)
    return made


def test_no_reference_before_the_first_print() -> None:
    assert index().fresh(0) is None


def test_the_official_index_has_no_error() -> None:
    made = index(printed(5))
    expected = Reference(value_e8=80_000 * DOLLAR_E8, sd_e8=0, source="official", at_ns=5 * SECOND)
    assert expected == made.fresh(5 * SECOND)


def test_coinbase_carries_its_measured_error() -> None:
    reference = index(printed(5, source="coinbase")).reference
    assert reference is not None
    assert (reference.sd_e8, reference.source) == (530_000_000, "coinbase")


@pytest.mark.parametrize(("source", "asset"), [("kraken", "BTC"), ("coinbase", "ETH"), ("", "BTC")])
def test_a_source_without_measured_error_gives_no_price(source: str, asset: str) -> None:
    made = Index(Params())
    assert not made.fold(printed(5, source=source, asset=asset), 0)
    assert (made.reference, made.prints) == (None, {})


@pytest.mark.parametrize(("is_fresh", "now_ns"), [(True, 8 * SECOND), (False, 8 * SECOND + 1)])
def test_stale_by_the_sources_stamp_not_by_receipt(is_fresh: bool, now_ns: int) -> None:
    made = index(printed(5, recv=7 * SECOND, venue=5 * SECOND))
    assert is_fresh is (made.fresh(now_ns) is not None)


@pytest.mark.parametrize(("is_fresh", "now_ns"), [(True, 10 * SECOND), (False, 10 * SECOND + 1)])
def test_without_a_stamp_receipt_counts(is_fresh: bool, now_ns: int) -> None:
    assert is_fresh is (index(printed(5, recv=7 * SECOND)).fresh(now_ns) is not None)


@pytest.mark.parametrize(
    ("at_ns", "venue_ns", "offset_ns"),
    [(5 * SECOND, 4 * SECOND, SECOND), (7 * SECOND, 6 * SECOND, 9 * SECOND), (3 * SECOND, 4 * SECOND, -SECOND)],
)
def test_the_stamp_is_turned_into_our_time_never_past_receipt(at_ns: int, venue_ns: int, offset_ns: int) -> None:
    reference = index(printed(5, recv=7 * SECOND, venue=venue_ns), offset_ns=offset_ns).reference
    assert reference is not None
    assert at_ns == reference.at_ns


def test_a_second_seen_before_is_dropped() -> None:
    made = index(printed(5))
    assert not made.fold(printed(5, value=1, recv=9 * SECOND), 0)
    assert made.prints == {5: 80_000 * DOLLAR_E8}
    assert made.reference is not None
    assert made.reference.value_e8 == 80_000 * DOLLAR_E8


def test_a_late_print_fills_its_second_and_leaves_the_reference() -> None:
    made = index(printed(5, 80_000), printed(7, 80_700))
    before = made.reference
    assert made.fold(printed(6, 80_600, recv=8 * SECOND), 0)
    assert made.prints[6] == 80_600 * DOLLAR_E8
    assert before == made.reference


@pytest.mark.parametrize("value", [0, -1])
def test_a_value_that_is_not_positive_is_dropped(value: int) -> None:
    made = index(printed(5))
    before = made.reference
    assert not made.fold(printed(6, value), 0)
    assert (before, [5]) == (made.reference, list(made.prints))


def test_prints_are_bounded() -> None:
    made = Index(Params(prints_kept=3))
    for second in range(10):
        made.fold(printed(second + 1), 0)
    assert list(made.prints) == [8, 9, 10]


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 9)), max_size=40))
def test_the_reference_is_the_latest_second_and_prints_are_the_first_of_each(prints: list[tuple[int, int]]) -> None:
    made, first = index(), dict[int, int]()
    for second, value in prints:
        assert (second not in first) is made.fold(printed(second, value), 0)
        first.setdefault(second, value * DOLLAR_E8)
    assert first == made.prints
    if first:
        assert made.reference is not None
        assert first[max(first)] == made.reference.value_e8
