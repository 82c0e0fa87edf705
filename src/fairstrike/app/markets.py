"""`fairstrike markets`: what can be traded, by event, soonest close first, and what of it is not understood.

Public requests only, without a key; read as the trader reads it, so that it shows what a trader would know.
"""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from fairstrike.app import build, config, dotenv, places
from fairstrike.app.clock import SystemClock
from fairstrike.app.desk.sights import strike_order
from fairstrike.core.contract import PriceRange, Timeframe
from fairstrike.core.effects import Ask
from fairstrike.core.errors import Unreachable, UsageError
from fairstrike.core.events import AskFailed, ContractListed, Event, TermsDoubted
from fairstrike.core.timing import SECOND_NS, format_rfc3339, new_york
from fairstrike.core.units import format_cc, format_e8, format_ticks
from fairstrike.execution.rounds import Params as EngineParams
from fairstrike.market.catalog import Catalog, Listing
from fairstrike.venue.kalshi.asking import ask
from fairstrike.venue.kalshi.probing import Probe
from fairstrike.venue.kalshi.rest import converse


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Whose markets to list: of each series so many soonest events (0: all), or one event."""

    environment: str
    box: Path | None = None
    series: tuple[str, ...] = config.SERIES
    timeframes: tuple[Timeframe, ...] = tuple(Timeframe)
    events: int
    event: str | None = None


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says; what is empty or None is left to the settings file, or to what is known."""

    env: str | None = None
    box: Path | None = None
    config_file: Path | None = None
    series: tuple[str, ...] = ()
    timeframes: tuple[Timeframe, ...] = ()
    events: int
    event: str | None = None


class MarketRow(msgspec.Struct, frozen=True, kw_only=True):
    """One market: strikes in dollars, None where it has none or it is not published; volume in contracts."""

    ticker: str
    comparison: str
    floor_strike: str | None
    cap_strike: str | None
    status: str
    is_open: bool
    volume_24h: str


class PriceStep(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the price grid, dollars."""

    start: str
    end: str
    step: str


class EventRow(msgspec.Struct, frozen=True, kw_only=True):
    """One event, its markets by strike. Events with the same `settlement_group` settle on one value."""

    event_ticker: str
    series: str
    asset: str
    timeframe: Timeframe
    settlement_group: str
    opens_at: str
    closes_at: str
    closes_in_new_york: str
    closes_in_s: float
    exchange_index: int
    price_grid: tuple[PriceStep, ...]
    markets: tuple[MarketRow, ...]


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """Markets that are not understood, or (not `is_left_out`) taken by their structured fields, and why."""

    tickers: tuple[str, ...]
    reason: str
    is_left_out: bool


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The catalogue at one instant of the venue's clock. `unread` says why a series could not be read."""

    environment: str
    at: str
    events: tuple[EventRow, ...]
    doubts: tuple[Doubt, ...]
    unread: dict[str, str]


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """A report, and the listings that its events were made of, in the same order."""

    report: Report
    events: tuple[tuple[Listing, ...], ...]
    now_ns: int


def wanted(said: Choices) -> Wanted:
    """Give what to list: as said, else as the settings file says, else all that is known.

    Raises `ConfigError` for settings that are not accepted, `UsageError` for what cannot be meant.
    """
    settings = None if said.config_file is None else config.load(said.config_file)
    environment = said.env or (dotenv.chosen(None, None).environment if settings is None else settings.environment)
    if said.events < 0:
        raise UsageError(f"--events {said.events} is below zero; give a number, 0 for all")
    engine = EngineParams() if settings is None else settings.rooms.engine
    known = config.observe_profile("box").rooms.engine.series if environment == "box" else config.SERIES
    series = said.series or engine.series or known
    if said.event is not None:
        series = (said.event.partition("-")[0],)
    if unknown := [name for name in series if name not in config.SERIES]:
        raise UsageError(f"there is no series {unknown[0]!r}; known are {', '.join(config.SERIES)}")
    return Wanted(
        environment=environment,
        box=said.box,
        series=series,
        timeframes=said.timeframes or engine.timeframes,
        events=said.events,
        event=said.event,
    )


def run(asked: Wanted, on_series: Callable[[int], None]) -> Catalogue:
    """List as asked; `on_series` is told how many series have been read.

    Raises `UsageError` and `ConfigError` for what cannot be meant, `VenueError` when no series can be read.
    """
    place = places.place_of(asked.environment, asked.box)
    clock = SystemClock(place.clock)
    told = asyncio.run(_read(asked, place, clock, on_series))
    return catalogue(asked, told, clock.now_ns())


def catalogue(asked: Wanted, told: dict[str, list[Event]], now_ns: int) -> Catalogue:
    """Give the catalogue of what was told of each series, at a venue instant.

    Raises `Unreachable` when nothing could be read, `UsageError` when there is no such event.
    """
    unread = {name: event.reason for name, events in told.items() for event in events if isinstance(event, AskFailed)}
    if len(unread) == len(told):
        first = next((f"{name}: {reason}" for name, reason in unread.items()), "none was named")
        raise Unreachable(f"no series could be read: {first}; `fairstrike doctor` looks further")
    catalog, doubts = Catalog(), list[Doubt]()
    for event in (event for events in told.values() for event in events):
        match event:
            case ContractListed():
                catalog.fold(event)
            case TermsDoubted(tickers=tickers, reason=reason, is_left_out=is_left_out):
                doubts.append(Doubt(tickers=tickers, reason=reason, is_left_out=is_left_out))
            case _:
                pass
    events = tuple(_events(asked, catalog.listings.values(), now_ns))
    if asked.event is not None and not events:
        raise UsageError(f"there is no event {asked.event!r} to come; `fairstrike markets --events 0` lists all")
    report = Report(
        environment=asked.environment,
        at=format_rfc3339(now_ns),
        events=tuple(_event(listings, now_ns) for listings in events),
        doubts=tuple(doubts),
        unread=unread,
    )
    return Catalogue(report=report, events=events, now_ns=now_ns)


async def _read(
    asked: Wanted, place: places.Place, clock: SystemClock, on_series: Callable[[int], None]
) -> dict[str, list[Event]]:
    look = build.lookout(place, clock, Probe(()), None)
    names = tuple(dict.fromkeys(asked.series))
    told: dict[str, list[Event]] = {}

    async def read(series: str) -> None:
        what = Ask(what="markets", key=series)
        told[series] = await converse(ask(what, clock.now_ns()), look.reads.exchange)
        on_series(len(told))

    try:
        await asyncio.gather(*map(read, names))
    finally:
        await look.rest.close()
    return {series: told[series] for series in names}


def _events(asked: Wanted, listings: Iterable[Listing], now_ns: int) -> list[tuple[Listing, ...]]:
    """Give the events asked for that have not closed, soonest first, the markets of each by strike."""
    found: dict[tuple[int, str], list[Listing]] = {}
    for listing in listings:
        contract = listing.contract
        is_wanted = contract.timeframe in asked.timeframes and asked.event in (None, contract.event_ticker)
        if is_wanted and contract.close_ns > now_ns:
            found.setdefault((contract.close_ns, contract.event_ticker), []).append(listing)
    chosen: list[tuple[Listing, ...]] = []
    taken: dict[str, int] = {}
    for _, members in sorted(found.items()):
        series = members[0].contract.series
        taken[series] = taken.get(series, 0) + 1
        if not asked.events or taken[series] <= asked.events:
            chosen.append(tuple(sorted(members, key=lambda listing: strike_order(listing.contract))))
    return chosen


def _event(listings: tuple[Listing, ...], now_ns: int) -> EventRow:
    contract = listings[0].contract
    return EventRow(
        event_ticker=contract.event_ticker,
        series=contract.series,
        asset=contract.asset,
        timeframe=contract.timeframe,
        settlement_group=contract.group,
        opens_at=format_rfc3339(contract.open_ns),
        closes_at=format_rfc3339(contract.close_ns),
        closes_in_new_york=f"{new_york(contract.close_ns):%Y-%m-%d %H:%M}",
        closes_in_s=round((contract.close_ns - now_ns) / SECOND_NS, 3),
        exchange_index=contract.exchange_index,
        price_grid=tuple(map(_step, contract.grid)),
        markets=tuple(_market(listing, now_ns) for listing in listings),
    )


def _market(listing: Listing, now_ns: int) -> MarketRow:
    contract = listing.contract
    return MarketRow(
        ticker=contract.ticker,
        comparison=contract.comparison.value,
        floor_strike=None if contract.floor_e8 is None else format_e8(contract.floor_e8),
        cap_strike=None if contract.cap_e8 is None else format_e8(contract.cap_e8),
        status=listing.status,
        is_open=listing.is_open(now_ns),
        volume_24h=format_cc(listing.volume_24h_cc),
    )


def _step(stretch: PriceRange) -> PriceStep:
    return PriceStep(
        start=format_ticks(stretch.start_ticks),
        end=format_ticks(stretch.end_ticks),
        step=format_ticks(stretch.step_ticks),
    )
