"""From facts to rows of the database. Pure: the same chain gives the same tables, however it is cut into batches."""

from collections.abc import Iterable
from typing import assert_never

import msgspec

from fairstrike.app.desk.facts import Fact
from fairstrike.core.effects import CancelOrder, Halt, SendOrder, Warn
from fairstrike.core.events import SpotTold
from fairstrike.core.order import Refused, Signal, Withdraw
from fairstrike.core.records import Booked, CashSet, Decided, Ordered, OrderMoved, RunEnded, RunStarted, Settled
from fairstrike.core.regime import RegimeSeen
from fairstrike.store.database import Row, Rows, RunPlace, Value


class RowMaker:
    """Makes rows of successive facts; remembers the run they belong to."""

    def __init__(self, run: RunPlace) -> None:
        """Go on in this run, the newest one the database holds."""
        self.run = run

    def rows(self, facts: Iterable[Fact]) -> Rows:
        """Give the rows these facts write, by table and natural key."""
        rows: Rows = {}
        for fact in facts:
            for table, key, row in self._of(fact):
                found = rows.setdefault(table, {})
                if table == "fills":
                    found.setdefault(key, row)
                else:
                    found[key] = found.get(key, {}) | row
        return rows

    def _of(self, fact: Fact) -> list[tuple[str, tuple[Value, ...], Row]]:
        match fact.body:
            case RunStarted() | CashSet() | RunEnded():
                return self._run(fact, fact.body)
            case Ordered():
                return self._ordered(fact, fact.body)
            case Refused() as refused:
                row = self._signal(fact, refused.signal)
                row |= {"verdict": "refused", "client_order_id": None, "rule": refused.rule}
                return [("signals", (fact.n,), row | {"rule_value": refused.value, "rule_limit": refused.limit})]
            case SendOrder() | OrderMoved():
                return [self._order(fact, fact.body)]
            case Booked():
                return self._booked(fact, fact.body)
            case Settled():
                return self._settled(fact, fact.body)
            case SpotTold():
                return self._told(fact.body)
            case Decided() | RegimeSeen() | CancelOrder() | Withdraw() | Warn() | Halt():
                return []
            case _:
                assert_never(fact.body)

    def _run(self, fact: Fact, body: RunStarted | CashSet | RunEnded) -> list[tuple[str, tuple[Value, ...], Row]]:
        row: Row
        match body:
            case RunStarted():
                self.run = RunPlace(n=fact.n, has_ended=False)
                names = ("program", "execution", "environment", "account_tag", "run_ns", "settings", "settings_digest")
                row = {name: getattr(body, name) for name in names}
                row |= {"seed": str(body.seed), "started_ns": fact.instant_ns}
            case CashSet():
                row = {"cash_start_ud": body.cash_ud}
            case RunEnded():
                self.run = msgspec.structs.replace(self.run, has_ended=True)
                row = {"ended_n": fact.n, "ended_ns": fact.instant_ns, "reason": body.reason}
                row |= {"cash_end_ud": body.cash_ud, "fees_ud": body.fees_ud, "resting": body.resting}
        row["n"] = self.run.n
        return [("runs", (self.run.n,), row)]

    def _signal(self, fact: Fact, signal: Signal) -> Row:
        names = ("strategy", "ticker", "price_ticks", "size_cc", "post_only", "edge_ppm", "confidence_ppm", "reason")
        row: Row = {name: getattr(signal, name) for name in (*names, "expire_ns")}
        row |= {"side": signal.side.value, "intent": signal.intent.value, "tif": signal.tif.value}
        features = msgspec.json.encode(signal.features, order="sorted").decode()
        return row | {"n": fact.n, "run_n": self.run.n, "signalled_ns": fact.instant_ns, "features": features}

    def _ordered(self, fact: Fact, body: Ordered) -> list[tuple[str, tuple[Value, ...], Row]]:
        signal = self._signal(fact, body.signal)
        approval: Row = {"verdict": "approved", "client_order_id": body.client_order_id}
        approval |= {"rule": None, "rule_value": None, "rule_limit": None}
        names = ("strategy", "ticker", "side", "intent", "tif", "price_ticks", "size_cc", "post_only")
        order: Row = {name: signal[name] for name in names}
        order |= {"client_order_id": body.client_order_id, "run_n": self.run.n, "created_ns": fact.instant_ns}
        order |= {"filled_cc": 0, "updated_ns": fact.instant_ns}
        return [("signals", (fact.n,), signal | approval), ("orders", (body.client_order_id,), order)]

    def _order(self, fact: Fact, body: SendOrder | OrderMoved) -> tuple[str, tuple[Value, ...], Row]:
        row: Row = {"client_order_id": body.client_order_id, "ticker": body.ticker, "updated_ns": fact.instant_ns}
        match body:
            case SendOrder():
                row |= {"reduce_only": body.reduce_only, "sent_ns": fact.instant_ns}
            case OrderMoved():
                row |= {"state": body.state.value, "filled_cc": body.filled_cc}
                if body.order_id is not None:
                    row["order_id"] = body.order_id
        return ("orders", (body.client_order_id,), row)

    def _booked(self, fact: Fact, body: Booked) -> list[tuple[str, tuple[Value, ...], Row]]:
        fill = body.fill
        names = ("trade_id", "order_id", "ticker", "price_ticks", "size_cc", "fee_ud", "is_taker")
        row: Row = {name: getattr(fill, name) for name in (*names, "recv_ns", "venue_ns")}
        row |= {"side": fill.side.value, "client_order_id": body.client_order_id, "strategy": body.strategy}
        row |= {"run_n": self.run.n, "n": fact.n, "booked_ns": fact.instant_ns}
        row |= {"cash_ud": body.cash_ud, "net_cc": body.net_cc}
        position = self._position(fact, fill.ticker, body.net_cc, body.cost_ud)
        position["realised_ud"] = body.realised_ud
        return [
            ("fills", (fill.trade_id, fill.order_id), row),
            ("positions", (self.run.n, fill.ticker), position),
        ]

    def _settled(self, fact: Fact, body: Settled) -> list[tuple[str, tuple[Value, ...], Row]]:
        names = ("ticker", "value_ticks", "net_cc", "payout_ud", "pnl_ud", "cash_ud", "is_derived")
        row: Row = {name: getattr(body, name) for name in names}
        row |= {"run_n": self.run.n, "n": fact.n, "settled_ns": fact.instant_ns}
        position = self._position(fact, body.ticker, 0, 0)
        position["settled_pnl_ud"] = body.pnl_ud
        key = (self.run.n, body.ticker)
        return [("settlements", key, row), ("positions", key, position)]

    def _told(self, body: SpotTold) -> list[tuple[str, tuple[Value, ...], Row]]:
        told: Row = {"told_ns": body.recv_ns}
        rows: list[tuple[str, tuple[Value, ...], Row]] = []
        for candle in body.candles:
            key = (candle.source, candle.asset, candle.start_ns)
            rows.append(("spot_candles", key, msgspec.structs.asdict(candle) | told))
        for funding in body.fundings:
            key = (funding.source, funding.asset, body.recv_ns)
            rows.append(("spot_fundings", key, msgspec.structs.asdict(funding) | told))
        return rows

    def _position(self, fact: Fact, ticker: str, net_cc: int, cost_ud: int) -> Row:
        row: Row = {"run_n": self.run.n, "ticker": ticker, "net_cc": net_cc, "cost_ud": cost_ud}
        return row | {"updated_ns": fact.instant_ns}
