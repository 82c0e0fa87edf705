"""Damaged recordings against every importer: events fit for the journal, or `RecordingError`, and nothing else.

A fifth as many files as FAIRSTRIKE_FUZZ_FRAMES (or FAIRSTRIKE_FRAMES) says frames.
"""

import gzip
from pathlib import Path

import msgspec
import pytest
import zstandard

from fairstrike.core.chance import Dice
from fairstrike.core.errors import RecordingError
from fairstrike.research.importers.formats import opened
from tests.conftest import REPOSITORY
from tests.fuzz.test_frames import FRAMES, broken
from tests.unit.research.captures import CLOSE_TEXT, RUN, TICKER, ns
from tests.unit.research.importers.samples import SAMPLES

FILES = FRAMES // 5
REAL_BYTES_MAX = 120_000
BESIDE = {
    f"{RUN}.spot.csv": b"recv_ns,exchange_ts,price_usd\n"
    + b"".join(b"%d,2026-05-14T00:24:%02d.1Z,79487.%02d\n" % (ns(n * 700), 28 + n, n) for n in range(9)),
    "results.csv": b"run,market_ticker,close_time,strike_usd,official_result,settlement_value_usd_from_next_strike\n"
    + f"{RUN},{TICKER},{CLOSE_TEXT},79487.86,,79501.11\n".encode(),
}
_encode = msgspec.msgpack.Encoder().encode


def real_recordings() -> dict[str, bytes]:
    """The beginnings of real recordings of every format, whole where a format is one document, if they are at hand."""
    found: dict[str, bytes] = {}
    for pattern in ("btc15m/*.jsonl.gz", "hourly-ladders/*", "wire/*", "spot/*"):
        for path in sorted((REPOSITORY.parent / "shared/data").glob(pattern)):
            with gzip.open(path) as file:
                data = file.read(REAL_BYTES_MAX + 1)
            if ".json." not in path.name:
                data = data[: data.rindex(b"\n") + 1]
            if len(data) <= REAL_BYTES_MAX and not any(name[:8] == path.name[:8] for name in found):
                found[path.name.removesuffix(".gz")] = data
    return found


def damaged(data: bytes, dice: Dice, corpus: list[bytes]) -> bytes:
    """One damage: of the bytes, or of whole lines."""
    lines = data.splitlines(keepends=True)
    if len(lines) < 2 or dice.below(3):
        return broken(data, dice, corpus)
    place, other = dice.below(len(lines)), dice.below(len(lines))
    match dice.below(4):
        case 0:
            lines.insert(place, lines[other])
        case 1:
            del lines[place]
        case 2:
            lines[place], lines[other] = lines[other], lines[place]
        case _:
            lines[place] = broken(lines[place], dice, corpus)
    return b"".join(lines)


def packed(data: bytes, dice: Dice) -> tuple[str, bytes]:
    """An ending, and the bytes packed that way, damaged once more now and then."""
    ending, data = (("", data), (".gz", gzip.compress(data, 1)), (".zst", zstandard.compress(data, 1)))[dice.below(3)]
    if ending and not dice.below(3):
        place = dice.below(len(data))
        data = data[:place] if dice.below(2) else data[:place] + bytes([dice.below(256)]) + data[place + 1 :]
    return ending, data


def read(path: Path) -> int:
    """Read a recording to its end, and give the number of its events."""
    recording = opened(path)
    count = 0
    for units in (recording.units(), recording.prints()):
        for at_ns, events in units:
            assert {event.recv_ns for event in events} == {at_ns}
            _encode(events)
            count += len(events)
    _encode([*recording.results().values()])
    assert recording.is_over
    return count


@pytest.fixture
def corpus() -> dict[str, bytes]:
    return SAMPLES | real_recordings()


def test_a_damaged_recording_gives_events_or_is_refused(tmp_path: Path, corpus: dict[str, bytes]) -> None:
    dice, names, whole = Dice(20_261_121, 2), list(corpus), list(corpus.values())
    refused: list[str] = []
    for _ in range(FILES):
        name = names[dice.below(len(names))]
        data = corpus[name]
        for _ in range(1 + dice.below(3)):
            data = damaged(data, dice, whole)
        ending, data = packed(data, dice)
        path = tmp_path / (name + ending)
        path.write_bytes(data)
        try:
            read(path)
        except RecordingError as error:
            refused.append(str(error))
        path.unlink()
    assert not [sentence for sentence in refused if "\n" in sentence]
    assert FILES // 2 < len(refused) < FILES


def test_a_damaged_file_beside_a_capture_gives_events_or_is_refused(tmp_path: Path) -> None:
    dice, whole = Dice(20_261_121, 3), list(BESIDE.values())
    path = tmp_path / f"{RUN}.jsonl"
    path.write_bytes(SAMPLES["stream.jsonl"])
    refused: list[str] = []
    for number in range(FILES // 4):
        for place, (name, data) in enumerate(BESIDE.items()):
            is_hit = number % 2 == place
            (tmp_path / name).write_bytes(damaged(data, dice, whole) if is_hit else data)
        try:
            read(path)
        except RecordingError as error:
            refused.append(str(error))
    assert not [sentence for sentence in refused if "\n" in sentence]
    assert FILES // 20 < len(refused) < FILES // 4


def test_every_recording_of_the_corpus_is_read_whole(tmp_path: Path, corpus: dict[str, bytes]) -> None:
    for name, data in (corpus | {f"{RUN}.jsonl": SAMPLES["stream.jsonl"]}).items():
        for beside, text in BESIDE.items():
            (tmp_path / beside).write_bytes(text)
        (tmp_path / name).write_bytes(data)
        assert read(tmp_path / name) >= 0
