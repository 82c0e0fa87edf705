"""Rows of best prices and the reference price; what is absent is an empty cell, a full disk has its sentence."""

import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fairstrike.app.sampled_rows import COLUMNS, Rows, mend
from fairstrike.core.errors import DiskError, RecordingError
from fairstrike.core.timing import SECOND_NS
from fairstrike.market.book import Book
from fairstrike.market.index import Reference

FULL = """
import sys
from pathlib import Path
from fairstrike.app.sampled_rows import Rows
from fairstrike.core.errors import DiskError
rows = Rows(Path(sys.argv[1]))
try:
    while True:
        for _ in range(10):
            rows.add(rows.count, "T", None, None)
        rows.write(rows.take())
except DiskError as error:
    print(rows.count, error)
# What goes before a failed write is still what stands there when a later one finds room.
rows.add(rows.count, "U", None, None)
rows.write(rows.take())
"""


def allow_little() -> None:
    """No file of this process may have more than 20,000 bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def test_rows_are_written_when_they_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "r.rows.csv"
    rows = Rows(path)
    reference = Reference(value_e8=8_000_012_000_000, sd_e8=0, source="official", at_ns=2 * SECOND_NS)
    rows.add(3 * SECOND_NS, "T", Book(((4_000, 500),), ((4_200, 50),)), reference)
    rows.add(3 * SECOND_NS, "U", Book(((4_000, 500),)), None)
    rows.add(4 * SECOND_NS, "T", None, None)
    assert path.read_text() == ",".join(COLUMNS) + "\n"
    rows.write(rows.take())
    assert path.read_text().splitlines()[1:] == [
        "1970-01-01T00:00:03Z,T,0.4000,5.00,0.4200,0.50,80000.12000000,official,1970-01-01T00:00:02Z",
        "1970-01-01T00:00:03Z,U,0.4000,5.00,,,,,",
        "1970-01-01T00:00:04Z,T,,,,,,,",
    ]
    assert (rows.count, rows.take()) == (3, [])


def test_a_place_that_takes_nothing(tmp_path: Path) -> None:
    with pytest.raises(DiskError, match="No such file or directory"):
        Rows(tmp_path / "gone" / "r.rows.csv")


def test_a_full_disk_leaves_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "r.rows.csv"
    done = subprocess.run(
        [sys.executable, "-B", "-c", FULL, str(path)],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=allow_little,
    )
    count, sentence = done.stdout.split(" ", 1)
    assert sentence.strip() == (
        f"{path} cannot be written (File too large); make room or mend the disk, then start again: "
        "the rows before are kept"
    )
    title, *lines, last = path.read_text().splitlines(keepends=True)
    assert title == ",".join(COLUMNS) + "\n"
    assert len(lines) == int(count) - 10
    assert {line.partition("Z")[2] for line in lines} == {",T,,,,,,,\n"}
    assert last.partition("Z")[2] == ",U,,,,,,,\n"


@pytest.mark.parametrize("torn", [b"", b"1970-01-01T00", b"\0" * 200_000])
def test_a_torn_end_is_cut_off(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "r.rows.csv"
    path.write_bytes(b"time\n" * 40_000 + torn)
    assert mend(path) == len(torn)
    assert path.read_bytes() == b"time\n" * 40_000
    assert mend(path) == 0


def test_a_table_without_a_line_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "r.rows.csv"
    path.write_bytes(b"time,tick")
    assert (mend(path), path.exists()) == (9, False)


def test_a_table_of_another_recording_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "r.rows.csv"
    Rows(path)
    with pytest.raises(RecordingError, match="is there already; start again, or name another folder"):
        Rows(path)
    assert path.read_text() == ",".join(COLUMNS) + "\n"
