"""Damaged files of learned models: a model whose every prediction is a number or a refusal, or one sentence.

As many files as FAIRSTRIKE_FUZZ_FRAMES (or FAIRSTRIKE_FRAMES) says frames, a twentieth of it.
"""

import math
from pathlib import Path

import msgspec
import pytest

from fairstrike.app.modelling import load
from fairstrike.core.chance import Dice
from fairstrike.core.errors import ArithmeticRefusal, UsageError
from fairstrike.pricing.learned import Boosted, Logistic
from tests.fuzz.test_frames import FRAMES, broken

FILES = FRAMES // 20
BOOSTED = Path(__file__).parents[1] / "unit/pricing/boosted"
NUMBERS = (b"nan", b"-inf", b"1e999", b"-1", b"99999999999999999999", b"0x1", b"\xd9\xa3", b"1e308", b"", b"9" * 5_000)
ROWS: tuple[dict[str, float], ...] = (
    {"move": 0.4, "vol": 1.0, "flow": -0.2, "hour": 6.0},
    {"move": math.nan, "vol": -1e300, "flow": math.inf, "hour": 1e18},
)


def samples() -> list[bytes]:
    """Whole models of either kind."""
    logistic = Logistic(
        features=("move", "flow"), coefficients=(0.8, -0.5), means=(0.1, 0.0), scales=(2.0, 1.0), intercept=0.05
    )
    trees = [path.read_text("utf-8") for path in sorted(BOOSTED.glob("*.txt"))]
    return [msgspec.json.encode(one) for one in (logistic, *(Boosted(trees=t, mean=0.2, shrinkage=0.5) for t in trees))]


def spoiled(data: bytes, dice: Dice) -> bytes:
    """The text with one number, somewhere, changed for what is none or makes no sense."""
    words = data.split(b" ")
    at = dice.below(len(words))
    words[at] = words[at].rstrip(b"0123456789.-e") + NUMBERS[dice.below(len(NUMBERS))]
    return b" ".join(words)


@pytest.mark.parametrize("seed", range(2))
def test_damaged_models(seed: int, tmp_path: Path) -> None:
    dice, corpus, path = Dice(seed, 77), samples(), tmp_path / "model.json"
    loaded, told = 0, list[str]()
    for number in range(FILES // 2):
        data = corpus[dice.below(len(corpus))]
        path.write_bytes(spoiled(data, dice) if number % 2 else broken(data, dice, corpus))
        try:
            found = load(path)
        except UsageError as refusal:
            told.append(str(refusal))
            continue
        loaded += 1
        for row in ROWS:
            try:
                if isinstance(found.model, Logistic):
                    predicted = found.model.predict(row)
                else:
                    assert found.forest is not None
                    predicted = found.model.predict(found.forest, row)
            except ArithmeticRefusal:
                continue
            assert math.isfinite(predicted)
    assert loaded
    assert len(told) > loaded / 4
    assert all(one.startswith("model.json: ") and "\n" not in one for one in told)
