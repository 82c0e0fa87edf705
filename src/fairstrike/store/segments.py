"""The segments of a journal as they lie on disk: how records are framed and linked, named, checked and compressed.

A record is `[n, version, kind, instant, body]` in msgpack. On disk each record is framed as

    length (4 bytes, little endian) · its CRC-32 (4 bytes) · link (16 bytes) · record

where link is the first half of SHA-256(whole previous digest + record); the CRC tells a damaged length from a torn
end. A segment's name carries its number; its first record is a `Segment` whose body holds the digest the chain stands
at, so that any segment can be checked alone. A file whose name is not exactly a segment's is no part of the journal.
"""

import hashlib
import os
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from zlib import crc32

import msgspec
import zstandard

from fairstrike.core.errors import JournalError

VERSION = 1
INPUTS, DECISIONS = "inputs", "decisions"
SEED = hashlib.sha256(b"fairstrike journal").digest()
"""Where a chain's digest stands before its first record."""

RECORD_BYTES_MAX = 16 * 1024 * 1024
_LINK = 16
_HEAD = 8 + _LINK
_LENGTHS_KEPT = 1_024
_BEGINNING = 4_096


class Record(msgspec.Struct, frozen=True, array_like=True):
    """One record: counter, format version, kind, instant (ns) and body (msgpack of the kind's struct)."""

    n: int
    version: int
    kind: str
    instant_ns: int
    body: msgspec.Raw


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a segment's first record: where the chain stands (hex), and the segment's number."""

    chain: str
    segment: int


_decode = msgspec.msgpack.Decoder(Record).decode


def framed(record: bytes, digest: bytes) -> bytes:
    """Give a record as it stands on disk, where its chain stands at `digest` with it."""
    return _framed_length(len(record)) + digest[:_LINK] + record


def segments(folder: Path, chain: str) -> list[Path]:
    """Give a chain's segment files in order; a full one and its compressed copy count once.

    Files with any other name, such as a copy somebody made, are left out.
    """
    found: dict[int, Path] = {}
    for path in sorted(folder.glob(f"{chain}-*.fsj*")):
        digits = path.name[len(chain) + 1 :].partition(".")[0]
        number = int(digits) if digits.isdecimal() else 0
        if number and path in _forms(folder, chain, number):
            found.setdefault(number, path)
    return [found[number] for number in sorted(found)]


def compress_segment(path: Path) -> None:
    """Compress a full segment with zstd and remove the plain file, in an order that never loses it."""
    part = path.with_suffix(".part")
    packed = zstandard.ZstdCompressor(level=3, write_checksum=True).compress(path.read_bytes())
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(packed)
        file.flush()
        sync(file.fileno())
    part.replace(path.with_suffix(".fsj.zst"))
    path.unlink()


@lru_cache(maxsize=_LENGTHS_KEPT)
def _framed_length(length: int) -> bytes:
    """Give a record's length as it stands on disk, its CRC-32 behind it; lengths repeat a great deal."""
    data = length.to_bytes(4, "little")
    return data + crc32(data).to_bytes(4, "little")


def number_of(path: Path) -> int:
    """Give the number in a segment's name."""
    return int(path.name.split("-")[1].split(".")[0])


def _forms(folder: Path, chain: str, number: int) -> tuple[Path, Path]:
    plain = folder / f"{chain}-{number:06d}.fsj"
    return plain, plain.with_name(f"{plain.name}.zst")


def both_forms(path: Path) -> tuple[Path, Path]:
    """Give the plain and the compressed name of a segment, of which either may be given."""
    plain = path.with_suffix("") if path.suffix == ".zst" else path
    return plain, plain.with_name(f"{plain.name}.zst")


def size_of(path: Path) -> int:
    """Give the bytes of a segment in whichever forms it has now: a thread may be compressing it."""
    total = 0
    for form in both_forms(path):
        try:
            total += form.stat().st_size
        except FileNotFoundError:
            continue
    return total


def sync(file: int) -> None:
    """Have the disk keep what was written to an open file (slow)."""
    os.fdatasync(file) if hasattr(os, "fdatasync") else os.fsync(file)


def load(path: Path, last_n: int) -> bytes:
    """Give a segment's bytes, uncompressed.

    Raises `JournalError`, naming the last good n, for a compressed one that is damaged.
    """
    data = path.read_bytes()
    if path.suffix != ".zst":
        return data
    try:
        return zstandard.ZstdDecompressor().decompress(data, max_output_size=1 << 31, allow_extra_data=False)
    except (zstandard.ZstdError, MemoryError):
        raise damaged(path.name, last_n) from None


def _first(path: Path, last_n: int) -> Record | None:
    """Give a segment's first record, read without the rest; None when it has none yet."""
    with path.open("rb") as file:
        try:
            reader = zstandard.ZstdDecompressor().stream_reader(file) if path.suffix == ".zst" else file
            data = reader.read(_BEGINNING)
        except zstandard.ZstdError:
            raise damaged(path.name, last_n) from None
    return next((record for _, record, _ in walk(path.name, data, 0, None, last_n)), None)


def first_n(path: Path, after_n: int) -> int:
    """Give the counter a segment starts with; one just begun and still empty starts beyond `after_n`."""
    record = _first(path, 0)
    return after_n + 1 if record is None else record.n


def check_beginnings(folder: Path, chain: str, paths: list[Path]) -> None:
    """Look at all segments but the newest: none is missing, and each begins as it was begun, after the one before."""
    check_first(folder, chain, paths)
    last_n = 0
    for before, path in pairwise(paths):
        record = _first(before, last_n)
        if record is None or record.n <= last_n or not _begins(record, number_of(before)):
            raise damaged(before.name, last_n)
        last_n = record.n
        if number_of(path) != number_of(before) + 1:
            raise _missing(chain, number_of(before) + 1)


def check_first(folder: Path, chain: str, paths: list[Path]) -> None:
    """Look whether a chain of decisions has its first segment. Raises `JournalError` without it."""
    # The first segment may be about to be compressed: then it is missed in a list, but there in one form.
    if chain == DECISIONS and paths and not any(path.exists() for path in _forms(folder, chain, 1)):
        raise _missing(chain, 1)


def _begins(record: Record, number: int) -> bool:
    """Whether a record is the first of the segment of this number."""
    try:
        begun = msgspec.msgpack.decode(record.body, type=Begun)
    except msgspec.MsgspecError:
        return False
    return record.kind == "Segment" and begun.segment == number and (number > 1 or begun.chain == SEED.hex())


def walk(name: str, data: bytes, at: int, digest: bytes | None, last_n: int) -> Iterator[tuple[bytes, Record, int]]:
    """Give (digest, record, end offset) for each whole record of segment `name` from offset `at`.

    `digest` is where the chain stands, None at the start of a journal. Stops at a torn end: a record cut short, or
    the zeros that some file systems leave behind after a loss of power.
    Raises `JournalError` when a record or its length was changed, or another version of the format was written.
    """
    while at + _HEAD <= len(data):
        length = int.from_bytes(data[at : at + 4], "little")
        if crc32(data[at : at + 4]) != int.from_bytes(data[at + 4 : at + 8], "little"):
            if not any(data[at:]):
                return
            raise damaged(name, last_n)
        end = at + _HEAD + length
        if end > len(data):
            return
        link, body = data[at + 8 : at + _HEAD], data[at + _HEAD : end]
        if at == 0:
            digest = _first_digest(name, body, digest, last_n)
        assert digest is not None
        digest = hashlib.sha256(digest + body).digest()
        if digest[:_LINK] != link:
            raise damaged(name, last_n)
        record = _record(name, body)
        last_n = record.n
        yield digest, record, end
        at = end


def _record(name: str, body: bytes) -> Record:
    """Give what was written and linked, which another version of the program may have done."""
    try:
        record = _decode(body)
    except msgspec.MsgspecError:
        record = None
    if record is None or record.version != VERSION:
        version = "an unknown version" if record is None else f"version {record.version}"
        raise JournalError(f"{name} is of {version} of the journal's format: use the program version that wrote it")
    return record


def _first_digest(name: str, body: bytes, before: bytes | None, last_n: int) -> bytes:
    """Give the digest a segment starts from: what it states, which must be where the chain stood."""
    try:
        stated = bytes.fromhex(msgspec.msgpack.decode(_decode(body).body, type=Begun).chain)
    except (msgspec.MsgspecError, ValueError):
        raise damaged(name, last_n) from None
    if before is not None and stated != before:
        raise JournalError(
            f"{name} does not continue the segment before it; the last good record is n = {last_n}: "
            "restore the missing segment from a copy"
        )
    return stated


def _missing(chain: str, number: int) -> JournalError:
    return JournalError(
        f"the segment {chain}-{number:06d} is missing: put it back from a copy of the folder, or name another folder"
    )


def damaged(name: str, last_n: int) -> JournalError:
    """Give the error for a segment that was changed; what stands up to `last_n` can be trusted."""
    return JournalError(
        f"{name} is damaged after record n = {last_n}; what stands before it can be trusted: "
        "keep a copy of the folder and restore this file from a backup"
    )
