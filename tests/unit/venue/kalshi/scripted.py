"""A venue on a loopback socket that answers from a script and keeps what it was asked."""

import json
from collections.abc import Sequence
from types import TracebackType

import msgspec
from aiohttp import web

from fairstrike.core.chance import Dice
from fairstrike.venue.kalshi.budget import Budget, BudgetParams
from fairstrike.venue.kalshi.rest import Rest, RestParams
from fairstrike.venue.kalshi.signing import Allowed, Signer
from tests.unit.venue.kalshi.fakes import JumpingClock, rsa_pem

DROP = "drop"
"""A reply that is a closed connection."""

Reply = tuple[int, object] | str
PEM = rsa_pem()


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    peer: str


class ScriptedVenue:
    """Answers the replies in turn; `origin` is where it listens."""

    def __init__(self, replies: Sequence[Reply]) -> None:
        self.replies = list(replies)
        self.asked: list[Asked] = []
        self.origin = ""
        self._server = web.Server(self._answer)
        self._runner = web.ServerRunner(self._server)

    async def __aenter__(self) -> "ScriptedVenue":
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.origin = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name.startswith("KALSHI")}
        body = await request.read()
        assert request.transport is not None
        peer = str(request.transport.get_extra_info("peername"))
        asked = Asked(method=request.method, path=request.raw_path, headers=headers, body=body, peer=peer)
        self.asked.append(asked)
        reply = self.replies.pop(0)
        if isinstance(reply, str):
            request.transport.abort()
            return web.Response(status=500)
        status, content = reply
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        place = {"Location": "/elsewhere"} if status == 302 else {}
        return web.Response(status=status, body=data, headers=place)


class WallTicks:
    """Wall time that passes by a millisecond whenever it is asked for."""

    def __init__(self) -> None:
        self.now_ms = 1_786_085_188_000

    def __call__(self) -> int:
        self.now_ms += 1
        return self.now_ms


def rest_for(origin: str, clock: JumpingClock, allowed: Allowed | None = Allowed.EVERYTHING, **changes: int) -> Rest:
    signer = None if allowed is None else Signer("key-id", PEM, allowed)
    return Rest(msgspec.structs.replace(RestParams(origin=origin), **changes), signer, clock, WallTicks())


def budget_for(clock: JumpingClock) -> Budget:
    return Budget(BudgetParams(), Dice(1, 1), clock.now_ns())
