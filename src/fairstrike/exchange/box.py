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
from fairstrike.exchange.floor import Floor
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


class BoxParams(msgspec.Struct, frozen=True, kw_only=True):
    """The protocol's switches, each with the default that the venue's behaviour suggests.

    `tier` None takes every request; `money_shard` holds the accounts' money;
    `is_order_found_unrouted` lets GET of one order off shard 0 succeed without naming its market;
    `is_index_granted` entitles keys to the index channels; `live_tier_ns` is how long the live tier keeps what is
    over, before only historical reads give it. `is_yes_priced` tells the NO side of streamed books in YES prices to
    who does not say which, as the venue announced.
    """

    tier: Tier | None = BASIC
    money_shard: int = 2
    is_order_found_unrouted: bool = False
    is_index_granted: bool = True
    is_yes_priced: bool = False
    live_tier_ns: int = 90 * DAY_NS


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
            money_shard=switches.money_shard,
            is_order_found_unrouted=switches.is_order_found_unrouted,
        )
        self._api = Api(desk, keyring)
        self._streams = Streams(
            stage.floor, is_index_granted=switches.is_index_granted, is_yes_priced=switches.is_yes_priced
        )

    def advance(self, now_ns: int) -> None:
        """Let the world come to `now_ns`; what happened is owed to the connections."""
        self._stage.advance(now_ns)
        self._publish(now_ns)

    def answer(self, request: BoxRequest, now_ns: int, wall_ms: int) -> BoxResponse:
        """Give the answer to a REST request."""
        self.advance(now_ns)
        answer = self._api.answer(request, now_ns, wall_ms)
        self._publish(now_ns)
        return answer

    def connect(self, headers: Mapping[str, str], wall_ms: int) -> int | BoxResponse:
        """Open a stream for a signed handshake: a connection's number, or the answer that refuses it (401)."""
        signed = SignedCall(
            method="GET",
            path=STREAM_PATH,
            headers={name.lower(): value for name, value in headers.items()},
        )
        who = self._keyring.verify(signed, wall_ms)
        if isinstance(who, SignatureRefused):
            return error(401, who.code, who.message, who.details)
        return self._streams.connect(who.account)

    def command(self, connection: int, data: bytes, now_ns: int) -> None:
        """Carry out what a client says on its stream; the answers are among its frames."""
        self.advance(now_ns)
        self._streams.command(connection, data)

    def frames(self, connection: int) -> list[bytes]:
        """Give the frames owed to a connection since the last call, oldest first."""
        return self._streams.frames(connection)

    def is_lost(self, connection: int) -> bool:
        """Whether a connection does not read what it is owed and must be closed."""
        return self._streams.is_lost(connection)

    def disconnect(self, connection: int) -> None:
        """Forget a connection; its orders stay."""
        self._streams.disconnect(connection)

    def _publish(self, now_ns: int) -> None:
        happenings = self._stage.floor.drain()
        self._candles.take(happenings)
        self._streams.publish(happenings, now_ns)
