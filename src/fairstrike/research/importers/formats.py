"""The formats that can be read, and the recordings that paths name."""

from collections.abc import Container, Iterable, Sequence
from pathlib import Path

from fairstrike.core.errors import RecordingError
from fairstrike.research.importers.answers import Answers
from fairstrike.research.importers.base import Recording, Result
from fairstrike.research.importers.candles import Candles
from fairstrike.research.importers.depth import Depth
from fairstrike.research.importers.frames import Frames
from fairstrike.research.importers.ladders import Ladders
from fairstrike.research.importers.markets import Markets
from fairstrike.research.importers.recorded import Recorded
from fairstrike.research.importers.stream15m import Stream15m
from fairstrike.store.raw import run_and_number
from fairstrike.store.tape import head

FORMATS: tuple[type[Recording], ...] = (Stream15m, Ladders, Depth, Frames, Markets, Answers, Candles, Recorded)
"""Asked in this order; the first that recognises a file reads it."""

_ENDINGS = frozenset({".jsonl", ".json", ".csv"})
_PACKED = (".gz", ".zst")
_BESIDE = (".spot.csv", ".rows.csv", "results.csv", "manifest.json")
_GUIDE = "docs/guides/recordings.md"


def named(paths: Sequence[Path], names: Container[str]) -> list[Path]:
    """Give of the files and the folders' recordings those of these names: a folder may hold more than one run read.

    Raises `RecordingError` for a folder without a recording.
    """
    return [file for path in paths for file in _files(path) if file.name in names or not path.is_dir()]


def recordings(paths: Sequence[Path]) -> list[Recording]:
    """Give the recordings of files and folders, in order of their first events.

    Raises `RecordingError` for a path that is not there, holds no recording, or is in no known format.
    """
    seen: set[Path] = set()
    places: dict[Path, Path | None] = {}
    for path in paths:
        for file in _files(path):
            whole = _resolved(file)
            if whole in seen:
                raise RecordingError(f"{file.name} is named twice; name each recording once")
            seen.add(whole)
            places[file] = path if file != path else None
    found: list[Recording] = []
    for file, *following in _in_runs(places):
        recording = opened(file, places[file])
        if isinstance(recording, Recorded):
            recording.follow(following)
        found.append(recording)
    return sorted(found, key=lambda recording: (recording.first_ns, recording.path.name))


def results_of(found: Sequence[Recording]) -> dict[str, Result]:
    """Give the results that lie beside recordings, by ticker. Raises `RecordingError` when two disagree."""
    results: dict[str, Result] = {}
    for recording in found:
        for ticker, result in recording.results().items():
            if results.setdefault(ticker, result) != result:
                raise RecordingError(f"the results beside {recording.path.name} and another disagree about {ticker}")
    return results


def opened(path: Path, folder: Path | None = None) -> Recording:
    """Give a file's recording, read by the importer that recognises it; `folder` is where it was found, if not named.

    Raises `RecordingError` when it is empty, cannot be read, or is in no known format.
    """
    if path.exists() and not path.is_file():
        raise RecordingError(f"{path} is neither a file nor a folder; give a recording as a file")
    begun = head(path)
    if not begun.strip():
        raise RecordingError(f"{path.name} is empty; give a recording with at least one frame")
    for kind in FORMATS:
        if kind.recognises(path, begun):
            return kind(path)
    if _plain_name(path).endswith(_BESIDE):
        raise RecordingError(f"{path.name} is read together with the capture it lies beside; name the capture")
    if folder is not None:
        raise RecordingError(
            f"{path.name} in the folder {folder} is in no format that can be read; name the recordings themselves, or "
            f"move it elsewhere. {_GUIDE} lists the formats"
        )
    known = ", ".join(kind.kind for kind in FORMATS)
    raise RecordingError(
        f"{path.name} is in no format that can be read; these are: {known}. {_GUIDE} describes them, and how to add one"
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


def _in_runs(files: Iterable[Path]) -> list[list[Path]]:
    """Give each file by itself, but the segments of one recorded run together, in order of their numbers."""
    found: dict[object, list[Path]] = {}
    for file in files:
        named = run_and_number(file)
        found.setdefault(file if named is None else (file.parent, named[0]), []).append(file)
    return [sorted(run) for run in found.values()]


def _resolved(file: Path) -> Path:
    try:
        str(file).encode()
        return file.resolve()
    except UnicodeEncodeError:
        raise RecordingError(f"{file} has a name that is not UTF-8, which no journal can hold; rename it") from None
    except (RuntimeError, OSError):
        raise RecordingError(f"{file} is a link that leads to itself; name the recording") from None


def _is_recording(file: Path) -> bool:
    """Whether a file of a folder means to be a recording: not what lies beside one, and nothing hidden.

    An ending after the format's, whatever it is, does not hide it: a copy, or packed in a way we do not know, it is
    named as unreadable instead of left out.
    """
    if file.name.startswith(".") or _plain_name(file).endswith(_BESIDE):
        return False
    return not _ENDINGS.isdisjoint(suffix.lower() for suffix in file.suffixes)


def _plain_name(file: Path) -> str:
    """Give a file's name without what says that it is packed."""
    return file.stem if file.suffix in _PACKED else file.name
