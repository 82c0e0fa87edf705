"""The settings of a run: every room's parameters composed, read from TOML, YAML or JSON and checked.

Settings are validated whole: an unknown key is an error that names the nearest known one, and no key is read by
anyone but the room that declares it. Secrets are never part of them; key files are named, not read, here.
"""

import difflib
import hashlib
import math
import re
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Literal, TypeGuard

import msgspec

from fairstrike.app.disk import Params as DiskParams
from fairstrike.core.contract import Timeframe
from fairstrike.core.errors import ConfigError
from fairstrike.core.timing import HOUR_NS
from fairstrike.exchange.replay import Params as ReplayParams
from fairstrike.execution.reconcile import Params as ReconcileParams
from fairstrike.execution.rounds import Params as EngineParams
from fairstrike.execution.stopping import Params as StoppingParams
from fairstrike.market.books import Params as BooksParams
from fairstrike.market.index import PROXIES
from fairstrike.market.index import Params as IndexParams
from fairstrike.pricing.fair import Params as FairParams
from fairstrike.pricing.implied import Params as ImpliedParams
from fairstrike.pricing.regimes import Params as RegimeParams
from fairstrike.pricing.volatility import Params as VolatilityParams
from fairstrike.risk.limits import Pace
from fairstrike.risk.limits import Params as LimitsParams
from fairstrike.store.journal import Params as JournalParams
from fairstrike.strategy.market_maker import Params as MarketMakerParams
from fairstrike.strategy.momentum_scalp import Params as MomentumScalpParams
from fairstrike.strategy.onlooker import Params as OnlookerParams
from fairstrike.strategy.taker import Params as TakerParams
from fairstrike.venue.connection import Library
from fairstrike.venue.kalshi.wire.markets import asset_of
from fairstrike.venue.spot.feed import Params as SpotFeedParams
from fairstrike.venue.spot.prices import Params as SpotPricesParams
from fairstrike.venue.spot.roster import Params as SpotHosts

Environment = Literal["prod", "demo", "box"]
Execution = Literal["observe", "paper", "live"]

SERIES = ("KXBTC", "KXBTCD", "KXBTC15M", "KXETH", "KXETHD", "KXETH15M", "KXSOLE", "KXSOLD", "KXSOL15M")
"""The series that can be traded, as the venue names them."""

ASSETS = tuple(dict.fromkeys(asset for asset in map(asset_of, SERIES) if asset is not None))
"""Their assets."""

_MISTAKEN_SERIES = {"KXBTCUD": "KXBTC15M", "KXETHUD": "KXETH15M", "KXSOLUD": "KXSOL15M", "KXSOL": "KXSOLE"}
_UNKNOWN_WORD = re.compile(r"Invalid enum value '(?P<word>[^']*)' - at `\$\.(?P<path>[^`]+)`")
_UNKNOWN = re.compile(r"unknown field `(?P<key>[^`]+)`(?: - at `(?P<path>[^`]+)`)?")


class Strategies(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which strategies trade, with their parameters; an absent one is off. The onlooker is on in observe alone."""

    taker: TakerParams | None = None
    momentum_scalp: MomentumScalpParams | None = None
    market_maker: MarketMakerParams | None = None
    onlooker: OnlookerParams = OnlookerParams()


class RoomSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every room's parameters, as the rooms declare them."""

    engine: EngineParams = EngineParams()
    books: BooksParams = BooksParams()
    index: IndexParams = IndexParams()
    fair: FairParams = FairParams()
    volatility: VolatilityParams = VolatilityParams()
    implied: ImpliedParams = ImpliedParams()
    regimes: RegimeParams = RegimeParams()
    limits: LimitsParams = LimitsParams()
    reconcile: ReconcileParams = ReconcileParams()
    stopping: StoppingParams = StoppingParams()


class Spot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether spot venues are listened to, where, and how. In the box none is that is not on this machine.

    `licence_file` holds user and key of CF Benchmarks (one line, USER:KEY); without one it is left out.
    """

    is_on: bool = True
    hosts: SpotHosts = SpotHosts()
    licence_file: str = ""
    prices: SpotPricesParams = SpotPricesParams()
    feed: SpotFeedParams = SpotFeedParams()


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that decides what a run does. `environment` and `execution` default to looking only.

    `websocket` is the library that holds the connections of the stream and of spot venues.
    """

    environment: Environment = "prod"
    execution: Execution = "observe"
    seed: int = 0
    websocket: Library = "picows"
    rooms: RoomSettings = RoomSettings()
    spot: Spot = Spot()
    strategies: Strategies = Strategies()
    replay: ReplayParams = ReplayParams()
    journal: JournalParams = JournalParams()
    disk: DiskParams = DiskParams()


def box_profile() -> Settings:
    """Give the settings for a simulated exchange: its Bitcoin ladder and 15-minute market, scalp and maker on."""
    return Settings(
        environment="box",
        execution="live",
        rooms=RoomSettings(
            engine=EngineParams(series=("KXBTCD", "KXBTC15M")),
            limits=LimitsParams(paces={"market_maker": Pace(per_second_max=20, per_minute_max=600)}),
        ),
        strategies=Strategies(momentum_scalp=MomentumScalpParams(), market_maker=MarketMakerParams()),
    )


def observe_profile(environment: Environment) -> Settings:
    """Give the settings for observing: the Bitcoin series, their markets from an hour before the close."""
    series = box_profile().rooms.engine.series if environment == "box" else SERIES[:3]
    engine = EngineParams(series=series, watch_within_ns=HOUR_NS)
    return Settings(environment=environment, rooms=RoomSettings(engine=engine))


def observing(settings: Settings, environment: Environment) -> Settings:
    """Give settings of a file with the series to observe; a file that names none leaves `observe_profile`'s."""
    engine, usual = settings.rooms.engine, observe_profile(environment).rooms.engine
    if engine.series:
        return settings
    engine = usual if engine == EngineParams() else msgspec.structs.replace(engine, series=usual.series)
    return _with_engine(settings, engine)


def trading(name: str, settings: Settings) -> Settings:
    """Give settings of the file `name` with the series to trade; a file that names none leaves `box_profile`'s.

    Raises `ConfigError` when no strategy is on.
    """
    chosen = settings.strategies
    if chosen == Strategies(onlooker=chosen.onlooker):
        raise ConfigError(f"{name} turns no strategy on; give it a table such as [strategies.taker]")
    engine = settings.rooms.engine
    if engine.series:
        return settings
    return _with_engine(settings, msgspec.structs.replace(engine, series=box_profile().rooms.engine.series))


def load(path: Path) -> Settings:
    """Give the settings in a file; its ending says how to read it.

    Raises `ConfigError` when the file cannot be read or a key or value is not accepted.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}); name a settings file that exists") from None
    try:
        settings = _decode(path, data)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path.name}: {explain(str(error))}") from None
    except (msgspec.MsgspecError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problem = " ".join(str(error).split())
        raise ConfigError(f"{path.name} is not readable {path.suffix[1:].upper()} ({problem}); mend it there") from None
    except RecursionError:
        raise ConfigError(f"{path.name} is nested deeper than any settings are; correct it") from None
    _check(path.name, settings)
    return settings


def explain(problem: str) -> str:
    """Give a settings problem as a sentence that names the nearest known key, or word."""
    if (unknown := _UNKNOWN_WORD.search(problem)) is not None:
        path = re.sub(r"\[[^]]*\]", "", unknown["path"])
        words = _words(_at(path))
        near = difflib.get_close_matches(unknown["word"], words, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose {', '.join(words)}"
        return f"{path} cannot be {unknown['word']!r}; {hint}"
    found = _UNKNOWN.search(problem)
    if found is None:
        return f"{problem}; correct that value"
    key, path = found["key"], (found["path"] or "$").removeprefix("$").removeprefix(".")
    place = _at(path.removesuffix("[...]"))
    names = [field.name for field in msgspec.structs.fields(place)] if _is_struct(place) else []
    near = difflib.get_close_matches(key, names, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}?" if near else f"known keys are {', '.join(names)}"
    where = f" under {path}" if path else ""
    return f"there is no setting {key!r}{where}; {hint}"


def encode(settings: Settings) -> str:
    """Give settings as JSON text in a fixed order: what a run's first record holds."""
    return msgspec.json.encode(settings, order="deterministic").decode()


def settings_digest(settings: Settings) -> str:
    """Give the SHA-256 of the settings' JSON text, as hex."""
    return hashlib.sha256(encode(settings).encode()).hexdigest()


def _with_engine(settings: Settings, engine: EngineParams) -> Settings:
    return msgspec.structs.replace(settings, rooms=msgspec.structs.replace(settings.rooms, engine=engine))


def _decode(path: Path, data: bytes) -> Settings:
    match path.suffix:
        case ".toml":
            return msgspec.convert(tomllib.loads(data.decode()), Settings)
        case ".yaml" | ".yml":
            return msgspec.yaml.decode(data, type=Settings)
        case ".json":
            return msgspec.json.decode(data, type=Settings)
        case _:
            raise ConfigError(f"{path.name} must end in .toml, .yaml or .json; rename it")


def _check(name: str, settings: Settings) -> None:
    """Refuse what has the right type and still cannot be meant: unknown series and names, numbers that are none."""
    for series in settings.rooms.engine.series:
        if series not in SERIES:
            near = (
                [_MISTAKEN_SERIES[series]] if series in _MISTAKEN_SERIES else difflib.get_close_matches(series, SERIES)
            )
            hint = f"did you mean {near[0]}?" if near else f"known series are {', '.join(SERIES)}"
            raise ConfigError(f"{name}: there is no series {series!r} under rooms.engine; {hint}")
    if not settings.rooms.engine.timeframes:
        words = ", ".join(Timeframe)
        raise ConfigError(f"{name}: there is nothing to look at without timeframes under rooms.engine; choose {words}")
    for place, key, known in _named(settings):
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            raise ConfigError(f"{name}: there is no {key!r} to be set under {place}; {hint}")
    for place, value in _numbers("", msgspec.to_builtins(settings)):
        if not math.isfinite(value):
            raise ConfigError(f"{name}: {place} is {value}, which is no number; correct that value")


def _named(settings: Settings) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Give each setting that goes by a name of the user's: its place, the name, and the names that are known there."""
    rooms, errors = settings.rooms, tuple(f"{source}/{asset}" for source in PROXIES for asset in ASSETS)
    strategies = tuple(field.name for field in msgspec.structs.fields(Strategies))
    yield from (("rooms.index.proxy_sd_e8", key, errors) for key in rooms.index.proxy_sd_e8)
    yield from (("rooms.fair.clocks", key, ASSETS) for key in rooms.fair.clocks)
    yield from (("rooms.regimes.vol_usual", key, ASSETS) for key in rooms.regimes.vol_usual)
    yield from (("spot.prices.replicas", key, ASSETS) for key in settings.spot.prices.replicas)
    yield from (("rooms.limits.paces", key, strategies) for key in rooms.limits.paces)


def _numbers(place: str, value: object) -> Iterator[tuple[str, float]]:
    if isinstance(value, float):
        yield place, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _numbers(f"{place}.{key}" if place else str(key), inner)


def _at(path: str) -> object:
    """Give the type of the setting at a path, of all settings at the empty one."""
    place: object = Settings
    for step in path.split(".") if path else []:
        place = _field_type(place, step)
    return place


def _field_type(place: object, name: str) -> object:
    if not _is_struct(place):
        return None
    found = next((f.type for f in msgspec.structs.fields(place) if f.name == name), None)
    inner = [arg for arg in getattr(found, "__args__", ()) if _is_struct(arg)]
    return inner[0] if inner else found


def _words(kind: object) -> tuple[str, ...]:
    """Give the words that a type of literals or an enumeration accepts, or a collection of such."""
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return tuple(word.value for word in kind)
    args = getattr(kind, "__args__", ())
    return tuple(arg for arg in args if isinstance(arg, str)) or next(filter(None, map(_words, args)), ())


def _is_struct(place: object) -> TypeGuard[type[msgspec.Struct]]:
    return isinstance(place, type) and issubclass(place, msgspec.Struct)
