"""Rows of best prices and the reference price; what is absent is an empty cell, a full disk has its sentence."""

from pathlib import Path

import pytest

from fairstrike.app.sampled_rows import COLUMNS, Rows
from fairstrike.core.errors import DiskError
from fairstrike.core.timing import SECOND_NS
from fairstrike.market.book import Book
from fairstrike.market.index import Reference


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
