"""Frames in groups and units, whatever format they were told in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fairstrike.core.errors import RecordingError
from fairstrike.core.events import BatchEnded, BookDelta, Event
from fairstrike.research.importers.sessions import APART, SessionRecording, Told


def event(recv_ns: int, ticker: str = "A") -> Event:
    return BookDelta(ticker=ticker, is_bid=True, price_ticks=1, delta_cc=1, recv_ns=recv_ns)


class Given(SessionRecording):
    """A recording of frames that a test gives."""

    kind = "a test's frames"
    told: tuple[Told, ...] = ()

    def _begins_ns(self) -> int:
        return 1

    def frames(self) -> Iterator[Told]:
        yield from self.told


def letter(told: Event) -> str:
    return told.ticker if isinstance(told, BookDelta) else "." if isinstance(told, BatchEnded) else ""


def units(*told: Told) -> list[tuple[int, str]]:
    """Instants with the tickers of their changes and a dot for the end of a batch; the last unit left out."""
    recording = Given(Path("given"))
    recording.told = told
    found = list(recording.units())
    assert recording.is_over
    return [(at_ns, "".join(letter(one) for one in events)) for at_ns, events in found][:-1]


def test_frames_of_one_key_are_one_group() -> None:
    assert units((1, "k", [event(1)]), (1, "k", [event(1)]), (2, "l", [event(2)])) == [(1, "AA."), (2, "A.")]


def test_a_group_over_two_receive_times_ends_with_the_later() -> None:
    assert units((1, "k", [event(1)]), (2, "k", [event(2)])) == [(1, "A"), (2, "A.")]


def test_a_frame_without_a_key_is_a_group_of_its_own() -> None:
    assert units((1, None, [event(1)]), (1, None, [event(1)])) == [(1, "A."), (1, "A.")]


def test_a_frame_apart_waits_for_the_end_of_the_group_around_it() -> None:
    told = units((1, "k", [event(1)]), (2, APART, [event(2, "T")]), (3, "k", [event(3)]), (4, "l", [event(4)]))
    assert told == [(1, "A"), (2, "T"), (3, "A."), (4, "A.")]


def test_frames_that_tell_nothing_give_nothing() -> None:
    assert units((1, None, []), (2, "k", [event(2)])) == [(2, "A.")]


def test_frames_that_go_back_in_time_are_refused() -> None:
    recording = Given(Path("given"))
    recording.told = ((2, None, [event(2)]), (1, None, [event(1)]))
    with pytest.raises(RecordingError, match="given goes back in time"):
        list(recording.units())


def test_a_format_that_tells_no_frames_fails_at_once() -> None:
    class Silent(Given):
        """Says nothing."""

        frames = SessionRecording.frames

    with pytest.raises(AssertionError, match="Silent tells no frames"):
        list(Silent(Path("silent")).units())
