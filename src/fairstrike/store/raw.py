"""Raw recordings: what came from outside, byte for byte, as it came.

A recording is one or more segments, `RUN-000001.jsonl.zst` and on, where RUN is the UTC second it began
(`20260713T101500Z`). A segment is zstd; unpacked it holds one JSON document a line, so any tool reads it. The first
line is a `Header`, every other a `Line`:

    {"recv_ns":1783937712391305984,"source":"kalshi","connection":1,"frame":{...}}      a frame, verbatim
    {"recv_ns":…,"source":"kalshi","connection":1,"packed":"AAEC…"}                     one that is no line of JSON
    {"recv_ns":…,"source":"kalshi","connection":1,"note":{"kind":"connected"}}          what the recorder did
    {"recv_ns":…,"source":"kalshi","answer":{"ask":7,"what":"markets","key":"KXBTC15M","status":200,"body":{...}}}

Every `write` makes one whole zstd frame with a checksum and has the disk keep it. What a death tears is the frame that
was being written: it is recognised because it does not end, `mend` cuts it off, and nothing before it is touched. A
frame whose bytes were changed fails its checksum; none of its lines is given.
"""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import msgspec
import zstandard

from fairstrike.core.errors import DiskError, RecordingError
from fairstrike.core.timing import HOUR_NS
from fairstrike.store.tape import Tape

ENDING = ".jsonl.zst"
VERSION = 1
SPOT = "spot"
"""The source of notes about the prices of all spot venues; each connection's own lines carry its name."""
LINES_BYTES_MAX = 64 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_BLOCK_BYTES = 512
_MAGIC = zstandard.FRAME_HEADER
_NAME = re.compile(r"(\d{8}T\d{6}Z)-(\d{6})\.jsonl\.zst")

Received = tuple[int, str, int, bytes]
"""Receive time (ns), source, number of the connection, and the bytes of one frame."""


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a segment is followed by the next (bytes on disk, age in ns), and how hard it is packed."""

    segment_bytes: int = 64 * 1024 * 1024
    segment_ns: int = HOUR_NS
    level: int = 3


class Header(msgspec.Struct, frozen=True, kw_only=True, tag_field="recording", tag="fairstrike"):
    """The first line of a segment: of which run and which segment, from which environment, begun when (ns)."""

    version: int
    run: str
    segment: int
    environment: str
    recv_ns: int


class Note(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the recorder did: connected, disconnected (with the reason), watch and unwatch (with the markets), ended.

    And silent: the stream had said nothing for so long that every book was given up. And print: prices of spot venues
    were asked for what is due (source "spot").
    """

    kind: str
    reason: str = ""
    markets: tuple[str, ...] = ()


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One answer by REST, its body verbatim. Answers of one `ask` are one conversation, in order.

    `what` and `key` are those of the effect `Ask`. Without a status no answer came; `packed` holds a body that is no
    line of JSON.
    """

    ask: int
    what: str
    key: str
    status: int = 0
    body: msgspec.Raw = msgspec.Raw(b"")
    packed: bytes = b""

    @property
    def data(self) -> bytes:
        """The body as it came."""
        return bytes(self.body) or self.packed


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line after the header: a frame (`frame`, or `packed` when it is no line of JSON), a note or an answer."""

    recv_ns: int
    source: str
    connection: int = 0
    frame: msgspec.Raw = msgspec.Raw(b"")
    packed: bytes = b""
    note: Note | None = None
    answer: Answer | None = None

    @property
    def data(self) -> bytes:
        """The frame's bytes as they came."""
        return bytes(self.frame) or self.packed


_encode = msgspec.json.Encoder().encode
_is_json = msgspec.json.Decoder(msgspec.Raw).decode
decode_header = msgspec.json.Decoder(Header).decode
"""Give the header in a first line. Raises as `msgspec` does for anything else."""
decode_line = msgspec.json.Decoder(Line).decode
"""Give any other line. Raises as `msgspec` does for what is none."""


def answer_of(ask: int, what: str, key: str, status: int, body: bytes) -> Answer:
    """Give the record of an answer; its body is kept verbatim."""
    if is_line(body):
        return Answer(ask=ask, what=what, key=key, status=status, body=msgspec.Raw(body))
    return Answer(ask=ask, what=what, key=key, status=status, packed=body)


def is_line(data: bytes) -> bool:
    """Whether bytes are one JSON object that stands in a line as it is, and can be taken out of it unchanged."""
    if data[:1] != b"{" or data[-1:] != b"}" or b"\n" in data or b"\r" in data:
        return False
    try:
        if not data.isascii():
            data.decode()
        _is_json(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def line_of(received: Received) -> bytes:
    """Give the line of a frame, with its end."""
    recv_ns, source, connection, data = received
    if is_line(data):
        return b'{"recv_ns":%d,"source":"%s","connection":%d,"frame":%s}\n' % (
            recv_ns,
            source.encode(),
            connection,
            data,
        )
    return _encode(Line(recv_ns=recv_ns, source=source, connection=connection, packed=data)) + b"\n"


class Writer:
    """A recording being written. `add` and `take` belong to one thread, `write` and `close` to another or the same.

    `folder` is where it goes. `bytes_packed` counts what is on the disk, `lines` and `bytes_raw` (of frames and
    answers) what was added.
    """

    def __init__(self, folder: Path, run: str, environment: str, begun_ns: int, params: Params | None = None) -> None:
        """Begin the first segment in a folder that is there.

        Raises `DiskError` when it cannot be written, `RecordingError` when a recording of that name is there.
        """
        self.bytes_packed = self.lines = self.bytes_raw = self.segments = 0
        self.folder = folder
        self._run = run
        self._environment = environment
        self._params = params or Params()
        self._pack = zstandard.ZstdCompressor(level=self._params.level, write_checksum=True).compress
        self._waiting: list[Received | Line] = []
        self._file = -1
        self._good = self._begun_ns = 0
        self._next_segment(begun_ns)

    def frame(self, recv_ns: int, source: str, connection: int, data: bytes) -> None:
        """Add a frame. Nothing is on disk before it is taken and written."""
        self._waiting.append((recv_ns, source, connection, data))
        self.bytes_raw += len(data)
        self.lines += 1

    def line(self, line: Line) -> None:
        """Add a note or an answer."""
        self._waiting.append(line)
        self.bytes_raw += 0 if line.answer is None else len(line.answer.data)
        self.lines += 1

    def take(self) -> Sequence[Received | Line]:
        """Give what was added since the last time, to be handed to `write`."""
        taken, self._waiting = self._waiting, []
        return taken

    def write(self, taken: Sequence[Received | Line]) -> None:
        """Pack what was taken, write it and have the disk keep it; begin the next segment when this one is full.

        Raises `DiskError` when the disk takes no more; what was written before stays whole.
        """
        if not taken:
            return
        lines: list[bytes] = []
        size = 0
        for one in taken:
            line = line_of(one) if isinstance(one, tuple) else _encode(one) + b"\n"
            if size + len(line) > LINES_BYTES_MAX and lines:
                self._put(b"".join(lines))
                lines, size = [], 0
            lines.append(line)
            size += len(line)
        self._put(b"".join(lines))
        last = taken[-1]
        last_ns = last[0] if isinstance(last, tuple) else last.recv_ns
        if self._good >= self._params.segment_bytes or last_ns - self._begun_ns >= self._params.segment_ns:
            self._next_segment(last_ns)

    def close(self) -> None:
        """Write what waits, and close."""
        try:
            self.write(self.take())
        finally:
            self._close_file()

    def _close_file(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _next_segment(self, begun_ns: int) -> None:
        self._close_file()
        self.segments += 1
        path = self.folder / f"{self._run}-{self.segments:06d}{ENDING}"
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        except FileExistsError:
            raise RecordingError(f"{path} is there already; start again, or name another folder") from None
        except OSError as error:
            raise self._full(error) from None
        self._good, self._begun_ns = 0, begun_ns
        header = Header(
            version=VERSION, run=self._run, segment=self.segments, environment=self._environment, recv_ns=begun_ns
        )
        self._put(_encode(header) + b"\n")

    def _put(self, lines: bytes) -> None:
        """Write one frame of packed lines and have the disk keep it; when it takes no more, leave no part of it."""
        packed = memoryview(self._pack(lines))
        size = len(packed)
        try:
            while packed:
                packed = packed[os.write(self._file, packed) :]
            os.fdatasync(self._file) if hasattr(os, "fdatasync") else os.fsync(self._file)
        except OSError as error:
            os.ftruncate(self._file, self._good)
            raise self._full(error) from None
        self._good += size
        self.bytes_packed += size

    def _full(self, error: OSError) -> DiskError:
        return DiskError(
            f"the recording in {self.folder} cannot be written ({error.strerror}); make room or mend the disk, then "
            "start again: what was recorded before is kept"
        )


class RawTape(Tape):
    """A packed segment being read, only frames whose checksum holds; `torn_bytes` is what was cut off its end."""

    torn_bytes = 0

    def lines(self) -> Iterator[bytes]:
        """Give the lines without their ends; a torn end is left out, then `on_cut` is called.

        Raises `RecordingError` when the file cannot be opened, or was changed before its end.
        """
        try:
            with self.path.open("rb") as self._file:
                frames = Frames(self._file, self.path.name)
                for frame in frames:
                    for line in frame.splitlines():
                        self.line_count += 1
                        yield line
                self.torn_bytes = frames.torn_bytes
        except OSError as error:
            raise RecordingError(
                f"{self.path} cannot be read ({error.strerror}); check the path and its permissions"
            ) from None
        if self.torn_bytes:
            self.cut()


class Frames:
    """The zstd frames of a segment, unpacked, each when its checksum held; then `torn_bytes` at the end are known."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        """Read from the beginning of an open file."""
        self.good_bytes = self.torn_bytes = 0
        self._file = file
        self._name = name
        self._packed = b""

    def __iter__(self) -> Iterator[bytes]:
        """Give each whole frame. Raises `RecordingError` for one that was changed, or is too long for any."""
        while self._more():
            frame = self._frame()
            if frame is None:
                return
            self.good_bytes = self._file.tell() - len(self._packed)
            yield frame

    def _more(self) -> bool:
        self._packed = self._packed or self._file.read(_CHUNK_BYTES)
        return bool(self._packed)

    def _frame(self) -> bytes | None:
        """Give the next frame; None when the file ends inside it, or what is left of it are zeros."""
        unpacking = zstandard.ZstdDecompressor().decompressobj()
        parts, size = [], 0
        while self._more():
            try:
                parts.append(unpacking.decompress(self._packed))
            except zstandard.ZstdError:
                if self._is_blank():
                    return None
                raise self._damaged() from None
            self._packed = b""
            size += len(parts[-1])
            if size > 2 * LINES_BYTES_MAX:
                raise self._damaged()
            if unpacking.eof:
                self._packed = unpacking.unused_data
                frame = b"".join(parts)
                if not frame.endswith(b"\n"):
                    raise self._damaged()
                return frame
        self.torn_bytes = self._file.tell() - self.good_bytes
        return None

    def _is_blank(self) -> bool:
        """Whether this frame, the last, ends in the zeros that some file systems leave behind after a loss of power."""
        self._file.seek(self.good_bytes)
        rest = self._file.read(2 * LINES_BYTES_MAX)
        told = rest.rstrip(b"\0")
        if self._file.read(1) or (told and (len(rest) - len(told) < _BLOCK_BYTES or _MAGIC in told[1:])):
            return False
        self.torn_bytes = len(rest)
        return True

    def _damaged(self) -> RecordingError:
        return RecordingError(
            f"{self._name} was changed or damaged {self.good_bytes:,} bytes after its beginning; "
            "restore it from a copy, or leave it out"
        )


def segments(folder: Path) -> list[Path]:
    """Give the segments in a folder, in order of their runs and numbers."""
    return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))


def run_and_number(path: Path) -> tuple[str, int] | None:
    """Give run and number that a segment's name says, None for a file of another name."""
    found = _NAME.fullmatch(path.name)
    return None if found is None else (found[1], int(found[2]))


def mend(path: Path) -> int:
    """Cut off the torn end of a segment that nobody writes; one without a whole frame is removed. Gives the bytes cut.

    Raises `RecordingError` when it was changed before its end, `DiskError` when it cannot be cut.
    """
    try:
        with path.open("r+b") as file:
            frames = Frames(file, path.name)
            for _ in frames:
                pass
            if frames.torn_bytes and frames.good_bytes:
                file.truncate(frames.good_bytes)
        if not frames.good_bytes:
            path.unlink()
    except OSError as error:
        raise DiskError(f"{path} cannot be mended ({error.strerror}); correct its permissions") from None
    return frames.torn_bytes
