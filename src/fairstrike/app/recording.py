"""`fairstrike record`: everything the exchange says about some series, byte for byte, into a folder.

Only GET requests and the stream's handshake are signed; the module that sends writes is not imported.
"""

import asyncio
import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from fairstrike.app import build, config, locks, places, sampled_rows
from fairstrike.app.disk import GIB, MIB
from fairstrike.app.following import Params as FollowingParams
from fairstrike.app.recorder import Plan, Recorder
from fairstrike.app.signals import when_asked_to_stop
from fairstrike.core.contract import Timeframe
from fairstrike.core.errors import LockedError, UsageError
from fairstrike.core.timing import SECOND_NS
from fairstrike.store.raw import Params, Writer, mend, segments
from fairstrike.venue.kalshi.signing import Signer

LOCK = "recording.lock"
SEGMENT_MIB_MAX = 1 << 16
SECONDS_MAX, INTERVAL_MIN, INTERVAL_MAX, EVENTS_MAX = 10 * 366 * 86_400.0, 0.01, 3_600.0, 100


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What to record, for how long (seconds; 0: until stopped), and where. `disk_min_gib` of the disk stay free.

    `settings` are a trader's: what they say of connections, spot venues, books and index holds for a recording's rows
    too. Environment and series are those said here.
    """

    environment: str
    box: Path | None = None
    folder: Path
    series: tuple[str, ...]
    timeframes: tuple[Timeframe, ...] = tuple(Timeframe)
    events: int
    seconds: float
    interval_seconds: float
    segment_seconds: float
    segment_mib: float
    disk_min_gib: float
    settings: config.Settings = config.Settings()


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was recorded. `mended` says which files of earlier runs had a torn end, and the bytes cut of each."""

    run: str
    folder: str
    environment: str
    ended: str
    seconds: float
    segments: int
    lines: int
    bytes_raw: int
    bytes_packed: int
    deltas: int
    spot_frames: int
    markets: int
    rows: int
    connections: int
    gaps: int
    books_asked_again: int
    unreadable: int
    mended: dict[str, int]


def run(asked: Wanted, on_second: Callable[[int], None]) -> Report:
    """Record as asked until the time is over or a signal to end comes; `on_second` is told the seconds that passed.

    Raises `UsageError`, `ConfigError` and `CredentialError` for what cannot be meant, `LockedError` when another
    recorder writes to the folder, `RecordingError` when a recording there is damaged, `VenueError` when the venue
    cannot be reached at first, `DiskError` when the disk takes no more.
    """
    _check(asked)
    place = places.place_of(asked.environment, asked.box, asked.settings.websocket)
    signer = places.reading_signer(places.key_place(asked.environment, asked.box))
    build.spot_venues(settings_of(asked, place))  # Before anything is written.
    asked.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = _only_recorder(asked.folder)
    try:
        mended = {path.name: cut for path in segments(asked.folder) if (cut := mend(path))}
        tables = sorted(asked.folder.glob(f"*{sampled_rows.ENDING}"))
        mended |= {path.name: cut for path in tables if (cut := sampled_rows.mend(path))}
        return asyncio.run(_record(asked, place, signer, mended, on_second))
    finally:
        os.close(lock)


async def _record(
    asked: Wanted, place: places.Place, signer: Signer, mended: dict[str, int], on_second: Callable[[int], None]
) -> Report:
    name = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    begun = time.monotonic()
    rows = sampled_rows.Rows(asked.folder / f"{name}{sampled_rows.ENDING}")
    params = Params(
        segment_bytes=int(asked.segment_mib * MIB),
        segment_ns=int(asked.segment_seconds * SECOND_NS * place.clock.factor),
    )
    tape = Writer(asked.folder, name, asked.environment, place.clock.venue_ns(time.time_ns()), params)
    plan = Plan(
        series=asked.series,
        folder=asked.folder,
        interval_seconds=asked.interval_seconds,
        disk_min=int(asked.disk_min_gib * GIB),
        following=FollowingParams(events=asked.events, timeframes=asked.timeframes),
        settings=settings_of(asked, place),
    )
    recorder = Recorder(plan, place, signer, tape, rows)
    try:
        ended = await recorder.run(when_asked_to_stop(asked.seconds), on_second)
    finally:
        tape.close()
        rows.write(rows.take())
    told = recorder.tallies
    return Report(
        run=name,
        folder=str(asked.folder),
        environment=asked.environment,
        ended=ended,
        seconds=round(time.monotonic() - begun, 1),
        segments=tape.segments,
        lines=tape.lines,
        bytes_raw=tape.bytes_raw,
        bytes_packed=tape.bytes_packed,
        deltas=told.deltas,
        spot_frames=told.spot_frames,
        markets=len(told.markets),
        rows=rows.count,
        connections=told.connections,
        gaps=told.gaps,
        books_asked_again=told.asked_again,
        unreadable=told.unreadable,
        mended=mended,
    )


def settings_of(asked: Wanted, place: places.Place) -> config.Settings:
    """Give the settings of a recording as they apply in its environment, for its series and under its clock."""
    replace, rooms = msgspec.structs.replace, asked.settings.rooms
    environment = msgspec.convert(place.environment, config.Environment)
    rooms = replace(rooms, engine=replace(rooms.engine, series=asked.series))
    return build.under_clock(replace(asked.settings, environment=environment, rooms=rooms), place.clock)


def _check(asked: Wanted) -> None:
    if not 0 <= asked.seconds <= SECONDS_MAX:
        raise UsageError(
            f"--duration-seconds {asked.seconds:g} is not a time; give seconds, or 0 to record until stopped"
        )
    if not INTERVAL_MIN <= asked.interval_seconds <= INTERVAL_MAX:
        raise UsageError(
            f"--interval-seconds {asked.interval_seconds:g} is not between {INTERVAL_MIN:g} and {INTERVAL_MAX:g}; "
            "correct it"
        )
    if not 1 <= asked.events <= EVENTS_MAX:
        raise UsageError(f"--events {asked.events} is not between 1 and {EVENTS_MAX}; correct it")
    if not 0 <= asked.disk_min_gib < math.inf:
        raise UsageError(f"--disk-min {asked.disk_min_gib:g} is no size; give the GiB that are to stay free")
    if not 1 <= asked.segment_seconds <= SECONDS_MAX:
        raise UsageError(f"--segment-seconds {asked.segment_seconds:g} is no time of at least a second; correct it")
    if not 0 < asked.segment_mib <= SEGMENT_MIB_MAX:
        raise UsageError(f"--segment-mib {asked.segment_mib:g} is not between 0 and {SEGMENT_MIB_MAX:,}; correct it")
    if unknown := [series for series in asked.series if series not in config.SERIES]:
        raise UsageError(f"there is no series {unknown[0]!r}; known are {', '.join(config.SERIES)}")
    if asked.folder.exists() and not asked.folder.is_dir():
        raise UsageError(f"{asked.folder} is a file; name a folder with --folder")


def _only_recorder(folder: Path) -> int:
    try:
        return locks.hold(folder / LOCK, str(folder))
    except LockedError:
        raise LockedError(
            f"another recorder writes to {folder}; stop it first, or name another folder with --folder"
        ) from None
