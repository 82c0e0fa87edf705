"""`fairstrike model`: a learned model's file, read whole, checked, and told in a line.

A file is JSON, as `pricing/learned.py` says. What would only show when a price is wanted, trees that do not hold
together above all, is refused here.
"""

import hashlib
from pathlib import Path

import msgspec

from fairstrike.core.errors import ArithmeticRefusal, UsageError
from fairstrike.pricing.learned import Boosted, Forest, Logistic, Model, model_of

BYTES_MAX = 64 * 2**20
_NAMES_SHOWN, _NAME_SHOWN = 8, 40
_WORDS_SHOWN = 300


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """A model, its trees if it has any, and the SHA-256 of its file."""

    model: Model
    forest: Forest | None
    sha256: str


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a model is: its kind, what it is given, what it gives, and the number of its trees."""

    kind: str
    features: tuple[str, ...]
    gives: str
    trees: int
    sha256: str


def load(path: Path) -> Loaded:
    """Give the model in a file. Raises `UsageError` for a file that cannot be read or holds no whole model."""
    try:
        # A pipe or a device has no end that could be waited for.
        if not path.is_file() and path.exists() and not path.is_dir():
            raise UsageError(f"{path} is no plain file; name a model's file")
        with path.open("rb") as file:
            data = file.read(BYTES_MAX + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); name a model's file") from None
    if len(data) > BYTES_MAX:
        raise UsageError(f"{path.name} has more than {BYTES_MAX:,} bytes, and a model has not; name another file")
    try:
        model = model_of(data)
        forest = model.forest() if isinstance(model, Boosted) else None
    except ArithmeticRefusal as refusal:
        raise UsageError(f"{path.name}: {_shown(str(refusal), _WORDS_SHOWN)}") from None
    return Loaded(model=model, forest=forest, sha256=hashlib.sha256(data).hexdigest())


def told(loaded: Loaded) -> Told:
    """Give what a model is."""
    match loaded.model:
        case Logistic(features=features, damping=damping):
            gives = f"P(up), {damping.shrinkage:g} of its distance to one half, in [{damping.low:g}, {damping.high:g}]"
            return Told(kind="logistic", features=features, gives=gives, trees=0, sha256=loaded.sha256)
        case Boosted(mean=mean, shrinkage=shrinkage):
            assert loaded.forest is not None, "boosted trees were read"
            gives = f"E|r|, {shrinkage:g} of its distance to {mean:g}"
            features, trees = loaded.forest.features, len(loaded.forest.trees)
            return Told(kind="boosted", features=features, gives=gives, trees=trees, sha256=loaded.sha256)


def line(path: Path, one: Told) -> str:
    """Give a model as one line of text."""
    names = ", ".join(_shown(name, _NAME_SHOWN) for name in one.features[:_NAMES_SHOWN]) + (
        ", …" if len(one.features) > _NAMES_SHOWN else ""
    )
    trees = f", {one.trees} tree{'s' * (one.trees != 1)}" if one.kind == "boosted" else ""
    return f"{path.name}: {one.kind}{trees}; from {names}: {one.gives}; SHA-256 {one.sha256[:12]}…"


def _shown(text: str, most: int) -> str:
    """Give what a file says in one line: cut in the middle where it is long, without what commands a terminal."""
    half = most // 2
    kept = text if len(text) <= most else f"{text[:half]}…{text[-half:]}"
    return "".join(one if one.isprintable() else " " for one in " ".join(kept.split()))
