"""`fairstrike smoke`: listen to the stream for some seconds and say what came: channels, gaps, ages.

Only GET requests and the stream's handshake are signed; the module that sends writes is not imported.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from fairstrike.app import build, config, places
from fairstrike.app.clock import SystemClock
from fairstrike.core.effects import Resubscribe
from fairstrike.core.errors import UsageError, VenueError
from fairstrike.core.timing import MILLISECOND_NS
from fairstrike.venue.connection import Library
from fairstrike.venue.kalshi import calls, parameters
from fairstrike.venue.kalshi.calls import call
from fairstrike.venue.kalshi.probing import ACCOUNT_CHANNELS, PUBLIC_CHANNELS, Probe, Standing, Tally
from fairstrike.venue.kalshi.refusals import stream_cure
from fairstrike.venue.kalshi.signing import Signer
from fairstrike.venue.kalshi.subscriptions import BOOK_CHANNEL, MARKET_CHANNELS
from fairstrike.venue.kalshi.wire.markets import Market

SECONDS_MAX = 3_600.0
MARKETS_MAX = 20
AGE_MS_MAX = 2_000
EXIT_OK = 0
_NEEDED = (*MARKET_CHANNELS, *PUBLIC_CHANNELS, *ACCOUNT_CHANNELS[:2])
_STOP_SECONDS = 5.0
_LISTED_MAX = 1_000
_ASKED_AGAIN_SECONDS = 2.0
"""A shorter look has no time left for the answer when it asks for books again."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What to listen to, and for how long; without markets, the nearest open ones of the series."""

    environment: str
    box: Path | None = None
    seconds: float
    markets: tuple[str, ...] = ()
    series: tuple[str, ...] = config.SERIES[:3]
    websocket: Library = "picows"


class ChannelReport(msgspec.Struct, frozen=True, kw_only=True):
    """One channel: whether the key may have it, and what it brought. Ages are real milliseconds."""

    channel: str
    standing: str
    reason: str
    frames: int
    per_second: float
    missing: int
    repeated: int
    age_ms_p50: float | None
    age_ms_max: float | None
    silent_ms: float | None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What came in a while. `problems` are sentences; none means that the stream is fit to trade on."""

    environment: str
    stream: str
    seconds: float
    markets: tuple[str, ...]
    books: int
    books_again: int
    connect_ms: float | None
    connections: int
    frames: int
    bytes: int
    unreadable: int
    unknown: dict[str, int]
    channels: tuple[ChannelReport, ...]
    problems: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0, or a venue error's when there is a problem."""
        return VenueError.exit_code if self.problems else EXIT_OK


def wanted(
    env: str | None, box: Path | None, config_file: Path | None, seconds: float, markets: tuple[str, ...]
) -> Wanted:
    """Give what to listen to: as said, else as the settings file says, else as `.env` says.

    Raises `ConfigError` for settings that are not accepted.
    """
    sight = places.sight(env, config_file)
    return Wanted(
        environment=sight.environment,
        box=box,
        seconds=seconds,
        markets=markets,
        series=sight.settings.rooms.engine.series or config.SERIES[:3],
        websocket=sight.settings.websocket,
    )


def run(asked: Wanted, on_second: Callable[[int], None]) -> Report:
    """Listen as asked; `on_second` is told how many seconds have passed.

    Raises `UsageError`, `ConfigError` and `CredentialError` for what cannot be meant, `VenueError` for a venue that
    cannot be reached or refuses the key.
    """
    if not 1 <= asked.seconds <= SECONDS_MAX:
        raise UsageError(f"--seconds {asked.seconds:g} is not between 1 and {SECONDS_MAX:g}; correct it")
    if len(asked.markets) > MARKETS_MAX:
        raise UsageError(f"at most {MARKETS_MAX} markets can be listened to at once; name fewer with --market")
    place = places.place_of(asked.environment, asked.box, asked.websocket)
    signer = places.reading_signer(places.key_place(asked.environment, asked.box))
    return asyncio.run(_listen(asked, place, signer, on_second))


async def _listen(asked: Wanted, place: places.Place, signer: Signer, on_second: Callable[[int], None]) -> Report:
    clock = SystemClock(place.clock)
    finding = build.lookout(place, clock, Probe(()), signer)
    try:
        markets = asked.markets or await open_markets(finding, asked.series)
    finally:
        await finding.rest.close()
    probe = Probe(markets)
    begun_ns = clock.now_ns()

    async def listen(look: build.Lookout) -> None:
        for second in range(int(asked.seconds)):
            await asyncio.sleep(1)
            if second + 1 == max(1, int(asked.seconds) // 2):
                look.stream.submit(Resubscribe(tickers=markets, reason="smoke"))
            on_second(second + 1)
        await asyncio.sleep(asked.seconds % 1)

    await streamed(build.lookout(place, clock, probe, signer), listen)
    return _report(asked, place, probe, (begun_ns, clock.now_ns()))


async def open_markets(look: build.Lookout, series: tuple[str, ...]) -> tuple[str, ...]:
    """Give the open markets of some series that close first, at most as many as are listened to."""
    found: list[Market] = []
    for name in series:
        wanted = parameters.Markets(series_ticker=name, status="open", limit=_LISTED_MAX)
        found += (await look.reads.call(call(calls.MARKETS, wanted))).markets
    found.sort(key=lambda market: (market.close_time, market.ticker))
    return tuple(market.ticker for market in found[:MARKETS_MAX])


async def streamed(look: build.Lookout, body: Callable[[build.Lookout], Awaitable[None]]) -> None:
    """Keep the stream running while `body` does its work.

    Raises what a first connection that fails raises, and nothing for later ones.
    """
    running = asyncio.ensure_future(look.stream.run())
    working = asyncio.ensure_future(body(look))
    try:
        await asyncio.wait([running, working], return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        await working
    finally:
        working.cancel()
        look.stream.stop()
        await asyncio.wait([running, working], timeout=_STOP_SECONDS)
        if not running.done():
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def _report(asked: Wanted, place: places.Place, probe: Probe, span_ns: tuple[int, int]) -> Report:
    begun_ns, ended_ns = span_ns
    unit_ns = place.clock.factor * MILLISECOND_NS
    connected_ns = probe.connected_ns
    connect_ms = None if connected_ns is None else (connected_ns - begun_ns) / unit_ns
    channels = tuple(_channel(tally, asked.seconds, ended_ns, unit_ns) for tally in probe.tallies.values())
    return Report(
        environment=place.environment,
        stream=place.ws,
        seconds=asked.seconds,
        markets=probe.tickers,
        books=len(probe.books),
        books_again=len(probe.given_again),
        connect_ms=connect_ms if probe.connections == 1 else None,
        connections=probe.connections,
        frames=probe.frames,
        bytes=probe.bytes,
        unreadable=probe.unreadable,
        unknown=probe.unknown,
        channels=channels,
        problems=tuple(_problems(probe, channels, asked.seconds)),
    )


def _channel(tally: Tally, seconds: float, ended_ns: int, unit_ns: int) -> ChannelReport:
    half_ns, most_ns = tally.age_ns(0.5), tally.age_ns(1.0)
    return ChannelReport(
        channel=tally.channel,
        standing=tally.standing.value,
        reason=tally.reason if tally.code is None else f"{tally.reason} (code {tally.code})",
        frames=tally.frames,
        per_second=round(tally.frames / seconds, 1),
        missing=tally.missing,
        repeated=tally.repeated,
        age_ms_p50=None if half_ns is None else round(half_ns / unit_ns, 1),
        age_ms_max=None if most_ns is None else round(most_ns / unit_ns, 1),
        silent_ms=None if tally.last_ns is None else round((ended_ns - tally.last_ns) / unit_ns, 1),
    )


def _problems(probe: Probe, channels: tuple[ChannelReport, ...], seconds: float) -> list[str]:
    found = []
    if probe.connections > 1:
        found.append(f"the stream was lost {probe.connections - 1} times; check the network, then run this again")
    if not probe.tickers:
        found.append("no market of these series is open, so no book was seen; name one with --market, or come back")
    missing_books = len(set(probe.tickers) - probe.books)
    if missing_books and probe.tallies[BOOK_CHANNEL].standing is Standing.OPEN:
        found.append(f"{missing_books} of {len(probe.tickers)} markets sent no book; run this again for longer")
    missing_again = len(probe.asked_again & probe.books - probe.given_again)
    if missing_again and seconds >= _ASKED_AGAIN_SECONDS:
        found.append(f"{missing_again} books did not come when asked for again; check the network, then run this again")
    for one in channels:
        if one.channel in _NEEDED and one.standing not in (Standing.OPEN.value, Standing.NOT_ASKED.value):
            why = f": {one.reason}" if one.reason else ""
            cure = stream_cure(probe.tallies[one.channel].code) if one.reason else "run this again for longer"
            found.append(f"{one.channel} is needed to trade and is not open ({one.standing}{why}); {cure}")
        if one.missing:
            found.append(f"{one.channel} lost {one.missing} frames; check the network and this machine's load")
        if one.age_ms_p50 is not None and one.age_ms_p50 > AGE_MS_MAX:
            age = f"{one.age_ms_p50 / 1_000:.1f} s"
            found.append(f"{one.channel} is {age} behind; check this machine's clock (fairstrike doctor) and network")
    if probe.unreadable:
        found.append(f"{probe.unreadable} frames could not be read; update the program, or report them")
    return found
