"""`fairstrike replay` on bad recordings and wrong places: one sentence, and nothing that is there is lost."""

import gzip
import json
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from bench import calibration, regimes, volatilities
from fairstrike.app import build, config, replaying
from fairstrike.app.turn import Turn
from fairstrike.core.errors import ConfigError, RecordingError
from fairstrike.core.records import GroupFitted
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.pricing.volatility import Params as VolatilityParams
from fairstrike.research.backtest import COMPUTED_AFTER_NS
from fairstrike.store.following import read
from fairstrike.store.journal import Journal
from fairstrike.store.segments import DECISIONS
from tests.commands import Said, fairstrike

TICKER = "KXBTC15M-26MAY131145-45"
BEGIN_NS = 1_778_686_926_000_000_000
COLUMNS = "run,market_ticker,close_time,strike_usd,official_result,settlement_value_usd_from_next_strike\n"
SPOT = "recv_ns,exchange_ts,price_usd\n"
DELTAS = 2_000


def line(n: int, kind: str, step_ms: int = 1, **message: object) -> str:
    seq = n if kind.startswith("orderbook") else None
    text = {"recv_ns": BEGIN_NS + n * step_ms * MILLISECOND_NS, "type": kind, "seq": seq, "sid": None}
    return json.dumps(text | {"msg": {"market_ticker": TICKER} | message}) + "\n"


def capture(step_ms: int = 1) -> str:
    """A market with one level a side that swells and shrinks, once each step."""
    lines = [line(0, "watch_market", close_time="2026-05-13T15:45:00Z", strike=79_271.97)]
    sides = {"yes_dollars_fp": [["0.4000", "100.00"]], "no_dollars_fp": [["0.5000", "100.00"]]}
    lines.append(line(1, "orderbook_snapshot", step_ms, **sides))
    for n in range(2, DELTAS + 2):
        change = {"price_dollars": "0.4000", "delta_fp": "1.00" if n % 2 else "-1.00", "side": "yes"}
        lines.append(line(n, "orderbook_delta", step_ms, ts_ms=BEGIN_NS // MILLISECOND_NS + n * step_ms, **change))
    return "".join(lines)


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    path = tmp_path / "a.jsonl"
    path.write_text(capture())
    return path


def replay(folder: Path, name: str, *more: str) -> Said:
    return fairstrike("replay", name, "--json", "--strategy", "none", "--folder", "out", *more, folder=folder)


@pytest.mark.parametrize("packed", [False, True])
def test_cut_recording_counts_to_the_cut(tmp_path: Path, packed: bool) -> None:
    data = capture().encode()
    data = gzip.compress(data) if packed else data
    name = "cut.jsonl.gz" if packed else "cut.jsonl"
    (tmp_path / name).write_bytes(data[: len(data) // 2])
    said = replay(tmp_path, name)
    report = json.loads(said.out)
    assert (said.code, said.err) == (0, "")
    assert len(report["cut"]) == 1
    assert DELTAS * 0.3 < report["deltas"] < DELTAS * 0.7


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("e.jsonl", b"", "e.jsonl is empty; give a recording"),
        ("e.jsonl.gz", gzip.compress(b"x" * 999)[:12], "e.jsonl.gz cannot be unpacked; give a complete copy"),
        ("p.jsonl.gz", b"plain", "p.jsonl.gz cannot be unpacked; give a complete copy"),
        (
            "o.jsonl",
            b'{"ts": 1, "market": "x"}\n',
            "o.jsonl is in no format that can be read; these are: ",
        ),
        ("o.jsonl", b"a,b,c\n1,2,3\n", "o.jsonl is in no format that can be read; these are: "),
    ],
    ids=["empty", "cut at once", "not gzip", "other format", "csv"],
)
def test_recording_of_another_kind(tmp_path: Path, name: str, data: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(data)
    said = replay(tmp_path, name)
    assert (said.code, said.out) == (2, "")
    assert said.sentence.startswith(sentence)


@pytest.mark.parametrize(("name", "why"), [("gone.jsonl", "No such file or directory")])
def test_recording_that_is_no_file(tmp_path: Path, name: str, why: str) -> None:
    said = replay(tmp_path, name)
    expected = f"{name} cannot be read ({why}); check the path and its permissions"
    assert (2, expected) == (said.code, said.sentence)


def test_recording_damaged_in_the_middle(tmp_path: Path, tape: Path) -> None:
    lines = tape.read_text().splitlines(keepends=True)
    tape.write_text("".join([*lines[:100], '{"recv_ns": 1, "ty\n', *lines[100:]]))
    said = replay(tmp_path, "a.jsonl")
    assert said.code == 2
    assert said.sentence.startswith("a.jsonl line 101 is not what a 15-minute capture holds (")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xff\xfe\x00", "has a row that cannot be used ("),
        (b"one,two\n1,2\n", "lacks the column run; restore the file, or take it away"),
        (f"{COLUMNS}a,{TICKER},2026-05".encode(), "has a row that cannot be used ("),
        (f"{COLUMNS}a,T,x,1,maybe,2\n".encode(), "has a row that cannot be used ("),
    ],
    ids=["no text", "other columns", "cut", "no result"],
)
def test_damaged_results(tmp_path: Path, tape: Path, data: bytes, why: str) -> None:
    tape.with_name("results.csv").write_bytes(data)
    said = replay(tmp_path, "a.jsonl")
    assert said.code == 2
    assert said.sentence.startswith(f"results.csv {why}")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\xff\xfe\x00\n", "a.spot.csv lacks a column of recv_ns, exchange_ts, price_usd; restore the file"),
        (
            f"{SPOT}{BEGIN_NS},2026-05-13T15:42:06Z,cheap\n".encode(),
            "a.spot.csv line 2 is not a trade; restore the file",
        ),
    ],
    ids=["no text", "no price"],
)
def test_damaged_spot(tmp_path: Path, tape: Path, data: bytes, sentence: str) -> None:
    tape.with_name("a.spot.csv").write_bytes(data)
    said = replay(tmp_path, "a.jsonl")
    assert (2, sentence) == (said.code, said.sentence)


def test_folder_with_files_of_others_is_left_alone(tmp_path: Path, tape: Path) -> None:
    diary = tmp_path / "out" / "journal" / "diary.txt"
    diary.parent.mkdir(parents=True)
    diary.write_text("keep")
    said = replay(tmp_path, "a.jsonl")
    assert (said.code, diary.read_text()) == (2, "keep")
    assert said.sentence == "out/journal/diary.txt is no part of a journal; name another folder with --folder"


def test_a_replay_is_replaced_by_the_next(tmp_path: Path, tape: Path) -> None:
    first, second = replay(tmp_path, "a.jsonl"), replay(tmp_path, "a.jsonl")
    assert (0, 0, first.out) == (first.code, second.code, second.out)
    said = fairstrike("verify", "out", folder=tmp_path)
    assert said.code == 2
    assert said.sentence == "this journal is a replay's; name its recordings with --tape: a.jsonl"
    (tmp_path / "b.jsonl").write_text(capture()[:5_000])
    said = fairstrike("verify", "out", "--tape", "b.jsonl", folder=tmp_path)
    assert said.code == 2
    assert said.sentence == "these are not the recordings of this run; it read a.jsonl"
    said = fairstrike("verify", "out", "--tape", ".", folder=tmp_path)
    assert (said.code, "made again, byte for byte" in said.out) == (0, True), "a folder may hold other recordings too"


def test_what_lies_beside_a_recording_is_part_of_the_run(tmp_path: Path, tape: Path) -> None:
    spot, results = tape.with_name("a.spot.csv"), tape.with_name("results.csv")
    spot.write_text(f"{SPOT}{BEGIN_NS},2026-05-13T15:42:06Z,80000\n")
    results.write_text(f"{COLUMNS}a,{TICKER},2026-05-13T15:45:00Z,80000,yes,80001\n")
    replay(tmp_path, "a.jsonl")
    results.write_text(results.read_text() + "b,OTHER,2026-05-13T15:45:00Z,80000,no,79999\n")
    said = fairstrike("verify", "out", "--tape", "a.jsonl", folder=tmp_path)
    assert said.code == 0, "a result of another run changes nothing"
    for path, was, changed in ((spot, "80000", "80002"), (results, "yes", "no")):
        kept = path.read_text()
        path.write_text(kept.replace(was, changed))
        said = fairstrike("verify", "out", "--tape", "a.jsonl", folder=tmp_path)
        assert said.code == 2
        assert said.sentence.startswith("trades or results beside the recordings are not those that this run read")
        path.write_text(kept)


def test_a_journal_cut_in_the_middle_is_no_whole_replay(tmp_path: Path, tape: Path) -> None:
    replay(tmp_path, "a.jsonl")
    (segment,) = (tmp_path / "out" / "journal").glob("decisions-*.fsj")
    segment.write_bytes(segment.read_bytes()[: segment.stat().st_size * 9 // 10])
    said = fairstrike("verify", "out", "--tape", "a.jsonl", folder=tmp_path)
    assert said.code == 5
    assert said.sentence.startswith("the journal in out ends in the middle")


def test_one_recording_under_two_names_is_refused(tmp_path: Path, tape: Path) -> None:
    (tmp_path / "b.jsonl").write_text(capture())
    said = fairstrike("replay", "a.jsonl", "b.jsonl", "--strategy", "none", folder=tmp_path)
    assert (said.code, said.out) == (2, "")
    assert said.sentence == "a.jsonl and b.jsonl are the same recording under two names; name one of them"


@pytest.mark.parametrize(
    ("cash_ud", "text"), [(1, "0.000001"), (10, "0.00001"), (4_350_001, "4.350001"), (10_000_000_000, "10000")]
)
def test_cash_is_taken_to_the_microdollar(cash_ud: int, text: str) -> None:
    assert cash_ud == replaying.settings_of(None, replaying.Choices(cash=text)).replay.cash_ud


@pytest.mark.parametrize("name", ["entry_latency_ns", "feed_latency_ns", "cash_ud"])
def test_replay_settings_below_zero_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "s.toml"
    path.write_text(f"[replay]\n{name} = -1\n")
    with pytest.raises(ConfigError, match=rf"at `\$\.replay\.{name}`; correct that value$"):
        config.load(path)


def test_a_replay_with_long_sums_gives_the_same_twice(tmp_path: Path) -> None:
    tape = tmp_path / "a.jsonl"
    tape.write_text(capture(step_ms=20))
    spot = (f"{BEGIN_NS + s * SECOND_NS},2026-05-13T15:42:{s + 6:02d}Z,{79_270 + s % 3}\n" for s in range(40))
    tape.with_name("a.spot.csv").write_text(SPOT + "".join(spot))
    rooms = config.RoomSettings(volatility=VolatilityParams(returns_min=10))
    prepared = replaying.prepare([tape], config.Settings(rooms=rooms))
    # The strategies that can be chosen for a replay compute nothing; who observes does.
    started = msgspec.structs.replace(prepared.started, execution="observe")

    def played(name: str) -> tuple[str, list[GroupFitted]]:
        again = replaying.prepare([tape], prepared.settings)
        journal = Journal(tmp_path / name, prepared.settings.journal)
        engine = build.engine(started, prepared.settings)
        turn = Turn(engine, journal, keeps_inputs=False)
        replaying.drive(msgspec.structs.replace(again, started=started), engine, turn, lambda read: None)
        journal.close(started.run_ns)
        records = [record for record in read(tmp_path / name, DECISIONS) if record.kind == "GroupFitted"]
        fits = [msgspec.msgpack.decode(record.body, type=GroupFitted) for record in records]
        delays = {record.instant_ns - fit.asked_ns for record, fit in zip(records, fits, strict=True)}
        assert delays == {COMPUTED_AFTER_NS}
        return journal.digest(), fits

    first = played("first")
    assert first == played("again")
    assert len(first[1]) > 10


# Studies of recordings


@pytest.mark.parametrize("study", [calibration, regimes, volatilities])
def test_study_without_captures_says_so(
    study: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    candles = [str(tmp_path / "candles.csv.gz")] if study is volatilities else []
    monkeypatch.setattr("sys.argv", ["study", str(tmp_path), *candles])
    assert study.main() == 2
    assert capsys.readouterr() == ("", f"fairstrike: no *.jsonl.gz in {tmp_path}; name a folder of captures\n")


def test_candles_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "candles.csv").write_text("timestamp,close\n")
    with pytest.raises(RecordingError, match="give a gzipped CSV"):
        volatilities.of_candles(tmp_path / "candles.csv")
