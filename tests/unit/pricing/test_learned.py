"""Learned models: what LightGBM itself predicts, damping as asked for, brackets that add up, refusals."""

import math
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.pricing.learned import Boosted, Damping, Logistic, bracket, forest_of, model_of
from fairstrike.pricing.tails import MixtureTails, StudentTails, Tails

BOOSTED = Path(__file__).parent / "boosted"
KINDS = ("absolute", "binary", "forest", "regression", "zeros")
LOGISTIC = Logistic(
    features=("move", "flow"), coefficients=(0.8, -0.5), means=(0.1, 0.0), scales=(2.0, 1.0), intercept=0.05
)


class Told(msgspec.Struct, frozen=True):
    rows: list[list[float | None]]
    predicted: list[float]


def text_of(kind: str) -> str:
    return (BOOSTED / f"{kind}.txt").read_text("utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_trees_are_walked_as_lightgbm_walks_them(kind: str) -> None:
    told = msgspec.json.decode((BOOSTED / f"{kind}.json").read_bytes(), type=Told)
    forest = forest_of(text_of(kind))
    assert forest.features == ("move", "vol", "flow", "hour")
    assert len(forest.trees) == 8
    assert len(told.rows) == 70
    for row, predicted in zip(told.rows, told.predicted, strict=True):
        found = forest.predict([math.nan if value is None else value for value in row])
        assert pytest.approx(predicted, rel=1e-12, abs=1e-15) == found


def test_the_models_have_every_kind_of_split() -> None:
    decisions = {decision for kind in KINDS for tree in forest_of(text_of(kind)).trees for decision in tree.decisions}
    assert any(decision & 1 for decision in decisions)
    assert {decision >> 2 & 3 for decision in decisions if not decision & 1} >= {1, 2}
    rows = [
        row for kind in KINDS for row in msgspec.json.decode((BOOSTED / f"{kind}.json").read_bytes(), type=Told).rows
    ]
    assert any(value is None for row in rows for value in row)


def test_unknown_categories_go_right() -> None:
    forest = forest_of(text_of("regression"))
    usual = [0.1, 0.2, 0.3]
    assert forest.predict([*usual, 1e9]) == forest.predict([*usual, -1.0]) == forest.predict([*usual, math.inf])


def test_categories_are_cut_off_to_whole_numbers_as_lightgbm_does() -> None:
    forest = forest_of(text_of("binary"))
    at = {hour: forest.predict([-1.6, -1.3, -0.8, hour]) for hour in (-1.0, -0.999, 0.0, 0.999)}
    assert at[-0.999] == at[0.0] == at[0.999]
    assert at[-1.0] != at[0.0]


def test_boosted_size_is_drawn_to_its_mean() -> None:
    features = {"move": 0.4, "vol": 1.0, "flow": 0.2, "hour": 6.0}
    alone, half, mean = (
        Boosted(trees=text_of("regression"), mean=0.2, shrinkage=shrinkage) for shrinkage in (1.0, 0.5, 0.0)
    )
    forest = alone.forest()
    raw = forest.predict([0.4, 1.0, 0.2, 6.0])
    assert alone.predict(forest, features) == pytest.approx(max(raw, 0.0))
    assert half.predict(forest, features) == pytest.approx(0.5 * (0.2 + raw))
    assert mean.predict(forest, features) == 0.2
    assert half.predict(forest, {}) >= 0.0


# Logistic


@pytest.mark.parametrize(("p", "raw"), [(0.35, 0.0), (0.41, 0.2), (0.5, 0.5), (0.59, 0.8), (0.65, 1.0)])
def test_damping_as_asked_for(p: float, raw: float) -> None:
    assert pytest.approx(p) == Damping()(raw)


def test_damping_is_cut_off() -> None:
    bold = Damping(shrinkage=1.0)
    assert (bold(0.1), bold(0.4), bold(0.9)) == (0.35, 0.4, 0.65)


def test_logistic() -> None:
    features = {"move": 1.1, "flow": 0.4, "unused": math.nan}
    raw = 1.0 / (1.0 + math.exp(-(0.05 + 0.8 * 0.5 - 0.5 * 0.4)))
    assert pytest.approx(raw) == LOGISTIC.raw(features)
    assert pytest.approx(0.5 + 0.3 * (raw - 0.5)) == LOGISTIC.predict(features)


@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300))
def test_logistic_stays_within_its_bounds(move: float, flow: float) -> None:
    assert 0.35 <= LOGISTIC.predict({"move": move, "flow": flow}) <= 0.65


def test_models_are_plain_json() -> None:
    boosted = Boosted(trees=text_of("binary"), mean=0.2, shrinkage=0.5)
    for model in (LOGISTIC, boosted):
        assert model_of(msgspec.json.encode(model)) == model


# Brackets

LAWS: list[Tails | None] = [None, StudentTails(freedom=4.0), MixtureTails(weight=0.05, ratio=4.0)]


@pytest.mark.parametrize("law", LAWS)
def test_brackets_add_up_and_hold_the_direction(law: Tails | None) -> None:
    bounds = [-0.004, -0.001, 0.0, 0.002]
    parts = [bracket(0.6, 0.001, None, bounds[0], law)]
    parts += [bracket(0.6, 0.001, low, high, law) for low, high in pairwise(bounds)]
    parts.append(bracket(0.6, 0.001, bounds[-1], None, law))
    assert pytest.approx(1.0, abs=1e-9) == math.fsum(parts)
    assert pytest.approx(0.6, abs=1e-9) == bracket(0.6, 0.001, 0.0, None, law)
    assert bracket(0.6, 0.001, None, None, law) == 1.0


def test_size_is_the_mean_of_what_is_drawn() -> None:
    step = 1e-5
    mean = math.fsum(abs(k * step) * bracket(0.5, 0.001, (k - 0.5) * step, (k + 0.5) * step) for k in range(-800, 801))
    assert pytest.approx(0.001, rel=1e-3) == mean


# Bad input


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("end of trees", "end"), "no whole text"),
        (("num_tree_per_iteration=1", "num_tree_per_iteration=3"), "several outputs"),
        (("objective=regression", "objective=multiclass num_class:3"), "not known"),
        (("objective=regression", "objective=regression sqrt"), "root"),
        (("is_linear=0", "is_linear=1"), "linear"),
        (("leaf_value=", "leaf_values="), "cannot be read"),
        (("left_child=", "left_child=0 "), "hold together"),
        (("split_feature=", "split_feature=99 "), "hold together"),
        (("leaf_value=", "leaf_value=nan "), "hold together"),
        (("threshold=", "threshold=x "), "cannot be read"),
        (("split_feature=", f"split_feature={10**30} "), "hold together"),
        (("cat_threshold=", "cat_threshold=-1 "), "hold together"),
        (("cat_threshold=", f"cat_threshold={2**32} "), "hold together"),
        (("cat_boundaries=", "unknown="), "hold together"),
        (("leaf_value=", "leaf_value=" + "1 " * 100_000), "hold together"),
    ],
)
def test_text_that_is_no_model_is_refused(change: tuple[str, str], sentence: str) -> None:
    with pytest.raises(ArithmeticRefusal, match=sentence):
        forest_of(text_of("regression").replace(*change))


def test_a_tree_that_would_never_end_is_refused() -> None:
    text = text_of("regression")
    line = next(line for line in text.split("\n") if line.startswith("left_child="))
    children = line.removeprefix("left_child=").split()
    circle = "left_child=" + " ".join(["0", *children[1:]])
    with pytest.raises(ArithmeticRefusal, match="hold together"):
        forest_of(text.replace(line, circle))


@given(st.integers(0, 18_000), st.integers(1, 200))
def test_cut_text_gives_trees_or_a_refusal(start: int, length: int) -> None:
    text = text_of("regression")
    try:
        forest = forest_of(text[:start] + text[start + length :])
    except ArithmeticRefusal:
        return
    assert math.isfinite(forest.predict([0.0] * len(forest.features)))


@pytest.mark.parametrize(
    "text",
    [b"", b"{}", b'{"type": "pickle"}', b'{"type": "logistic", "features": ["a"]}', b"\x80\x04"],
)
def test_json_that_is_no_model_is_refused(text: bytes) -> None:
    with pytest.raises(ArithmeticRefusal, match="no model"):
        model_of(text)


def test_bad_numbers_are_refused() -> None:
    replace = msgspec.structs.replace
    with pytest.raises(ArithmeticRefusal, match="one coefficient"):
        replace(LOGISTIC, means=(0.0,))
    with pytest.raises(ArithmeticRefusal, match="one coefficient"):
        replace(LOGISTIC, intercept=math.nan)
    with pytest.raises(ArithmeticRefusal, match="scale"):
        replace(LOGISTIC, scales=(0.0, 1.0))
    with pytest.raises(ArithmeticRefusal, match="missing"):
        LOGISTIC.raw({"move": 1.0})
    with pytest.raises(ArithmeticRefusal, match="probability"):
        Damping()(math.nan)
    with pytest.raises(ArithmeticRefusal, match="features"):
        forest_of(text_of("binary")).predict([0.0])
    for p_up, size in ((0.0, 0.1), (1.0, 0.1), (0.5, 0.0), (math.nan, 0.1), (0.5, math.inf)):
        with pytest.raises(ArithmeticRefusal, match="p_up"):
            bracket(p_up, size, 0.0, 1.0)
    with pytest.raises(ArithmeticRefusal, match="crossed"):
        bracket(0.5, 0.1, 1.0, 0.0)


@pytest.mark.parametrize(
    ("mean", "shrinkage"), [(math.nan, 0.5), (1.7e308, 0.0), (-1.0, 0.5), (0.1, math.nan), (0.1, 7.0)]
)
def test_boosted_trees_without_a_mean_or_share_are_refused(mean: float, shrinkage: float) -> None:
    with pytest.raises(ArithmeticRefusal, match="give a mean return"):
        Boosted(trees="", mean=mean, shrinkage=shrinkage)
