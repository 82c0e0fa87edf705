"""The order table: every state × move, what can be reached, and that the end is the end."""

import itertools

import pytest

from fairstrike.core.order import TERMINAL_STATES, OrderState
from fairstrike.execution.lifecycle import TABLE, IllegalMove, Move, moved

EVERY_MOVE = [(state, move) for state in OrderState for move in Move]
LEGAL = [(state, move) for state, move in EVERY_MOVE if move in TABLE[state]]
ILLEGAL = [(state, move) for state, move in EVERY_MOVE if move not in TABLE[state]]


@pytest.mark.parametrize(("state", "move"), LEGAL)
def test_move_of_the_table(state: OrderState, move: Move) -> None:
    assert TABLE[state][move] is moved(state, move)


@pytest.mark.parametrize(("state", "move"), ILLEGAL)
def test_move_that_the_table_lacks(state: OrderState, move: Move) -> None:
    with pytest.raises(IllegalMove, match=f"{state.value} cannot {move.value}"):
        moved(state, move)


def test_illegal_moves_are_these() -> None:
    expected = {
        OrderState.SENDING: {Move.ASK_CANCEL, Move.CANCEL_FAIL, Move.CANCEL_VOID},
        OrderState.UNKNOWN: {Move.ASK_CANCEL},
        OrderState.RESTING: {Move.REJECT},
        OrderState.CANCELLING: {Move.REJECT},
        OrderState.CANCELLED: {Move.ASK_CANCEL},
        OrderState.EXECUTED: {Move.ASK_CANCEL, Move.REJECT, Move.FILL_PART, Move.FILL_LAST},
        OrderState.REJECTED: {Move.ASK_CANCEL, Move.ACK_RESTING, Move.ACK_DONE, Move.FILL_PART, Move.FILL_LAST}
        | {Move.FOUND_RESTING, Move.CANCEL_VOID},
    }
    assert expected == {state: set(Move) - set(moves) for state, moves in TABLE.items()}


def test_every_state_is_reached_from_sending() -> None:
    reached = {OrderState.SENDING}
    for _ in OrderState:
        reached |= {after for state in reached for after in TABLE[state].values()}
    assert set(OrderState) == reached


def test_no_order_is_sent_again() -> None:
    into_sending = {state for state, moves in TABLE.items() for after in moves.values() if after is OrderState.SENDING}
    assert {OrderState.SENDING} == into_sending


def test_the_end_is_the_end() -> None:
    left = {(state, after) for state in TERMINAL_STATES for after in TABLE[state].values() if after is not state}
    assert {(OrderState.CANCELLED, OrderState.EXECUTED)} == left


def test_only_its_last_fill_executes() -> None:
    unended = [state for state in OrderState if state is not OrderState.EXECUTED]
    into = {move for state in unended for move, after in TABLE[state].items() if after is OrderState.EXECUTED}
    assert {Move.FILL_LAST} == into


@pytest.mark.parametrize("state", [state for state in OrderState if state not in TERMINAL_STATES])
def test_every_working_order_can_end(state: OrderState) -> None:
    assert {OrderState.CANCELLED, OrderState.EXECUTED} <= set(TABLE[state].values())


def test_doubt_never_outweighs_what_was_seen() -> None:
    seen = [OrderState.RESTING, OrderState.CANCELLING, OrderState.CANCELLED, OrderState.EXECUTED]
    assert seen == [moved(state, Move.DOUBT) for state in seen]


@pytest.mark.parametrize("moves", list(itertools.permutations([Move.DOUBT, Move.FOUND_RESTING, Move.FILL_PART])))
def test_seen_and_doubted_in_any_order_rests(moves: tuple[Move, ...]) -> None:
    state = OrderState.SENDING
    for move in moves:
        state = moved(state, move)
    assert state is OrderState.RESTING
