"""Long sums: one of a kind and group at a time, answers in time shown once, and nobody waits for ever."""

import hashlib
from collections import Counter

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.computing import Answer, Compute
from fairstrike.core.effects import StartComputation
from fairstrike.core.events import ComputationDone
from fairstrike.core.records import ComputationAsked, ComputationDropped, GroupFitted
from fairstrike.execution.clerk import Outcome
from fairstrike.execution.sums import LATE, UNANSWERED, UNDER_WAY, UNKNOWN, Sums
from tests.unit.engine_samples import Hall, T, at, computed, of, printed, wish, working

WISH = Compute(strategy="a", kind="fit", group="BTC@1", inputs=b"in", good_for_ns=100)
Written = list[ComputationAsked | ComputationDropped]


def started() -> tuple[Sums, Written]:
    written: Written = []
    return Sums(written.append), written


def done(number: int, recv_ns: int, kind: str = "fit") -> ComputationDone:
    return ComputationDone(kind=kind, number=number, result=b"out", recv_ns=recv_ns)


def test_a_wish_becomes_a_numbered_sum_with_a_deadline() -> None:
    sums, written = started()
    assert sums.ask(WISH, 1_000) == StartComputation(kind="fit", number=1, inputs=b"in", deadline_ns=1_100)
    digest = hashlib.sha256(b"in").hexdigest()
    assert written == [
        ComputationAsked(strategy="a", kind="fit", group="BTC@1", number=1, inputs_sha256=digest, deadline_ns=1_100)
    ]


def test_an_answer_is_shown_to_who_asked_and_once() -> None:
    sums, _ = started()
    sums.ask(WISH, 1_000)
    sums.fold(done(1, 1_100))
    answer = Answer(kind="fit", group="BTC@1", result=b"out", asked_ns=1_000, good_until_ns=1_100)
    assert sums.take(1_100) == {"a": (answer,)}
    assert sums.take(1_100) == {}


def test_of_a_kind_and_group_one_is_under_way_for_a_strategy() -> None:
    sums, _ = started()
    replace = msgspec.structs.replace
    others = [replace(WISH, strategy="b"), replace(WISH, kind="lp"), replace(WISH, group="BTC@2")]
    assert [getattr(sums.ask(wish, 1_000), "number", None) for wish in (WISH, *others, WISH)] == [1, 2, 3, 4, None]
    assert sums.dropped == {UNDER_WAY: 1}
    sums.fold(done(1, 1_050))
    effect = sums.ask(WISH, 1_051)
    assert effect is not None
    assert effect.number == 5


def test_who_is_not_answered_in_time_may_ask_again() -> None:
    sums, written = started()
    sums.ask(WISH, 1_000)
    assert sums.ask(WISH, 1_100) is None
    effect = sums.ask(WISH, 1_101)
    assert effect is not None
    assert (effect.number, effect.deadline_ns) == (2, 1_201)
    assert written[1] == ComputationDropped(number=1, reason=UNANSWERED)


def test_what_is_late_or_unknown_is_dropped_and_counted() -> None:
    sums, written = started()
    sums.ask(WISH, 1_000)
    sums.fold(done(7, 1_001))
    sums.fold(done(1, 1_001, kind="lp"))
    sums.fold(done(1, 1_101))
    sums.fold(done(1, 1_102))
    assert sums.take(1_102) == {}
    dropped = [(7, UNKNOWN), (1, UNKNOWN), (1, LATE), (1, UNKNOWN)]
    assert written[1:] == [ComputationDropped(number=number, reason=reason) for number, reason in dropped]
    assert sums.dropped == {UNKNOWN: 3, LATE: 1}


def test_an_answer_that_waited_too_long_is_dropped() -> None:
    sums, _ = started()
    sums.ask(WISH, 1_000)
    sums.fold(done(1, 1_050))
    assert sums.take(1_101) == {}
    assert sums.dropped == {LATE: 1}


STEPS = st.lists(
    st.tuples(st.sampled_from(["ask", "done", "take"]), st.integers(0, 3), st.integers(0, 60)), max_size=60
)


@given(STEPS)
def test_every_sum_is_answered_dropped_or_still_good(steps: list[tuple[str, int, int]]) -> None:
    sums, written = started()
    now_ns, asked, shown = 0, 0, 0
    for what, number, after in steps:
        now_ns += after
        if what == "ask":
            asked += sums.ask(msgspec.structs.replace(WISH, group=f"{number % 2}"), now_ns) is not None
        elif what == "done":
            sums.fold(done(asked - number, now_ns))
        else:
            shown += sum(map(len, sums.take(now_ns).values()))
    shown += sum(map(len, sums.take(now_ns).values()))
    ended = Counter(one.reason for one in written if isinstance(one, ComputationDropped))
    # Two groups: at most two are under way, and a late one may have been taken in in time and shown too late.
    over = shown + ended[UNANSWERED] + sums.dropped[LATE]
    assert asked - 2 <= over <= asked


# In the hall


def test_the_answer_to_a_long_sum_wakes_who_asked_at_a_moment_of_its_own() -> None:
    hall = Hall().opened()
    hall.asking.wishes = [wish()]
    (effect,) = of(StartComputation, hall.feed(printed(41)).effects)
    hall.asking.asked.clear()
    assert hall.feed(computed(41.05, effect.number)) == Outcome(records=[], effects=[])
    assert (hall.asking.asked, [one.result for one in hall.asking.answers]) == ([()], [b"out"])
    hall.feed(computed(41.06, effect.number), printed(42))
    assert len(hall.asking.answers) == 1


@given(st.text(max_size=3), st.binary(max_size=9), st.integers(0, 3))
def test_nothing_that_comes_of_a_sum_or_a_finding_touches_an_order(kind: str, body: bytes, number: int) -> None:
    hall = Hall().opened()
    hall.ordered()
    before = working(hall)
    found = GroupFitted(group="BTC@1", asked_ns=at(41), good_until_ns=at(42), slack_ppm=0, moved_ppm={T: 1})
    hall.asking.wishes = [wish(kind, body), wish(kind, body), found]
    outcomes = [hall.feed(printed(42)), hall.feed(computed(42.1, number, kind, body), computed(42.2, 1, kind, body))]
    assert [type(effect) for outcome in outcomes for effect in outcome.effects] == [StartComputation]
    assert (working(hall), len(hall.asking.answers)) == (before, 1)
