"""What we want streamed, what the venue has opened, and the commands between the two.

Markets' channels are opened once and then changed; while their sids are not yet acknowledged, markets are
added by subscribing again, which the venue merges into the open subscription (captured August 2026).
"""

from collections.abc import Iterable

from fairstrike.market.index import INDICES
from fairstrike.venue.kalshi.wire.commands import (
    ADD_MARKETS,
    DELETE_MARKETS,
    GET_SNAPSHOT,
    ListSubscriptions,
    Subscribe,
    SubscribeParams,
    UpdateParams,
    UpdateSubscription,
    encode_command,
)

BOOK_CHANNEL = "orderbook_delta"
INDEX_CHANNEL = "cfbenchmarks_value"
MARKET_CHANNELS = (BOOK_CHANNEL, "ticker", "trade")
ACCOUNT_CHANNELS = ("fill", "user_orders")
LIFECYCLE_CHANNEL = "market_lifecycle_v2"
INDEX_IDS = tuple(INDICES.values())

_PENDING_MAX = 1_024


class Subscriptions:
    """The markets watched, and the sids of one connection. `reads_account` opens the private channels."""

    def __init__(self, *, reads_account: bool) -> None:
        """Start disconnected, watching nothing."""
        self._reads_account = reads_account
        self._watched: dict[str, None] = {}
        self._sids: dict[str, int] = {}
        self._pending: dict[int, tuple[str, ...]] = {}
        self._last_id = 0
        self._is_connected = False

    @property
    def watched(self) -> tuple[str, ...]:
        """The markets watched, in the order they were asked for."""
        return tuple(self._watched)

    @property
    def book_sid(self) -> int | None:
        """The sid of the order books, None until acknowledged."""
        return self._sids.get(BOOK_CHANNEL)

    def connect(self) -> list[bytes]:
        """Forget all sids; give the commands that open everything on a new connection."""
        self.disconnect()
        self._is_connected = True
        commands = [self._subscribe_markets(self.watched)] if self._watched else []
        channels = (*ACCOUNT_CHANNELS, LIFECYCLE_CHANNEL) if self._reads_account else (LIFECYCLE_CHANNEL,)
        commands.append(self._subscribe(SubscribeParams(channels=channels)))
        commands.append(self._subscribe(SubscribeParams(channels=(INDEX_CHANNEL,), index_ids=INDEX_IDS)))
        return commands

    def disconnect(self) -> None:
        """Forget all sids; nothing is sent until the next `connect`."""
        self._sids.clear()
        self._pending.clear()
        self._is_connected = False

    def watch(self, tickers: Iterable[str]) -> list[bytes]:
        """Watch markets from now on; give the commands for those not watched yet."""
        new = tuple(ticker for ticker in dict.fromkeys(tickers) if ticker not in self._watched)
        self._watched.update(dict.fromkeys(new))
        if not (new and self._is_connected):
            return []
        if any(channel not in self._sids for channel in MARKET_CHANNELS):
            return [self._subscribe_markets(new)]
        return [self._update(channel, ADD_MARKETS, new) for channel in MARKET_CHANNELS]

    def unwatch(self, tickers: Iterable[str]) -> list[bytes]:
        """Watch markets no longer; give the commands for the channels already acknowledged."""
        gone = tuple(ticker for ticker in dict.fromkeys(tickers) if ticker in self._watched)
        for ticker in gone:
            del self._watched[ticker]
        if not (gone and self._is_connected):
            return []
        return [self._update(channel, DELETE_MARKETS, gone) for channel in MARKET_CHANNELS if channel in self._sids]

    def resubscribe(self, tickers: Iterable[str]) -> list[bytes]:
        """Ask for fresh snapshots of markets. One that is watched no longer is left out: who asks may not know yet."""
        asked = tuple(ticker for ticker in dict.fromkeys(tickers) if ticker in self._watched)
        if not (asked and self._is_connected):
            return []
        if self.book_sid is None:
            return [self._subscribe_markets(asked)]
        return [self._update(BOOK_CHANNEL, GET_SNAPSHOT, asked)]

    def ask_open(self) -> list[bytes]:
        """Ask which sids the venue has opened, when that of the books is not known: its answer may have been lost."""
        if self.book_sid is not None or not self._is_connected:
            return []
        return [encode_command(ListSubscriptions(id=self._next_id(())))]

    def opened(self, channel: str | None, sid: int | None, request_id: int | None) -> None:
        """Note that the venue opened a channel under a sid, as it said or as was asked under that id."""
        if sid is None:
            return
        if channel is None:
            asked = self._pending.get(request_id or 0, ())
            channel = asked[0] if len(asked) == 1 else None
        if channel is not None:
            self._sids[channel] = sid

    def closed(self, sid: int | None) -> str | None:
        """Forget a sid; give its channel, None when it was not known."""
        for channel, known in self._sids.items():
            if known == sid:
                del self._sids[channel]
                return channel
        return None

    def asked_under(self, request_id: int | None) -> str:
        """Give the channels a command was about, as text, empty when unknown."""
        return ",".join(self._pending.get(request_id or 0, ()))

    def _subscribe_markets(self, tickers: tuple[str, ...]) -> bytes:
        return self._subscribe(SubscribeParams(channels=MARKET_CHANNELS, market_tickers=tickers, use_yes_price=False))

    def _subscribe(self, params: SubscribeParams) -> bytes:
        return encode_command(Subscribe(id=self._next_id(params.channels), params=params))

    def _update(self, channel: str, action: str, tickers: tuple[str, ...]) -> bytes:
        params = UpdateParams(action=action, sids=(self._sids[channel],), market_tickers=tickers)
        return encode_command(UpdateSubscription(id=self._next_id((channel,)), params=params))

    def _next_id(self, channels: tuple[str, ...]) -> int:
        self._last_id += 1
        self._pending[self._last_id] = channels
        if len(self._pending) > _PENDING_MAX:
            del self._pending[next(iter(self._pending))]
        return self._last_id
