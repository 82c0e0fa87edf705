"""The trader's stream, books and ledger while the exchange fails on request: one loop, real sockets, real bytes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from fairstrike.app import config, runfile
from fairstrike.app.clock import SystemClock
from fairstrike.app.run import EXIT_CLEAN, Trader
from fairstrike.core.chance import Dice
from fairstrike.core.events import BookLost, Event, StreamChanged
from fairstrike.core.order import Side
from fairstrike.core.timing import SECOND_NS, VenueClock
from fairstrike.engine import Engine
from fairstrike.exchange import faults as of
from fairstrike.exchange.box import Box
from fairstrike.store.following import read
from fairstrike.store.segments import INPUTS
from fairstrike.venue.kalshi.credentials import load_key
from fairstrike.venue.kalshi.session import Session
from fairstrike.venue.kalshi.signing import Allowed, Signer
from fairstrike.venue.kalshi.stream import Stream, StreamParams, StreamParts
from fairstrike.venue.kalshi.wire.commands import GET_SNAPSHOT, UpdateSubscription, decode_command
from tests.sockets.boxes import PATIENCE_S, Operated, operated, until

ACCOUNT = "client"
FACTOR = 20
HANDSHAKE = "/trade-api/ws/v2"


class Run:
    """A trader that runs beside its exchange."""

    def __init__(self, box: Operated, trader: Trader, folder: Path) -> None:
        self.box = box
        self.trader = trader
        self.folder = folder

    @property
    def engine(self) -> Engine:
        return self.trader._engine

    def losses(self, reason: str | None = None) -> int:
        """How often books were lost, for a reason or any."""
        shelves = self.engine.books.shelves.values()
        return sum(count for shelf in shelves for why, count in shelf.losses.items() if reason in (None, why))

    async def until_lost(self, reason: str) -> None:
        before = self.losses(reason)
        await until(f"a book is lost: {reason}", lambda: self.losses(reason) > before)

    def are_books_true(self) -> bool:
        """Whether every watched book is there, and is the exchange's to the contract."""
        books, floor = self.engine.books, self.box.floor
        shown = {ticker: books.served(ticker) for ticker in books.shelves}
        return bool(shown) and all(
            book is not None and book.levels() == (floor.levels(ticker, Side.BID), floor.levels(ticker, Side.ASK))
            for ticker, book in shown.items()
        )

    async def until_orders_beyond(self, count: int) -> None:
        await until("orders are placed again", lambda: len(self.box.floor.orders(ACCOUNT)) > count)

    def open_markets(self) -> list[str]:
        return [ticker for ticker, listing in self.engine.catalog.listings.items() if listing.status == "active"]

    def is_without_books(self) -> bool:
        return not any(self.engine.books.served(ticker) for ticker in self.engine.books.shelves)

    def are_fills_booked(self) -> bool:
        """Whether each fill that the exchange knows is booked, and booked once."""
        booked = sum(result.fills for result in self.engine.clerk.ledger.results.values())
        return booked == len(self.box.floor.fills(ACCOUNT))

    def is_cash_equal(self) -> bool:
        view = self.box.floor.account(ACCOUNT)
        return view is not None and view.balance_ud == self.engine.clerk.ledger.cash_ud


@asynccontextmanager
async def trading(folder: Path, factor: int) -> AsyncIterator[Run]:
    """A trader that has begun, and ends cleanly when the block does."""
    async with operated(folder, factor) as box:
        account = box.line.accounts[0]
        file = runfile.RunFile(
            settings=config.box_profile(),
            origin=box.line.rest.removesuffix("/trade-api/v2"),
            ws=box.line.ws,
            clock=box.line.clock,
            key_id=account.key_id,
            key_path=account.private_key,
        )
        (folder / "run").mkdir()
        trader = Trader(file, folder / "run")
        asked: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        running = asyncio.create_task(trader.run(asked))
        run = Run(box, trader, folder / "run")
        try:
            await until("the trader has every book", run.are_books_true)
            yield run
            await box.calm()
        finally:
            asked.set_result("the test is over")
            code = await asyncio.wait_for(running, PATIENCE_S)
        assert code == EXIT_CLEAN
        await until("the cash is the exchange's", run.is_cash_equal)


def play(folder: Path, act: Callable[[Run], Awaitable[None]], *, factor: int = FACTOR) -> None:
    async def body() -> None:
        async with trading(folder, factor) as run:
            await act(run)

    asyncio.run(asyncio.wait_for(body(), 3 * PATIENCE_S))


def inputs(folder: Path, kind: type[msgspec.Struct]) -> list[Event]:
    """The run's events of one kind, in order."""
    decoder = msgspec.msgpack.Decoder(Event)
    return [decoder.decode(record.body) for record in read(folder / "journal", INPUTS) if record.kind == kind.__name__]


LOSING: dict[str, tuple[of.Fault, str]] = {
    "dropped": (of.DropFrame(channel="orderbook_delta", probability=0.2), "gap"),
    "dropped with its snapshots": (of.DropFrame(channel="orderbook_delta", probability=0.7), "gap"),
    "overtaken": (of.ReorderFrame(channel="orderbook_delta", probability=0.2), "gap"),
    "misnumbered": (of.SequenceGap(channel="orderbook_delta", size=3, count=1), "gap"),
    "cut in half": (of.MalformedFrame(channel="orderbook_delta", probability=0.2), "gap"),
    "silent": (of.SilentStream(), "silent"),
}
HARMLESS: dict[str, of.Fault] = {
    "doubled": of.DuplicateFrame(probability=0.5),
    "late": of.StreamLatency(law="exponential", ms=50, spread_ms=300),
}


def test_after_a_gap_one_command_asks_for_every_book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []
    command = Box.command

    def hear(box: Box, connection: int, data: bytes, now_ns: int) -> None:
        said = decode_command(data)
        if isinstance(said, UpdateSubscription) and said.params.action == GET_SNAPSHOT:
            asked.append(said.params.market_tickers or ())
        command(box, connection, data, now_ns)

    async def act(run: Run) -> None:
        await until("cash was read", run.is_cash_equal)
        monkeypatch.setattr(Box, "command", hear)
        await run.box.cause(of.SequenceGap(channel="orderbook_delta", size=3, count=1))
        await run.until_lost("gap")
        await until("every book is true again", run.are_books_true)

    play(tmp_path, act)
    losses = (event for event in inputs(tmp_path / "run", BookLost) if isinstance(event, BookLost))
    lost = tuple(event.ticker for event in losses if event.reason == "gap")
    assert len(lost) > 5
    assert asked[0] == lost


def test_books_that_cannot_be_vouched_for_are_absent_and_come_back_true(tmp_path: Path) -> None:
    async def act(run: Run) -> None:
        for name, (fault, reason) in LOSING.items():
            await run.box.cause(fault)
            await run.until_lost(reason)
            if reason == "silent":
                await until("no book is served in a silence", run.is_without_books)
            await run.box.calm()
            await until(f"books are true after frames were {name}", run.are_books_true)
        for name, fault in HARMLESS.items():
            before = run.losses()
            number = await run.box.cause(fault)
            while await run.box.struck(number) < 200:
                await asyncio.sleep(0.02)
            await run.box.calm()
            await until(f"books are true after frames were {name}", run.are_books_true)
            assert run.losses() == before, name

    play(tmp_path, act)


def test_a_silence_that_lasts_ends_the_connection(tmp_path: Path) -> None:
    async def act(run: Run) -> None:
        await run.box.cause(of.SilentStream(duration_s=60))
        await until("the books are lost", run.is_without_books)
        await until("books are true after a long silence", run.are_books_true)
        changes = [event for event in inputs(run.folder, StreamChanged) if isinstance(event, StreamChanged)]
        assert "the stream was silent or late" in [event.reason for event in changes if not event.is_up]

    play(tmp_path, act)


def test_a_storm_is_weathered(tmp_path: Path) -> None:
    async def act(run: Run) -> None:
        number = await run.box.cause(of.Disconnect(count=6, every_s=4))
        while await run.box.struck(number) < 6:
            await asyncio.sleep(0.02)
        await until("books are true after a storm", run.are_books_true)
        changes = [event for event in inputs(run.folder, StreamChanged) if isinstance(event, StreamChanged)]
        ups = [event.is_up for event in changes]
        assert ups == [True, *[False, True] * (len(ups) // 2)]
        assert len(ups) >= 9
        for down, up in pairwise(changes):
            if up.is_up:
                assert up.recv_ns - down.recv_ns >= SECOND_NS

    play(tmp_path, act)


def test_fills_are_booked_once_whatever_their_way(tmp_path: Path) -> None:
    async def act(run: Run) -> None:
        faults = (
            of.LateFill(ms=3_000, probability=0.3),
            of.DuplicateFill(probability=0.5),
            of.DropFrame(channel="fill", probability=0.2),
            of.DropFrame(channel="user_orders", probability=0.2),
            of.DuplicateFrame(channel="user_orders", probability=0.2),
        )
        numbers = [await run.box.cause(fault) for fault in faults]
        async with asyncio.timeout(PATIENCE_S):
            while min([await run.box.struck(number) for number in numbers]) < 3:
                await asyncio.sleep(0.05)
        await run.box.calm()
        run.trader.command("pause", "")
        await until("every fill is booked", run.are_fills_booked)
        await until("the cash is the exchange's", run.is_cash_equal)

    play(tmp_path, act)


def test_orders_in_doubt_are_found_by_their_own_ids(tmp_path: Path) -> None:
    async def act(run: Run) -> None:
        faults = (
            of.Timeout(method="POST", path="/portfolio/events/orders", probability=0.3, count=4),
            of.ServerError(method="POST", path="/portfolio/events/orders", probability=0.3, count=4, is_done=True),
            of.CutAnswer(method="DELETE", probability=0.2, count=4),
        )
        numbers = [await run.box.cause(fault) for fault in faults]
        async with asyncio.timeout(PATIENCE_S):
            while min([await run.box.struck(number) for number in numbers]) < 2:
                await asyncio.sleep(0.05)
        await run.box.calm()
        run.trader.command("pause", "")
        orders = run.engine.clerk.orders
        await until("no order is in doubt", lambda: not orders.has_unknown())
        theirs = [order.client_order_id for order in run.box.floor.orders(ACCOUNT)]
        assert len(set(theirs)) == len(theirs)
        assert set(theirs) <= set(orders.by_id)

    play(tmp_path, act)


def test_pauses_and_maintenance_are_known_and_outlived(tmp_path: Path) -> None:
    async def act(run: Run) -> None:
        catalog = run.engine.catalog
        for fault in (
            of.ExchangePause(),
            of.ExchangePause(is_trading_only=True),
            of.Maintenance(),
        ):
            await run.box.cause(fault)
            await until("the pause is known", lambda: 2 in catalog.shut_shards)
            sent = len(run.box.floor.orders(ACCOUNT))
            await run.box.calm()
            await until("the pause is over", lambda: not catalog.shut_shards)
            await until("books are true after a pause", run.are_books_true)
            await run.until_orders_beyond(sent)
        await run.box.cause(of.MarketPause(market="KXBTC*"))
        await until("every market is known to be shut", lambda: not run.open_markets())
        await run.box.calm()
        await until("every market is known to be open", lambda: bool(run.open_markets()))

    play(tmp_path, act)


def test_a_corrected_settlement_is_booked(tmp_path: Path) -> None:
    async def act(run: Run) -> None:
        ledger = run.engine.clerk.ledger
        await until("markets settle while something is held", lambda: any(map(ledger.paid_cc, ledger.settled)))
        ticker = next(ticker for ticker in ledger.settled if ledger.paid_cc(ticker))
        value_ticks = 10_000 - ledger.settled[ticker]
        await run.box.cause(of.SettlementCorrection(market=ticker, value_ticks=value_ticks, after_s=0))
        await until("the correction is booked", lambda: ledger.settled[ticker] == value_ticks)
        await until("the cash is the exchange's", run.is_cash_equal)

    play(tmp_path, act, factor=60)


class Pausing(SystemClock):
    """Notes how long each pause is meant to be: how long it is lived is also the machine's affair."""

    def __init__(self, venue: VenueClock) -> None:
        super().__init__(venue)
        self.pauses_s: list[float] = []

    async def sleep_until(self, due_ns: int) -> None:
        self.pauses_s.append((due_ns - self.now_ns()) / SECOND_NS)
        await super().sleep_until(due_ns)


class Signatures(Signer):
    """Notes when each handshake is signed, and its headers."""

    def __init__(self, signer: Signer, clock: SystemClock) -> None:
        self.signer = signer
        self.clock = clock
        self.made: list[tuple[int, dict[str, str]]] = []

    def sign_stream(self, at_ms: int) -> dict[str, str]:
        headers = self.signer.sign_stream(at_ms)
        self.made.append((self.clock.now_ns(), headers))
        return headers


def test_refused_handshakes_back_off_and_are_signed_anew(tmp_path: Path) -> None:
    async def body() -> None:
        async with operated(tmp_path, FACTOR) as box:
            account, clock = box.line.accounts[0], Pausing(box.line.clock)
            signatures = Signatures(Signer(account.key_id, load_key(account.private_key), Allowed.READS), clock)
            events: list[Event] = []

            def inbox(more: object) -> bool:
                events.extend(more)  # type: ignore[arg-type]
                return True

            parts = StreamParts(
                session=Session(),
                signer=signatures,
                inbox=inbox,
                clock=clock,
                wall_ms=clock.wall_ms,
                dice=Dice(1, 1),
            )
            await box.cause(of.SignatureRefused(path=HANDSHAKE, count=7))
            stream = Stream(StreamParams(url=box.line.ws), parts)
            running = asyncio.create_task(stream.run())
            await until("the handshake is taken", lambda: any(getattr(event, "is_up", False) for event in events))
            stream.stop()
            await running
            spans_s = [(after - before) / SECOND_NS for (before, _), (after, _) in pairwise(signatures.made)]
            for pause_s, span_s, full_s in zip(clock.pauses_s[:7], spans_s, (1, 2, 4, 8, 16, 30, 30), strict=True):
                assert pause_s <= full_s
                assert max(1, 0.75 * full_s) <= span_s
            stamps = [headers["KALSHI-ACCESS-TIMESTAMP"] for _, headers in signatures.made]
            assert len(set(stamps)) == len(stamps)

    asyncio.run(asyncio.wait_for(body(), 3 * PATIENCE_S))
