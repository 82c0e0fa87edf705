"""What was recorded is read back byte for byte; a torn end costs what was torn, and a changed byte is found."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.chance import Dice
from fairstrike.core.errors import DiskError, RecordingError
from fairstrike.store.raw import (
    Line,
    Note,
    Params,
    RawTape,
    Writer,
    answer_of,
    decode_header,
    decode_line,
    is_line,
    line_of,
    mend,
    segments,
)
from fairstrike.store.tape import Cut, Tape

RUN = "20260710T202400Z"
FRAMES = [b'{"type":"orderbook_delta","seq":%d,"msg":{"n":%d}}' % (n, Dice(n, 1).u64()) for n in range(60)]
ODD = [
    b"",
    b"\x00\xff",
    b"no json",
    b'{"a":1}\n',
    b'{"a":\n1}',
    b'{"a":"\xff"}',
    b'{"a":1}}',
    b'{"a"',
    b"[1]",
    b"\n{}\n",
]


def written(folder: Path, frames: list[bytes], every: int = 10, params: Params | None = None) -> list[Path]:
    tape = Writer(folder, RUN, "box", 0, params)
    for n, frame in enumerate(frames):
        tape.frame(n, "kalshi", 1, frame)
        if not (n + 1) % every:
            tape.write(tape.take())
    tape.close()
    return segments(folder)


def lines_of(path: Path) -> tuple[list[bytes], list[Cut]]:
    cuts: list[Cut] = []
    return list(RawTape(path, cuts.append).lines()), cuts


def frames_of(*paths: Path) -> list[bytes]:
    return [decode_line(line).data for path in paths for line in lines_of(path)[0][1:]]


@given(
    st.binary()
    | st.sampled_from(ODD)
    | st.recursive(st.none(), lambda x: st.dictionaries(st.text(), x)).map(msgspec.json.encode)
)
def test_any_bytes_come_back_as_they_were(data: bytes) -> None:
    line = line_of((7, "kalshi", 3, data))
    assert line.count(b"\n") == 1
    told = decode_line(line)
    assert (told.recv_ns, told.source, told.connection, told.data) == (7, "kalshi", 3, data)
    assert decode_line(
        msgspec.json.encode(Line(recv_ns=1, source="k", answer=answer_of(1, "w", "k", 200, data)))
    ).answer
    assert answer_of(1, "w", "k", 200, data).data == data


def test_a_plain_frame_stands_in_its_line_as_it_is() -> None:
    assert (
        line_of((7, "kalshi", 3, b'{"a": 1.50}'))
        == b'{"recv_ns":7,"source":"kalshi","connection":3,"frame":{"a": 1.50}}\n'
    )
    assert not any(is_line(data) for data in ODD)


def test_what_was_written_is_read_in_order_by_any_tool(tmp_path: Path) -> None:
    (path,) = written(tmp_path, FRAMES + ODD)
    assert frames_of(path) == FRAMES + ODD
    assert list(Tape(path, lambda cut: None).lines()) == lines_of(path)[0]
    header = decode_header(lines_of(path)[0][0])
    assert (header.run, header.segment, header.environment) == (RUN, 1, "box")


def test_notes_and_counts(tmp_path: Path) -> None:
    tape = Writer(tmp_path, RUN, "box", 0)
    tape.line(Line(recv_ns=1, source="kalshi", note=Note(kind="watch", markets=("A",))))
    tape.frame(2, "kalshi", 1, b"{}")
    tape.close()
    assert (tape.lines, tape.bytes_raw, tape.segments) == (2, 2, 1)
    assert tape.bytes_packed == segments(tmp_path)[0].stat().st_size
    assert decode_line(lines_of(segments(tmp_path)[0])[0][1]).note == Note(kind="watch", markets=("A",))


@pytest.mark.parametrize("params", [Params(segment_bytes=400), Params(segment_ns=15)])
def test_segments_follow_each_other_and_hold_everything(tmp_path: Path, params: Params) -> None:
    paths = written(tmp_path, FRAMES, params=params)
    assert len(paths) > 2
    assert frames_of(*paths) == FRAMES
    assert [decode_header(lines_of(path)[0][0]).segment for path in paths] == list(range(1, len(paths) + 1))


def test_wherever_it_is_cut_the_whole_frames_before_are_there(tmp_path: Path) -> None:
    (path,) = written(tmp_path, FRAMES[:30])
    data = path.read_bytes()
    ends = [0]
    while ends[-1] < len(data):
        unpacking = zstandard.ZstdDecompressor().decompressobj()
        unpacking.decompress(data[ends[-1] :])
        ends.append(len(data) - len(unpacking.unused_data))
    assert len(ends) == 5
    for size in range(len(data)):
        path.write_bytes(data[:size])
        whole = sum(end <= size for end in ends) - 1
        lines, cuts = lines_of(path)
        assert len(lines) == (0 if not whole else 1 + 10 * (whole - 1))
        assert bool(cuts) == (size not in ends)


@pytest.mark.parametrize("tail", [b"", b"\0" * 5_000, b"\0"])
def test_mending_cuts_the_torn_end_once(tmp_path: Path, tail: bytes) -> None:
    (path,) = written(tmp_path, FRAMES)
    whole = path.read_bytes()
    path.write_bytes(whole + (tail or whole[:30]))
    assert mend(path) == len(tail or whole[:30])
    assert path.read_bytes() == whole
    assert mend(path) == 0


@pytest.mark.parametrize("kept", [1, 4, 30, 200])
def test_a_last_frame_of_which_a_loss_of_power_left_zeros_is_a_torn_end(tmp_path: Path, kept: int) -> None:
    (path,) = written(tmp_path, FRAMES)
    whole = path.read_bytes()
    last = whole.rindex(zstandard.FRAME_HEADER)
    path.write_bytes(whole[: last + kept] + b"\0" * 4_096)
    assert frames_of(path) == FRAMES[:50]
    assert mend(path) == kept + 4_096
    assert path.read_bytes() == whole[:last]


def test_zeros_before_another_frame_are_damage(tmp_path: Path) -> None:
    (path,) = written(tmp_path, FRAMES)
    whole = path.read_bytes()
    last = whole.rindex(zstandard.FRAME_HEADER)
    path.write_bytes(whole[: last - 40] + b"\0" * 40 + whole[last:] + b"\0" * 4_096)
    with pytest.raises(RecordingError, match="was changed or damaged"):
        mend(path)


def test_mending_removes_a_segment_without_anything(tmp_path: Path) -> None:
    path = tmp_path / f"{RUN}-000001.jsonl.zst"
    path.write_bytes(zstandard.compress(b"{}\n")[:5])
    assert mend(path) == 5
    assert not path.exists()


def test_a_changed_byte_is_found_wherever_it_is(tmp_path: Path) -> None:
    (path,) = written(tmp_path, FRAMES[:20])
    data = path.read_bytes()
    said = []
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ (1 << place % 8)]) + data[place + 1 :])
        try:
            # A changed length may make the rest look like an end that was torn; what is given is never wrong.
            given = frames_of(path)
        except RecordingError as error:
            said.append(str(error))
        else:
            assert given == FRAMES[: len(given)]
    assert len(said) > len(data) * 0.9
    for sentence in said:
        assert sentence.startswith(f"{path.name} was changed or damaged ")
        assert sentence.endswith(" bytes after its beginning; restore it from a copy, or leave it out")


def test_a_damaged_segment_is_not_mended(tmp_path: Path) -> None:
    (path,) = written(tmp_path, FRAMES)
    data = path.read_bytes()
    place = len(data) // 2
    path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    with pytest.raises(RecordingError, match="was changed or damaged"):
        mend(path)


def test_a_run_is_never_written_over(tmp_path: Path) -> None:
    written(tmp_path, FRAMES)
    with pytest.raises(RecordingError, match="is there already"):
        Writer(tmp_path, RUN, "box", 0)


FULL = """
import sys
from pathlib import Path
from fairstrike.core.errors import DiskError
from tests.unit.store.test_raw import FRAMES, RUN
from fairstrike.store.raw import Writer
tape = Writer(Path(sys.argv[1]), RUN, "box", 0)
try:
    for n in range(10_000):
        tape.frame(n, "kalshi", 1, FRAMES[n % 60][:-2] + b"," + b'"x":%d}}' % (n * n * 7919))
        if not n % 10:
            tape.write(tape.take())
except DiskError as error:
    print(n, error)
"""


def allow_little() -> None:
    """No file of this process may have more than 20,000 bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def test_a_full_disk_ends_it_and_harms_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-B", "-c", FULL, str(tmp_path)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=allow_little,
    )
    number, sentence = done.stdout.split(" ", 1)
    assert sentence.strip() == (
        f"the recording in {tmp_path} cannot be written (File too large); make room or mend the disk, then start "
        "again: what was recorded before is kept"
    )
    (path,) = segments(tmp_path)
    lines, cuts = lines_of(path)
    assert cuts == []
    assert int(number) - 10 <= len(lines) - 1 <= int(number)


def test_a_folder_that_takes_nothing(tmp_path: Path) -> None:
    if os.getuid() == 0:
        folder = tmp_path / "gone"
    else:
        folder = tmp_path / "closed"
        folder.mkdir(mode=0o500)
    with pytest.raises(DiskError, match="cannot be written"):
        Writer(folder, RUN, "box", 0)
