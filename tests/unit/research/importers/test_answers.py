"""Documents of REST answers: a book when there is one, and notes of what was read."""

from pathlib import Path

import pytest

from fairstrike.core.errors import RecordingError
from fairstrike.core.events import BookSnapshot
from fairstrike.research.importers.answers import Answers
from tests.unit.research.importers.samples import (
    BOOK,
    CENTS,
    DAY,
    FILL,
    RANGE,
    SAMPLES,
    SETTLEMENT,
    answer,
    events,
    instant,
    kinds,
    market,
    put,
    text,
)


def opened(folder: Path, data: bytes) -> Answers:
    return Answers(put(folder, "a.json", data))


def page(endpoint: str, payload: object, **more: object) -> bytes:
    return text({"endpoint": endpoint, "payload": payload, **more})


@pytest.mark.parametrize(
    ("name", "note", "clock"),
    [
        ("fills.json", "1 fills with 0.015930 dollars of fees", "09:00:00"),
        ("settlements.json", "1 settlements", "10:00:00"),
        ("series.json", "1 series with 1 fee schedules", "20:00:00"),
        ("grids.json", "price grids, 1", "20:00:00"),
    ],
)
def test_an_answer_without_a_book_is_noted(tmp_path: Path, name: str, note: str, clock: str) -> None:
    recording = opened(tmp_path, SAMPLES[name])
    assert list(recording.units()) == []
    assert recording.notes == [f"a.json: read {note}"]
    assert (recording.first_ns, recording.is_over, recording.is_priced) == (instant(clock), True, False)


def test_a_market_with_its_book_shows_it_for_a_moment(tmp_path: Path) -> None:
    recording = opened(tmp_path, SAMPLES["single.json"])
    units = list(recording.units())
    assert kinds(units) == [["BookSnapshot", "BatchEnded"], ["BookLost", "BatchEnded"]]
    (book,) = [event for event in events(units) if isinstance(event, BookSnapshot)]
    assert (book.ticker, book.bids, book.asks) == (RANGE, ((4_000, 500),), ((4_200, 200),))
    assert (dict(recording.snapshots), recording.notes) == ({RANGE: 1}, ["a.json: read a market and its book"])


def test_an_answer_begins_with_its_latest_stamp(tmp_path: Path) -> None:
    fills = [FILL, FILL | {"created_time": f"{DAY}T11:00:00Z"}, FILL | {"created_time": None}]
    assert opened(tmp_path, page("/portfolio/fills", {"fills": fills})).first_ns == instant("11:00:00")


def test_an_answer_without_any_time_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"a\.json does not say when it was read; add a captured_at"):
        opened(tmp_path, page("/portfolio/fills", {"fills": []}))


def single(sides: object, **changes: object) -> bytes:
    return answer(single={"market": market(RANGE, **changes)}, orderbook={"orderbook_fp": sides})


@pytest.mark.parametrize(
    "data",
    [
        page("/portfolio/orders", {"orders": []}, captured_at=f"{DAY}T20:00:00Z"),
        page("/portfolio/fills", None, captured_at=f"{DAY}T20:00:00Z"),
        page("/portfolio/fills", {"fills": [FILL | {"fee_cost": "NaN"}]}),
        page("/portfolio/fills", {"fills": [FILL | {"fee_cost": "1e400"}]}),
        page("/portfolio/settlements", {"settlements": [SETTLEMENT | {"settled_time": "soon"}]}),
        answer(endpoint="", payloads={"S": {"series": {"ticker": "S", "fee_type": "by mood"}}}),
        answer(endpoint="", payloads={"S": {"series": {"ticker": "S", "fee_multiplier": "NaN"}}}),
        answer(grids=[{"price_ranges": [CENTS["price_ranges"][0] | {"step": "0.0000"}]}]),
        answer(grids=[{"price_ranges": [CENTS["price_ranges"][0] | {"end": "2.0000"}]}]),
        answer(endpoint="/nothing"),
        answer(single={"market": market()}),
        single({"yes_dollars": [["2.0000", "5.00"]]}),
        single({"yes_dollars": [["0.4000", "-5.00"]]}),
        single({"no_dollars": [["NaN", "5.00"]]}),
        text({"endpoint": "", "captured_at": "soon"}),
        text({"endpoint": 5}),
        SAMPLES["single.json"][:-20],
    ],
)
def test_an_answer_that_cannot_be_used_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(RecordingError, match=r"a\.json line 1 is not what a document of REST answers holds \("):
        list(opened(tmp_path, data).units())


def test_fields_we_do_not_know_are_tolerated(tmp_path: Path) -> None:
    data = answer(single={"market": market(colour=1), "more": []}, orderbook=BOOK | {"more": {}}, more=None)
    assert len(list(opened(tmp_path, data).units())) == 2
