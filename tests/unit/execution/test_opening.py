"""Cash and positions are taken over so that they belong together, whenever a market settles between the reads."""

import heapq
from collections.abc import Iterator
from itertools import count

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from fairstrike.core.effects import Ask, Effect, SetTimer
from fairstrike.core.events import AskFailed, Event, HeldPosition, MarketSettled, TimerFired
from tests.unit.engine_samples import CASH_UD, MS, RUN, Hall, T, U, balance, batch, contract, listed, positions, read

CONTRACTS_CC = 500
HELD = {ticker: HeldPosition(ticker=ticker, net_cc=CONTRACTS_CC, cost_ud=3_000_000) for ticker in (T, U)}
LAG_MS = 1_000
ENDS_MS = 200_000


class Venue:
    """An account that holds one market, which settles at `settles_ms`. Its reads trail by what a test draws.

    A read asked for at one instant and answered at another shows the account at any instant from `LAG_MS` before the
    first to the second.
    """

    def __init__(self, ticker: str, settles_ms: int, told_ms: int | None, draws: Iterator[int]) -> None:
        """Tell the stream of the settlement at `told_ms`, or never."""
        self._ticker = ticker
        self._settles_ms = settles_ms
        self._draws = draws
        self._numbers = count()
        self._timers: dict[str, int] = {}
        self._queue: list[tuple[int, int, Event]] = []
        self.cash_ud = CASH_UD + 10_000 * CONTRACTS_CC
        closed = msgspec.structs.replace(contract(), close_ns=RUN)
        self._at(0, msgspec.structs.replace(listed(), contract=closed))
        if told_ms is not None:
            self._at(told_ms, self._settled(told_ms))

    def run(self, hall: Hall) -> None:
        """Answer what a trader asks until `ENDS_MS`."""
        self._carry(0, hall.outcomes[0].effects)
        while self._queue and self._queue[0][0] < ENDS_MS:
            now_ms, number, event = heapq.heappop(self._queue)
            if isinstance(event, TimerFired) and self._timers[event.name] != number:
                continue
            self._carry(now_ms, hall.feed(event, batch(now_ms / 1_000)).effects)

    def _carry(self, now_ms: int, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case SetTimer(name=name, due_ns=due_ns):
                    due_ms = max(now_ms, (due_ns - RUN) // MS)
                    self._timers[name] = self._at(due_ms, TimerFired(name=name, recv_ns=RUN + due_ms * MS))
                case Ask(what="positions" | "balance" | "orders" | "settlements"):
                    self._answer(effect, now_ms)
                case _:
                    pass

    def _answer(self, ask: Ask, asked_ms: int) -> None:
        answered_ms = asked_ms + 1 + self._draw(500)
        shown_ms = answered_ms - self._draw(answered_ms - asked_ms + LAG_MS)
        has_settled, seconds = shown_ms >= self._settles_ms, answered_ms / 1_000
        match ask.what:
            case "positions" | "balance" if not self._draw(5):
                self._at(answered_ms, AskFailed(what=ask.what, reason="late", recv_ns=RUN + answered_ms * MS))
            case "positions":
                self._at(answered_ms, positions(seconds, *([] if has_settled else [HELD[self._ticker]])))
            case "balance":
                self._at(answered_ms, balance(seconds, self.cash_ud if has_settled else CASH_UD))
            case "orders":
                self._at(answered_ms, read(seconds))
            case "settlements" if has_settled:
                self._at(answered_ms, self._settled(answered_ms))

    def _settled(self, told_ms: int) -> MarketSettled:
        return MarketSettled(ticker=self._ticker, value_ticks=10_000, recv_ns=RUN + told_ms * MS)

    def _draw(self, most: int) -> int:
        return next(self._draws, 1) % (most + 1)

    def _at(self, due_ms: int, event: Event) -> int:
        number = next(self._numbers)
        heapq.heappush(self._queue, (due_ms, number, event))
        return number


@given(
    st.sampled_from([T, U]),
    st.integers(0, 6_000),
    st.one_of(st.none(), st.integers(0, 2_000)),
    st.lists(st.integers(0, 10_000), max_size=40),
)
# The cash is told fresh and the positions behind it, and the other way round.
@example(T, 1_005, 100, [1, 1, 1, 1, 1, 1, 0, 1, 1, 4, 1])
@example(T, 4, 100, [1, 1, 1, 0, 1, 1, 3, 1, 1, 1, 1])
def test_no_payout_is_lost_or_counted_twice(
    ticker: str, settles_ms: int, told_after_ms: int | None, draws: list[int]
) -> None:
    hall = Hall()
    told_ms = None if told_after_ms is None else settles_ms + told_after_ms
    venue = Venue(ticker, settles_ms, told_ms, iter(draws))
    venue.run(hall)
    clerk = hall.engine.clerk
    assert clerk.is_open
    assert (clerk.ledger.cash_ud, clerk.ledger.position(ticker).net_cc) == (venue.cash_ud, 0)
