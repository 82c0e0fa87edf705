"""Recordings as lines of bytes: plain, gzip or zstd, read as a stream in bounded memory."""

import hashlib
import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec
import zstandard

from fairstrike.core.errors import RecordingError

if TYPE_CHECKING:
    from typing_extensions import Buffer

_BUFFER_BYTES = 1024 * 1024
_PACKED_BYTES = 128 * 1024
_ZSTD_BYTES = 16 * 1024
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_LINE_BYTES_MAX = 64 * 1024 * 1024
_HEAD_BYTES = 1024 * 1024
_PART_BYTES = 64 * 1024
_DAMAGE = (EOFError, zlib.error, zstandard.ZstdError)


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """A recording that ended in the middle: what was read before it counts."""

    name: str
    line_count: int


class Tape:
    """One recording being read; `line_count` and `bytes_read` (of the file, packed) tell how far."""

    def __init__(self, path: Path, on_cut: Callable[[Cut], None], *, is_table: bool = False) -> None:
        """Prepare to read `path`; `on_cut` is called when it ends in the middle.

        Of a table a last line without its end is cut when it has fewer cells than the first.
        """
        self._is_table = is_table
        self.path = path
        self.line_count = 0
        self._on_cut = on_cut
        self._file: IO[bytes] | None = None

    @property
    def bytes_read(self) -> int:
        """How much of the file was read."""
        return 0 if self._file is None or self._file.closed else self._file.tell()

    def cut(self) -> None:
        """Tell that the recording ended in the middle."""
        self._on_cut(Cut(name=self.path.name, line_count=self.line_count))

    def lines(self) -> Iterator[bytes]:
        """Give the lines without their ends; of a cut recording the whole ones, then `on_cut` is called.

        Raises `RecordingError` when the file cannot be opened or is not what its name says.
        """
        try:
            with self.path.open("rb") as self._file, _unpacked(self.path, self._file) as unpacked:
                yield from self._whole_lines(unpacked)
        except _DAMAGE:
            if self.line_count == 0:
                raise RecordingError(
                    f"{self.path.name} cannot be unpacked; give a complete copy, named as it was recorded"
                ) from None
            self.cut()
        except OSError as error:
            raise _unreadable(self.path, error) from None

    def document(self) -> bytes:
        """Give the whole recording, for a format that is one document.

        Raises `RecordingError` when it cannot be read, ends in the middle or is too long to be held.
        """
        try:
            with self.path.open("rb") as self._file, _unpacked(self.path, self._file) as unpacked:
                document = unpacked.read(_LINE_BYTES_MAX + 1)
        except _DAMAGE:
            raise RecordingError(f"{self.path.name} ends in the middle; give a complete copy") from None
        except OSError as error:
            raise _unreadable(self.path, error) from None
        if len(document) > _LINE_BYTES_MAX:
            raise RecordingError(f"{self.path.name} is one document of more than 64 MiB; write one frame a line")
        return document

    def _whole_lines(self, file: IO[bytes]) -> Iterator[bytes]:
        commas: int | None = None
        while line := file.readline(_LINE_BYTES_MAX):
            if commas is None:
                commas = line.count(b",")
            if not line.endswith(b"\n"):
                if len(line) == _LINE_BYTES_MAX:
                    raise RecordingError(f"{self.path.name} has a line longer than any frame; give a recording")
                if not _is_whole(line) or (self._is_table and line.count(b",") < commas):
                    self.cut()
                    return
            self.line_count += 1
            yield line.rstrip(b"\r\n")


class _Gunzip(io.RawIOBase):
    """Unpacks gzip. Unlike the library's reader it gives all that a cut file holds before it says so."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._packed = b""
        self._member: zlib._Decompress | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "Buffer") -> int:
        """Raises `EOFError` when the file ends inside a member, `zlib.error` when it is damaged."""
        view = memoryview(buffer).cast("B")
        while packed := self._packed or self._file.read(_PACKED_BYTES):
            if self._member is None:
                self._member = zlib.decompressobj(_GZIP_WINDOW)
            data = self._member.decompress(packed, len(view))
            self._packed = self._member.unconsumed_tail
            if self._member.eof:
                self._packed = self._member.unused_data.lstrip(b"\0")
                self._member = None
            if data:
                view[: len(data)] = data
                return len(data)
        if self._member is not None:
            raise EOFError("the file ends inside a member")
        return 0


class _Unzstd(io.RawIOBase):
    """Unpacks zstd, one frame after the other. Unlike the library's reader it says when the file ends inside one."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._packed = b""
        self._ready = memoryview(b"")
        self._frame: zstandard.ZstdDecompressionObj | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "Buffer") -> int:
        """Raises `EOFError` when the file ends inside a frame, `ZstdError` when it is damaged."""
        view = memoryview(buffer).cast("B")
        while not self._ready:
            packed = self._packed or self._file.read(_ZSTD_BYTES)
            if not packed:
                if self._frame is not None:
                    raise EOFError("the file ends inside a frame")
                return 0
            if self._frame is None:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._ready = memoryview(self._frame.decompress(packed))
            self._packed = b""
            if self._frame.eof:
                self._packed = self._frame.unused_data
                self._frame = None
        size = min(len(view), len(self._ready))
        view[:size], self._ready = self._ready[:size], self._ready[size:]
        return size


def head(path: Path) -> bytes:
    """Give the beginning of a recording, unpacked: enough to tell its format, empty when it holds nothing.

    Raises `RecordingError` when it cannot be opened, is not what its name says, or is cut before its first line ends.
    """
    begun = bytearray()
    try:
        with path.open("rb") as file, _unpacked(path, file) as unpacked:
            while len(begun) < _HEAD_BYTES and (part := unpacked.read1(_PART_BYTES)):
                begun += part
    except _DAMAGE:
        if b"\n" not in begun:
            raise RecordingError(
                f"{path.name} cannot be unpacked; give a complete copy, named as it was recorded"
            ) from None
    except OSError as error:
        raise _unreadable(path, error) from None
    return bytes(begun)


def digest(path: Path) -> str:
    """Give the SHA-256 of a file's bytes, as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unreadable(path: Path, error: OSError) -> RecordingError:
    return RecordingError(f"{path} cannot be read ({error.strerror}); check the path and its permissions")


def _unpacked(path: Path, file: io.BufferedReader) -> io.BufferedReader:
    if path.suffix == ".gz":
        return io.BufferedReader(_Gunzip(file), _BUFFER_BYTES)
    if path.suffix == ".zst":
        return io.BufferedReader(_Unzstd(file), _BUFFER_BYTES)
    return file


def _is_whole(line: bytes) -> bool:
    """Whether a last line without an end is complete JSON, or a row of text, all the same."""
    if not line.startswith(b"{"):
        return True
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except msgspec.DecodeError:
        return False
    except RecursionError:
        # Nested beyond measure is not cut: whoever reads the line says what is wrong with it.
        return True
    return True
