"""The venue's market objects: terms and best prices of one moment."""

from pathlib import Path

import pytest

from fairstrike.core.errors import RecordingError
from fairstrike.core.events import BookSnapshot, ContractListed
from fairstrike.research.importers.base import Unit
from fairstrike.research.importers.markets import Markets
from fairstrike.research.importers.moments import UNKNOWN_SIZE_CC
from tests.unit.research.importers.samples import EVENT, LESS, RANGE, events, instant, kinds, market, put, text

NAME = "markets-20260710T202400Z-kxbtc.json"


def opened(folder: Path, *markets: dict[str, object], name: str = NAME) -> Markets:
    return Markets(put(folder, name, text({str(one["ticker"]): one for one in markets})))


def books(units: list[Unit]) -> list[BookSnapshot]:
    return [event for event in events(units) if isinstance(event, BookSnapshot)]


def test_markets_are_listed_and_shown_for_a_moment(tmp_path: Path) -> None:
    recording = opened(tmp_path, market(), market(LESS, strike_type="less"))
    units = list(recording.units())
    assert kinds(units) == [
        ["ContractListed", "ContractListed", "BookSnapshot", "BookSnapshot", "BatchEnded"],
        ["BookLost", "BookLost", "BatchEnded"],
    ]
    assert [at_ns for at_ns, _ in units] == [instant("20:24:00"), instant("20:24:01")]
    assert recording.first_ns == instant("20:24:00")
    assert recording.notes == [f"{NAME}: 2 of 2 markets have terms we know"]
    assert (recording.is_over, recording.is_priced) == (True, False)


def test_terms_are_those_of_the_market(tmp_path: Path) -> None:
    (listed,) = [e for e in events(list(opened(tmp_path, market()).units())) if isinstance(e, ContractListed)]
    contract = listed.contract
    assert (contract.ticker, contract.event_ticker, contract.asset) == (RANGE, EVENT, "BTC")
    assert (contract.floor_e8, contract.cap_e8) == (6_400_000_000_000, 6_409_999_000_000)
    assert (listed.status, listed.volume_24h_cc) == ("active", 1_200)


def test_a_market_of_another_kind_has_a_book_and_no_terms(tmp_path: Path) -> None:
    recording = opened(tmp_path, market("KXNBA-1", event_ticker="KXNBA", strike_type="custom"))
    assert kinds(list(recording.units()))[0] == ["BookSnapshot", "BatchEnded"]
    assert recording.notes == [f"{NAME}: 0 of 1 markets have terms we know"]


def test_sizes_are_as_told_else_unknown_and_empty_sides_empty(tmp_path: Path) -> None:
    sized = market("KX-A", yes_bid_size_fp="5.00", yes_ask_size_fp="0.00")
    empty = market("KX-B", yes_bid_dollars="0.0000", yes_ask_dollars="1.0000")
    shown = books(list(opened(tmp_path, market(), sized, empty).units()))
    assert [(book.bids, book.asks) for book in shown] == [
        (((4_000, UNKNOWN_SIZE_CC),), ((4_400, UNKNOWN_SIZE_CC),)),
        (((4_000, 500),), ()),
        ((), ()),
    ]


def test_a_name_without_a_time_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"a\.json does not say when it was read; name it with the time, e\.g\."):
        opened(tmp_path, market(), name="a.json")


@pytest.mark.parametrize("time", ["20261399T202400Z", "20260710T256199Z", "19690710T202400Z", "00000710T202400Z"])
def test_a_name_with_a_time_that_is_none_is_refused(tmp_path: Path, time: str) -> None:
    with pytest.raises(RecordingError, match=f"the time in the name a-{time}.json is none"):
        opened(tmp_path, market(), name=f"a-{time}.json")


@pytest.mark.parametrize(
    "changes",
    [
        *({"yes_bid_dollars": price} for price in ("2.0000", "-0.5000", "NaN", "1e400", 0.4)),
        *({"yes_ask_size_fp": size} for size in ("-5.00", "NaN", "1e400", "9" * 20)),
        {"volume_24h_fp": "many"},
        {"status": None},
    ],
)
def test_a_market_out_of_range_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(RecordingError, match="line 1 is not what a document of markets holds"):
        list(opened(tmp_path, market(RANGE, **changes)).units())


def test_a_cut_document_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path, NAME, text({RANGE: market()})[:-9])
    with pytest.raises(RecordingError, match="give a copy that is not damaged"):
        list(Markets(path).units())


def test_fields_we_do_not_know_are_tolerated(tmp_path: Path) -> None:
    assert len(list(opened(tmp_path, market(colour={"a": [None]})).units())) == 2
