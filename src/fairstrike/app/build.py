"""The only place where parts are joined: settings in, a run ready to turn out."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

import fairstrike
from fairstrike.app import config, locks
from fairstrike.app.addresses import on_this_machine, origin_on_this_machine, spot_host, to_read_from
from fairstrike.app.clock import SystemClock
from fairstrike.app.computing import Computations
from fairstrike.app.places import Place
from fairstrike.app.runfile import RunFile
from fairstrike.core.chance import Dice
from fairstrike.core.errors import ConfigError, CredentialError
from fairstrike.core.ids import account_tag
from fairstrike.core.records import RunStarted, TapeFile
from fairstrike.core.timing import MILLISECOND_NS, VenueClock
from fairstrike.engine import Engine, Rooms
from fairstrike.exchange import replay
from fairstrike.execution.clerk import Clerk, Notes
from fairstrike.market.books import Books
from fairstrike.market.catalog import Catalog
from fairstrike.pricing.fair import Fairs
from fairstrike.risk.limits import Door
from fairstrike.strategy.base import Strategy
from fairstrike.strategy.market_maker import MarketMaker
from fairstrike.strategy.momentum_scalp import MomentumScalp
from fairstrike.strategy.onlooker import Onlooker
from fairstrike.strategy.taker import Taker
from fairstrike.venue.connection import Params as ConnectionParams
from fairstrike.venue.kalshi.budget import Budget, BudgetParams
from fairstrike.venue.kalshi.credentials import load_key
from fairstrike.venue.kalshi.reads import Reads
from fairstrike.venue.kalshi.rest import Rest, RestParams
from fairstrike.venue.kalshi.session import Session, SessionParams
from fairstrike.venue.kalshi.signing import Allowed, Signer
from fairstrike.venue.kalshi.stream import Speaker, Stream, StreamParams, StreamParts, Tap
from fairstrike.venue.kalshi.wire.markets import asset_of
from fairstrike.venue.kalshi.wire.transport import BASE_PATH, STREAM_PATH
from fairstrike.venue.port import Feed, Gateway, Inbox
from fairstrike.venue.private_file import read_private
from fairstrike.venue.spot import cfbenchmarks, roster
from fairstrike.venue.spot.feed import FeedParts, SpotFeed
from fairstrike.venue.spot.feed import Tap as SpotTap
from fairstrike.venue.spot.prices import Prices
from fairstrike.venue.spot.values import Venue

_STREAM_BACKOFF, _STREAM_RECONNECT, _SPOT_RECONNECT = 1, 2, 3
_FIRST_TRIES = 4


def strategies(chosen: config.Strategies) -> list[Strategy]:
    """Give the strategies that are on, in order of their codes."""
    found: list[Strategy] = []
    if chosen.taker is not None:
        found.append(Taker(chosen.taker))
    if chosen.momentum_scalp is not None:
        found.append(MomentumScalp(chosen.momentum_scalp))
    if chosen.market_maker is not None:
        found.append(MarketMaker(chosen.market_maker))
    return found


def engine(started: RunStarted, settings: config.Settings) -> Engine:
    """Give a fresh engine for a run. One that observes has no account, and a strategy that wishes nothing."""
    params, notes, catalog = settings.rooms, Notes(), Catalog()
    is_observing = started.execution == "observe"
    identity, duties = (started.account_tag, started.run_ns), (params.reconcile, params.stopping)
    rooms = Rooms(
        notes=notes,
        catalog=catalog,
        books=Books(params.books, holds_own=started.execution == "live"),
        fairs=Fairs(params.fair, params.index, params.volatility, params.implied, params.regimes),
        door=Door(params.limits),
        clerk=Clerk(catalog, notes, identity, duties, has_account=not is_observing),
    )
    return Engine(
        params.engine,
        rooms,
        [Onlooker(settings.strategies.onlooker)] if is_observing else strategies(settings.strategies),
    )


def run_started(
    settings: config.Settings, account: str, run_ns: int, tape: Sequence[TapeFile] = (), execution: str | None = None
) -> RunStarted:
    """Give the first record of a run of `account` beginning at `run_ns` (venue time)."""
    return RunStarted(
        program=fairstrike.__version__,
        execution=execution or settings.execution,
        environment=settings.environment,
        account_tag=account_tag(account),
        run_ns=run_ns,
        seed=settings.seed,
        settings=config.encode(settings),
        settings_digest=config.settings_digest(settings),
        tape=tuple(tape),
    )


def simulation(engine: Engine, settings: config.Settings, feed: Iterator[replay.Unit]) -> replay.Replay:
    """Give the recorded world with our orders in it, reading the books that `engine` folds."""

    def market(ticker: str) -> replay.Market | None:
        listing = engine.catalog.listings.get(ticker)
        if listing is None:
            return None
        shelf = engine.books.shelves.get(ticker)
        book = None if shelf is None else shelf.book
        return replay.Market(contract=listing.contract, schedule=listing.schedule, book=book)

    return replay.Replay(feed, market, settings.replay)


def under_clock(settings: config.Settings, clock: VenueClock) -> config.Settings:
    """Give settings as they apply under a clock: every bound on staleness, holding and asking widened once."""
    rooms, spot, bound = settings.rooms, settings.spot, clock.bound_ns
    replace = msgspec.structs.replace
    onlooker = settings.strategies.onlooker
    riskless_every_ns = bound(onlooker.riskless_every_ns)
    return replace(
        settings,
        rooms=replace(
            rooms,
            engine=replace(rooms.engine, audit_lag_ns=bound(rooms.engine.audit_lag_ns)),
            books=replace(
                rooms.books,
                frozen_after_ns=bound(rooms.books.frozen_after_ns),
                crossed_hold_ns=bound(rooms.books.crossed_hold_ns),
                polled_for_ns=bound(rooms.books.polled_for_ns),
            ),
            index=replace(
                rooms.index,
                stale_after_ns=bound(rooms.index.stale_after_ns),
                pair_stale_after_ns=bound(rooms.index.pair_stale_after_ns),
            ),
            reconcile=replace(
                rooms.reconcile,
                lag_ns=bound(rooms.reconcile.lag_ns),
                doubt_every_ns=bound(rooms.reconcile.doubt_every_ns),
            ),
            stopping=replace(
                rooms.stopping,
                every_ns=bound(rooms.stopping.every_ns),
                lag_ns=bound(rooms.stopping.lag_ns),
                give_up_ns=rooms.stopping.give_up_ns * clock.factor,
            ),
        ),
        strategies=replace(
            settings.strategies,
            onlooker=replace(
                onlooker,
                fit_every_ns=bound(onlooker.fit_every_ns),
                riskless_every_ns=riskless_every_ns,
                good_for_ns=max(onlooker.good_for_ns, 2 * riskless_every_ns),
            ),
        ),
        spot=replace(
            spot,
            prices=replace(spot.prices, silence_max_ns=bound(spot.prices.silence_max_ns)),
            feed=replace(
                spot.feed,
                backoff_first_ns=bound(spot.feed.backoff_first_ns),
                backoff_last_ns=bound(spot.feed.backoff_last_ns),
                silent_after_ns=bound(spot.feed.silent_after_ns),
            ),
        ),
    )


def session_params(settings: config.Settings, clock: VenueClock, *, reads_account: bool) -> SessionParams:
    """Give the bounds of a session as they apply under a clock.

    A trader begins with a clock held against the venue's, so what comes later than an index value may be is late.
    """
    plain = SessionParams(reads_account=reads_account)
    return msgspec.structs.replace(
        plain,
        offset_step_ns=clock.bound_ns(plain.offset_step_ns),
        silent_after_ns=clock.bound_ns(plain.silent_after_ns),
        overdue_after_ns=clock.bound_ns(plain.overdue_after_ns),
        late_max_ns=clock.bound_ns(settings.rooms.index.stale_after_ns),
    )


class Shells(msgspec.Struct, frozen=True, kw_only=True):
    """The parts outside the loop: the venue and the worker.

    `writes` is None where nothing may be sent, `stream` without a key.
    """

    rest: Rest
    budget: Budget
    reads: Reads
    stream: Stream | None
    spot: SpotFeed | None
    writes: Gateway | None
    computations: Computations

    def runnable(self) -> list[Feed | Gateway]:
        """Give the parts that run beside the loop."""
        parts: tuple[Feed | Gateway | None, ...] = (self.reads, self.stream, self.spot, self.computations, self.writes)
        return [part for part in parts if part is not None]


def shells(run: RunFile, clock: SystemClock, inbox: Inbox) -> Shells:
    """Give the venue's parts of a run. Only a live one gets a signer for writes and the module that sends them.

    Raises `ConfigError` for an environment or an address that this version sends nothing to, whoever wrote it down,
    and `CredentialError` when the key cannot be used.
    """
    origin, ws = _addresses(run)
    is_live = run.settings.execution == "live"
    signer = _signer(run, Allowed.EVERYTHING if is_live else Allowed.READS)
    budget = Budget(BudgetParams(), Dice(run.settings.seed, _STREAM_BACKOFF), clock.now_ns())
    rest = Rest(RestParams(origin=origin), signer, clock, clock.wall_ms)
    stream: Stream | None = None
    if signer is not None:
        parts = StreamParts(
            session=Session(session_params(run.settings, run.clock, reads_account=is_live)),
            signer=signer,
            inbox=inbox,
            clock=clock,
            wall_ms=clock.wall_ms,
            dice=Dice(run.settings.seed, _STREAM_RECONNECT),
        )
        # Who observes has the books by REST while there is no stream; who trades does not begin without one.
        connection = ConnectionParams(library=run.settings.websocket)
        first_tries = _FIRST_TRIES if is_live else None
        stream = Stream(StreamParams(url=ws, first_tries=first_tries, connection=connection), parts)
    writes: Gateway | None = None
    if is_live:
        from fairstrike.venue.kalshi.writes import Writes

        writes = Writes(rest, budget, inbox)
    return Shells(
        rest=rest,
        budget=budget,
        reads=Reads(rest, budget, inbox),
        stream=stream,
        spot=spot_feed(under_clock(run.settings, run.clock), clock, inbox),
        writes=writes,
        computations=Computations(inbox, clock),
    )


def spot_venues(settings: config.Settings) -> list[Venue]:
    """Give the spot venues that a run of these settings listens to, for the assets of its series.

    Hosts and licence are checked for the box too, which listens to none that is elsewhere.
    Raises `ConfigError` for a host that cannot be meant, `CredentialError` when the licence cannot be used.
    """
    spot, in_box = settings.spot, settings.environment == "box"
    if not spot.is_on:
        return []
    hosts = {name: spot_host(host, in_box=in_box) for name, host in msgspec.structs.asdict(spot.hosts).items()}
    licence = _licence(spot.licence_file) if spot.licence_file and spot.hosts.cfbenchmarks else None
    assets = sorted({asset for series in settings.rooms.engine.series if (asset := asset_of(series)) is not None})
    return roster.venues(roster.Params(**hosts), assets, licence) if assets else []


def _licence(path: str) -> tuple[str, str]:
    data = read_private(path, "licence file", "CF Benchmarks gives user and key; write them there as USER:KEY")
    try:
        return cfbenchmarks.licence_of(data)
    except CredentialError as error:
        raise CredentialError(f"{path}: {error}") from None


def spot_feed(
    settings: config.Settings,
    clock: SystemClock,
    inbox: Inbox,
    tap: SpotTap | None = None,
    on_print: Callable[[int], None] = lambda now_ns: None,
) -> SpotFeed | None:
    """Give the feed of the spot venues, None when none is listened to. Raises as `spot_venues` does."""
    venues = spot_venues(settings)
    if not venues:
        return None
    parts = FeedParts(
        venues=venues,
        prices=Prices(settings.spot.prices),
        inbox=inbox,
        clock=clock,
        dice=Dice(settings.seed, _SPOT_RECONNECT),
        tap=tap,
        on_print=on_print,
        library=settings.websocket,
    )
    return SpotFeed(settings.spot.feed, parts)


def _addresses(run: RunFile) -> tuple[str, str]:
    """Give where a run's requests and its stream go, checked."""
    environment = run.settings.environment
    if environment == "box":
        return origin_on_this_machine(run.origin), on_this_machine(run.ws, "ws")
    if run.settings.execution != "observe":
        raise ConfigError(f"the environment {environment} is not available; this version trades in the box")
    origin = to_read_from(environment, "rest", run.origin, BASE_PATH).removesuffix(BASE_PATH)
    return origin, to_read_from(environment, "stream", run.ws, STREAM_PATH)


def _signer(run: RunFile, allowed: Allowed) -> Signer | None:
    if run.key_id is not None and run.key_path is not None:
        return Signer(run.key_id, load_key(run.key_path), allowed)
    if allowed is Allowed.READS:
        return None
    raise ConfigError("a run without a key cannot trade; start it with `fairstrike trade`")


class Lookout(msgspec.Struct, frozen=True, kw_only=True):
    """The parts that only look: nothing among them can sign or send a write."""

    reads: Reads
    rest: Rest
    stream: Stream


class Hearing(msgspec.Struct, frozen=True, kw_only=True):
    """Where what a lookout's stream brings goes: its events into an inbox, a raw copy of its frames into a tap."""

    inbox: Inbox = lambda events: True
    tap: Tap | None = None


def lookout(
    place: Place,
    clock: SystemClock,
    speaker: Speaker,
    signer: Signer | None,
    hearing: Hearing | None = None,
    *,
    is_awaited: bool = True,
) -> Lookout:
    """Give the parts that look at a venue; without a signer only public reads succeed.

    Without `hearing` what the stream brings is let go. Where somebody waits for an answer (`is_awaited`) a venue that
    fails is asked once more, soon; else as often and as slowly as a trader asks.
    """
    hearing = hearing or Hearing()
    assert signer is None or signer.allowed is Allowed.READS, "who only looks signs nothing but reads"
    dice = Dice(0, _STREAM_BACKOFF)
    params, pace, first_tries = RestParams(origin=place.origin), BudgetParams(), _FIRST_TRIES
    if is_awaited:
        params, first_tries = RestParams(origin=place.origin, retries_max=1), 1
        pace = BudgetParams(backoff_first_ns=200 * MILLISECOND_NS * place.clock.factor)
    rest = Rest(params, signer, clock, clock.wall_ms)
    parts = StreamParts(
        session=speaker,
        signer=signer,
        inbox=hearing.inbox,
        clock=clock,
        wall_ms=clock.wall_ms,
        dice=dice,
        tap=hearing.tap,
    )
    return Lookout(
        rest=rest,
        reads=Reads(rest, Budget(pace, dice, clock.now_ns()), lambda events: True),
        stream=Stream(
            StreamParams(url=place.ws, first_tries=first_tries, connection=ConnectionParams(library=place.websocket)),
            parts,
        ),
    )


def account_lock(run: RunFile) -> Path:
    """Give the lock file of a run's account."""
    return locks.account_lock(run.settings.environment, account_tag(run.account))
