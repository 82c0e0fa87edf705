"""What a command says when the program itself fails: one sentence. The trace goes to a file, never to the screen."""

import errno
import io
import logging
import os
import signal
import sys
import tempfile
import traceback
from types import FrameType, TracebackType
from typing import TextIO, TypeAlias

EXIT_INTERRUPTED, EXIT_CRASHED = 130, 70
LOST = (errno.ENOSPC, errno.EDQUOT, errno.EPIPE, errno.EIO)
"""How an output says that it takes no more: a full disk, a closed pipe, a terminal that is gone."""

_Raised: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def end_like_interrupted() -> None:
    """Make SIGTERM and, unless it is ignored, SIGHUP end this command as Ctrl-C does: cleaned up, one sentence."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def make_printable(*streams: TextIO) -> None:
    """Write characters a stream's encoding lacks as escapes, so that no name can stop a command."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def drop_lost(stream: TextIO) -> None:
    """Drop what a stream that takes no more still holds: at the end nothing tries again."""
    try:
        stream.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def keep_trace(error: BaseException) -> str:
    """Write an exception's trace to a new private file; give the file's path, or why there is none."""
    try:
        handle, name = tempfile.mkstemp(prefix="fairstrike-trace-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(traceback.format_exception(error))
    except OSError as problem:
        return f"no file, it could not be written ({problem.strerror})"
    return name


def last_words(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say in one sentence that the program itself failed, and end with `EXIT_CRASHED`. A hook for `sys.excepthook`."""
    if issubclass(kind, KeyboardInterrupt):
        print("fairstrike: interrupted", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
    place = keep_trace(error)
    print(
        f"fairstrike: this is a failure of the program itself ({kind.__name__}); please report it with its trace, "
        f"kept in {place}",
        file=sys.stderr,
    )
    sys.exit(EXIT_CRASHED)


class TraceAside(logging.Formatter):
    """Formats log records; a trace that comes with one, a library's for instance, goes to a file too."""

    def formatException(self, ei: _Raised) -> str:  # noqa: N802 the library's name
        """Give the sentence that stands where the trace would."""
        return f"trace in {keep_trace(ei[1])}" if ei[1] is not None else ""
