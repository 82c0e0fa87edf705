"""Coinbase trades beside a capture, turned into one index print a second."""

from collections.abc import Callable, Iterator
from pathlib import Path

from fairstrike.core.errors import RecordingError
from fairstrike.core.events import IndexPrinted, OffsetStepped
from fairstrike.core.timing import MILLISECOND_NS, MINUTE_NS, SECOND_NS
from fairstrike.research.importers.base import INSTANT_NS_MAX, Unit, instant_ns, price_e8
from fairstrike.store.tape import Cut, Tape
from fairstrike.venue.kalshi.offset import ClockOffset

_OFFSET_STEP_NS = 20 * MILLISECOND_NS
_SILENCE_NS = 10 * MINUTE_NS


def beside(path: Path, run: str) -> Path | None:
    """Give the file of trades beside a capture, None when there is none."""
    names = (f"{run}.spot.csv{end}" for end in (".gz", ".zst", ""))
    return next((path.with_name(name) for name in names if path.with_name(name).exists()), None)


def index_prints(path: Path, on_cut: Callable[[Cut], None]) -> Iterator[Unit]:
    """Give one print a second: at each whole second of Coinbase's clock the last trade received.

    After ten minutes without a trade nothing is printed until the next: a price that old says nothing any more. Nor is
    a second printed that was over ten minutes before the last trade, when the offset steps that far.

    Raises `RecordingError` for a line that is no trade, or not in order of receipt.
    """
    offset = ClockOffset(_OFFSET_STEP_NS)
    used_ns, last, next_second = 0, None, None
    if not path.is_file():
        raise RecordingError(f"{path.name} is no plain file; give the trades as a file, or take it away")
    tape = Tape(path, on_cut, is_table=True)
    for recv_ns, source_ns, value_e8 in trades(tape):
        if last is not None and recv_ns < last[0]:
            raise RecordingError(
                f"{path.name} goes back in time at line {tape.line_count}; give a recording whose lines are in order "
                "of receipt"
            )
        until_ns = recv_ns
        if last is not None and next_second is not None:
            until_ns = min(recv_ns, last[0] + _SILENCE_NS)
            next_second = max(next_second, (last[0] - _SILENCE_NS - used_ns) // SECOND_NS)
        while last is not None and next_second is not None and next_second * SECOND_NS + used_ns < until_ns:
            at_ns = max(next_second * SECOND_NS + used_ns, last[0])
            yield at_ns, [_print(next_second, last, at_ns)]
            next_second += 1
        stepped_ns = offset.sample(source_ns, recv_ns)
        if stepped_ns is not None:
            used_ns = stepped_ns
            yield recv_ns, [OffsetStepped(source="coinbase", offset_ns=used_ns, recv_ns=recv_ns)]
        if next_second is None or until_ns < recv_ns:
            next_second = -(-(recv_ns - used_ns) // SECOND_NS)
        last = (recv_ns, source_ns, value_e8)


def _print(second: int, last: tuple[int, int, int], at_ns: int) -> IndexPrinted:
    return IndexPrinted(
        asset="BTC", source="coinbase", second=second, value_e8=last[2], recv_ns=at_ns, venue_ns=last[1]
    )


def trades(tape: Tape) -> Iterator[tuple[int, int, int]]:
    """Give (receive time, source time, price `_e8`) of each trade in order of receipt.

    Raises `RecordingError` for a line that is no trade.
    """
    path, lines = tape.path, tape.lines()
    header = next(lines, b"").decode("utf-8", "replace").split(",")
    try:
        columns = [header.index(name) for name in ("recv_ns", "exchange_ts", "price_usd")]
    except ValueError:
        raise RecordingError(
            f"{path.name} lacks a column of recv_ns, exchange_ts, price_usd; restore the file"
        ) from None
    for number, line in enumerate(lines, start=2):
        cells = line.decode("utf-8", "replace").split(",")
        try:
            received, stamped, price = (cells[column] for column in columns)
            recv_ns, stamped_ns, value_e8 = int(received), instant_ns(stamped), price_e8(price)
            if not 0 <= recv_ns <= INSTANT_NS_MAX:
                raise ValueError(received)
        except (ValueError, IndexError):
            raise RecordingError(f"{path.name} line {number} is not a trade; restore the file") from None
        yield recv_ns, stamped_ns, value_e8
