"""Deltas from a socket to book and tape: what a trader and a recorder keep up with, and how old a delta is when folded.

`python -m bench.ingest` measures this alone. A process of its own sends (`bench/sending.py`); the trader observes six
hundred markets, each a book, with decisions and the journal of all of it; the recorder keeps books and the raw tape. A
bare reader, which only counts, says what the sender and the sockets can.
"""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import get_args

import msgspec

from bench import alone
from bench.ingesting import SERIES, Taken
from bench.measuring import Figure, Progress, Scale, figures
from bench.sending import Order, Sender, sending
from bench.served import Served
from bench.serving import Exchange
from bench.sockets import Reader
from fairstrike.app import config, runfile
from fairstrike.app.addresses import origin_on_this_machine
from fairstrike.venue.connection import Library
from fairstrike.venue.kalshi.wire.transport import BASE_PATH

RATES = "deltas taken in over a socket, as fast as they are sent (wall time)"
SPENT = "deltas taken in over a socket, a delta (processor time)"
AGES = "a delta's age, from the socket on (wall time)"

_BARE = "bare reader"
_ROUNDS_MAX = 3
_STRIKES, _STRIKES_FEW = 600, 40
_PACES = (2_000, 20_000)
_LIBRARIES: tuple[Library, ...] = get_args(Library)
_SECONDS_MAX = 120.0


class _Taker:
    """Starts the product once for each order, and says what it took in."""

    def __init__(self, folder: Path, sender: Sender) -> None:
        self._folder = folder
        self._sender = sender
        self._begun = 0
        self._box = folder / "sender.json"
        self._box.write_bytes(msgspec.json.encode(sender.announcement))

    def trade(self, order: Order, library: Library) -> Taken:
        folder = self._fresh()
        profile = config.observe_profile("box")
        rooms = msgspec.structs.replace(
            profile.rooms, engine=msgspec.structs.replace(profile.rooms.engine, series=(SERIES,))
        )
        settings = msgspec.structs.replace(profile, rooms=rooms, websocket=library, execution="observe")
        line, (account,) = self._sender.announcement, self._sender.announcement.accounts
        run = runfile.RunFile(
            settings=settings,
            origin=origin_on_this_machine(line.rest, BASE_PATH),
            ws=line.ws,
            clock=line.clock,
            key_id=account.key_id,
            key_path=account.private_key,
        )
        runfile.write(folder, run)
        return self._take("trade", order, str(folder))

    def record(self, order: Order, library: Library) -> Taken:
        return self._take("record", order, str(self._fresh()), str(self._box), library)

    def bare(self, order: Order) -> Taken:
        """Only count: what the sender and the sockets can. The processor's seconds are the sender's."""
        self._sender.order(order)
        asyncio.run(_count(Exchange(Served(announcement=self._sender.announcement, pid=0)), order.deltas))
        sent = self._sender.sent()
        return Taken(deltas=sent.deltas, lost=0, seconds=sent.seconds, processor_seconds=sent.processor_seconds)

    def _take(self, what: str, order: Order, *more: str) -> Taken:
        self._sender.order(order)
        command = [sys.executable, "-m", "bench.ingesting", what, str(order.deltas), *more]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=_SECONDS_MAX)
        taken = msgspec.json.decode(done.stdout.splitlines()[-1], type=Taken)
        assert taken.deltas == self._sender.sent().deltas, "every delta that was sent is on the tape"
        assert not taken.lost, "no book was lost on the way"
        return taken

    def _fresh(self) -> Path:
        self._begun += 1
        folder = self._folder / str(self._begun)
        folder.mkdir()
        return folder


async def _count(exchange: Exchange, deltas: int) -> None:
    reader = Reader(exchange.clock, exchange.hello(await exchange.tickers()))
    await asyncio.get_running_loop().create_connection(reader.itself, "127.0.0.1", exchange.port)
    while reader.deltas < deltas:
        await asyncio.sleep(0.001)


def measure(scale: Scale, progress: Progress) -> list[Figure]:
    """Give what is taken in as fast as it is sent, and how old deltas are at a given pace."""
    rounds, flood, strikes = min(scale.rounds, _ROUNDS_MAX), 4 * scale.deltas, _STRIKES
    libraries, paces = _LIBRARIES, tuple[int, ...](_PACES)
    if scale.rounds == 1:
        libraries, paces, strikes = libraries[:1], paces[:1], _STRIKES_FEW
    found: dict[str, dict[str, list[float]]] = {RATES: {}, SPENT: {}, AGES: {}}
    with tempfile.TemporaryDirectory() as name, sending(Path(name), flood, strikes) as sender:
        taker = _Taker(Path(name), sender)
        for number in range(rounds):
            progress.step(f"deltas over a socket, round {number + 1} of {rounds}")
            whole = Order(deltas=flood, rate=0)
            _note(found, _BARE, taker.bare(whole))
            for library in libraries:
                _note(found, f"trader, {library}", taker.trade(whole, library))
                _note(found, f"recorder, {library}", taker.record(whole, library))
                for pace in paces:
                    paced = Order(deltas=min(flood, int(scale.stream_seconds * 2 * pace)), rate=pace)
                    _note_ages(found[AGES], f"{library}, {pace:,}/s", taker.trade(paced, library))
    rates = figures(RATES, found[RATES], "/s", {case: _BARE for case in found[RATES] if case != _BARE})
    return [*rates, *figures(SPENT, found[SPENT], "us", {}), *figures(AGES, found[AGES], "ms", {})]


def _note(found: dict[str, dict[str, list[float]]], case: str, taken: Taken) -> None:
    found[RATES].setdefault(case, []).append(taken.deltas / taken.seconds)
    found[SPENT].setdefault(case, []).append(1e6 * taken.processor_seconds / taken.deltas)


def _note_ages(ages: dict[str, list[float]], case: str, taken: Taken) -> None:
    for what, found in (("in its book", taken.folded), ("all written", taken.written)):
        ordered = sorted(found)
        ages.setdefault(f"{case}, {what}", []).append(ordered[len(ordered) // 2] / 1e6)
        ages.setdefault(f"{case}, {what}, 99th percentile", []).append(ordered[len(ordered) * 99 // 100] / 1e6)


if __name__ == "__main__":
    sys.exit(alone.run("bench.ingest", __doc__, "600 markets of the exchange in a box", measure))
