"""Every order that the exchange accepted, as its answers said, held against what it shows at the end."""

from typing import Any

import msgspec

from fairstrike.core.units import parse_cc
from tests.fuzz.serving import Serving

ORDERS = "/trade-api/v2/portfolio/events/orders"
_PAGE = 1_000


class _Known(msgspec.Struct, kw_only=True):
    """What answers said of an order: the count that was asked for last, what filled at least, what a cancel took."""

    count_cc: int
    filled_cc: int
    is_cancelled: bool = False


class Ledger:
    """The orders accepted of one account."""

    def __init__(self) -> None:
        self.orders: dict[str, _Known] = {}

    def note(self, method: str, path: str, sent: Any, status: int, told: Any) -> None:
        """Take a request, path from the root, and its answer, both bodies decoded."""
        if status >= 300 or not path.startswith(ORDERS):
            return
        place = path.removeprefix(ORDERS).strip("/").split("/")
        match (method, place):
            case ("POST", [""]):
                self._accept(sent, told)
            case ("POST", ["batched"]):
                for wish, row in zip(sent["orders"], told["orders"], strict=True):
                    if row.get("order_id"):
                        self._accept(wish, row)
            case ("POST", [order_id, "amend"]):
                known = self.orders[order_id]
                known.count_cc = parse_cc(sent["count"])
                known.filled_cc += parse_cc(told["fill_count"] or "0.00")
            case ("DELETE", ["batched"]):
                for row in told["orders"]:
                    if "error" not in row:
                        self.orders[row["order_id"]].is_cancelled = True
            case ("DELETE", [order_id]) if order_id:
                self.orders[order_id].is_cancelled = True

    def _accept(self, wish: Any, told: Any) -> None:
        assert told["order_id"] not in self.orders, "an order's id is given once"
        filled_cc = parse_cc(told["fill_count"])
        self.orders[told["order_id"]] = _Known(count_cc=parse_cc(wish["count"]), filled_cc=filled_cc)

    def check(self, exchange: Serving) -> None:
        """Hold everything against the lists of orders and fills: none is lost, none is there that nobody placed."""
        rows = {row["order_id"]: row for row in _all(exchange, "orders")}
        assert rows.keys() == self.orders.keys()
        filled_cc = dict.fromkeys(rows, 0)
        for fill in _all(exchange, "fills"):
            filled_cc[fill["order_id"]] += parse_cc(fill["count_fp"])
        for order_id, known in self.orders.items():
            row = rows[order_id]
            assert parse_cc(row["fill_count_fp"]) == filled_cc[order_id] >= known.filled_cc, row
            assert parse_cc(row["initial_count_fp"]) == known.count_cc, row
            remaining_cc = parse_cc(row["remaining_count_fp"])
            assert filled_cc[order_id] + remaining_cc <= known.count_cc, row
            match row["status"]:
                case "resting":
                    assert remaining_cc > 0, row
                    assert not known.is_cancelled, row
                case "executed":
                    assert remaining_cc == 0 < filled_cc[order_id], row
                case status:
                    assert (status, remaining_cc) == ("canceled", 0), row


def _all(exchange: Serving, what: str) -> list[Any]:
    rows, cursor = [], ""
    while True:
        page = exchange.get(f"/portfolio/{what}", limit=_PAGE, cursor=cursor)
        rows += page[what]
        cursor = page["cursor"]
        if not cursor:
            return rows
