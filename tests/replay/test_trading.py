"""Two real captures, traded: the same journal every time, and money that adds up."""

import re
from collections import defaultdict
from pathlib import Path

import msgspec
import pytest
import zstandard

from fairstrike.core.fees import FeeSchedule, fill_fee
from fairstrike.core.order import Side
from fairstrike.core.records import Booked, CashSet, Settled
from fairstrike.core.units import TICKS_PER_DOLLAR, format_ud
from fairstrike.store.following import read
from fairstrike.store.segments import DECISIONS, Record, segments
from tests.replay.commands import Replayed, fairstrike, replay

CAPTURES = ("rv600_next_evidence_shadow_20260514T002426Z", "rv600_next_evidence_shadow_20260515T024708Z")
CASH_UD = 10_000_000_000
PRICE, MONEY = re.compile(r"\d\.\d{4}"), re.compile(r"-?\d+\.\d{6}")
COUNTS = ("deltas", "snapshots", "gaps", "frozen", "fills")
PROMISED = {*COUNTS, "best_yes_bid", "best_yes_ask", "fees", "pnl", "result"}


class Run(msgspec.Struct, frozen=True):
    """One replay of a capture: the capture, the run folder, and what was printed."""

    capture: Path
    folder: Path
    figures: Replayed
    plain: dict[str, object]

    def records(self) -> list[Record]:
        return list(read(self.folder / "journal", DECISIONS))


@pytest.fixture(scope="module", params=CAPTURES)
def run(request: pytest.FixtureRequest, shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    capture = shared_data / "btc15m" / f"{request.param}.jsonl.gz"
    folder = tmp_path_factory.mktemp("first")
    return Run(capture, folder, *replay(folder, capture))


def decisions(folder: Path) -> bytes:
    """The bytes of the decision chain's segments, unpacked."""
    parts = []
    for path in segments(folder / "journal", DECISIONS):
        data = path.read_bytes()
        is_packed = path.suffix == ".zst"
        parts.append(zstandard.ZstdDecompressor().decompress(data) if is_packed else data)
    return b"".join(parts)


def test_a_capture_gives_the_same_journal_twice(run: Run, tmp_path: Path) -> None:
    again, _ = replay(tmp_path / "second", run.capture)
    assert again.digest == run.figures.digest
    assert decisions(tmp_path / "second") == decisions(run.folder)


def test_a_journal_is_reproduced(run: Run) -> None:
    verified = msgspec.json.decode(fairstrike("verify", run.folder, "--tape", run.capture, "--json"))
    kept = [record for record in run.records() if record.kind != "Segment"]
    assert verified == {"runs": 1, "records": len(kept), "left_out": 0, "cut": 0}


def test_figures_have_their_promised_shape(run: Run) -> None:
    markets = run.plain["markets"]
    assert isinstance(markets, dict)
    assert len(markets) == 2
    for market in markets.values():
        assert set(market) >= PROMISED
        assert all(type(market[name]) is int for name in COUNTS)
        assert all(market[name] is None or PRICE.fullmatch(market[name]) for name in ("best_yes_bid", "best_yes_ask"))
        assert MONEY.fullmatch(market["fees"])
        assert market["pnl"] is None or MONEY.fullmatch(market["pnl"])
        assert market["result"] in ("yes", "no", None)


def test_there_was_trading(run: Run) -> None:
    assert run.figures.fills > 0
    assert run.figures.fills == sum(market.fills for market in run.figures.markets.values())


def booked(run: Run) -> list[Booked]:
    return [msgspec.msgpack.decode(r.body, type=Booked) for r in run.records() if r.kind == "Booked"]


def test_fees_are_those_of_the_schedule(run: Run) -> None:
    carries: defaultdict[str, int] = defaultdict(int)
    fees: defaultdict[str, int] = defaultdict(int)
    for record in booked(run):
        fill = record.fill
        fee = fill_fee(
            FeeSchedule(),
            fill.price_ticks,
            fill.size_cc,
            is_maker=not fill.is_taker,
            is_bid=fill.side is Side.BID,
            carry_ud=carries[record.client_order_id],
        )
        carries[record.client_order_id] = fee.carry_ud
        fees[fill.ticker] += fee.fee_ud
        assert fill.fee_ud == fee.fee_ud
    printed = {ticker: market.fees for ticker, market in run.figures.markets.items() if market.fills}
    assert printed == {ticker: format_ud(fee) for ticker, fee in fees.items()}
    assert run.figures.fees == format_ud(sum(fees.values()))


def test_cash_is_the_start_and_every_flow(run: Run) -> None:
    cash_ud, nets = 0, defaultdict[str, int](int)
    for record in run.records():
        if record.kind == "CashSet":
            cash_ud += msgspec.msgpack.decode(record.body, type=CashSet).cash_ud
        elif record.kind == "Booked":
            after = msgspec.msgpack.decode(record.body, type=Booked)
            fill = after.fill
            cash_ud -= fill.side.sign * fill.price_ticks * fill.size_cc + fill.fee_ud
            nets[fill.ticker] += fill.side.sign * fill.size_cc
            assert (after.cash_ud, after.net_cc) == (cash_ud - held_back(nets), nets[fill.ticker])
        elif record.kind == "Settled":
            settled = msgspec.msgpack.decode(record.body, type=Settled)
            cash_ud += nets.pop(settled.ticker, 0) * settled.value_ticks
            assert settled.cash_ud == cash_ud - held_back(nets)
    assert run.figures.cash == format_ud(cash_ud - held_back(nets))
    assert cash_ud != CASH_UD


def held_back(nets: dict[str, int]) -> int:
    """A dollar stays with the venue for every contract sold and not bought back."""
    return sum(-net * TICKS_PER_DOLLAR for net in nets.values() if net < 0)
