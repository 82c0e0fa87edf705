"""The sockets of the exchange in a box: one port on the loopback address for REST, stream and administration.

This is the exchange's only impure file: it reads the machine's clock, makes keys, and moves bytes between
sockets and the pure `Box`. Venue time is the machine's time through a `VenueClock`. All frames a connection is
owed go out in one write, so that what happened in one venue instant arrives together. No secret is logged.
"""

import asyncio
import hmac
import ipaddress
import os
import secrets
import signal
import sys
import time
import uuid
from collections.abc import Iterable
from email.utils import formatdate
from pathlib import Path

import msgspec
from aiohttp import WSMsgType, web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from fairstrike.core.errors import ConfigError, Unreachable
from fairstrike.core.timing import MILLISECOND_NS, VenueClock
from fairstrike.core.units import UD_PER_DOLLAR, format_decimal
from fairstrike.exchange.announcement import AccountKey, Admin, Announcement
from fairstrike.exchange.api.call import BoxRequest, BoxResponse, answer_json, error
from fairstrike.exchange.box import Box, BoxParams
from fairstrike.exchange.verification import Keyring
from fairstrike.exchange.worlds import START_NS, World, WorldParams
from fairstrike.venue.kalshi.wire.transport import BASE_PATH, STREAM_PATH

PING_SECONDS = 10.0
BODY_BYTES_MAX = 1 << 20
UNSENT_BYTES_MAX = 4 << 20
_STOP_SECONDS = 0.3
_SKEW_MS_MAX = 86_400_000
_PING_FRAME = b"\x89\x09heartbeat"
_JSON = "application/json"


class AccountSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One client account: its name, also its key file's, and its first balance."""

    name: str = "client"
    balance_ud: int = 10_000 * UD_PER_DOLLAR


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How to start the exchange.

    `folder` takes the private keys; `port` 0 means any free one; `factor` is venue seconds per real second;
    `start_ns` the world's first venue instant; `is_json` prints the announcement as one JSON line;
    `clock_skew_ms` is how far the wall clock that it shows and judges signatures by is ahead of the machine's.
    """

    folder: Path
    seed: int = 1
    host: str = "127.0.0.1"
    port: int = 0
    factor: int = 1
    start_ns: int = START_NS
    tick_ms: int = 5
    is_json: bool = False
    clock_skew_ms: int = 0
    accounts: tuple[AccountSettings, ...] = (AccountSettings(),)
    world: WorldParams = WorldParams()
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

        Raises `ConfigError` for a host that is not this machine's loopback address.
        """
        if not _is_loopback(settings.host):
            raise ConfigError(f"the exchange serves this machine only; use 127.0.0.1, not {settings.host}")
        if settings.factor < 1 or settings.tick_ms < 1:
            raise ConfigError("--speed (factor) and tick_ms are whole numbers of at least 1; correct it")
        if not 0 <= settings.port < 1 << 16:
            raise ConfigError(f"there is no port {settings.port}; use one up to 65535, or 0 for any free one")
        if abs(settings.clock_skew_ms) > _SKEW_MS_MAX:
            raise ConfigError(f"a clock skew of {settings.clock_skew_ms} ms is more than a day; use less")
        self._settings = settings
        self._token = secrets.token_urlsafe(24)
        self._keyring = Keyring()
        self._world = World(seed=settings.seed, start_ns=settings.start_ns, params=settings.world)
        self._accounts = tuple(self._open_account(account) for account in settings.accounts)
        self._box = Box(self._world, self._keyring, settings.box)
        self._clock = VenueClock()
        self._now_ns = settings.start_ns
        self._wires: dict[int, _Wire] = {}
        self._is_flush_due = False
        self._stopped = asyncio.Event()
        self._runner: web.ServerRunner | None = None

    async def start(self) -> Announcement:
        """Listen, let the venue's clock run, and give what clients need.

        Raises `Unreachable` when the port cannot be had.
        """
        runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=_STOP_SECONDS)
        await runner.setup()
        self._runner = runner
        try:
            await web.TCPSite(runner, self._settings.host, self._settings.port).start()
        except OSError as why:
            raise Unreachable(f"port {self._settings.port} cannot be had ({why.strerror}); choose another") from None
        self._clock = VenueClock(
            anchor_venue_ns=self._settings.start_ns,
            anchor_system_ns=time.time_ns(),
            factor=self._settings.factor,
        )
        host, port = runner.addresses[0][:2]
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return Announcement(
            rest=f"http://{place}{BASE_PATH}",
            ws=f"ws://{place}{STREAM_PATH}",
            clock=self._clock,
            accounts=self._accounts,
            admin=Admin(url=f"http://{place}/admin", token=self._token),
            seed=self._settings.seed,
        )

    async def run(self) -> None:
        """Let time pass until `stop`: every few milliseconds the world moves on and frames go out."""
        while not self._stopped.is_set():
            self._box.advance(self._venue_ns())
            self._flush()
            self._ping()
            await asyncio.sleep(self._settings.tick_ms / 1_000)

    def stop(self) -> None:
        """Ask `run` to end."""
        self._stopped.set()

    async def close(self) -> None:
        """Close every socket."""
        for wire in list(self._wires.values()):
            wire.transport.close()
        if self._runner is not None:
            await self._runner.cleanup()

    # Requests

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if not _is_loopback(request.host.rpartition(":")[0] or request.host):
            return self._http(error(403, "forbidden", "this exchange serves its own machine only"))
        path, _, query = request.raw_path.partition("?")
        if path == STREAM_PATH:
            return await self._stream(request)
        if path.startswith("/admin/"):
            return self._http(self._administer(request, path, await _body(request)))
        call = BoxRequest(
            method=request.method,
            path=path,
            query=query,
            headers=dict(request.headers),
            body=await _body(request),
        )
        answer = self._box.answer(call, self._venue_ns(), self._wall_ms())
        self._flush_soon()
        return self._http(answer)

    def _administer(self, request: web.BaseRequest, path: str, body: bytes) -> BoxResponse:
        if (request.method, path) == ("GET", "/admin/clock"):
            return answer_json(self._clock)
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {self._token}".encode()):
            return error(401, "authentication_error", "the administration token is missing or wrong")
        if (request.method, path) == ("GET", "/admin/state"):
            return answer_json(self._state())
        if (request.method, path) == ("POST", "/admin/stop"):
            asyncio.get_running_loop().call_later(0.05, self.stop)
            return BoxResponse(status=204)
        if (request.method, path) == ("POST", "/admin/inject"):
            # Between two frames of ours, to every stream: what a client must survive.
            for wire in self._wires.values():
                wire.transport.write(_join((body,)))
            return BoxResponse(status=204)
        return error(404, "not_found", "path not found")

    def _state(self) -> dict[str, object]:
        now_ns = self._venue_ns()
        self._box.advance(now_ns)
        self._flush_soon()
        floor = self._world.floor
        return {
            "seed": self._world.seed,
            "now_ns": now_ns,
            "start_ns": self._world.start_ns,
            "close_ns": self._world.close_ns,
            "plants": self._world.plants,
            "total_ud": floor.total_ud(),
            "markets": {view.contract.ticker: view.status.value for view in floor.markets()},
            "accounts": [floor.account(account.name) for account in self._settings.accounts],
            "connections": len(self._wires),
        }

    async def _stream(self, request: web.BaseRequest) -> web.StreamResponse:
        connection = self._box.connect(request.headers, self._wall_ms())
        if isinstance(connection, BoxResponse):
            return self._http(connection)
        socket = web.WebSocketResponse(compress=False, max_msg_size=BODY_BYTES_MAX)
        try:
            await socket.prepare(request)
            assert isinstance(request.transport, asyncio.WriteTransport), "an accepted socket has a transport"
            ping_at = time.monotonic() + PING_SECONDS
            self._wires[connection] = _Wire(connection, request.transport, ping_at)
            async for message in socket:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    data = message.data.encode() if message.type is WSMsgType.TEXT else message.data
                    self._box.command(connection, data, self._venue_ns())
                    self._flush()
        finally:
            self._wires.pop(connection, None)
            self._box.disconnect(connection)
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
            if self._box.is_lost(wire.connection):
                wire.transport.abort()
            # A reader that does not keep up is owed frames until the box ends its subscriptions.
            if wire.transport.get_write_buffer_size() > UNSENT_BYTES_MAX:
                continue
            frames = self._box.frames(wire.connection)
            if frames and not wire.transport.is_closing():
                wire.transport.write(_join(frames))

    def _ping(self) -> None:
        now = time.monotonic()
        for wire in self._wires.values():
            if now >= wire.ping_at:
                wire.ping_at = now + PING_SECONDS
                if not wire.transport.is_closing():
                    wire.transport.write(_PING_FRAME)

    # Start

    def _open_account(self, account: AccountSettings) -> AccountKey:
        key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        key_id = str(uuid.uuid4())
        path = self._settings.folder.resolve() / f"{account.name}.pem"
        _write_secret(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self._keyring.add(key_id, account.name, public)
        self._world.floor.open_account(account.name, key_id=key_id, balance_ud=account.balance_ud)
        balance = format_decimal(account.balance_ud // 100, 4)
        return AccountKey(key_id=key_id, private_key=str(path), balance=balance)

    def _http(self, answer: BoxResponse) -> web.Response:
        headers = {"Date": formatdate(self._wall_ms() / 1_000, usegmt=True)}
        if answer.status == 204:
            return web.Response(status=204, headers=headers)
        return web.Response(status=answer.status, body=answer.body, content_type=_JSON, headers=headers)

    def _wall_ms(self) -> int:
        return time.time_ns() // MILLISECOND_NS + self._settings.clock_skew_ms

    def _venue_ns(self) -> int:
        self._now_ns = max(self._now_ns, self._clock.venue_ns(time.time_ns()))
        return self._now_ns


async def serve(settings: ServerSettings) -> None:
    """Run the exchange until SIGTERM, SIGINT or `POST /admin/stop`; announce it on standard output."""
    server = ExchangeServer(settings)
    announcement = await server.start()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    sys.stdout.write(_announce(announcement, is_json=settings.is_json) + "\n")
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


def _announce(announcement: Announcement, *, is_json: bool) -> str:
    if is_json:
        return msgspec.json.encode(announcement).decode()
    rows = [
        ("REST", announcement.rest),
        ("stream", announcement.ws),
        ("clock", f"{announcement.clock.factor} venue seconds a second"),
        ("seed", str(announcement.seed)),
    ]
    for account in announcement.accounts:
        rows.append(("account", f"{account.key_id}, {account.balance} dollars, key {account.private_key}"))
    return "\n".join(f"{name:8} {value}" for name, value in rows)


def _write_secret(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read, replacing an earlier one as a whole."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    draft.replace(path)


def _join(frames: Iterable[bytes]) -> bytes:
    """Give the bytes of text frames for one write, as a server sends them: unmasked. Source: RFC 6455 §5.2."""
    parts: list[bytes] = []
    for frame in frames:
        size = len(frame)
        if size < 126:
            parts.append(bytes((0x81, size)))
        elif size < 1 << 16:
            parts.append(b"\x81\x7e" + size.to_bytes(2, "big"))
        else:
            parts.append(b"\x81\x7f" + size.to_bytes(8, "big"))
        parts.append(frame)
    return b"".join(parts)


async def _body(request: web.BaseRequest) -> bytes:
    return await request.read() if request.can_read_body else b""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
