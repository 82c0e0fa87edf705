"""A day of markets, one after the other: what is held in the evening is what was held at noon."""

from collections import Counter
from collections.abc import Iterator

import msgspec

from fairstrike.core.events import ContractListed, Event, MarketSettled
from fairstrike.core.fees import FeeSchedule
from tests.simulation.growth import entries
from tests.unit.engine_samples import ASK, Hall, at, batch, contract, delta, printed, snapshot, timer

STRIKES, HOURS = 20, 24


def ladder(hour: int) -> list[ContractListed]:
    """An hour's markets, listed as it begins."""
    opens_s = hour * 3_600
    made = (
        msgspec.structs.replace(
            contract(f"KXBTCD-{hour}-T{strike}"),
            event_ticker=f"KXBTCD-{hour}",
            open_ns=at(opens_s),
            close_ns=at(opens_s + 3_600),
            floor_e8=(80_000 + strike) * 10**8,
        )
        for strike in range(STRIKES)
    )
    return [
        ContractListed(contract=one, schedule=FeeSchedule(), status="active", volume_24h_cc=0, recv_ns=at(opens_s + 1))
        for one in made
    ]


def hour_of(number: int) -> Iterator[Event]:
    """What happens in an hour: markets are listed, read again, move, and settle after the hour."""
    begin_s, listed = number * 3_600, ladder(number)
    for second in (1, 61):
        yield from (msgspec.structs.replace(one, recv_ns=at(begin_s + second)) for one in listed)
        yield batch(begin_s + second)
    for one in listed:
        yield snapshot(begin_s + 62, ticker=one.contract.ticker)
    for second in range(63, 263):
        yield printed(begin_s + second, 80_000 + second % 7)
    for one in listed:
        yield delta(begin_s + 264, ASK, 4_200, 100, ticker=one.contract.ticker)
    yield batch(begin_s + 264)
    yield timer(begin_s + 265, "pulse")
    for one in listed:
        yield MarketSettled(ticker=one.contract.ticker, value_ticks=0, recv_ns=at(begin_s + 3_599))
    yield batch(begin_s + 3_599)


def grown(before: Counter[str], after: Counter[str]) -> dict[str, int]:
    """What holds more than it held, by less than two markets."""
    return {name: count - before[name] for name, count in after.items() if count > before[name] + 1}


def test_the_traders_state_does_not_grow_with_the_markets_that_are_over() -> None:
    hall = Hall().opened()
    held: list[Counter[str]] = []
    for number in range(1, HOURS):
        hall.feed(*hour_of(number))
        hall.outcomes.clear()
        hall.asking.asked.clear()
        held.append(entries(hall.engine))
    assert grown(held[HOURS // 2], held[-1]) == {}
    assert len(hall.engine.catalog.listings) <= 5 * STRIKES
