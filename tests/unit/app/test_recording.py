"""What cannot be recorded is refused in one sentence before anything is made."""

from pathlib import Path

import msgspec
import pytest

from fairstrike.app import config
from fairstrike.app.recording import Wanted, run
from fairstrike.core.errors import FairstrikeError
from fairstrike.venue.spot.roster import Params as Hosts
from tests.commands import write_line


def refused(place: Path, **changes: object) -> tuple[int, str]:
    asked = Wanted(
        environment="box",
        box=write_line(place),
        folder=place / "recordings",
        series=config.SERIES,
        events=1,
        seconds=1.0,
        interval_seconds=0.5,
        segment_seconds=60.0,
        segment_mib=1.0,
        disk_min_gib=0.0,
    )
    with pytest.raises(FairstrikeError) as told:
        run(msgspec.structs.replace(asked, **changes), lambda second: None)
    assert "\n" not in str(told.value)
    return told.value.exit_code, str(told.value)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"seconds": -1.0}, "--duration-seconds -1 is not a time; give seconds, or 0 to record until stopped"),
        ({"seconds": float("nan")}, "--duration-seconds nan is not a time; give seconds, or 0 to record until stopped"),
        ({"interval_seconds": 0.0}, "--interval-seconds 0 is not between 0.01 and 3600; correct it"),
        ({"events": 0}, "--events 0 is not between 1 and 100; correct it"),
        ({"disk_min_gib": float("nan")}, "--disk-min nan is no size; give the GiB that are to stay free"),
        ({"segment_seconds": 0.5}, "--segment-seconds 0.5 is no time of at least a second; correct it"),
        ({"segment_mib": 0.0}, "--segment-mib 0 is not between 0 and 65,536; correct it"),
    ],
)
def test_bad_choices(tmp_path: Path, changes: dict[str, object], sentence: str) -> None:
    assert refused(tmp_path, **changes) == (2, sentence)
    assert not (tmp_path / "recordings").exists()


def test_a_folder_that_is_a_file_and_an_unknown_series(tmp_path: Path) -> None:
    file = tmp_path / "line.json"
    assert refused(tmp_path, folder=file) == (2, f"{file} is a file; name a folder with --folder")
    code, sentence = refused(tmp_path, series=("KXBTCUD",))
    assert code == 2
    assert sentence.startswith("there is no series 'KXBTCUD'; known are KXBTC, KXBTCD, ")


def test_a_spot_host_that_cannot_be_meant(tmp_path: Path) -> None:
    spot = config.Spot(hosts=Hosts(kraken="ws://ws.kraken.com"))
    code, sentence = refused(tmp_path, settings=config.Settings(spot=spot))
    assert (code, not (tmp_path / "recordings").exists()) == (2, True)
    assert sentence == "spot.hosts: 'ws://ws.kraken.com' is no host that may be listened to; give ws://127.0.0.1:PORT"


def test_an_exchange_that_is_gone(tmp_path: Path) -> None:
    code, sentence = refused(tmp_path)
    assert code == 3
    assert sentence.startswith("no market could be read: http://127.0.0.1:9 gave no answer (")


def test_a_disk_that_is_low(tmp_path: Path) -> None:
    code, sentence = refused(tmp_path, disk_min_gib=1e9)
    assert code == 10
    assert sentence.startswith(f"recording ended: the disk of {tmp_path / 'recordings'} has ")
