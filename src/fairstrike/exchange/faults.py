"""What can be made to go wrong, as values: one frozen type a kind, and how each is written down.

A fault is in force from `at_s` (venue seconds after the exchange's start; without it from when it is added) for
`duration_s` (without it until it is removed). While in force it strikes what fits its target with `probability`, at
most `count` times. Targets are patterns with `*` and `?`; one left out fits everything. A market fits a request that
names it in path, query or body. All times and delays are venue time.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fairstrike.core.bounds import Positive, Share
from fairstrike.core.errors import ConfigError

Start = Annotated[float, Meta(ge=0, le=604_800)]
Span = Annotated[float, Meta(gt=0, le=604_800)]
Beat = Annotated[float, Meta(ge=0.001, le=604_800)]
Delay = Annotated[float, Meta(ge=0, le=3_600_000)]
Pattern = Annotated[str, Meta(min_length=1, max_length=200)]
Channel = Literal[
    "orderbook_delta",
    "ticker",
    "trade",
    "fill",
    "user_orders",
    "market_positions",
    "market_lifecycle_v2",
    "cfbenchmarks_value",
    "cfbenchmarks_value_5hz",
    "order_group_updates",
]
Law = Literal["constant", "uniform", "exponential"]


class Timed(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind"
):
    """When a fault is in force."""

    at_s: Start | None = None
    duration_s: Span | None = None


class RequestFault(Timed, frozen=True, kw_only=True):
    """A fault of single REST requests; `path` is matched below the root, such as `/portfolio/events/orders*`."""

    probability: Share = 1.0
    count: Positive | None = None
    method: Literal["GET", "POST", "PUT", "DELETE"] | None = None
    path: Pattern | None = None
    account: Pattern | None = None
    market: Pattern | None = None


class FrameFault(Timed, frozen=True, kw_only=True):
    """A fault of single frames that carry news; answers to commands are spared."""

    probability: Share = 1.0
    count: Positive | None = None
    channel: Channel | None = None
    account: Pattern | None = None
    market: Pattern | None = None


# Requests


class Latency(RequestFault, frozen=True, kw_only=True, tag="latency"):
    """Requests, or their answers, take longer.

    `law` constant: `ms`; uniform: `ms` to `ms` + `spread_ms`; exponential: `ms` and a wait of mean `spread_ms`.
    """

    law: Law = "constant"
    ms: Delay = 0.0
    spread_ms: Delay = 0.0
    leg: Literal["request", "answer"] = "request"


class ServerError(RequestFault, frozen=True, kw_only=True, tag="server_error"):
    """The answer is 500, 502, 503 or 504; with `is_done` the request was carried out all the same."""

    status: Literal[500, 502, 503, 504] = 503
    is_done: bool = False


class RateLimited(RequestFault, frozen=True, kw_only=True, tag="rate_limited"):
    """The answer is 429; with `retry_after_s` it has the header `Retry-After`."""

    retry_after_s: Annotated[int, Meta(ge=0, le=3_600)] | None = None


class Timeout(RequestFault, frozen=True, kw_only=True, tag="timeout"):
    """No answer ever comes; with `is_done` the request was carried out."""

    is_done: bool = True


class CutAnswer(RequestFault, frozen=True, kw_only=True, tag="cut_answer"):
    """The request is carried out, half its answer arrives, and the connection breaks."""


class MalformedAnswer(RequestFault, frozen=True, kw_only=True, tag="malformed_answer"):
    """The request is carried out and the answer's body is not JSON."""


class SignatureRefused(RequestFault, frozen=True, kw_only=True, tag="signature_refused"):
    """A right signature is answered 401; the stream's handshake has the path `/trade-api/ws/v2`."""


class ClockSkew(Timed, frozen=True, kw_only=True, tag="clock_skew"):
    """The wall clock that judges signatures and is shown as `Date` goes `ms` ahead (negative: behind)."""

    ms: Annotated[int, Meta(ge=-86_400_000, le=86_400_000)]


# The stream


class DropFrame(FrameFault, frozen=True, kw_only=True, tag="drop"):
    """A frame is lost."""


class DuplicateFrame(FrameFault, frozen=True, kw_only=True, tag="duplicate"):
    """A frame arrives twice."""


class ReorderFrame(FrameFault, frozen=True, kw_only=True, tag="reorder"):
    """A frame arrives after the one that follows it."""


class SequenceGap(FrameFault, frozen=True, kw_only=True, tag="gap"):
    """The numbers of a subscription jump by `size`, and nothing else is lost."""

    size: Annotated[int, Meta(ge=1, le=1_000_000)] = 1


class MalformedFrame(FrameFault, frozen=True, kw_only=True, tag="malformed_frame"):
    """A frame is cut in half."""


class StreamLatency(FrameFault, frozen=True, kw_only=True, tag="stream_latency"):
    """Frames take longer and keep their order; law and times as in `latency`."""

    law: Law = "constant"
    ms: Delay = 0.0
    spread_ms: Delay = 0.0


class LateFill(Timed, frozen=True, kw_only=True, tag="late_fill"):
    """Fills are told `ms` late, after what came later."""

    ms: Delay
    probability: Share = 1.0
    count: Positive | None = None
    account: Pattern | None = None
    market: Pattern | None = None


class DuplicateFill(Timed, frozen=True, kw_only=True, tag="duplicate_fill"):
    """Fills are told twice."""

    probability: Share = 1.0
    count: Positive | None = None
    account: Pattern | None = None
    market: Pattern | None = None


class SilentStream(Timed, frozen=True, kw_only=True, tag="silent_stream"):
    """Nothing but heartbeats is sent on open streams; what was due meanwhile is lost."""

    account: Pattern | None = None


class Disconnect(Timed, frozen=True, kw_only=True, tag="disconnect"):
    """Every stream of the account is cut, `count` times, every `every_s`; without a count while in force."""

    every_s: Beat = 1.0
    count: Positive | None = 1
    account: Pattern | None = None


# The exchange


class ExchangePause(Timed, frozen=True, kw_only=True, tag="exchange_pause"):
    """A shard takes nothing; with `is_trading_only` it still takes cancels and decreases."""

    shard: Annotated[int, Meta(ge=0, le=3)] = 2
    is_trading_only: bool = False


class MarketPause(Timed, frozen=True, kw_only=True, tag="market_pause"):
    """Markets are paused; when they open again, what rested in them is cancelled."""

    market: Pattern


class Maintenance(Timed, frozen=True, kw_only=True, tag="maintenance"):
    """Trading is paused on all shards and streams are cut; with `is_down` every request is answered 503."""

    is_down: bool = False


class SettlementCorrection(Timed, frozen=True, kw_only=True, tag="settlement_correction"):
    """A settled market's result is corrected and the money moved, `after_s` after the market paid out.

    `value_ticks` is what a YES contract pays instead, in ticks of 1/10 000 dollar.
    """

    market: Pattern
    after_s: Annotated[float, Meta(ge=0, le=604_800)] = 30.0
    value_ticks: Annotated[int, Meta(ge=0, le=10_000)]


Framed = (
    DropFrame
    | DuplicateFrame
    | ReorderFrame
    | SequenceGap
    | MalformedFrame
    | StreamLatency
    | LateFill
    | DuplicateFill
    | SilentStream
)
Requested = Latency | ServerError | RateLimited | Timeout | CutAnswer | MalformedAnswer | SignatureRefused
Staged = ExchangePause | MarketPause | Maintenance | SettlementCorrection
Fault = Requested | ClockSkew | Framed | Disconnect | Staged

KINDS: tuple[str, ...] = tuple(str(kind.__struct_config__.tag) for kind in Fault.__args__)
"""The names of all kinds, in the order of this file."""

_SWITCHES = {"true": True, "false": False}


def read_fault(values: object, *, is_text: bool = False) -> Fault:
    """Give the fault that a table of names and values describes; `is_text` when every value is text.

    Raises `ConfigError` for an unknown kind or name, or a value out of its bounds: the sentence names it.
    """
    if not isinstance(values, dict):
        raise ConfigError('a fault is a table of names and values, such as kind = "drop"; write one')
    kind = values.get("kind")
    if kind not in KINDS:
        said = "names no kind" if kind is None else f"has the unknown kind {str(kind)[:40]!r}"
        raise ConfigError(f"a fault {said}; choose one of {', '.join(KINDS)}")
    try:
        fault: Fault = msgspec.convert(values, Fault, strict=not is_text)
    except msgspec.ValidationError as why:
        raise ConfigError(f"fault {kind}: {why}; correct it") from None
    return fault


def parse_fault(text: str) -> Fault:
    """Give the fault written as `kind=NAME,name=value,...`.

    Raises `ConfigError` as `read_fault` does, and for a part without an equals sign.
    """
    values: dict[str, object] = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if not equals or not name.strip():
            raise ConfigError(f"fault {text[:60]!r}: {part[:40]!r} is not name=value; separate them by commas")
        if name.strip() in values:
            raise ConfigError(f"fault {text[:60]!r} says {name.strip()[:40]} twice; leave one out")
        values[name.strip()] = _SWITCHES.get(value.strip(), value.strip())
    return read_fault(values, is_text=True)


def parse_scenario(text: str) -> tuple[Fault, ...]:
    """Give the faults of a scenario file: TOML with a table `[[fault]]` for each.

    Raises `ConfigError` for text that is not TOML, for other tables, and as `read_fault` does with its number.
    """
    try:
        tables = msgspec.toml.decode(text)
    except msgspec.DecodeError as why:
        raise ConfigError(f"the scenario is not TOML ({why}); correct it") from None
    rows = tables.get("fault", [])
    if set(tables) - {"fault"} or not isinstance(rows, list):
        raise ConfigError("a scenario holds tables [[fault]] and nothing else; correct it")
    faults: list[Fault] = []
    for number, row in enumerate(rows, start=1):
        try:
            faults.append(read_fault(row))
        except ConfigError as why:
            raise ConfigError(f"fault {number} of the scenario: {why}") from None
    return tuple(faults)
