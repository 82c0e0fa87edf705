"""One measurement by itself, from the command line: `--smoke` for once, with small counts."""

import argparse
from collections.abc import Callable, Sequence

from bench import printing
from bench.measuring import SMOKE, Figure, Progress, Scale


def run(name: str, about: str | None, stream: str, measure: Callable[[Scale, Progress], Sequence[Figure]]) -> int:
    """Measure and print what `python -m NAME` names; `stream` says what was measured on. Gives the exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m {name}", description=about)
    parser.add_argument("--smoke", action="store_true", help="once, with small counts")
    chosen = parser.parse_args()
    found = measure(SMOKE if chosen.smoke else Scale(), Progress())
    print(printing.table(printing.machine(), stream, found))
    return 0
