"""`fairstrike coverage`: markets by time, gaps, rates and clocks of a folder of Parquet."""

from html import escape
from pathlib import Path

import msgspec

from fairstrike.core.errors import UsageError
from fairstrike.research.coverage import Coverage, Track, coverage, tracks
from fairstrike.store.parquet import MANIFEST, Archive

FOLDER = "parquet"
KINDS = (".png", ".svg", ".html")


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """The figures, and the rows that pictures are drawn from."""

    report: Coverage
    tracks: list[Track]


def cover(folder: Path, out: Path | None) -> Covered:
    """Give what a folder of Parquet covers, or the one that `compact` made in a folder of recordings.

    Raises `RecordingError` when there is none or it was changed, `UsageError` when `out` cannot be drawn to.
    """
    if out is not None and (out.suffix not in KINDS or out.is_dir() or not out.parent.is_dir()):
        raise UsageError(f"{out} cannot be drawn; name a .png, .svg or .html file in a folder that is there")
    place = folder if (folder / MANIFEST).exists() or not (folder / FOLDER).is_dir() else folder / FOLDER
    archive = Archive(place)
    found = tracks(archive)
    return Covered(report=coverage(archive, str(folder), found), tracks=found)


def draw(covered: Covered, out: Path) -> None:
    """Write the picture, or a page that holds it with the figures."""
    # Here, because the figures alone are wanted more often, and drawing takes a second to import.
    from fairstrike.research.coverage_picture import picture

    if out.suffix == ".html":
        out.write_text(_page(covered, picture(covered.report, covered.tracks, "svg").decode()), encoding="utf-8")
    else:
        out.write_bytes(picture(covered.report, covered.tracks, out.suffix[1:]))


def _page(covered: Covered, drawn: str) -> str:
    columns = [field.name for field in msgspec.structs.fields(covered.report.markets[0])] if covered.tracks else []
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    rows = (
        "<tr>" + "".join(f"<td>{escape(str(getattr(market, name)))}</td>" for name in columns) + "</tr>"
        for market in covered.report.markets
    )
    title = f"Coverage of {escape(covered.report.folder)}"
    svg = drawn[drawn.index("<svg") :]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        "<style>body{font:14px sans-serif;margin:2em}svg{max-width:100%;height:auto}"
        "table{border-collapse:collapse}td,th{padding:.1em .6em;text-align:right}</style>"
        f"<h1>{title}</h1>{svg}<table><tr>{head}</tr>{''.join(rows)}</table></html>\n"
    )
