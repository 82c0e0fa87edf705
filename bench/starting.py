"""What the trader's process costs before it does anything: time to import, and memory."""

import subprocess
import sys
import time

from bench.measuring import Case, Figure, Progress, Scale, figures, take

TIMES = "start of a process (wall time)"
MEMORY = "memory of a process after its imports"

_BARE = "python, nothing imported"
_AIOHTTP = "python, asyncio and aiohttp"
_TRADER = "the trader (fairstrike.app.run)"
_PROGRAMS = {_BARE: "pass", _AIOHTTP: "import asyncio, aiohttp", _TRADER: "import fairstrike.app.run"}

# The peak of this process alone: the usual counter would hold its parent's on Linux.
_REPORT = """
try:
    print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
except FileNotFoundError:
    import resource, sys
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1))
"""


class Starts:
    """Starts one program in a fresh process, and keeps what its memory was each time, in megabytes."""

    def __init__(self, program: str) -> None:
        """Take the program's text."""
        self._program = program
        self.megabytes: list[float] = []

    def __call__(self) -> float:
        """Start it once; gives milliseconds from start to end."""
        began = time.perf_counter_ns()
        subprocess.run([sys.executable, "-c", self._program], check=True)
        took = (time.perf_counter_ns() - began) / 1e6
        told = subprocess.run(
            [sys.executable, "-c", self._program + _REPORT], check=True, capture_output=True, text=True
        )
        self.megabytes.append(int(told.stdout) / 1024)
        return took


def measure(scale: Scale, progress: Progress) -> list[Figure]:
    """Give the figures of a start."""
    starts = {name: Starts(program) for name, program in _PROGRAMS.items()}
    cases: dict[str, Case] = dict(starts)
    taken = take(cases, scale.rounds, progress, "start")
    memory = {name: start.megabytes[-scale.rounds :] for name, start in starts.items()}
    against = {_TRADER: _AIOHTTP, _AIOHTTP: _BARE}
    return figures(TIMES, taken, "ms", against) + figures(MEMORY, memory, "MB", against)
