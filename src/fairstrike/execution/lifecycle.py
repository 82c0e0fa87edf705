"""The life of an order as a table: state × move → state.

An order is SENDING from the moment its effect is handed out. A usable answer makes it RESTING, EXECUTED,
CANCELLED or REJECTED. No usable answer makes it UNKNOWN: it may exist, it stays counted as exposure, and only
the venue's own lists resolve it (RESTING or filled when found, CANCELLED when found absent). A cancel asked for
makes it CANCELLING; a fill may still come until the cancel is answered. A cancel that found nothing makes it
UNKNOWN: it ended, but whether filled or not its fill or its report has still to say.

Answers overtake one another: a fill, a report or a cancel may arrive before the acknowledgement, so every
non-terminal state takes them. The request may even be doubted after the stream has shown the order: what was seen
counts for more. A terminal order takes late copies of what ended it and stays as it is; a fill that comes later
still counts in the ledger. What only a venue that contradicts itself could say (a rejected order that rests, or one
refused after it was seen) is not in the table.
"""

from enum import StrEnum

from fairstrike.core.order import OrderState

_S = OrderState


class Move(StrEnum):
    """What can happen to an order."""

    ACK_RESTING = "ack_resting"
    ACK_DONE = "ack_done"
    REJECT = "reject"
    DOUBT = "doubt"
    FILL_PART = "fill_part"
    FILL_LAST = "fill_last"
    ASK_CANCEL = "ask_cancel"
    CANCEL_DONE = "cancel_done"
    CANCEL_VOID = "cancel_void"
    CANCEL_FAIL = "cancel_fail"
    FOUND_RESTING = "found_resting"
    FOUND_GONE = "found_gone"


_M = Move

TABLE: dict[OrderState, dict[Move, OrderState]] = {
    _S.SENDING: {
        _M.ACK_RESTING: _S.RESTING,
        _M.ACK_DONE: _S.CANCELLED,
        _M.REJECT: _S.REJECTED,
        _M.DOUBT: _S.UNKNOWN,
        _M.FILL_PART: _S.SENDING,
        _M.FILL_LAST: _S.EXECUTED,
        _M.FOUND_RESTING: _S.RESTING,
        _M.FOUND_GONE: _S.CANCELLED,
        _M.CANCEL_DONE: _S.CANCELLED,
    },
    _S.UNKNOWN: {
        _M.ACK_RESTING: _S.RESTING,
        _M.ACK_DONE: _S.CANCELLED,
        _M.REJECT: _S.REJECTED,
        _M.DOUBT: _S.UNKNOWN,
        _M.FILL_PART: _S.UNKNOWN,
        _M.FILL_LAST: _S.EXECUTED,
        _M.FOUND_RESTING: _S.RESTING,
        _M.FOUND_GONE: _S.CANCELLED,
        _M.CANCEL_DONE: _S.CANCELLED,
        _M.CANCEL_VOID: _S.UNKNOWN,
        _M.CANCEL_FAIL: _S.UNKNOWN,
    },
    _S.RESTING: {
        _M.ACK_RESTING: _S.RESTING,
        _M.ACK_DONE: _S.CANCELLED,
        _M.FILL_PART: _S.RESTING,
        _M.FILL_LAST: _S.EXECUTED,
        _M.ASK_CANCEL: _S.CANCELLING,
        _M.CANCEL_DONE: _S.CANCELLED,
        _M.FOUND_RESTING: _S.RESTING,
        _M.FOUND_GONE: _S.CANCELLED,
        _M.CANCEL_VOID: _S.UNKNOWN,
        _M.CANCEL_FAIL: _S.RESTING,
        _M.DOUBT: _S.RESTING,
    },
    _S.CANCELLING: {
        _M.ACK_RESTING: _S.CANCELLING,
        _M.ACK_DONE: _S.CANCELLED,
        _M.FILL_PART: _S.CANCELLING,
        _M.FILL_LAST: _S.EXECUTED,
        _M.ASK_CANCEL: _S.CANCELLING,
        _M.CANCEL_DONE: _S.CANCELLED,
        _M.CANCEL_FAIL: _S.RESTING,
        _M.FOUND_RESTING: _S.CANCELLING,
        _M.FOUND_GONE: _S.CANCELLED,
        _M.CANCEL_VOID: _S.UNKNOWN,
        _M.DOUBT: _S.CANCELLING,
    },
    _S.CANCELLED: {
        _M.ACK_RESTING: _S.CANCELLED,
        _M.ACK_DONE: _S.CANCELLED,
        _M.FILL_PART: _S.CANCELLED,
        _M.FILL_LAST: _S.EXECUTED,
        _M.CANCEL_DONE: _S.CANCELLED,
        _M.CANCEL_FAIL: _S.CANCELLED,
        _M.FOUND_GONE: _S.CANCELLED,
        _M.FOUND_RESTING: _S.CANCELLED,
        _M.DOUBT: _S.CANCELLED,
        _M.CANCEL_VOID: _S.CANCELLED,
        _M.REJECT: _S.CANCELLED,
    },
    _S.EXECUTED: {
        _M.ACK_RESTING: _S.EXECUTED,
        _M.ACK_DONE: _S.EXECUTED,
        _M.CANCEL_DONE: _S.EXECUTED,
        _M.CANCEL_FAIL: _S.EXECUTED,
        _M.FOUND_GONE: _S.EXECUTED,
        _M.FOUND_RESTING: _S.EXECUTED,
        _M.DOUBT: _S.EXECUTED,
        _M.CANCEL_VOID: _S.EXECUTED,
    },
    _S.REJECTED: {
        _M.REJECT: _S.REJECTED,
        _M.DOUBT: _S.REJECTED,
        _M.FOUND_GONE: _S.REJECTED,
        _M.CANCEL_DONE: _S.REJECTED,
        _M.CANCEL_FAIL: _S.REJECTED,
    },
}


class IllegalMove(AssertionError):
    """A move the table lacks: our own error. Everything is cancelled and the run stops."""


def moved(state: OrderState, move: Move) -> OrderState:
    """Give the state after `move`.

    Raises `IllegalMove` when the table has no such move: stop, and report the journal.
    """
    after = TABLE[state].get(move)
    if after is None:
        raise IllegalMove(f"an order that is {state.value} cannot {move.value}")
    return after
