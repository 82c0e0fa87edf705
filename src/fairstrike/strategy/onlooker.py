"""The strategy of who only observes: it looks at every market and wishes nothing.

Being woken is what it is for: each decision in which it is leaves the woken markets' best prices, sizes and fair values
in the journal, which is where a display reads them.
"""

from collections import Counter

from fairstrike.core.contract import Contract
from fairstrike.core.timing import SECOND_NS
from fairstrike.strategy.base import Wakes, Wish
from fairstrike.strategy.scene import Scene


class Onlooker:
    """Woken by every best price that moves, and once a second. Its code never enters an order id."""

    name = "onlooker"
    code = 0
    wakes = Wakes(best_price=True, every_ns=SECOND_NS)

    def __init__(self) -> None:
        """Start with nothing looked at."""
        self.tally: Counter[str] = Counter()

    def trades(self, contract: Contract) -> bool:
        """Look at every market."""
        return True

    def consider(self, scene: Scene) -> list[Wish]:
        """Give no wish."""
        self.tally["looked at"] += len(scene.woken)
        return []
