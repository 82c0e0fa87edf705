"""A run folder's results are exchanged whole: a replay that fails or is killed leaves what was there."""

import time
from pathlib import Path

import pytest

from fairstrike.app import folders
from fairstrike.core.errors import LockedError, UsageError


def written(folder: Path, text: str) -> None:
    with folders.replay_results(folder) as place:
        (place / folders.JOURNAL).mkdir()
        (place / folders.PAGE).write_text(text)


def found(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_journal_and_page_come_together(tmp_path: Path) -> None:
    written(tmp_path, "first")
    written(tmp_path, "second")
    assert found(tmp_path) == ["journal", "replaying.lock", "report.html"]
    assert (tmp_path / folders.PAGE).read_text() == "second"


def test_a_replay_that_fails_at_its_page_leaves_the_old_pair(tmp_path: Path) -> None:
    written(tmp_path, "first")
    before = (tmp_path / folders.JOURNAL).stat().st_ino
    with pytest.raises(KeyboardInterrupt), folders.replay_results(tmp_path) as place:  # noqa: PT012 the block is what fails
        (place / folders.JOURNAL).mkdir()
        raise KeyboardInterrupt
    assert found(tmp_path) == ["journal", "replaying.lock", "report.html"]
    assert (tmp_path / folders.JOURNAL).stat().st_ino == before


def test_an_exchange_that_is_interrupted_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "first")
    before = (tmp_path / folders.JOURNAL).stat().st_ino
    replace = Path.replace

    def interrupted(self: Path, target: Path) -> Path:
        if self.name == folders.PAGE and self.parent.name == "made":
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        written(tmp_path, "second")
    assert (tmp_path / folders.PAGE).read_text() == "first"
    assert (tmp_path / folders.JOURNAL).stat().st_ino == before


def test_what_a_killed_replay_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    for name in ("replaying-abcd_123", "replaying-notes"):
        (tmp_path / name / "made").mkdir(parents=True)
    written(tmp_path, "first")
    assert found(tmp_path) == ["journal", "replaying-notes", "replaying.lock", "report.html"]


def test_two_replays_do_not_share_a_folder(tmp_path: Path) -> None:
    with folders.replay_results(tmp_path) as place:
        with pytest.raises(LockedError, match="another replay is writing to"):
            written(tmp_path, "second")
        assert place.is_dir()


def test_a_folder_in_the_place_of_the_page_is_refused(tmp_path: Path) -> None:
    (tmp_path / folders.PAGE).mkdir()
    with pytest.raises(UsageError, match="where the page would go"):
        written(tmp_path, "first")


def test_runs_that_begin_in_one_second_have_a_folder_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    second = time.gmtime(0)
    monkeypatch.setattr(time, "gmtime", lambda: second)
    made = [folders.fresh("observe") for _ in range(3)]
    assert [str(place) for place in made] == [f"runs/observe-19700101T000000Z{ending}" for ending in ("", "-2", "-3")]
    assert all(place.is_dir() for place in made)
    assert folders.fresh("trade") == Path("runs/trade-19700101T000000Z")
