"""The stream without its socket: connections, their subscriptions, and the frames each one is owed.

A connection opens channels; each open channel is one subscription with its own number (`sid`) and its own count
of numbered frames (`seq`). Opening a channel again adds markets to the open subscription and is answered by
`ok`. Every `ok`, `unsubscribed`, snapshot, delta, trade and lifecycle frame takes a number; tickers, index values,
fills, orders and positions take none. There is no replay: a subscription that falls behind ends with error 25.
Source: the venue's AsyncAPI document 2.0.0 and captures of 2026.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from typing import assert_never

import msgspec

from fairstrike.core.timing import SECOND_NS
from fairstrike.exchange.api import connection, messages, news
from fairstrike.exchange.api.connection import (
    Command,
    Connection,
    Fault,
    Frame,
    Params,
    Subscription,
    Tickers,
    decode_command,
    decode_params,
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
INDEX, INDEX_FIFTHS, GROUPS = "cfbenchmarks_value", "cfbenchmarks_value_5hz", "order_group_updates"
INDICES = frozenset({INDEX, INDEX_FIFTHS})
UNFILTERED = frozenset({LIFECYCLE, GROUPS})
CHANNELS = frozenset({BOOK, TICKER, TRADE, FILL, ORDERS, POSITIONS, LIFECYCLE, GROUPS}) | INDICES
UNSERVED = frozenset({"communications", "multivariate_market_lifecycle", "pyth_value"})


class Streams:
    """Every connection of the exchange. Told what happened; gives frames."""

    def __init__(self, floor: Floor, *, is_index_granted: bool = True, is_yes_priced: bool = False) -> None:
        """Stream `floor`.

        Whether keys are entitled to the index channels is a switch, and so is whether the NO side of books is told in
        YES prices to who does not say which.
        """
        self._floor = floor
        self._is_index_granted = is_index_granted
        self._is_yes_priced = is_yes_priced
        self._connections: dict[int, Connection] = {}
        self._opened = 0
        # Markets changed since the last tickers, in order of change; and the second those were sent in.
        self._stirred: dict[str, None] = {}
        self._ticker_second = floor.now_ns // SECOND_NS
        # Events whose creation was told; and of each asset the last print and how many of its fifths were told.
        self._events: set[str] = set()
        self._prints: dict[str, tuple[IndexPublished, int]] = {}

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
        return [] if client is None else client.take()

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
        if not client.may_command(self._floor.now_ns // SECOND_NS):
            client.refuse(command.id, Fault.TOO_MANY_REQUESTS, "Too many requests")
        elif command.cmd == "list_subscriptions":
            rows = [{"channel": each.channel, "sid": each.sid} for each in client.by_channel.values()]
            client.push(Frame(type="ok", id=command.id, msg=msgspec.Raw(encode(rows))))
        elif command.cmd not in acts:
            client.refuse(command.id, Fault.UNKNOWN_COMMAND, "Unknown command")
        else:
            self._act(client, command, acts[command.cmd])

    def _act(self, client: Connection, command: Command, act: Callable[[Connection, int, Params], None]) -> None:
        try:
            params = decode_params(command.params)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as why:
            client.refuse(command.id, Fault.INVALID, f"Invalid parameter: {why}")
            return
        if params is None:
            client.refuse(command.id, Fault.NO_PARAMS, "Params required")
        else:
            act(client, command.id, params)

    def _subscribe(self, client: Connection, request: int, params: Params) -> None:
        if not params.channels:
            client.refuse(request, Fault.NO_CHANNELS, "Channels required")
        for channel in params.channels:
            if channel in UNSERVED:
                text = f"Unknown channel name: the exchange in a box does not serve {channel}"
                client.refuse(request, Fault.UNKNOWN_CHANNEL, text)
            elif channel not in CHANNELS:
                client.refuse(request, Fault.UNKNOWN_CHANNEL, "Unknown channel name")
            elif channel in INDICES:
                self._subscribe_indices(client, request, channel, params)
            else:
                self._subscribe_markets(client, request, channel, params)

    def _subscribe_markets(self, client: Connection, request: int, channel: str, params: Params) -> None:
        named = self._named(client, request, channel, params)
        if named is None:
            return
        if channel == BOOK and not named:
            client.refuse(request, Fault.NO_MARKET, "Market Ticker required")
        elif unknown := self._unknown(named):
            client.refuse(request, Fault.INVALID, "Invalid parameter: unknown market", tickers=unknown)
        else:
            self._open_channel(client, request, channel, named, params)

    def _named(
        self, client: Connection, request: int, channel: str, params: Params, held: Subscription | None = None
    ) -> Tickers | None:
        """Give the markets a command names, by ticker or (tickers only) by id; None when it was refused."""
        sid = 0 if held is None else held.sid
        if channel in UNFILTERED:
            return ()
        if not params.ids or channel != TICKER:
            return tuple(dict.fromkeys(params.tickers))
        by_id = {messages.market_id(view.contract.ticker): view.contract.ticker for view in self._floor.markets()}
        if not all(each in by_id for each in params.ids):
            client.refuse(request, Fault.INVALID, "Invalid parameter: unknown market id", sid=sid)
            return None
        named = tuple(dict.fromkeys(by_id[each] for each in params.ids))
        if params.tickers and set(params.tickers) != set(named):
            client.refuse(request, Fault.IDS_MISMATCH, "Market tickers and market ids do not match", sid=sid)
            return None
        return named

    def _open_channel(self, client: Connection, request: int, channel: str, tickers: Tickers, params: Params) -> None:
        held = client.by_channel.get(channel)
        if self._is_too_many(client, request, tickers):
            return
        if held is None:
            held = client.open(channel, set(tickers) or None)
            held.is_yes_priced = self._is_yes_priced if params.use_yes_price is None else params.use_yes_price
            self._confirm(client, request, held)
            added = tickers
        else:
            added = self._merge(held, tickers)
            self._acknowledge(client, request, held, params)
        if channel == BOOK:
            self._send_books(client, held, added)
        if channel == TICKER and params.send_initial_snapshot:
            self._send_tickers(client, held, tickers)

    def _is_too_many(self, client: Connection, request: int, names: Collection[str]) -> bool:
        held = sum(len(each.wanted or ()) for each in client.by_channel.values())
        if held + len(names) <= connection.MARKETS_OF_A_CONNECTION_MAX:
            return False
        client.refuse(request, Fault.TOO_MANY_MARKETS, "Subscription market limit exceeded")
        return True

    def _subscribe_indices(self, client: Connection, request: int, channel: str, params: Params) -> None:
        if not self._is_index_granted:
            client.refuse(request, Fault.NOT_ENTITLED, "Authentication required")
            return
        names = set(params.index_ids or ())
        if self._is_too_many(client, request, names):
            return
        held = client.by_channel.get(channel)
        if held is None:
            self._confirm(client, request, client.open(channel, names))
        else:
            assert held.wanted is not None, "an index subscription lists its indices"
            held.wanted |= names
            self._acknowledge(client, request, held, params)

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
        elif held.channel in INDICES:
            self._update_indices(client, request, held, params)
        elif params.action in ("add_markets", "delete_markets", "get_snapshot") and held.channel not in UNFILTERED:
            self._update_markets(client, request, held, params)
        else:
            client.refuse(request, Fault.UNKNOWN_ACTION, "Unsupported action", sid=held.sid)

    def _update_markets(self, client: Connection, request: int, held: Subscription, params: Params) -> None:
        tickers = self._named(client, request, held.channel, params, held)
        if tickers is None:
            return
        if not tickers:
            client.refuse(request, Fault.NO_MARKET, "Market Ticker required", sid=held.sid)
        elif unknown := self._unknown(tickers):
            client.refuse(request, Fault.INVALID, "Invalid parameter: unknown market", sid=held.sid, tickers=unknown)
        elif params.action == "get_snapshot":
            self._resend(client, request, held, tickers)
        elif params.action == "add_markets":
            if self._is_too_many(client, request, tickers):
                return
            added = self._merge(held, tickers)
            self._acknowledge(client, request, held, params)
            if held.channel == BOOK:
                self._send_books(client, held, added)
            if held.channel == TICKER and params.send_initial_snapshot:
                self._send_tickers(client, held, tickers)
        else:
            if held.wanted is not None:
                held.wanted.difference_update(tickers)
            self._acknowledge(client, request, held, params)

    def _resend(self, client: Connection, request: int, held: Subscription, tickers: Tickers) -> None:
        missing = tuple(each for each in tickers if not held.wants(each))
        if held.channel != BOOK or missing:
            client.refuse(request, Fault.INVALID, "Invalid parameter: not subscribed", sid=held.sid, tickers=missing)
        else:
            self._send_books(client, held, tickers, request=request)

    def _update_indices(self, client: Connection, request: int, held: Subscription, params: Params) -> None:
        assert held.wanted is not None, "an index subscription lists its indices"
        if params.action == "indexlist":
            assets = dict.fromkeys(view.contract.asset for view in self._floor.markets())
            msg = encode({"index_ids": [index_id(asset) for asset in assets]})
            client.send(held, f"{held.channel}_indexlist", msg, request=request)
        elif params.action not in ("subscribe_indices", "unsubscribe_indices"):
            client.refuse(request, Fault.UNKNOWN_ACTION, "Unsupported action", sid=held.sid)
        elif not params.index_ids:
            client.refuse(request, Fault.NO_INDICES, "Index IDs required", sid=held.sid)
        elif params.action == "unsubscribe_indices":
            held.wanted.difference_update(params.index_ids)
            self._acknowledge(client, request, held, params)
        elif not self._is_too_many(client, request, params.index_ids):
            held.wanted.update(params.index_ids)
            self._acknowledge(client, request, held, params)

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

    def _acknowledge(self, client: Connection, request: int, held: Subscription, params: Params) -> None:
        key = "index_ids" if held.channel in INDICES else "market_tickers"
        names = {} if params.skip_ticker_ack else {key: sorted(held.wanted or ())}
        client.send(held, "ok", encode(names), request=request)

    def _send_books(self, client: Connection, held: Subscription, tickers: Iterable[str], *, request: int = 0) -> None:
        for ticker in tickers:
            msg = messages.snapshot(ticker, book_shape(self._floor, ticker, is_yes_priced=held.is_yes_priced))
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
        for asset in self._prints:
            self._tell_fifths(asset, now_ns)
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
            case MarketListed():
                self._tell_event(happening)
                self._tell_lifecycle(happening)
            case StrikePublished() | MarketDeactivated() | MarketReactivated() | GridChanged() | MarketSettled():
                self._tell_lifecycle(happening)
            case FeesChanged():
                self._tell_fees(happening)
            case GroupChanged():
                for client, held in self._listeners(GROUPS, ""):
                    if client.account == happening.account:
                        client.send(held, GROUPS, messages.order_group(happening))
            case BalanceChanged() | MarketActivated() | MarketClosed() | ShardChanged():
                # The venue has no message for these.
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
        seen: dict[tuple[bool, bool], bytes] = {}
        for client, held in self._listeners(BOOK, change.ticker):
            is_own = change.account is not None and change.account == client.account
            key = (is_own, held.is_yes_priced)
            if key not in seen:
                seen[key] = messages.delta(change, is_own=is_own, is_yes_priced=held.is_yes_priced)
            client.send(held, BOOK, seen[key])

    def _tell_fill(self, half: Filled) -> None:
        view = self._floor.market(half.ticker)
        assert view is not None, "what is filled is listed"
        for client, held in self._owners(FILL, half.account, half.ticker):
            client.send_plain(held, "fill", messages.fill(half, view.contract.exchange_index))
        for client, held in self._owners(POSITIONS, half.account, half.ticker):
            for position in self._floor.positions(half.account, half.subaccount):
                if position.ticker == half.ticker:
                    msg = messages.market_position(half.account, position, half.subaccount)
                    client.send_plain(held, "market_position", msg)

    def _tell_index(self, print_: IndexPublished) -> None:
        self._tell_fifths(print_.asset, print_.instant_ns)
        self._prints[print_.asset] = (print_, 0)
        self._send_plain(INDEX, index_id(print_.asset), lambda: news.index_value(print_))

    def _tell_fifths(self, asset: str, now_ns: int) -> None:
        """Tell the values of the last print's second up to `now_ns`."""
        print_, told = self._prints.get(asset, (None, 0))
        while (
            print_ is not None and told < len(print_.fifths_e8) and print_.instant_ns + told * news.FIFTH_NS <= now_ns
        ):
            self._send_plain(INDEX_FIFTHS, index_id(asset), partial(news.index_fifth, print_, told))
            told += 1
            self._prints[asset] = (print_, told)

    def _send_plain(self, channel: str, name: str, make: Callable[[], bytes]) -> None:
        msg: bytes | None = None
        for client, held in self._listeners(channel, name):
            msg = make() if msg is None else msg
            client.send_plain(held, channel, msg)

    def _tell_event(self, listed: MarketListed) -> None:
        """Tell of a new event before its first market."""
        event = listed.contract.event_ticker
        if event in self._events:
            return
        self._events.add(event)
        views = self._floor.markets()
        contracts = [view.contract for view in views if view.contract.event_ticker == event]
        self._send_all(LIFECYCLE, "", "event_lifecycle", lambda: news.event_created(contracts))

    def _tell_lifecycle(self, told: news.MarketNews) -> None:
        self._send_all(LIFECYCLE, "", LIFECYCLE, lambda: news.lifecycle(told))

    def _tell_fees(self, change: FeesChanged) -> None:
        views = (view for view in self._floor.markets() if view.contract.event_ticker == change.event_ticker)
        is_overridden = any(view.series_schedule != change.schedule for view in views)
        self._send_all(LIFECYCLE, "", "event_fee_update", lambda: news.event_fees(change, is_overridden=is_overridden))

    def _tell_end(self, ticker: str) -> None:
        """A few seconds after the close the venue sends a snapshot without levels. Source: captures of May 2026."""
        for client, held in self._listeners(BOOK, ticker):
            self._send_books(client, held, (ticker,))

    def _tell_tickers(self, now_ns: int) -> None:
        stirred, self._stirred = self._stirred, {}
        for ticker in stirred:
            view = self._floor.market(ticker)
            assert view is not None, "what changed is listed"
            self._send_plain(TICKER, ticker, partial(messages.ticker, view, now_ns))
