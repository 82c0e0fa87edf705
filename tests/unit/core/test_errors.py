"""The tree of exceptions as it is drawn, and the exit codes as the README tells them."""

import re
from pathlib import Path

import pytest

from fairstrike.app import crash, run
from fairstrike.core import errors

README = Path(__file__).resolve().parents[3] / "README.md"
BRANCH = re.compile(r"^(?P<lines>[│├└─ ]*)(?P<name>[A-Z]\w+) +(?P<code>\d+)?")
CLASSES = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.FairstrikeError)
}


def drawn() -> list[tuple[str, str, int]]:
    """Each exception of the drawing with its parent there and its exit code."""
    found: list[tuple[str, str, int]] = []
    parents = {0: ("FairstrikeError", 1)}
    for line in (errors.__doc__ or "").splitlines():
        match = BRANCH.match(line)
        if match is None or not match["lines"]:
            continue
        depth = len(match["lines"]) // 4
        parent, code = parents[depth - 1]
        parents[depth] = (match["name"], int(match["code"] or code))
        found.append((match["name"], parent, parents[depth][1]))
    return found


def test_the_drawing_names_every_exception_once() -> None:
    assert sorted(["FairstrikeError", *(name for name, _, _ in drawn())]) == sorted(CLASSES)


@pytest.mark.parametrize(("name", "parent", "code"), drawn())
def test_an_exception_stands_where_it_is_drawn(name: str, parent: str, code: int) -> None:
    assert (parent, code) == (CLASSES[name].__bases__[0].__name__, CLASSES[name].exit_code)


def test_the_readme_tells_every_exit_code() -> None:
    ends = {run.EXIT_CLEAN, run.EXIT_OURS, run.EXIT_NOT_PROVED, crash.EXIT_INTERRUPTED, crash.EXIT_CRASHED}
    told = [int(code) for code in re.findall(r"^\| (\d+) \|", README.read_text("utf-8"), flags=re.MULTILINE)]
    assert told == sorted(ends | {kind.exit_code for kind in CLASSES.values()})
