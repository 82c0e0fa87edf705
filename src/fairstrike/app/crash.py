"""What a command says when the program itself fails: one sentence. The trace goes to a file, never to the screen."""

import logging
import os
import sys
import tempfile
import traceback
from types import TracebackType
from typing import TypeAlias

EXIT_INTERRUPTED, EXIT_CRASHED = 130, 70

_Raised: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


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
