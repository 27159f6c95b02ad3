"""Pictures of voyages, the report page and a run's summary as a notebook shows them, and as files.

Takes a finished run; gives records that Jupyter and its like draw by themselves, offline, and that can be saved. What
came from radios is escaped; a page runs in a frame that shares nothing with the notebook.
"""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Final

from detectors.explain import Case, Cases
from detectors.report.coast import packaged_coast
from detectors.report.drawer import Drawer
from detectors.report.page import report_page
from detectors.report.picture import case_picture
from detectors.report.raster import png_of
from detectors.report.whole_file import write_whole
from detectors.run_folder import LoadedRun
from detectors.shown import shown
from vessels.ais import mmsi_text
from vessels.errors import UsageError

SHOWN: Final = 10
"""Flagged voyages in the summary of a run: what is read at a glance."""
PAGE_HEIGHT_PX: Final = 720
FORMATS: Final = (".png", ".svg")
PAGE_ENDINGS: Final = (".html", ".htm")


@dataclass(frozen=True)
class Picture:
    """A picture of one voyage, as SVG; `title` says whose. A notebook shows it."""

    svg: str
    title: str

    def png(self, scale: float = 2.0) -> bytes:
        """The picture as PNG, `scale` pixels to a unit of the drawing."""
        return png_of(self.svg, scale)

    def save(self, path: Path | str) -> None:
        """Write the picture, whole or not at all, as its name's ending says: .png or .svg. Raises UsageError."""
        ending = check_picture_name(path)
        write_whole(path, self.png() if ending == ".png" else self.svg.encode())

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        # As an image, so that the picture's styles stay its own wherever the notebook is opened.
        data = b64encode(self.svg.encode()).decode()
        alt = escape(f"Map and time line of {self.title}")
        return f'<img src="data:image/svg+xml;base64,{data}" alt="{alt}" style="max-width:100%">'

    def __repr__(self) -> str:
        return f"<Picture of {self.title}>"


@dataclass(frozen=True)
class Report:
    """The report page of a run, as HTML. A notebook shows it in a frame of its own."""

    html: str

    def save(self, path: Path | str) -> None:
        """Write the page, whole or not at all; the name ends in .html. Raises UsageError."""
        if Path(path).suffix.lower() not in PAGE_ENDINGS:
            raise UsageError(f"{path}: the page is HTML; give a name that ends in .html")
        write_whole(path, self.html.encode())

    def _repr_html_(self) -> str:
        # Scripts of the page may run, but in an origin that is nobody's: no cookie, token or cell is within reach.
        return (
            f'<iframe srcdoc="{escape(self.html)}" sandbox="allow-scripts" title="wakewatch report" '
            f'style="width:100%;height:{PAGE_HEIGHT_PX}px;border:1px solid #888"></iframe>'
        )

    def __repr__(self) -> str:
        return f"<Report of {len(self.html):,} characters>"


class Desk:
    """What people look at of one run; what it is made from is looked up once."""

    def __init__(self, run: LoadedRun) -> None:
        self._run = run

    def case(self, voyage_id: str) -> Case:
        """The case for a voyage, by its id or the beginning of it. Raises UsageError for one that is none."""
        return self._cases.case(self._cases.find(voyage_id))

    def picture(self, voyage_id: str) -> Picture:
        """The picture of a voyage, by its id or the beginning of it. Raises UsageError for one that is none."""
        case = self.case(voyage_id)
        drawn = self._drawer.drawn(case)
        return Picture(case_picture(case, self._drawer, packaged_coast(), version("wakewatch")), drawn.title)

    def page(self) -> Report:
        """The report page."""
        return Report(report_page(self._run).html)

    def summary(self) -> str:
        """How much was read and found, and the first flagged voyages by rank, as HTML without any script."""
        run, flagged = self._run.run, self._run.tables["flagged_voyages"]
        counts = (
            f"{_counted(run['n_rows'], 'row')}, {_counted(run['n_vessels'], 'vessel')}, "
            f"{_counted(run['n_voyages'], 'voyage')}; {_counted(run['n_findings'], 'finding')}, "
            f"{_counted(flagged.num_rows, 'voyage')} flagged; as of {run['as_of']}"
        )
        if not flagged.num_rows:
            return f"<p>{escape(counts)}</p>"
        rows = flagged.sort_by("rank").drop_columns(["geometry"]).slice(0, SHOWN).to_pylist()
        cells = [
            (
                str(row["rank"]),
                row["band"],
                f"{row['score']:.2f}",
                row["name"] or "no name",
                row["flag_state"] or "",
                mmsi_text(row["mmsi"]),
                row["headline"] or "",
                row["voyage_id"],
            )
            for row in rows
        ]
        header = ("rank", "band", "score", "name", "flag", "MMSI", "headline", "voyage_id")
        more = flagged.num_rows - len(rows)
        after = f"<p>and {more:,} more in <code>.flagged</code></p>" if more else ""
        return f"<p>{escape(counts)}</p>{_table(header, cells)}{after}"

    @cached_property
    def _cases(self) -> Cases:
        return Cases(self._run)

    @cached_property
    def _drawer(self) -> Drawer:
        return Drawer(self._run)


def check_picture_name(path: Path | str) -> str:
    """The ending of a picture's file name, in small letters. Raises UsageError for one that stands for no format."""
    ending = Path(path).suffix.lower()
    if ending not in FORMATS:
        raise UsageError(f"{path}: a picture is PNG or SVG; give a name that ends in .png or .svg")
    return ending


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(f"<tr>{''.join(f'<td>{escape(shown(cell))}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}" + ("" if n == 1 else "s")
