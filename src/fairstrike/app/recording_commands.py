"""The command line of recordings: record, compact, coverage, export. Each command parses, calls, prints."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from fairstrike.app.disk import MIB, RECORDER_LEAVES_GIB
from fairstrike.core.contract import Timeframe
from fairstrike.core.timing import SECOND_NS
from fairstrike.store.raw import Params as Segments

SEGMENT_SECONDS, SEGMENT_MIB = Segments().segment_ns / SECOND_NS, Segments().segment_bytes / MIB

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def record(
    env: Annotated[str | None, typer.Option(help="prod, demo or box; else what the settings or .env say.")] = None,
    box: Annotated[Path | None, typer.Option(help="File with the first line of `fairstrike exchange --json`.")] = None,
    config_file: Annotated[
        Path | None, typer.Option("--config", help="Settings: a .toml, .yaml or .json file.")
    ] = None,
    folder: Annotated[Path, typer.Option(help="Where recordings go.")] = Path("recordings"),
    series: Annotated[list[str] | None, typer.Option(help="A series to record; once for each (all known).")] = None,
    timeframe: Annotated[list[Timeframe] | None, typer.Option(help="A timeframe; once for each (all).")] = None,
    events: Annotated[int, typer.Option(help="Soonest events of a series at a time.")] = 1,
    duration_seconds: Annotated[float, typer.Option(help="How long; 0 until Ctrl-C.")] = 300.0,
    interval_seconds: Annotated[float, typer.Option(help="Between two rows of a market.")] = 0.5,
    segment_seconds: Annotated[
        float, typer.Option(help="Age at which a file is followed by the next.")
    ] = SEGMENT_SECONDS,
    segment_mib: Annotated[float, typer.Option(help="Size, packed, at which it is.")] = SEGMENT_MIB,
    disk_min: Annotated[
        float, typer.Option(metavar="GIB", help="Free disk space, in GiB, that is left.")
    ] = RECORDER_LEAVES_GIB,
    spot: Annotated[bool, typer.Option("--spot/--no-spot", help="Record spot venues too; in the box none.")] = True,
    as_json: Json = False,
) -> None:
    """Record everything the exchange says about some series, byte for byte. Only looks."""
    from fairstrike.app import config, places, recording, recording_printing

    sight = places.sight(env, config_file)
    settings, engine = sight.settings, sight.settings.rooms.engine
    if not spot:
        settings = msgspec.structs.replace(settings, spot=config.Spot(is_on=False))
    asked = recording.Wanted(
        environment=sight.environment,
        box=box,
        folder=folder,
        series=tuple(series or ()) or engine.series or config.SERIES,
        timeframes=tuple(timeframe or engine.timeframes),
        events=events,
        seconds=duration_seconds,
        interval_seconds=interval_seconds,
        segment_seconds=segment_seconds,
        segment_mib=segment_mib,
        disk_min_gib=disk_min,
        settings=settings,
    )
    with recording_printing.recording(asked, is_shown=not as_json) as on_second:
        report = recording.run(asked, on_second)
    if as_json:
        print(msgspec.json.encode(report).decode())
    else:
        recording_printing.recorded(report)


def compact(
    folder: Annotated[Path, typer.Argument(help="A folder of recordings, or one recording.")],
    out: Annotated[Path | None, typer.Option(help="Where the Parquet goes (default: parquet in the folder).")] = None,
    as_json: Json = False,
) -> None:
    """Make Parquet of recordings, by stream, date and series, with checksums."""
    from fairstrike.app import compacting, printing, recording_printing

    with printing.working("checking recordings", is_shown=not as_json):
        prepared = compacting.prepare(folder, out)
    with printing.progress("compacting", prepared.bytes_total, is_shown=not as_json, in_bytes=True) as advance:
        report = compacting.run(prepared, advance)
    if as_json:
        print(msgspec.json.encode(report).decode())
    else:
        recording_printing.compacted(report)


def coverage(
    folder: Annotated[Path, typer.Argument(help="What `fairstrike compact` made, or the recordings beside it.")],
    out: Annotated[Path | None, typer.Option(help="Draw it to this .png, .svg or .html file.")] = None,
    as_json: Json = False,
) -> None:
    """Show what compacted recordings cover: markets by time, gaps, rates, clocks."""
    from fairstrike.app import covering, printing, recording_printing

    with printing.working("reading", is_shown=not as_json):
        covered = covering.cover(folder, out)
        if out is not None:
            covering.draw(covered, out)
    if as_json:
        print(msgspec.json.encode(covered.report).decode())
    else:
        recording_printing.covered(covered)


def export(
    folder: Annotated[Path, typer.Argument(help="A folder of recordings, or one recording.")],
    out: Annotated[Path, typer.Argument(help="A new folder.")],
    to: Annotated[str, typer.Option(help="jsonl, csv or hftbacktest.")] = "jsonl",
    as_json: Json = False,
) -> None:
    """Write recordings for other tools: JSON lines, CSV tables, arrays of hftbacktest."""
    from fairstrike.app import exporting, printing

    with printing.working("checking recordings", is_shown=not as_json):
        recordings = exporting.prepare(to, folder, out)
    total = sum(recording.bytes_total for recording in recordings)
    with printing.progress("exporting", total, is_shown=not as_json, in_bytes=True) as advance:
        report = exporting.run(to, recordings, out, advance)
    if as_json:
        print(msgspec.json.encode(report).decode())
    else:
        print(
            f"{report.folder}: {printing.counted(report.rows, 'row')} in {printing.counted(len(report.files), 'file')}"
        )


COMMANDS = (record, compact, coverage, export)
