"""The errors of our estimates that docs/evidence/recordings.md states, computed again from the recordings."""

from pathlib import Path

from fairstrike.core.contract import Window
from fairstrike.research.estimators import ESTIMATORS, Error, errors
from tests.conftest import REPOSITORY


def row(name: str, before: Error, up_to: Error) -> str:
    figures = [f"{one.mean:+.2f} | {one.sd:.2f} | {one.rms:.2f}" for one in (before, up_to)]
    return f"| {name} | {before.count} | {' | '.join(figures)} |".replace("-", "−")


def test_the_page_states_what_the_recordings_say(shared_data: Path) -> None:
    found = {(one.name, one.window): one for one in errors(shared_data / "btc15m")}
    page = (REPOSITORY / "docs" / "evidence" / "recordings.md").read_text("utf-8")
    for name in ESTIMATORS:
        assert row(name, found[name, Window.BEFORE_CLOSE], found[name, Window.UP_TO_CLOSE]) in page
