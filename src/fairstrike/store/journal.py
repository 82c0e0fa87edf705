"""The journal: two append-only chains of records in segments, chained by SHA-256.

A record is `[n, version, kind, instant, body]` in msgpack. On disk each record is framed as

    length (4 bytes, little endian) · its CRC-32 (4 bytes) · link (16 bytes) · record

where link is the first half of SHA-256(whole previous digest + record); the CRC tells a damaged length from a torn
end. A segment's name carries its
number; its first record is a `Segment` whose body holds the digest the chain stands at, so that any segment can be
checked alone. `inputs` holds every event of a live or paper run, `decisions` every decision, effect, fill and
ledger change of any run; both share the counter n. Segments are compressed when they are full. Decisions are never
deleted; inputs go oldest first beyond `inputs_bytes_max`, and each deletion is itself a decision record.

A turn's records are buffered and written with one write before its effects are handed out, so what was acted on
survives the death of the process. A torn last record, left by that death, is cut off when the journal is opened,
and full segments that were left uncompressed are compressed then. Opening reads the newest segments whole and of each
older one only the first record: a segment that is missing or begins wrongly is found at once, any other change when
the chain is read. A file whose name is not exactly a segment's is no part of the journal.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from zlib import crc32

import msgspec
import zstandard

from fairstrike.core.errors import DiskError, JournalError

VERSION = 1
INPUTS, DECISIONS = "inputs", "decisions"

_LINK = 16
_HEAD = 8 + _LINK
_SEED = hashlib.sha256(b"fairstrike journal").digest()
_RECORD_BYTES_MAX = 16 * 1024 * 1024
_LOOKS_MAX = 100
_LENGTHS_KEPT = 1_024
_BEGINNING = 4_096


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bounds of the journal on disk, in bytes."""

    segment_bytes: int = 8 * 1024 * 1024
    inputs_bytes_max: int = 4 * 1024 * 1024 * 1024


class Record(msgspec.Struct, frozen=True, array_like=True):
    """One record: counter, format version, kind, instant (ns) and body (msgpack of the kind's struct)."""

    n: int
    version: int
    kind: str
    instant_ns: int
    body: msgspec.Raw


class _Begun(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a segment's first record: where the chain stands (hex), and the segment's number."""

    chain: str
    segment: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Record).decode


class _Chain:
    """One chain being written: its open segment and where its digest stands."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        self.digest = _SEED
        self.number = 0
        self.size = 0
        self.file: int | None = None
        self.retired: int | None = None
        self.buffer: list[bytes] = []

    def add(self, record: bytes) -> None:
        assert len(record) <= _RECORD_BYTES_MAX, "a journal record is at most 16 MiB"
        self.digest = hashlib.sha256(self.digest + record).digest()
        self.buffer.append(_framed_length(len(record)) + self.digest[:_LINK] + record)

    def flush(self) -> None:
        if not self.buffer:
            return
        assert self.file is not None
        data = b"".join(self.buffer)
        self.buffer.clear()
        view = memoryview(data)
        while view:
            view = view[os.write(self.file, view) :]
        self.size += len(data)

    def retire(self) -> None:
        """Put the full segment's file aside; another thread may be syncing it, so it closes a rotation later."""
        self.close_retired()
        self.retired, self.file = self.file, None

    def close_retired(self) -> None:
        if self.retired is not None:
            os.close(self.retired)
            self.retired = None


class Journal:
    """A journal open for writing. One writer a folder; readers may follow it at any time."""

    def __init__(self, folder: Path, params: Params, compress: Callable[[Path], None] | None = None) -> None:
        """Open the folder's journal, cutting a torn end, and begin fresh segments on both chains.

        `compress` is called with each full segment's path; by default it is compressed at once.
        Raises `JournalError` when what is there is damaged before its end.
        """
        self._params = params
        self._compress = compress or compress_segment
        folder.mkdir(parents=True, exist_ok=True)
        self._chains = {name: _Chain(folder, name) for name in (INPUTS, DECISIONS)}
        self.n = 0
        for chain in self._chains.values():
            self._resume(chain)
        for chain in self._chains.values():
            left = [path for path in segments(folder, chain.name) if path.suffix == ".fsj"]
            self._open_segment(chain, 0)
            for path in left:
                self._compress(path)

    def append(self, chain: str, kind: str, instant_ns: int, body: msgspec.Struct | dict[str, int | str]) -> int:
        """Add one record to a chain's buffer. Gives its n. Nothing is on disk before `flush`."""
        self.n += 1
        self._chains[chain].add(_encode((self.n, VERSION, kind, instant_ns, body)))
        return self.n

    def flush(self, instant_ns: int) -> None:
        """Write what was added; rotate segments that are full. Raises `DiskError` when the disk takes no more."""
        for chain in self._chains.values():
            try:
                chain.flush()
                if chain.size >= self._params.segment_bytes:
                    self._rotate(chain, instant_ns)
            except OSError as problem:
                for each in self._chains.values():
                    each.buffer.clear()  # Nothing is kept of what was decided on inputs that are lost.
                raise _full(chain.folder, problem) from problem

    def sync(self) -> None:
        """Have the disk keep what was written (slow; called from a thread). Raises `DiskError` when it does not."""
        for chain in self._chains.values():
            try:
                for file in (chain.retired, chain.file):
                    if file is not None:
                        _sync(file)
            except OSError as problem:
                raise _full(chain.folder, problem) from problem

    def close(self, instant_ns: int) -> None:
        """Write and close."""
        self.flush(instant_ns)
        for chain in self._chains.values():
            chain.retire()
            chain.close_retired()

    def digest(self, chain: str = DECISIONS) -> str:
        """Give the chain's digest as hex: equal digests mean equal records."""
        return self._chains[chain].digest.hex()

    def _resume(self, chain: _Chain) -> None:
        paths = segments(chain.folder, chain.name)
        _check_beginnings(chain.folder, chain.name, paths)
        for path in reversed(paths):
            chain.number = _number(path)
            good = 0
            for digest, record, end in walk(path.name, _load(path, self.n), 0, None, self.n):
                chain.digest, good = digest, end
                self.n = max(self.n, record.n)
            if good:
                if path.suffix != ".zst" and good < path.stat().st_size:
                    os.truncate(path, good)
                return
            if path.suffix == ".zst":
                raise _damaged(path.name, self.n)
            path.unlink()
            chain.number -= 1

    def _open_segment(self, chain: _Chain, instant_ns: int) -> None:
        chain.number += 1
        path = chain.folder / f"{chain.name}-{chain.number:06d}.fsj"
        self.append(chain.name, "Segment", instant_ns, _Begun(chain=chain.digest.hex(), segment=chain.number))
        try:
            chain.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            chain.size = 0
            chain.flush()
        except OSError as problem:
            raise _full(chain.folder, problem) from problem

    def _rotate(self, chain: _Chain, instant_ns: int) -> None:
        chain.retire()
        full = chain.folder / f"{chain.name}-{chain.number:06d}.fsj"
        self._open_segment(chain, instant_ns)
        self._compress(full)
        if chain.name == INPUTS:
            self._delete_oldest_inputs(instant_ns)

    def _delete_oldest_inputs(self, instant_ns: int) -> None:
        chain = self._chains[INPUTS]
        paths = segments(chain.folder, INPUTS)
        sizes = [_size(path) for path in paths]
        while sum(sizes) > self._params.inputs_bytes_max and len(paths) > 1:
            oldest = paths.pop(0)
            sizes.pop(0)
            body: dict[str, int | str] = {"segment": _number(oldest), "chain": chain.digest.hex()}
            self.append(DECISIONS, "InputsDeleted", instant_ns, body)
            self._chains[DECISIONS].flush()
            for path in _both_forms(oldest):
                path.unlink(missing_ok=True)


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


def read(folder: Path, chain: str, after_n: int = 0) -> Iterator[Record]:
    """Give a chain's records with n above `after_n`, checking every link.

    Raises `JournalError` when a record was changed or lost, naming the last good n. A torn end is not an error:
    reading stops there.
    """
    _check_first(folder, chain, segments(folder, chain))
    follower = Follower(folder, chain)
    while records := follower.poll():
        yield from (record for record in records if record.n > after_n)


class Follower:
    """Reads a chain as it grows: each `poll` gives the records written since the last, a segment at most.

    `last_n` is the counter of the last record given and `digest` (hex, empty at the start) the chain's value there.
    """

    def __init__(self, folder: Path, chain: str, after_n: int = 0) -> None:
        """Start behind record `after_n`, with 0 before the first record that is still kept.

        When the chain holds no record `after_n`, `last_n` differs from it: what the caller knows is another journal.
        """
        self._folder = folder
        self._chain = chain
        self._number = 0
        self._offset = 0
        self._is_finished = False
        self._digest: bytes | None = None
        self.last_n = 0
        if after_n:
            self._patiently(lambda: self._seek(after_n))

    @property
    def digest(self) -> str:
        """Where the chain stands after the last record given, as hex; equal digests mean equal records."""
        return "" if self._digest is None else self._digest.hex()

    def poll(self) -> list[Record]:
        """Give the next records, an empty list when there is nothing new.

        Raises `JournalError` when a record was changed or lost, after the good records before it were given.
        """
        return self._patiently(self._look)

    def _patiently(self, look: Callable[[], list[Record]]) -> list[Record]:
        for _ in range(_LOOKS_MAX):
            try:
                return look()
            except FileNotFoundError:
                continue  # A segment was compressed or deleted between listing and reading: list again.
        raise JournalError(f"the segments in {self._folder} vanish while they are read: check who deletes them")

    def _look(self) -> list[Record]:
        paths = {_number(path): path for path in segments(self._folder, self._chain)}
        while True:
            current = paths.get(self._number)
            if current is not None and not self._is_finished:
                records = self._walk(current)
                if records:
                    return records
            following = min((number for number in paths if number > self._number), default=None)
            if following is None:
                return []
            self._number, self._offset, self._is_finished = following, 0, False

    def _walk(self, path: Path) -> list[Record]:
        is_whole = path.suffix == ".zst"
        if not is_whole and path.stat().st_size <= self._offset:
            return []
        data = _load(path, self.last_n)
        records: list[Record] = []
        try:
            for digest, record, end in walk(path.name, data, self._offset, self._digest, self.last_n):
                self._digest, self._offset, self.last_n = digest, end, record.n
                records.append(record)
        except JournalError:
            if not records:
                raise
            return records  # The good records first: the next poll meets the damage again.
        if is_whole and not records and self._offset < len(data):
            raise _damaged(path.name, self.last_n)
        self._is_finished = is_whole and self._offset == len(data)
        return records

    def _seek(self, after_n: int) -> list[Record]:
        paths = segments(self._folder, self._chain)
        low, high = 0, len(paths)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _first_n(paths[middle], after_n) <= after_n else (low, middle)
        for path in paths[low:high]:
            self._number = _number(path)
            for digest, record, end in walk(path.name, _load(path, 0), 0, None, 0):
                if record.n > after_n:
                    break
                self._digest, self._offset, self.last_n = digest, end, record.n
        return []


def compress_segment(path: Path) -> None:
    """Compress a full segment with zstd and remove the plain file, in an order that never loses it."""
    part = path.with_suffix(".part")
    packed = zstandard.ZstdCompressor(level=3, write_checksum=True).compress(path.read_bytes())
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(packed)
        file.flush()
        _sync(file.fileno())
    part.replace(path.with_suffix(".fsj.zst"))
    path.unlink()


@lru_cache(maxsize=_LENGTHS_KEPT)
def _framed_length(length: int) -> bytes:
    """Give a record's length as it stands on disk, its CRC-32 behind it; lengths repeat a great deal."""
    data = length.to_bytes(4, "little")
    return data + crc32(data).to_bytes(4, "little")


def _number(path: Path) -> int:
    return int(path.name.split("-")[1].split(".")[0])


def _forms(folder: Path, chain: str, number: int) -> tuple[Path, Path]:
    plain = folder / f"{chain}-{number:06d}.fsj"
    return plain, plain.with_name(f"{plain.name}.zst")


def _both_forms(path: Path) -> tuple[Path, Path]:
    plain = path.with_suffix("") if path.suffix == ".zst" else path
    return plain, plain.with_name(f"{plain.name}.zst")


def _size(path: Path) -> int:
    """Give the bytes of a segment in whichever forms it has now: a thread may be compressing it."""
    total = 0
    for form in _both_forms(path):
        try:
            total += form.stat().st_size
        except FileNotFoundError:
            continue
    return total


def _full(folder: Path, problem: OSError) -> DiskError:
    return DiskError(f"the journal in {folder} cannot be written ({problem.strerror}): make room, then start again")


def _sync(file: int) -> None:
    os.fdatasync(file) if hasattr(os, "fdatasync") else os.fsync(file)


def _load(path: Path, last_n: int) -> bytes:
    data = path.read_bytes()
    if path.suffix != ".zst":
        return data
    try:
        return zstandard.ZstdDecompressor().decompress(data, max_output_size=1 << 31, allow_extra_data=False)
    except (zstandard.ZstdError, MemoryError):
        raise _damaged(path.name, last_n) from None


def _first(path: Path, last_n: int) -> Record | None:
    """Give a segment's first record, read without the rest; None when it has none yet."""
    with path.open("rb") as file:
        try:
            reader = zstandard.ZstdDecompressor().stream_reader(file) if path.suffix == ".zst" else file
            data = reader.read(_BEGINNING)
        except zstandard.ZstdError:
            raise _damaged(path.name, last_n) from None
    return next((record for _, record, _ in walk(path.name, data, 0, None, last_n)), None)


def _first_n(path: Path, after_n: int) -> int:
    """Give the counter a segment starts with; one just begun and still empty starts beyond `after_n`."""
    record = _first(path, 0)
    return after_n + 1 if record is None else record.n


def _check_beginnings(folder: Path, chain: str, paths: list[Path]) -> None:
    """Look at all segments but the newest: none is missing, and each begins as it was begun, after the one before."""
    _check_first(folder, chain, paths)
    last_n = 0
    for before, path in pairwise(paths):
        record = _first(before, last_n)
        if record is None or record.n <= last_n or not _begins(record, _number(before)):
            raise _damaged(before.name, last_n)
        last_n = record.n
        if _number(path) != _number(before) + 1:
            raise _missing(chain, _number(before) + 1)


def _check_first(folder: Path, chain: str, paths: list[Path]) -> None:
    # The first segment may be about to be compressed: then it is missed in a list, but there in one form.
    if chain == DECISIONS and paths and not any(path.exists() for path in _forms(folder, chain, 1)):
        raise _missing(chain, 1)


def _begins(record: Record, number: int) -> bool:
    """Whether a record is the first of the segment of this number."""
    try:
        begun = msgspec.msgpack.decode(record.body, type=_Begun)
    except msgspec.MsgspecError:
        return False
    return record.kind == "Segment" and begun.segment == number and (number > 1 or begun.chain == _SEED.hex())


def walk(name: str, data: bytes, at: int, digest: bytes | None, last_n: int) -> Iterator[tuple[bytes, Record, int]]:
    """Give (digest, record, end offset) for each whole record of segment `name` from offset `at`.

    `digest` is where the chain stands, None at the start of a journal. Stops at a torn end: a record cut short, or
    the zeros that some file systems leave behind after a loss of power.
    Raises `JournalError` when a record or its length was changed.
    """
    while at + _HEAD <= len(data):
        length = int.from_bytes(data[at : at + 4], "little")
        if crc32(data[at : at + 4]) != int.from_bytes(data[at + 4 : at + 8], "little"):
            if not any(data[at:]):
                return
            raise _damaged(name, last_n)
        end = at + _HEAD + length
        if end > len(data):
            return
        link, body = data[at + 8 : at + _HEAD], data[at + _HEAD : end]
        if at == 0:
            digest = _first_digest(name, body, digest, last_n)
        assert digest is not None
        digest = hashlib.sha256(digest + body).digest()
        if digest[:_LINK] != link:
            raise _damaged(name, last_n)
        record = _decode(body)
        last_n = record.n
        yield digest, record, end
        at = end


def _first_digest(name: str, body: bytes, before: bytes | None, last_n: int) -> bytes:
    """Give the digest a segment starts from: what it states, which must be where the chain stood."""
    try:
        stated = bytes.fromhex(msgspec.msgpack.decode(_decode(body).body, type=_Begun).chain)
    except (msgspec.MsgspecError, ValueError):
        raise _damaged(name, last_n) from None
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


def _damaged(name: str, last_n: int) -> JournalError:
    return JournalError(
        f"{name} is damaged after record n = {last_n}; what stands before it can be trusted: "
        "keep a copy of the folder and restore this file from a backup"
    )
