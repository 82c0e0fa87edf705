"""The table for people, the object for programs, and the machine the figures come from."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

import msgspec

from bench.measuring import Figure

_NAME, _VALUE, _SPAN = 46, 14, 22


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Where and with what it was measured; `load` is the system's over 1, 5 and 15 minutes, our own included."""

    processor: str
    cores: int
    python: str
    load: tuple[float, float, float]
    packages: dict[str, str]


def machine() -> Machine:
    """Give this machine."""
    packages = {name: version(name) for name in ("msgspec", "cryptography", "aiohttp")}
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        python=platform.python_version(),
        load=os.getloadavg(),
        packages=packages,
    )


def table(where: Machine, stream: str, found: Sequence[Figure]) -> str:
    """Give all figures as fixed-width text."""
    packages = ", ".join(f"{name} {number}" for name, number in where.packages.items())
    lines = [
        f"machine: {where.processor}, {where.cores} cores, load {where.load[0]:.1f}, Python {where.python}, {packages}",
        f"stream:  {stream}",
        "median of the rounds (least - most); a ratio is to the line it names, within the same round",
    ]
    for section, members in groupby(found, key=lambda figure: figure.section):
        lines += ["", section]
        lines += [_line(figure) for figure in members]
    return "\n".join(lines)


def as_json(where: Machine, stream: str, found: Sequence[Figure]) -> str:
    """Give all figures as one JSON object."""
    rows = [msgspec.structs.asdict(figure) | {"median": figure.middle} for figure in found]
    return msgspec.json.encode({"machine": where, "stream": stream, "figures": rows}).decode()


def _line(figure: Figure) -> str:
    value = f"{_number(figure.middle)} {figure.unit}"
    span = f"({_number(min(figure.runs))} - {_number(max(figure.runs))})"
    ratio = "" if figure.ratio is None else f"{figure.ratio:8.2f} x {figure.reference}"
    return f"  {figure.name:<{_NAME}}{value:>{_VALUE}}{span:>{_SPAN}}{ratio}".rstrip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
