"""Small captures for the replayed world: events by hand, and what of a world's books can be held against them."""

from collections.abc import Iterator, Mapping, Sequence

from fairstrike.core.contract import TAPERED_GRID, Comparison, Contract
from fairstrike.core.events import (
    BatchEnded,
    BookDelta,
    BookLost,
    BookSnapshot,
    ContractListed,
    Event,
    Level,
    TickerSeen,
)
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.timing import MILLISECOND_NS, MINUTE_NS, SECOND_NS
from fairstrike.exchange.captured import Capture, KnownResult, Unit

TICKER = "KXBTC15M-26MAY132030-30"
OPEN_NS = 1_978_718_400 * SECOND_NS
CLOSE_NS = OPEN_NS + 15 * MINUTE_NS
BEGIN_NS = OPEN_NS + MINUTE_NS
LATE_NS = 80 * MILLISECOND_NS
STRIKE_E8 = 80_000 * 10**8


def at(ms: int) -> int:
    """The venue's instant so many milliseconds after a capture's beginning."""
    return BEGIN_NS + ms * MILLISECOND_NS


def contract(floor_e8: int | None = STRIKE_E8, close_ns: int = CLOSE_NS) -> Contract:
    return Contract(
        ticker=TICKER,
        event_ticker="KXBTC15M-26MAY132030",
        series="KXBTC15M",
        asset="BTC",
        comparison=Comparison.AT_LEAST,
        open_ns=close_ns - 15 * MINUTE_NS,
        close_ns=close_ns,
        floor_e8=floor_e8,
        round_digits=2,
        grid=TAPERED_GRID,
    )


def listed(ms: int, what: Contract | None = None) -> Unit:
    recv_ns = at(ms)
    told = ContractListed(
        contract=what or contract(), schedule=FeeSchedule(), status="active", volume_24h_cc=0, recv_ns=recv_ns
    )
    return recv_ns, [told, BatchEnded(recv_ns=recv_ns)]


def snapshot(ms: int, bids: tuple[Level, ...], asks: tuple[Level, ...]) -> Unit:
    """A snapshot received 80 milliseconds later; the venue does not stamp it."""
    recv_ns = at(ms) + LATE_NS
    return recv_ns, [BookSnapshot(ticker=TICKER, bids=bids, asks=asks, recv_ns=recv_ns), BatchEnded(recv_ns=recv_ns)]


def deltas(ms: int, *changes: tuple[str, int, int]) -> Unit:
    """Changes of one venue millisecond: "bid" or "ask", price in ticks, centicontracts."""
    recv_ns = at(ms) + LATE_NS
    events: list[Event] = [
        BookDelta(
            ticker=TICKER,
            is_bid=side == "bid",
            price_ticks=price_ticks,
            delta_cc=delta_cc,
            recv_ns=recv_ns,
            venue_ns=at(ms),
        )
        for side, price_ticks, delta_cc in changes
    ]
    return recv_ns, [*events, BatchEnded(recv_ns=recv_ns)]


def ticker(ms: int, volume_cc: int, bid: int | None = 4_000, ask: int | None = 4_200) -> Unit:
    recv_ns = at(ms) + LATE_NS
    seen = TickerSeen(
        ticker=TICKER, bid_ticks=bid, ask_ticks=ask, volume_cc=volume_cc, recv_ns=recv_ns, venue_ns=at(ms)
    )
    return recv_ns, [seen]


def lost(ms: int) -> Unit:
    recv_ns = at(ms)
    return recv_ns, [BookLost(ticker=TICKER, reason="gap", recv_ns=recv_ns), BatchEnded(recv_ns=recv_ns)]


def capture(
    *units: Unit,
    prints: Sequence[tuple[int, int]] = (),
    results: Mapping[str, KnownResult] | None = None,
) -> Capture:
    def again() -> Iterator[Unit]:
        return iter(units)

    return Capture(
        name="by hand",
        start_ns=BEGIN_NS - SECOND_NS,
        units=again,
        prints=lambda: iter(prints),
        results=results or {},
    )
