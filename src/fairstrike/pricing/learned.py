"""Learned models as plain data: coefficients in JSON, and LightGBM's text of trees walked by our own few lines.

Nothing is unpickled and nothing but numbers is read: a model is a file that can be looked at, and a file from somebody
else can give wrong numbers at worst. Who trains writes such a file; who predicts needs no library.

    Logistic   P(up) from standardised features, drawn to one half and cut off: 0.5 + 0.3·(p − 0.5), in [0.35, 0.65]
    Boosted    the size of the next return, E|r|, from trees, drawn to its mean by a factor chosen in training
    bracket    the probability of a stretch of returns from both, by the normal law or a law with fat tails
"""

import math
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import NormalDist
from typing import TypeVar

import msgspec

from fairstrike.core.bounds import Amount, Share
from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.pricing.digital import expit, normal_cdf
from fairstrike.pricing.estimators import RETURN_MAX
from fairstrike.pricing.tails import Tails, tail

_STANDARD = NormalDist()
_ZERO = 1e-35
_CATEGORICAL, _DEFAULT_LEFT, _MISSING_SHIFT, _ZERO_MISSING, _NAN_MISSING = 1, 2, 2, 1, 2
_WORD_MAX = 2**32 - 1
_TREE = "\nTree="
_TREES_MAX, _LEAVES_MAX, _WORDS_MAX = 20_000, 100_000, 1_000_000
_INTEGER, _WORD, _DOUBLE = "i", "L", "d"
_Number = TypeVar("_Number", int, float)
_SIZE_MIN = 1e-12


class Damping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far a probability is believed: drawn to one half by `shrinkage`, then cut off at `low` and `high`.

    Raises `ArithmeticRefusal` for numbers outside [0, 1], and when the last two are crossed.
    """

    shrinkage: Share = 0.3
    low: Share = 0.35
    high: Share = 0.65

    def __post_init__(self) -> None:
        """Check the domain."""
        if not (0.0 <= self.shrinkage <= 1.0 and 0.0 <= self.low <= self.high <= 1.0):
            raise ArithmeticRefusal(f"{self}: give a shrinkage and two bounds from 0 to 1, the lower first")

    def __call__(self, p: float) -> float:
        """Give the probability to act on. Raises `ArithmeticRefusal` for one that is none."""
        if not 0.0 <= p <= 1.0:
            raise ArithmeticRefusal(f"p is {p!r}; give a probability")
        return min(max(0.5 + self.shrinkage * (p - 0.5), self.low), self.high)


class Logistic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="logistic"):
    """P(up) = 1 / (1 + e^−(intercept + Σ coefficient · (feature − mean) / scale)), damped.

    Raises `ArithmeticRefusal` when the lists differ in length, a scale is not above 0 or a number is none.
    """

    features: tuple[str, ...]
    coefficients: tuple[float, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    intercept: float
    damping: Damping = Damping()

    def __post_init__(self) -> None:
        """Check the model once."""
        lists = (self.coefficients, self.means, self.scales)
        numbers = (self.intercept, *(number for one in lists for number in one))
        if any(len(one) != len(self.features) for one in lists) or not all(map(math.isfinite, numbers)):
            raise ArithmeticRefusal("a logistic model needs one coefficient, mean and scale, all numbers, a feature")
        if not all(scale > 0.0 for scale in self.scales):
            raise ArithmeticRefusal("a logistic model's scale is not above 0; leave that feature out in training")

    def raw(self, features: Mapping[str, float]) -> float:
        """Give the probability before damping.

        Raises `ArithmeticRefusal` for a feature missing or no number, and where the numbers are too large for a score.
        """
        score = self.intercept
        for name, coefficient, mean, scale in zip(
            self.features, self.coefficients, self.means, self.scales, strict=True
        ):
            value = features.get(name, math.nan)
            if not math.isfinite(value):
                raise ArithmeticRefusal(f"the feature {name!r} is missing or no number; a logistic model needs all")
            score += coefficient * (value - mean) / scale
        if math.isnan(score):
            raise ArithmeticRefusal("the score of a logistic model is no number; its coefficients are too large")
        return expit(score)

    def predict(self, features: Mapping[str, float]) -> float:
        """Give the probability to act on. Raises as `raw`."""
        return self.damping(self.raw(features))


class Boosted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="boosted"):
    """E|r| of the next period from LightGBM's text `trees`, drawn to `mean` by `shrinkage`, never below 0.

    `shrinkage` 1 is the trees alone, 0 the mean alone. Raises `ArithmeticRefusal` for a mean outside [0, 1000] or a
    shrinkage outside [0, 1].
    """

    trees: str
    mean: Amount
    shrinkage: Share

    def __post_init__(self) -> None:
        """Check the domain."""
        if not (0.0 <= self.mean <= RETURN_MAX and 0.0 <= self.shrinkage <= 1.0):
            raise ArithmeticRefusal(
                f"mean {self.mean!r}, shrinkage {self.shrinkage!r}: give a mean return up to {RETURN_MAX:g} and a share"
            )

    def forest(self) -> "Forest":
        """Give the trees ready to walk; keep it. Raises `ArithmeticRefusal` as `forest_of`."""
        return forest_of(self.trees)

    def predict(self, forest: "Forest", features: Mapping[str, float]) -> float:
        """Give the expected size of the next return. A missing feature is one the trees know how to do without."""
        raw = forest.predict([features.get(name, math.nan) for name in forest.features])
        return max(self.mean + self.shrinkage * (raw - self.mean), 0.0)


Model = Logistic | Boosted


def model_of(text: bytes) -> Model:
    """Give the model of a JSON object with its `type`, "logistic" or "boosted".

    Raises `ArithmeticRefusal` for anything else: train it anew with this version.
    """
    if text.startswith(b"tree"):
        raise ArithmeticRefusal('this is the bare text of LightGBM; put it as "trees" into a "boosted" model')
    try:
        model: Model = msgspec.json.decode(text, type=Model)
    except RecursionError:
        raise ArithmeticRefusal("this is no model (it is nested deeper than any); train it anew") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ArithmeticRefusal(f"this is no model ({error}); train it anew with this version") from error
    return model


def bracket(p_up: float, size: float, low: float | None, high: float | None, tails: Tails | None = None) -> float:
    """Give the probability that the next return lies above `low` and at most at `high` (None: open).

    The law has mean |r| `size` around its middle, which lies so that it is above zero with probability `p_up`. `tails`
    None is the normal law. Raises `ArithmeticRefusal` for `p_up` outside (0, 1), a size outside [1e-12, 1000], and
    bounds that are crossed or no numbers.
    """
    if not (0.0 < p_up < 1.0 and _SIZE_MIN <= size <= RETURN_MAX):
        raise ArithmeticRefusal(f"p_up {p_up!r}, size {size!r}: give a probability inside (0, 1) and a size above 0")
    if any(bound is not None and math.isnan(bound) for bound in (low, high)):
        raise ArithmeticRefusal(f"bounds {low!r} and {high!r}: give numbers, or None for an open end")
    if low is not None and high is not None and not low <= high:
        raise ArithmeticRefusal(f"bounds {low!r} and {high!r} are crossed; give the lower first")
    sd = size * math.sqrt(0.5 * math.pi)
    middle = sd * _quantile(p_up, tails)

    def above(bound: float | None, otherwise: float) -> float:
        return otherwise if bound is None else _above((bound - middle) / sd, tails)

    return max(above(low, 1.0) - above(high, 0.0), 0.0)


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """One tree in LightGBM's own arrays, packed numbers; a child below 0 is the leaf −child − 1."""

    features: "array[int]"
    thresholds: "array[float]"
    decisions: "array[int]"
    lefts: "array[int]"
    rights: "array[int]"
    leaves: "array[float]"
    category_bounds: "array[int]"
    categories: "array[int]"

    def value(self, row: Sequence[float]) -> float:
        """Give the leaf's value that a row of features comes to."""
        node = 0 if self.features else -1
        while node >= 0:
            node = self.lefts[node] if self._goes_left(node, row[self.features[node]]) else self.rights[node]
        return self.leaves[-node - 1]

    def _goes_left(self, node: int, value: float) -> bool:
        decision = self.decisions[node]
        if decision & _CATEGORICAL:
            return self._has_category(int(self.thresholds[node]), value)
        missing = decision >> _MISSING_SHIFT & 3
        if math.isnan(value):
            if missing == _NAN_MISSING:
                return bool(decision & _DEFAULT_LEFT)
            value = 0.0
        if missing == _ZERO_MISSING and abs(value) <= _ZERO:
            return bool(decision & _DEFAULT_LEFT)
        return value <= self.thresholds[node]

    def _has_category(self, number: int, value: float) -> bool:
        # A category is cut off to a whole number before it is looked up, so one just below 0 is 0.
        if not -1.0 < value < math.inf:
            return False
        word, bit = divmod(int(value), 32)
        first, after = self.category_bounds[number : number + 2]
        return first + word < after and bool(self.categories[first + word] >> bit & 1)


class Forest(msgspec.Struct, frozen=True, kw_only=True):
    """All trees of a model. `sigmoid` above 0 makes a probability of their sum."""

    features: tuple[str, ...]
    trees: tuple[Tree, ...]
    sigmoid: float = 0.0
    is_mean: bool = False

    def predict(self, row: Sequence[float]) -> float:
        """Give the prediction for features in the order of `features`; NaN is missing.

        Raises `ArithmeticRefusal` for another number of them, and when the leaves are too large to be added up.
        """
        if len(row) != len(self.features):
            raise ArithmeticRefusal(f"{len(row)} features for a model of {len(self.features)}; give those it names")
        total = 0.0
        for tree in self.trees:
            total += tree.value(row)
        if not math.isfinite(total):
            raise ArithmeticRefusal("the leaves of the trees add up to no number; train the model anew")
        if self.is_mean and self.trees:
            total /= len(self.trees)
        return expit(self.sigmoid * total) if self.sigmoid else total


def forest_of(text: str) -> Forest:
    """Give the trees of LightGBM's text form (`Booster.save_model`), version 4: one output, no linear leaves.

    Objectives regression (any that predicts its sum) and binary. Raises `ArithmeticRefusal` for others and for text
    that is not whole: train the model anew, or save it again.
    """
    end = text.find("end of trees")
    count = text.count(_TREE, 0, max(end, 0))
    head = text[: text.find(_TREE, 0, end) if count else max(end, 0)]
    values = _pairs(head)
    if end < 0 or not head.startswith("tree") or count > _TREES_MAX:
        raise ArithmeticRefusal("this is no whole text of LightGBM's trees; save the model again")
    if values.get("num_tree_per_iteration") != "1":
        raise ArithmeticRefusal("the model has several outputs; train one for one number")
    objective = values.get("objective", "")
    names = tuple(values.get("feature_names", "").split())
    sigmoid = 0.0
    if objective.startswith("binary"):
        sigmoid = _sigmoid(dict(part.partition(":")[::2] for part in objective.split()[1:]).get("sigmoid", "1"))
    elif objective.split()[:1] not in ([], ["regression"], ["regression_l1"], ["huber"], ["fair"], ["quantile"]):
        raise ArithmeticRefusal(f"the objective {objective[:40]!r} is not known here; train for regression or binary")
    if "sqrt" in objective:
        raise ArithmeticRefusal("the model predicts a root; train it with reg_sqrt off")
    blocks = enumerate(_blocks(text, len(head), end))
    trees = tuple(_tree(block, number, len(names)) for number, block in blocks)
    return Forest(features=names, trees=trees, sigmoid=sigmoid, is_mean="average_output" in head.split("\n"))


def _sigmoid(text: str) -> float:
    try:
        sigmoid = float(text)
    except ValueError:
        sigmoid = math.nan
    if not 0.0 < sigmoid < math.inf:
        raise ArithmeticRefusal(f"the model's sigmoid is {text[:40]!r}, no number above 0; save the model again")
    return sigmoid


def _blocks(text: str, start: int, end: int) -> Iterator[str]:
    """Give the text of each tree, one at a time; the first begins at `start`."""
    while start < end:
        after = text.find(_TREE, start + 1, end)
        after = end if after < 0 else after
        yield text[start + len(_TREE) : after]
        start = after


def _pairs(block: str) -> dict[str, str]:
    return dict(line.partition("=")[::2] for line in block.split("\n") if "=" in line)


def _tree(block: str, number: int, features: int) -> Tree:
    values = _pairs(block)
    try:
        tree: Tree | None = Tree(
            features=_packed(_INTEGER, int, values.get("split_feature", "")),
            thresholds=_packed(_DOUBLE, float, values.get("threshold", "")),
            decisions=_packed(_INTEGER, int, values.get("decision_type", "")),
            lefts=_packed(_INTEGER, int, values.get("left_child", "")),
            rights=_packed(_INTEGER, int, values.get("right_child", "")),
            leaves=_packed(_DOUBLE, float, values["leaf_value"]),
            category_bounds=_packed(_INTEGER, int, values.get("cat_boundaries", "")),
            categories=_packed(_WORD, int, values.get("cat_threshold", ""), _WORDS_MAX),
        )
    except (KeyError, ValueError) as error:
        raise ArithmeticRefusal(f"tree {number} cannot be read ({error}); save the model again") from error
    except OverflowError:
        tree = None
    if values.get("is_linear", "0") != "0":
        raise ArithmeticRefusal(f"tree {number} has linear leaves; train without linear_tree")
    if tree is None or not _is_sound(tree, features):
        raise ArithmeticRefusal(f"tree {number} does not hold together; save the model again")
    return tree


def _packed(kind: str, read: Callable[[str], _Number], text: str, most: int = _LEAVES_MAX) -> "array[_Number]":
    """Give the numbers of a line, at most so many. Raises `OverflowError` for more, and for one that is too large."""
    words = text.split(None, most)
    if len(words) > most:
        raise OverflowError
    return array(kind, map(read, words))


def _is_sound(tree: Tree, features: int) -> bool:
    """Whether every path ends in a leaf: a child comes after its parent, and every number is one."""
    nodes, leaves = len(tree.features), len(tree.leaves)
    lists = (tree.thresholds, tree.decisions, tree.lefts, tree.rights)
    if leaves != nodes + 1 or any(len(one) != nodes for one in lists):
        return False
    bounds, words = tree.category_bounds, len(tree.categories)
    return (
        all(_are_within(children, -leaves, nodes) and _come_after(children) for children in (tree.lefts, tree.rights))
        and _are_within(tree.features, 0, features)
        and all(map(math.isfinite, tree.leaves))
        and not any(map(math.isnan, tree.thresholds))
        and all(low <= high for low, high in pairwise(bounds))
        and _are_within(bounds, 0, words + 1)
        and _are_within(tree.categories, 0, _WORD_MAX + 1)
        and _names_its_categories(tree)
    )


def _names_its_categories(tree: Tree) -> bool:
    """Whether the threshold of every split by category is the number of a set."""
    if not any(decision & _CATEGORICAL for decision in set(tree.decisions)):
        return True
    sets = len(tree.category_bounds) - 1
    return all(
        0 <= threshold < sets
        for threshold, decision in zip(tree.thresholds, tree.decisions, strict=True)
        if decision & _CATEGORICAL
    )


def _are_within(numbers: "array[int]", least: int, after: int) -> bool:
    return not numbers or (min(numbers) >= least and max(numbers) < after)


def _come_after(children: "array[int]") -> bool:
    return all(child > node or child < 0 for node, child in enumerate(children))


def _above(z: float, tails: Tails | None) -> float:
    return normal_cdf(-z) if tails is None else tail(z, tails)


def _quantile(p: float, tails: Tails | None) -> float:
    """Give z with P(X > −z) = p: closed for the normal law, by halving for others."""
    if tails is None:
        return _STANDARD.inv_cdf(p)
    low, high = -1e6, 1e6
    while high - low > 1e-12 * max(1.0, abs(low)):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        low, high = (middle, high) if tail(-middle, tails) < p else (low, middle)
    return 0.5 * (low + high)
