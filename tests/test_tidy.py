"""The house rules that a linter does not know, held over every file of the repository.

A rule is a function from one parsed `Module` to its complaints, each with the place and the cure. Every rule
is also run on a snippet that breaks it: a rule that cannot complain would hold nothing.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec
import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = "src/fairstrike/"
CLIENT_LOCKS = sorted(path.relative_to(REPOSITORY).as_posix() for path in REPOSITORY.glob("examples/*/requirements-*"))
LOCKS = ("requirements.txt", "requirements-dev.txt", "tools/uv.txt", *CLIENT_LOCKS)

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500
NESTING_MAX = 4

PURE_ROOMS = (
    *("core", "market", "pricing", "strategy", "risk", "execution", "exchange"),
    *("venue/kalshi/wire", "venue/spot"),
)
PURE_AT_KALSHI = (
    *("session", "subscriptions", "frame_events", "offset", "patience", "probing", "budget", "signing"),
    *("translate", "asking", "calls", "parameters", "changes", "refusals"),
)
PURE_FILES = ("engine.py", *(f"venue/kalshi/{name}.py" for name in PURE_AT_KALSHI))
SHELLS_IN_PURE_ROOMS = (
    *("exchange/server.py", "exchange/doorstep.py", "exchange/files.py"),
    "venue/spot/feed.py",
)
IMPURE_MODULES = frozenset(
    {"asyncio", "glob", "logging", "multiprocessing", "os", "pathlib", "random", "secrets", "select"}
    | {"shutil", "signal", "socket", "ssl", "subprocess", "tempfile", "threading", "time"}
)
IMPURE_FUNCTIONS = frozenset({"input", "open", "print", "uuid1", "uuid4"})
IMPURE_METHODS = frozenset({"now", "today", "utcnow", "uuid1", "uuid4"})

CATCH_ALL_FILES = ("app/run.py", "app/supervisor.py")
CATCH_ALLS = frozenset({"Exception", "BaseException"})

# For people; everything that books or decides uses core.fees with the series' own schedule.
CLASSIC_HELPERS = frozenset({"calculate_fee", "calculate_net_profit", "min_profitable_spread"})

UNFINISHED = re.compile(r"\b(?:TODO|FIXME|NotImplementedError)\b")
MACHINE_PATH = re.compile(r"(?<![\w./~-])/(?:work|root|home|Users)/|\.\./shared\b")

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
NESTING_NODES = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)


class Module(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed source file; `path` is relative to the repository, with forward slashes."""

    path: str
    text: str
    tree: ast.Module

    def place(self, node: ast.AST) -> str:
        return f"{self.path}:{getattr(node, 'lineno', 1)}"

    @property
    def inside(self) -> str:
        """The path inside the package, such as `core/fees.py`."""
        return self.path.removeprefix(PACKAGE)


Rule = Callable[[Module], Iterator[str]]


def parse(path: str, text: str) -> Module:
    return Module(path=path, text=text, tree=ast.parse(text, filename=path))


def read_modules(*folders: str) -> list[Module]:
    paths = (path for folder in folders for path in sorted((REPOSITORY / folder).rglob("*.py")))
    return [parse(path.relative_to(REPOSITORY).as_posix(), path.read_text("utf-8")) for path in paths]


def functions(module: Module) -> Iterator[FunctionNode]:
    return (node for node in ast.walk(module.tree) if isinstance(node, FunctionNode))


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


# Sizes


def functions_stay_short(module: Module) -> Iterator[str]:
    for node in functions(module):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        first = node.body[0]
        if is_docstring(first):
            lines -= (first.end_lineno or first.lineno) - first.lineno + 1
        if lines > FUNCTION_LINES_MAX:
            place = f"{module.place(node)} {node.name}"
            yield f"{place} has {lines} lines, at most {FUNCTION_LINES_MAX}: split it"


def files_stay_short(module: Module) -> Iterator[str]:
    lines = len(module.text.splitlines())
    if lines > FILE_LINES_MAX:
        yield f"{module.path} has {lines} lines, at most {FILE_LINES_MAX}: divide its work"


def depth_of(node: ast.AST) -> int:
    """Levels of blocks inside `node`; an `elif` is on its `if`'s level, inner functions count apart."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, FunctionNode | ast.ClassDef | ast.Lambda):
            continue
        is_elif = isinstance(node, ast.If) and node.orelse == [child] and isinstance(child, ast.If)
        own = int(isinstance(child, NESTING_NODES) and not is_elif)
        deepest = max(deepest, own + depth_of(child))
    return deepest


def nesting_stays_shallow(module: Module) -> Iterator[str]:
    for node in functions(module):
        depth = depth_of(node)
        if depth > NESTING_MAX:
            place = f"{module.place(node)} {node.name}"
            yield f"{place} nests {depth} deep, at most {NESTING_MAX}: name the inner part"


# Contents


def modules_explain_themselves(module: Module) -> Iterator[str]:
    if not ast.get_docstring(module.tree):
        yield f"{module.path} has no docstring: say in one line what the file gives"


def modules_have_work(module: Module) -> Iterator[str]:
    is_package = module.path.endswith("/__init__.py")
    if not is_package and all(is_docstring(node) for node in module.tree.body):
        yield f"{module.path} is empty: a file appears when it has work to do"


def nothing_is_unfinished(module: Module) -> Iterator[str]:
    for number, line in enumerate(module.text.splitlines(), start=1):
        if UNFINISHED.search(line):
            yield f"{module.path}:{number} is unfinished: do it, or leave it out"


def any_stays_at_the_wire(module: Module) -> Iterator[str]:
    if module.inside.startswith("venue/kalshi/wire/"):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "Any" for alias in node.names):
            yield f"{module.place(node)} imports Any: only the wire may; name the type, or use object"


def errors_are_named(module: Module) -> Iterator[str]:
    if module.inside in CATCH_ALL_FILES:
        return
    cure = "name the error that is expected"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler) and (node.type is None or names_in(node.type) & CATCH_ALLS):
            yield f"{module.place(node)} catches everything: {cure}"
        if isinstance(node, ast.Call) and "suppress" in names_in(node.func) and names_in(node) & CATCH_ALLS:
            yield f"{module.place(node)} suppresses everything: {cure}"


def names_in(node: ast.AST) -> set[str]:
    """Every name and attribute that occurs in an expression."""
    inner = list(ast.walk(node))
    names = {part.id for part in inner if isinstance(part, ast.Name)}
    return names | {part.attr for part in inner if isinstance(part, ast.Attribute)}


def classic_helpers_serve_people(module: Module) -> Iterator[str]:
    if CLASSIC_HELPERS & {node.name for node in functions(module)}:
        return
    for node in ast.walk(module.tree):
        used: set[str] = set()
        if isinstance(node, ast.ImportFrom):
            used = {alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute):
            used = {node.attr}
        for name in sorted(used & CLASSIC_HELPERS):
            yield f"{module.place(node)} uses {name}: use core.fees with the series' own schedule"


# Purity


def is_pure(inside: str) -> bool:
    in_pure_room = inside.startswith(tuple(f"{room}/" for room in PURE_ROOMS))
    return inside not in SHELLS_IN_PURE_ROOMS and (in_pure_room or inside in PURE_FILES)


def imported_roots(node: ast.AST) -> set[str]:
    """Top-level modules that a statement imports; relative imports stay at home."""
    if isinstance(node, ast.Import):
        return {alias.name.partition(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return {node.module.partition(".")[0]}
    return set()


def impure_call(node: ast.AST) -> str | None:
    """Name of the clock, dice or console that a node calls; a method `open` may be the market's own."""
    match node:
        case ast.Call(func=ast.Name(id=name)) if name in IMPURE_FUNCTIONS:
            return name
        case ast.Call(func=ast.Attribute(attr=name)) if name in IMPURE_METHODS:
            return name
    return None


def pure_rooms_stay_pure(module: Module) -> Iterator[str]:
    if not is_pure(module.inside):
        return
    cure = "this room is pure: take it as an argument or an event"
    for node in ast.walk(module.tree):
        for name in sorted(imported_roots(node) & IMPURE_MODULES):
            yield f"{module.place(node)} imports {name}, but {cure}"
        if call := impure_call(node):
            yield f"{module.place(node)} calls {call}(), but {cure}"


# Everything of the package

SIZE_RULES: tuple[Rule, ...] = (functions_stay_short, files_stay_short, nesting_stays_shallow)
PACKAGE_RULES: tuple[Rule, ...] = (
    modules_explain_themselves,
    modules_have_work,
    nothing_is_unfinished,
    any_stays_at_the_wire,
    errors_are_named,
    classic_helpers_serve_people,
    pure_rooms_stay_pure,
)


def report(complaints: Iterable[str]) -> None:
    found = list(complaints)
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("rule", SIZE_RULES, ids=lambda rule: rule.__name__)
def test_every_file(rule: Rule) -> None:
    report(complaint for module in read_modules("src", "tests", "bench") for complaint in rule(module))


@pytest.mark.parametrize("rule", PACKAGE_RULES, ids=lambda rule: rule.__name__)
def test_every_module_of_the_package(rule: Rule) -> None:
    report(complaint for module in read_modules("src") for complaint in rule(module))


# The tree


def unit_tests_without_source(root: Path) -> Iterator[str]:
    unit = root / "tests" / "unit"
    for test in sorted(unit.rglob("test_*.py")):
        room = test.parent.relative_to(unit)
        source = root / PACKAGE / room / f"{test.stem.removeprefix('test_')}.py"
        if not source.is_file():
            pair = f"{test.relative_to(root)} tests {source.relative_to(root)}"
            yield f"{pair}, which is missing: rename or remove it"


def machine_paths(path: str, text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), start=1):
        if match := MACHINE_PATH.search(line):
            place = f"{path}:{number} names {match.group()}"
            yield f"{place}, a place on one machine: use a relative path or a setting"


def index_addresses(path: str, text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), start=1):
        if "://" in line or line.startswith("-"):
            yield f"{path}:{number} names an index or an option: lock names, versions and hashes only"


def spoken_files() -> Iterator[Path]:
    """What the project says of itself: sources, documents, build files."""
    for folder, pattern in (("src", "*.py"), ("bench", "*.py"), ("docs", "*"), ("examples", "*"), ("tools", "*")):
        yield from sorted(path for path in (REPOSITORY / folder).rglob(pattern) if path.is_file())
    for pattern in ("*.md", "*.toml", "Makefile", ".env.example", ".ci/run"):
        yield from sorted(REPOSITORY.glob(pattern))


def readable_files() -> Iterator[tuple[str, str]]:
    for path in spoken_files():
        if path.suffix not in {".png", ".svg", ".gif", ".pyc", ".zst"}:
            yield path.relative_to(REPOSITORY).as_posix(), path.read_text("utf-8")


def test_unit_tests_mirror_the_package() -> None:
    report(unit_tests_without_source(REPOSITORY))


def test_no_text_names_a_place_on_one_machine() -> None:
    report(complaint for path, text in readable_files() for complaint in machine_paths(path, text))


@pytest.mark.parametrize("name", LOCKS)
def test_lock_files_name_no_index(name: str) -> None:
    report(index_addresses(name, (REPOSITORY / name).read_text("utf-8")))


# The rules can complain

LONG_FUNCTION = "def f():\n" + "    g()\n" * FUNCTION_LINES_MAX
DEEP_FUNCTION = "def f():\n" + "".join(f"{'    ' * n}if x:\n" for n in range(1, 6)) + "    " * 6 + "g()\n"

BROKEN: tuple[tuple[Rule, str, str], ...] = (
    (functions_stay_short, "core/a.py", LONG_FUNCTION),
    (files_stay_short, "core/a.py", "x = 1\n" * (FILE_LINES_MAX + 1)),
    (nesting_stays_shallow, "core/a.py", DEEP_FUNCTION),
    (modules_explain_themselves, "core/a.py", "x = 1\n"),
    (modules_explain_themselves, "core/__init__.py", ""),
    (modules_have_work, "core/a.py", '"""Words only."""\n'),
    (nothing_is_unfinished, "core/a.py", "x = 1  # TODO: more\n"),
    (nothing_is_unfinished, "core/a.py", "raise NotImplementedError\n"),
    (any_stays_at_the_wire, "core/a.py", "from typing import Any\n"),
    (errors_are_named, "core/a.py", "try:\n    f()\nexcept:\n    g()\n"),
    (errors_are_named, "app/cli.py", "try:\n    f()\nexcept Exception:\n    g()\n"),
    (errors_are_named, "app/cli.py", "try:\n    f()\nexcept (ValueError, BaseException):\n    g()\n"),
    (errors_are_named, "app/cli.py", "with contextlib.suppress(Exception):\n    f()\n"),
    (classic_helpers_serve_people, "risk/a.py", "from fairstrike.core.fees import calculate_fee\n"),
    (classic_helpers_serve_people, "risk/a.py", "fee = fees.calculate_fee(1, 0.5, False)\n"),
    (pure_rooms_stay_pure, "core/a.py", "import time\n"),
    (pure_rooms_stay_pure, "engine.py", "from os import path\n"),
    (pure_rooms_stay_pure, "exchange/api/a.py", "import asyncio.events\n"),
    (pure_rooms_stay_pure, "venue/kalshi/session.py", "def f():\n    import random\n"),
    (pure_rooms_stay_pure, "venue/kalshi/wire/a.py", "text = open('a').read()\n"),
    (pure_rooms_stay_pure, "market/a.py", "instant = datetime.now(UTC)\n"),
    (pure_rooms_stay_pure, "core/ids.py", "from uuid import uuid4\nname = uuid4()\n"),
)

SOUND: tuple[tuple[Rule, str, str], ...] = (
    (functions_stay_short, "core/a.py", 'def f():\n    """' + "\n" * 99 + '"""\n    g()\n'),
    (
        nesting_stays_shallow,
        "core/a.py",
        "def f():\n    if a:\n        g()\n" + "    elif b:\n        g()\n" * 9,
    ),
    (modules_have_work, "core/__init__.py", '"""A room."""\n'),
    (any_stays_at_the_wire, "venue/kalshi/wire/a.py", "from typing import Any\n"),
    (errors_are_named, "app/run.py", "try:\n    f()\nexcept Exception:\n    g()\n"),
    (errors_are_named, "core/a.py", "try:\n    f()\nexcept ValueError:\n    g()\n"),
    (classic_helpers_serve_people, "core/fees.py", "def calculate_fee():\n    return fees.calculate_fee\n"),
    (pure_rooms_stay_pure, "exchange/server.py", "import asyncio\n"),
    (pure_rooms_stay_pure, "app/run.py", "import time\n"),
    (pure_rooms_stay_pure, "core/a.py", "from datetime import datetime\nfrom .timing import time\n"),
    (pure_rooms_stay_pure, "core/ids.py", "from uuid import UUID\nname = UUID(int=1)\nbook.open()\n"),
)


@pytest.mark.parametrize(("rule", "inside", "text"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
def test_broken_snippet_is_found(rule: Rule, inside: str, text: str) -> None:
    assert len(list(rule(parse(PACKAGE + inside, text)))) == 1


@pytest.mark.parametrize(("rule", "inside", "text"), SOUND, ids=lambda value: getattr(value, "__name__", ""))
def test_sound_snippet_passes(rule: Rule, inside: str, text: str) -> None:
    assert list(rule(parse(PACKAGE + inside, text))) == []


def test_unit_test_without_source_is_found(tmp_path: Path) -> None:
    for name in ("tests/unit/core/test_fees.py", "tests/unit/core/test_gone.py", PACKAGE + "core/fees.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (complaint,) = unit_tests_without_source(tmp_path)
    assert complaint.startswith("tests/unit/core/test_gone.py ")


@pytest.mark.parametrize("line", ["cd /home/me/bot", "`/root/x`", "see ../shared/facts"])
def test_machine_path_is_found(line: str) -> None:
    assert len(list(machine_paths("README.md", line))) == 1


@pytest.mark.parametrize("line", ["GET /portfolio/orders", "kalshi.com/home/btc", "docs/work/plan.md"])
def test_other_paths_pass(line: str) -> None:
    assert list(machine_paths("README.md", line)) == []


@pytest.mark.parametrize("line", ["--index-url https://a.example/simple", "a @ https://a.example/a.whl"])
def test_index_address_is_found(line: str) -> None:
    assert len(list(index_addresses("requirements.txt", line))) == 1
