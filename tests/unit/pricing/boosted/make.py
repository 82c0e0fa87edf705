"""Makes the models beside it anew: run it with a Python that has lightgbm (4.7.0 made these) and numpy.

Each `NAME.txt` is LightGBM's text, `NAME.json` the rows and what LightGBM itself predicts for them; null is missing.
"""

import json
from pathlib import Path

import lightgbm as lgb  # type: ignore[import-not-found]
import numpy as np

HERE = Path(__file__).parent
PLAIN: dict[str, object] = {
    "num_leaves": 8,
    "min_data_in_leaf": 5,
    "min_data_per_group": 2,
    "cat_smooth": 1.0,
    "cat_l2": 0.1,
    "verbose": -1,
    "seed": 3,
    "deterministic": True,
    "num_threads": 1,
}
KINDS: dict[str, dict[str, object]] = {
    "regression": {"objective": "regression"},
    "binary": {"objective": "binary", "sigmoid": 1.5},
    "zeros": {"objective": "regression", "zero_as_missing": True},
    "forest": {"objective": "regression", "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.7},
    "absolute": {"objective": "regression_l1"},
}


def main() -> None:
    """Train each kind on made-up returns with a categorical hour, missing values and zeros."""
    rng = np.random.default_rng(11)
    rows = rng.normal(size=(600, 4))
    rows[:, 3] = rng.integers(0, 70, size=600)
    rows[rng.random((600, 4)) < 0.1] = np.nan
    rows[rng.random((600, 4)) < 0.1] = 0.0
    known = np.nan_to_num(rows)
    size = np.abs(
        0.2 * known[:, 0] + 0.1 * known[:, 1] ** 2 + 0.3 * (known[:, 3] % 3 == 0) + 0.05 * rng.normal(size=600)
    )
    for name, options in KINDS.items():
        label = (size > np.median(size)).astype(float) if name == "binary" else size
        data = lgb.Dataset(
            rows[:500], label[:500], feature_name=["move", "vol", "flow", "hour"], categorical_feature=[3]
        )
        booster = lgb.train({**PLAIN, **options}, data, num_boost_round=8)
        booster.save_model(str(HERE / f"{name}.txt"))
        asked = rows[500:570]
        told = {
            "rows": [[None if np.isnan(value) else float(value) for value in row] for row in asked],
            "predicted": [float(value) for value in booster.predict(asked)],
        }
        (HERE / f"{name}.json").write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
