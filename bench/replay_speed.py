"""A whole capture replayed, stage upon stage, beside reading and decoding the same lines and nothing more."""

import tempfile
from pathlib import Path

import msgspec

from bench.measuring import Case, Figure, Progress, Scale, each_ns, figures, processor_ns, take
from bench.streams import Capture, lines
from fairstrike.app import replaying
from fairstrike.core.events import BookDelta
from fairstrike.research.importers.stream15m import Line, Stream15m

SECTION = "replay, a delta (processor time; each line holds those above it)"
RATES = "replay, deltas a second of processor time"

_LINES = "unpack lines"
_DECODE = "unpack and decode lines"
_EVENTS = "session, groups: events"
_NONE = "engine and journal, no strategy"
_TAKER = "engine and journal, taker"
_BOTH = "engine and journal, taker and maker"

_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


def measure(capture: Capture, scale: Scale, progress: Progress) -> list[Figure]:
    """Give the figures of a replay, and the deltas a second that follow."""
    cases: dict[str, Case] = {
        _LINES: lambda: _lines(capture),
        _DECODE: lambda: _decode(capture),
        _EVENTS: lambda: _events(capture),
        _NONE: Replays(capture, ("none",)),
        _TAKER: Replays(capture, ("taker",)),
        _BOTH: Replays(capture, ("taker", "market_maker")),
    }
    taken = take(cases, scale.rounds, progress, "replay")
    rates = {name: [1e9 / each for each in runs] for name, runs in taken.items() if name != _LINES}
    against = dict.fromkeys((_EVENTS, _NONE, _TAKER, _BOTH), _DECODE)
    return figures(SECTION, taken, "ns", against) + figures(RATES, rates, "/s", {})


class Replays:
    """The capture through the whole program; every round must give the same journal."""

    def __init__(self, capture: Capture, strategies: tuple[str, ...]) -> None:
        """Replay `capture` with these strategies."""
        choices = replaying.Choices(strategies=strategies, cash="10000", size=10, net_max=100, edge=3.0)
        self._settings = replaying.settings_of(None, choices)
        self._capture = capture
        self._digest: str | None = None

    def __call__(self) -> float:
        """Run it once."""
        prepared = replaying.prepare([self._capture.path], self._settings)
        with tempfile.TemporaryDirectory() as folder:
            began = processor_ns()
            report = replaying.run(prepared, Path(folder), lambda _: None)
            took = each_ns(began, self._capture.deltas)
        assert report.digest == (self._digest or report.digest), "the same replay gives the same journal"
        assert report.deltas == self._capture.deltas, "every delta of the capture is replayed"
        self._digest = report.digest
        return took


def _lines(capture: Capture) -> float:
    began = processor_ns()
    for _ in lines(capture.path):
        pass
    return each_ns(began, capture.deltas)


def _decode(capture: Capture) -> float:
    decode = _decoder.decode
    began = processor_ns()
    for line in lines(capture.path):
        decode(line)
    return each_ns(began, capture.deltas)


def _events(capture: Capture) -> float:
    recording, told = Stream15m(capture.path), 0
    began = processor_ns()
    for _, events in recording.units():
        for event in events:
            told += type(event) is BookDelta
    took = each_ns(began, capture.deltas)
    assert sum(recording.deltas.values()) == capture.deltas, "every delta of the capture is read"
    assert told <= capture.deltas, "no delta is made up"
    return took
