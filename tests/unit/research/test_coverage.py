"""What a folder covers, worked out by hand for a small one; times that overlap nothing count nothing."""

from pathlib import Path

import msgspec
import numpy as np

from fairstrike.core.timing import SECOND_NS
from fairstrike.research.coverage import Coverage, Track, counts, coverage, tracks
from fairstrike.research.coverage_picture import picture
from fairstrike.store.parquet import DELTA, ENDED, LOST, SNAPSHOT, Archive, Tables

A, B = "KXBTC15M-A", "KXBTCD-B"
BOOK = [
    (A, 0.0, SNAPSHOT),
    (A, 0.5, DELTA),
    (A, 0.6, DELTA),
    (B, 1.0, SNAPSHOT),
    (A, 4.0, LOST),
    (A, 6.0, SNAPSHOT),
    (A, 7.0, DELTA),
    (A, 9.0, ENDED),
    (B, 9.0, ENDED),
]
FEED = [(0, "up", None), (1, "offset", -2_000_000), (9, "down", None), (12, "up", None), (13, "offset", 5_000_000)]


def covered(folder: Path) -> tuple[Coverage, list[Track]]:
    with Tables(folder) as tables:
        for ticker, second, kind in BOOK:
            price = (True, 4_000, 100) if kind == DELTA else (None, None, None)
            tables.add("book", ticker.partition("-")[0], (int(second * SECOND_NS), None, ticker, kind, *price))
        for second, told, offset in FEED:
            tables.add("feed", "kalshi", (second * SECOND_NS, "kalshi", told, "", offset))
        tables.finish(())
    archive = Archive(folder)
    found = tracks(archive)
    return coverage(archive, "f", found), found


def test_figures_by_hand(tmp_path: Path) -> None:
    report, _ = covered(tmp_path / "p")
    first, second = report.markets
    assert (report.first_ns, report.last_ns, report.rows) == (0, 13 * SECOND_NS, {"book": 9, "feed": 5})
    assert (first.ticker, first.series, first.deltas, first.snapshots, first.losses) == (A, "KXBTC15M", 3, 2, 1)
    assert (first.there_s, first.absent_s, first.silent_s) == (7.0, 2.0, 3.4)
    assert (first.per_second_mean, first.per_second_max) == (0.5, 3)
    assert (second.there_s, second.absent_s, second.losses) == (8.0, 0.0, 0)
    (feed,) = report.feeds
    assert (feed.connections, feed.down_s, feed.refused) == (2, 3.0, 0)
    offsets = (feed.offset_ms_first, feed.offset_ms_last, feed.offset_ms_least, feed.offset_ms_most)
    assert offsets == (-2.0, 5.0, -2.0, 5.0)


def test_counts_by_time(tmp_path: Path) -> None:
    _, (first, second) = covered(tmp_path / "p")
    rows, losses = counts(first, 0, 13 * SECOND_NS, 13)
    assert rows.tolist() == [3, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0]
    assert losses.sum() == 1
    assert counts(second, 0, 13 * SECOND_NS, 1)[0].tolist() == [1]


def test_every_row_is_in_one_track(tmp_path: Path) -> None:
    _, found = covered(tmp_path / "p")
    assert sum(len(track.recv_ns) for track in found) == len(BOOK)
    assert all(np.all(np.diff(track.recv_ns) >= 0) for track in found)


def test_pictures(tmp_path: Path) -> None:
    report, found = covered(tmp_path / "p")
    assert picture(report, found, "png").startswith(b"\x89PNG")
    drawn = picture(report, found, "svg")
    assert b"<svg" in drawn
    assert drawn.count(b"KXBTC") >= 2
    assert b"book rows in 0.0325 s; white: none" in drawn
    days = msgspec.structs.replace(report, last_ns=10 * 86_400 * SECOND_NS)
    assert b"book rows in 2,160 s; white: none" in picture(days, found, "svg")


def test_a_picture_without_a_book_is_empty(tmp_path: Path) -> None:
    report, _ = covered(tmp_path / "p")
    assert b"f: 0 markets" in picture(report, [], "svg")


def test_title_tells_whole_seconds(tmp_path: Path) -> None:
    report, found = covered(tmp_path / "p")
    report = msgspec.structs.replace(report, last_ns=13 * SECOND_NS + 987_654_000)
    assert report.span == "1970-01-01T00:00:00Z to 1970-01-01T00:00:13Z"
    assert b"f: 2 markets, 1970-01-01T00:00:00Z to 1970-01-01T00:00:13Z" in picture(report, found, "svg")
