"""The sockets of the exchange in a box: one port on the loopback address for REST, stream and administration.

It reads the machine's clock and moves bytes between sockets and the pure `Box`. Venue time is the machine's time
through a `VenueClock`. All frames a connection is owed go out in one write, so that what happened in one venue instant
arrives together. No secret is logged.
"""

import asyncio
import hmac
import secrets
import signal
import sys
import time
import uuid
from email.utils import formatdate
from heapq import heappop, heappush
from pathlib import Path

import msgspec
from aiohttp import WSMsgType, web

from fairstrike.core.errors import ConfigError, Unreachable
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS, VenueClock
from fairstrike.core.units import format_decimal
from fairstrike.exchange import administration, binding, files
from fairstrike.exchange.administration import FAULTS_PATH, AccountSettings
from fairstrike.exchange.announcement import STEP_PATH, AccountKey, Admin, Announcement, told
from fairstrike.exchange.api.call import BoxRequest, BoxResponse, answer_json, error
from fairstrike.exchange.box import BoxParams
from fairstrike.exchange.calibrated import CalibratedParams
from fairstrike.exchange.doorstep import Crowd, Doorstep, unreadable
from fairstrike.exchange.faults import Fault
from fairstrike.exchange.framing import PING_FRAME, join
from fairstrike.exchange.house import House
from fairstrike.exchange.mishaps import Ending
from fairstrike.exchange.replayed import ReplayedParams
from fairstrike.exchange.worlds import START_NS, WorldParams
from fairstrike.venue.kalshi.wire.transport import BASE_PATH, STREAM_PATH

PING_SECONDS = 10.0
BODY_BYTES_MAX = 1 << 20
UNSENT_BYTES_MAX = 4 << 20
_STOP_SECONDS = 0.3
_LINGER_SECONDS = 5.0
_UNANSWERED_SECONDS = 120.0
_STRIDE_NS = SECOND_NS
_CATCH_UP_NS = 20 * MILLISECOND_NS
_FACTOR_MAX = 1_000
_SKEW_MS_MAX = 86_400_000
_JSON = "application/json"


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How to start the exchange.

    `folder` takes the private keys; `host` is this machine's own unless `is_remote_allowed`; `port` 0 means any free
    one; `factor` is venue seconds per real second; `start_ns` the world's first venue instant, instead of which with
    `is_now` venue time is the machine's; `world` says by its parameters which world; `is_json` prints the announcement
    as one JSON line; `record` takes the 15-minute markets' stream; with `is_stepped` venue time stands still but for
    steps of the administration, and the announced factor is 0; `faults` are in force from the start or when they say;
    `clock_skew_ms` is how far the wall clock that it shows and judges signatures by is ahead of the machine's. A client
    has `request_seconds`, real ones, for its next request to arrive and as long for its body; then it is hung up on.
    """

    folder: Path
    seed: int = 1
    host: str = "127.0.0.1"
    is_remote_allowed: bool = False
    port: int = 0
    factor: int = 1
    start_ns: int = START_NS
    is_now: bool = False
    tick_ms: int = 5
    is_json: bool = False
    is_stepped: bool = False
    record: Path | None = None
    clock_skew_ms: int = 0
    request_seconds: float = 60.0
    faults: tuple[Fault, ...] = ()
    accounts: tuple[AccountSettings, ...] = (AccountSettings(),)
    world: WorldParams | CalibratedParams | ReplayedParams = WorldParams()
    box: BoxParams = BoxParams()


class _Wire:
    """One open stream: the number of its connection and the transport its frames go to."""

    __slots__ = ("connection", "ping_at", "transport")

    def __init__(self, connection: int, transport: asyncio.WriteTransport, ping_at: float) -> None:
        self.connection = connection
        self.transport = transport
        self.ping_at = ping_at


class ExchangeServer:
    """The exchange on a socket. `start`, then `run` until `stop` is called, then `close`."""

    def __init__(self, settings: ServerSettings) -> None:
        """Make the world of `settings`; nothing listens yet.

        Raises `ConfigError` for a host that lets other machines in though that is not allowed, for numbers that
        cannot be, for two accounts of one name, and for faults of markets that the world does not have.
        """
        binding.check_host(settings.host, is_remote_allowed=settings.is_remote_allowed)
        if not 1 <= settings.factor <= _FACTOR_MAX or settings.tick_ms < 1:
            raise ConfigError(
                f"--speed is a whole number from 1 to {_FACTOR_MAX}; to let time stand still use --stepped"
            )
        if settings.is_stepped and settings.factor != 1:
            raise ConfigError("--speed is for time that runs by itself; leave it out with --stepped")
        is_calibrated = isinstance(settings.world, CalibratedParams)
        if settings.is_now and (settings.factor != 1 or settings.is_stepped or not is_calibrated):
            raise ConfigError("--now is real time in an endless world: use --liquidity calibrated alone with it")
        if not 0 <= settings.port < 1 << 16:
            raise ConfigError(f"there is no port {settings.port}; use one up to 65535, or 0 for any free one")
        if abs(settings.clock_skew_ms) > _SKEW_MS_MAX:
            raise ConfigError(f"a clock skew of {settings.clock_skew_ms} ms is more than a day; use less")
        self._settings = settings
        self._token = secrets.token_urlsafe(24)
        self._house = House(
            seed=settings.seed,
            start_ns=(start_ns := self._start_ns()),
            world=settings.world,
            box=settings.box,
            faults=settings.faults,
        )
        self._accounts: dict[str, AccountKey] = {}
        for account in settings.accounts:
            self._open_account(account)
        self._now_ns = start_ns
        self._clock = VenueClock()
        self._pending: list[tuple[int, int, asyncio.Future[None]]] = []
        self._waits = 0
        self._stepping = asyncio.Lock()
        self._wires: dict[int, _Wire] = {}
        self._is_flush_due = False
        self._stopped = asyncio.Event()
        self._record = files.new_recording(settings.record) if settings.record is not None else None
        self._runner: web.ServerRunner | None = None

    async def start(self) -> Announcement:
        """Listen, let the venue's clock run, and give what clients need.

        Raises `Unreachable` when the port cannot be had.
        """
        seconds = self._settings.request_seconds
        lingers = min(seconds, _LINGER_SECONDS)
        door = Doorstep(self._handle, access_log=None, keepalive_timeout=seconds, lingering_time=lingers)
        runner = web.ServerRunner(door, shutdown_timeout=_STOP_SECONDS)
        await runner.setup()
        self._runner = runner
        try:
            await web.TCPSite(runner, self._settings.host, self._settings.port).start()
        except OSError as why:
            place = f"port {self._settings.port} on {self._settings.host}"
            raise Unreachable(f"{place} cannot be had ({why.strerror}); choose another") from None
        self._set_clock()
        host, port = runner.addresses[0][:2]
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return Announcement(
            rest=f"http://{place}{BASE_PATH}",
            ws=f"ws://{place}{STREAM_PATH}",
            clock=self._clock,
            accounts=tuple(self._accounts.values()),
            admin=Admin(url=f"http://{place}/admin", token=self._token),
            seed=self._settings.seed,
        )

    async def run(self) -> None:
        """Let time pass until `stop`: every few milliseconds the world moves on and frames go out."""
        while not self._stopped.is_set():
            self._live(self._venue_ns())
            self._flush()
            self._ping()
            await asyncio.sleep(self._settings.tick_ms / 1_000)

    def stop(self) -> None:
        """Ask `run` to end."""
        self._stopped.set()

    async def close(self) -> None:
        """Close every socket."""
        for wire in list(self._wires.values()):
            # Who does not read what is sent is not waited for.
            if wire.transport.get_write_buffer_size():
                wire.transport.abort()
            else:
                wire.transport.close()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._record is not None:
            self._record.close()

    # Requests

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await self._attend(request)
        except web.HTTPException as why:
            response = self._http(unreadable(why.status, why.text or why.reason))
        except web.RequestPayloadError as why:
            response = self._http(unreadable(400, str(why)))
        except ConnectionResetError:
            # The client hung up in the middle of its request; nobody hears the answer.
            response = web.Response(status=400)
        # What is left of it on the connection is no request either.
        response.force_close()
        return response

    async def _attend(self, request: web.BaseRequest) -> web.StreamResponse:
        if not binding.is_answered(request.host, self._settings.host):
            return self._http(error(403, "forbidden", "this exchange does not answer to that host"))
        path, _, query = request.raw_path.partition("?")
        if (request.method, path) == ("GET", STREAM_PATH):
            return await self._stream(request)
        if path.startswith("/admin/"):
            return self._http(await self._administer(request, path, await self._body(request)))
        call = BoxRequest(
            method=request.method,
            path=path,
            query=query,
            headers=dict(request.headers),
            body=await self._body(request),
        )
        box = self._house.box
        course = box.course(call, self._venue_ns())
        await self._pass(course.there_ns)
        if box is not self._house.box:
            return self._http(error(503, "service_unavailable", "the world began anew before the request arrived"))
        answer = box.reply(call, course, self._venue_ns(), self._wall_ms())
        self._flush_soon()
        await self._pass(course.back_ns)
        if answer is None:
            return await self._leave_unanswered(request)
        return await self._cut(request, answer) if course.ending is Ending.CUT else self._http(answer)

    async def _body(self, request: web.BaseRequest) -> bytes:
        seconds = self._settings.request_seconds
        try:
            async with asyncio.timeout(seconds):
                return await request.read() if request.can_read_body else b""
        except TimeoutError:
            raise web.HTTPRequestTimeout(text=f"the body took longer than {seconds:g} s") from None

    async def _leave_unanswered(self, request: web.BaseRequest) -> web.StreamResponse:
        """Say nothing until the client hangs up."""
        until = time.monotonic() + _UNANSWERED_SECONDS
        while request.transport is not None and time.monotonic() < until and not self._stopped.is_set():
            await asyncio.sleep(self._settings.tick_ms / 1_000)
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=204)

    async def _cut(self, request: web.BaseRequest, answer: BoxResponse) -> web.StreamResponse:
        """Send half of an answer, where it has no body half of its first line, and hang up."""
        if not answer.body and request.transport is not None:
            assert isinstance(request.transport, asyncio.WriteTransport), "an accepted socket has a transport"
            request.transport.write(b"HTTP/1.1 ")
            request.transport.close()
            return web.Response(status=answer.status)
        response = web.StreamResponse(status=answer.status, headers={"Content-Length": str(len(answer.body))})
        await response.prepare(request)
        await response.write(answer.body[: len(answer.body) // 2])
        if request.transport is not None:
            request.transport.close()
        return response

    async def _administer(self, request: web.BaseRequest, path: str, body: bytes) -> BoxResponse:
        if (request.method, path) == ("GET", "/admin/clock"):
            return answer_json(self._clock)
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, f"Bearer {self._token}".encode()):
            return error(401, "authentication_error", "the administration token is missing or wrong")
        try:
            return await self._carry_out(request.method, path, body)
        except ConfigError as why:
            return error(400, "bad_request", str(why))

    async def _carry_out(self, method: str, path: str, body: bytes) -> BoxResponse:
        if path == FAULTS_PATH or path.startswith(f"{FAULTS_PATH}/"):
            answer = administration.answer_faults(self._house.box, method, path, body, self._venue_ns())
            self._flush_soon()
            return answer
        match (method, path):
            case ("GET", "/admin/state"):
                self._flush_soon()
                return answer_json(self._house.state(self._venue_ns()) | {"connections": len(self._wires)})
            case ("GET", "/admin/accounts"):
                return answer_json({"accounts": tuple(self._accounts.values())})
            case ("POST", "/admin/accounts"):
                return answer_json(self._open_account(administration.read_account(body)), 201)
            case ("POST", path) if path == STEP_PATH:
                await self._step(administration.read_step_ns(body))
                return answer_json({"now_ns": self._now_ns})
            case ("POST", "/admin/reset"):
                self._reset(administration.read_reset(body).seed)
                return answer_json({"seed": self._house.seed, "clock": self._clock})
            case ("POST", "/admin/stop"):
                asyncio.get_running_loop().call_later(0.05, self.stop)
                return BoxResponse(status=204)
            case ("POST", "/admin/inject"):
                # Between two frames of ours, to every stream: what a client must survive.
                for wire in self._wires.values():
                    wire.transport.write(join((body,)))
                return BoxResponse(status=204)
        return error(404, "not_found", "path not found")

    async def _step(self, span_ns: int) -> None:
        """Let stepped time pass, in strides that stop where a request waits, and its client is heard in between."""
        if not self._settings.is_stepped:
            raise ConfigError("time runs by itself here; start the exchange with --stepped to step it")
        async with self._stepping:
            box, end_ns = self._house.box, self._now_ns + span_ns
            while self._now_ns < end_ns and box is self._house.box and not self._stopped.is_set():
                waits_ns = self._pending[0][0] if self._pending else end_ns
                self._now_ns = min(end_ns, self._now_ns + _STRIDE_NS, max(waits_ns, self._now_ns))
                self._live(self._now_ns)
                self._release()
                await asyncio.sleep(0)
                self._flush()
                await asyncio.sleep(0)
            self._set_clock()

    def _reset(self, seed: int | None) -> None:
        """Begin the world anew with the accounts' first balances and the faults of the start; cut every stream."""
        start_ns = self._start_ns()
        self._house.begin(self._house.seed if seed is None else seed, start_ns)
        self._now_ns = start_ns
        for wire in self._wires.values():
            wire.transport.abort()
        self._wires.clear()
        self._set_clock()
        self._release(is_over=True)

    async def _stream(self, request: web.BaseRequest) -> web.StreamResponse:
        box = self._house.box
        connection = box.connect(request.headers, self._wall_ms())
        if isinstance(connection, BoxResponse):
            return self._http(connection)
        socket = web.WebSocketResponse(compress=False, max_msg_size=BODY_BYTES_MAX)
        try:
            await socket.prepare(request)
            assert isinstance(request.transport, asyncio.WriteTransport), "an accepted socket has a transport"
            ping_at = time.monotonic() + PING_SECONDS
            if box is not self._house.box:
                return socket
            wire = self._wires[connection] = _Wire(connection, request.transport, ping_at)
            async for message in socket:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    data = message.data.encode() if message.type is WSMsgType.TEXT else message.data
                    if self._wires.get(connection) is not wire:
                        break
                    box.command(connection, data, self._venue_ns())
                    self._flush()
        finally:
            if box is self._house.box:
                self._wires.pop(connection, None)
            box.disconnect(connection)
        return socket

    # Frames

    def _flush_soon(self) -> None:
        # After the answer that is about to be written, so that neither always comes first by much.
        if not self._is_flush_due:
            self._is_flush_due = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._is_flush_due = False
        for wire in self._wires.values():
            if self._house.box.is_lost(wire.connection):
                wire.transport.abort()
            # A reader that does not keep up is owed frames until the box ends its subscriptions.
            if wire.transport.get_write_buffer_size() > UNSENT_BYTES_MAX:
                continue
            frames = self._house.box.frames(wire.connection)
            if frames and not wire.transport.is_closing():
                wire.transport.write(join(frames))

    def _ping(self) -> None:
        now = time.monotonic()
        for wire in self._wires.values():
            if now >= wire.ping_at:
                wire.ping_at = now + PING_SECONDS
                if not wire.transport.is_closing():
                    wire.transport.write(PING_FRAME)

    # Start

    def _open_account(self, account: AccountSettings) -> AccountKey:
        if self._house.is_taken(account.name):
            raise ConfigError(f"there is an account {account.name} already; choose another name")
        if len(self._accounts) >= administration.ACCOUNTS_MAX:
            raise ConfigError(f"there are {administration.ACCOUNTS_MAX} accounts already; start another exchange")
        key_id = str(uuid.uuid4())
        path = self._settings.folder.resolve() / f"{account.name}.pem"
        self._house.admit(account, key_id, files.write_new_key(path, account.key_type))
        balance = format_decimal(account.balance_ud // 100, 4)
        opened = self._accounts[account.name] = AccountKey(
            name=account.name, key_id=key_id, private_key=str(path), balance=balance, key_type=account.key_type.value
        )
        return opened

    def _http(self, answer: BoxResponse) -> web.Response:
        shown_ms = self._wall_ms() + self._house.box.skew_ms()
        headers = {"Date": formatdate(shown_ms / 1_000, usegmt=True), **answer.headers}
        if answer.status == 204:
            return web.Response(status=204, headers=headers)
        return web.Response(status=answer.status, body=answer.body, content_type=_JSON, headers=headers)

    def _wall_ms(self) -> int:
        return time.time_ns() // MILLISECOND_NS + self._settings.clock_skew_ms

    # Time

    def _live(self, now_ns: int) -> None:
        """Let the world come to `now_ns`, and write down what its 15-minute markets did."""
        lines = self._house.live(now_ns)
        if self._record is not None:
            self._record.writelines(lines)

    def _set_clock(self) -> None:
        """Let the clock run from now on, or with steps stand where it is."""
        factor = 0 if self._settings.is_stepped else self._settings.factor
        system_ns = time.time_ns()
        venue_ns = system_ns if self._settings.is_now else self._now_ns
        self._clock = VenueClock(anchor_venue_ns=venue_ns, anchor_system_ns=system_ns, factor=factor)

    def _start_ns(self) -> int:
        """Give the first instant of a world that begins now."""
        is_now, start_ns = self._settings.is_now, self._settings.start_ns
        return time.time_ns() // SECOND_NS * SECOND_NS if is_now else start_ns

    async def _pass(self, span_ns: int) -> None:
        """Wait until venue time has moved on by `span_ns`, or the world begins anew."""
        if span_ns <= 0:
            return
        if not self._settings.is_stepped:
            await asyncio.sleep(span_ns / self._settings.factor / SECOND_NS)
            return
        self._waits += 1
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heappush(self._pending, (self._now_ns + span_ns, self._waits, waiting))
        await waiting

    def _release(self, *, is_over: bool = False) -> None:
        """Let requests go on whose time has come, or all of them."""
        while self._pending and (is_over or self._pending[0][0] <= self._now_ns):
            waiting = heappop(self._pending)[2]
            if not waiting.done():
                waiting.set_result(None)

    def _venue_ns(self) -> int:
        if self._settings.is_stepped:
            return self._now_ns
        # A machine that cannot keep up lets venue time fall behind its clock, and is asked and ended all the same.
        reached_ns = self._now_ns + self._settings.factor * _CATCH_UP_NS
        self._now_ns = max(self._now_ns, min(self._clock.venue_ns(time.time_ns()), reached_ns))
        return self._now_ns


async def serve(settings: ServerSettings) -> None:
    """Run the exchange until SIGTERM, SIGINT or `POST /admin/stop`; announce it on standard output."""
    server = ExchangeServer(settings)
    announcement = await server.start()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(Crowd())
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    if (warning := binding.warning(settings.host)) is not None:
        sys.stderr.write(warning + "\n")
    sys.stdout.write(told(announcement, is_json=settings.is_json) + "\n")
    sys.stdout.flush()
    try:
        await server.run()
    finally:
        await server.close()


def run_exchange(settings: ServerSettings) -> int:
    """Run the exchange until it is stopped and give the exit code 0.

    Raises `ConfigError` for settings that cannot be, `Unreachable` for a port that cannot be had.
    """
    asyncio.run(serve(settings))
    return 0
