"""Stopping: two empty lists far enough apart and the fills read since prove it, one order undoes the proof."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.execution.stopping import Params, Stopping

PARAMS = Params(lag_ns=250, give_up_ns=1_000)


def stop(*lists: tuple[int, int], fills_ns: int = 10**9) -> Stopping:
    stopping = Stopping(PARAMS, 100, "a test")
    stopping.saw_fills(fills_ns)
    for asked_ns, resting in lists:
        stopping.saw_list(asked_ns, resting)
    return stopping


@pytest.mark.parametrize(
    ("is_proved", "lists"),
    [
        (False, []),
        (False, [(100, 0)]),
        (True, [(100, 0), (350, 0)]),
        (False, [(100, 0), (349, 0)]),
        (True, [(100, 0), (349, 0), (350, 0)]),
        (False, [(99, 0), (350, 0)]),
        (False, [(100, 0), (350, 1)]),
        (False, [(100, 0), (200, 1), (350, 0)]),
        (True, [(100, 0), (200, 1), (350, 0), (600, 0)]),
    ],
)
def test_proof(is_proved: bool, lists: list[tuple[int, int]]) -> None:
    assert is_proved is stop(*lists).is_proved


@pytest.mark.parametrize(("is_proved", "fills_ns"), [(False, 0), (False, 349), (True, 350)])
def test_no_proof_before_the_fills_were_read(is_proved: bool, fills_ns: int) -> None:
    assert is_proved is stop((100, 0), (350, 0), fills_ns=fills_ns).is_proved


def test_an_order_seen_after_the_proof_undoes_it() -> None:
    assert stop((100, 0), (350, 0)).is_proved
    assert not stop((100, 0), (350, 0), (600, 1)).is_proved
    assert not stop((100, 0), (350, 0), (600, 1), (700, 0)).is_proved


def test_a_late_copy_of_an_old_list_undoes_nothing() -> None:
    assert stop((100, 0), (350, 0), (99, 0)).is_proved


@pytest.mark.parametrize(("is_given_up", "now_ns"), [(False, 100), (False, 1_100), (True, 1_101)])
def test_giving_up(is_given_up: bool, now_ns: int) -> None:
    assert is_given_up is stop().is_given_up(now_ns)


@given(st.lists(st.tuples(st.integers(1, 200), st.sampled_from([0, 0, 0, 1])), max_size=20))
def test_proved_exactly_when_the_lists_since_the_last_order_span_the_lag(steps: list[tuple[int, int]]) -> None:
    stopping, now_ns = stop(), 100
    empty: list[int] = []
    for step_ns, resting in steps:
        now_ns += step_ns
        stopping.saw_list(now_ns, resting)
        empty = [] if resting else [*empty, now_ns]
        assert (bool(empty) and empty[-1] - empty[0] >= PARAMS.lag_ns) is stopping.is_proved
