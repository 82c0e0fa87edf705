"""A trader built for one measurement: a market whose every tick is worth an order, and its answers.

The strategy is the taker with its edge set so low that it takes whatever is offered. Ticks lie 2.2 venue seconds
apart, with an index print, and the order it causes, between them: well within the pace that risk allows.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from fairstrike.app import build, config
from fairstrike.app.turn import Turn
from fairstrike.core.contract import Comparison, Contract
from fairstrike.core.effects import Ask, Effect, SendOrder, SetTimer
from fairstrike.core.events import (
    BalanceRead,
    BatchEnded,
    ContractListed,
    Event,
    IndexPrinted,
    OrderAcked,
    OrdersRead,
    PositionsRead,
    TimerFired,
)
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.timing import MILLISECOND_NS, MINUTE_NS, SECOND_NS, parse_rfc3339_ns
from fairstrike.core.units import E8_PER_DOLLAR, UD_PER_DOLLAR
from fairstrike.store.journal import Journal
from fairstrike.strategy.taker import Params as TakerParams
from fairstrike.venue.kalshi.session import Session
from fairstrike.venue.kalshi.translate import conversation
from fairstrike.venue.kalshi.wire.stream import DeltaFrame, DeltaMessage, SnapshotFrame, SnapshotMessage
from fairstrike.venue.kalshi.wire.transport import Request

TICKER = "KXBTCD-26NOV2117-T79999.99"
TICKS_MAX = 1_500
_OPEN_NS = parse_rfc3339_ns("2026-11-21T21:00:00Z")
_STEP_NS = 2_200 * MILLISECOND_NS
_BEFORE_NS = 1_100 * MILLISECOND_NS
_WARM_UP_SECONDS = 200


class Trader:
    """Session, engine and journal of one market; `tick` gives a tick's frame, then what became of it is called."""

    def __init__(self, folder: Path) -> None:
        """Open the market and the account, with enough prints for a fair value."""
        taker = TakerParams(edge_cents=-100.0, size_cc=100)
        settings = config.Settings(execution="live", strategies=config.Strategies(taker=taker))
        started = build.run_started(settings, "bench", _OPEN_NS)
        self.journal = Journal(folder, settings.journal)
        self.turn = Turn(build.engine(started, settings), self.journal, keeps_inputs=True)
        self.session = Session()
        self.now_ns = _OPEN_NS
        self._orders = self._sequence = 0
        self._second = _OPEN_NS // SECOND_NS
        self._answer(self.turn.start(started))
        self._tell([_listing(self.now_ns), BatchEnded(recv_ns=self.now_ns)])
        for _ in range(_WARM_UP_SECONDS):
            self.now_ns += SECOND_NS
            self._print()
        self._tell(self.session.receive(_snapshot(), self.now_ns))
        self._tell([BatchEnded(recv_ns=self.now_ns)])

    def tick(self) -> bytes:
        """Give the frame of the next tick; `now_ns` is when it is received."""
        self.now_ns += _BEFORE_NS
        self._print()
        self.now_ns += _STEP_NS - _BEFORE_NS
        self._sequence += 1
        change = DeltaMessage(
            market_ticker=TICKER,
            price_dollars="0.4500",
            delta_fp="10.00" if self._sequence % 2 else "-10.00",
            side="no",
            ts_ms=self.now_ns // MILLISECOND_NS,
        )
        return msgspec.json.encode(DeltaFrame(msg=change, sid=1, seq=1 + self._sequence))

    def settle(self, effects: Sequence[Effect]) -> None:
        """Answer a tick's effects: an order finds nobody and ends."""
        self._answer(effects)

    def _print(self) -> None:
        second = self.now_ns // SECOND_NS
        value_e8 = (80_000 + second % 7) * E8_PER_DOLLAR
        self._tell(
            [
                IndexPrinted(
                    asset="BTC",
                    source="official",
                    second=second,
                    value_e8=value_e8,
                    recv_ns=self.now_ns,
                    venue_ns=self.now_ns,
                )
            ]
        )

    def _tell(self, events: list[Event]) -> None:
        self._answer(self.turn(events))

    def _answer(self, effects: Sequence[Effect]) -> None:
        """Answer orders and questions, and what follows from the answers, until nothing does."""
        for effect in effects:
            events: list[Event] = []
            match effect:
                case SendOrder():
                    self._orders += 1
                    events.append(
                        OrderAcked(
                            client_order_id=effect.client_order_id,
                            order_id=f"order-{self._orders}",
                            filled_cc=0,
                            remaining_cc=0,
                            recv_ns=self.now_ns,
                        )
                    )
                case Ask(what="positions"):
                    events.append(PositionsRead(positions=(), recv_ns=self.now_ns))
                case SetTimer(name="account"):
                    events.append(TimerFired(name="account", recv_ns=self.now_ns))
                case Ask(what="balance"):
                    events.append(BalanceRead(balance_ud=10_000 * UD_PER_DOLLAR, recv_ns=self.now_ns))
                case Ask(what="orders"):
                    events.append(OrdersRead(orders=(), asked_ns=self.now_ns, recv_ns=self.now_ns))
                case _:
                    pass
            if events:
                self._tell([*events, BatchEnded(recv_ns=self.now_ns)])


def request_of(effects: Sequence[Effect], now_ns: int) -> Request:
    """Give the unsigned request of the one order among a tick's effects."""
    (order,) = (effect for effect in effects if isinstance(effect, SendOrder))
    return next(conversation(order, asked_ns=now_ns))


def _listing(now_ns: int) -> ContractListed:
    contract = Contract(
        ticker=TICKER,
        event_ticker=TICKER.rpartition("-")[0],
        series="KXBTCD",
        asset="BTC",
        comparison=Comparison.ABOVE,
        open_ns=_OPEN_NS,
        close_ns=_OPEN_NS + 60 * MINUTE_NS,
        floor_e8=80_000 * E8_PER_DOLLAR - E8_PER_DOLLAR // 100,
    )
    return ContractListed(
        contract=contract, schedule=FeeSchedule(), status="active", volume_24h_cc=1_000_000, recv_ns=now_ns
    )


def _snapshot() -> bytes:
    bids = tuple((f"0.{cents}00", "500.00") for cents in range(30, 53))
    asks = tuple((f"0.{cents}00", "500.00") for cents in range(25, 46))
    message = SnapshotMessage(market_ticker=TICKER, yes_dollars_fp=bids, no_dollars_fp=asks)
    return msgspec.json.encode(SnapshotFrame(msg=message, sid=1, seq=1))
