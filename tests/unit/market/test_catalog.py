"""The catalogue: what is open, what changed, and who settles with whom."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.contract import TAPERED_GRID, Comparison, Contract
from fairstrike.core.events import ContractListed, MarketPaused, TermsChanged, TermsDoubted
from fairstrike.core.fees import FeeSchedule
from fairstrike.market.catalog import Catalog, Listing
from tests.unit.market.samples import SECOND, contract, listed


def tickers(catalog: Catalog, group: str) -> tuple[str, ...]:
    return tuple(made.ticker for made in catalog.rungs(group))


def listing(status: str = "active", floor: int | None = 80_000) -> Listing:
    made = msgspec.structs.replace(contract(floor=floor, close_s=100), open_ns=10 * SECOND)
    return Listing(contract=made, schedule=FeeSchedule(), status=status, volume_24h_cc=0)


@pytest.mark.parametrize(
    ("is_open", "now_ns"),
    [(False, 10 * SECOND - 1), (True, 10 * SECOND), (True, 100 * SECOND - 1), (False, 100 * SECOND)],
)
def test_open_between_its_times(is_open: bool, now_ns: int) -> None:
    assert is_open is listing().is_open(now_ns)


@pytest.mark.parametrize(
    ("is_open", "status"), [(True, "active"), (True, "initialized"), (False, "closed"), (False, "finalized")]
)
def test_open_by_status(is_open: bool, status: str) -> None:
    assert is_open is listing(status).is_open(50 * SECOND)


def test_a_market_without_its_strike_is_not_open() -> None:
    assert not listing(floor=None).is_open(50 * SECOND)


def test_fold_tells_whether_more_than_the_volume_changed() -> None:
    catalog, made = Catalog(), contract()
    assert catalog.fold(listed(made))
    assert not catalog.fold(listed(made))
    assert not catalog.fold(listed(made, volume=5))
    assert catalog.fold(listed(made, status="closed"))
    assert catalog.fold(listed(contract(floor=90_000), status="closed"))
    assert catalog.fold(listed(contract(floor=90_000), status="closed", schedule=FeeSchedule(maker_ppm=1)))


def test_the_latest_description_counts() -> None:
    catalog = Catalog()
    catalog.fold(listed(contract()))
    catalog.fold(listed(contract(floor=90_000), status="closed", volume=7))
    expected = Listing(contract=contract(floor=90_000), schedule=FeeSchedule(), status="closed", volume_24h_cc=7)
    assert expected == catalog.listings[contract().ticker]
    assert contract(floor=90_000) == catalog.contract(contract().ticker)


def test_a_group_is_ordered_by_series_and_strike() -> None:
    catalog = Catalog()
    below = msgspec.structs.replace(contract("c", floor=None, comparison=Comparison.BELOW), cap_e8=70_000 * 10**8)
    for made in (contract("a", 90_000), contract("b", 80_000), below, contract("d", 1, series="KXBTC")):
        catalog.fold(listed(made))
    assert tickers(catalog, contract().group) == ("d", "c", "b", "a")


def test_an_unknown_group_is_empty() -> None:
    assert tickers(Catalog(), "BTC@0") == ()


def test_a_published_strike_finds_its_rung() -> None:
    catalog = Catalog()
    for made in (contract("a", None), contract("b", 80_000), contract("a", 90_000)):
        catalog.fold(listed(made))
    assert tickers(catalog, contract().group) == ("b", "a")


def test_a_market_whose_close_moved_changes_its_group() -> None:
    catalog = Catalog()
    catalog.fold(listed(contract("a", close_s=100)))
    catalog.fold(listed(contract("b", close_s=100)))
    assert catalog.fold(listed(contract("a", close_s=200)))
    assert tickers(catalog, "BTC@100") == ("b",)
    assert tickers(catalog, "BTC@200") == ("a",)


MARKETS = st.lists(
    st.builds(
        contract,
        ticker=st.sampled_from("abcd"),
        floor=st.sampled_from([None, 1, 2, 3]),
        close_s=st.sampled_from([100, 200]),
        series=st.sampled_from(["S", "R"]),
    ),
    max_size=20,
)


@given(MARKETS)
def test_groups_are_those_of_the_latest_descriptions(markets: list[Contract]) -> None:
    catalog, latest = Catalog(), dict[str, Contract]()
    for made in markets:
        catalog.fold(listed(made))
        latest[made.ticker] = made
    for close_s in (100, 200):
        members = [made for made in latest.values() if made.close_ns == close_s * SECOND]
        members.sort(key=lambda made: (made.series, made.floor_e8 or 0, made.ticker))
        assert tuple(made.ticker for made in members) == tickers(catalog, f"BTC@{close_s}")


# What the stream tells of terms

UNSTRUCK = contract(floor=None, close_s=900)


def changed(second: int = 100, **told: object) -> TermsChanged:
    return msgspec.convert({"ticker": UNSTRUCK.ticker, "recv_ns": second * SECOND, **told}, TermsChanged)


def described(made: Contract, second: int) -> ContractListed:
    return msgspec.structs.replace(listed(made), recv_ns=second * SECOND)


def test_a_strike_that_the_stream_tells_makes_a_market_complete() -> None:
    catalog = Catalog()
    catalog.fold(described(UNSTRUCK, 90))
    assert not catalog.contract(UNSTRUCK.ticker).is_struck
    assert catalog.change(changed(floor_e8=7, round_digits=2))
    assert catalog.contract(UNSTRUCK.ticker) == msgspec.structs.replace(UNSTRUCK, floor_e8=7, round_digits=2)
    assert not catalog.change(changed(floor_e8=7))


def test_what_the_stream_told_stands_against_reads_that_trail() -> None:
    catalog = Catalog()
    catalog.fold(described(UNSTRUCK, 90))
    catalog.change(changed(100, floor_e8=7, grid=msgspec.to_builtins(TAPERED_GRID)))
    assert not catalog.fold(described(UNSTRUCK, 159))
    assert catalog.contract(UNSTRUCK.ticker).floor_e8 == 7
    assert catalog.contract(UNSTRUCK.ticker).grid == TAPERED_GRID
    assert catalog.fold(described(UNSTRUCK, 160))
    assert catalog.contract(UNSTRUCK.ticker) == UNSTRUCK


def test_another_close_is_another_settlement_group() -> None:
    catalog, other = Catalog(), contract(ticker="B", close_s=1_800)
    catalog.fold(described(UNSTRUCK, 90))
    catalog.fold(described(other, 90))
    assert catalog.change(changed(close_ns=1_800 * SECOND))
    assert set(tickers(catalog, other.group)) == {"B", UNSTRUCK.ticker}
    assert tickers(catalog, UNSTRUCK.group) == ()


@pytest.mark.parametrize(
    "event",
    [changed(close_ns=0), changed(floor_e8=9, cap_e8=8), TermsChanged(ticker="of another", floor_e8=9, recv_ns=0)],
    ids=str,
)
def test_terms_that_make_no_sense_are_left_to_the_next_read(event: TermsChanged) -> None:
    catalog = Catalog()
    catalog.fold(described(UNSTRUCK, 90))
    assert not catalog.change(event)
    assert catalog.contract(UNSTRUCK.ticker) == UNSTRUCK


# Pauses


def paused(is_paused: bool, second: int) -> MarketPaused:
    return MarketPaused(ticker=UNSTRUCK.ticker, is_paused=is_paused, recv_ns=second * SECOND)


@pytest.mark.parametrize("status", ["active", "initialized"])
def test_a_pause_stands_against_reads_that_trail(status: str) -> None:
    catalog, made = Catalog(), contract(close_s=900)
    told = msgspec.structs.replace(listed(made, status=status), recv_ns=90 * SECOND)
    catalog.fold(told)
    catalog.pause(paused(True, 100))
    assert not catalog.is_open(made.ticker, 101 * SECOND)
    catalog.fold(msgspec.structs.replace(told, recv_ns=159 * SECOND))
    assert not catalog.is_open(made.ticker, 159 * SECOND)
    catalog.fold(msgspec.structs.replace(told, recv_ns=160 * SECOND))
    assert catalog.is_open(made.ticker, 160 * SECOND)


def test_a_pause_that_is_over_is_over() -> None:
    catalog, made = Catalog(), contract(close_s=900)
    catalog.fold(listed(made))
    catalog.pause(paused(True, 100))
    catalog.pause(paused(False, 101))
    catalog.fold(msgspec.structs.replace(listed(made, status="inactive"), recv_ns=102 * SECOND))
    assert catalog.is_open(made.ticker, 102 * SECOND)


def test_a_result_read_is_taken_whatever_the_stream_told_of_pauses() -> None:
    catalog, made = Catalog(), contract(close_s=900)
    catalog.fold(listed(made))
    catalog.pause(paused(False, 100))
    catalog.fold(msgspec.structs.replace(listed(made, status="closed"), recv_ns=101 * SECOND))
    assert not catalog.is_open(made.ticker, 101 * SECOND)


# Doubts


def doubted(*names: str, is_left_out: bool = True) -> TermsDoubted:
    return TermsDoubted(tickers=names, reason="its strike_type is 'custom'", is_left_out=is_left_out, recv_ns=1)


def test_each_unclear_market_is_spoken_of_once() -> None:
    catalog = Catalog()
    assert catalog.doubt(doubted("A", "B")).startswith("A and 1 more cannot be traded: its strike_type is 'custom'")
    assert catalog.doubt(doubted("B", "A")) == ""
    assert catalog.doubt(doubted("A", "C")).startswith("C cannot be traded")
    assert catalog.doubt(doubted("D", is_left_out=False)).startswith("D is taken by its structured fields")
    assert catalog.doubt(doubted("D")) == ""


def test_a_market_that_is_unclear_now_takes_no_orders_until_it_is_clear() -> None:
    catalog, made = Catalog(), msgspec.structs.replace(contract(close_s=100), open_ns=0)
    catalog.fold(listed(made))
    catalog.doubt(doubted(made.ticker, is_left_out=False))
    assert catalog.is_open(made.ticker, 50 * SECOND)
    catalog.doubt(doubted(made.ticker))
    assert not catalog.is_open(made.ticker, 50 * SECOND)
    catalog.fold(listed(made))
    assert catalog.is_open(made.ticker, 50 * SECOND)


def test_a_market_that_is_forgotten_leaves_its_group() -> None:
    catalog, other = Catalog(), contract("other", floor=90_000)
    for made in (contract(), other):
        catalog.fold(listed(made))
    assert catalog.over(contract().close_ns) == []
    assert catalog.over(contract().close_ns + 1) == [contract().ticker, "other"]
    catalog.forget(contract().ticker)
    assert (list(catalog.listings), tickers(catalog, other.group)) == (["other"], ("other",))
    catalog.forget("other")
    assert catalog.rungs(other.group) == ()
    assert catalog.fold(listed(other))
