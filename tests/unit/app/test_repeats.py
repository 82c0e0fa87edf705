"""The same text is said once in ten seconds; others are not held back by it."""

from fairstrike.app.repeats import Repeats
from fairstrike.core.timing import SECOND_NS


def test_a_text_is_due_again_after_ten_seconds() -> None:
    repeats = Repeats()
    told = [(second, text) for second in range(25) for text in "ab" if repeats.is_due(text, second * SECOND_NS)]
    assert told == [(0, "a"), (0, "b"), (10, "a"), (10, "b"), (20, "a"), (20, "b")]


def test_the_text_said_longest_ago_is_forgotten_first() -> None:
    repeats = Repeats(every_ns=100, texts_max=2)
    told = [repeats.is_due(text, now_ns) for now_ns, text in enumerate("abbcba")]
    assert told == [True, True, False, True, False, True]


def test_a_text_said_again_is_not_the_oldest() -> None:
    repeats = Repeats(every_ns=2, texts_max=2)
    told = [repeats.is_due(text, now_ns) for now_ns, text in ((0, "a"), (1, "b"), (2, "a"), (2, "c"), (2, "a"))]
    assert told == [True, True, True, True, False]
