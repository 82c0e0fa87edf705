"""One client's stream: its subscriptions, the frames it is owed, and the envelope of what is said both ways.

Source: the venue's AsyncAPI document 2.0.0 and captures of 2026.
"""

from enum import IntEnum
from typing import Annotated

import msgspec
from msgspec import Meta

FRAMES_OWED_MAX = 200_000
BYTES_OWED_MAX = 128 << 20
COMMANDS_A_SECOND_MAX = 10_000
MARKETS_OF_A_CONNECTION_MAX = 500_000


class Fault(IntEnum):
    """The venue's error codes that the box sends."""

    UNABLE = 1
    NO_PARAMS = 2
    NO_CHANNELS = 3
    NO_SIDS = 4
    UNKNOWN_COMMAND = 5
    UNKNOWN_SID = 7
    UNKNOWN_CHANNEL = 8
    NOT_ENTITLED = 9
    INVALID = 11
    ONE_SID = 12
    UNKNOWN_ACTION = 13
    NO_MARKET = 14
    NO_ACTION = 15
    IDS_MISMATCH = 23
    NO_INDICES = 24
    OVERFLOW = 25
    TOO_MANY_MARKETS = 26
    TOO_MANY_REQUESTS = 27


Tickers = tuple[str, ...]
IndexId = Annotated[str, Meta(max_length=100)]


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of any command; which of them a command needs is checked where it is carried out."""

    channels: tuple[str, ...] = ()
    market_ticker: str | None = None
    market_tickers: Tickers | None = None
    market_id: str | None = None
    market_ids: tuple[str, ...] | None = None
    index_ids: tuple[IndexId, ...] | None = None
    send_initial_snapshot: bool = False
    skip_ticker_ack: bool = False
    use_yes_price: bool | None = None
    sid: int | None = None
    sids: tuple[int, ...] = ()
    action: str | None = None

    @property
    def tickers(self) -> Tickers:
        """The markets named, in either way of naming them."""
        single = () if self.market_ticker is None else (self.market_ticker,)
        return (*(self.market_tickers or ()), *single)

    @property
    def ids(self) -> tuple[str, ...]:
        """The markets named by their ids, which only tickers know."""
        single = () if self.market_id is None else (self.market_id,)
        return (*(self.market_ids or ()), *single)


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What a client says; `id` 0 means none. Its parameters are read once the command is known to have any."""

    cmd: str
    id: int = 0
    params: msgspec.Raw = msgspec.Raw(b"null")


class Frame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What the exchange says; a number of 0 means none, and every one that is given starts at 1."""

    type: str
    id: int = 0
    sid: int = 0
    seq: int = 0
    msg: msgspec.Raw | None = None


class _FaultMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    code: int
    msg: str
    market_tickers: Tickers = ()


decode_command = msgspec.json.Decoder(Command).decode
"""Give the `Command` in bytes.

Raises `msgspec.MsgspecError`, `UnicodeDecodeError` or `RecursionError` for bytes that are none.
"""

decode_params = msgspec.json.Decoder(Params | None).decode
"""Give the `Params` in bytes, None for null. Raises as `decode_command` does."""

encode = msgspec.json.Encoder().encode
"""Give the bytes of a frame or of its `msg`."""


class Subscription:
    """One open channel. `wanted` holds market tickers or index ids; None means all.

    `is_yes_priced` has a book's NO side told in YES prices.
    """

    __slots__ = ("channel", "is_yes_priced", "seq", "sid", "wanted")

    def __init__(self, sid: int, channel: str, wanted: set[str] | None) -> None:
        """Start with no numbered frame sent."""
        self.is_yes_priced = False
        self.sid = sid
        self.channel = channel
        self.wanted = wanted
        self.seq = 0

    def wants(self, name: str) -> bool:
        """Whether news of the market or index `name` belong to this subscription."""
        return self.wanted is None or name in self.wanted


class Connection:
    """One client's subscriptions, in order of opening, and the frames it is owed.

    At `FRAMES_OWED_MAX` frames owed, news end their subscription with error 25; at twice as many, answers
    alone having filled the rest, or at `BYTES_OWED_MAX` the connection is lost.
    """

    __slots__ = ("_commands", "_owed", "_owed_bytes", "account", "by_channel", "is_lost", "sids_given")

    def __init__(self, account: str) -> None:
        """Start with nothing open."""
        self.account = account
        self.by_channel: dict[str, Subscription] = {}
        self._owed: list[bytes] = []
        self._owed_bytes = 0
        self.is_lost = False
        self.sids_given = 0
        # The venue second of the last command, and how many came in it.
        self._commands = (0, 0)

    def may_command(self, second: int) -> bool:
        """Count a command in the venue second `second`; False beyond `COMMANDS_A_SECOND_MAX`."""
        last, count = self._commands
        self._commands = (second, count + 1 if second == last else 1)
        return self._commands[1] <= COMMANDS_A_SECOND_MAX

    def push(self, frame: Frame) -> None:
        """Owe a frame, or lose the connection when the client never reads."""
        if len(self._owed) >= 2 * FRAMES_OWED_MAX or self._owed_bytes >= BYTES_OWED_MAX:
            self.is_lost = True
            return
        data = encode(frame)
        self._owed.append(data)
        self._owed_bytes += len(data)

    def take(self) -> list[bytes]:
        """Give the frames owed since the last call, oldest first, and owe them no longer."""
        frames, self._owed, self._owed_bytes = self._owed, [], 0
        return frames

    def open(self, channel: str, wanted: set[str] | None) -> Subscription:
        """Open `channel` under the next sid."""
        self.sids_given += 1
        subscription = Subscription(self.sids_given, channel, wanted)
        self.by_channel[channel] = subscription
        return subscription

    def by_sid(self, sid: int) -> Subscription | None:
        """Give an open subscription by its sid."""
        return next((each for each in self.by_channel.values() if each.sid == sid), None)

    def send(self, subscription: Subscription, kind: str, msg: bytes | None, *, request: int = 0) -> None:
        """Owe a numbered frame; too many owed ends the subscription instead."""
        if self._is_overflowing(subscription):
            return
        subscription.seq += 1
        raw = None if msg is None else msgspec.Raw(msg)
        self.push(Frame(type=kind, id=request, sid=subscription.sid, seq=subscription.seq, msg=raw))

    def send_plain(self, subscription: Subscription, kind: str, msg: bytes) -> None:
        """Owe a frame without a number; too many owed ends the subscription instead."""
        if not self._is_overflowing(subscription):
            self.push(Frame(type=kind, sid=subscription.sid, msg=msgspec.Raw(msg)))

    def refuse(self, request: int, code: Fault, text: str, *, sid: int = 0, tickers: Tickers = ()) -> None:
        """Owe an error that answers a command, or ends the subscription `sid`."""
        fault = _FaultMessage(code=code, msg=text, market_tickers=tickers)
        self.push(Frame(type="error", id=request, sid=sid, msg=msgspec.Raw(encode(fault))))

    def _is_overflowing(self, subscription: Subscription) -> bool:
        if self.by_channel.get(subscription.channel) is not subscription:
            return True
        if len(self._owed) < FRAMES_OWED_MAX:
            return False
        del self.by_channel[subscription.channel]
        self.refuse(0, Fault.OVERFLOW, "subscription buffer overflow", sid=subscription.sid)
        return True
