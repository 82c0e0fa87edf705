"""The stream without its socket: connections, their subscriptions, and the frames each one is owed.

A connection opens channels; each open channel is one subscription with its own number (`sid`) and its own count
of numbered frames (`seq`). Opening a channel again adds markets to the open subscription and is answered by
`ok`. Every `ok`, `unsubscribed`, snapshot, delta, trade and lifecycle frame takes a number; tickers, fills,
orders and positions take none. There is no replay: a subscription that falls behind ends with error 25.
Source: the venue's AsyncAPI document 2.0.0 and captures of 2026.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import assert_never

import msgspec

from fairstrike.core.timing import SECOND_NS
from fairstrike.exchange.api import messages
from fairstrike.exchange.api.connection import (
    Connection,
    Fault,
    Frame,
    Params,
    Subscription,
    Tickers,
    decode_command,
    encode,
)
from fairstrike.exchange.api.markets import book_shape
from fairstrike.exchange.api.words import index_id
from fairstrike.exchange.floor import Floor
from fairstrike.exchange.happenings import (
    BalanceChanged,
    FeesChanged,
    Filled,
    GridChanged,
    GroupChanged,
    Happening,
    IndexPublished,
    LevelChanged,
    MarketActivated,
    MarketClosed,
    MarketDeactivated,
    MarketDetermined,
    MarketListed,
    MarketReactivated,
    MarketSettled,
    OrderChanged,
    ShardChanged,
    StrikePublished,
    Traded,
)

BOOK, TICKER, TRADE, FILL = "orderbook_delta", "ticker", "trade", "fill"
ORDERS, POSITIONS, LIFECYCLE = "user_orders", "market_positions", "market_lifecycle_v2"
INDEX = "cfbenchmarks_value"
CHANNELS = frozenset({BOOK, TICKER, TRADE, FILL, ORDERS, POSITIONS, LIFECYCLE, INDEX})


class Streams:
    """Every connection of the exchange. Told what happened; gives frames."""

    def __init__(self, floor: Floor, *, is_index_granted: bool = True) -> None:
        """Stream `floor`; whether keys are entitled to the index channel is a switch."""
        self._floor = floor
        self._is_index_granted = is_index_granted
        self._connections: dict[int, Connection] = {}
        self._opened = 0
        # Markets changed since the last tickers, in order of change; and the second those were sent in.
        self._stirred: dict[str, None] = {}
        self._ticker_second = floor.now_ns // SECOND_NS

    def connect(self, account: str) -> int:
        """Open a connection of `account` and give its number."""
        self._opened += 1
        self._connections[self._opened] = Connection(account)
        return self._opened

    def disconnect(self, connection: int) -> None:
        """Forget a connection; nothing of it can be resumed."""
        self._connections.pop(connection, None)

    def frames(self, connection: int) -> list[bytes]:
        """Give the frames owed since the last call, oldest first; none for a connection that is gone."""
        client = self._connections.get(connection)
        if client is None or not client.owed:
            return []
        frames, client.owed = client.owed, []
        return frames

    def is_lost(self, connection: int) -> bool:
        """Whether a connection was owed too much and must be closed."""
        client = self._connections.get(connection)
        return client is not None and client.is_lost

    # Commands

    def command(self, connection: int, data: bytes) -> None:
        """Carry out what a client says; the answer is among its frames. All happenings must be published."""
        client = self._connections[connection]
        try:
            command = decode_command(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            client.refuse(0, Fault.UNABLE, "Unable to process message")
            return
        acts = {
            "subscribe": self._subscribe,
            "update_subscription": self._update,
            "unsubscribe": self._unsubscribe,
        }
        if command.cmd == "list_subscriptions":
            rows = [{"channel": each.channel, "sid": each.sid} for each in client.by_channel.values()]
            client.push(Frame(type="ok", id=command.id, msg=msgspec.Raw(encode(rows))))
        elif command.cmd not in acts:
            client.refuse(command.id, Fault.UNKNOWN_COMMAND, "Unknown command")
        elif command.params is None:
            client.refuse(command.id, Fault.NO_PARAMS, "Params required")
        else:
            acts[command.cmd](client, command.id, command.params)

    def _subscribe(self, client: Connection, request: int, params: Params) -> None:
        if not params.channels:
            client.refuse(request, Fault.NO_CHANNELS, "Channels required")
        for channel in params.channels:
            if channel not in CHANNELS:
                client.refuse(request, Fault.UNKNOWN_CHANNEL, "Unknown channel name")
            elif channel == INDEX:
                self._subscribe_index(client, request, params)
            elif channel == BOOK and not params.tickers:
                client.refuse(request, Fault.NO_MARKET, "Market Ticker required")
            elif unknown := self._unknown(params.tickers):
                client.refuse(request, Fault.INVALID, "Invalid parameter: unknown market", tickers=unknown)
            else:
                self._open_channel(client, request, channel, params)

    def _open_channel(self, client: Connection, request: int, channel: str, params: Params) -> None:
        # The lifecycle channel knows no filter.
        tickers = () if channel == LIFECYCLE else params.tickers
        held = client.by_channel.get(channel)
        if held is None:
            held = client.open(channel, set(tickers) or None)
            self._confirm(client, request, held)
            added = tickers
        else:
            added = self._merge(held, tickers)
            self._acknowledge(client, request, held)
        if channel == BOOK:
            self._send_books(client, held, dict.fromkeys(added))
        if channel == TICKER and params.send_initial_snapshot:
            self._send_tickers(client, held, tickers)

    def _subscribe_index(self, client: Connection, request: int, params: Params) -> None:
        if not self._is_index_granted:
            client.refuse(request, Fault.NOT_ENTITLED, "Authentication required")
            return
        names = set(params.index_ids or ())
        held = client.by_channel.get(INDEX)
        if held is None:
            self._confirm(client, request, client.open(INDEX, names))
        else:
            assert held.wanted is not None, "an index subscription lists its indices"
            held.wanted |= names
            self._acknowledge(client, request, held)

    def _update(self, client: Connection, request: int, params: Params) -> None:
        sids = params.sids if params.sid is None else (params.sid, *params.sids)
        if len(sids) != 1:
            client.refuse(request, Fault.ONE_SID, "Exactly one subscription ID is required")
            return
        held = client.by_sid(sids[0])
        if held is None:
            client.refuse(request, Fault.UNKNOWN_SID, "Unknown subscription ID", sid=sids[0])
        elif params.action is None:
            client.refuse(request, Fault.NO_ACTION, "Action required", sid=held.sid)
        elif held.channel == INDEX:
            self._update_indices(client, request, held, params)
        elif params.action in ("add_markets", "delete_markets", "get_snapshot"):
            self._update_markets(client, request, held, params)
        else:
            client.refuse(request, Fault.UNKNOWN_ACTION, "Unsupported action", sid=held.sid)

    def _update_markets(self, client: Connection, request: int, held: Subscription, params: Params) -> None:
        tickers = tuple(dict.fromkeys(params.tickers))
        if not tickers:
            client.refuse(request, Fault.NO_MARKET, "Market Ticker required", sid=held.sid)
        elif unknown := self._unknown(tickers):
            client.refuse(request, Fault.INVALID, "Invalid parameter: unknown market", sid=held.sid, tickers=unknown)
        elif params.action == "get_snapshot":
            missing = tuple(each for each in tickers if not held.wants(each))
            if held.channel != BOOK or missing:
                client.refuse(
                    request, Fault.INVALID, "Invalid parameter: not subscribed", sid=held.sid, tickers=missing
                )
            else:
                self._send_books(client, held, tickers, request=request)
        elif params.action == "add_markets":
            added = self._merge(held, tickers)
            self._acknowledge(client, request, held)
            if held.channel == BOOK:
                self._send_books(client, held, added)
        else:
            if held.wanted is not None:
                held.wanted.difference_update(tickers)
            self._acknowledge(client, request, held)

    def _update_indices(self, client: Connection, request: int, held: Subscription, params: Params) -> None:
        assert held.wanted is not None, "an index subscription lists its indices"
        if params.action == "indexlist":
            assets = dict.fromkeys(view.contract.asset for view in self._floor.markets())
            msg = encode({"index_ids": [index_id(asset) for asset in assets]})
            client.send(held, f"{INDEX}_indexlist", msg, request=request)
        elif params.action not in ("subscribe_indices", "unsubscribe_indices"):
            client.refuse(request, Fault.UNKNOWN_ACTION, "Unsupported action", sid=held.sid)
        elif not params.index_ids:
            client.refuse(request, Fault.NO_INDICES, "Index IDs required", sid=held.sid)
        else:
            if params.action == "subscribe_indices":
                held.wanted.update(params.index_ids)
            else:
                held.wanted.difference_update(params.index_ids)
            self._acknowledge(client, request, held)

    def _unsubscribe(self, client: Connection, request: int, params: Params) -> None:
        sids = params.sids if params.sid is None else (params.sid, *params.sids)
        if not sids:
            client.refuse(request, Fault.NO_SIDS, "Subscription IDs required")
        for sid in sids:
            held = client.by_sid(sid)
            if held is None:
                client.refuse(request, Fault.UNKNOWN_SID, "Unknown subscription ID", sid=sid)
            else:
                client.send(held, "unsubscribed", None, request=request)
                client.by_channel.pop(held.channel, None)

    def _unknown(self, tickers: Tickers) -> Tickers:
        return tuple(ticker for ticker in tickers if self._floor.market(ticker) is None)

    def _merge(self, held: Subscription, tickers: Tickers) -> Tickers:
        if not tickers:
            held.wanted = None
        if held.wanted is None:
            return ()
        added = tuple(ticker for ticker in dict.fromkeys(tickers) if ticker not in held.wanted)
        held.wanted.update(added)
        return added

    def _confirm(self, client: Connection, request: int, held: Subscription) -> None:
        msg = encode({"channel": held.channel, "sid": held.sid})
        client.push(Frame(type="subscribed", id=request, msg=msgspec.Raw(msg)))

    def _acknowledge(self, client: Connection, request: int, held: Subscription) -> None:
        key = "index_ids" if held.channel == INDEX else "market_tickers"
        client.send(held, "ok", encode({key: sorted(held.wanted or ())}), request=request)

    def _send_books(self, client: Connection, held: Subscription, tickers: Iterable[str], *, request: int = 0) -> None:
        for ticker in tickers:
            msg = messages.snapshot(ticker, book_shape(self._floor, ticker))
            client.send(held, "orderbook_snapshot", msg, request=request)

    def _send_tickers(self, client: Connection, held: Subscription, tickers: Tickers) -> None:
        for ticker in tickers or tuple(view.contract.ticker for view in self._floor.markets()):
            view = self._floor.market(ticker)
            assert view is not None, "subscribed markets are listed"
            client.send_plain(held, TICKER, messages.ticker(view, self._floor.now_ns))

    # Happenings

    def publish(self, happenings: Iterable[Happening], now_ns: int) -> None:
        """Turn what happened up to venue time `now_ns` into frames; tickers once a venue second."""
        for happening in happenings:
            self._tell(happening)
        if now_ns // SECOND_NS > self._ticker_second:
            self._ticker_second = now_ns // SECOND_NS
            self._tell_tickers(now_ns)

    def _tell(self, happening: Happening) -> None:
        match happening:
            case LevelChanged():
                self._stirred[happening.ticker] = None
                self._tell_level(happening)
            case Traded():
                self._stirred[happening.ticker] = None
                self._send_all(TRADE, happening.ticker, TRADE, lambda: messages.trade(happening))
            case Filled():
                self._tell_fill(happening)
            case OrderChanged():
                order = happening.order
                for client, held in self._owners(ORDERS, happening.account, order.ticker):
                    client.send_plain(held, "user_order", messages.user_order(order))
            case IndexPublished():
                self._tell_index(happening)
            case MarketDetermined():
                self._tell_lifecycle(happening)
                self._tell_end(happening.ticker)
            case MarketListed() | StrikePublished() | MarketSettled():
                self._tell_lifecycle(happening)
            case BalanceChanged() | MarketActivated() | MarketClosed() | ShardChanged():
                # The venue has no message for these.
                pass
            case GroupChanged() | MarketDeactivated() | MarketReactivated() | GridChanged() | FeesChanged():
                # The box has no channel or message for these yet.
                pass
            case _:
                assert_never(happening)

    def _listeners(self, channel: str, name: str) -> Iterator[tuple[Connection, Subscription]]:
        for client in self._connections.values():
            held = client.by_channel.get(channel)
            if held is not None and held.wants(name):
                yield client, held

    def _owners(self, channel: str, account: str, ticker: str) -> Iterator[tuple[Connection, Subscription]]:
        return (pair for pair in self._listeners(channel, ticker) if pair[0].account == account)

    def _send_all(self, channel: str, name: str, kind: str, make: Callable[[], bytes]) -> None:
        msg: bytes | None = None
        for client, held in self._listeners(channel, name):
            msg = make() if msg is None else msg
            client.send(held, kind, msg)

    def _tell_level(self, change: LevelChanged) -> None:
        seen: dict[bool, bytes] = {}
        for client, held in self._listeners(BOOK, change.ticker):
            is_own = change.account is not None and change.account == client.account
            if is_own not in seen:
                seen[is_own] = messages.delta(change, is_own=is_own)
            client.send(held, BOOK, seen[is_own])

    def _tell_fill(self, half: Filled) -> None:
        view = self._floor.market(half.ticker)
        assert view is not None, "what is filled is listed"
        for client, held in self._owners(FILL, half.account, half.ticker):
            client.send_plain(held, "fill", messages.fill(half, view.contract.exchange_index))
        for client, held in self._owners(POSITIONS, half.account, half.ticker):
            for position in self._floor.positions(half.account):
                if position.ticker == half.ticker:
                    msg = messages.market_position(half.account, position)
                    client.send_plain(held, "market_position", msg)

    def _tell_index(self, news: IndexPublished) -> None:
        name = index_id(news.asset)
        msg: bytes | None = None
        for client, held in self._listeners(INDEX, name):
            msg = messages.index_value(news) if msg is None else msg
            client.send_plain(held, INDEX, msg)

    def _tell_lifecycle(self, news: MarketListed | StrikePublished | MarketDetermined | MarketSettled) -> None:
        self._send_all(LIFECYCLE, "", LIFECYCLE, lambda: messages.lifecycle(news))

    def _tell_end(self, ticker: str) -> None:
        """A few seconds after the close the venue sends a snapshot without levels. Source: captures of May 2026."""
        shape = book_shape(self._floor, ticker)
        self._send_all(BOOK, ticker, "orderbook_snapshot", lambda: messages.snapshot(ticker, shape))

    def _tell_tickers(self, now_ns: int) -> None:
        stirred, self._stirred = self._stirred, {}
        for ticker in stirred:
            view = self._floor.market(ticker)
            assert view is not None, "what changed is listed"
            msg: bytes | None = None
            for client, held in self._listeners(TICKER, ticker):
                msg = messages.ticker(view, now_ns) if msg is None else msg
                client.send_plain(held, TICKER, msg)
