"""A PostgreSQL server for tests: a cluster of its own on a free port of this machine, ended with its owner.

It wants TLS to be possible, passwords to be right, and nothing to be kept: no write waits for the disk.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import psycopg
import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from fairstrike.store.database import metadata

USER, PASSWORD, HOST = "owner", "tEst-s3cret", "localhost"
READY_S, END_S = 20.0, 20.0
Tables = dict[str, list[tuple[object, ...]]]
Issuer = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "max_connections": "20",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "ssl": "on",
    "ssl_cert_file": "server.crt",
    "ssl_key_file": "server.key",
}
# The server's life is tied to a pipe: it ends when the pipe is closed, also when the one who holds it was killed.
TIED = '"$@" & server=$!; read -r _; kill -QUIT $server; wait $server'


class Cluster:
    """One server, which may be stopped and started; its data and certificates are in `folder`."""

    def __init__(self, programs: Path, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self._programs = programs
        self._owner = account_of_servers()
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0
        self._initialise()

    @property
    def authority(self) -> Path:
        """The certificate of the authority that vouches for the server's, as `localhost`."""
        return self.folder / "authority.crt"

    def url(self, name: str, *, password: str = PASSWORD, host: str = HOST, words: str = "") -> str:
        """The address of a database."""
        return f"postgresql://{USER}:{password}@{host}:{self.port}/{name}{'?' if words else ''}{words}"

    def new_database(self) -> str:
        """The address of a place without tables: a schema, which costs no copy of a database's thousand files."""
        self._made += 1
        name = f"test_{self._made}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}".encode())
        return self.url("postgres", words=f"options=-csearch_path%3D{name}")

    def start(self) -> None:
        """Start the server, unless it runs, and return when it takes connections."""
        if self._process is not None:
            return
        command = [str(self._programs / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port)]
        with (self.folder / "server.log").open("ab") as log:
            self._process = self._spawned(["sh", "-c", TIED, "sh", *command], log)
        until_s = time.monotonic() + READY_S
        while psycopg.pq.PGconn.ping(f"host=127.0.0.1 port={self.port}".encode()) != psycopg.pq.Ping.OK:
            assert self._process.poll() is None, (self.folder / "server.log").read_text()
            assert time.monotonic() < until_s, (self.folder / "server.log").read_text()
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server at once, as a crash would: every connection is cut, and what was not committed is gone."""
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait(END_S)
            self._process = None

    def _initialise(self) -> None:
        (self.folder / "password").write_text(PASSWORD)
        made_by = authority("throw-away authority")
        self.authority.write_bytes(made_by[0].public_bytes(Encoding.PEM))
        write_server_certificate(self.folder, made_by)
        if self._owner is not None:
            for place in (self.folder, *self.folder.iterdir()):
                os.chown(place, *self._owner)
        initdb = [str(self._programs / "initdb"), "-D", str(self.folder / "data"), "--no-sync", "--locale=C"]
        initdb += ["--encoding=UTF8", f"--username={USER}", "--auth=scram-sha-256"]
        initdb += [f"--pwfile={self.folder / 'password'}"]
        with (self.folder / "server.log").open("wb") as log, self._spawned(initdb, log) as making:
            assert making.wait(READY_S) == 0, (self.folder / "server.log").read_text()
        for name in ("server.crt", "server.key"):
            (self.folder / name).replace(self.folder / "data" / name)
        with (self.folder / "data" / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in SETTINGS.items())

    def _spawned(self, command: list[str], log: IO[bytes]) -> "subprocess.Popen[bytes]":
        user, group = self._owner or (None, None)
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=self.folder,
            user=user,
            group=group,
            extra_groups=[] if self._owner else None,
        )


@contextmanager
def running() -> Iterator[Cluster]:
    """A running server; skips where the programs are missing."""
    programs = folder_of_programs()
    if programs is None:
        pytest.skip("PostgreSQL's programs are missing: install its server (initdb, postgres) to run these tests")
    folder = Path(tempfile.mkdtemp(prefix="fairstrike-postgres-"))
    try:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        cluster = Cluster(programs, folder, port)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder)


def folder_of_programs() -> Path | None:
    """Where the newest `initdb` is: on the path, or where Debian keeps it."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(versions, key=lambda path: int(path.parts[-3]), default=None)
    return None if newest is None else newest.parent


def account_of_servers() -> tuple[int, int] | None:
    """Whose processes servers are, as user and group, where they may not be ours: none runs as root."""
    if os.geteuid() != 0:
        return None
    known = {account.pw_name: (account.pw_uid, account.pw_gid) for account in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]


def tables_of(url: str) -> Tables:
    """Every table's rows, in order, as the program reads them; of SQLite or PostgreSQL."""
    parts = sa.make_url(url)
    engine = sa.create_engine(parts.set(drivername="postgresql+psycopg") if parts.host else parts)
    try:
        with engine.connect() as connection:
            return {
                name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr)
                for name, table in metadata.tables.items()
            }
    finally:
        engine.dispose()


def authority(name: str) -> Issuer:
    """A certificate authority made a moment ago, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    return certificate(name, key, None, x509.BasicConstraints(ca=True, path_length=0)), key


def certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: Issuer | None, *extensions: x509.ExtensionType
) -> x509.Certificate:
    """A certificate for an hour, of the issuer or of itself."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer[0].subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
    return builder.sign(key if issuer is None else issuer[1], SHA256())


def write_server_certificate(folder: Path, issuer: Issuer) -> None:
    """Write `server.crt` and `server.key`, for the name `localhost` alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.DNSName(HOST)])
    (folder / "server.crt").write_bytes(certificate(HOST, key, issuer, names).public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.key").write_bytes(private)
    (folder / "server.key").chmod(0o600)
