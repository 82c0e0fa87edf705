"""Reading a journal: a chain from its beginning, or as it grows."""

from collections.abc import Callable, Iterator
from pathlib import Path

from fairstrike.core.errors import JournalError
from fairstrike.store.segments import Record, check_first, damaged, first_n, load, number_of, segments, walk

_LOOKS_MAX = 100


def read(folder: Path, chain: str, after_n: int = 0) -> Iterator[Record]:
    """Give a chain's records with n above `after_n`, checking every link.

    Raises `JournalError` when a record was changed or lost, naming the last good n. A torn end is not an error:
    reading stops there.
    """
    check_first(folder, chain, segments(folder, chain))
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
        paths = {number_of(path): path for path in segments(self._folder, self._chain)}
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
        data = load(path, self.last_n)
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
            raise damaged(path.name, self.last_n)
        self._is_finished = is_whole and self._offset == len(data)
        return records

    def _seek(self, after_n: int) -> list[Record]:
        paths = segments(self._folder, self._chain)
        low, high = 0, len(paths)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if first_n(paths[middle], after_n) <= after_n else (low, middle)
        for path in paths[low:high]:
            self._number = number_of(path)
            for digest, record, end in walk(path.name, load(path, 0), 0, None, 0):
                if record.n > after_n:
                    break
                self._digest, self._offset, self.last_n = digest, end, record.n
        return []
