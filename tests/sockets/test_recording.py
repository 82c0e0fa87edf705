"""`fairstrike record` against an exchange in a box: its books, its faults, deaths, full disks and bad input."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fairstrike.core.events import BookDelta, BookLost, BookSnapshot, ContractListed, IndexPrinted, SpotTold, TickerSeen
from fairstrike.core.timing import MINUTE_NS, SECOND_NS, parse_rfc3339_ns
from fairstrike.exchange.announcement import Announcement
from fairstrike.exchange.worlds import START_NS
from fairstrike.market.book import Book
from fairstrike.research.importers.base import Recording
from fairstrike.research.importers.formats import recordings
from fairstrike.store.raw import RawTape, decode_line, segments
from tests.commands import PROGRAM, Said, fairstrike, run
from tests.sockets.processes import unserved_s
from tests.sockets.spot import SpotVenues, binance, coinbase, funding
from tests.sockets.test_bad_input import PATIENCE_S, exchange, until
from tests.sockets.test_looking import WATCHED, state

BOX = ("--env", "box", "--box", "exchange.log", "--series", "KXBTCD", "--series", "KXBTC15M")
FAULTS = (
    "kind=gap,size=3,count=4,channel=orderbook_delta,probability=0.002",
    "kind=drop,channel=orderbook_delta,probability=0.0005,count=3",
    "kind=duplicate,channel=orderbook_delta,probability=0.01",
    "kind=reorder,probability=0.001,count=5",
    "kind=malformed_frame,probability=0.002,count=5",
    "kind=disconnect,at_s=80,count=6,every_s=30",
    "kind=silent_stream,at_s=60,duration_s=15",
    "kind=server_error,status=502,path=/markets,count=3",
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recording")


@pytest.fixture(scope="module")
def line(place: Path) -> Iterator[Announcement]:
    with exchange(place, "--speed", "20", "--liquidity", "calibrated") as announced:
        yield announced


class Started:
    """A recorder under way, until stopped."""

    def __init__(self, folder: Path, process: "subprocess.Popen[str]") -> None:
        self.folder = folder
        self.process = process

    @property
    def size(self) -> int:
        return sum(path.stat().st_size for path in segments(self.folder)) if self.folder.is_dir() else 0

    def end(self, number: int) -> tuple[int, str]:
        self.process.send_signal(number)
        out, _ = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, out


@contextmanager
def started(place: Path, folder: str, *more: str) -> Iterator[Started]:
    """A recorder that has recorded something; killed at the end of the block if it still runs."""
    command = [*PROGRAM, "record", *BOX, "--folder", folder, "--duration-seconds", "0", "--json", *more]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=place, stdout=pipe, stderr=pipe, text=True) as process:
        recorder = Started(place / folder, process)
        before = recorder.size
        try:
            until("something is recorded", lambda: process.poll() is not None or recorder.size > before + 5_000)
            assert process.poll() is None, process.communicate()
            yield recorder
        finally:
            process.kill()


def record(place: Path, *more: str) -> tuple[Said, dict[str, object]]:
    said = fairstrike("record", *BOX, "--json", *more, folder=place)
    return said, json.loads(said.out) if said.out else {}


def held_against_snapshots(recording: Recording) -> int:
    """Hold each book, rebuilt, against every snapshot that came while it was there. Gives how many were equal."""
    books: dict[str, Book] = {}
    equal = 0
    for _, events in recording.units():
        for event in events:
            match event:
                case BookDelta() if event.ticker in books:
                    assert books[event.ticker].apply(event.is_bid, event.price_ticks, event.delta_cc)
                case BookSnapshot():
                    stated = Book(event.bids, event.asks)
                    if event.ticker in books:
                        assert books[event.ticker].levels() == stated.levels()
                        equal += 1
                    books[event.ticker] = stated
                case BookLost():
                    books.pop(event.ticker, None)
                case _:
                    pass
    return equal


def test_rebuilt_books_are_the_exchanges_whatever_happened(tmp_path: Path) -> None:
    faults = [part for fault in FAULTS for part in ("--fault", fault)]
    with exchange(tmp_path, "--speed", "20", "--liquidity", "calibrated", *faults):
        said, report = record(tmp_path, "--duration-seconds", "10", "--segment-seconds", "1")
    assert said.code == 0
    assert report["ended"] == "the time is over"
    assert min(int(str(report[name])) for name in ("gaps", "unreadable", "books_asked_again")) > 0
    assert int(str(report["connections"])) >= 4
    assert int(str(report["segments"])) >= 7
    (recording,) = recordings([tmp_path / "recordings"])
    assert held_against_snapshots(recording) > 40
    assert recording.cuts == []
    replayed = fairstrike("replay", "recordings", "--strategy", "none", "--json", "--folder", "run", folder=tmp_path)
    assert replayed.code == 0
    verified = fairstrike("verify", "run", "--tape", "recordings", folder=tmp_path)
    assert (verified.code, verified.err) == (0, "")


def test_a_recording_stands_for_itself(place: Path, line: Announcement) -> None:
    struck_ns = START_NS + 4 * MINUTE_NS
    # By its own account: on a busy machine venue time falls behind the announced clock.
    until("a 15-minute market is struck", lambda: state(line)["now_ns"] > struck_ns)
    said, report = record(place, "--duration-seconds", "5", "--folder", "whole", "--interval-seconds", "0.2")
    assert (said.code, said.err, report["gaps"], report["unreadable"]) == (0, "", 0, 0)
    (recording,) = recordings([place / "whole"])
    told = [event for _, events in recording.units() for event in events]
    listed = {event.contract.ticker: event.contract for event in told if isinstance(event, ContractListed)}
    seen = {event.ticker for event in told if isinstance(event, BookSnapshot)}
    assert len(seen) == report["markets"]
    assert seen <= listed.keys()
    assert any(listed[ticker].is_struck for ticker in seen)
    assert {event.source for event in told if isinstance(event, IndexPrinted)} == {"official"}
    assert sum(isinstance(event, BookDelta) for event in told) == report["deltas"]
    assert any(isinstance(event, TickerSeen) for event in told)
    table = next((place / "whole").glob("*.rows.csv")).read_text().splitlines()
    assert table[0] == "time,ticker,bid,bid_size,ask,ask_size,index,index_source,index_time"
    assert len(table) - 1 == report["rows"]
    assert 0 < sum("KXBTC15M-" in row for row in table) <= 2 * 5 * 5
    full = [cells for cells in (row.split(",") for row in table[1:]) if all(cells)]
    assert full
    assert all(0 < float(bid) < float(ask) < 1 and float(index) > 1_000 for _, _, bid, _, ask, _, index, _, _ in full)
    assert {source for *_, source, _ in full} == {"official"}


def test_spot_venues_are_recorded_too_compacted_and_replayed(place: Path, line: Announcement) -> None:
    tellers = {"coinbase": coinbase, "binance": binance, "binance_futures": funding}
    with SpotVenues(line.clock, tellers) as venues:
        hosts = "".join(f'{name} = "{host}"\n' for name, host in venues.hosts.items())
        (place / "spot.toml").write_text(f"[spot.hosts]\n{hosts}")
        said, report = record(place, "--duration-seconds", "3", "--config", "spot.toml", "--folder", "spot")
    assert (said.code, said.err) == (0, "")
    assert int(str(report["spot_frames"])) > 10
    told = [event for _, events in recordings([place / "spot"])[0].units() for event in events]
    sources = {event.source for event in told if isinstance(event, IndexPrinted)}
    assert sources == {"official", "replica", "coinbase", "binance"}
    assert any(event.candles and event.fundings for event in told if isinstance(event, SpotTold))
    compacted = fairstrike("compact", "spot", "--json", folder=place)
    assert {"index", "candle", "funding", "book"} <= json.loads(compacted.out)["streams"].keys()
    replayed = fairstrike("replay", "spot", "--strategy", "none", "--json", "--folder", "spot-run", folder=place)
    assert (replayed.code, replayed.err) == (0, "")


def test_rows_go_by_the_settings_that_a_trader_goes_by(tmp_path: Path) -> None:
    with (
        exchange(tmp_path, "--speed", "20", "--liquidity", "calibrated", "--switch", "is_index_granted=false") as line,
        SpotVenues(line.clock, {"coinbase": coinbase, "binance": binance}) as venues,
    ):
        hosts = "".join(f'{name} = "{host}"\n' for name, host in venues.hosts.items())
        measured = '[rooms.engine]\nseries = ["KXBTCD"]\n[rooms.index.proxy_sd_e8]\n"binance/BTC" = 1\n'
        (tmp_path / "own.toml").write_text(f"{measured}[spot.hosts]\n{hosts}")
        command = ("record", *BOX[:4], "--config", "own.toml", "--duration-seconds", "3", "--json")
        said = fairstrike(*command, folder=tmp_path)
    assert (said.code, said.err) == (0, "")
    rows = next((tmp_path / "recordings").glob("*.rows.csv")).read_text().splitlines()[1:]
    assert {row.split(",")[1].partition("-")[0] for row in rows} == {"KXBTCD"}
    # By the program's own settings it would be Coinbase.
    assert {row.split(",")[-2] for row in rows} - {""} == {"binance"}


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_ends_it_well(place: Path, line: Announcement, name: str) -> None:
    with started(place, name) as recorder:
        code, out = recorder.end(getattr(signal, name))
    assert (code, json.loads(out)["ended"]) == (0, name)
    (path,) = segments(place / name)
    last = list(RawTape(path, lambda cut: None).lines())[-2:]
    assert [note.kind for note in (decode_line(raw).note for raw in last) if note] == ["disconnected", "ended"]


def test_killed_again_and_again_it_loses_less_than_a_second(place: Path, line: Announcement) -> None:
    runs = 3
    for _ in range(runs):
        with started(place, "killed", "--interval-seconds", "0.05") as recorder:
            before_s = unserved_s(recorder.process.pid)
            time.sleep(1.2)
            killed_ns = time.time_ns()
            starved_s = unserved_s(recorder.process.pid) - before_s
            recorder.end(signal.SIGKILL)
        # Rows go to the disk with the frames before them, also while the exchange says nothing.
        row = max((place / "killed").glob("*.rows.csv")).read_text().rpartition("\n")[0].rpartition("\n")[2]
        kept_ns = parse_rfc3339_ns(row.partition(",")[0])
        assert (killed_ns - line.clock.system_ns(kept_ns)) / SECOND_NS < 1.0 + starved_s
    found = recordings([place / "killed"])
    assert len(found) == runs
    for recording in found:
        held_against_snapshots(recording)
        # Every number between the first and the last is there.
        assert sum(recording.deltas.values()) > 100
        assert not any(recording.gaps.values())
    said, report = record(place, "--duration-seconds", "1", "--folder", "killed")
    assert said.code == 0
    assert set(report["mended"]) <= {path.name for path in segments(place / "killed")}  # type: ignore[call-overload]
    assert [cut for recording in recordings([place / "killed"]) for cut in recording.cuts] == []


def test_a_torn_end_is_cut_off_at_the_next_start(place: Path, line: Announcement) -> None:
    with started(place, "torn") as recorder:
        recorder.end(signal.SIGKILL)
    (path,) = segments(place / "torn")
    data = path.read_bytes()
    path.write_bytes(data + data[:99])
    table = next((place / "torn").glob("*.rows.csv"))
    rows = table.read_text()
    table.write_text(rows + "2026-")
    said, report = record(place, "--duration-seconds", "1", "--folder", "torn")
    assert (said.code, report["mended"]) == (0, {path.name: 99, table.name: 5})
    assert (path.read_bytes(), table.read_text()) == (data, rows)


def test_a_full_disk_ends_it_loudly_and_in_time(place: Path, line: Announcement) -> None:
    said, _ = record(place, "--disk-min", "1e9", "--folder", "low")
    assert said.code == 10
    assert said.sentence.startswith("recording ended: the disk of low has ")
    assert said.sentence.endswith(" are to be left; make room, or give a smaller --disk-min")
    command = (*PROGRAM, "record", *BOX, "--json", "--folder", "full", "--duration-seconds", "60")
    full = run("sh", "-c", 'ulimit -f 500; trap "" XFSZ; exec "$@"', "sh", *command, folder=place)
    assert full.code == 10
    assert full.sentence.startswith("the recording in full cannot be written (File too large); make room or mend the ")
    (recording,) = recordings([place / "full"])
    assert held_against_snapshots(recording) >= 0
    assert recording.cuts == []
    assert sum(recording.deltas.values()) > 100


def test_two_recorders_do_not_write_to_one_folder(place: Path, line: Announcement) -> None:
    with started(place, "shared") as recorder:
        said, _ = record(place, "--folder", "shared")
        assert said.code == 6
        assert said.sentence == (
            "another recorder writes to shared; stop it first, or name another folder with --folder"
        )
        assert recorder.end(signal.SIGTERM)[0] == 0


def test_a_damaged_segment_is_named_before_anything_is_recorded(place: Path, line: Announcement) -> None:
    record(place, "--duration-seconds", "1", "--folder", "damaged")
    (path,) = segments(place / "damaged")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] + bytes(9) + data[len(data) // 2 + 9 :])
    said, _ = record(place, "--duration-seconds", "1", "--folder", "damaged")
    assert said.code == 2
    assert said.sentence.startswith(f"{path.name} was changed or damaged ")
    replayed = fairstrike("replay", "damaged", folder=place)
    assert replayed.code == 2
    assert replayed.sentence.startswith(f"{path.name} was changed or damaged ")


def test_it_signs_reads_only_and_has_nothing_that_sends(place: Path, line: Announcement) -> None:
    said = run(PROGRAM[0], "-c", WATCHED, "record", *BOX, "--duration-seconds", "1", "--folder", "reads", folder=place)
    assert said.out.splitlines()[-1] == "None [('reads', 'GET')] False False"
