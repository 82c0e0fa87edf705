"""The reference price: whose, how old, with what error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.events import IndexPrinted
from fairstrike.market.index import Divergence, Index, Params, Reference
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


def index(*prints: IndexPrinted, offset_ns: int = 0, params: Params = Params()) -> Index:  # noqa: B008
    made = Index(params)
    for one in prints:
        made.fold(one, offset_ns)
    return made


def latest(made: Index, source: str = "official") -> Reference:
    reference = made.series[source].reference
    assert reference is not None
    return reference


def test_no_reference_before_the_first_print() -> None:
    assert index().fresh(0) is None


def test_a_second_of_the_future_does_not_hold_up_those_that_follow() -> None:
    made = index(printed(5), printed(1_000_000, value=90_000, recv=6 * SECOND))
    assert latest(made).value_e8 == 80_000 * DOLLAR_E8
    assert made.fold(printed(7, value=80_007), 0) == ("official",)
    assert latest(made).value_e8 == 80_007 * DOLLAR_E8


def test_a_source_whose_clock_is_ahead_of_ours_is_heard() -> None:
    made = index(printed(100_005, recv=5 * SECOND), offset_ns=-100_000 * SECOND)
    assert latest(made).value_e8 == 80_000 * DOLLAR_E8


def test_the_official_index_has_no_error() -> None:
    made = index(printed(5))
    expected = Reference(value_e8=80_000 * DOLLAR_E8, sd_e8=0, source="official", at_ns=5 * SECOND)
    assert expected == made.fresh(5 * SECOND)


def test_coinbase_carries_its_measured_error() -> None:
    reference = index(printed(5, source="coinbase")).fresh(5 * SECOND)
    assert reference is not None
    assert (reference.sd_e8, reference.source) == (530_000_000, "coinbase")


@pytest.mark.parametrize(
    ("source", "asset"), [("kraken", "BTC"), ("replica", "BTC"), ("binance", "BTC"), ("coinbase", "ETH"), ("", "BTC")]
)
def test_a_source_without_measured_error_gives_no_price_and_is_kept(source: str, asset: str) -> None:
    made = index(printed(5, source=source, asset=asset))
    assert made.fresh(5 * SECOND) is None
    assert made.series[source].prints == {5: 80_000 * DOLLAR_E8}


def test_the_fresh_sources_without_an_error_are_named_the_best_first() -> None:
    made = index(*(printed(5, source=source) for source in ("binance", "kraken", "coinbase", "official", "replica")))
    assert made.unmeasured(6 * SECOND) == ["replica", "consensus", "kraken", "binance"]
    assert made.unmeasured(9 * SECOND) == []


def test_only_the_official_index_is_no_proxy() -> None:
    told = {source: latest(index(printed(5, source=source)), source) for source in ("official", "cfbenchmarks", "x")}
    assert [source for source, reference in told.items() if reference.is_proxy] == ["x"]


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
    reference = latest(index(printed(5, recv=7 * SECOND, venue=venue_ns), offset_ns=offset_ns))
    assert (at_ns, offset_ns) == (reference.at_ns, reference.offset_ns)


def test_a_second_seen_before_is_dropped() -> None:
    made = index(printed(5))
    assert made.fold(printed(5, value=1, recv=9 * SECOND), 0) == ()
    assert made.series["official"].prints == {5: 80_000 * DOLLAR_E8}
    assert latest(made).value_e8 == 80_000 * DOLLAR_E8


def test_a_late_print_fills_its_second_and_leaves_the_reference() -> None:
    made = index(printed(5, 80_000), printed(7, 80_700))
    before = latest(made)
    assert made.fold(printed(6, 80_600, recv=8 * SECOND), 0) == ("official",)
    assert made.series["official"].prints[6] == 80_600 * DOLLAR_E8
    assert before == latest(made)


@pytest.mark.parametrize("value", [0, -1])
def test_a_value_that_is_not_positive_is_dropped(value: int) -> None:
    made = index(printed(5))
    before = latest(made)
    assert made.fold(printed(6, value), 0) == ()
    assert (before, [5]) == (latest(made), list(made.series["official"].prints))


def test_prints_are_bounded() -> None:
    made = index(*(printed(second + 1) for second in range(10)), params=Params(prints_kept=3))
    assert list(made.series["official"].prints) == [8, 9, 10]


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 9)), max_size=40))
def test_the_reference_is_the_latest_second_and_prints_are_the_first_of_each(prints: list[tuple[int, int]]) -> None:
    made, first = index(), dict[int, int]()
    for second, value in prints:
        assert (second not in first) is bool(made.fold(printed(second, value), 0))
        first.setdefault(second, value * DOLLAR_E8)
    if first:
        assert first == made.series["official"].prints
        assert first[max(first)] == latest(made).value_e8


ORDER = ("official", "cfbenchmarks", "replica", "consensus", "coinbase", "kraken", "bitstamp", "gemini", "binance")
ALL_KNOWN = Params(proxy_sd_e8={f"{source}/BTC": 1 + rank for rank, source in enumerate(ORDER)})


def best(made: Index, now_ns: int) -> str | None:
    reference = made.fresh(now_ns)
    return None if reference is None else reference.source


@given(st.sets(st.sampled_from([source for source in ORDER if source != "consensus"])), st.permutations(ORDER))
def test_the_best_source_that_is_fresh_is_taken(alive: set[str], order: list[str]) -> None:
    """Those alive print again; the others are three seconds old by then."""
    made = index(params=ALL_KNOWN)
    for second, sources in ((5, order), (9, [source for source in order if source in alive])):
        for source in sources:
            if source != "consensus":
                made.fold(printed(second, source=source), 0)
    expected = alive | ({"consensus"} if alive >= {"coinbase", "kraken"} else set())
    assert next((source for source in ORDER if source in expected), None) == best(made, 9 * SECOND)


def test_the_administrators_own_stream_has_no_error() -> None:
    reference = index(printed(5, source="cfbenchmarks")).fresh(5 * SECOND)
    assert reference is not None
    assert reference.sd_e8 == 0


def test_the_consensus_is_the_middle_of_the_two_in_one_second() -> None:
    made = index(printed(5, 80_000, "coinbase"), params=ALL_KNOWN)
    assert made.fold(printed(6, 80_010, "kraken"), 0) == ("kraken",)
    assert made.fold(printed(6, 80_020, "coinbase", recv=6 * SECOND + 1, venue=6 * SECOND), 7) == (
        "coinbase",
        "consensus",
    )
    reference = made.fresh(6 * SECOND + 1)
    assert reference is not None
    assert (reference.source, reference.value_e8, reference.at_ns) == ("consensus", 80_015 * DOLLAR_E8, 6 * SECOND)
    assert (reference.sd_e8, reference.offset_ns) == (4, 7)


def test_a_stale_half_is_no_consensus_and_the_other_serves_alone() -> None:
    old, new = 5 * SECOND, 7 * SECOND + 1
    made = index(printed(7, 80_000, "kraken", recv=new, venue=old), params=ALL_KNOWN)
    assert made.fold(printed(7, 80_000, "coinbase", recv=new), 0) == ("coinbase",)
    assert best(made, new) == "coinbase"


def test_the_consensus_drops_out_after_two_seconds() -> None:
    made = index(printed(5, source="coinbase"), printed(5, source="kraken"), params=ALL_KNOWN)
    assert (best(made, 7 * SECOND), best(made, 7 * SECOND + 1)) == ("consensus", "coinbase")
    assert best(made, 8 * SECOND + 1) is None


@pytest.mark.parametrize(("kraken", "expected_ppm"), [(80_080, None), (80_100, 1_249), (79_900, 1_250)])
def test_two_that_contradict_each_other_say_so_for_five_seconds(kraken: int, expected_ppm: int | None) -> None:
    made = index(printed(5, 80_000, "coinbase"), printed(5, kraken, "kraken"))
    made.fold(printed(9, recv=9 * SECOND), 0)
    found = [made.fresh(now_ns) for now_ns in (5 * SECOND, 10 * SECOND - 1, 10 * SECOND)]
    apart = [None if reference is None else reference.divergence for reference in found]
    told = None if expected_ppm is None else Divergence(ppm=expected_ppm, limit_ppm=1_000)
    assert apart == [told, told, None]
    assert found[1] is not None
    assert found[1].source == "official"


def test_a_divergence_that_goes_on_is_prolonged() -> None:
    made = index(*(printed(second, 80_000, "coinbase") for second in (5, 8)))
    for second in (5, 8):
        made.fold(printed(second, 81_000, "kraken", recv=second * SECOND), 0)
    made.fold(printed(12), 0)
    reference = made.fresh(13 * SECOND - 1)
    assert reference is not None
    assert reference.divergence is not None
