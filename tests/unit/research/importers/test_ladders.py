"""Polled ladders: terms, best prices, spot and results, in order of time whatever the file's."""

from pathlib import Path

import pytest

from fairstrike.core.contract import Comparison
from fairstrike.core.errors import RecordingError
from fairstrike.core.events import BookSnapshot, ContractListed, IndexPrinted, MarketSettled
from fairstrike.research.importers import ladders
from fairstrike.research.importers.base import Unit
from fairstrike.research.importers.ladders import Ladders
from fairstrike.research.importers.moments import UNKNOWN_SIZE_CC
from tests.unit.research.importers.samples import (
    CLOSE_TEXT,
    EVENT,
    GREATER,
    LESS,
    RANGE,
    events,
    instant,
    kinds,
    ladder,
    lines,
    outcome,
    put,
    settled,
)


def opened(folder: Path, *captures: object, name: str = "ladder.jsonl") -> Ladders:
    return Ladders(put(folder, name, lines(*captures)))


def read(folder: Path, *captures: object) -> list[Unit]:
    return list(opened(folder, *captures).units())


def results(units: list[Unit]) -> list[tuple[int, str, int]]:
    return [(e.recv_ns, e.ticker, e.value_ticks) for e in events(units) if isinstance(e, MarketSettled)]


def test_a_capture_tells_price_terms_and_books_and_ends_after_its_moment(tmp_path: Path) -> None:
    listed, books = ["ContractListed", "BookSnapshot"] * 3, ["BookLost"] * 3
    units = read(tmp_path, ladder("20:24:00"))
    assert kinds(units) == [["IndexPrinted", *sorted(listed, reverse=True), "BatchEnded"], [*books, "BatchEnded"]]
    assert [at_ns - instant("20:24:00") for at_ns, _ in units] == [0, 10**9]


def test_empty_sides_and_unknown_sizes(tmp_path: Path) -> None:
    books = [event for event in events(read(tmp_path, ladder("20:24:00"))) if isinstance(event, BookSnapshot)]
    size = UNKNOWN_SIZE_CC
    assert {book.ticker: (book.bids, book.asks) for book in books} == {
        LESS: ((), ((500, size),)),
        RANGE: (((4_000, size),), ((4_400, size),)),
        GREATER: (((200, size),), ()),
    }


def test_terms_are_told_once(tmp_path: Path) -> None:
    units = read(tmp_path, ladder("20:24:00"), ladder("20:54:00"))
    told = [event.contract for event in events(units) if isinstance(event, ContractListed)]
    assert [(c.ticker, c.comparison, c.floor_e8, c.cap_e8) for c in told] == [
        (LESS, Comparison.BELOW, None, 6_299_999_000_000),
        (RANGE, Comparison.BETWEEN, 6_400_000_000_000, 6_409_999_000_000),
        (GREATER, Comparison.ABOVE, 6_500_000_000_000, None),
    ]
    assert {(c.event_ticker, c.series, c.asset, c.open_ns, c.close_ns) for c in told} == {
        (EVENT, "KXBTC", "BTC", instant("20:00:00"), instant("21:00:00"))
    }


def test_a_trade_without_a_quote_becomes_a_print_of_its_own_second(tmp_path: Path) -> None:
    (printed,) = [e for e in events(read(tmp_path, ladder("20:24:00"))) if isinstance(e, IndexPrinted)]
    assert (printed.asset, printed.source, printed.value_e8) == ("BTC", "coinbase", 6_403_725_000_000)
    assert (printed.recv_ns, printed.venue_ns) == (instant("20:24:00"), instant("20:00:00"))
    assert printed.second * 10**9 == instant("20:00:00")


def test_a_quote_stands_at_the_capture_and_its_middle_is_the_price(tmp_path: Path) -> None:
    old = {"price": 1, "exchange_time": f"{CLOSE_TEXT[:11]}20:00:00Z", "bid": 1_850.12, "ask": 1_850.15}
    (printed,) = [e for e in events(read(tmp_path, ladder("20:24:00", spot=old))) if isinstance(e, IndexPrinted)]
    assert (printed.value_e8, printed.venue_ns) == (185_013_500_000, instant("20:24:00"))


def test_a_capture_is_known_when_its_spot_is(tmp_path: Path) -> None:
    late = ladder("20:24:00", spot={"price": 1, "exchange_time": f"{CLOSE_TEXT[:11]}20:24:02Z"})
    assert read(tmp_path, late)[0][0] == instant("20:24:02")


@pytest.mark.parametrize("spot", [None, {}, {"price": 5}, {"bid": 5}, {"exchange_time": CLOSE_TEXT}])
def test_a_capture_without_a_whole_spot_prints_nothing(tmp_path: Path, spot: object) -> None:
    units = read(tmp_path, ladder("20:24:00", spot=spot))
    assert [e for e in events(units) if isinstance(e, IndexPrinted)] == []


def test_captures_of_two_recorders_are_put_in_order_of_time(tmp_path: Path) -> None:
    mine, other = [ladder("20:24:00"), ladder("20:54:00")], [ladder("20:24:30"), ladder("20:55:00")]
    recording = opened(tmp_path, *mine, *other)
    units = list(recording.units())
    firsts = [at_ns - instant("20:24:00") for at_ns, told in units if isinstance(told[-2], BookSnapshot)]
    assert firsts == [second * 10**9 for second in (0, 30, 1_800, 1_860)]
    assert (recording.first_ns, recording.snapshots[RANGE], recording.is_over) == (instant("20:24:00"), 4, True)


def test_a_recording_begins_with_its_earliest_capture(tmp_path: Path) -> None:
    assert opened(tmp_path, ladder("20:54:00"), ladder("20:24:00")).first_ns == instant("20:24:00")


def test_two_series_captured_within_the_same_second_both_have_their_moment(tmp_path: Path) -> None:
    ether = ladder("20:24:00.4", (outcome("KXETH-26JUL1017-B1790", 0.1, 0.2, cap_strike=1_800),), symbol="ETH")
    units = read(tmp_path, ladder("20:24:00"), ether)
    assert [at_ns - instant("20:24:00") for at_ns, _ in units] == [0, 400_000_000, 10**9, 1_400_000_000]


# Results


def test_results_are_told_once_and_only_when_known(tmp_path: Path) -> None:
    first = ladder("21:24:00", (), previous_settlement=settled({RANGE: "yes", LESS: "", GREATER: "undetermined"}))
    second = ladder("21:54:00", (), previous_settlement=settled({RANGE: "yes", LESS: "no", GREATER: "void"}))
    units = read(tmp_path, first, second)
    assert results(units) == [(instant("21:24:00"), RANGE, 10_000), (instant("21:54:00"), LESS, 0)]


@pytest.mark.parametrize("told", [None, {"status": "pending"}, settled({}, None)])
def test_an_event_without_results_stays_open(tmp_path: Path, told: object) -> None:
    assert results(read(tmp_path, ladder("21:24:00", (), previous_settlement=told))) == []


def test_the_settlement_rule_is_counted_against_the_official_results(tmp_path: Path) -> None:
    told = settled({RANGE: "yes", LESS: "no", GREATER: "yes"})
    recording = opened(tmp_path, ladder("20:54:00"), ladder("21:24:00", (), previous_settlement=told))
    list(recording.units())
    assert recording.rule == [3, 1]
    assert recording.notes == [
        "ladder.jsonl: our settlement rule on the official value gives the official result in 2 of 3 markets",
        "ladder.jsonl: 1 captures found no open event",
    ]


def test_a_market_without_its_strike_is_not_counted(tmp_path: Path) -> None:
    bare = outcome(RANGE, 0.1, 0.2) | {"strike_type": "between"}
    recording = opened(
        tmp_path, ladder("20:54:00", (bare,)), ladder("21:24:00", (), previous_settlement=settled({RANGE: "yes"}))
    )
    assert len(results(list(recording.units()))) == 1
    assert recording.rule == [0, 0]


def test_a_settled_market_is_not_shown_again(tmp_path: Path) -> None:
    units = read(tmp_path, ladder("20:54:00"), ladder("21:24:00", previous_settlement=settled({RANGE: "yes"})))
    shown = [event.ticker for event in events(units) if isinstance(event, BookSnapshot)]
    assert shown == [LESS, RANGE, GREATER, LESS, GREATER]


# Bad input


@pytest.mark.parametrize(
    "bad",
    [
        ladder("20:24:00", captured_at="soon"),
        ladder("20:24:00", captured_at="9999-01-01T00:00:00Z"),
        ladder("20:24:00", (outcome(RANGE, 2, 0.5, cap_strike=1),)),
        ladder("20:24:00", (outcome(RANGE, -0.5, 0.5, cap_strike=1),)),
        ladder("20:24:00", (outcome(RANGE, "NaN", 0.5, cap_strike=1),)),
        ladder("20:24:00", (outcome(RANGE, "1e400", 0.5, cap_strike=1),)),
        ladder("20:24:00", (outcome(RANGE, 0.00001, 0.5, cap_strike=1),)),
        ladder("20:24:00", (outcome(RANGE, 0.1, 0.5, cap_strike="sNaN"),)),
        ladder("20:24:00", (outcome(RANGE, 0.1, 0.5) | {"strike_type": "sideways"},)),
        ladder("20:24:00", spot={"price": -1, "exchange_time": CLOSE_TEXT}),
        ladder("20:24:00", current=[]),
        ladder("20:24:00", current={"status": "ok", "outcomes": [outcome(RANGE, 0.1, 0.2)]}),
        b"{}",
        b"",
        b"\xff",
        b"[" * 5_000,
    ],
)
def test_a_line_that_is_no_capture_is_refused_with_its_number(tmp_path: Path, bad: object) -> None:
    with pytest.raises(RecordingError, match=r"ladder\.jsonl line 2 is not what an hourly-ladder recording holds \("):
        read(tmp_path, ladder("20:20:00", ()), bad)


def test_a_value_that_is_no_price_is_refused(tmp_path: Path) -> None:
    told = settled({RANGE: "yes"}, "many")
    with pytest.raises(RecordingError, match="line 2"):
        read(tmp_path, ladder("20:20:00"), ladder("21:24:00", (), previous_settlement=told))


def test_fields_we_do_not_know_are_tolerated(tmp_path: Path) -> None:
    more = outcome(RANGE, 0.1, 0.2, cap_strike=1) | {"colour": [1]}
    assert len(read(tmp_path, ladder("20:24:00", (more,), depth={"a": None}))) == 2


@pytest.mark.parametrize("name", ["ladder.jsonl", "ladder.jsonl.gz"])
def test_a_cut_recording_is_told_once(tmp_path: Path, name: str) -> None:
    path = put(tmp_path, name, lines(*(ladder(f"20:{minute:02}:{minute:02}") for minute in range(60))))
    path.write_bytes(path.read_bytes()[:-40])
    recording = Ladders(path)
    list(recording.units())
    (cut,) = recording.cuts
    assert (cut.name, cut.line_count) == (name, recording.snapshots[RANGE])


def test_a_recording_too_large_to_be_sorted_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = lines(ladder("20:24:00"), ladder("20:54:00"))
    path = put(tmp_path, "ladder.jsonl", data)
    monkeypatch.setattr(ladders, "BYTES_MAX", len(data) - 2)
    assert len(list(Ladders(path).units())) == 4
    monkeypatch.setattr(ladders, "BYTES_MAX", len(data) - 3)
    with pytest.raises(RecordingError, match="too large to be put in order of time; split it by day"):
        Ladders(path)


@pytest.mark.parametrize(
    "strange",
    [
        ladder("20:24:00", previous_settlement={"status": "settled", "results": {RANGE: "yes"}}),
        ladder("20:24:00", [outcome("KXBTC-26JUL1017-B1", 0.4, 0.44, floor_strike=64_100, cap_strike=64_000)]),
    ],
    ids=["a result before the close", "strikes upside down"],
)
def test_what_cannot_be_is_refused(tmp_path: Path, strange: dict[str, object]) -> None:
    with pytest.raises(RecordingError, match="line"):
        read(tmp_path, ladder("20:20:00"), strange)
