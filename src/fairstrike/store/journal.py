"""The journal: two append-only chains of records in segments, chained by SHA-256; here they are written.

`inputs` holds every event of a live or paper run, `decisions` every decision, effect, fill and ledger change of any
run; both share the counter n. Segments are compressed when they are full. Decisions are never deleted; inputs go oldest
first beyond `inputs_bytes_max`, and each deletion is itself a decision record. `segments.py` says how records lie on
disk, `following.py` reads them.

A turn's records are buffered and written with one write before its effects are handed out, so what was acted on
survives the death of the process. A torn last record, left by that death, is cut off when the journal is opened,
and full segments that were left uncompressed are compressed then. Opening reads the newest segments whole and of each
older one only the first record: a segment that is missing or begins wrongly is found at once, any other change when
the chain is read.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from fairstrike.core.errors import DiskError
from fairstrike.store.segments import (
    DECISIONS,
    INPUTS,
    RECORD_BYTES_MAX,
    SEED,
    VERSION,
    Begun,
    both_forms,
    check_beginnings,
    compress_segment,
    damaged,
    framed,
    load,
    number_of,
    segments,
    size_of,
    sync,
    walk,
)

_encode = msgspec.msgpack.Encoder().encode


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bounds of the journal on disk, in bytes."""

    segment_bytes: int = 8 * 1024 * 1024
    inputs_bytes_max: int = 4 * 1024 * 1024 * 1024


class _Chain:
    """One chain being written: its open segment and where its digest stands."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        self.digest = SEED
        self.number = 0
        self.size = 0
        self.file: int | None = None
        self.retired: int | None = None
        self.buffer: list[bytes] = []

    def add(self, record: bytes) -> None:
        assert len(record) <= RECORD_BYTES_MAX, "a journal record is at most 16 MiB"
        self.digest = hashlib.sha256(self.digest + record).digest()
        self.buffer.append(framed(record, self.digest))

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
                        sync(file)
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
        check_beginnings(chain.folder, chain.name, paths)
        for path in reversed(paths):
            chain.number = number_of(path)
            good = 0
            for digest, record, end in walk(path.name, load(path, self.n), 0, None, self.n):
                chain.digest, good = digest, end
                self.n = max(self.n, record.n)
            if good:
                if path.suffix != ".zst" and good < path.stat().st_size:
                    os.truncate(path, good)
                return
            if path.suffix == ".zst":
                raise damaged(path.name, self.n)
            path.unlink()
            chain.number -= 1

    def _open_segment(self, chain: _Chain, instant_ns: int) -> None:
        chain.number += 1
        path = chain.folder / f"{chain.name}-{chain.number:06d}.fsj"
        self.append(chain.name, "Segment", instant_ns, Begun(chain=chain.digest.hex(), segment=chain.number))
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
        sizes = [size_of(path) for path in paths]
        while sum(sizes) > self._params.inputs_bytes_max and len(paths) > 1:
            oldest = paths.pop(0)
            sizes.pop(0)
            body: dict[str, int | str] = {"segment": number_of(oldest), "chain": chain.digest.hex()}
            self.append(DECISIONS, "InputsDeleted", instant_ns, body)
            self._chains[DECISIONS].flush()
            for path in both_forms(oldest):
                path.unlink(missing_ok=True)


def _full(folder: Path, problem: OSError) -> DiskError:
    return DiskError(f"the journal in {folder} cannot be written ({problem.strerror}): make room, then start again")
