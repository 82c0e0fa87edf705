"""One record of the journal: encoding and chaining it, writing it, and forcing it to the disk."""

import json
import tempfile
import time
from pathlib import Path

import msgspec

from bench.measuring import Case, Figure, Progress, Scale, each_ns, figures, processor_ns, take
from fairstrike.core.events import BookDelta
from fairstrike.store.following import read
from fairstrike.store.journal import Journal, Params
from fairstrike.store.segments import INPUTS

SECTION = "journal, a record (processor time)"
DISK = "journal, the disk (wall time)"

_JSON = "json.dumps and write to a buffered file"
_APPEND = "encode and chain"
_BATCH = "encode, chain, write eight at a time"
_SINGLE = "encode, chain, write each"
_SYNC = "fdatasync after eight records"
_TURN = 8


def measure(scale: Scale, progress: Progress) -> list[Figure]:
    """Give the figures of one record."""
    records = [
        BookDelta(
            ticker="KXBTC15M-26MAY132030-30",
            is_bid=number % 2 == 0,
            price_ticks=100 * (1 + number % 99),
            delta_cc=number % 5_000 - 2_500,
            recv_ns=1_778_718_269_291_111_936 + 1_000 * number,
            venue_ns=1_778_718_269_411_000_000 + 1_000 * number,
        )
        for number in range(scale.records)
    ]
    taken = take(_cases(records), scale.rounds, progress, "the journal")
    synced = {_SYNC: [each / 1_000 for each in taken.pop(_SYNC)]}
    found = figures(SECTION, taken, "ns", dict.fromkeys((_APPEND, _BATCH, _SINGLE), _JSON))
    return found + figures(DISK, synced, "us", {})


def _cases(records: list[BookDelta]) -> dict[str, Case]:
    def plain() -> float:
        with tempfile.TemporaryFile("w") as file:
            began = processor_ns()
            for record in records:
                file.write(json.dumps(msgspec.structs.asdict(record)) + "\n")
            file.flush()
            return each_ns(began, len(records))

    return {
        _JSON: plain,
        _APPEND: lambda: _append(records, None),
        _BATCH: lambda: _append(records, _TURN),
        _SINGLE: lambda: _append(records, 1),
        _SYNC: lambda: _sync(records[: 50 * _TURN]),
    }


def _append(records: list[BookDelta], flush_every: int | None) -> float:
    """Append all records, writing after every so many; None writes only once, after the clock is read."""
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder), Params())
        append, flush = journal.append, journal.flush
        began = processor_ns()
        for number, record in enumerate(records, start=1):
            append(INPUTS, "BookDelta", record.recv_ns, record)
            if flush_every is not None and not number % flush_every:
                flush(record.recv_ns)
        took = each_ns(began, len(records))
        journal.close(records[-1].recv_ns)
        kept = sum(record.kind == "BookDelta" for record in read(Path(folder), INPUTS))
        assert kept == len(records), "every record can be read again"
    return took


def _sync(records: list[BookDelta]) -> float:
    """Write eight records at a time and have the disk keep them; gives the time of the latter alone."""
    total_ns = 0
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder), Params())
        for number, record in enumerate(records, start=1):
            journal.append(INPUTS, "BookDelta", record.recv_ns, record)
            if not number % _TURN:
                journal.flush(record.recv_ns)
                began = time.perf_counter_ns()
                journal.sync()
                total_ns += time.perf_counter_ns() - began
        journal.close(records[-1].recv_ns)
    return total_ns / (len(records) // _TURN)
