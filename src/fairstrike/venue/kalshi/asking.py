"""Reads, as conversations: what was asked for becomes events; one that comes to nothing becomes `AskFailed`.

what          key                        events
markets       a series                   ContractListed for each market not yet settled, TermsDoubted for unclear ones
market        a ticker                   MarketSettled when it is
books         tickers, commas between    BooksRead, one for each hundred markets
orders        -                          OrdersRead, all resting orders of all shards
fills         epoch seconds, or empty    OrderFilled, oldest first, since then
balance       a shard, or empty          BalanceRead
settlements   epoch seconds, or empty    MarketSettled, oldest first, since then
trading       -                          TradingRead, the shards that take no orders
"""

from collections.abc import Generator
from typing import TypeVar
from urllib.parse import quote

import msgspec

from fairstrike.core.effects import Ask
from fairstrike.core.errors import ArithmeticRefusal, ProtocolError, Unreachable
from fairstrike.core.events import (
    AskFailed,
    BalanceRead,
    BookSnapshot,
    BooksRead,
    ContractListed,
    Event,
    HeldPosition,
    ListRead,
    MarketSettled,
    OrderFilled,
    OrderReported,
    OrdersRead,
    PositionsRead,
    TermsDoubted,
    TradingRead,
)
from fairstrike.core.order import Side
from fairstrike.core.timing import HOUR_NS, SECOND_NS
from fairstrike.core.units import TICKS_PER_CENT, TICKS_PER_DOLLAR, UD_PER_CENT, parse_decimal
from fairstrike.venue.kalshi.frame_events import no_levels, yes_levels
from fairstrike.venue.kalshi.refusals import VenueRefusal, refusal
from fairstrike.venue.kalshi.wire.amounts import money_ud, price_ticks, seconds_ns, size_cc, time_ns
from fairstrike.venue.kalshi.wire.markets import (
    ExchangeStatus,
    Market,
    MarketAnswer,
    OrderbookAnswer,
    OrderbooksAnswer,
    RawMarketsPage,
    SeriesAnswer,
    ShardStatus,
    fee_schedule_of,
)
from fairstrike.venue.kalshi.wire.pages import Page
from fairstrike.venue.kalshi.wire.portfolio import (
    Balance,
    Fill,
    FillsPage,
    OrdersPage,
    PositionsPage,
    Settlement,
    SettlementsPage,
    WireOrder,
)
from fairstrike.venue.kalshi.wire.terms import Terms, terms_of
from fairstrike.venue.kalshi.wire.transport import Conversation, Request, Response, given_up_ns

PAGE_LIMIT = 1_000
PAGES_MAX = 200
BOOKS_MAX = 100
LISTED_AFTER_CLOSE_NS = 2 * HOUR_NS
"""How long after its close a market that is not settled is still listed; all of history comes without it."""

_SETTLED = "finalized"
_RESULTS = {"yes": TICKS_PER_DOLLAR, "no": 0}
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ArithmeticRefusal, ProtocolError)

Query = tuple[tuple[str, str], ...]


_REASON_LONGEST = 200


class _Named(msgspec.Struct):
    ticker: str


_T = TypeVar("_T")
_P = TypeVar("_P", bound=Page)
_Reading = Generator[Request, Response, _T]


def ask(effect: Ask, asked_ns: int, shard: int | None = None) -> Conversation:
    """Read what `effect` asks for, begun at `asked_ns`: its events, or one `AskFailed`.

    `shard` is whose cash a balance is when the key names none; None gives all shards together.
    """
    reader = _Reader(asked_ns)
    try:
        return (yield from _answer(reader, effect, shard))
    except Unreachable as error:
        reason, recv_ns = str(error), given_up_ns(error, reader.recv_ns)
    except VenueRefusal as error:
        reason, recv_ns = error.told, reader.recv_ns
    except _UNREADABLE as error:
        reason, recv_ns = f"the answer cannot be read: {error}", reader.recv_ns
    return [AskFailed(what=effect.what, reason=reason, recv_ns=recv_ns)]


class _Reader:
    """Reads answers and pages; `recv_ns` is the instant of the latest, before any that of asking."""

    def __init__(self, asked_ns: int) -> None:
        self.asked_ns = asked_ns
        self.recv_ns = asked_ns

    def get(self, path: str, query: Query, kind: type[_T]) -> "_Reading[_T]":
        answer = yield Request(method="GET", path=path, query=query)
        self.recv_ns = answer.recv_ns
        if not answer.is_success:
            raise refusal(answer)
        return msgspec.json.decode(answer.body, type=kind)

    def pages(self, path: str, query: Query, kind: type[_P]) -> "_Reading[list[_P]]":
        query = (*query, ("limit", str(PAGE_LIMIT)))
        pages: list[_P] = []
        cursor: str | None = ""
        while len(pages) < PAGES_MAX:
            page = yield from self.get(path, (*query, ("cursor", cursor)) if cursor else query, kind)
            pages.append(page)
            if not page.cursor or page.cursor == cursor:
                return pages
            cursor = page.cursor
        raise ProtocolError(f"{path} has more than {PAGES_MAX} pages: ask for less")


def _answer(reader: _Reader, effect: Ask, shard: int | None) -> "_Reading[list[Event]]":
    match effect.what:
        case "markets":
            return (yield from _markets(reader, effect.key))
        case "market":
            return (yield from _market(reader, effect.key))
        case "books":
            return (yield from _books(reader, effect.key))
        case "orders":
            return (yield from _orders(reader))
        case "order_states":
            return (yield from _order_states(reader, effect.key))
        case "fills":
            return (yield from _fills(reader, effect.key))
        case "positions":
            return (yield from _positions(reader))
        case "balance":
            return (yield from _balance(reader, parse_decimal(effect.key, 0) if effect.key else shard))
        case "settlements":
            return (yield from _settlements(reader, effect.key))
        case "trading":
            return (yield from _trading(reader))
        case what:
            raise ProtocolError(f"nothing is known of asking for {what!r}")


def _markets(reader: _Reader, series: str) -> "_Reading[list[Event]]":
    told = yield from reader.get(f"/series/{quote(series, safe='')}", (), SeriesAnswer)
    schedule = fee_schedule_of(told.series)
    since = max(0, reader.asked_ns - LISTED_AFTER_CLOSE_NS) // SECOND_NS
    query = (("series_ticker", series), ("min_close_ts", str(since)))
    pages = yield from reader.pages("/markets", query, RawMarketsPage)
    events: dict[str, Event] = {}
    doubts: dict[tuple[str, bool], list[str]] = {}
    for described in (described for page in pages for described in page.markets):
        ticker, market, terms = read_market(described)
        if market is not None and market.status == _SETTLED:
            continue
        if terms.doubt:
            doubts.setdefault((terms.doubt, terms.contract is None), []).append(ticker)
        if market is None or terms.contract is None:
            continue
        # A list that changes while it is read shows a market twice: the later description is the newer one.
        events[ticker] = ContractListed(
            contract=terms.contract,
            schedule=schedule,
            status=market.status,
            volume_24h_cc=size_cc(market.volume_24h_fp),
            recv_ns=reader.recv_ns,
        )
    doubted = (
        TermsDoubted(tickers=tuple(tickers), reason=reason, is_left_out=is_left_out, recv_ns=reader.recv_ns)
        for (reason, is_left_out), tickers in doubts.items()
    )
    return [*events.values(), *doubted]


def read_market(described: bytes | msgspec.Raw) -> tuple[str, Market | None, Terms]:
    """Give a market's ticker, its description and what is traded in it, however little of it can be read.

    One market that is out of shape must not hide the others of its page.
    """
    try:
        market = msgspec.json.decode(described, type=Market)
        size_cc(market.volume_24h_fp)
    except _UNREADABLE as error:
        return (
            _ticker_of(described),
            None,
            Terms(doubt=f"its description cannot be read: {str(error)[:_REASON_LONGEST]}"),
        )
    return market.ticker, market, terms_of(market)


def _ticker_of(described: bytes | msgspec.Raw) -> str:
    try:
        return msgspec.json.decode(described, type=_Named).ticker
    except _UNREADABLE:
        return "a market without a ticker"


def _market(reader: _Reader, ticker: str) -> "_Reading[list[Event]]":
    told = yield from reader.get(f"/markets/{quote(ticker, safe='')}", (), MarketAnswer)
    ticks = settled_ticks(told.market)
    if ticks is None:
        return []
    return [
        MarketSettled(
            ticker=told.market.ticker,
            value_ticks=ticks,
            recv_ns=reader.recv_ns,
            venue_ns=time_ns(told.market.settlement_ts),
        )
    ]


def _books(reader: _Reader, tickers: str) -> "_Reading[list[Event]]":
    wanted, events = tickers.split(","), list[Event]()
    for first in range(0, len(wanted), BOOKS_MAX):
        asked_ns = reader.recv_ns
        query = tuple(("tickers", ticker) for ticker in wanted[first : first + BOOKS_MAX])
        told = yield from reader.get("/markets/orderbooks", query, OrderbooksAnswer)
        books = tuple(_book(answer, reader.recv_ns) for answer in told.orderbooks)
        events.append(BooksRead(books=books, asked_ns=asked_ns, recv_ns=reader.recv_ns))
    return events


def _book(answer: OrderbookAnswer, recv_ns: int) -> BookSnapshot:
    if answer.ticker is None:
        raise ProtocolError("a book among several does not say whose it is")
    sides = answer.orderbook_fp
    return BookSnapshot(
        ticker=answer.ticker,
        bids=yes_levels(sides.yes_dollars or ()),
        asks=no_levels(sides.no_dollars or ()),
        recv_ns=recv_ns,
    )


def settled_ticks(market: Market) -> int | None:
    """Give what one YES contract of a settled market paid; None for any other market."""
    if market.status != _SETTLED:
        return None
    if market.settlement_value_dollars is not None:
        return price_ticks(market.settlement_value_dollars)
    return _RESULTS.get(market.result)


def _orders(reader: _Reader) -> "_Reading[list[Event]]":
    pages = yield from reader.pages("/portfolio/orders", (("status", "resting"),), OrdersPage)
    recv_ns = reader.recv_ns
    orders = {order.order_id: _reported(order, recv_ns) for page in pages for order in page.orders}
    return [OrdersRead(orders=tuple(orders.values()), asked_ns=reader.asked_ns, recv_ns=recv_ns)]


def _order_states(reader: _Reader, since: str) -> "_Reading[list[Event]]":
    query = (("min_ts", since),) if since else ()
    pages = yield from reader.pages("/portfolio/orders", query, OrdersPage)
    return [
        *(_reported(order, reader.recv_ns) for page in pages for order in page.orders),
        _ended(reader, "order_states"),
    ]


def _ended(reader: _Reader, what: str) -> ListRead:
    return ListRead(what=what, asked_ns=reader.asked_ns, recv_ns=reader.recv_ns)


def _reported(order: WireOrder, recv_ns: int) -> OrderReported:
    return OrderReported(
        client_order_id=order.client_order_id,
        order_id=order.order_id,
        ticker=order.ticker,
        side=_side(order.book_side),
        price_ticks=price_ticks(order.yes_price_dollars),
        status=order.status,
        filled_cc=size_cc(order.fill_count_fp),
        remaining_cc=size_cc(order.remaining_count_fp),
        recv_ns=recv_ns,
        venue_ns=time_ns(order.last_update_time or order.created_time),
    )


def _fills(reader: _Reader, since: str) -> "_Reading[list[Event]]":
    query = (("min_ts", since),) if since else ()
    pages = yield from reader.pages("/portfolio/fills", query, FillsPage)
    fills = [_filled(fill, reader.recv_ns) for page in pages for fill in page.fills]
    fills.reverse()
    fills.sort(key=lambda fill: fill.venue_ns or 0)
    return [*fills, _ended(reader, "fills")]


def _positions(reader: _Reader) -> "_Reading[list[Event]]":
    pages = yield from reader.pages("/portfolio/positions", (), PositionsPage)
    held = [
        HeldPosition(
            ticker=position.ticker,
            net_cc=size_cc(position.position_fp),
            cost_ud=money_ud(position.market_exposure_dollars),
        )
        for page in pages
        for position in page.market_positions
    ]
    return [PositionsRead(positions=tuple(one for one in held if one.net_cc), recv_ns=reader.recv_ns)]


def _filled(fill: Fill, recv_ns: int) -> OrderFilled:
    return OrderFilled(
        trade_id=fill.trade_id,
        order_id=fill.order_id,
        client_order_id=None,
        ticker=fill.ticker,
        side=_side(fill.book_side),
        price_ticks=price_ticks(fill.yes_price_dollars),
        size_cc=size_cc(fill.count_fp),
        fee_ud=money_ud(fill.fee_cost),
        is_taker=fill.is_taker,
        recv_ns=recv_ns,
        venue_ns=time_ns(fill.created_time) or seconds_ns(fill.ts),
    )


def _side(text: str) -> Side:
    if text == Side.BID.value:
        return Side.BID
    if text == Side.ASK.value:
        return Side.ASK
    raise ProtocolError(f"{text[:40]!r} is no side of a book")


def _balance(reader: _Reader, shard: int | None) -> "_Reading[list[Event]]":
    told = yield from reader.get("/portfolio/balance", (), Balance)
    return [BalanceRead(balance_ud=balance_ud(told, shard), recv_ns=reader.recv_ns)]


def balance_ud(balance: Balance, shard: int | None) -> int:
    """Give the cash on a shard, zero when the breakdown lacks it; the total without shard or breakdown.

    Raises `ArithmeticRefusal` when an amount cannot be read.
    """
    if shard is not None and balance.balance_breakdown is not None:
        parts = {part.exchange_index: part.balance for part in balance.balance_breakdown}
        return money_ud(parts.get(shard, "0"))
    if balance.balance_dollars is not None:
        return money_ud(balance.balance_dollars)
    return balance.balance * UD_PER_CENT


def _settlements(reader: _Reader, since: str) -> "_Reading[list[Event]]":
    query = (("min_ts", since),) if since else ()
    pages = yield from reader.pages("/portfolio/settlements", query, SettlementsPage)
    paid = [_paid(settlement, reader.recv_ns) for page in pages for settlement in page.settlements]
    known = [event for event in reversed(paid) if event is not None]
    known.sort(key=lambda event: event.venue_ns or 0)
    return [*known]


def _trading(reader: _Reader) -> "_Reading[list[Event]]":
    told = yield from reader.get("/exchange/status", (), ExchangeStatus)
    shards = told.exchange_index_statuses or (
        ShardStatus(exchange_index=0, exchange_active=told.exchange_active, trading_active=told.trading_active),
    )
    shut = tuple(one.exchange_index for one in shards if not (one.exchange_active and one.trading_active))
    return [TradingRead(shut_shards=shut, recv_ns=reader.recv_ns)]


def _paid(settlement: Settlement, recv_ns: int) -> MarketSettled | None:
    ticks = _RESULTS.get(settlement.market_result)
    if settlement.value is not None:
        ticks = settlement.value * TICKS_PER_CENT
    if ticks is None:
        return None
    if not 0 <= ticks <= TICKS_PER_DOLLAR:
        raise ArithmeticRefusal(f"{settlement.ticker} paid {settlement.value} cents a contract")
    return MarketSettled(
        ticker=settlement.ticker,
        value_ticks=ticks,
        recv_ns=recv_ns,
        venue_ns=time_ns(settlement.settled_time),
    )
