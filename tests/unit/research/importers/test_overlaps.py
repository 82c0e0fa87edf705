"""One market's book comes from one recording at a time."""

from pathlib import Path

import pytest

from fairstrike.core.errors import RecordingError
from fairstrike.core.events import BatchEnded, BookDelta, BookLost, BookSnapshot, Event
from fairstrike.research.importers.depth import Depth
from fairstrike.research.importers.overlaps import Holders
from tests.unit.research.importers.samples import SAMPLES, put


def book(ticker: str) -> BookSnapshot:
    return BookSnapshot(ticker=ticker, bids=(), asks=(), recv_ns=1)


def lost(ticker: str) -> BookLost:
    return BookLost(ticker=ticker, reason="gap", recv_ns=1)


DELTA = BookDelta(ticker="A", is_bid=True, price_ticks=1, delta_cc=1, recv_ns=1)
END = BatchEnded(recv_ns=1)


@pytest.fixture
def two(tmp_path: Path) -> list[Depth]:
    return [Depth(put(tmp_path, name, SAMPLES["depth.jsonl"])) for name in ("one.jsonl", "two.jsonl")]


def take(two: list[Depth], *units: tuple[int, list[Event]]) -> None:
    holders = Holders(two)
    for number, events in units:
        holders.take(number, events)


def test_a_book_held_by_another_recording_is_refused_by_name(two: list[Depth]) -> None:
    with pytest.raises(RecordingError) as caught:
        take(two, (0, [book("A"), END]), (1, [END, book("A")]))
    assert str(caught.value) == "one.jsonl and two.jsonl both hold A at the same time; name one of them"


def test_the_holder_is_named_first(two: list[Depth]) -> None:
    with pytest.raises(RecordingError, match=r"^two\.jsonl and one\.jsonl both hold B "):
        take(two, (0, [book("A")]), (1, [book("B")]), (0, [book("B")]))


def test_each_recording_may_hold_its_own_market(two: list[Depth]) -> None:
    take(two, (0, [book("A")]), (1, [book("B")]), (0, [book("A")]), (0, [DELTA, END]), (1, [book("B")]))


def test_a_lost_book_may_be_told_by_another(two: list[Depth]) -> None:
    take(two, (0, [book("A")]), (0, [lost("A"), END]), (1, [book("A")]), (1, [lost("A")]), (0, [book("A")]))


def test_a_loss_told_by_one_does_not_free_what_another_holds(two: list[Depth]) -> None:
    with pytest.raises(RecordingError, match="both hold A"):
        take(two, (0, [book("A")]), (1, [lost("A")]), (1, [book("A")]))


def test_a_recording_that_is_over_holds_nothing(two: list[Depth]) -> None:
    two[0].is_over = True
    take(two, (0, [book("A")]), (1, [book("A")]))
