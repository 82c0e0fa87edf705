"""`fairstrike doctor`: whether this machine, its settings and its key are fit to run, checked one by one.

A check that fails says in one sentence what to do, and does not keep the others from being made, unless they need what
it lacks. The exit code is that of the first check that failed. Nothing but GET requests and the stream's handshake is
signed; the module that sends writes is not imported.
"""

import asyncio
import os
import stat
import tempfile
import time
from collections.abc import Callable, Collection, Coroutine
from enum import Enum
from pathlib import Path

import msgspec

from fairstrike.app import build, config, disk, dotenv, places, spot_probing
from fairstrike.app.clock import ClockOffset, SystemClock, date_s
from fairstrike.app.config import Environment, Settings
from fairstrike.app.disk import GIB
from fairstrike.app.smoke import streamed
from fairstrike.core.errors import ClockError, ConfigError, FairstrikeError, UsageError, VenueError
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.core.units import UD_PER_CENT, UD_PER_DOLLAR
from fairstrike.venue.connection import Params as ConnectionParams
from fairstrike.venue.kalshi import calls, parameters
from fairstrike.venue.kalshi.asking import balance_ud
from fairstrike.venue.kalshi.calls import call
from fairstrike.venue.kalshi.credentials import load_key
from fairstrike.venue.kalshi.parameters import Nothing
from fairstrike.venue.kalshi.probing import PUBLIC_CHANNELS, Probe, Standing
from fairstrike.venue.kalshi.refusals import VenueRefusal
from fairstrike.venue.kalshi.signing import Signer, kind_of, private_key
from fairstrike.venue.kalshi.subscriptions import INDEX_CHANNEL
from fairstrike.venue.kalshi.wire.portfolio import ApiKey
from fairstrike.venue.kalshi.wire.transport import Request

CRYPTO_SHARD = 2
"""Where crypto markets have been made since August 2026; each market names its own."""

OFFSET_WARN_NS = 250 * MILLISECOND_NS
_PROBES, _PROBE_SECONDS = 12, 0.1
_PROBE_BYTES = 1 << 16
_SYNC_SLOW_SECONDS = 1.0
_STREAM_SECONDS = 5.0
_OTHERS_MAY_WRITE = 0o022
_MONEY_OUT = ("write", "write::transfer")


class State(Enum):
    """How a check came out. A warning is nothing that keeps a run from being made."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One check: what was found, or what to do. `exit_code` is 0 unless it failed."""

    check: str
    state: State
    says: str
    exit_code: int = 0


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All checks, in their order, and the exit code."""

    environment: str
    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> int:
        """That of the first check that failed, else 0."""
        return next((found.exit_code for found in self.findings if found.state is State.FAILED), 0)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What to examine. `env` None takes what settings or `.env` say; `disk_min` and `disk_ample` are bytes.

    Without `disk_min` it is what the settings have a trader leave.
    """

    env: str | None = None
    box: Path | None = None
    config_file: Path | None = None
    folder: Path
    disk_min: int | None = None
    disk_ample: int = 6 * GIB


def examine(wanted: Wanted, on_finding: Callable[[Finding], None]) -> Report:
    """Make every check in order; `on_finding` is told each as it is made."""
    examination = Examination(wanted, on_finding)
    asyncio.run(examination.run())
    return Report(environment=examination.environment, findings=tuple(examination.findings))


class Examination:
    """The checks, and what the later ones need of the earlier."""

    def __init__(self, wanted: Wanted, on_finding: Callable[[Finding], None]) -> None:
        """Begin with nothing found."""
        self.findings: list[Finding] = []
        self.environment = ""
        self._settings = Settings()
        self._wanted = wanted
        self._on_finding = on_finding
        self._place: places.Place | None = None
        self._signer: Signer | None = None
        self._is_reached = False
        self._is_known = False

    async def run(self) -> None:
        """Make every check."""
        self._check("config", self._config)
        if self.environment:
            self._check("address", self._address)
        else:
            self._skip("address", "the environment")
        if self._place is not None or self.environment in ("prod", "demo"):
            self._check("key", self._key)
        else:
            self._skip("key", "an address")
        self._check("folder", self._folder)
        self._check("disk", self._disk)
        if self._place is None:
            for name in ("exchange", "clock", "account", "limits", "stream"):
                self._skip(name, "an address")
            return
        await self._look_at(self._place)
        await self._spot(self._place)

    async def _look_at(self, place: places.Place) -> None:
        """Make the checks that ask the venue; what is public is asked without a key, which may be refused."""
        clock = SystemClock(place.clock)
        public, private = (build.lookout(place, clock, _probe(), signer) for signer in (None, self._signer))
        try:
            await self._ask("exchange", self._exchange(public))
            await self._when(self._is_reached, "clock", self._clock(public), "the exchange")
            is_ready = self._is_reached and self._signer is not None
            why = "the exchange" if self._signer is not None else "a key"
            await self._when(is_ready, "account", self._account(private), why)
            await self._when(self._is_known, "limits", self._limits(private), "the account")
            await self._when(self._is_known, "stream", self._stream(place), "the account")
        finally:
            await public.rest.close()
            await private.rest.close()

    # Of this machine

    def _config(self) -> tuple[State, str]:
        sight = places.sight(self._wanted.env, self._wanted.config_file)
        self.environment, self._settings = sight.environment, sight.settings
        dotenv.log_level()
        chosen = dotenv.chosen(None, self.environment)
        if chosen.execution not in ("observe", "paper", "live"):
            raise ConfigError(f"KALSHI_EXECUTION_MODE {chosen.execution!r} is none; use observe, paper or live")
        if self._wanted.config_file is None:
            return State.OK, "no file given, the defaults hold"
        return State.OK, f"{self._wanted.config_file.name} is accepted"

    def _address(self) -> tuple[State, str]:
        self._place = places.place_of(self.environment, self._wanted.box, self._settings.websocket)
        return State.OK, f"{self.environment} at {self._place.origin}"

    def _key(self) -> tuple[State, str]:
        key = places.key_place(self.environment, self._wanted.box)
        self._signer = places.reading_signer(key)
        kind = kind_of(private_key(load_key(key.path)))
        return State.OK, f"{kind}, in {key.path}, which only you can read"

    def _folder(self) -> tuple[State, str]:
        place = _standing(self._wanted.folder)
        _write_probe(place)
        for path in (Path(".env"), Path(".secrets"), place):
            if path.exists() and stat.S_IMODE(path.stat().st_mode) & _OTHERS_MAY_WRITE:
                return State.WARNING, f"others may write to {path}: run chmod go-w {path}"
        return State.OK, f"{self._wanted.folder} can be written to"

    def _disk(self) -> tuple[State, str]:
        place = _standing(self._wanted.folder)
        free = disk.free_bytes(place)
        told = f"{free / GIB:.1f} GiB free where {self._wanted.folder} is"
        least = self._settings.disk.stop_bytes if self._wanted.disk_min is None else self._wanted.disk_min
        if free < least:
            raise UsageError(f"{told}, a run needs {least / GIB:,.1f} GiB: free some, or use another --folder")
        seconds = _write_probe(place)
        if seconds > _SYNC_SLOW_SECONDS:
            return State.WARNING, f"a write took {seconds:.1f} s to reach the disk: use a faster disk for --folder"
        if free < self._wanted.disk_ample:
            ample = f"{self._wanted.disk_ample / GIB:g} GiB"
            return State.WARNING, f"{told}; a long run keeps up to {ample}: free some before one"
        return State.OK, f"{told}, a write reaches it in {seconds * 1_000:.1f} ms"

    # Of the venue

    async def _exchange(self, look: build.Lookout) -> tuple[State, str]:
        begun = time.monotonic()
        status = await look.reads.call(call(calls.STATUS, Nothing()))
        self._is_reached = True
        answered = f"answers in {(time.monotonic() - begun) * 1_000:.0f} ms"
        shards = {shard.exchange_index: shard for shard in status.exchange_index_statuses or ()}
        crypto = shards.get(CRYPTO_SHARD)
        is_active = status.exchange_active if crypto is None else crypto.exchange_active
        is_trading = status.trading_active if crypto is None else crypto.trading_active
        if is_active and is_trading:
            return State.OK, f"open, {answered}"
        again = status.exchange_estimated_resume_time
        until = f" until about {again}" if again else ""
        return State.WARNING, f"trading is paused{until}; it {answered}: wait, or see the venue's schedule"

    async def _clock(self, look: build.Lookout) -> tuple[State, str]:
        offset = ClockOffset()
        for _ in range(_PROBES):
            sent_ns = time.time_ns()
            answer = await look.rest.attempt(Request(method="GET", path=calls.STATUS.path))
            date = {name.lower(): value for name, value in answer.headers}.get("date")
            if date is None:
                return State.WARNING, "the venue's answers carry no time: compare this clock by hand (timedatectl)"
            offset.narrow(date_s(date), sent_ns, time.time_ns())
            await asyncio.sleep(_PROBE_SECONDS)
        middle_ns, doubt_ns = (offset.least_ns + offset.most_ns) // 2, (offset.most_ns - offset.least_ns) // 2
        word = "behind" if middle_ns > 0 else "ahead of"
        told = f"{abs(middle_ns) / SECOND_NS:.2f} s {word} the venue's, give or take {doubt_ns / SECOND_NS:.2f} s"
        if not offset.is_within:
            raise ClockError(
                f"this machine's clock may be more than a second off ({told}); synchronise it and look again"
            )
        if abs(middle_ns) - doubt_ns > OFFSET_WARN_NS:
            return State.WARNING, f"{told}: synchronise it (for example with chrony or systemd-timesyncd)"
        return State.OK, told

    async def _account(self, look: build.Lookout) -> tuple[State, str]:
        balance = await look.reads.call(call(calls.BALANCE, parameters.OfShard()))
        self._is_known = True
        all_ud, shard_ud = balance_ud(balance, None), balance_ud(balance, CRYPTO_SHARD)
        told = f"{_dollars(all_ud)} in cash, {_dollars(shard_ud)} of it where crypto trades"
        scopes = await self._scopes(look)
        if moves_money_out(self.environment, scopes or ()):
            return State.WARNING, f"{told}; this key can move money out: use one with the scopes read and write::trade"
        if not shard_ud:
            return State.WARNING, f"{told}: move money to shard {CRYPTO_SHARD} at the venue before trading"
        return State.OK, told if scopes is None else f"{told}; the key may {', '.join(scopes)}"

    async def _scopes(self, look: build.Lookout) -> tuple[str, ...] | None:
        """Give what the key may do, None where it is not told."""
        key = places.key_place(self.environment, self._wanted.box)
        try:
            keys: tuple[ApiKey, ...] = (await look.reads.call(call(calls.API_KEYS, Nothing()))).api_keys
        except VenueRefusal:
            return None
        return next((known.scopes for known in keys if known.api_key_id == key.key_id), None)

    async def _limits(self, look: build.Lookout) -> tuple[State, str]:
        limits = await look.reads.call(call(calls.LIMITS, Nothing()))
        costs = await look.reads.call(call(calls.COSTS, Nothing()))
        told = (
            f"{limits.usage_tier}: {limits.read.refill_rate} read and {limits.write.refill_rate} write tokens a second"
        )
        orders = limits.write.refill_rate / max(costs.default_cost, 1)
        return State.OK, f"{told}, {orders:g} orders a second"

    async def _stream(self, place: places.Place) -> tuple[State, str]:
        probe, begun = _probe(), time.monotonic()
        own = build.lookout(place, SystemClock(place.clock), probe, self._signer)

        async def until_answered(_: build.Lookout) -> None:
            while not probe.is_answered and time.monotonic() - begun < _STREAM_SECONDS:
                await asyncio.sleep(0.01)

        await streamed(own, until_answered)
        if not probe.is_answered:
            raise VenueError(f"the stream answered nothing for {_STREAM_SECONDS:g} s; look at it with fairstrike smoke")
        answered = f"answers in {(time.monotonic() - begun) * 1_000:.0f} ms"
        index = probe.tallies[INDEX_CHANNEL]
        if index.standing is Standing.OPEN:
            return State.OK, f"{answered}, the index channel is open to this key"
        reason = f"{index.reason} (code {index.code})"
        return State.WARNING, f"{answered}; the index channel is refused, {reason}: ask the venue for it, or do without"

    async def _spot(self, place: places.Place) -> None:
        """Listen to each spot venue that would be listened to; one of them is enough to go on."""
        environment = msgspec.convert(place.environment, Environment)
        settings = msgspec.structs.replace(config.observing(self._settings, environment), environment=environment)
        try:
            venues = build.spot_venues(settings)
        except FairstrikeError as error:
            self._fail("spot", str(error), error.exit_code)
            return
        connection = ConnectionParams(
            library=settings.websocket, message_bytes_max=settings.spot.feed.message_bytes_max
        )
        found = await spot_probing.listen(venues, SystemClock(place.clock), connection)
        is_any = any(not heard.problem for heard in found)
        for heard in found:
            if heard.problem:
                rest = "the others are listened to" if is_any else "no spot venue is left"
                says = f"{heard.problem}, {rest}: check the network, or give another host under spot.hosts"
                if is_any:
                    self._add(Finding(check=heard.line, state=State.WARNING, says=says))
                else:
                    self._fail(heard.line, says, VenueError.exit_code)
                continue
            self._add(Finding(check=heard.line, state=_freshness(heard.age_ns), says=_told(heard)))

    # What a check comes to

    def _check(self, name: str, check: Callable[[], tuple[State, str]]) -> None:
        try:
            state, says = check()
        except FairstrikeError as error:
            self._fail(name, str(error), error.exit_code)
        except OSError as error:
            self._fail(name, _of_system(error, self._wanted.folder), UsageError.exit_code)
        else:
            self._add(Finding(check=name, state=state, says=says))

    async def _ask(self, name: str, check: Coroutine[None, None, tuple[State, str]]) -> None:
        try:
            state, says = await check
        except FairstrikeError as error:
            self._fail(name, str(error), error.exit_code)
        else:
            self._add(Finding(check=name, state=state, says=says))

    async def _when(
        self, is_possible: bool, name: str, check: Coroutine[None, None, tuple[State, str]], needed: str
    ) -> None:
        if is_possible:
            await self._ask(name, check)
        else:
            check.close()
            self._skip(name, needed)

    def _skip(self, name: str, needed: str) -> None:
        self._add(Finding(check=name, state=State.SKIPPED, says=f"not made, it needs {needed}"))

    def _fail(self, name: str, says: str, exit_code: int) -> None:
        self._add(Finding(check=name, state=State.FAILED, says=says, exit_code=exit_code))

    def _add(self, found: Finding) -> None:
        self.findings.append(found)
        self._on_finding(found)


def _freshness(age_ns: int | None) -> State:
    return State.OK if age_ns is None or age_ns <= spot_probing.FRESH_NS else State.WARNING


def _told(heard: spot_probing.Heard) -> str:
    told = f"answers in {(heard.answered_ns or 0) // MILLISECOND_NS} ms"
    if heard.age_ns is None:
        return f"{told}, with no stamp yet"
    told = f"{told}, its newest frame is {heard.age_ns / SECOND_NS:.2f} s old"
    return told if _freshness(heard.age_ns) is State.OK else f"{told}: such a price is not used, look again later"


def moves_money_out(environment: str, scopes: Collection[str]) -> bool:
    """Whether a key with these scopes can move real money out of the account; a box has none."""
    return environment != "box" and any(scope in _MONEY_OUT for scope in scopes)


def _probe() -> Probe:
    return Probe((), (*PUBLIC_CHANNELS, INDEX_CHANNEL))


def _standing(folder: Path) -> Path:
    """Give the folder, or the nearest one above it that exists: there it would be made."""
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    if not place.is_dir():
        raise UsageError(f"{place} is a file; name a folder with --folder")
    return place


def _write_probe(place: Path) -> float:
    """Write a file there, have it reach the disk, remove it; give the seconds that took."""
    begun = time.monotonic()
    with tempfile.TemporaryFile(dir=place) as file:
        file.write(b"\0" * _PROBE_BYTES)
        file.flush()
        os.fsync(file.fileno())
    return time.monotonic() - begun


def _of_system(error: OSError, folder: Path) -> str:
    told = f"{folder} cannot be written to ({error.strerror})"
    return f"{told}: make room and correct its permissions, or use another --folder"


def _dollars(ud: int) -> str:
    cents = ud // UD_PER_CENT
    return f"${cents * UD_PER_CENT // UD_PER_DOLLAR:,}.{cents % 100:02d}"
