"""What an exchange in a box is started with: its accounts, a recording, and faults of a file and the command line."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fairstrike.app import locks
from fairstrike.core.errors import ConfigError, LockedError, RecordingError, UsageError
from fairstrike.core.events import IndexPrinted
from fairstrike.core.timing import SECOND_NS
from fairstrike.exchange.administration import AccountSettings, parse_account
from fairstrike.exchange.calibrated import CalibratedParams
from fairstrike.exchange.captured import Capture, KnownResult, check
from fairstrike.exchange.faults import Fault, parse_fault, parse_scenario
from fairstrike.exchange.replayed import ReplayedParams
from fairstrike.exchange.worlds import START_NS, WorldParams

if TYPE_CHECKING:
    from fairstrike.research.importers.base import Recording

_LOCK = "exchange.lock"
_SCENARIO_BYTES_MAX = 1 << 20
_CLOCKS_APART_NS = SECOND_NS
"""A world begins this long before its capture's first line: the recorder's clock may be ahead of the venue's."""


def accounts(texts: Sequence[str]) -> tuple[AccountSettings, ...]:
    """Give the accounts written as NAME=DOLLARS, each with ",ed25519" or not; without any the one called client.

    Raises `ConfigError` for what is no account.
    """
    return tuple(parse_account(text) for text in texts) or (AccountSettings(),)


def keep_keys(folder: Path) -> None:
    """Keep `folder` for the keys of this process's exchange: another's would replace them, and its clients be refused.

    Raises `LockedError` while another exchange keeps its keys there.
    """
    try:
        locks.hold(folder / _LOCK, str(folder))
    except LockedError:
        raise LockedError(
            f"another exchange keeps its keys in {folder}; stop it first, or name another folder with --folder"
        ) from None


def faults(scenario: Path | None, texts: Sequence[str]) -> tuple[Fault, ...]:
    """Give the faults of a scenario file and those written as kind=NAME,name=value, in this order.

    Raises `UsageError` for a file that cannot be read, `ConfigError` for what is no fault.
    """
    return (*(_of_file(scenario) if scenario is not None else ()), *(parse_fault(text) for text in texts))


def _of_file(path: Path) -> tuple[Fault, ...]:
    try:
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} is no plain file; name a scenario file")
        if path.stat().st_size > _SCENARIO_BYTES_MAX:
            raise UsageError(f"{path} is longer than a megabyte; name a scenario file")
        return parse_scenario(path.read_text(encoding="utf-8"))
    except OSError as why:
        raise UsageError(f"{path} cannot be read ({why.strerror}); name a scenario file") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not text; name a scenario file") from None
    except ConfigError as why:
        raise ConfigError(f"{path}: {why}") from None


def stage(liquidity: str | None, replay: Path | None) -> tuple[WorldParams | CalibratedParams | ReplayedParams, int]:
    """Give the world to open and its first instant: a capture's, the calibrated one, or else the demonstration's.

    Raises `UsageError` for a kind of liquidity beside a capture, `RecordingError` for a capture that cannot be used.
    """
    if replay is None:
        return (CalibratedParams() if liquidity == "calibrated" else WorldParams()), START_NS
    if liquidity is not None:
        raise UsageError("a capture brings its own liquidity; leave out --liquidity or --replay")
    world = replayed(replay)
    return world, world.capture.start_ns


def replayed(path: Path) -> ReplayedParams:
    """Give the world of a 15-minute capture, with the trades and results that lie beside it.

    Raises `RecordingError` when it cannot be read from its first line to its last, or states no market with its strike.
    """
    # Here, because a generated world needs no importers.
    from fairstrike.research.importers import formats
    from fairstrike.research.importers.stream15m import Stream15m

    def opened() -> "Recording":
        return formats.opened(path)

    def prints() -> Iterator[tuple[int, int]]:
        for _, events in opened().prints():
            yield from ((event.second, event.value_e8) for event in events if isinstance(event, IndexPrinted))

    if path.is_dir():
        raise RecordingError(f"{path} is a folder; name one capture in it")
    recording = opened()
    if not isinstance(recording, Stream15m):
        raise RecordingError(f"{path.name} is {recording.kind}, of which no stream can be made; name {Stream15m.kind}")
    first_print = next(prints(), None)
    begins_ns = recording.first_ns if first_print is None else min(recording.first_ns, first_print[0] * SECOND_NS)
    capture = Capture(
        name=path.name,
        start_ns=(begins_ns - _CLOCKS_APART_NS) // SECOND_NS * SECOND_NS,
        units=lambda: opened().units(),
        prints=prints,
        results={
            ticker: KnownResult(value_ticks=result.value_ticks, value_e8=result.settled_e8)
            for ticker, result in recording.results().items()
            if result.value_ticks is not None
        },
    )
    check(capture)
    return ReplayedParams(capture=capture)
