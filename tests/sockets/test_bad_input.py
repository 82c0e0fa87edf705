"""Bad input while it runs: a real trader against a real exchange, over sockets.

One exchange and one session of the trader serve the whole module: the session meets frames that cannot be read and
a second trader, ends cleanly, and leaves the run folder whose copies are then damaged.
"""

import asyncio
import json
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import msgspec
import pytest

from fairstrike.app import build, runfile
from fairstrike.app.clock import SystemClock
from fairstrike.app.trading import Wanted, prepare
from fairstrike.core.effects import Ask, SendOrder, Watch
from fairstrike.core.events import AskFailed, Event, FrameRefused, OrderRejected
from fairstrike.core.order import Side, TimeInForce
from fairstrike.exchange.announcement import Announcement
from fairstrike.store.following import read
from fairstrike.store.segments import DECISIONS, INPUTS
from fairstrike.venue.kalshi.credentials import load_key
from fairstrike.venue.kalshi.rest import Rest, RestParams
from fairstrike.venue.kalshi.signing import Allowed, Signer
from fairstrike.venue.kalshi.wire.portfolio import OrdersPage
from fairstrike.venue.kalshi.wire.transport import Request
from tests.commands import PROGRAM, Said, fairstrike, run, trade

PATIENCE_S = 120.0
UNREADABLE = (
    b"not json at all",
    b"\xff\xfe\x00",
    b"{}",
    b"[" * 2_000,
    b'{"type":"orderbook_delta","sid":1,"msg":{}}',
    b'{"type":"fill","sid":3,"msg":{"trade_id":"x","market_ticker":"KXBTCD-X","count_fp":"many"}}',
)

FAILING = """
import sys
from fairstrike.app import run
from fairstrike.venue.kalshi.writes import Writes
from fairstrike.{module} import {kind}
submit, inner, sent = Writes.submit, {kind}.{method}, []
def count(self, effect):
    sent.append(effect)
    submit(self, effect)
def fail(self, *arguments):
    if len(sent) > 8:
        raise RuntimeError("a fault of ours")
    return inner(self, *arguments)
Writes.submit, {kind}.{method} = count, fail
sys.exit(run.main())
"""

FAULTS = {
    "strategy": {"module": "strategy.market_maker", "kind": "MarketMaker", "method": "consider"},
    "timer": {"module": "app.run", "kind": "Trader", "method": "_fire"},
    "listener": {"module": "venue.kalshi.stream", "kind": "_Listener", "method": "heard"},
}


class Running:
    """A process of ours, its output in a file beside it; ended when the block ends."""

    def __init__(self, folder: Path, name: str, *command: object) -> None:
        self.log = folder / f"{name}.log"
        self._file = self.log.open("wb")
        self.process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=self._file,
            stderr=subprocess.STDOUT,
        )

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE_S)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self._file.close()

    def __enter__(self) -> "Running":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    @property
    def said(self) -> str:
        return self.log.read_text("utf-8", "replace")


def until(what: str, is_so: Callable[[], bool]) -> None:
    """Wait for a question to be answered yes."""
    end_s = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end_s, what
        time.sleep(0.05)


@contextmanager
def exchange(folder: Path, *more: str) -> Iterator[Announcement]:
    """An exchange in a box; its line is in `exchange.log`."""
    with Running(folder, "exchange", *PROGRAM, "exchange", "--json", "--speed", "20", "--folder", "keys", *more) as box:
        until("the exchange announces itself", lambda: "\n" in box.said)
        yield runfile.read_box_line(box.log)
        assert box.end() == 0


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("box")


@pytest.fixture(scope="module")
def line(place: Path) -> Iterator[Announcement]:
    with exchange(place) as announced:
        yield announced


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """What one run of the trader said, how it ended, and what two that came too late were told."""

    folder: Path
    code: int
    said: str
    same_folder: Said
    same_account: Said
    run_file: bytes


@pytest.fixture(scope="module")
def session(place: Path, line: Announcement) -> Session:
    with trading(place, "run") as trader:
        return met(place, line, trader)


def met(place: Path, line: Announcement, trader: Running) -> Session:
    """Let a running trader meet what it must survive, and end it."""
    folder = place / "run"
    written = (folder / runfile.NAME).read_bytes()
    late = trade(place, Path("exchange.log")), trade(place, Path("exchange.log"), "--folder", "other")
    for frame in UNREADABLE * 2:
        administer(line, "inject", frame)
    before = decisions(folder)
    until("decisions go on behind the frames", lambda: decisions(folder) > before + 20)
    code = trader.end()
    return Session(
        folder=folder, code=code, said=trader.said, same_folder=late[0], same_account=late[1], run_file=written
    )


@contextmanager
def trading(place: Path, folder: str) -> Iterator[Running]:
    """A trader that has begun to decide."""
    where = ("--env", "box", "--box", "exchange.log", "--folder", folder)
    with Running(place, f"{folder}-trader", *PROGRAM, "trade", "--mode", "live", *where) as trader:
        until("the trader decides", lambda: trader.process.poll() is not None or decisions(place / folder) > 20)
        assert trader.process.poll() is None, trader.said
        yield trader


def decisions(folder: Path) -> int:
    return sum(record.kind == "Decided" for record in read(folder / "journal", DECISIONS))


def administer(line: Announcement, what: str, body: bytes) -> None:
    authority = {"Authorization": f"Bearer {line.admin.token}"}
    request = urllib.request.Request(f"{line.admin.url}/{what}", data=body, headers=authority, method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 204


def resting(line: Announcement) -> int:
    """How many orders of the account rest, asked over signed REST."""

    async def ask() -> int:
        account = line.accounts[0]
        signer = Signer(account.key_id, load_key(account.private_key), Allowed.READS)
        clock = SystemClock(line.clock)
        rest = Rest(RestParams(origin=line.rest.removesuffix("/trade-api/v2")), signer, clock, clock.wall_ms)
        query = (("status", "resting"),)
        answer = await rest.attempt(Request(method="GET", path="/portfolio/orders", query=query))
        await rest.close()
        return len(msgspec.json.decode(answer.body, type=OrdersPage).orders)

    return asyncio.run(ask())


def test_unreadable_frames_are_told_once_and_survived(session: Session) -> None:
    assert session.code == 0, session.said
    assert session.said.count("a frame was refused") == len(UNREADABLE)
    assert "Traceback" not in session.said
    assert re.search(r"stopped \(SIGTERM\): .* 0 orders resting, proved by two empty lists", session.said)


def test_nothing_is_lost_by_unreadable_frames(session: Session, place: Path) -> None:
    kinds = [record.kind for record in read(session.folder / "journal", INPUTS)]
    assert kinds.count("FrameRefused") == len(UNREADABLE * 2)
    assert "BookLost" not in kinds
    said = fairstrike("verify", session.folder, folder=place)
    assert (said.code, said.err) == (0, "")


def test_second_trader_in_the_folder(session: Session) -> None:
    assert session.same_folder.code == 6
    assert re.fullmatch(r"another trader \(pid \d+\) already runs .*; stop it first", session.same_folder.sentence)
    assert (session.folder / runfile.NAME).read_bytes() == session.run_file


def test_second_trader_on_the_account(session: Session, place: Path) -> None:
    assert session.same_account.code == 6
    expected = r"another trader \(pid \d+\) already runs on this account; stop it first"
    assert re.fullmatch(expected, session.same_account.sentence)
    assert not (place / "other").exists()


def test_a_replay_leaves_a_live_journal_alone(session: Session, place: Path) -> None:
    before = {path: path.stat().st_size for path in session.folder.rglob("*")}
    (place / "a.jsonl").write_text('{"recv_ns":1,"type":"ws_connected","msg":{}}\n')
    said = fairstrike("replay", "a.jsonl", "--folder", session.folder, folder=place)
    assert said.code == 2
    assert said.sentence == f"{session.folder} holds a live run's journal; name another folder with --folder"
    assert before == {path: path.stat().st_size for path in session.folder.rglob("*")}


@pytest.fixture
def copy(session: Session, tmp_path: Path) -> Path:
    target = tmp_path / "copy"
    shutil.copytree(session.folder, target)
    return target


def damaged(folder: Path, chain: str, *, cut: bool) -> Path:
    """Cut a chain's first segment in the middle, or turn one bit of it."""
    path = folder / "journal" / f"{chain}-000001.fsj"
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    if cut:
        del data[middle:]
    else:
        data[middle] ^= 4
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("chain", [INPUTS, DECISIONS])
def test_journal_with_a_turned_bit(copy: Path, place: Path, chain: str) -> None:
    path = damaged(copy, chain, cut=False)
    expected = rf"{path.name} is damaged after record n = \d+; what stands before it can be trusted: keep a copy of .*"
    data = path.read_bytes()
    verified, traded = fairstrike("verify", copy, folder=place), trade(place, Path("exchange.log"), "--folder", copy)
    for said in (verified, traded):
        assert said.code == 5
        assert re.fullmatch(expected, said.sentence)
    assert path.read_bytes() == data


def test_desk_on_a_journal_with_a_turned_bit(copy: Path, place: Path) -> None:
    damaged(copy, DECISIONS, cut=False)
    said = fairstrike("desk", copy, folder=place)
    assert said.code == 5
    assert said.sentence.startswith("decisions-000001.fsj is damaged after record n = ")


def test_decisions_cut_in_the_middle_are_verified_to_the_cut(copy: Path, place: Path) -> None:
    whole = sum(1 for _ in read(copy / "journal", DECISIONS))
    damaged(copy, DECISIONS, cut=True)
    left = sum(1 for _ in read(copy / "journal", DECISIONS))
    said = fairstrike("verify", copy, "--json", folder=place)
    assert (said.code, said.err) == (0, "")
    assert 0 < json.loads(said.out)["records"] <= left < whole


def test_inputs_cut_in_the_middle(copy: Path, place: Path) -> None:
    damaged(copy, INPUTS, cut=True)
    said = fairstrike("verify", copy, folder=place)
    assert said.code == 5
    assert re.search(r"record n = \d+ \(\w+\) was not made again; the inputs before it are incomplete", said.sentence)


def test_orders_and_markets_that_the_venue_does_not_know(session: Session, line: Announcement) -> None:
    heard = asyncio.run(conversed(session, line))
    rejected = [event for event in heard if isinstance(event, OrderRejected)]
    assert [(event.client_order_id, event.code) for event in rejected] == [("unknown", "not_found")]
    failed = [event.reason for event in heard if isinstance(event, AskFailed)]
    assert len(failed) == 2
    assert all(reason.startswith("404 not_found") for reason in failed)
    assert [event for event in heard if isinstance(event, FrameRefused)]


async def conversed(session: Session, line: Announcement) -> list[Event]:
    """What the venue's parts tell of a series, a market and an order that do not exist, and of a watch."""
    heard: list[Event] = []

    def take(events: Sequence[Event]) -> bool:
        heard.extend(events)
        return True

    shells = build.shells(runfile.read(session.folder), SystemClock(line.clock), take)
    running = [asyncio.create_task(part.run()) for part in shells.runnable()]
    nowhere = "KXBTCD-26NOV2117-T1.99"
    order = SendOrder(
        client_order_id="unknown",
        ticker=nowhere,
        side=Side.BID,
        price_ticks=100,
        size_cc=100,
        tif=TimeInForce.GTC,
        post_only=True,
        reduce_only=False,
        exchange_index=2,
    )
    assert shells.writes is not None and shells.stream is not None  # noqa: PT018
    shells.writes.submit(order)
    for what, key in (("markets", "KXETHD"), ("market", nowhere)):
        shells.reads.submit(Ask(what=what, key=key))
    shells.stream.submit(Watch(tickers=(nowhere,)))
    for _ in range(1_200):
        kinds = Counter(type(event) for event in heard)
        if kinds[AskFailed] >= 2 and kinds[OrderRejected] and kinds[FrameRefused]:
            break
        await asyncio.sleep(0.05)
    for part in shells.runnable():
        part.stop()
    await asyncio.wait(running, timeout=5)
    await shells.rest.close()
    return heard


@pytest.mark.parametrize("where", FAULTS)
def test_a_failure_of_ours_cancels_everything(tmp_path: Path, where: str) -> None:
    # An exchange of its own: there is trading for less than a minute after one starts.
    with exchange(tmp_path) as line:
        prepare(Wanted(mode="live", environment="box", box=tmp_path / "exchange.log", folder=tmp_path / where))
        said = run(sys.executable, "-c", FAILING.format(**FAULTS[where]), where, folder=tmp_path)
        assert said.code == 8, said.err
        assert resting(line) == 0
    assert "Traceback" not in said.err + said.out
    assert "every order was cancelled; two lists of resting orders came back empty" in said.err
    found = re.search(r"a failure of the program itself \(RuntimeError\); please report its trace (\S+)", said.err)
    assert found is not None
    assert "RuntimeError: a fault of ours" in Path(found[1]).read_text()
    assert "SendOrder" in [record.kind for record in read(tmp_path / where / "journal", DECISIONS)]


@pytest.mark.parametrize(("skew_ms", "word"), [("1500", "behind"), ("-20000", "ahead of")])
def test_a_clock_that_is_off(tmp_path: Path, skew_ms: str, word: str) -> None:
    with exchange(tmp_path, "--clock-skew-ms", skew_ms):
        said = trade(tmp_path, Path("exchange.log"))
    assert said.code == 4
    assert re.fullmatch(
        rf"this machine's clock is at least \d+\.\d s {word} the venue's; synchronise .*", said.sentence
    )
