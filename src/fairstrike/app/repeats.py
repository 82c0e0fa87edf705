"""Holding back what was just said: the same warning, again and again, hides the others."""

from collections import OrderedDict

from fairstrike.core.timing import SECOND_NS


class Repeats:
    """Knows which texts were said lately. At most `texts_max` are remembered; the one said longest ago is forgotten."""

    def __init__(self, every_ns: int = 10 * SECOND_NS, texts_max: int = 64) -> None:
        """Know none; a text may be said again after `every_ns`."""
        self._every_ns = every_ns
        self._texts_max = texts_max
        self._said_ns: OrderedDict[str, int] = OrderedDict()

    def is_due(self, text: str, now_ns: int) -> bool:
        """Whether a text is to be said now; then it counts as said."""
        said_ns = self._said_ns.get(text)
        if said_ns is not None and now_ns - said_ns < self._every_ns:
            return False
        self._said_ns[text] = now_ns
        self._said_ns.move_to_end(text)
        if len(self._said_ns) > self._texts_max:
            self._said_ns.popitem(last=False)
        return True
