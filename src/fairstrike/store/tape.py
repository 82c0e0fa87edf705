"""Recordings as lines of bytes: plain, gzip or zstd, read as a stream in bounded memory."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import msgspec
import zstandard

from fairstrike.core.errors import RecordingError

_BUFFER_BYTES = 1024 * 1024
_LINE_BYTES_MAX = 64 * 1024 * 1024


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """A recording that ended in the middle: what was read before it counts."""

    name: str
    line: int


def read_lines(path: Path, on_cut: Callable[[Cut], None]) -> Iterator[bytes]:
    """Give a recording's lines without their ends; a cut recording gives its whole lines, then calls `on_cut`.

    Raises `RecordingError` when the file cannot be opened or is not what its name says.
    """
    number = 0
    try:
        with _open(path) as file:
            for line in iter(lambda: file.readline(_LINE_BYTES_MAX), b""):
                if not line.endswith(b"\n"):
                    if len(line) == _LINE_BYTES_MAX:
                        raise RecordingError(
                            f"{path.name} line {number + 1} is longer than any frame; is it a recording?"
                        )
                    if not _is_whole(line):
                        on_cut(Cut(name=path.name, line=number))
                        return
                number += 1
                yield line.rstrip(b"\r\n")
    except (EOFError, zlib.error, zstandard.ZstdError):
        if number == 0:
            raise RecordingError(f"{path.name} cannot be unpacked; give a complete copy of the recording") from None
        on_cut(Cut(name=path.name, line=number))
    except gzip.BadGzipFile:
        if number == 0:
            raise RecordingError(
                f"{path.name} is named .gz but is not gzip; give the file as it was recorded"
            ) from None
        on_cut(Cut(name=path.name, line=number))
    except OSError as error:
        raise RecordingError(f"{path} cannot be read ({error.strerror}); check the path and its permissions") from None


def digest(path: Path) -> str:
    """Give the SHA-256 of a file's bytes, as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _open(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return io.BufferedReader(gzip.GzipFile(path, "rb"), _BUFFER_BYTES)
    if path.suffix == ".zst":
        return io.BufferedReader(
            zstandard.ZstdDecompressor().stream_reader(path.open("rb"), closefd=True), _BUFFER_BYTES
        )
    return path.open("rb")


def _is_whole(line: bytes) -> bool:
    """Whether a last line without an end is complete JSON all the same."""
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except msgspec.DecodeError:
        return False
    return True
