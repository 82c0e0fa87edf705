"""`python -m bench`: measure everything on this machine and print a table, or one JSON object with `--json`."""

import argparse
import sys
import tempfile
from pathlib import Path

from bench import (
    boxing,
    deciding,
    delta,
    fanning,
    ingest,
    journaling,
    ordering,
    pricing,
    printing,
    recording,
    remembering,
    replay_speed,
    replica,
    serving,
    starting,
    streams,
)
from bench.measuring import SMOKE, Figure, Progress, Scale


def main() -> int:
    """Measure and print. Gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="everything once, with tiny counts")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    chosen = parser.parse_args()
    scale, progress = SMOKE if chosen.smoke else Scale(), Progress()
    with tempfile.TemporaryDirectory() as folder:
        capture = streams.capture(Path(folder), scale.lines)
        found: list[Figure] = []
        found += delta.measure(capture, scale, progress)
        found += deciding.measure(capture, scale, progress)
        found += journaling.measure(scale, progress)
        found += ordering.measure(scale, progress)
        found += pricing.measure(scale, progress)
        found += replay_speed.measure(capture, scale, progress)
        found += replica.measure(scale, progress)
        found += boxing.measure(scale, progress)
        found += fanning.measure(scale, progress)
        found += serving.measure(scale, progress)
        found += remembering.measure(scale, progress)
        found += recording.measure(capture, scale, progress)
        found += ingest.measure(scale, progress)
        found += starting.measure(scale, progress)
    show = printing.as_json if chosen.json else printing.table
    print(show(printing.machine(), capture.label, found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
