"""Files of learned models: what they are told to be, and one sentence for each that is none."""

import hashlib
import os
from pathlib import Path

import msgspec
import pytest

from fairstrike.app.modelling import BYTES_MAX, line, load, told
from fairstrike.core.errors import UsageError
from fairstrike.pricing.learned import Boosted, Damping, Logistic

TREES = (Path(__file__).parents[1] / "pricing/boosted/regression.txt").read_text("utf-8")
LOGISTIC = Logistic(
    features=("move", "flow"), coefficients=(0.8, -0.5), means=(0.1, 0.0), scales=(2.0, 1.0), intercept=0.05
)
BOOSTED = Boosted(trees=TREES, mean=0.002, shrinkage=0.4)


def written(folder: Path, data: bytes) -> Path:
    path = folder / "model.json"
    path.write_bytes(data)
    return path


def test_a_logistic_model_is_told(tmp_path: Path) -> None:
    data = msgspec.json.encode(LOGISTIC)
    path = written(tmp_path, data)
    loaded = load(path)
    assert (loaded.model, loaded.forest) == (LOGISTIC, None)
    digest = hashlib.sha256(data).hexdigest()
    assert line(path, told(loaded)) == (
        "model.json: logistic; from move, flow: P(up), 0.3 of its distance to one half, in [0.35, 0.65]; "
        f"SHA-256 {digest[:12]}…"
    )


def test_boosted_trees_are_told_and_ready(tmp_path: Path) -> None:
    path = written(tmp_path, msgspec.json.encode(BOOSTED))
    loaded = load(path)
    assert loaded.forest is not None
    assert BOOSTED.predict(loaded.forest, {"move": 0.4}) >= 0.0
    assert "boosted, 8 trees; from move, vol, flow, hour: E|r|, 0.4 of its distance to 0.002" in line(
        path, told(loaded)
    )


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "this is no model"),
        (b"\x80\x04\x95", "this is no model"),
        (b"{}", "this is no model"),
        (b"tree\nversion=v4\n", "this is the bare text of LightGBM"),
        (b'{"type":"logistic","x":' + b"[" * 100_000, "this is no model"),
        (msgspec.json.encode(LOGISTIC).replace(b"0.8", b"1e999"), "this is no model"),
        (msgspec.json.encode(LOGISTIC).replace(b"2.0", b"0.0"), "scale is not above 0"),
        (msgspec.json.encode(msgspec.structs.replace(BOOSTED, trees=TREES[:5_000])), "no whole text"),
        (msgspec.json.encode(msgspec.structs.replace(BOOSTED, trees="")), "no whole text"),
    ],
)
def test_what_is_no_model_is_one_sentence(tmp_path: Path, data: bytes, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as refused:
        load(written(tmp_path, data))
    told = str(refused.value)
    assert told.startswith("model.json: ")
    assert "\n" not in told


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.json"):
        with pytest.raises(UsageError, match="cannot be read"):
            load(path)
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(BYTES_MAX + 1)
    with pytest.raises(UsageError, match="name another file"):
        load(large)


def test_what_has_no_end_is_not_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        with pytest.raises(UsageError, match="no plain file"):
            load(path)


def test_what_a_file_says_stays_one_short_line_without_commands_for_a_terminal(tmp_path: Path) -> None:
    path = written(
        tmp_path, msgspec.json.encode(msgspec.structs.replace(LOGISTIC, features=("\x1b[31m\n", "x" * 9_999)))
    )
    text = line(path, told(load(path)))
    assert text.isprintable()
    assert len(text) < 300
    key = msgspec.json.encode(LOGISTIC).replace(b'"intercept"', b'"' + b"\\u001b" + b"k" * 9_999 + b'"')
    with pytest.raises(UsageError, match="this is no model") as refused:
        load(written(tmp_path, key))
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 400


def test_damping_of_a_file_must_make_sense(tmp_path: Path) -> None:
    data = msgspec.json.encode(LOGISTIC).replace(b'"low":0.35', b'"low":0.75')
    assert b"0.75" in data
    with pytest.raises(UsageError, match="the lower first"):
        load(written(tmp_path, data))
    assert Damping().low == 0.35
