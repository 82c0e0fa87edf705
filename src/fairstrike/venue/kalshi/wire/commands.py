"""What a client says on the stream: subscribe, update, unsubscribe, list. Source: AsyncAPI document 2.0.0."""

import msgspec

ADD_MARKETS = "add_markets"
DELETE_MARKETS = "delete_markets"
GET_SNAPSHOT = "get_snapshot"


class SubscribeParams(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Channels to open. `use_yes_price` false keeps NO levels in NO prices whatever the default becomes."""

    channels: tuple[str, ...]
    market_tickers: tuple[str, ...] | None = None
    market_ticker: str | None = None
    index_ids: tuple[str, ...] | None = None
    send_initial_snapshot: bool | None = None
    use_yes_price: bool | None = None


class UpdateParams(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A change of one subscription: exactly one sid, as `sid` or in `sids`."""

    action: str
    sid: int | None = None
    sids: tuple[int, ...] | None = None
    market_tickers: tuple[str, ...] | None = None
    market_ticker: str | None = None
    index_ids: tuple[str, ...] | None = None


class UnsubscribeParams(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Subscriptions to close."""

    sids: tuple[int, ...]


class Subscribe(msgspec.Struct, frozen=True, kw_only=True, tag_field="cmd", tag="subscribe"):
    """Open channels. Answered by one `subscribed` per channel, or `ok` for a channel already open."""

    id: int
    params: SubscribeParams


class UpdateSubscription(msgspec.Struct, frozen=True, kw_only=True, tag_field="cmd", tag="update_subscription"):
    """Add or delete markets, or ask for snapshots. Answered by `ok`, or by the snapshots."""

    id: int
    params: UpdateParams


class Unsubscribe(msgspec.Struct, frozen=True, kw_only=True, tag_field="cmd", tag="unsubscribe"):
    """Close subscriptions. Answered by `unsubscribed` for each."""

    id: int
    params: UnsubscribeParams


class ListSubscriptions(msgspec.Struct, frozen=True, kw_only=True, tag_field="cmd", tag="list_subscriptions"):
    """Ask which subscriptions are open. Answered by `ok` with a list."""

    id: int


Command = Subscribe | UpdateSubscription | Unsubscribe | ListSubscriptions
"""What a client may send."""

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)


def encode_command(command: Command) -> bytes:
    """Give the bytes of a command."""
    return _encoder.encode(command)


def decode_command(data: bytes) -> Command:
    """Give the command in `data`.

    Raises `msgspec.DecodeError` (malformed) or `msgspec.ValidationError` (unknown or ill-typed command).
    """
    return _decoder.decode(data)
