"""The report page: one HTML file that holds all an analyst needs, and asks nothing of any network.

Takes a finished run; gives the page, and what of it could not be drawn. Its Content-Security-Policy lets nothing run
or load but the page's own style sheet and script, named by their digests. Every text goes through `detectors.shown` and
is escaped, whoever wrote the template: `_finalized` and autoescape see to it.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from detectors.case_rows import CLOSING
from detectors.explain import Cases, RowsBy
from detectors.report.coast import SharedCoast, packaged_coast
from detectors.report.drawer import Drawer
from detectors.report.drawn import Drawn
from detectors.report.map_picture import map_picture
from detectors.report.meanings import BANDS, CANNOT_SEE, SCORE, meaning_of
from detectors.report.numbers import counted, night_of
from detectors.report.palette import page_variables
from detectors.report.rows import Listing, TableRow, listing_of
from detectors.report.sections import NO_PICTURE, Neighbours, View, as_told, with_case
from detectors.report.timeline_picture import timeline_picture
from detectors.run_folder import LoadedRun
from detectors.shown import shown

T = TypeVar("T")

LONGEST: Final = 2000
"""Characters of one text that the page shows: more than any headline has, and an end to what a radio can fill."""
SHEETS: Final = ("map.css", "timeline.css", "page.css")
SCRIPTS: Final = ("map.js", "page.js")
CASES: Final = 500
"""Flagged voyages with a case on the page, the first by rank: what 15 MB hold. All are in the table."""
PICTURED_BYTES: Final = 14_100_000
"""Cases beyond these have words and numbers only, so that a page of cases richer than usual stays near 15 MB."""
_BLANK: Final = re.compile(r"\n{2,}")
KNOWN_BANDS: Final = frozenset(band.band for band in BANDS)


@dataclass(frozen=True)
class Page:
    """A page, and what could not be drawn of it: a line each, with the voyage and the reason."""

    html: str
    failures: tuple[str, ...] = ()


def report_page(run: LoadedRun) -> Page:
    """The page of a run: the night, the flagged voyages, a case for each.

    A case or a picture that fails is left out, said in its place and at the top, and given back in `failures`.
    """
    environment = _environment()
    listing = listing_of(run)
    coast = SharedCoast(packaged_coast())
    failures: list[str] = []
    case_template = environment.get_template("case.html.j2")
    desk = _Desk(run, listing, coast, failures)
    cases: list[Markup] = []
    for view in desk.views():
        text = _BLANK.sub("\n", case_template.render(view=view, closing=CLOSING))
        cases.append(Markup(text))  # noqa: S704 - rendered with autoescape
        desk.n_bytes += len(text.encode())
    by_band = [(choice.words, choice.n_rows) for choice in listing.bands]
    night = night_of(run.run, by_band)
    heading = f"{counted(len(listing.rows), 'voyage')} to look at" if listing.rows else "No voyage to look at"
    parts = {
        "night_part": ("night.html.j2", {"night": night, "heading": heading, "undrawn": failures}),
        "list_part": (
            "list.html.j2",
            {"listing": listing, "n_cases": CASES, "none_words": _none_words(night.min_score)},
        ),
        "legend_part": ("legend.html.j2", _legend(run, listing)),
    }
    style = page_variables() + "\n" + _static(SHEETS)
    script = '"use strict";\n' + _static(SCRIPTS)
    plain_style = _static(("noscript.css",))
    html = environment.get_template("page.html.j2").render(
        title=f"wakewatch: {heading}, as of {night.as_of}",
        policy=policy_of((style, plain_style), script),
        style=Markup(style),  # noqa: S704 - our own files
        plain_style=Markup(plain_style),  # noqa: S704 - our own files
        script=Markup(script),  # noqa: S704 - our own files
        sheets=Markup(coast.sheets()),  # noqa: S704 - drawn from the packaged coast
        night=night,
        cases=Markup("").join(cases),
        **{
            name: Markup(environment.get_template(file).render(values))  # noqa: S704 - rendered with autoescape
            for name, (file, values) in parts.items()
        },
    )
    return Page(html, tuple(failures))


def policy_of(styles: Iterable[str], script: str) -> Markup:
    """The Content-Security-Policy of a page with these style sheets and this script (CSP level 3, 2.3.1)."""
    rules = "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_digest(script)}'",
            "style-src " + " ".join(f"'{_digest(style)}'" for style in styles),
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return Markup(rules)  # noqa: S704 - digests and our own words


class _Desk:
    """Makes the views of a run's cases one after the other; what fails is written down and left out."""

    def __init__(self, run: LoadedRun, listing: Listing, coast: SharedCoast, failures: list[str]) -> None:
        self._rows = listing.rows[:CASES]
        self._cases = Cases(run)
        self._told = RowsBy(run.tables["flagged_voyages"].drop_columns(["geometry"]), "voyage_id")
        self._drawer = Drawer(run)
        self._neighbours = Neighbours(self._rows)
        self._coast = coast
        self._failures = failures
        self.n_bytes = 0

    def views(self) -> Iterator[View]:
        """A view a flagged voyage, by rank."""
        return map(self._view, self._rows)

    def _view(self, row: TableRow) -> View:
        begun = self._neighbours.begun(row)
        troubles: list[str] = []
        view, drawn = self._tried("case", row, troubles, lambda: self._looked_up(begun)) or (begun, None)
        if drawn is not None and self.n_bytes > PICTURED_BYTES:
            view = replace(view, is_left_undrawn=True)
        elif drawn is not None:
            chart = self._tried("map", row, troubles, lambda: self._map(row, drawn))
            time = self._tried("time line", row, troubles, lambda: self._time(row, drawn))
            view = replace(view, map=chart or NO_PICTURE, time=time or NO_PICTURE)
        self._failures += troubles
        return replace(view, troubles=tuple(troubles))

    def _tried(self, what: str, row: TableRow, troubles: list[str], make: Callable[[], T]) -> T | None:
        """What is made, or None: one case that fails must not cost the page, but is told."""
        try:
            return make()
        except Exception as error:
            troubles.append(f"the {what} of {row.voyage_id} could not be drawn ({_reason(error)})")
            return None

    def _map(self, row: TableRow, drawn: Drawn) -> Markup:
        anchor = f"{row.voyage_id}-f"
        made = map_picture(drawn, self._drawer.fences, self._coast, ident=f"m{row.rank}", can_move=True, anchor=anchor)
        return Markup(made)  # noqa: S704 - escaped by its maker

    def _time(self, row: TableRow, drawn: Drawn) -> Markup:
        if not (drawn.tracks or drawn.bars):
            return NO_PICTURE
        return Markup(timeline_picture(drawn, ident=f"t{row.rank}"))  # noqa: S704 - as above

    def _looked_up(self, view: View) -> tuple[View, Drawn]:
        """The view with its case, and what is drawn of it."""
        if not self._cases.holds(view.voyage_id):
            told = self._told.of(view.voyage_id)[0]
            return as_told(view, told), self._drawer.as_told(told)
        case = self._cases.case(view.voyage_id)
        return with_case(view, case, self._neighbours), self._drawer.drawn(case)


def _legend(run: LoadedRun, listing: Listing) -> dict[str, Any]:
    kinds = sorted({kind for row in run.tables["flagged_voyages"]["kinds"].to_pylist() for kind in row})
    return {
        "score": SCORE,
        "bands": BANDS,
        "cannot_see": CANNOT_SEE,
        "kinds": [meaning_of(kind) for kind in kinds] if listing.rows else [],
        "closing": CLOSING,
        "version": run.run.get("wakewatch", ""),
    }


def _none_words(min_score: float | None) -> str:
    over = "the threshold" if min_score is None else f"the threshold of {min_score:g}"
    return (
        f"None of the voyages above scores over {over}. That speaks of what was heard and read, not of what was not: "
        "see below what wakewatch cannot see."
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("detectors.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["bdi"] = _bdi
    environment.filters["known_band"] = lambda band: band if band in KNOWN_BANDS else "other"
    return environment


def _finalized(value: Any) -> Any:
    """What a template puts out: text made safe and cut, unless it is markup that was made so already."""
    return shown(value, LONGEST) if isinstance(value, str) and not isinstance(value, Markup) else value


def _bdi(text: str) -> Markup:
    """Text that may run in either direction, kept from turning what stands around it (HTML 4.5.24)."""
    return Markup("<bdi>{}</bdi>").format(escape(shown(text, LONGEST)))


def _static(names: tuple[str, ...]) -> str:
    """Files of the `static` folder, one after the other."""
    folder = files("detectors.report").joinpath("static")
    return "\n".join(folder.joinpath(name).read_text(encoding="utf-8").strip() for name in names)


def _digest(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()


def _reason(error: Exception) -> str:
    return shown(f"{type(error).__name__}: {error}")
