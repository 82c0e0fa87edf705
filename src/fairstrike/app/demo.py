"""`fairstrike demo`: exchange, trader and desk as three processes, watched by a fourth that checks the money.

The parent starts an exchange in a box on a fast clock, the trader against it and the desk beside it, follows the
trader's journal while its markets trade and settle, stops the trader, asks the exchange for the balance over
signed REST and holds it against the ledger, to the microdollar.
"""

import asyncio
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from fairstrike.app import folders, runfile
from fairstrike.app.addresses import on_this_machine, origin_on_this_machine
from fairstrike.app.children import Child, ChildDied, Children
from fairstrike.app.clock import SystemClock
from fairstrike.app.desk.facts import facts_of
from fairstrike.app.desk.state import DeskState
from fairstrike.core.errors import LedgerError, UsageError, VenueError
from fairstrike.core.events import IndexPrinted
from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import format_ud
from fairstrike.exchange.announcement import Announcement
from fairstrike.store.following import Follower, read
from fairstrike.store.segments import DECISIONS, INPUTS
from fairstrike.venue.kalshi.asking import balance_ud
from fairstrike.venue.kalshi.credentials import load_key
from fairstrike.venue.kalshi.rest import Rest, RestParams
from fairstrike.venue.kalshi.signing import Allowed, Signer
from fairstrike.venue.kalshi.wire.portfolio import Balance, OrdersPage
from fairstrike.venue.kalshi.wire.transport import BASE_PATH, Request

SPEED_MAX = 60
_STOP_SECONDS = 40.0
_LOOK_SECONDS = 0.2
_ADMIN_SECONDS = 1.0
_ADMIN_TIMEOUT_SECONDS = 5.0


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says: seed of the world, venue seconds a second, folder or a new one, the hard limit."""

    seed: int
    speed: int
    folder: Path | None
    limit_seconds: float


class World(msgspec.Struct, frozen=True):
    """What the exchange's administrator sees: instants, the markets' states, the planted offers."""

    now_ns: int
    start_ns: int
    close_ns: int
    markets: dict[str, str]
    plants: list[msgspec.Raw]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """Our cash and the exchange's, microdollars, and what still rests there."""

    ledger_ud: int
    exchange_ud: int
    resting: int

    @property
    def is_equal(self) -> bool:
        """Whether the ledger is right."""
        return self.ledger_ud == self.exchange_ud and not self.resting


class DemoResult(msgspec.Struct, frozen=True, kw_only=True):
    """What the demo prints as JSON. Money is decimal dollars."""

    seed: int
    folder: str
    fills: int
    fees: str
    settlements: int
    pnl: str
    strategies: dict[str, dict[str, str | int]]
    planted: int
    ledger: str
    exchange: str
    is_equal: bool


class Demo:
    """One demo: what was wanted, where its files are, and what is known of it so far."""

    def __init__(self, wanted: Wanted) -> None:
        """Make the folders.

        Raises `UsageError` when the folder holds something already.
        """
        if not 1 <= wanted.speed <= SPEED_MAX:
            raise UsageError(f"--speed is a whole number of venue seconds a second, 1 to {SPEED_MAX}")
        if wanted.folder is not None and wanted.folder.exists() and any(wanted.folder.iterdir()):
            raise UsageError(f"{wanted.folder} is not empty; name a new folder with --folder")
        self.wanted = wanted
        self.folder = wanted.folder or folders.fresh("demo")
        self.run_folder = self.folder / "run"
        self.run_folder.mkdir(parents=True)
        self.state = DeskState()
        self.world: World | None = None
        self._follower = Follower(self.run_folder / "journal", DECISIONS)
        self._deadline = time.monotonic() + wanted.limit_seconds

    def run(self, on_look: Callable[["Demo"], None]) -> Check:
        """Play the demo to its end; `on_look` is called a few times a second. Gives the check of the money.

        Raises `ChildDied` when a process ended by itself or the limit of time was reached.
        """
        with Children(self.folder) as children:
            exchange = self._start_exchange(children)
            box = announced(exchange.log)
            trader = children.start(
                "trader",
                [
                    "trade",
                    "--mode",
                    "live",
                    "--env",
                    "box",
                    "--box",
                    str(exchange.log),
                    "--folder",
                    str(self.run_folder),
                ],
                needs=exchange,  # A stop is proved by asking it.
            )
            desk = children.start("desk", ["desk", str(self.run_folder), "--database", "own"])
            self._watch(box, children, on_look)
            trader.process.terminate()
            self._await(trader, 0)
            self._await(desk, 0)
            self.look()
            on_look(self)
            check = asyncio.run(self._check(box))
        return check

    def look(self) -> None:
        """Fold what the trader wrote since the last look."""
        while records := self._follower.poll():
            for fact in facts_of(records):
                self.state.fold(fact)

    @property
    def share_done(self) -> float:
        """How much of the world's time is over, 0 to 1."""
        if self.world is None:
            return 0.0
        end_ns = self.world.close_ns + 120 * SECOND_NS
        return min(1.0, (self.world.now_ns - self.world.start_ns) / (end_ns - self.world.start_ns))

    def index_points(self) -> list[tuple[int, int]]:
        """Give the index as the trader received it: (instant ns, `_e8`)."""
        prints = (record for record in read(self.run_folder / "journal", INPUTS) if record.kind == "IndexPrinted")
        decoded = (msgspec.msgpack.decode(record.body, type=IndexPrinted) for record in prints)
        return [(event.recv_ns, event.value_e8) for event in decoded]

    def result(self, check: Check) -> DemoResult:
        """Give the demo's figures."""
        state = self.state
        return DemoResult(
            seed=self.wanted.seed,
            folder=str(self.folder),
            fills=state.fills_count,
            fees=format_ud(state.fees_ud),
            settlements=state.settlements_count,
            pnl=format_ud(state.cash_ud - state.cash_start_ud),
            strategies={
                name: {"fills": sums.fills, "fees": format_ud(sums.fees_ud), "pnl": format_ud(sums.cash_ud)}
                for name, sums in sorted(state.strategies.items())
            },
            planted=0 if self.world is None else len(self.world.plants),
            ledger=format_ud(check.ledger_ud),
            exchange=format_ud(check.exchange_ud),
            is_equal=check.is_equal,
        )

    def _start_exchange(self, children: Children) -> Child:
        keys = self.folder / "keys"
        arguments = [
            "--json",
            "--seed",
            str(self.wanted.seed),
            "--speed",
            str(self.wanted.speed),
            "--folder",
            str(keys),
        ]
        child = children.start("exchange", ["exchange", *arguments])
        while b"\n" not in child.log.read_bytes():
            child.check()
            self._check_limit()
            time.sleep(0.05)
        return child

    def _watch(self, box: Announcement, children: Children, on_look: Callable[["Demo"], None]) -> None:
        """Follow the run until every market is settled there and here."""
        asked_at = 0.0
        while True:
            children.check()
            self._check_limit()
            if time.monotonic() - asked_at >= _ADMIN_SECONDS:
                asked_at = time.monotonic()
                self.world = ask_world(box)
            self.look()
            on_look(self)
            if (
                self.world is not None
                and set(self.world.markets.values()) == {"finalized"}
                and not self.state.positions
            ):
                return
            time.sleep(_LOOK_SECONDS)

    def _check_limit(self) -> None:
        if time.monotonic() > self._deadline:
            raise ChildDied(f"the demo took more than {self.wanted.limit_seconds:g} s; its logs are in {self.folder}")

    def _await(self, child: Child, code: int) -> None:
        found = child.wait(_STOP_SECONDS)
        if found != code:
            raise ChildDied(
                f"the {child.name} did not end in good order (exit code {found}); its log says:\n{child.tail()}"
            )

    async def _check(self, box: Announcement) -> Check:
        """Ask the exchange for balance and resting orders, signed as the account."""
        account = box.accounts[0]
        signer = Signer(account.key_id, load_key(account.private_key), Allowed.READS)
        clock = SystemClock(box.clock)
        rest = Rest(RestParams(origin=box.rest.removesuffix(BASE_PATH)), signer, clock, clock.wall_ms)
        try:
            balance = await rest.attempt(Request(method="GET", path="/portfolio/balance"))
            orders = await rest.attempt(Request(method="GET", path="/portfolio/orders", query=(("status", "resting"),)))
        finally:
            await rest.close()
        for answer in (balance, orders):
            if not answer.is_success:
                raise VenueError(f"the exchange answered the check with {answer.status}; see the exchange's log")
        assert self.state.ended is not None, "the trader's journal ends with its end"
        return Check(
            ledger_ud=self.state.ended.cash_ud,
            exchange_ud=balance_ud(msgspec.json.decode(balance.body, type=Balance), None),
            resting=len(msgspec.json.decode(orders.body, type=OrdersPage).orders),
        )


def verdict(check: Check) -> str:
    """Give the line that says whether the ledger is right.

    Raises `LedgerError` when it is not.
    """
    if not check.is_equal:
        raise LedgerError(
            f"ledger equals exchange: no ({check.ledger_ud} here, {check.exchange_ud} there, {check.resting} resting); "
            "compare the fills in the journal with the exchange's"
        )
    return f"ledger equals exchange: yes ({check.ledger_ud:,} microdollars)".replace(",", " ")


def announced(log: Path) -> Announcement:
    """Give what an exchange announced in its log.

    Raises `ConfigError` when the account or the administration is to be asked anywhere but on this machine, and
    `UsageError` when the log holds no announcement.
    """
    box = runfile.read_box_line(log)
    replace = msgspec.structs.replace
    admin = replace(box.admin, url=on_this_machine(box.admin.url, "http"))
    return replace(box, rest=origin_on_this_machine(box.rest, BASE_PATH) + BASE_PATH, admin=admin)


def ask_world(box: Announcement) -> World:
    """Ask the exchange's administration how its world stands; no proxy is used and no redirection followed.

    Raises `VenueError` when it does not say.
    """
    place = urlsplit(box.admin.url)
    assert place.hostname is not None, "an announcement is checked when it is read"
    connection = HTTPConnection(place.hostname, place.port, timeout=_ADMIN_TIMEOUT_SECONDS)
    try:
        connection.request("GET", f"{place.path}/state", headers={"Authorization": f"Bearer {box.admin.token}"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise VenueError(f"the exchange does not tell its state (it answered {answer.status}); see its log")
        return msgspec.json.decode(answer.read(), type=World)
    except (OSError, HTTPException, msgspec.MsgspecError) as error:
        raise VenueError(f"the exchange does not tell its state ({error}); see its log") from None
    finally:
        connection.close()
