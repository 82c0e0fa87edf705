"""What a folder of Parquet covers: each market's time with a book, its losses and rates, and each source's clock.

A book is there from its snapshot until it is lost or ends; the time from then to the market's next snapshot is absent.
Rates count book rows by whole seconds of receipt.
"""

from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from fairstrike.core.timing import SECOND_NS, format_rfc3339
from fairstrike.store.parquet import DELTA, ENDED, LOST, SNAPSHOT, Archive

Ints = NDArray[np.int64]


class MarketCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """One market: when its book rows came (ns), how many, losses, seconds there and absent, and rates a second.

    `silent_s` is the longest time between two book rows while the book was there.
    """

    ticker: str
    series: str
    first_ns: int
    last_ns: int
    deltas: int
    snapshots: int
    losses: int
    there_s: float
    absent_s: float
    silent_s: float
    per_second_mean: float
    per_second_p99: float
    per_second_max: int


class FeedCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """One source: connections, seconds between them, frames refused, and its clock against ours in ms (None: unknown).

    An offset is the least of receive minus venue time over a minute: the clocks' difference and the way.
    """

    source: str
    connections: int
    down_s: float
    refused: int
    offset_ms_first: float | None
    offset_ms_last: float | None
    offset_ms_least: float | None
    offset_ms_most: float | None


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """All of a folder. `rows` counts each stream's rows."""

    folder: str
    first_ns: int
    last_ns: int
    rows: dict[str, int]
    markets: tuple[MarketCoverage, ...]
    feeds: tuple[FeedCoverage, ...]

    @property
    def span(self) -> str:
        """From when to when, in whole seconds (UTC)."""
        first, last = (format_rfc3339(at_ns // SECOND_NS * SECOND_NS) for at_ns in (self.first_ns, self.last_ns))
        return f"{first} to {last}"


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """One market's book rows: instants of receipt (ns) and kinds, in order."""

    ticker: str
    recv_ns: Ints
    kinds: Ints


def tracks(archive: Archive) -> list[Track]:
    """Give every market's book rows, in order of their first."""
    found: dict[str, list[tuple[Ints, Ints]]] = {}
    for table in archive.tables("book", columns=("recv_ns", "ticker", "kind")):
        names = table.column("ticker").unify_dictionaries().combine_chunks()
        names = names.chunk(0) if hasattr(names, "chunk") else names
        codes = np.asarray(names.indices, dtype=np.int64)
        instants = table.column("recv_ns").to_numpy()
        kinds = table.column("kind").to_numpy().astype(np.int64)
        order = np.argsort(codes, kind="stable")
        edges = np.searchsorted(codes[order], np.arange(len(names.dictionary) + 1))
        for code, ticker in enumerate(names.dictionary.to_pylist()):
            rows = order[edges[code] : edges[code + 1]]
            found.setdefault(ticker, []).append((instants[rows], kinds[rows]))
    joined = [
        Track(
            ticker=ticker,
            recv_ns=np.concatenate([instants for instants, _ in parts]),
            kinds=np.concatenate([kinds for _, kinds in parts]),
        )
        for ticker, parts in found.items()
    ]
    return sorted(joined, key=lambda track: (int(track.recv_ns[0]), track.ticker))


def coverage(archive: Archive, folder: str, found: list[Track]) -> Coverage:
    """Give the figures of a folder, its book rows as `tracks` gave them."""
    parts = archive.manifest.parts
    rows: dict[str, int] = {}
    for part in parts:
        rows[part.stream] = rows.get(part.stream, 0) + part.rows
    return Coverage(
        folder=folder,
        first_ns=min((part.first_ns for part in parts), default=0),
        last_ns=max((part.last_ns for part in parts), default=0),
        rows=rows,
        markets=tuple(_market(track) for track in found),
        feeds=tuple(_feeds(archive)),
    )


def counts(track: Track, begin_ns: int, end_ns: int, buckets: int) -> tuple[Ints, Ints]:
    """Give how many book rows, and how many losses, fall into each of `buckets` equal parts of a time."""
    width = max(1, -(-(end_ns - begin_ns + 1) // buckets))
    places = (track.recv_ns - begin_ns) // width
    is_loss = track.kinds == LOST
    all_rows = np.bincount(places[track.kinds < LOST], minlength=buckets).astype(np.int64)
    return all_rows, np.bincount(places[is_loss], minlength=buckets).astype(np.int64)


def _market(track: Track) -> MarketCoverage:
    instants, kinds = track.recv_ns, track.kinds
    there_ns, absent_ns, silent_ns = _spans(instants, kinds)
    _, per_second = np.unique(instants[kinds < LOST] // SECOND_NS, return_counts=True)
    seconds = max(1, int(instants[-1] // SECOND_NS - instants[0] // SECOND_NS) + 1)
    quiet = np.zeros(max(0, seconds - len(per_second)), dtype=np.int64)
    rates = np.concatenate([per_second, quiet])
    return MarketCoverage(
        ticker=track.ticker,
        series=track.ticker.partition("-")[0],
        first_ns=int(instants[0]),
        last_ns=int(instants[-1]),
        deltas=int((kinds == DELTA).sum()),
        snapshots=int((kinds == SNAPSHOT).sum()),
        losses=int((kinds == LOST).sum()),
        there_s=round(there_ns / SECOND_NS, 3),
        absent_s=round(absent_ns / SECOND_NS, 3),
        silent_s=round(silent_ns / SECOND_NS, 3),
        per_second_mean=round(float(rates.mean()), 2),
        per_second_p99=round(float(np.quantile(rates, 0.99)), 1),
        per_second_max=int(rates.max()),
    )


def _spans(instants: Ints, kinds: Ints) -> tuple[int, int, int]:
    """Give for how long a book was there, was absent between two, and its longest silence (ns)."""
    there = absent = silent = 0
    changes = np.flatnonzero((kinds == LOST) | (kinds == ENDED) | (kinds == SNAPSHOT))
    begun: int | None = None
    lost_ns: int | None = None
    for place in changes.tolist():
        at_ns = int(instants[place])
        if kinds[place] == SNAPSHOT:
            absent += 0 if lost_ns is None else at_ns - lost_ns
            lost_ns, begun = None, place if begun is None else begun
        elif begun is not None:
            there += at_ns - int(instants[begun])
            silent = max(silent, _longest(instants[begun : place + 1]))
            begun, lost_ns = None, at_ns
    if begun is not None:
        there += int(instants[-1] - instants[begun])
        silent = max(silent, _longest(instants[begun:]))
    return there, absent, silent


def _longest(instants: Ints) -> int:
    return int(np.diff(instants).max()) if len(instants) > 1 else 0


def _feeds(archive: Archive) -> Iterator[FeedCoverage]:
    told: dict[str, list[tuple[int, str, int | None]]] = {}
    for table in archive.tables("feed"):
        for row in table.to_pylist():
            told.setdefault(row["source"], []).append((row["recv_ns"], row["kind"], row["offset_ns"]))
    for source, rows in sorted(told.items()):
        rows.sort(key=lambda row: row[0])
        offsets = [offset / 1e6 for _, kind, offset in rows if kind == "offset" and offset is not None]
        yield FeedCoverage(
            source=source,
            connections=sum(kind == "up" for _, kind, _ in rows),
            down_s=round(_down_ns(rows) / SECOND_NS, 3),
            refused=sum(kind == "refused" for _, kind, _ in rows),
            offset_ms_first=offsets[0] if offsets else None,
            offset_ms_last=offsets[-1] if offsets else None,
            offset_ms_least=min(offsets, default=None),
            offset_ms_most=max(offsets, default=None),
        )


def _down_ns(rows: list[tuple[int, str, int | None]]) -> int:
    """Give for how long a source was down between two connections."""
    down, since = 0, None
    for at_ns, kind, _ in rows:
        if kind == "down":
            since = at_ns if since is None else since
        elif kind == "up" and since is not None:
            down, since = down + at_ns - since, None
    return down
