"""Deltas to many streams without sockets: a lively world, and the bytes that each stream is owed of it."""

from bench.measuring import Case, Figure, Progress, Scale, figures, processor_ns, take
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.exchange.framing import join
from fairstrike.exchange.liquidity import LiquidityParams
from fairstrike.exchange.streaming import Streams
from fairstrike.exchange.worlds import START_NS, World, WorldParams
from fairstrike.venue.kalshi.wire.commands import Subscribe, SubscribeParams, encode_command

SECTION = "deltas to streams in process, a delta delivered (processor time)"
RATES = "deltas delivered a second of processor time"
LIVELY = WorldParams(
    gifts=0,
    strikes=600,
    strike_step_dollars=1,
    liquidity=LiquidityParams(requote_ns_min=SECOND_NS, refresh_ns_min=SECOND_NS, refresh_ns_max=SECOND_NS),
)
"""Six hundred markets a dollar apart, whose quotes are looked at anew every second."""

_STREAMS = (1, 10, 50)
_STEP_NS = 5 * MILLISECOND_NS
_WARM_NS = 5 * SECOND_NS


def measure(scale: Scale, progress: Progress) -> list[Figure]:
    """Give what a delivered delta takes, the making of the markets included, by number of streams."""
    cases: dict[str, Case] = {f"{count} streams": _Fan(count, scale.venue_seconds) for count in _STREAMS}
    taken = take(cases, scale.rounds, progress, "deltas in process")
    first = f"{_STREAMS[0]} streams"
    found = figures(SECTION, taken, "ns", {name: first for name in cases if name != first})
    return found + figures(RATES, {name: [1e9 / each for each in runs] for name, runs in taken.items()}, "/s", {})


class _Fan:
    """So many streams that are owed every book, over so many venue seconds a round."""

    def __init__(self, count: int, venue_seconds: int) -> None:
        self._count = count
        self._steps = venue_seconds * SECOND_NS // _STEP_NS

    def __call__(self) -> float:
        """Let the time pass and join what each stream is owed after each step."""
        world = World(seed=1, params=LIVELY)
        streams = Streams(world.floor)
        now_ns = START_NS + _WARM_NS
        world.advance(now_ns)
        streams.publish(world.floor.drain(), now_ns)
        tickers = tuple(view.contract.ticker for view in world.floor.markets())
        command = encode_command(
            Subscribe(id=1, params=SubscribeParams(channels=("orderbook_delta",), market_tickers=tickers))
        )
        listening = [streams.connect("bench") for _ in range(self._count)]
        for each in listening:
            streams.command(each, command)
            streams.frames(each)
        delivered, began = 0, processor_ns()
        for _ in range(self._steps):
            now_ns += _STEP_NS
            world.advance(now_ns)
            streams.publish(world.floor.drain(), now_ns)
            for each in listening:
                frames = streams.frames(each)
                delivered += len(frames)
                join(frames)
        assert delivered, "the markets move"
        return (processor_ns() - began) / delivered
