"""The exchange in a box: a world, its REST answers and its streams under one time, without a socket.

`server.py` drives this object over sockets, a simulation drives it in process with the same bytes; it reads no
clock and draws no chance, so the same calls at the same instants give the same bytes. Every call first lets the
world come to its instant; `now_ns` is venue time, which never goes back, `wall_ms` the machine's epoch
milliseconds, which only signatures know.
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from fairstrike.core.timing import DAY_NS
from fairstrike.exchange.api.budgets import BASIC, Budgets, Tier
from fairstrike.exchange.api.call import BoxRequest, BoxResponse, Desk, error
from fairstrike.exchange.api.dispatch import Api
from fairstrike.exchange.candles import Candles
from fairstrike.exchange.faults import Disconnect, Fault, Maintenance, SettlementCorrection
from fairstrike.exchange.floor import Floor
from fairstrike.exchange.inforce import FaultView, Live, Phase
from fairstrike.exchange.interruptions import Interruptions
from fairstrike.exchange.lanes import fits
from fairstrike.exchange.mishaps import Course, Ending, Mishaps
from fairstrike.exchange.recording import Recorder
from fairstrike.exchange.streaming import Streams
from fairstrike.exchange.verification import Keyring, SignatureRefused, SignedCall
from fairstrike.venue.kalshi.wire.transport import STREAM_PATH


class Stage(Protocol):
    """A floor and whoever else moves on it, told the time by `advance`."""

    @property
    def floor(self) -> Floor:
        """The floor that requests and streams are about."""
        ...

    def advance(self, now_ns: int) -> None:
        """Let everything up to venue time `now_ns` happen."""
        ...

    def next_due_ns(self) -> int | None:
        """Give the next instant at which something happens unasked, None when nothing will."""
        ...


class BoxParams(msgspec.Struct, frozen=True, kw_only=True):
    """The protocol's switches, each with the default that the venue's behaviour suggests.

    `tier` None takes every request; `is_order_found_unrouted` lets GET of one order off shard 0 succeed without
    naming its market; `is_index_granted` entitles keys to the index channels; `live_tier_ns` is how long the live
    tier keeps what is over, before only historical reads give it. `is_yes_priced` tells the NO side of streamed books
    in YES prices to who does not say which, as the venue announced. `fault_seed` decides what faults strike.
    """

    tier: Tier | None = BASIC
    is_order_found_unrouted: bool = False
    is_index_granted: bool = True
    is_yes_priced: bool = False
    live_tier_ns: int = 90 * DAY_NS
    fault_seed: int = 1


class Box:
    """The whole exchange as plain calls: bytes in, bytes out."""

    def __init__(self, stage: Stage, keyring: Keyring, params: BoxParams | None = None) -> None:
        """Open the exchange on `stage` for the accounts whose keys are in `keyring`."""
        switches = params or BoxParams()
        self._stage = stage
        self._keyring = keyring
        self._candles = Candles(stage.floor)
        desk = Desk(
            floor=stage.floor,
            budgets=Budgets(switches.tier),
            candles=self._candles,
            live_tier_ns=switches.live_tier_ns,
            is_order_found_unrouted=switches.is_order_found_unrouted,
        )
        self._api = Api(desk, keyring)
        self._streams = Streams(
            stage.floor, is_index_granted=switches.is_index_granted, is_yes_priced=switches.is_yes_priced
        )
        self._now_ns = stage.floor.now_ns
        self._mishaps = Mishaps(switches.fault_seed, self._now_ns)
        self._interruptions = Interruptions(stage.floor)
        self._accounts: dict[int, str] = {}
        self._cut: set[int] = set()

    def advance(self, now_ns: int) -> None:
        """Let the world come to `now_ns`; what happened is owed to the connections."""
        while (due_ns := self._mishaps.act_due_ns()) is not None and due_ns <= now_ns:
            # What is due already happens now: a fault may be added between two instants of the world.
            self._now_ns = max(due_ns, self._stage.floor.now_ns)
            self._stage.advance(self._now_ns)
            for live, phase in self._mishaps.acts(due_ns):
                self._act(live, phase)
            self._publish(self._now_ns)
        self._now_ns = now_ns
        self._stage.advance(now_ns)
        self._publish(now_ns)

    def next_due_ns(self) -> int | None:
        """Give the next instant at which the box does something unasked, None when it never will."""
        dues = (self._stage.next_due_ns(), self._mishaps.act_due_ns(), self._mishaps.lanes.due_ns())
        return min((due for due in dues if due is not None), default=None)

    def course(self, request: BoxRequest, now_ns: int) -> Course:
        """Give what faults do to a request sent now: wait its `there_ns`, `reply`, and wait its `back_ns`."""
        return self._mishaps.course(request, self._keyring.account_of(request.headers), now_ns)

    def reply(self, request: BoxRequest, course: Course, now_ns: int, wall_ms: int) -> BoxResponse | None:
        """Give the answer to a request that has arrived, as its course has it; None when none is given."""
        if course.is_carried_out:
            return course.told(self.answer(request, now_ns, wall_ms))
        self.advance(now_ns)
        return course.told(None)

    def answer(self, request: BoxRequest, now_ns: int, wall_ms: int) -> BoxResponse:
        """Give the exchange's own answer to a REST request that has arrived."""
        self.advance(now_ns)
        answer = self._api.answer(request, now_ns, wall_ms + self.skew_ms())
        self._publish(now_ns)
        return answer

    def connect(self, headers: Mapping[str, str], wall_ms: int) -> int | BoxResponse:
        """Open a stream for a signed handshake: a connection's number, or the answer that refuses it (401)."""
        signed = SignedCall(
            method="GET",
            path=STREAM_PATH,
            headers={name.lower(): value for name, value in headers.items()},
        )
        who = self._keyring.verify(signed, wall_ms + self.skew_ms())
        if isinstance(who, SignatureRefused):
            return error(401, who.code, who.message, who.details)
        course = self.course(BoxRequest(method="GET", path=STREAM_PATH, headers=headers), self._now_ns)
        if course.answer is not None:
            return course.answer
        if course.ending is not Ending.WHOLE:
            return error(504, "timeout", "the handshake was not answered")
        connection = self._streams.connect(who.account)
        self._accounts[connection] = who.account
        return connection

    def command(self, connection: int, data: bytes, now_ns: int) -> None:
        """Carry out what a client says on its stream; the answers are among its frames."""
        self.advance(now_ns)
        self._streams.command(connection, data)

    def frames(self, connection: int) -> list[bytes]:
        """Give the frames owed to a connection since the last call, oldest first."""
        frames = self._streams.frames(connection)
        return self._mishaps.lanes.frames(connection, self._accounts.get(connection, ""), frames, self._now_ns)

    def is_lost(self, connection: int) -> bool:
        """Whether a connection must be closed: a fault cut it, or it does not read what it is owed."""
        return connection in self._cut or self._streams.is_lost(connection)

    def disconnect(self, connection: int) -> None:
        """Forget a connection; its orders stay."""
        self._streams.disconnect(connection)
        self._mishaps.lanes.forget(connection)
        self._accounts.pop(connection, None)
        self._cut.discard(connection)

    # Faults

    def skew_ms(self) -> int:
        """Give how far faults put the wall clock ahead that judges signatures, in milliseconds."""
        return self._mishaps.skew_ms(self._now_ns)

    def add_fault(self, fault: Fault, now_ns: int) -> FaultView:
        """Put a fault in force, at once or when it says.

        Raises `ConfigError` for a market that is not listed, a beginning in the past, and too many faults.
        """
        self.advance(now_ns)
        self._interruptions.check(fault)
        view = self._mishaps.add(fault, now_ns)
        self.advance(now_ns)
        return view

    def remove_fault(self, number: int, now_ns: int) -> bool:
        """Take a fault back; a pause or maintenance ends. False when there is none of this number."""
        self.advance(now_ns)
        live = self._mishaps.remove(number)
        if live is not None:
            self._interruptions.end(live, now_ns)
            self._publish(now_ns)
        return live is not None

    def faults(self) -> tuple[FaultView, ...]:
        """Give the faults that were added and not removed, those that are over included."""
        return self._mishaps.views()

    def struck(self) -> dict[str, int]:
        """Give how often faults of each kind struck, those that never did left out."""
        return self._mishaps.struck()

    def _act(self, live: Live, phase: Phase) -> None:
        fault = live.fault
        match phase:
            case Phase.BEGIN:
                self._interruptions.begin(live, self._now_ns)
            case Phase.END:
                self._interruptions.end(live, self._now_ns)
            case Phase.STRIKE:
                if isinstance(fault, SettlementCorrection):
                    self._interruptions.correct(live, self._now_ns)
        if isinstance(fault, Disconnect) and phase is Phase.STRIKE:
            self._cut.update(number for number, account in self._accounts.items() if fits(fault, account))
        if isinstance(fault, Maintenance) and phase is Phase.BEGIN:
            self._cut.update(self._accounts)

    def recorder(self) -> Recorder:
        """Give a recorder of the 15-minute markets; ask it for its lines after every call."""
        return Recorder(self._stage.floor, self._streams)

    def _publish(self, now_ns: int) -> None:
        happenings = self._stage.floor.drain()
        self._candles.take(happenings)
        self._streams.publish(happenings, now_ns)
