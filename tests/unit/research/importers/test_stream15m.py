"""A capture becomes the events a live session would have given."""

import gzip
from itertools import pairwise
from pathlib import Path

import pytest

from fairstrike.core.errors import RecordingError
from fairstrike.core.events import (
    BatchEnded,
    BookDelta,
    BookLost,
    BookSnapshot,
    ContractListed,
    StreamChanged,
)
from fairstrike.research.importers.base import Unit
from fairstrike.research.importers.stream15m import Stream15m
from tests.unit.research.captures import (
    NEXT,
    NEXT_CLOSE_TEXT,
    RUN,
    TICKER,
    book,
    connected,
    delta,
    events_of,
    line,
    ns,
    opening,
    recorded,
    subscribed,
    ticker,
    told,
    watch,
    write,
)

# Groups


def test_a_batch_ends_after_the_last_frame_of_a_venue_millisecond(tmp_path: Path) -> None:
    units = recorded(tmp_path, delta(3, 2, 3), delta(3, 3, 3), delta(4, 4, 4), delta(5, 5, 5))
    middle = [(3.0, "delta"), (3.0, "delta"), (3.0, "end"), (4.0, "delta"), (4.0, "end"), (5.0, "delta"), (5.0, "end")]
    assert told(units)[2:9] == middle


def test_a_batch_ends_at_the_receive_time_of_its_last_frame(tmp_path: Path) -> None:
    units = recorded(tmp_path, delta(3, 2, 3), delta(4, 3, 3), delta(9, 4, 9))
    assert told(units)[2:5] == [(3.0, "delta"), (4.0, "delta"), (4.0, "end")]


def test_a_snapshot_is_a_group_of_its_own(tmp_path: Path) -> None:
    units = recorded(tmp_path, delta(3, 2, 3), book(4, 3), delta(5, 4, 3))
    expected = [(3.0, "delta"), (3.0, "end"), (4.0, "book"), (4.0, "end"), (5.0, "delta"), (5.0, "end")]
    assert told(units)[2:8] == expected


def test_a_ticker_neither_ends_nor_joins_a_group(tmp_path: Path) -> None:
    units = recorded(tmp_path, delta(3, 2, 3), ticker(4), delta(5, 3, 3), ticker(6), delta(7, 4, 7))
    expected = [(3.0, "delta"), (4.0, "ticker"), (5.0, "delta"), (5.0, "end"), (6.0, "ticker"), (7.0, "delta")]
    assert told(units)[2:8] == expected


def test_a_ticker_received_with_the_last_frame_of_a_group_comes_after_it(tmp_path: Path) -> None:
    units = recorded(tmp_path, delta(3, 2, 3), ticker(3), delta(7, 3, 7))
    assert told(units)[2:5] == [(3.0, "delta"), (3.0, "end"), (3.0, "ticker")]


def test_two_groups_of_one_receive_time_are_two_units(tmp_path: Path) -> None:
    units = recorded(tmp_path, delta(3, 2, 3), delta(3, 3, 4), delta(9, 4, 9))
    assert [type(events[-1]) for instant, events in units if instant == ns(3)] == [BatchEnded, BatchEnded]


def test_each_unit_has_one_receive_time_and_at_most_one_end(tmp_path: Path) -> None:
    frames = [delta(3 + n // 2, 2 + n, 3 + n // 3) for n in range(20)]
    units = recorded(tmp_path, *frames)
    assert all(event.recv_ns == instant for instant, events in units for event in events)
    assert all([type(e) for e in events].count(BatchEnded) <= 1 for _, events in units)
    assert all(before <= after for (before, _), (after, _) in pairwise(units))
    assert len(events_of(units, BookDelta)) == 20


def test_the_end_of_the_recording_loses_its_books(tmp_path: Path) -> None:
    units = recorded(tmp_path, delta(3, 2, 3))
    assert [type(event) for event in units[-1][1]] == [StreamChanged, BookLost, BatchEnded]
    assert units[-1][0] == ns(3)


def test_a_jump_of_numbers_loses_the_book(tmp_path: Path) -> None:
    recording = Stream15m(write(tmp_path, opening(delta(3, 2, 3), delta(4, 4, 4), delta(5, 5, 5))))
    units = list(recording.units())
    assert [event.reason for event in events_of(units, BookLost) if isinstance(event, BookLost)] == ["gap"]
    assert recording.session.gaps == {TICKER: 1}
    assert len(events_of(units, BookDelta)) == 1
    assert recording.deltas == {TICKER: 3}


def test_a_reconnection_starts_the_numbers_anew(tmp_path: Path) -> None:
    units = recorded(tmp_path, delta(3, 2, 3), connected(4), book(5, 1), delta(6, 2, 6))
    assert [e.reason for e in events_of(units, BookLost) if isinstance(e, BookLost)] == ["disconnected"] * 2
    assert told(units)[2:] == [
        (3.0, "delta"),
        (3.0, "end"),
        (4.0, "end"),
        (5.0, "book"),
        (5.0, "end"),
        (6.0, "delta"),
        (6.0, "end"),
        (6.0, "end"),
    ]


def reasons(units: list[Unit]) -> list[str]:
    return [event.reason for event in events_of(units, BookLost) if isinstance(event, BookLost)]


def downs(units: list[Unit]) -> list[float]:
    """When connections ended, in milliseconds."""
    changes = [event for event in events_of(units, StreamChanged) if isinstance(event, StreamChanged)]
    return [(event.recv_ns - ns(0)) / 1e6 for event in changes if not event.is_up]


@pytest.mark.parametrize("note", [subscribed(4), line(4, "ws_subscribed", {}), line(4, "ws_subscribed", None)])
def test_a_new_subscription_starts_the_numbers_anew(tmp_path: Path, note: bytes) -> None:
    units = recorded(tmp_path, delta(3, 2, 3), note, book(5, 1), delta(6, 2, 6))
    assert reasons(units) == ["disconnected"] * 2
    assert [(kind, ms) for ms, kind in told(units) if kind != "end"][2:] == [("book", 5.0), ("delta", 6.0)]


def test_subscriptions_before_the_first_book_of_a_connection_lose_nothing(tmp_path: Path) -> None:
    first = [watch(0), connected(1), subscribed(2), subscribed(2, "ticker"), book(3, 1), delta(4, 2, 4)]
    again = [connected(5), subscribed(6, "ticker"), subscribed(6), book(7, 1), delta(8, 2, 8)]
    units = list(Stream15m(write(tmp_path, [*first, *again])).units())
    assert downs(units) == [1.0, 5.0, 8.0]


FLAT = line(4, "ws_subscribed", {"channel": "ticker", "sid": 1})


@pytest.mark.parametrize("note", [subscribed(4, "ticker"), FLAT])
def test_a_subscription_of_tickers_loses_no_book(tmp_path: Path, note: bytes) -> None:
    units = recorded(tmp_path, delta(3, 2, 3), note, delta(5, 3, 5))
    assert reasons(units) == ["disconnected"]
    assert len(events_of(units, BookDelta)) == 2


@pytest.mark.parametrize("snapshot_last", [False, True])
def test_numbers_that_stay_behind_lose_the_book(tmp_path: Path, snapshot_last: bool) -> None:
    ahead, behind = delta(3, 9_000, 3), [delta(10 + n, 2 + n, 10 + n) for n in range(200)]
    frames = [*behind, book(300, 5) if snapshot_last else delta(300, 300, 300)]
    units = recorded(tmp_path, book(2.5, 8_999), ahead, *frames, delta(310, 301, 310))
    assert downs(units) == [1.0, 300.0, 310.0]
    assert reasons(units) == ["gap", "disconnected", *["gap"] * snapshot_last]


# Numbers that begin anew, and no line says so


def test_a_snapshot_whose_number_was_passed_begins_a_connection(tmp_path: Path) -> None:
    units = recorded(tmp_path, delta(3, 2, 3), delta(4, 3, 4), book(5, 1), delta(6, 2, 6), delta(7, 3, 7))
    assert (downs(units), reasons(units)) == ([1.0, 5.0, 7.0], ["disconnected"] * 2)
    assert [(ms, kind) for ms, kind in told(units) if kind != "end"][1:] == [
        (3.0, "delta"),
        (4.0, "delta"),
        (5.0, "book"),
        (6.0, "delta"),
        (7.0, "delta"),
    ]
    (reason, *_) = [e.reason for e in events_of(units, StreamChanged) if isinstance(e, StreamChanged)][2:]
    assert reason == "the numbers began anew"


def test_a_connection_that_begins_with_the_next_market_loses_the_old_book(tmp_path: Path) -> None:
    after = [watch(5, NEXT, NEXT_CLOSE_TEXT), book(6, 1, NEXT), delta(7, 2, 7, ticker=NEXT)]
    units = recorded(tmp_path, delta(3, 2, 3), delta(4, 3, 4), *after)
    assert downs(units) == [1.0, 6.0, 7.0]
    assert [(ms, kind) for ms, kind in told(units) if kind != "end"][3:] == [(6.0, "book"), (7.0, "delta")]


def test_a_snapshot_told_twice_begins_a_connection_and_keeps_its_book(tmp_path: Path) -> None:
    units = recorded(tmp_path, book(3, 2), book(4, 2), delta(5, 3, 5))
    assert (downs(units), reasons(units)) == ([1.0, 4.0, 5.0], ["disconnected"] * 2)
    assert len(events_of(units, BookDelta)) == 1


def test_a_first_snapshot_behind_its_deltas_begins_no_connection(tmp_path: Path) -> None:
    late = [delta(4, 4, 4, ticker=NEXT), book(5, 3, NEXT), delta(6, 5, 6, ticker=NEXT)]
    units = recorded(tmp_path, delta(3, 2, 3), *late)
    assert downs(units) == [1.0, 6.0]
    assert [(ms, kind) for ms, kind in told(units) if kind != "end"][2:] == [
        (5.0, "book"),
        (5.0, "delta"),
        (6.0, "delta"),
    ]


def test_after_a_connection_was_told_numbers_begin_where_they_will(tmp_path: Path) -> None:
    units = recorded(tmp_path, delta(3, 2, 3), connected(4), book(5, 1), book(6, 2, NEXT), delta(7, 3, 7))
    assert downs(units) == [1.0, 4.0, 7.0]


def test_snapshots_of_subscriptions_with_numbers_of_their_own_begin_no_connection(tmp_path: Path) -> None:
    def of(sid: int, raw: bytes) -> bytes:
        return raw.replace(b'"sid":null', b'"sid":%d' % sid)

    first = [of(1, book(2, 1)), of(1, delta(3, 2, 3)), of(1, delta(4, 3, 4))]
    second = [of(2, book(5, 1, NEXT)), of(1, delta(6, 4, 6)), of(2, delta(7, 2, 7, ticker=NEXT))]
    units = list(Stream15m(write(tmp_path, [watch(0), connected(1), *first, *second])).units())
    assert downs(units) == [1.0, 7.0]
    assert len(events_of(units, BookDelta)) == 4


def test_gaps_before_numbers_begin_anew_stay_counted(tmp_path: Path) -> None:
    recording = Stream15m(write(tmp_path, opening(delta(3, 2, 3), delta(4, 9, 4), book(5, 1), delta(6, 2, 6))))
    list(recording.units())
    assert recording.gaps == {TICKER: 1}


# Frames


def test_prices_of_no_become_prices_of_yes(tmp_path: Path) -> None:
    units = recorded(tmp_path, delta(3, 2, 3, "no", "0.5800"))
    (first,) = events_of(units, BookSnapshot)
    assert isinstance(first, BookSnapshot)
    assert first.asks == ((4_200, 500),)
    (change,) = events_of(units, BookDelta)
    assert isinstance(change, BookDelta)
    assert (change.is_bid, change.price_ticks, change.delta_cc) == (False, 4_200, 500)


def test_the_watched_market_is_listed_with_strike_and_close(tmp_path: Path) -> None:
    (listed,) = events_of(recorded(tmp_path), ContractListed)
    assert isinstance(listed, ContractListed)
    assert (listed.contract.ticker, listed.contract.series) == (TICKER, "KXBTC15M")
    assert listed.contract.floor_e8 == 7_948_786_000_000
    assert listed.contract.close_ns - listed.contract.open_ns == 900_000_000_000


def test_a_strike_not_yet_published_is_absent(tmp_path: Path) -> None:
    units = list(Stream15m(write(tmp_path, [watch(0, strike=None)])).units())
    (listed,) = events_of(units, ContractListed)
    assert isinstance(listed, ContractListed)
    assert listed.contract.floor_e8 is None


# Files


@pytest.mark.parametrize("name", [f"{RUN}.jsonl", f"{RUN}.jsonl.gz"])
def test_plain_and_packed_captures_read_the_same(tmp_path: Path, name: str) -> None:
    recording = Stream15m(write(tmp_path, opening(delta(3, 2, 3)), name))
    assert [kind for _, kind in told(list(recording.units()))] == ["book", "end", "delta", "end", "end"]
    assert (recording.run, recording.first_ns, recording.is_over, recording.cuts) == (RUN, ns(0), True, [])


def test_a_plain_capture_cut_in_a_line_is_read_up_to_there(tmp_path: Path) -> None:
    path = write(tmp_path, opening(delta(3, 2, 3), delta(4, 3, 4)))
    path.write_bytes(path.read_bytes()[:-20])
    recording = Stream15m(path)
    assert [kind for _, kind in told(list(recording.units()))] == ["book", "end", "delta", "end", "end"]
    assert [(cut.name, cut.line_count) for cut in recording.cuts] == [(path.name, 4)]


def test_a_packed_capture_cut_in_the_middle_is_read_up_to_there(tmp_path: Path) -> None:
    frames = [delta(3 + n, 2 + n, (n * 7_919) % 1_000, price=f"0.{n * 7_919 % 9_000 + 500:04d}") for n in range(3_000)]
    path = write(tmp_path, opening(*frames), f"{RUN}.jsonl.gz")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    recording = Stream15m(path)
    units = list(recording.units())
    (cut,) = recording.cuts
    assert 0 < len(events_of(units, BookDelta)) == cut.line_count - 3 < 3_000


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("empty.jsonl", b""),
        ("empty.jsonl.gz", gzip.compress(b"")),
        ("text.jsonl", b"some text\n"),
        ("list.jsonl", b"[1, 2]\n"),
        ("other.jsonl", b'{"captured_at": "2026-07-10T00:00:00Z"}\n'),
        ("plain.jsonl.gz", b'{"recv_ns":1,"type":"ws_connected"}\n'),
        ("binary.jsonl", b"\xff\xfe\x00\n"),
    ],
)
def test_a_file_of_another_format_is_refused_in_one_sentence(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(RecordingError, match=name) as caught:
        Stream15m(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="cannot be read"):
        Stream15m(tmp_path / "none.jsonl")


@pytest.mark.parametrize("strange", [line(4, "trade_burst", {}), b"", b"{}", b'{"recv_ns": 4}', line(4, "ticker", {})])
def test_a_strange_line_in_the_middle_is_refused_with_its_number(tmp_path: Path, strange: bytes) -> None:
    recording = Stream15m(write(tmp_path, opening(delta(3, 2, 3), strange, delta(5, 3, 5))))
    with pytest.raises(RecordingError, match="line 5 is not what"):
        list(recording.units())


def test_frames_out_of_order_of_receipt_are_refused(tmp_path: Path) -> None:
    recording = Stream15m(write(tmp_path, opening(delta(30, 2, 3), delta(29, 3, 4), delta(31, 4, 5))))
    with pytest.raises(RecordingError, match="goes back in time"):
        list(recording.units())


@pytest.mark.parametrize(
    "bad",
    [
        delta(4, 3, 4, price="2.0000"),
        delta(4, 3, 4, price="-0.1000"),
        delta(4, 3, 4, price="NaN"),
        delta(4, 3, 4, price="1e400"),
        delta(4, 3, 4, side="maybe"),
        delta(4, 3, 4).replace(b'"5.00"', b'"0.001"'),
        delta(4, 3, 4).replace(b'"5.00"', b"5"),
        delta(4, 3, 4).replace(b'"recv_ns":', b'"recv_ns":9'),
        delta(4, 3, 4).replace(b'"recv_ns":', b'"recv_ns":-'),
        book(4, 3, yes=[["0.4000", "-5.00"]]),
        book(4, 3, no=[["2.0000", "5.00"]]),
        ticker(4, bid="2.0000"),
        watch(4, strike=-1),
        watch(4).replace(b"79487.86", b'"NaN"'),
        watch(4).replace(b"79487.86", b"1e999999999"),
        watch(4, close="9999-12-31T00:00:00Z"),
        watch(4, ticker="KXNBA-1-2"),
    ],
)
def test_a_line_out_of_range_is_refused_with_its_number(tmp_path: Path, bad: bytes) -> None:
    recording = Stream15m(write(tmp_path, opening(delta(3, 2, 3), bad, delta(5, 3, 5))))
    with pytest.raises(RecordingError, match=r"line 5 is not what a 15-minute capture holds \("):
        list(recording.units())


def test_fields_we_do_not_know_are_tolerated(tmp_path: Path) -> None:
    more = delta(3, 2, 3).replace(b'"side":', b'"colour":{"a":[null]},"side":')
    assert len(events_of(recorded(tmp_path, more), BookDelta)) == 1


@pytest.mark.parametrize("text", ["soon", "2026-05-14T00:30:00"])
def test_a_market_without_a_close_is_refused(tmp_path: Path, text: str) -> None:
    recording = Stream15m(write(tmp_path, [connected(0), watch(1, close=text)]))
    with pytest.raises(RecordingError, match=TICKER):
        list(recording.units())


def test_a_result_that_closes_at_another_time_is_refused(tmp_path: Path) -> None:
    header = "run,market_ticker,close_time,strike_usd,official_result,settlement_value_usd_from_next_strike"
    path = write(tmp_path, opening(delta(3, 2, 3)))
    run = path.name.split(".jsonl")[0]
    (tmp_path / "results.csv").write_text(f"{header}\n{run},{TICKER},2026-05-14T00:28:30Z,1,yes,\n")
    recording = Stream15m(path)
    recording.results()
    with pytest.raises(RecordingError, match=r"results\.csv closes .* correct the one that is wrong"):
        list(recording.units())
