"""What records: feeds with a tap, the markets they follow, answers by REST, rows, and a disk that keeps up.

Everything that came is added to the tape in order of receipt and written by a thread twice a second. Books are kept
for the rows and to ask for a lost one anew; nothing here decides, and nothing that could send an order exists.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from fairstrike.app import build, config, disk
from fairstrike.app.clock import SystemClock
from fairstrike.app.following import Params as FollowingParams
from fairstrike.app.following import followed
from fairstrike.app.places import Place
from fairstrike.app.sampled_rows import Rows
from fairstrike.core.contract import Contract
from fairstrike.core.effects import Ask, Resubscribe, Unwatch, Watch
from fairstrike.core.errors import DiskError, Unreachable
from fairstrike.core.events import (
    AskFailed,
    BookDelta,
    BookLost,
    BookSnapshot,
    ContractListed,
    Event,
    FrameRefused,
    IndexPrinted,
    OffsetStepped,
    StreamChanged,
    TickerSeen,
)
from fairstrike.core.timing import HOUR_NS, MINUTE_NS, SECOND_NS
from fairstrike.market.books import EXPECTED_LOSSES, Books
from fairstrike.market.index import Index
from fairstrike.store.raw import SPOT, Line, Note, Received, Writer, answer_of
from fairstrike.venue.kalshi.asking import ask
from fairstrike.venue.kalshi.rest import converse
from fairstrike.venue.kalshi.session import SOURCE, Session, SessionParams
from fairstrike.venue.kalshi.signing import Signer
from fairstrike.venue.kalshi.wire.transport import Request, Response, Unanswered
from fairstrike.venue.port import Feed

SYNC_SECONDS = 0.5
_DISK_SECONDS, _LOOK_SECONDS, _STOP_SECONDS = 10.0, 0.25, 5.0
_LIST_EVERY_NS, _WINDOWS_EVERY_NS = MINUTE_NS, 15 * SECOND_NS
_AGAIN_NS, _FORGET_NS = 5 * SECOND_NS, HOUR_NS


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to record, where, how often rows are sampled (seconds) and the least free disk space (bytes).

    `settings` are a trader's as they apply under the place's clock: which spot venues are recorded beside the exchange,
    and what books and index of the rows are held to.
    """

    series: tuple[str, ...]
    folder: Path
    interval_seconds: float
    disk_min: int
    settings: config.Settings = config.Settings(spot=config.Spot(is_on=False))
    following: FollowingParams


class Tallies(msgspec.Struct, kw_only=True):
    """What was counted on the way."""

    connections: int = 0
    gaps: int = 0
    unreadable: int = 0
    asked_again: int = 0
    deltas: int = 0
    spot_frames: int = 0
    markets: set[str] = msgspec.field(default_factory=set)


class Recorder:
    """One recording under way. `tallies` tell what came."""

    def __init__(self, plan: Plan, place: Place, signer: Signer, tape: Writer, rows: Rows) -> None:
        """Join the parts; nothing is sent yet."""
        self.tallies = Tallies()
        self._plan, self._tape, self._rows = plan, tape, rows
        self._clock = clock = SystemClock(place.clock)
        bound = place.clock.bound_ns
        self._session = Session(
            SessionParams(reads_account=False, offset_step_ns=bound(SessionParams().offset_step_ns))
        )
        self._books = Books(plan.settings.rooms.books)
        self._indices: dict[str, Index] = {}
        self._offsets: dict[str, int] = {}
        self._contracts: dict[str, Contract] = {}
        self._followed: tuple[str, ...] = ()
        self._connections: Counter[str] = Counter()
        self._lost: dict[str, int] = {}
        self._asks = 0
        self._failed: str | None = None
        self._writing: asyncio.Future[None] | None = None
        hearing = build.Hearing(inbox=self._take, tap=partial(self._frame, SOURCE))
        self._look = build.lookout(place, clock, self._session, signer, hearing, is_awaited=False)
        spot = build.spot_feed(plan.settings, clock, self._take, self._spot_frame, self._spot_asked)
        self._feeds: list[Feed] = [self._look.stream] if spot is None else [self._look.stream, spot]

    async def run(self, asked: "asyncio.Future[str]", on_second: Callable[[int], None]) -> str:
        """Record until `asked` has a result, and give it.

        Raises `VenueError` when the venue cannot be reached at first, `DiskError` when the disk takes no more.
        """
        working: list[asyncio.Future[None]] = []
        feeding: list[asyncio.Future[None]] = []
        try:
            self._check_room()
            await asyncio.gather(*map(self._list_markets, self._plan.series))
            if not self._contracts and self._failed is not None:
                raise Unreachable(f"no market could be read: {self._failed}; `fairstrike doctor` looks further")
            self._follow()
            windows = tuple(series for series in self._plan.series if series.endswith("15M"))
            others = tuple(series for series in self._plan.series if series not in windows)
            listing = (self._keep_listing(windows, _WINDOWS_EVERY_NS), self._keep_listing(others, _LIST_EVERY_NS))
            parts = (*listing, self._keep_syncing(), self._keep_looking(), self._keep_sampling(), _count(on_second))
            working += [asyncio.ensure_future(part) for part in parts]
            feeding += [asyncio.ensure_future(feed.run()) for feed in self._feeds]
            waiting: list[asyncio.Future[str] | asyncio.Future[None]] = [asked, *working, *feeding]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for work in (*working, *feeding):
                if work.done():
                    work.result()
                    raise AssertionError("a part of the recorder returned before its end")
        finally:
            await self._end(working, feeding)
        self._note(Note(kind="ended", reason=asked.result()))
        return asked.result()

    async def _end(self, working: Sequence["asyncio.Future[None]"], feeding: Sequence["asyncio.Future[None]"]) -> None:
        for feed in self._feeds:
            feed.stop()
        if feeding:
            await asyncio.wait(feeding, timeout=_STOP_SECONDS)
        for work in (*working, *feeding):
            work.cancel()
        await asyncio.gather(*working, *feeding, return_exceptions=True)
        await self._look.rest.close()
        if self._writing is not None:
            await asyncio.wait([self._writing], timeout=_DISK_SECONDS)

    # What comes in

    def _frame(self, source: str, data: bytes, recv_ns: int) -> None:
        self._tape.frame(recv_ns, source, self._connections[source], data)

    def _spot_frame(self, line: str, data: bytes, recv_ns: int) -> None:
        self.tallies.spot_frames += 1
        self._frame(line, data, recv_ns)

    def _spot_asked(self, now_ns: int) -> None:
        self._tape.line(Line(recv_ns=now_ns, source=SPOT, note=Note(kind="print")))

    def _take(self, events: Sequence[Event]) -> bool:
        if any(isinstance(event, BookLost) and event.reason == "silent" for event in events):
            self._note(Note(kind="silent"))
        for event in events:
            match event:
                case BookDelta(ticker=ticker):
                    self.tallies.deltas += 1
                    if not self._books.delta(event):
                        self._lost.setdefault(ticker, 0)
                case BookSnapshot():
                    self._books.snapshot(event)
                    self._lost.pop(event.ticker, None)
                case TickerSeen(ticker=ticker):
                    if not self._books.ticker(event):
                        self._lost.setdefault(ticker, 0)
                case BookLost(ticker=ticker, reason=reason):
                    self._books.lost(event)
                    self.tallies.gaps += reason == "gap"
                    if reason not in EXPECTED_LOSSES:
                        self._lost.setdefault(ticker, 0)
                case _:
                    self._take_rare(event)
        return True

    def _take_rare(self, event: Event) -> None:
        match event:
            case IndexPrinted(asset=asset):
                index = self._indices.setdefault(asset, Index(self._plan.settings.rooms.index))
                index.fold(event, self._offsets.get(event.source, self._offsets.get(SOURCE, 0)))
            case OffsetStepped(source=source, offset_ns=offset_ns):
                self._offsets[source] = offset_ns
            case ContractListed(contract=contract):
                self._contracts[contract.ticker] = contract
            case StreamChanged(source=source, is_up=True):
                self.tallies.connections += source == SOURCE
                self._connections[source] += 1
                self._note(Note(kind="connected"), source)
            case StreamChanged(source=source, is_up=False, reason=reason):
                self._note(Note(kind="disconnected", reason=reason), source)
            case FrameRefused():
                self.tallies.unreadable += 1
            case AskFailed(reason=reason):
                self._failed = reason
            case _:
                pass

    def _note(self, note: Note, source: str = SOURCE) -> None:
        now_ns, connection = self._clock.now_ns(), self._connections[source]
        self._tape.line(Line(recv_ns=now_ns, source=source, connection=connection, note=note))

    # What is asked for

    async def _keep_listing(self, names: Sequence[str], every_ns: int) -> None:
        while True:
            await self._clock.sleep_until(self._clock.now_ns() + every_ns)
            for series in names:
                await self._list_markets(series)
            now_ns = self._clock.now_ns()
            self._contracts = {t: c for t, c in self._contracts.items() if c.close_ns + _FORGET_NS > now_ns}

    async def _list_markets(self, series: str) -> None:
        """Read a series' terms and markets, every answer onto the tape."""
        self._asks += 1
        number = self._asks
        effect = Ask(what="markets", key=series)

        async def exchange(request: Request) -> Response:
            try:
                response = await self._look.reads.exchange(request)
            except Unanswered:
                self._answered(number, effect, 0, b"")
                raise
            self._answered(number, effect, response.status, response.body)
            return response

        self._take(await converse(ask(effect, self._clock.now_ns()), exchange))

    def _answered(self, number: int, effect: Ask, status: int, body: bytes) -> None:
        answer = answer_of(number, effect.what, effect.key, status, body)
        self._tape.line(Line(recv_ns=self._clock.now_ns(), source=SOURCE, answer=answer))

    async def _keep_looking(self) -> None:
        """Follow the markets whose turn it is, and ask for lost books until they are there."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            self._follow()
            now_ns = self._clock.now_ns()
            due = tuple(ticker for ticker, asked_ns in self._lost.items() if now_ns - asked_ns >= _AGAIN_NS)
            if due:
                self._ask_again(due, "lost")

    def _ask_again(self, tickers: tuple[str, ...], reason: str) -> None:
        self.tallies.asked_again += len(tickers)
        self._lost |= dict.fromkeys(tickers, self._clock.now_ns())
        self._look.stream.submit(Resubscribe(tickers=tickers, reason=reason))

    def _follow(self) -> None:
        wanted = followed(self._contracts.values(), self._clock.now_ns(), self._plan.following)
        gone = tuple(ticker for ticker in self._followed if ticker not in wanted)
        new = tuple(ticker for ticker in wanted if ticker not in self._followed)
        if gone:
            self._note(Note(kind="unwatch", markets=gone))
            self._look.stream.submit(Unwatch(tickers=gone))
            for ticker in gone:
                self._books.shelves.pop(ticker, None)
                self._lost.pop(ticker, None)
        if new:
            self._note(Note(kind="watch", markets=new))
            self._look.stream.submit(Watch(tickers=new))
        self._followed = wanted
        self.tallies.markets.update(new)

    # What is kept

    async def _keep_sampling(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + self._plan.interval_seconds, loop.time())
            await asyncio.sleep(due - loop.time())
            now_ns = self._clock.now_ns()
            for ticker in self._followed:
                index = self._indices.get(self._contracts[ticker].asset) if ticker in self._contracts else None
                self._rows.add(
                    now_ns, ticker, self._books.served(ticker), None if index is None else index.fresh(now_ns)
                )

    async def _keep_syncing(self) -> None:
        while True:
            await asyncio.sleep(SYNC_SECONDS)
            segments = self._tape.segments
            self._writing = asyncio.get_running_loop().run_in_executor(
                None, self._write, self._tape.take(), self._rows.take()
            )
            done, _ = await asyncio.wait([self._writing], timeout=_DISK_SECONDS)
            if not done:
                raise DiskError(f"the disk of {self._plan.folder} took no data for {_DISK_SECONDS:g} s; look after it")
            self._writing.result()
            if self._tape.segments != segments and self._followed:
                # So that a segment can be read without those before it.
                self._ask_again(self._followed, "a new segment")

    def _write(self, lines: Sequence[Received | Line], rows: list[str]) -> None:
        self._tape.write(lines)
        self._rows.write(rows)
        self._check_room()

    def _check_room(self) -> None:
        folder, least = self._plan.folder, self._plan.disk_min
        free = disk.free_bytes(folder)
        if free < least:
            raise DiskError(
                f"recording ended: {disk.told(folder, free, least)}; make room, or give a smaller --disk-min"
            )


async def _count(on_second: Callable[[int], None]) -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for second in range(1, 1 << 40):
        await asyncio.sleep(begun + second - loop.time())
        on_second(second)
