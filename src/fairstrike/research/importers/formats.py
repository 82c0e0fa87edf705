"""The formats that can be read, and the recordings that paths name."""

from collections.abc import Sequence
from pathlib import Path

from fairstrike.core.errors import RecordingError
from fairstrike.research.importers.answers import Answers
from fairstrike.research.importers.base import Recording
from fairstrike.research.importers.candles import Candles
from fairstrike.research.importers.depth import Depth
from fairstrike.research.importers.frames import Frames
from fairstrike.research.importers.ladders import Ladders
from fairstrike.research.importers.markets import Markets
from fairstrike.research.importers.stream15m import Stream15m
from fairstrike.store.tape import head

FORMATS: tuple[type[Recording], ...] = (Stream15m, Ladders, Depth, Frames, Markets, Answers, Candles)
"""Asked in this order; the first that recognises a file reads it."""

_ENDINGS = (".jsonl", ".json", ".csv")
_BESIDE = (".spot.csv", "results.csv")


def recordings(paths: Sequence[Path]) -> list[Recording]:
    """Give the recordings of files and folders, in order of their first events.

    Raises `RecordingError` for a path that is not there, holds no recording, or is in no known format.
    """
    files = [file for path in paths for file in _files(path)]
    seen: set[Path] = set()
    for file in files:
        whole = file.resolve()
        if whole in seen:
            raise RecordingError(f"{file.name} is named twice; name each recording once")
        seen.add(whole)
    return sorted((opened(file) for file in files), key=lambda recording: (recording.first_ns, recording.path.name))


def opened(path: Path) -> Recording:
    """Give a file's recording, read by the importer that recognises it.

    Raises `RecordingError` when it is empty, cannot be read, or is in no known format.
    """
    begun = head(path)
    if not begun.strip():
        raise RecordingError(f"{path.name} is empty; give a recording with at least one frame")
    for kind in FORMATS:
        if kind.recognises(path, begun):
            return kind(path)
    known = ", ".join(kind.kind for kind in FORMATS)
    raise RecordingError(
        f"{path.name} is in no format that can be read; these are: {known}. The guide on recordings says how to add one"
    )


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.rglob("*") if file.is_file() and _is_recording(file))
    if not found:
        raise RecordingError(
            f"{path} holds no recording; name a folder with .jsonl, .json or .csv files, packed or not"
        )
    return found


def _is_recording(file: Path) -> bool:
    """Whether a file of a folder is a recording by its name: not what lies beside one, and nothing hidden."""
    name = file.name.removesuffix(".gz").removesuffix(".zst")
    return name.endswith(_ENDINGS) and not name.endswith(_BESIDE) and not name.startswith(".")
