"""Runs made of dice and the real ledger: what a trader would have journaled."""

from pathlib import Path

import msgspec

from fairstrike.core.chance import Dice
from fairstrike.core.effects import CancelOrder, Halt, SendOrder, SetTimer, Warn
from fairstrike.core.events import OrderFilled, SpotCandle, SpotFunding, SpotTold
from fairstrike.core.order import Intent, OrderState, Refused, Side, Signal, TimeInForce, Withdraw
from fairstrike.core.records import (
    Booked,
    CashSet,
    Decided,
    Ordered,
    OrderMoved,
    Row,
    RunEnded,
    RunStarted,
    Settled,
)
from fairstrike.execution.ledger import Ledger
from fairstrike.store.journal import Journal, Params
from fairstrike.store.segments import DECISIONS

START_NS = 1_789_000_000 * 1_000_000_000
CASH_UD = 10_000_000_000
SMALL = Params(segment_bytes=8_000)
Said = tuple[int, msgspec.Struct]


def spot_told(at_ns: int, step: int) -> SpotTold:
    """The candle under way, which changes with each telling, and a funding rate."""
    candle = SpotCandle(
        asset="BTC",
        source="binance",
        start_ns=START_NS + step // 40 * 900_000_000_000,
        open_e8=1,
        high_e8=step + 3,
        low_e8=1,
        close_e8=step + 2,
        volume_e8=step,
        venue_ns=at_ns,
    )
    funding = SpotFunding(asset="BTC", source="binance", rate_e8=-step, mark_e8=7, next_ns=at_ns + 5, venue_ns=at_ns)
    return SpotTold(candles=(candle,), fundings=(funding,), recv_ns=at_ns)


class SampleRun:
    """One run: `said` holds (instant, record) in order, `ledger` what the trader's books say at the end."""

    def __init__(self, seed: int, steps: int, name: str = "a") -> None:
        self.dice = Dice(seed, 1)
        self.ledger = Ledger()
        self.now_ns = START_NS
        self.name = name
        self.said: list[Said] = []
        self._start()
        for step in range(steps):
            self.now_ns += 1_000_000_000
            self._step(step)
        for ticker in sorted(self.ledger.positions):
            self._settle(ticker)
        ended = RunEnded(reason="stop", cash_ud=self.ledger.cash_ud, fees_ud=self.ledger.fees_ud, resting=0)
        self._say(ended)
        self._say(Halt(reason="stop", is_clean=True))

    def _say(self, body: msgspec.Struct) -> None:
        self.said.append((self.now_ns, body))

    def _start(self) -> None:
        self._say(
            RunStarted(
                program="0.1.0",
                execution="backtest",
                environment="prod",
                account_tag=7,
                run_ns=self.now_ns,
                seed=2**64 - 1,
                settings="{}",
                settings_digest="44136fa3",
            )
        )
        self.ledger.open(CASH_UD)
        self._say(CashSet(cash_ud=CASH_UD))
        self._say(SetTimer(name="pulse", due_ns=self.now_ns + 1))

    def _step(self, step: int) -> None:
        ticker = f"KXBTC15M-26MAY14{step // 40:04d}-{self.dice.below(3)}"
        price = self.dice.between(20, 80) * 100
        self._say(Decided(rows=(Row(ticker, 1, price - 100, 500, price, 700, price * 100 + 1),)))
        self._say(spot_told(self.now_ns, step))
        signal = Signal(
            strategy=("taker", "momentum_scalp")[self.dice.below(2)],
            ticker=ticker,
            side=(Side.BID, Side.ASK)[self.dice.below(2)],
            price_ticks=price,
            size_cc=self.dice.between(1, 20) * 100,
            intent=Intent.OPEN,
            tif=TimeInForce.IOC,
            post_only=False,
            edge_ppm=20_000,
            confidence_ppm=900_000,
            reason="fair above ask",
            features={"b": 2, "a": 1},
        )
        verdict = self.dice.below(10)
        if ticker in self.ledger.settled or verdict < 3:
            self._say(Refused(signal=signal, rule=("cash_buffer", "stale_book")[verdict % 2], value=2, limit=1))
        else:
            self._trade(step, signal)
        if step % 40 == 39:
            for other in sorted(self.ledger.positions):
                self._settle(other)
        if verdict == 4:
            self._say(Warn(text="the feed went silent"))

    def _trade(self, step: int, signal: Signal) -> None:
        key, order_id = f"{self.name}-order-{step}", f"{self.name}-venue-{step}"
        self._say(Ordered(client_order_id=key, signal=signal))
        self._move(key, signal.ticker, OrderState.SENDING, 0, None)
        self._say(
            SendOrder(
                client_order_id=key,
                ticker=signal.ticker,
                side=signal.side,
                price_ticks=signal.price_ticks,
                size_cc=signal.size_cc,
                tif=signal.tif,
                post_only=False,
                reduce_only=False,
                exchange_index=0,
            )
        )
        self._move(key, signal.ticker, OrderState.RESTING, 0, order_id)
        end = OrderState.EXECUTED
        for part in range(self.dice.below(3)):
            self._book(f"{self.name}-trade-{step}-{part}", key, order_id, signal)
        if self.dice.below(4) == 0:
            end = OrderState.CANCELLED
            self._say(Withdraw(strategy=signal.strategy, ticker=signal.ticker, client_order_id=key, reason="stale"))
            self._say(CancelOrder(client_order_id=key, order_id=order_id, ticker=signal.ticker, exchange_index=0))
        if self.dice.below(5):
            self._move(key, signal.ticker, end, signal.size_cc, order_id)

    def _move(self, key: str, ticker: str, state: OrderState, filled_cc: int, order_id: str | None) -> None:
        self._say(OrderMoved(client_order_id=key, ticker=ticker, state=state, filled_cc=filled_cc, order_id=order_id))

    def _book(self, trade_id: str, key: str, order_id: str, signal: Signal) -> None:
        fill = OrderFilled(
            trade_id=trade_id,
            order_id=order_id,
            client_order_id=key,
            ticker=signal.ticker,
            side=signal.side,
            price_ticks=signal.price_ticks,
            size_cc=signal.size_cc // 2,
            fee_ud=self.dice.below(50_000),
            is_taker=True,
            recv_ns=self.now_ns,
        )
        self.ledger.fill(fill, signal.strategy)
        position = self.ledger.position(signal.ticker)
        self._say(
            Booked(
                fill=fill,
                client_order_id=key,
                strategy=signal.strategy,
                cash_ud=self.ledger.cash_ud,
                net_cc=position.net_cc,
                cost_ud=position.cost_ud,
                realised_ud=position.realised_ud,
            )
        )

    def correct(self) -> None:
        """Have every settlement turned into its opposite."""
        for ticker, value_ticks in sorted(self.ledger.settled.items()):
            self._book_settlement(ticker, 10_000 - value_ticks)

    def _settle(self, ticker: str) -> None:
        value_ticks = 10_000 * self.dice.below(2)
        if ticker not in self.ledger.settled:
            self._book_settlement(ticker, value_ticks)

    def _book_settlement(self, ticker: str, value_ticks: int) -> None:
        payout_ud = self.ledger.settle(ticker, value_ticks)
        if payout_ud is None:
            return
        self._say(
            Settled(
                ticker=ticker,
                value_ticks=value_ticks,
                net_cc=self.ledger.paid_cc(ticker),
                payout_ud=payout_ud,
                pnl_ud=self.ledger.market_pnl_ud[ticker],
                cash_ud=self.ledger.cash_ud,
                is_derived=False,
            )
        )


def append(journal: Journal, said: list[Said]) -> None:
    """Write records as the trader does, one turn each."""
    for instant_ns, body in said:
        journal.append(DECISIONS, type(body).__name__, instant_ns, body)
        journal.flush(instant_ns)


def write_run(folder: Path, said: list[Said], params: Params = SMALL) -> None:
    """Write a whole run into a run folder's journal."""
    journal = Journal(folder / "journal", params)
    append(journal, said)
    journal.close(said[-1][0])
