"""A day of markets, one after the other: what trader and exchange hold in the evening is what they held at noon."""

from collections import Counter
from collections.abc import Iterator

import msgspec

from fairstrike.core.events import ContractListed, Event, MarketSettled
from fairstrike.core.fees import FeeSchedule
from fairstrike.exchange.box import Box
from fairstrike.exchange.floor import Floor
from fairstrike.exchange.verification import Keyring
from tests.simulation.growth import entries
from tests.unit.engine_samples import ASK, BID, Hall, at, batch, contract, delta, printed, snapshot, timer
from tests.unit.exchange.floor_samples import wish

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


class Quiet:
    """A floor of hourly ladders with a house that quotes and trades in every market."""

    def __init__(self) -> None:
        self.floor = Floor(now_ns=at(0))
        for name in ("maker", "taker"):
            self.floor.open_account(name, key_id=name, balance_ud=10**15, is_house=True)

    def advance(self, now_ns: int) -> None:
        self.floor.advance(now_ns)

    def next_due_ns(self) -> int | None:
        return self.floor.next_due_ns()

    def pass_hour(self, number: int, box: Box) -> None:
        """Let an hour's markets be listed, traded in every ten minutes, and settle."""
        contracts = [event.contract for event in ladder(number)]
        for one in contracts:
            self.floor.list_market(one, FeeSchedule(), 0, at(number * 3_600))
        for second in range(60, 3_600, 600):
            now_ns = at(number * 3_600 + second)
            for one in contracts:
                self.floor.place("maker", wish(ASK, 5_000 + second, 200, ticker=one.ticker), now_ns)
                self.floor.place("taker", wish(BID, 5_000 + second, 100, ticker=one.ticker), now_ns)
            box.advance(now_ns)


def test_the_exchanges_state_does_not_grow_with_the_markets_that_are_over() -> None:
    quiet = Quiet()
    box = Box(quiet, Keyring())
    held: list[Counter[str]] = []
    for number in range(HOURS):
        quiet.pass_hour(number, box)
        held.append(entries(box))
    # The names of events, by which a new one is known.
    assert set(grown(held[HOURS // 2], held[-1])) <= {"Streams._events"}
    assert quiet.floor.total_ud() == 2 * 10**15
