"""From a request to its answer: find the operation, check who asks, charge reads, run it.

`Api.answer` is the whole REST side of the exchange as one function of the floor, the request and the time.
"""

from collections.abc import Callable

import msgspec

from fairstrike.exchange.api import (
    candlesticks,
    events,
    exchange,
    groups,
    historical,
    markets,
    orders,
    portfolio,
    queues,
    shards,
    standing,
    subaccounts,
)
from fairstrike.exchange.api.budgets import DEFAULT_COST, ORDER_READ_COST
from fairstrike.exchange.api.call import (
    TOO_MANY_REQUESTS,
    BoxRequest,
    BoxResponse,
    Call,
    CallRefused,
    Desk,
    error,
)
from fairstrike.exchange.api.unserved import UNSERVED, refusing
from fairstrike.exchange.verification import KEY_HEADER, Keyring, SignatureRefused, SignedCall
from fairstrike.venue.kalshi.wire.transport import BASE_PATH

Operation = Callable[[Desk, Call], BoxResponse]

_NAME = "*"
_ANYONE = ""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One operation: its method and path below the root ("*" is a name), and what a read costs in tokens.

    Writes charge themselves, because their price and shard stand in the request.
    """

    method: str
    path: str
    run: Operation
    is_signed: bool = True
    read_cost: int = DEFAULT_COST


def _public(path: str, run: Operation) -> Route:
    return Route(method="GET", path=path, run=run, is_signed=False)


def _signed(method: str, path: str, run: Operation, read_cost: int = DEFAULT_COST) -> Route:
    return Route(method=method, path=path, run=run, read_cost=read_cost)


def _unserved(method: str, path: str) -> Route:
    return Route(method=method, path=path, run=refusing(method, path), is_signed=False)


ROUTES = (
    _public("exchange/status", exchange.status),
    _public("exchange/schedule", exchange.schedule),
    _public("exchange/user_data_timestamp", exchange.user_data_timestamp),
    _public("account/endpoint_costs", exchange.endpoint_costs),
    _signed("GET", "account/limits", exchange.limits),
    _signed("GET", "account/api_usage_level/volume_progress", standing.volume_progress),
    _signed("GET", "api_keys", standing.keys),
    _public("series", events.list_series),
    _public("series/fee_changes", events.series_fee_changes),
    _public("series/*", events.one_series),
    _public("series/*/markets/*/candlesticks", candlesticks.of_market),
    _public("series/*/events/*/candlesticks", candlesticks.of_event),
    _public("events", events.list_events),
    _public("events/fee_changes", events.event_fee_changes),
    _public("events/*", events.one_event),
    _public("events/*/metadata", events.metadata),
    _public("events/multivariate", events.combinations),
    _public("multivariate_event_collections", events.collections),
    _public("incentive_programs", events.incentive_programs),
    _public("markets", markets.list_markets),
    _public("markets/orderbooks", markets.several_books),
    _public("markets/trades", markets.list_trades),
    _public("markets/candlesticks", candlesticks.of_several),
    _public("markets/*", markets.one_market),
    _public("markets/*/orderbook", markets.one_book),
    _public("historical/cutoff", historical.cutoff),
    _public("historical/markets", historical.list_markets),
    _public("historical/markets/*", historical.one_market),
    _public("historical/markets/*/candlesticks", candlesticks.of_historical_market),
    _public("historical/trades", historical.list_trades),
    _signed("GET", "historical/fills", historical.fills),
    _signed("GET", "historical/orders", historical.orders),
    _signed("GET", "historical/positions", historical.positions),
    _signed("GET", "portfolio/balance", portfolio.balance),
    _signed("GET", "portfolio/positions", portfolio.positions),
    _signed("GET", "portfolio/fills", portfolio.fills),
    _signed("GET", "portfolio/settlements", portfolio.settlements),
    _signed("GET", "portfolio/orders", portfolio.orders),
    _signed("GET", "portfolio/orders/*", portfolio.one_order, ORDER_READ_COST),
    _signed("POST", "portfolio/events/orders", orders.create),
    _signed("DELETE", "portfolio/events/orders", orders.cancel_all),
    _signed("POST", "portfolio/events/orders/batched", orders.create_batch),
    _signed("DELETE", "portfolio/events/orders/batched", orders.cancel_batch),
    _signed("DELETE", "portfolio/events/orders/*", orders.cancel),
    _signed("POST", "portfolio/events/orders/*/decrease", orders.decrease),
    _signed("POST", "portfolio/orders", orders.deprecated),
    _signed("POST", "portfolio/orders/batched", orders.deprecated),
    _signed("POST", "portfolio/orders/*/amend", orders.deprecated),
    _signed("POST", "portfolio/orders/*/decrease", orders.deprecated),
    _signed("DELETE", "portfolio/orders/*", orders.deprecated),
    _signed("POST", "portfolio/events/orders/*/amend", orders.amend),
    _signed("GET", "portfolio/orders/queue_positions", queues.several),
    _signed("GET", "portfolio/orders/*/queue_position", queues.one),
    _signed("GET", "portfolio/order_groups", groups.several),
    _signed("POST", "portfolio/order_groups/create", groups.create),
    _signed("GET", "portfolio/order_groups/*", groups.one),
    _signed("DELETE", "portfolio/order_groups/*", groups.delete),
    _signed("PUT", "portfolio/order_groups/*/reset", groups.reset),
    _signed("PUT", "portfolio/order_groups/*/trigger", groups.trigger),
    _signed("PUT", "portfolio/order_groups/*/limit", groups.limit),
    _signed("POST", "portfolio/subaccounts", subaccounts.create),
    _signed("GET", "portfolio/subaccounts/balances", subaccounts.balances),
    _signed("POST", "portfolio/subaccounts/transfer", subaccounts.transfer),
    _signed("GET", "portfolio/subaccounts/transfers", subaccounts.transfers),
    _signed("GET", "portfolio/subaccounts/netting", subaccounts.netting),
    _signed("PUT", "portfolio/subaccounts/netting", subaccounts.set_netting),
    _signed("POST", "portfolio/intra_exchange_instance_transfer", shards.transfer),
    _signed("GET", "portfolio/intra_exchange_instance_transfers", shards.transfers),
    _signed("GET", "portfolio/intra_exchange_instance_transfers/*", shards.one_transfer),
    _signed("GET", "portfolio/target_balance_allocation", shards.allocation),
    _signed("POST", "portfolio/target_balance_allocation", shards.allocate),
    _signed("GET", "portfolio/summary/total_resting_order_value", standing.resting_value),
    _signed("GET", "portfolio/deposits", standing.deposits),
    _signed("GET", "portfolio/withdrawals", standing.withdrawals),
    *(_unserved(method, path) for method, path in UNSERVED),
)
"""Every operation served, and those refused by name; anything else is 404.

Exact paths are found before paths with names.
"""


class Api:
    """The REST side of the exchange."""

    __slots__ = ("_desk", "_exact", "_keyring", "_named")

    def __init__(self, desk: Desk, keyring: Keyring) -> None:
        """Serve `desk` to whoever signs with a key of `keyring`."""
        self._desk = desk
        self._keyring = keyring
        self._exact = {(route.method, route.path): route for route in ROUTES if _NAME not in route.path}
        self._named = [(route, tuple(route.path.split("/"))) for route in ROUTES if _NAME in route.path]

    def answer(self, request: BoxRequest, now_ns: int, wall_ms: int) -> BoxResponse:
        """Give the answer to `request` at venue time `now_ns` and wall time `wall_ms` (epoch milliseconds)."""
        found = self._find(request)
        if found is None:
            return error(404, "not_found", "path not found")
        route, names = found
        headers = {name.lower(): value for name, value in request.headers.items()}
        account: str | None = None
        if route.is_signed or KEY_HEADER in headers:
            signed = SignedCall(method=request.method, path=request.path, headers=headers)
            who = self._keyring.verify(signed, wall_ms)
            if isinstance(who, SignatureRefused):
                return error(401, who.code, who.message, who.details)
            account = who.account
        if route.method == "GET" and not self._desk.budgets.spend_read(account or _ANYONE, route.read_cost, now_ns):
            return TOO_MANY_REQUESTS
        call = Call(account=account, now_ns=now_ns, names=names, query=request.query, body=request.body)
        try:
            return route.run(self._desk, call)
        except CallRefused as refused:
            return refused.answer

    def _find(self, request: BoxRequest) -> tuple[Route, tuple[str, ...]] | None:
        if not request.path.startswith(BASE_PATH + "/"):
            return None
        path = request.path[len(BASE_PATH) + 1 :]
        exact = self._exact.get((request.method, path))
        if exact is not None:
            return exact, ()
        parts = path.split("/")
        for route, pattern in self._named:
            if route.method == request.method and _fits(pattern, parts):
                return route, tuple(part for want, part in zip(pattern, parts, strict=True) if want == _NAME)
        return None


def _fits(pattern: tuple[str, ...], parts: list[str]) -> bool:
    return len(pattern) == len(parts) and all(want in (_NAME, part) for want, part in zip(pattern, parts, strict=True))
