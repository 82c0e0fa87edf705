"""A recording is given line by line, whole lines only, whatever packs it and wherever it was cut."""

import gzip
import hashlib
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.chance import Dice
from fairstrike.core.errors import RecordingError
from fairstrike.store.tape import Cut, Tape, digest, head

ENDINGS = ("", ".gz", ".zst")
LINES = [f'{{"n":{n},"x":{Dice(n, 1).u64()}}}'.encode() for n in range(400)]


def packed(data: bytes, ending: str) -> bytes:
    if ending == ".gz":
        return gzip.compress(data, mtime=0)
    return zstandard.ZstdCompressor().compress(data) if ending == ".zst" else data


def file(folder: Path, data: bytes, ending: str = "") -> Path:
    path = folder / f"run.jsonl{ending}"
    path.write_bytes(data)
    return path


def lines_of(path: Path) -> tuple[list[bytes], list[Cut]]:
    cuts: list[Cut] = []
    return list(Tape(path, cuts.append).lines()), cuts


@pytest.mark.parametrize("ending", ENDINGS)
def test_lines_are_the_same_however_they_are_packed(tmp_path: Path, ending: str) -> None:
    path = file(tmp_path, packed(b"\n".join([*LINES, b""]), ending), ending)
    assert lines_of(path) == (LINES, [])


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_last_line_without_an_end_is_a_line(tmp_path: Path, ending: str) -> None:
    path = file(tmp_path, packed(b"\n".join(LINES), ending), ending)
    assert lines_of(path) == (LINES, [])


def test_a_last_line_nested_beyond_measure_is_a_line(tmp_path: Path) -> None:
    line = b'{"a":' * 20_000
    assert lines_of(file(tmp_path, b"{}\n" + line)) == ([b"{}", line], [])


@pytest.mark.parametrize("ending", [".gz", ".zst", ""])
def test_the_head_of_a_short_cut_recording_is_what_it_holds(tmp_path: Path, ending: str) -> None:
    line = b'{"n":1,"x":"some words, some more"}\n'
    data = packed(line, ending) + packed(line, ending)[:20]
    assert head(file(tmp_path, data, ending)).startswith(line)


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_empty_recording_has_no_lines(tmp_path: Path, ending: str) -> None:
    assert lines_of(file(tmp_path, packed(b"", ending), ending)) == ([], [])


def test_line_ends_of_windows_are_left_out(tmp_path: Path) -> None:
    assert lines_of(file(tmp_path, b"a,b\r\nc,d\r\n")) == ([b"a,b", b"c,d"], [])


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_recording_packed_in_parts_is_read_to_its_end(tmp_path: Path, ending: str) -> None:
    data = b"".join(packed(line + b"\n", ending) for line in LINES[:5])
    assert lines_of(file(tmp_path, data, ending)) == (LINES[:5], [])


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_long_recording_is_unpacked_whole(tmp_path: Path, ending: str) -> None:
    lines = [f'{{"x":{Dice(n, 2).u64()}}}'.encode() for n in range(30_000)]
    data = packed(b"\n".join([*lines, b""]), ending)
    assert lines_of(file(tmp_path, data, ending)) == (lines, [])
    found, cuts = lines_of(file(tmp_path, data[: len(data) // 2], ending))
    assert lines[: len(found)] == found
    assert [cut.line_count for cut in cuts] == [len(found)]


@given(share=st.floats(0, 1, exclude_max=True), ending=st.sampled_from(ENDINGS))
def test_of_a_cut_recording_the_whole_lines_are_given(
    tmp_path_factory: pytest.TempPathFactory, share: float, ending: str
) -> None:
    data = packed(b"\n".join([*LINES, b""]), ending)
    path = file(tmp_path_factory.mktemp("cut"), data[: int(len(data) * share)], ending)
    try:
        found, cuts = lines_of(path)
    except RecordingError:
        assert ending
        return
    assert found == LINES[: len(found)]
    assert cuts in ([], [Cut(name=path.name, line_count=len(found))])
    if ending and path.stat().st_size:
        assert cuts, "a packed recording tells that it was cut"


def test_a_cut_gzip_gives_all_that_it_holds(tmp_path: Path) -> None:
    data = packed(b"\n".join([*LINES, b""]), ".gz")
    found, cuts = lines_of(file(tmp_path, data[:-1], ".gz"))
    assert (len(found), [cut.line_count for cut in cuts]) == (400, [400])


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path, ending: str) -> None:
    with pytest.raises(RecordingError, match="cannot be unpacked"):
        lines_of(file(tmp_path, b"".join(LINES), ending))


def test_a_damaged_gzip_is_cut_where_it_is_damaged(tmp_path: Path) -> None:
    data = bytearray(packed(b"\n".join([*LINES, b""]), ".gz"))
    data[len(data) // 2] ^= 0xFF
    try:
        found, cuts = lines_of(file(tmp_path, bytes(data), ".gz"))
    except RecordingError:
        return
    assert len(found) <= len(LINES)
    assert len(cuts) == 1


def test_a_folder_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="cannot be read"):
        lines_of(tmp_path)


def test_progress_goes_from_nothing_to_the_whole_file(tmp_path: Path) -> None:
    path = file(tmp_path, b"\n".join([*LINES, b""]))
    tape = Tape(path, lambda cut: None)
    assert tape.bytes_read == 0
    seen = [(tape.line_count, tape.bytes_read) for _ in tape.lines()]
    assert [count for count, _ in seen] == list(range(1, 401))
    assert sorted(seen) == seen
    assert seen[-1][1] == path.stat().st_size


def test_the_digest_is_that_of_the_file(tmp_path: Path) -> None:
    assert digest(file(tmp_path, b"abc")) == hashlib.sha256(b"abc").hexdigest()
