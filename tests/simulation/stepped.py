"""Trader and exchange in one process, driven from one heap: no sockets, no event loop, no sleeping.

The trader is the product's own turn (journal and engine) with settings and parts as the app builds them; the
exchange is the box. Between them travel the bytes of the wire, signed and verified, each leg taking a time drawn
from the seed. The same seed and faults give the same journal, byte for byte.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from fairstrike.app import build, config
from fairstrike.app.turn import Turn
from fairstrike.core.chance import Dice
from fairstrike.core.effects import (
    Ask,
    CancelOrder,
    Effect,
    Halt,
    Resubscribe,
    SendOrder,
    SetTimer,
    StartComputation,
    Unwatch,
    Warn,
    Watch,
)
from fairstrike.core.events import Commanded, ComputationDone, Event, TimerFired
from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import UD_PER_DOLLAR
from fairstrike.engine import Engine
from fairstrike.exchange.accounts import AccountView
from fairstrike.exchange.box import Box, BoxParams
from fairstrike.exchange.faults import Fault
from fairstrike.exchange.floor import Floor
from fairstrike.exchange.verification import Keyring
from fairstrike.exchange.worlds import World, WorldParams
from fairstrike.research.backtest import COMPUTED_AFTER_NS
from fairstrike.store.journal import Journal
from fairstrike.venue.kalshi.budget import Budget, BudgetParams
from fairstrike.venue.kalshi.session import Session, SessionParams
from fairstrike.venue.kalshi.signing import Allowed, Signer
from fairstrike.worker.answering import Answers
from tests.simulation.errands import ErrandParts, Errands
from tests.simulation.link import Link, LinkParts
from tests.simulation.schedule import Rank, Schedule

ACCOUNT = "client"
KEY_ID = "5a3d0c1e-9b7f-4c62-8f10-2d6be1f7a904"
BALANCE_UD = 10_000 * UD_PER_DOLLAR
# Streams of chance, apart from the world's.
_STREAM_REQUESTS, _STREAM_FRAMES, _STREAM_BACKOFF = 900_001, 900_002, 900_004


class KeyPair(msgspec.Struct, frozen=True, kw_only=True):
    """An account's key in PEM form: what the trader signs with, and what the box verifies with."""

    private: bytes
    public: bytes

    def __repr__(self) -> str:
        """Give a text fit for a failure's report."""
        return "KeyPair(...)"


class SteppedWorld:
    """One seed's world and its trader. `run_until`, `command`, `run_to_halt`; then look at either side.

    `watchers` are called whenever the trader has taken something in and nothing is on its way from the stream.
    """

    def __init__(
        self,
        seed: int,
        folder: Path,
        key: KeyPair,
        faults: Sequence[Fault] = (),
        params: WorldParams | None = None,
        settings: config.Settings | None = None,
    ) -> None:
        """Start both sides eighteen minutes before the hour; the journal goes into `folder`.

        The trader's `settings` are the profile for the box, unless others are given.
        """
        self.world = World(seed=seed, params=params)
        self.floor: Floor = self.world.floor
        self.floor.open_account(ACCOUNT, key_id=KEY_ID, balance_ud=BALANCE_UD)
        self.total_ud = self.floor.total_ud()
        keyring = Keyring()
        keyring.add(KEY_ID, ACCOUNT, key.public)
        self.box = Box(self.world, keyring, BoxParams(fault_seed=seed))
        for fault in faults:
            self.box.add_fault(fault, self.world.start_ns)
        self.schedule = Schedule(self.world.start_ns)
        self.signer = Signer(KEY_ID, key.private, Allowed.EVERYTHING)
        self.errands, self.link = self._carriers(seed)
        settings = msgspec.structs.replace(settings or config.box_profile(), seed=seed)
        started = build.run_started(settings, KEY_ID, self.world.start_ns)
        self.engine: Engine = build.engine(started, settings)
        self.journal = Journal(folder / "journal", settings.journal)
        self._turn = Turn(self.engine, self.journal, keeps_inputs=True)
        self._timers: dict[str, int] = {}
        self._answers = Answers()
        self._world_due_ns = 0
        self.halt: Halt | None = None
        self.warnings: list[str] = []
        self.watchers: list[Callable[[], None]] = []
        self._carry(self._turn.start(started))
        self.schedule.at(self.schedule.now_ns, Rank.FRAMES, self.link.connect)
        self._touched()

    @property
    def account(self) -> AccountView:
        """The account as the box has it."""
        view = self.floor.account(ACCOUNT)
        assert view is not None
        return view

    def run_until(self, instant_ns: int) -> None:
        """Let both sides come to `instant_ns`, or to the trader's halt."""
        self.schedule.run(instant_ns, lambda: self.halt is not None)

    def command(self, command: str) -> None:
        """Have an operator say something to the trader now."""
        event = Commanded(command=command, argument="", recv_ns=self.schedule.now_ns)
        self.schedule.at(self.schedule.now_ns, Rank.OPERATOR, lambda: self._deliver([event]))

    def run_to_halt(self, within_ns: int = 40 * SECOND_NS) -> Halt:
        """Stop the trader, close its journal and give how it ended."""
        self.command("stop")
        self.run_until(self.schedule.now_ns + within_ns)
        self.journal.close(self.schedule.now_ns)
        assert self.halt is not None, "the trader did not end"
        return self.halt

    def _carriers(self, seed: int) -> tuple[Errands, Link]:
        schedule, box, signer = self.schedule, self.box, self.signer
        budget = Budget(BudgetParams(), Dice(seed, _STREAM_BACKOFF), schedule.now_ns)
        errands = ErrandParts(
            schedule=schedule,
            box=box,
            signer=signer,
            budget=budget,
            deliver=self._deliver,
            touched=self._touched,
        )
        link = LinkParts(
            schedule=schedule,
            box=box,
            session=Session(SessionParams(reads_account=True)),
            signer=signer,
            deliver=self._deliver,
            touched=self._touched,
        )
        return Errands(errands, Dice(seed, _STREAM_REQUESTS)), Link(link, Dice(seed, _STREAM_FRAMES))

    def _touched(self) -> None:
        """After anything the box did: collect its frames, and come back when its world moves next."""
        self.link.collect()
        due_ns = self.box.next_due_ns()
        if due_ns is not None and due_ns != self._world_due_ns:
            self._world_due_ns = due_ns
            self.schedule.at(due_ns, Rank.WORLD, lambda: self._advance(due_ns))

    def _advance(self, due_ns: int) -> None:
        if due_ns == self._world_due_ns:
            self.box.advance(due_ns)
            self._touched()

    def _deliver(self, events: Sequence[Event]) -> None:
        if self.halt is None and events:
            self._carry(self._turn(events))
        if not self.link.under_way:
            for watch in self.watchers:
                watch()

    def _carry(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case SendOrder() | CancelOrder() | Ask():
                    self.errands.submit(effect)
                case Watch() | Unwatch() | Resubscribe():
                    self.link.submit(effect)
                case SetTimer():
                    self._set_timer(effect)
                case Warn():
                    self.warnings.append(effect.text)
                case Halt():
                    self.halt = effect
                case StartComputation():
                    self._compute(effect)

    def _compute(self, effect: StartComputation) -> None:
        """Do a sum at once, and tell it when a replay would."""
        result, due_ns = self._answers(effect.kind, effect.inputs), self.schedule.now_ns + COMPUTED_AFTER_NS
        done = ComputationDone(kind=effect.kind, number=effect.number, result=result, recv_ns=due_ns)
        self.schedule.at(due_ns, Rank.TIMER, lambda: self._deliver([done]))

    def _set_timer(self, effect: SetTimer) -> None:
        name, number = effect.name, self._timers.get(effect.name, 0) + 1
        self._timers[name] = number

        def fire() -> None:
            if self._timers[name] == number:
                self._deliver([TimerFired(name=name, recv_ns=self.schedule.now_ns)])

        self.schedule.at(effect.due_ns, Rank.TIMER, fire)
