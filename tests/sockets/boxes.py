"""An exchange in a box in this process, told over HTTP what shall go wrong, and the client's real parts on it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from fairstrike.app.clock import SystemClock
from fairstrike.core.chance import Dice
from fairstrike.core.timing import SECOND_NS
from fairstrike.exchange.announcement import Announcement
from fairstrike.exchange.box import BoxParams
from fairstrike.exchange.faults import Fault
from fairstrike.exchange.floor import Floor
from fairstrike.exchange.server import ExchangeServer, ServerSettings
from fairstrike.exchange.worlds import WorldParams
from fairstrike.venue.kalshi.budget import Budget, BudgetParams
from fairstrike.venue.kalshi.credentials import load_key
from fairstrike.venue.kalshi.reads import Reads
from fairstrike.venue.kalshi.rest import Rest, RestParams
from fairstrike.venue.kalshi.signing import Allowed, Signer
from fairstrike.venue.kalshi.writes import Writes
from tests.exchanges import opened

PATIENCE_S = 60.0
"""Longer than anything takes, also on a busy machine."""


class Operated:
    """A running exchange and its administration."""

    def __init__(self, server: ExchangeServer, line: Announcement, http: aiohttp.ClientSession) -> None:
        self.server = server
        self.line = line
        self._http = http

    @property
    def floor(self) -> Floor:
        """The floor itself, to hold what a client believes against what is so."""
        return self.server._house._world.floor

    async def admin(self, method: str, path: str, body: object = None) -> Any:
        bearer = {"Authorization": f"Bearer {self.line.admin.token}"}
        data = None if body is None else msgspec.json.encode(body)
        async with self._http.request(method, self.line.admin.url + path, headers=bearer, data=data) as answer:
            assert answer.status in (200, 201, 204), await answer.text()
            return await answer.json() if answer.status != 204 else None

    async def cause(self, *faults: Fault) -> int:
        """Put faults in force; the number of the last."""
        added = await self.admin("POST", "/faults", list(faults))
        return int(added["faults"][-1]["id"])

    async def struck(self, number: int) -> int:
        """How often a fault struck."""
        listed = await self.admin("GET", "/faults")
        return next(int(one["struck"]) for one in listed["faults"] if one["id"] == number)

    async def calm(self) -> None:
        """Take every fault back."""
        await self.admin("DELETE", "/faults")


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """A client's parts on the account of the exchange."""

    rest: Rest
    reads: Reads
    writes: Writes
    budget: Budget
    clock: SystemClock


def client_on(line: Announcement, answer_s: float) -> Client:
    account, clock = line.accounts[0], SystemClock(line.clock)
    signer = Signer(account.key_id, load_key(account.private_key), Allowed.EVERYTHING)
    params = RestParams(origin=line.rest.removesuffix("/trade-api/v2"), timeout_ns=round(answer_s * SECOND_NS))
    rest = Rest(params, signer, clock, clock.wall_ms)
    budget = Budget(BudgetParams(), Dice(1, 1), clock.now_ns())
    return Client(
        rest=rest,
        reads=Reads(rest, budget, lambda events: True),
        writes=Writes(rest, budget, lambda events: True),
        budget=budget,
        clock=clock,
    )


@asynccontextmanager
async def operated(folder: Path, factor: int, world: WorldParams | None = None) -> AsyncIterator[Operated]:
    """An exchange of a fast clock, without limits of its own on how much is asked."""
    settings = ServerSettings(
        folder=folder / "keys", factor=factor, box=BoxParams(tier=None), world=world or WorldParams(strikes=8)
    )
    async with opened(settings) as (server, line), aiohttp.ClientSession() as http:
        yield Operated(server, line, http)


def play(
    folder: Path,
    act: Callable[[Operated, Client], Awaitable[None]],
    *,
    factor: int = 60,
    answer_s: float = PATIENCE_S,
) -> None:
    """Let a client act on an exchange of its own; it waits so many real seconds for an answer."""

    async def body() -> None:
        async with operated(folder, factor) as box:
            client = client_on(box.line, answer_s)
            try:
                await act(box, client)
            finally:
                await client.rest.close()

    asyncio.run(asyncio.wait_for(body(), 3 * PATIENCE_S))


async def until(what: str, is_so: Callable[[], bool]) -> None:
    """Return when something is so; it must be, in time."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE_S
    while not is_so():
        assert loop.time() < end, what
        await asyncio.sleep(0.005)
